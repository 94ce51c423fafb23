"""Reading what ``csn evaluate`` and ``csn ablate`` wrote, without trusting it.

A folder of measures holds a folder for each test, named as one likes, with the files as the
commands write them: ``composed/pseudo-mixes.json``, ``recipes/table.json``. They may come from
anybody: a file that is not as the commands write it is left out, with a sentence that says so.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from csn.measures import (
    CLEAN,
    SYSTEMS,
    Ablation,
    Criteria,
    Identity,
    Individual,
    Leakage,
    Measures,
    Moves,
    Probe,
    Probes,
    PseudoMixes,
    Row,
    Score,
)
from csn.pictures import picture

METHODS: Final = ("t-sne", "umap")
"""Pictures are files whose names end like this, in the folder of the individual networks."""

_WRONG: Final = (
    ValueError, TypeError, LookupError, OSError, AttributeError, RecursionError,
)  # fmt: skip
"""What reading another's file may raise."""

_LARGEST: Final = 20_000_000
"""Bytes of a file that is read at all."""


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
        except _WRONG as error:
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
    lengths = _each(found["lengths"], _scores)
    for length, scores in dict(found.get(CLEAN, {})).items():
        lengths[str(length)][CLEAN] = _each(scores, _score)
    return Identity(**_carried(found), lengths=lengths)


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
