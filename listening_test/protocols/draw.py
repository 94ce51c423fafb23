"""Drawing pieces at random, so that a study does not come back to the same few again and again."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator

import numpy as np

from csn.corpora import Piece
from listening_test.stimuli import Stimuli
from listening_test.triplets import Excerpt, Triplet


class Draw:
    """Random pieces and excerpts, those that were used least first.

    Attributes:
        stimuli: where excerpts come from.
        rng: of everything that is drawn.
    """

    def __init__(self, stimuli: Stimuli, rng: np.random.Generator) -> None:
        """See the class."""
        self.stimuli, self.rng = stimuli, rng
        self._as_x: Counter[str] = Counter()
        self._as_candidate: Counter[tuple[str, str]] = Counter()  # by instrument
        self._together: Counter[frozenset[str]] = Counter()
        self._total: Counter[str] = Counter()

    def anchors(self, instrument: str, without: Collection[str] = ()) -> Iterator[str]:
        """Pieces that may be X, those that were X least first, ties at random."""
        yield from self._ordered(instrument, without, lambda p: (self._as_x[p], self._total[p]))

    def candidates(self, instrument: str, x: str, without: Collection[str]) -> Iterator[Excerpt]:
        """Usable excerpts of other pieces, one of each, the least used pieces first."""
        for piece in self._ordered(
            instrument,
            {x, *without},
            lambda p: (
                self._as_candidate[instrument, p],
                self._together[frozenset((x, p))],
                self._total[p],
            ),
        ):
            found = self.stimuli.find(piece, instrument, self.rng, apart=None)
            if found is not None:
                yield found

    def note(self, instrument: str, x: str, others: Collection[str]) -> None:
        """Remember that these pieces were heard together."""
        self._as_x[x] += 1
        self._total.update({x, *others})
        for other in others:
            self._as_candidate[instrument, other] += 1
            self._together[frozenset((x, other))] += 1

    def note_all(self, triplets: Collection[Triplet]) -> None:
        """Remember triplets that something else drew."""
        for triplet in triplets:
            others = {triplet.first.piece, triplet.second.piece} - {triplet.x.piece}
            self.note(triplet.instrument, triplet.x.piece, others)

    def _ordered(
        self, instrument: str, without: Collection[str], use: Callable[[str], tuple[int, ...]]
    ) -> list[str]:
        pieces: list[Piece] = [p for p in self.stimuli.pieces(instrument) if p.id not in without]
        shuffled = [pieces[k].id for k in self.rng.permutation(len(pieces))]
        return sorted(shuffled, key=use)
