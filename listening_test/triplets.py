"""What a study consists of once it is made: sounds, triplets of them, and the model's view."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from csn.instruments import INSTRUMENTS

MIX: Final = "mix"
"""What is heard, or asked about, when it is no single instrument."""

WHOLE: Final = "whole"
"""The distance over all five subspaces together."""

SPACES: Final = (*INSTRUMENTS, WHOLE)
INPUTS: Final = ("mix", "stem")
"""What the model was given: the mix, or the focused instrument alone."""

ROLES: Final = {
    ("track", 1): ("a", "b"),  # CSN, table 3: two other pieces
    ("track", 2): ("y", "c"),  # another part of X's own piece, and another piece
    ("criterion", 0): ("positive", "negative"),  # IND, table 4
    ("triplets", 0): ("a", "b"),  # imported
}
"""What the two candidates of a triplet are called, by protocol and set."""


@dataclass(frozen=True)
class Excerpt:
    """A part of a piece that people hear.

    Attributes:
        piece: id in the study's corpus.
        part: ``mix`` or an instrument.
        start: seconds from the piece's beginning.
        length: seconds.
    """

    piece: str
    part: str
    start: float
    length: float


@dataclass(frozen=True)
class Distances:
    """How far the model hears both candidates from x, before anyone listened.

    Attributes:
        values: input (``mix``, ``stem``) to space (``drums`` … ``others``, ``whole``) to the two
            Euclidean distances, x to the first candidate and x to the second. The input ``stem``
            is the sound that is asked about, alone.
    """

    values: Mapping[str, Mapping[str, tuple[float, float]]]

    def pair(self, space: str, source: str = "mix") -> tuple[float, float]:
        """Both distances in one space."""
        first, second = self.values[source][space]
        return first, second


@dataclass(frozen=True)
class Triplet:
    """x and two candidates, in the protocol's own order; never the order that a listener gets.

    Attributes:
        number: unique in its study, from 1; practice triplets have numbers of their own.
        protocol: ``track``, ``criterion`` or ``triplets``.
        set: 1 for {x, a, b}, 2 for {x, y, c}, 0 where the protocol has no sets.
        instrument: what is asked about: an instrument, or ``mix``.
        x: the anchor.
        first: the candidate a, y or positive.
        second: the candidate b, c or negative.
        distances: the model's; None for practice.
        space: the space whose distances decide what the model would answer.
        source: the model's input whose distances decide.
        practice: whether it only shows how it is done.
        notes: what else the protocol wants to keep, e.g. the ranks of IND's candidates.
    """

    number: int
    protocol: str
    set: int
    instrument: str
    x: Excerpt
    first: Excerpt
    second: Excerpt
    distances: Distances | None = None
    space: str = WHOLE
    source: str = "mix"
    practice: bool = False
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def roles(self) -> tuple[str, str]:
        """What the first and the second candidate are called."""
        return ROLES[self.protocol, self.set]

    @property
    def margin(self) -> float | None:
        """Distance of the second candidate minus that of the first; above 0, first is nearer."""
        if self.distances is None:
            return None
        first, second = self.distances.pair(self.space, self.source)
        return second - first

    @property
    def model_choice(self) -> int | None:
        """What the model answers: 0 (first) or 1 (second); None where it cannot tell."""
        margin = self.margin
        return None if margin is None or margin == 0 else int(margin < 0)


@dataclass(frozen=True)
class Sound:
    """A file that is ready to be heard.

    Attributes:
        kind: ``excerpt``, ``headphones`` or ``level``.
        file: its name inside the study's folder.
        sha256: of the file, hex.
        bytes: its size.
        seconds: its length.
        loudness: integrated loudness after matching, LUFS (BS.1770).
        true_peak: after matching, dBTP.
        excerpt: where it was cut; None for sounds that were made.
        answer: for a headphone check, which of the three intervals is right (0 to 2).
        method: for a headphone check, ``woods`` or ``huggins``.
    """

    kind: str
    file: str
    sha256: str
    bytes: int
    seconds: float
    loudness: float
    true_peak: float
    excerpt: Excerpt | None = None
    answer: int | None = None
    method: str = ""


@dataclass(frozen=True)
class Prepared:
    """Everything a version of a study needs before it may be launched.

    Attributes:
        triplets: those to be asked and those for practice.
        sounds: one for every excerpt in the triplets, and those for the headphone check and the
            level.
        model: hash of the model.
        corpus: fingerprint of the corpus.
        target: common loudness of all excerpts, LUFS.
        refusals: one sentence for every excerpt that was drawn and not taken.
    """

    triplets: tuple[Triplet, ...]
    sounds: tuple[Sound, ...]
    model: str
    corpus: str
    target: float
    refusals: tuple[str, ...] = ()
