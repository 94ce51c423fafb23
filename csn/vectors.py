"""What is stored of a segment, and what its distance from a query is under a focus.

A row is ``[x_drums … x_others, ‖x_drums‖² … ‖x_others‖²]``, 645 numbers in float32; or the 640 of
the embedding alone in float16, half the disk, whose norms are those of the rounded numbers.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csn.errors import LibraryError
from csn.instruments import DIMENSIONS, EMBEDDING, INSTRUMENTS, subspace

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Weights = NDArray[np.float64]
Stored = NDArray[np.float32] | NDArray[np.float16]

WIDTH = EMBEDDING + len(INSTRUMENTS)
"""645: the embedding and the squared norm of each of its subspaces."""

_REFINED_AT_ONCE = 8192
_SUMMED_AT_ONCE = 65_536
_TOO_LARGE = 1e15
# Unit roundoff of float32 times the length of a subspace's sum, with room for the few roundings
# beside it (scaling the query, storing norms, adding subspaces, the bound); Higham's γ_n.
_ROUNDING = (DIMENSIONS + 32) * 2.0**-24


def with_norms(embeddings: ArrayLike) -> Floats:
    """Append the squared norm of every subspace.

    Args:
        embeddings: [n, 640].

    Returns:
        [n, 645] float32; the norms are those of the float32 numbers, summed in float64.
    """
    vectors = np.asarray(embeddings, np.float32).reshape(-1, EMBEDDING)
    norms = [squared_norms(vectors[:, subspace(c)])[:, None] for c in range(len(INSTRUMENTS))]
    return np.concatenate([vectors, *norms], axis=1)


def well_shaped(vectors: Stored) -> bool:
    """Whether vectors are stored in one of the two ways that ``ExactSearch`` reads."""
    width = {"float32": WIDTH, "float16": EMBEDDING}.get(str(vectors.dtype))
    return vectors.ndim == 2 and vectors.shape[1] == width


def checked_weights(weights: Sequence[float]) -> Weights:
    """Five finite weights, at least one of them not 0.

    Raises:
        LibraryError: anything else.
    """
    numbers = np.asarray(weights, np.float64)
    if numbers.shape != (len(INSTRUMENTS),) or not np.isfinite(numbers).all():
        names = ", ".join(INSTRUMENTS)
        raise LibraryError(f"A focus is one finite weight for each of {names}; give five numbers.")
    if not numbers.any():
        raise LibraryError("All five weights are 0; give at least one instrument a weight.")
    return numbers


def checked_query(queries: ArrayLike) -> Floats:
    """Queries as float32, [640] or [q, 640].

    Raises:
        ValueError: another shape, or numbers too large to be squared in float32.
    """
    asked = np.asarray(queries, np.float32)
    if asked.ndim not in (1, 2) or asked.shape[-1] != EMBEDDING:
        raise ValueError(f"a query has {EMBEDDING} numbers, not the shape {asked.shape}")
    if not (np.abs(asked) < _TOO_LARGE).all():
        raise ValueError("a query holds numbers that are not finite, or far too large")
    return asked


def rounding(focus: Weights, lengths: Weights, largest: Weights) -> float:
    """How far a float32 score may lie from the true one.

    Args:
        focus: five weights.
        lengths: five, of the query's subspaces.
        largest: five, of the stored vectors' longest subspaces.
    """
    return float(_ROUNDING * (np.abs(focus) * (2 * lengths + largest) * largest).sum())


def lengths_of(query: ArrayLike) -> Weights:
    """The length of each subspace: [..., 640] to [..., 5] float64."""
    parts = np.asarray(query, np.float64)
    answer: Weights = np.linalg.norm(
        parts.reshape(*parts.shape[:-1], len(INSTRUMENTS), -1), axis=-1
    )
    return answer


def piece_starts(pieces: ArrayLike) -> Integers:
    """The first row of each piece.

    Raises:
        ValueError: the rows of a piece do not stand together.
    """
    codes = np.asarray(pieces)
    starts = np.flatnonzero(np.diff(codes, prepend=codes[:1] - 1))
    if len(starts) != len(np.unique(codes)):
        raise ValueError("the segments of a piece must stand together")
    return starts


def measure(
    vectors: Stored,
    query: Floats,
    focus: Weights,
    nominated: Integers,
    *,
    k: int,
    starts: Integers | None = None,
) -> tuple[Integers, Floats]:
    """The best k of some segments by their true distance, from differences in float64.

    Args:
        vectors: [n, ≥ 640].
        query: [640].
        focus: five weights.
        nominated: rows, in any order.
        k: how many at most.
        starts: first rows of the pieces, to keep only the best segment of each.

    Returns:
        Rows and distances, best first, equal distances in the order of the row.
    """
    sums = np.zeros(len(nominated))
    for first in range(0, len(nominated), _REFINED_AT_ONCE):
        some = slice(first, first + _REFINED_AT_ONCE)
        for c in np.flatnonzero(focus).tolist():
            away = vectors[nominated[some], subspace(c)].astype(np.float64) - query[subspace(c)]
            sums[some] += focus[c] * np.einsum("nd,nd->n", away, away)
    order = np.lexsort((nominated, sums))
    if starts is not None:
        piece = np.searchsorted(starts, nominated[order], side="right")
        order = order[np.sort(np.unique(piece, return_index=True)[1])]
    order = order[:k]
    distances = np.sign(sums[order]) * np.sqrt(np.abs(sums[order]))
    return nominated[order], distances.astype(np.float32)


def squared_norms(block: Floats) -> Floats:
    """Squared norms of [n, 128] float32, summed in float64: [n] float32."""
    sums = np.empty(len(block), np.float32)
    for first in range(0, len(block), _SUMMED_AT_ONCE):
        some = block[first : first + _SUMMED_AT_ONCE].astype(np.float64)
        sums[first : first + _SUMMED_AT_ONCE] = np.einsum("nd,nd->n", some, some)
    return sums
