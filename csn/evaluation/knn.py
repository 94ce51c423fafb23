"""Whose segment is this? A vote of the nearest neighbours, with references left out by rule.

Source: CSN section 4.2.1. How ties are broken is not published; see ``vote``.
"""

from collections.abc import Callable

import numpy as np

NOBODY = -1
"""The answer where a query has no reference at all; it is never right."""

_BLOCK = 1024
"""Queries whose distances are held at once."""


def squared_distances(queries: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances of all pairs.

    Computed in float64: two segments of the same sound lie so close together that float32
    would put them in no particular order.

    Args:
        queries: [q, d] float64.
        references: [r, d] float64.

    Returns:
        [q, r] float64, at least 0.
    """
    squares = np.einsum("rd,rd->r", references, references)
    own = np.einsum("qd,qd->q", queries, queries)
    squared: np.ndarray = own[:, None] + squares[None, :] - 2.0 * (queries @ references.T)
    squared[squared < 0] = 0.0
    return squared


def nearest(distances: np.ndarray, k: int) -> np.ndarray:
    """The k smallest of each row, nearest first; equal distances in the order of the columns.

    Args:
        distances: [q, r], infinite where a reference must not be used.
        k: how many, at least 1.

    Returns:
        [q, min(k, r)] int64 columns.
    """
    k = min(k, distances.shape[1])
    some = np.sort(np.argpartition(distances, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(np.take_along_axis(distances, some, 1), axis=1, kind="stable")
    found = np.take_along_axis(some, order, 1)
    # argpartition chooses freely among equals at the edge: put those few rows right.
    edge = np.take_along_axis(distances, found[:, -1:], 1)
    for row in np.flatnonzero((distances <= edge).sum(axis=1) > k):
        found[row] = np.argsort(distances[row], kind="stable")[:k]
    return found


def vote(labels: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Majority vote; among labels with equally many votes, the one with the nearest neighbour.

    Args:
        labels: [q, k] int64 of the neighbours, nearest first.
        usable: [q, k] bool, False where there was no neighbour left.

    Returns:
        [q] int64; ``NOBODY`` where no neighbour is usable.
    """
    same = (labels[:, :, None] == labels[:, None, :]) & usable[:, None, :]
    votes = np.where(usable, same.sum(axis=2), 0)
    # argmax takes the first of equal counts, and the first is the nearest.
    winner = np.take_along_axis(labels, votes.argmax(axis=1)[:, None], 1)[:, 0]
    return np.where(usable.any(axis=1), winner, NOBODY)


def predict(
    vectors: np.ndarray,
    labels: np.ndarray,
    forbidden: Callable[[slice], np.ndarray],
    k: int = 5,
) -> np.ndarray:
    """Predict the label of every segment from all others that its rule allows.

    Args:
        vectors: [n, d].
        labels: [n] int64.
        forbidden: for a slice of the queries, [queries, n] bool: which references each must not
            use. A segment is never its own reference, whatever this says.
        k: neighbours that vote; fewer vote where fewer are allowed.

    Returns:
        [n] int64 labels, ``NOBODY`` where nothing was allowed.
    """
    vectors = np.asarray(vectors, np.float64)
    # Distances stay as they are, and their rounding errors shrink.
    vectors = vectors - vectors.mean(axis=0, keepdims=True)
    answers = [np.empty(0, np.int64)]
    for start in range(0, len(vectors), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(vectors)))
        distances = squared_distances(vectors[rows], vectors)
        distances[forbidden(rows)] = np.inf
        distances[np.arange(rows.stop - start), np.arange(start, rows.stop)] = np.inf
        found = nearest(distances, k)
        usable = np.isfinite(np.take_along_axis(distances, found, 1))
        answers.append(vote(labels[found], usable))
    return np.concatenate(answers)
