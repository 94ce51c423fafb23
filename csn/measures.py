"""What was measured about a model: the records in the files that the commands write.

``measure_files`` reads them. Nothing here needs torch, so that a screen can show it at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from csn.pictures import Picture

SYSTEMS: Final = {"model": "instruments", "untrained": "untrained", "floor": "floor"}
"""The systems that are judged on the same sounds, and their keys in the files."""

CLEAN: Final = "individual_clean"
"""Individual networks on clean stems, where P1 was told of them: an upper reference."""


@dataclass(frozen=True)
class Score:
    """How often the right piece was found, in percent; see ``csn.evaluation.report.Score``."""

    mean: float
    sd: float
    strict: float
    strict_sd: float
    chance: float | None = None
    runs: int = 1


Scores = Mapping[str, Mapping[str, Score | None]]
"""System, then instrument (or ``whole``); None where the corpus was too small."""


@dataclass(frozen=True)
class Measured:
    """What every measure carries.

    Attributes:
        model: hash of the model that was judged; empty where it is about none.
        settings: how it was done, as the command wrote it.
        problems: sentences about what was left out.
    """

    model: str
    settings: Mapping[str, Any]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class PseudoMixes(Measured):
    """P2."""

    scores: Scores


@dataclass(frozen=True)
class Identity(Measured):
    """P1, for each length of segments in seconds; with ``CLEAN``, where it was asked for."""

    lengths: Mapping[str, Scores]


@dataclass(frozen=True)
class Moves:
    """How far a subspace moved, see ``csn.evaluation.leakage.Moves``."""

    others: float
    own: float
    ratio: float | None


@dataclass(frozen=True)
class Leakage(Measured):
    """System, then instrument, to its moves."""

    moves: Mapping[str, Mapping[str, Moves | None]]


@dataclass(frozen=True)
class Probe:
    """How well a property can be read from a subspace, % right; system to value."""

    right: Mapping[str, float]
    chance: float
    classes: int
    pieces: int


@dataclass(frozen=True)
class Probes(Measured):
    """Instrument, then property, to its probe; None where there were too few pieces."""

    found: Mapping[str, Mapping[str, Probe | None]]


@dataclass(frozen=True)
class Criteria:
    """IND's measures of one family of criteria, see ``csn.evaluation.individual.Criteria``.

    Attributes:
        accuracy: music ID.
        distances: criterion to [pieces, pieces] float64.
        pearson: ``drums-bass`` to the correlation of their distances.
        spearman: the same of neighbours' ranks.
        ranks: criterion to the mean reciprocal ranks of its nearest, second and third piece.
    """

    accuracy: Mapping[str, Score]
    distances: Mapping[str, np.ndarray]
    pearson: Mapping[str, float]
    spearman: Mapping[str, float]
    ranks: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Individual(Measured):
    """IND's measures: networks on clean sound, their floor, and the model's subspaces or None."""

    networks: Criteria
    floor: Criteria
    subspaces: Criteria | None
    pieces: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A row of table 2: the mean and deviation over its runs of each instrument and of all."""

    name: str
    scores: Mapping[str, tuple[float | None, float | None]]
    runs: int
    pieces: int
    mixes: int
    seconds: float


@dataclass(frozen=True)
class Ablation(Measured):
    """Table 2 on a corpus of ours; floors have one figure an instrument."""

    rows: tuple[Row, ...]
    floors: Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True)
class Measures:
    """Everything in one folder, by the name of the test's folder.

    Attributes:
        pseudo_mixes, identity, leakage, probes, individual, ablation: test to what was measured.
        pictures: file's name, e.g. ``subspaces-t-sne``, to the picture.
        problems: a sentence for each file that could not be used.
    """

    pseudo_mixes: Mapping[str, PseudoMixes] = field(default_factory=dict)
    identity: Mapping[str, Identity] = field(default_factory=dict)
    leakage: Mapping[str, Leakage] = field(default_factory=dict)
    probes: Mapping[str, Probes] = field(default_factory=dict)
    individual: Mapping[str, Individual] = field(default_factory=dict)
    ablation: Mapping[str, Ablation] = field(default_factory=dict)
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def of_others(self, model: str) -> list[str]:
        """Names of the measures that belong to another model than this one."""
        kinds: tuple[Mapping[str, Measured], ...] = (
            self.pseudo_mixes, self.identity, self.leakage, self.probes, self.individual,
        )  # fmt: skip
        found = {name: m.model for kind in kinds for name, m in kind.items() if m.model != model}
        return [name for name, other in found.items() if other]
