"""Pieces as points: the segment in a piece's middle, and where the piece lies on a map."""

from typing import Final

import numpy as np
import pandas as pd

from csn.instruments import EMBEDDING, subspace
from csn.library import Library
from csn.maps import geometric_median
from csn.search import Floats, Integers

_AT_ONCE: Final = 1 << 14  # rows: a quarter of a megabyte a subspace and thousand


def centroids(library: Library, name: str, method: str | None = None) -> tuple[Floats, Integers]:
    """One point a piece, and the segment to play for it.

    The segment is the one nearest to the piece's centroid (the mean of its segments) in the
    subspace, so that what is heard is typical whatever the map does. The point is the geometric
    median of its segments' places: a map other than PCA may tear a piece in two, and a mean would
    lie in the empty space between, where the median stays with the larger part. On a PCA map,
    which is linear and tears nothing, the point is the centroid itself.

    Args:
        library: with a map of this subspace.
        name: ``whole`` or an instrument.
        method: as for ``Library.map``.

    Returns:
        Points [pieces, 2 or 3] float32 in [-1, 1], in the order in which pieces first appear in
        ``library.segments``, and rows [pieces] int64 of the segments.

    Raises:
        LibraryError: no such map.
    """
    stored = library.map_file(name, method)
    places = stored["coordinates"]
    codes = pd.factorize(library.segments["piece"])[0]
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    ends = np.cumsum(sizes)
    columns = slice(0, EMBEDDING) if name == "whole" else subspace(name)
    points = np.empty((len(sizes), places.shape[1]), np.float32)
    rows = np.empty(len(sizes), np.int64)
    first = 0
    while first < len(sizes):  # whole pieces, so many that they fit into a little memory
        begin = ends[first] - sizes[first]
        last = max(int(np.searchsorted(ends, begin + _AT_ONCE, side="right")), first + 1)
        here = order[begin : ends[last - 1]]
        some = sizes[first:last]
        rows[first:last] = here[_middles(np.asarray(library.vectors[here, columns]), some)]
        if str(stored["fitted_by"]) == "pca":
            points[first:last] = _means(places[here], some)
        else:
            points[first:last] = _medians(places[here], some)
        first = last
    return points, rows


def _means(values: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The mean of each of some runs of rows: [rows, d], [runs] → [runs, d] float64."""
    starts = np.cumsum(sizes) - sizes
    return np.add.reduceat(values, starts, axis=0, dtype=np.float64) / sizes[:, None]


def _middles(vectors: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The row that is nearest to the mean of each run; the first of equals."""
    away = ((vectors - np.repeat(_means(vectors, sizes), sizes, axis=0)) ** 2).sum(axis=1)
    runs = np.repeat(np.arange(len(sizes)), sizes)
    best = np.lexsort((away, runs))  # stable: earlier rows first
    return best[np.cumsum(sizes) - sizes]


def _medians(places: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The geometric median of each run, found for runs of about one size together."""
    starts = np.cumsum(sizes) - sizes
    found = np.empty((len(sizes), places.shape[1]))
    by_size = np.argsort(sizes, kind="stable")
    for group in np.array_split(by_size, max(1, len(by_size) // 256)):
        widest = int(sizes[group].max())
        inside = np.arange(widest) < sizes[group][:, None]
        rows = np.where(inside, starts[group][:, None] + np.arange(widest), starts[group][:, None])
        found[group] = geometric_median(places[rows].astype(np.float64), inside.astype(np.float64))
    return found
