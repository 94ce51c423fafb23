"""What the explorer's script fetches once and keeps: the pieces, the segments and the maps.

Two kinds of answer, so that the script needs no parser of its own: one JSON object about the
library, and float32 matrices in row order, little-endian.
"""

import json
import math
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pandas as pd

from csn.instruments import INSTRUMENTS
from csn.library import Library

WHOLE: Final = "whole"
"""The map of all five subspaces together."""

SUBSPACES: Final = (WHOLE, *INSTRUMENTS)
"""Every map a library has, in the order in which they are offered."""

_TAGS: Final = {"key": "Key", "groove": "Groove", "source": "Source", "split": "Split"}
_MOST_VALUES: Final = 400  # a tag with more different values than this colours nothing


def about(library: Library) -> bytes:
    """The pieces and what they can be coloured by.

    Returns:
        JSON (UTF-8): ``segments`` (their number), ``length`` (seconds), ``pieces`` (id, title,
        tempo), ``fields``. A field has a key, a label and either ``numbers`` (one per piece, null
        where unknown) or ``values`` and ``codes`` (one per piece, -1 where unknown); a field with
        ``instrument`` belongs to that instrument only.
    """
    segments = library.segments
    pieces = segments.drop_duplicates("piece", ignore_index=True)
    tempos = [_number(value) for value in _column(pieces, "tempo")]
    titles = _column(pieces, "title")
    answer = {
        "segments": len(segments),
        "length": float(segments["length"].iloc[0]) if len(segments) else 3.0,
        "pieces": [
            {"id": str(piece), "title": str(title or piece), "tempo": tempo}
            for piece, title, tempo in zip(pieces["piece"], titles, tempos, strict=True)
        ],
        "fields": _fields(pieces, tempos),
    }
    return json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()


def matrix(library: Library, what: str) -> bytes:
    """A float32 matrix, row by row.

    Args:
        library: the library.
        what: ``segments`` for [segments, 7]: the piece's place in ``about``, the start in
            seconds, and the activity of the five instruments (-1 where unknown); or one of
            ``SUBSPACES`` for its map, [segments, 2] in [-1, 1].

    Raises:
        KeyError: neither.
        LibraryError: the library has no such map.
    """
    if what in SUBSPACES:
        return library.map(what).astype("<f4").tobytes()
    if what != "segments":
        raise KeyError(what)
    segments = library.segments
    codes, _ = pd.factorize(segments["piece"])
    columns = [codes, segments["start"].to_numpy()]
    for name in INSTRUMENTS:
        column = f"activity_{name}"
        known = segments[column] if column in segments else pd.Series(-1.0, segments.index)
        columns.append(known.fillna(-1.0).to_numpy())
    return np.column_stack(columns).astype("<f4").tobytes()


def _fields(pieces: pd.DataFrame, tempos: list[float | None]) -> list[dict[str, Any]]:
    """Everything that pieces can be coloured by; a tag that is the same everywhere is left out."""
    fields: list[dict[str, Any]] = []
    if len({tempo for tempo in tempos if tempo is not None}) > 1:
        fields.append({"key": "tempo", "label": "Tempo", "unit": "BPM", "numbers": tempos})
    for key, label in _TAGS.items():
        fields += _categories(key, label, _column(pieces, key))
    for name in INSTRUMENTS:
        column = _column(pieces, f"soundfont_{name}")
        for field in _categories("soundfont", "Soundfont", column):
            fields.append(field | {"instrument": name})
    return fields


def _categories(key: str, label: str, column: Iterable[Any]) -> list[dict[str, Any]]:
    words = ["" if pd.isna(value) else str(value) for value in column]
    values = sorted({word for word in words if word})
    if not 1 < len(values) <= _MOST_VALUES:
        return []
    code = {value: i for i, value in enumerate(values)}
    codes = [code.get(word, -1) for word in words]
    return [{"key": key, "label": label, "values": values, "codes": codes}]


def _column(pieces: pd.DataFrame, name: str) -> list[Any]:
    return pieces[name].tolist() if name in pieces else [None] * len(pieces)


def _number(value: object) -> float | None:
    """A finite number, or None."""
    if isinstance(value, int | float) and math.isfinite(value):
        return round(float(value), 2)
    return None
