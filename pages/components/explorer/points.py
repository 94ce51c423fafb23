"""What the explorer's script fetches once and keeps: the pieces, the segments and the maps.

Two kinds of answer, so that the script needs no parser of its own: one JSON object about the
library, and float32 matrices in row order, little-endian.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import pandas as pd

from csn import clusters
from csn.centroids import centroids
from csn.instruments import INSTRUMENTS
from csn.library import Library
from csn.maps import METHODS, drawn

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
        tempo), ``maps`` (the methods by which it was drawn, the usual one first), ``fields``. A
        field has a key, a label and either ``numbers`` (one per piece, null where unknown) or
        ``values`` and ``codes`` (one per piece, -1 where unknown); a field with ``instrument``
        belongs to that instrument only.
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
        "maps": drawn(library),
        "fields": _fields(pieces, tempos),
    }
    return json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()


def matrix(library: Library, what: str, method: str | None = None) -> bytes:
    """A float32 matrix, row by row.

    Args:
        library: the library.
        what: ``segments`` for [segments, 7]: the piece's place in ``about``, the start in
            seconds, and the activity of the five instruments (-1 where unknown). One of
            ``SUBSPACES`` for its map, [segments, 2 or 3] in [-1, 1]; after ``pieces-`` for its
            pieces, [pieces, 3 or 4]: the place, and the segment to play (``csn.centroids``).
        method: of the map, one of ``csn.maps.METHODS``; None for the usual one.

    Raises:
        KeyError: neither, or no such method.
        LibraryError: the library has no such map.
    """
    if what == "segments":
        return _segments(library)
    pieces, name = what.startswith("pieces-"), what.removeprefix("pieces-")
    if name not in SUBSPACES or method not in (None, *METHODS):
        raise KeyError(name if name not in SUBSPACES else method)
    if pieces:
        return np.column_stack(centroids(library, name, method)).astype("<f4").tobytes()
    return library.map(name, method).astype("<f4").tobytes()


def groups(library: Library, name: str, method: str | None = None) -> bytes:
    """The clusters of a map (``csn.clusters``).

    Returns:
        JSON: ``clusters`` (at, segments, pieces, label, tag, share, lift), and ``members``, the
        cluster of each segment, -1 for none.

    Raises:
        KeyError: no such subspace or method.
        LibraryError: the library has no such map.
    """
    if name not in SUBSPACES or method not in (None, *METHODS):
        raise KeyError(name if name not in SUBSPACES else method)
    found = clusters.find(library, name, method)
    answer = {
        "clusters": [asdict(cluster) for cluster in found.clusters],
        "members": found.members.tolist(),
    }
    return json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()


def _segments(library: Library) -> bytes:
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
