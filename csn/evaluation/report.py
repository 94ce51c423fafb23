"""Results as numbers: what JSON gets and what the terminal shows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from csn.instruments import INSTRUMENTS

TITLES = {"model": "model", "untrained": "untrained", "floor": "mix statistics"}
"""What the systems are called on the terminal."""


@dataclass(frozen=True)
class Score:
    """How often the right piece was found, in percent.

    Attributes:
        mean: accuracy.
        sd: its standard deviation over draws (P2) or pieces (P1); 0 where there is only one.
        strict_mean: accuracy without references that hold the query's own time.
        strict_sd: its standard deviation.
        chance: what guessing among the pieces would give.
        segments: queries that were asked, over all draws.
    """

    mean: float
    sd: float
    strict_mean: float
    strict_sd: float
    chance: float
    segments: int

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, percent rounded to two places."""
        return dict(tidy(vars(self)))


Scores = Mapping[str, Score | None]
"""Instrument (or ``whole``) to its score; None where the corpus is too small for one."""


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation; the latter 0 for a single value."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return float(np.mean(values)), deviation


def over_instruments(scores: Scores, field: str = "mean") -> float | None:
    """Mean of a score over the instruments that have one; None if none has."""
    values = [getattr(scores[name], field) for name in INSTRUMENTS if scores.get(name)]
    return float(np.mean(values)) if values else None


def scores_json(scores: Mapping[str, Scores]) -> dict[str, Any]:
    """The part of the JSON that P1 and P2 share.

    Args:
        scores: ``model`` and, if they were judged, ``untrained`` and ``floor``.

    Returns:
        ``instruments``, ``floor`` and ``untrained`` (instrument to score, null where there is
        none), and the means over the instruments.
    """
    answer: dict[str, Any] = {}
    for name, key in (("model", "instruments"), ("floor", "floor"), ("untrained", "untrained")):
        answer[key] = {
            part: score.to_json() if score else None for part, score in scores.get(name, {}).items()
        }
    for name, prefix in (("model", ""), ("floor", "floor_"), ("untrained", "untrained_")):
        if name in scores:
            answer[f"{prefix}mean"] = over_instruments(scores[name])
            answer[f"{prefix}strict_mean"] = over_instruments(scores[name], "strict_mean")
    return dict(tidy(answer))


def scores_table(scores: Mapping[str, Scores]) -> str:
    """The lines of a terminal table that P1 and P2 share: a row for each instrument."""
    others = [name for name in ("untrained", "floor") if name in scores]
    head = ["", "model", "strict"]
    for name in others:
        head += [TITLES[name], "strict"]
    rows = [[*head, "chance", "segments"]]
    for part, score in scores["model"].items():
        if score is None:
            rows.append([part, "too few pieces"])
            continue
        row = [part, spread(score.mean, score.sd), spread(score.strict_mean, score.strict_sd)]
        for name in others:
            other = scores[name][part]
            row += [number(getattr(other, field, None)) for field in ("mean", "strict_mean")]
        rows.append([*row, number(score.chance), f"{score.segments:,}"])
    fields = ("mean", "strict_mean")
    means = [
        over_instruments(scores[name], field) for name in ["model", *others] for field in fields
    ]
    return columns([*rows, ["mean", *map(number, means)]])


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Align cells: the first column to the left, numbers to the right."""
    count = max(len(row) for row in rows)
    filled = [[*row, *[""] * (count - len(row))] for row in rows]
    widths = [max(len(row[i]) for row in filled) for i in range(count)]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in filled
    ]
    return "\n".join(lines)


def spread(mean: float, deviation: float) -> str:
    """``82.5 ± 3.1``."""
    return f"{mean:.1f} ± {deviation:.1f}"


def number(value: float | None, places: int = 1) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{places}f}"


def notes(problems: Sequence[str]) -> str:
    """What went wrong, a line each, below a table; empty where nothing did."""
    return "".join(f"\nNote: {problem}" for problem in problems)


def tidy(value: Any, places: int = 2) -> Any:
    """Make a value fit for strict JSON: plain types, rounded, None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): tidy(item, places) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(item, places) for item in value]
    if isinstance(value, np.generic):
        return tidy(value.item(), places)
    if isinstance(value, float):
        return round(value, places) if math.isfinite(value) else None
    return value
