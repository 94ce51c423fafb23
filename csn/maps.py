"""Maps: every segment as a point on a plane, once per subspace and once for the whole.

A map is computed once with a fixed seed and stored as ``maps/{method}-{subspace}.npz``; opening it
is one ``np.load``. Neighbours come from the subspace itself, never from the map.

The file holds ``coordinates`` [segments, 2] float32 in [-1, 1] (both axes in one scale, so that
shapes keep their aspect; a map in three dimensions, [segments, 3], lies in the unit ball, so that
it can be turned within its frame), ``fitted_by`` (the method that was really used), ``seed``,
``parameters`` and ``versions`` (JSON), ``vectors_sha256`` (of the library's vectors, which
are the rest of the fitted model), and for PCA the projection (``centre``, ``axes``, ``offset``).
Nothing is pickled.
"""

import json
import warnings
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from csn.embedding import write_whole
from csn.errors import LibraryError
from csn.instruments import EMBEDDING, INSTRUMENTS, subspace
from csn.library import Library
from csn.vectors import Floats, Stored

SUBSPACES: Final = ("whole", *INSTRUMENTS)
METHODS: Final = ("umap", "tsne", "pca", "umap3", "pca3")
"""The kinds of maps; a 3 at the end stands for three dimensions."""

NEIGHBOURS: Final = 15
"""Of each point, the least that UMAP looks at (its default); a new point is placed by so many."""

# A dot is for pointing at, so dots keep apart, and a neighbourhood must reach past the segments
# of the same piece: else a map is one speck a piece, wherever the pieces lie.
_UMAP: Final = {"min_dist": 0.8, "metric": "euclidean"}
_MOST: Final = 100  # neighbours; time and memory grow with them
_PERPLEXITY: Final = 30.0  # openTSNE's default
_FEWEST: Final = NEIGHBOURS + 1  # with fewer points, neighbourhoods are everything: PCA
_PACKAGES: Final = {"umap": "umap-learn", "tsne": "openTSNE", "pca": "numpy"}


class _Fitted(NamedTuple):
    """A map before scaling."""

    points: np.ndarray
    """[n, 2 or 3]."""
    by: str
    parameters: dict[str, Any]
    axes: np.ndarray = np.empty((0, 2))
    """[dimensions, 2 or 3] for PCA: points = (vectors - centre) @ axes."""
    centre: np.ndarray = np.empty(0)


def focus_of(name: str) -> tuple[float, ...]:
    """The weights of a map's subspace: 1 for an instrument alone, or for all five (``whole``).

    Raises:
        LibraryError: no such subspace.
    """
    if name not in SUBSPACES:
        raise LibraryError(f"There is no subspace {name!r}; choose one of {', '.join(SUBSPACES)}.")
    return tuple(float(name in ("whole", instrument)) for instrument in INSTRUMENTS)


def drawn(library: Library) -> list[str]:
    """The methods by which all six maps were drawn, the one that is shown at first in front."""
    folder = library.folder / "maps"
    return [m for m in METHODS if all((folder / f"{m}-{s}.npz").is_file() for s in SUBSPACES)]


