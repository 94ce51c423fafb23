"""What was measured about a model: the files that ``csn evaluate`` and ``csn ablate`` write.

A folder of measures holds a folder for each test, named as one likes, with the files as the
commands write them: ``composed/pseudo-mixes.json``, ``recipes/table.json``. They may come from
anybody: a file that is not as the commands write it is left out, with a sentence that says so.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from csn.pictures import Picture, picture

SYSTEMS: Final = {"model": "instruments", "untrained": "untrained", "floor": "floor"}
"""The systems that are judged on the same sounds, and their keys in the files."""

METHODS: Final = ("t-sne", "umap")
"""Pictures are files whose names end like this, in the folder of the individual networks."""

_LARGEST: Final = 20_000_000
"""Bytes of a file that is read at all."""


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
    """P1, for each length of segments in seconds."""

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


def read_measures(folder: Path) -> Measures:
    """Read a folder of measures; one that is not there has none."""
    found: dict[str, dict[str, Any]] = {}
    problems = []
    for file in sorted(folder.glob("*/*.json")):
        test, what = file.parent.name, file.stem
        parse: Callable[[dict[str, Any]], Any]
        if what.endswith(METHODS):
            kind, key, parse = "pictures", what, picture
        elif what in _KINDS:
            (kind, parse), key = _KINDS[what], test
        else:
            continue
        try:
            found.setdefault(kind, {})[key] = parse(_content(file))
        except (ValueError, TypeError, KeyError, OSError, AttributeError, RecursionError) as error:
            problems.append(
                f"{test}/{file.name} is not as the command writes it "
                f"({type(error).__name__}: {error}); make it again, or take it away."
            )
    return Measures(**found, problems=tuple(problems))


def _content(file: Path) -> dict[str, Any]:
    if file.stat().st_size > _LARGEST:
        raise ValueError(f"more than {_LARGEST // 10**6} MB")
    found = json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse)
    if not isinstance(found, dict):
        raise TypeError("no JSON object")
    return found


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _number(value: Any, low: float = -1e9, high: float = 1e9) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{str(value)[:40]!r} is no number")
    if not low <= value <= high:
        raise ValueError(f"{value} is not between {low:g} and {high:g}")
    return float(value)


def _percent(value: Any) -> float:
    return _number(value, 0, 100)


def _maybe(value: Any, read: Callable[[Any], Any]) -> Any:
    return None if value is None else read(value)


def _each(values: Any, read: Callable[[Any], Any]) -> dict[str, Any]:
    """Read every value of an object."""
    return {str(name): read(value) for name, value in dict(values).items()}


def _carried(found: Mapping[str, Any]) -> dict[str, Any]:
    """What every measure carries."""
    settings = dict(found["settings"])
    model = settings.get("model") or ""
    if not re.fullmatch("[0-9a-f]{64}|", model):
        raise ValueError("the model's hash is none")
    problems = tuple(str(line) for line in found.get("problems", ()))
    return {"model": model, "settings": settings, "problems": problems}


def _score(found: Mapping[str, Any]) -> Score:
    mean, sd, strict, strict_sd = (
        _percent(found[name]) for name in ("mean", "sd", "strict_mean", "strict_sd")
    )
    chance = _maybe(found.get("chance"), _percent)
    return Score(mean, sd, strict, strict_sd, chance, len(found.get("runs", "1")))


def _scores(found: Mapping[str, Any]) -> dict[str, dict[str, Score | None]]:
    return {
        system: _each(found.get(key, {}), lambda score: _maybe(score, _score))
        for system, key in SYSTEMS.items()
    }


def _pseudo_mixes(found: Mapping[str, Any]) -> PseudoMixes:
    return PseudoMixes(**_carried(found), scores=_scores(found))


def _identity(found: Mapping[str, Any]) -> Identity:
    return Identity(**_carried(found), lengths=_each(found["lengths"], _scores))


def _leakage(found: Mapping[str, Any]) -> Leakage:
    def moves(part: Mapping[str, Any]) -> Moves:
        ratio = _maybe(part["ratio"], lambda value: _number(value, 0))
        return Moves(_number(part["others"], 0), _number(part["own"], 0), ratio)

    systems = {
        system: _each(found.get(key, {}), lambda part: _maybe(part, moves))
        for system, key in SYSTEMS.items()
    }
    return Leakage(**_carried(found), moves=systems)


def _probes(found: Mapping[str, Any]) -> Probes:
    def probe(part: Mapping[str, Any]) -> Probe:
        counts = (int(_number(part[name], 0)) for name in ("classes", "pieces"))
        return Probe(_each(part["right"], _percent), _percent(part["chance"]), *counts)

    asked = _each(found["instruments"], lambda of: _each(of, lambda part: _maybe(part, probe)))
    return Probes(**_carried(found), found=asked)


def _individual(found: Mapping[str, Any]) -> Individual:
    pieces = tuple(str(title) for title in found["pieces"])

    def matrix(rows: Any) -> np.ndarray:
        square = np.array([[_number(value) for value in row] for row in rows])
        if square.shape != (len(pieces), len(pieces)):
            raise ValueError("distances of other pieces than are named")
        return square

    def criteria(part: Mapping[str, Any]) -> Criteria:
        def correlation(value: Any) -> float:
            return _number(value, -1, 1)

        return Criteria(
            _each(part["accuracy"], _score),
            _each(part["distances"], matrix),
            _each(part["pearson"], correlation),
            _each(part["spearman"], correlation),
            _each(part.get("reciprocal_ranks", {}), lambda of: tuple(_number(r, 0, 1) for r in of)),
        )

    return Individual(
        **_carried(found),
        networks=criteria(found["individual"]),
        floor=criteria(found["floor"]),
        subspaces=_maybe(found["subspaces"], criteria),
        pieces=pieces,
    )


def _ablation(found: Mapping[str, Any]) -> Ablation:
    def cell(value: Any) -> tuple[float | None, float | None]:
        mean, sd = value
        return _maybe(mean, _percent), _maybe(sd, _percent)

    def floor(part: Mapping[str, Any]) -> dict[str, float | None]:
        whole = {name: part[name] for name in ("mean", "strict_mean")}
        return _each({**part["scores"], **whole}, lambda value: _maybe(value, _percent))

    rows = tuple(
        Row(
            str(row["row"]), _each(row["scores"], cell), int(_number(row["runs"], 1)),
            int(_number(row["pieces"], 0)), int(_number(row["mixes_seen"], 0, 1e12)),
            _number(row["seconds"], 0),
        )
        for row in found["rows"]
    )  # fmt: skip
    return Ablation(**_carried(found), rows=rows, floors=_each(found["floors"], floor))


_KINDS: Final[Mapping[str, tuple[str, Callable[[dict[str, Any]], Any]]]] = {
    "pseudo-mixes": ("pseudo_mixes", _pseudo_mixes),
    "identity": ("identity", _identity),
    "leakage": ("leakage", _leakage),
    "probes": ("probes", _probes),
    "individual": ("individual", _individual),
    "table": ("ablation", _ablation),
}
"""File's name to the kind of measure and what reads it."""
