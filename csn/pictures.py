"""Pictures of points that ``csn evaluate individual`` wrote as Plotly's JSON, read back as numbers.

Only what is needed to draw them again is taken; nothing of the file is handed on as it is.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np


@dataclass(frozen=True)
class Dots:
    """Points that look alike.

    Attributes:
        x: [points] float64.
        y: [points] float64.
        colour: ``rgb(…)``, of the piece.
        symbol: one of Plotly's names.
        words: what they are.
    """

    x: np.ndarray
    y: np.ndarray
    colour: str
    symbol: str
    words: str


Picture = Mapping[str, tuple[Dots, ...]]
"""Criterion to its points, a square for each."""

_TYPES: Final = {"i1", "i2", "i4", "u1", "u2", "u4", "f4", "f8"}


def picture(found: Mapping[str, Any]) -> Picture:
    """The squares of a figure of points.

    Args:
        found: the figure's JSON: titles of squares as annotations, scatter traces in order.

    Raises:
        ValueError, TypeError, KeyError: it is no such figure.
    """
    names = [str(note["text"]) for note in found["layout"]["annotations"]]
    squares: dict[str, list[Dots]] = {name: [] for name in names}
    for trace in found["data"]:
        if trace["type"] != "scatter":
            raise ValueError("a trace that is no points")
        marker = trace["marker"]
        dots = Dots(
            _values(trace["x"]),
            _values(trace["y"]),
            _like(r"rgb\([\d., ]+\)", marker["color"]),
            _like(r"[a-z-]+", marker.get("symbol", "circle")),
            str(trace["hovertext"]),
        )
        if dots.x.shape != dots.y.shape or dots.x.ndim != 1:
            raise ValueError("points without a place")
        squares[names[int(trace["xaxis"][1:] or 1) - 1]].append(dots)
    return {name: tuple(dots) for name, dots in squares.items()}


def _values(coded: Any) -> np.ndarray:
    """Numbers as Plotly writes them: a list, or base64 with a type."""
    if isinstance(coded, dict):
        if coded["dtype"] not in _TYPES:
            raise ValueError("numbers of an unknown type")
        coded = np.frombuffer(base64.b64decode(coded["bdata"], validate=True), coded["dtype"])
    values = np.asarray(coded, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("points without a place")
    return values


def _like(pattern: str, word: Any) -> str:
    if not re.fullmatch(pattern, str(word)):
        raise ValueError(f"{str(word)[:40]!r} is neither a colour nor a symbol")
    return str(word)