def fit_maps(
    library: Library,
    *,
    method: str = "umap",
    seed: int = 0,
    progress: bool = True,
    names: Sequence[str] = SUBSPACES,
) -> None:
    """Compute and store the six maps of a library.

    The same library, seed and versions give the same bytes again. A library of fewer than 16
    segments, or of segments that are all alike, has no neighbourhoods to draw: its maps are made
    by PCA whatever was asked for, which puts two segments at the ends of a line and one in the
    middle.

    Args:
        library: what to draw.
        method: ``umap``, ``tsne`` (slower, keeps neighbours better), ``pca`` (linear); ``umap3``
            and ``pca3`` in three dimensions; ``all`` of these.
        seed: of the layout.
        progress: draw a progress bar.
        names: of the subspaces, where not all six are wanted.

    Raises:
        LibraryError: no such method.
    """
    if method == "all":
        for one in METHODS:
            fit_maps(library, method=one, seed=seed, progress=progress, names=names)
        return
    if method not in METHODS:
        raise LibraryError(f"There are no {method!r} maps; choose one of {', '.join(METHODS)}.")
    segments = library.segments["piece"].value_counts()
    reach = 2 * int(segments.median()) if len(segments) else 0  # so many neighbours, if it can be
    for name in tqdm(names, desc=f"Drawing {method} maps", unit="map", disable=not progress):
        fitted = _fit(_columns(library.vectors, name), method, seed, reach)
        low, high = fitted.points.min(axis=0), fitted.points.max(axis=0)
        middle, half = (low + high) / 2, float((high - low).max()) / 2 or 1.0
        if method.endswith("3"):
            half = float(np.linalg.norm(fitted.points - middle, axis=1).max()) or 1.0
        coordinates = np.clip((fitted.points - middle) / half, -1, 1).astype(np.float32)
        content = {
            "coordinates": coordinates,
            "fitted_by": fitted.by,
            "seed": seed,
            "parameters": json.dumps(fitted.parameters),
            "versions": json.dumps({p: version(p) for p in (_PACKAGES[fitted.by], "numpy")}),
            "vectors_sha256": library.info["files"]["vectors.npy"],
            "centre": fitted.centre,
            "axes": fitted.axes / half,
            "offset": -middle / half,
        }
        file = library.folder / "maps" / f"{method}-{name}.npz"
        write_whole(file, partial(np.savez, **content))


def place(library: Library, name: str, vectors: ArrayLike, method: str | None = None) -> Floats:
    """Where new sounds belong on a stored map.

    On a PCA map they are projected as the library's segments were, and kept inside its frame.

    On the others, a sound goes to the weighted geometric median of the points of its 15 nearest
    segments in the subspace. The weights are UMAP's memberships, ``exp(-(d - ρ) / σ)`` with ρ the
    distance to the nearest and σ such that they sum to log2(15), divided by d², so that a sound
    that is in the library falls on its own point. This is how UMAP itself begins with new points,
    but for two things: it takes the mean, which lands in the empty space between two groups where
    the median stays in the larger, and it then moves the points about at random, which on held-out
    segments kept fewer of their true neighbours than leaving them here.

    Args:
        library: with a map of this subspace.
        name: ``whole`` or an instrument.
        vectors: [n, 640], embedded by the library's model.
        method: as for ``Library.map``.

    Returns:
        [n, 2 or 3] float32 in [-1, 1].

    Raises:
        LibraryError: no such map.
    """
    new = np.asarray(vectors, np.float32).reshape(-1, EMBEDDING)
    focus = focus_of(name)
    stored = library.map_file(name, method)
    if str(stored["fitted_by"]) == "pca":
        projected = (_columns(new, name) - stored["centre"]) @ stored["axes"] + stored["offset"]
        return np.clip(projected, -1, 1).astype(np.float32)
    found, distances = library.search(new, focus, NEIGHBOURS)
    away = distances.astype(np.float64)
    weights = _memberships(away) / np.maximum(away**2, 1e-12)
    return geometric_median(stored["coordinates"][found], weights).astype(np.float32)


def neighbours_kept(
    library: Library, name: str, method: str | None = None, *, k: int = 10, sample: int = 1000
) -> float:
    """How true a map is: the part of a segment's k nearest that are its k nearest on the map too.

    Args:
        library: with a map of this subspace.
        name: ``whole`` or an instrument.
        method: as for ``Library.map``.
        k: how many neighbours.
        sample: look at so many segments, evenly spaced.

    Returns:
        0 to 1, the mean over the sample.
    """
    from sklearn.neighbors import NearestNeighbors  # noqa: PLC0415 slow, and rarely needed

    points = library.map(name, method)
    k = min(k, len(points) - 1)
    if k < 1:
        return 1.0
    rows = np.unique(np.linspace(0, len(points) - 1, sample).astype(np.int64))
    true = library.search(library.vectors[rows, :EMBEDDING], focus_of(name), k + 1)[0]
    drawn = NearestNeighbors(n_neighbors=k + 1).fit(points).kneighbors(points[rows])[1]
    kept = [
        len({*a.tolist()} & {*b.tolist()} - {row}) / k
        for row, a, b in zip(rows.tolist(), true, drawn, strict=True)
    ]
    return float(np.mean(kept))


