"""What the model makes of excerpts: their embeddings, and the distances between them."""

from collections.abc import Sequence

import numpy as np

from csn.corpora import Corpus
from csn.embedding import Embedder
from csn.errors import ModelError
from csn.instruments import EMBEDDING, INSTRUMENTS, subspace
from listening_test.triplets import INPUTS, MIX, SPACES, WHOLE, Distances, Excerpt


class Hearing:
    """Embeds excerpts as they are in the corpus, before fades and gain; each only once."""

    def __init__(self, model: Embedder, corpus: Corpus) -> None:
        """See the class."""
        self._model, self._corpus = model, corpus
        self._known: dict[Excerpt, np.ndarray] = {}

    def listen(self, excerpt: Excerpt, instrument: str) -> None:
        """Embed everything that ``distances`` will need of an excerpt.

        Raises:
            AudioError: a file of it cannot be read.
            ModelError: the model makes no numbers of it.
        """
        for part in self._inputs(excerpt, instrument).values():
            self.vector(Excerpt(excerpt.piece, part, excerpt.start, excerpt.length))

    def vector(self, excerpt: Excerpt) -> np.ndarray:
        """The embedding of an excerpt, [640] float32.

        Raises:
            AudioError: a file of it cannot be read.
            ModelError: the model makes no numbers of it.
        """
        return self.vectors([excerpt])[0]

    def vectors(self, excerpts: Sequence[Excerpt]) -> np.ndarray:
        """The embeddings of excerpts of one part of one piece.

        Returns:
            [excerpts, 640] float32; each excerpt is heard alone, whatever surrounds it.

        Raises:
            AudioError: a file cannot be read.
            ModelError: the model makes no numbers of one.
        """
        unknown = [excerpt for excerpt in excerpts if excerpt not in self._known]
        if len(unknown) == 1:
            one = unknown[0]
            piece, rate = self._corpus[one.piece], self._model.settings.sample_rate
            sound = piece.audio(one.part, rate, start=one.start, length=one.length)
            self._embed(one, sound)
        elif unknown:  # read once as a whole, then cut: the samples are the same
            piece, rate = self._corpus[unknown[0].piece], self._model.settings.sample_rate
            sound = piece.audio(unknown[0].part, rate)
            for one in unknown:
                first = round(one.start * rate)
                self._embed(one, sound[first : first + round(one.length * rate)])
        return np.array([self._known[excerpt] for excerpt in excerpts]).reshape(-1, EMBEDDING)

    def distances(self, instrument: str, x: Excerpt, first: Excerpt, second: Excerpt) -> Distances:
        """How far both candidates are from x, in every space, by every input there is.

        The distance is Euclidean (CSN, section 3.1): D of a subspace, or of all 640 dimensions.
        The input ``stem`` is missing where the corpus has only mixes.

        Raises:
            AudioError: a file cannot be read.
            ModelError: the model makes no numbers of one.
        """
        values: dict[str, dict[str, tuple[float, float]]] = {}
        for source, part in self._inputs(x, instrument).items():
            x_, a, b = (
                self.vector(Excerpt(one.piece, part, one.start, one.length)).astype(np.float64)
                for one in (x, first, second)
            )
            values[source] = {
                space: (
                    float(np.linalg.norm((x_ - a)[columns(space)])),
                    float(np.linalg.norm((x_ - b)[columns(space)])),
                )
                for space in SPACES
            }
        return Distances(values)

    def _inputs(self, excerpt: Excerpt, instrument: str) -> dict[str, str]:
        """What the model hears of an excerpt: input to part of the piece."""
        if instrument in INSTRUMENTS and not self._corpus[excerpt.piece].stems:
            return {"mix": MIX}
        return dict(zip(INPUTS, (MIX, instrument), strict=True))

    def _embed(self, excerpt: Excerpt, sound: np.ndarray) -> None:
        size = round(excerpt.length * self._model.settings.sample_rate)
        sound = np.pad(sound, (0, max(size - len(sound), 0)))
        vector = np.asarray(self._model.embed(sound, np.zeros(1), excerpt.length), np.float32)[0]
        if not np.isfinite(vector).all():
            raise ModelError("The model's embedding of it is not finite.")
        self._known[excerpt] = vector


def columns(space: str) -> slice:
    """The columns of an embedding that make a space."""
    return slice(None) if space == WHOLE else subspace(space)


def space_of(instrument: str) -> str:
    """The space that answers for what is asked about."""
    return WHOLE if instrument == MIX else instrument