def _columns(vectors: Stored, name: str) -> Floats:
    """One subspace, or the whole embedding, of [n, 640 or 645], as float32."""
    columns = slice(0, EMBEDDING) if name == "whole" else subspace(name)
    return np.ascontiguousarray(vectors[:, columns], np.float32)


def _fit(vectors: Floats, method: str, seed: int, reach: int) -> _Fitted:
    """A map of [n, dimensions], by PCA where the method cannot draw one."""
    axes = 3 if method.endswith("3") else 2
    if not method.startswith("pca") and len(vectors) >= _FEWEST and np.ptp(vectors, axis=0).any():
        fitted = _tsne(vectors, seed) if method == "tsne" else _umap(vectors, seed, reach, axes)
        if np.isfinite(fitted.points).all():
            return fitted
    return _pca(vectors, axes)


def _umap(vectors: Floats, seed: int, reach: int, axes: int) -> _Fitted:
    from umap import UMAP  # noqa: PLC0415 seconds to import

    looked_at = min(max(reach, NEIGHBOURS), _MOST, len(vectors) - 1)
    parameters = {"n_neighbors": looked_at, **_UMAP} | ({"n_components": 3} if axes == 3 else {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about groups without a connection, which are welcome
        points = UMAP(random_state=seed, n_jobs=1, **parameters).fit_transform(vectors)
    return _Fitted(points, "umap", parameters)


def _tsne(vectors: Floats, seed: int) -> _Fitted:
    from openTSNE import TSNE  # noqa: PLC0415 rarely needed

    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
    points = TSNE(perplexity=perplexity, random_state=seed, n_jobs=1).fit(vectors)
    return _Fitted(np.asarray(points), "tsne", {"perplexity": perplexity, "metric": "euclidean"})


def _pca(vectors: Floats, dimensions: int) -> _Fitted:
    """The plane or solid of the largest variance; an axis' larger loadings point to the right."""
    centre = vectors.mean(axis=0, dtype=np.float64)
    away = vectors - centre
    axes = np.linalg.eigh(away.T @ away)[1][:, : -dimensions - 1 : -1]
    axes = axes * np.where(
        np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], 0) < 0, -1, 1
    )
    return _Fitted(away @ axes, "pca", {}, axes, centre)


def _memberships(distances: np.ndarray) -> np.ndarray:
    """UMAP's smooth nearest-neighbour weights (McInnes et al. 2018, algorithm 3).

    Args:
        distances: [n, k] float64, ascending.

    Returns:
        [n, k]: ``exp(-(d - ρ) / σ)``, σ found by halving so that a row sums to log2(k).
    """
    beyond = distances - distances[:, :1]
    wanted = np.log2(distances.shape[1])
    low = np.zeros((len(distances), 1))
    high = np.full_like(low, max(float(beyond.max(initial=0.0)), 1.0) * 64)
    for _ in range(64):
        middle = (low + high) / 2
        wide = np.exp(-beyond / middle).sum(axis=1, keepdims=True) > wanted
        low, high = np.where(wide, low, middle), np.where(wide, middle, high)
    return np.exp(-beyond / high)


def geometric_median(points: np.ndarray, weights: np.ndarray, steps: int = 60) -> np.ndarray:
    """The place from which the weighted sum of distances is least (Weiszfeld's iteration).

    Args:
        points: [n, k, axes].
        weights: [n, k], positive, or 0 for points that do not count.
        steps: of the iteration, enough for a thousandth of a map.

    Returns:
        [n, axes].
    """
    pull = weights
    for _ in range(steps):
        pull = pull / pull.sum(axis=1, keepdims=True)
        place = np.einsum("nk,nkd->nd", pull, points)
        apart = np.linalg.norm(points - place[:, None], axis=2)
        pull = weights / np.maximum(apart, 1e-6)
    return place
