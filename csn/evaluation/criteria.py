"""How different are two criteria of similarity? Distances of pieces, compared as IND does.

Source: IND section 4.2.1, tables 2 and 3 and figure 4. A criterion is whatever gives each segment
a vector: an individual network, or a subspace.
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from scipy.stats import pearsonr, rankdata, spearmanr

Matrices = Mapping[str, np.ndarray]
"""Criterion to its [pieces, pieces] float64 distances, in one order of the pieces."""


def centroid_distances(vectors: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """Cosine distances between the mean vectors of pieces.

    Args:
        vectors: [segments, d].
        pieces: [segments] int64, the piece of each; every number from 0 occurs.

    Returns:
        [pieces, pieces] float64, 0 on the diagonal.
    """
    vectors = np.asarray(vectors, np.float64)
    means = np.stack([vectors[pieces == piece].mean(axis=0) for piece in range(pieces.max() + 1)])
    unit = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    distances: np.ndarray = 1.0 - unit @ unit.T
    np.fill_diagonal(distances, 0.0)
    return distances


def pearson(matrices: Matrices) -> dict[tuple[str, str], float]:
    """Correlation of the upper triangles, for every pair of criteria."""
    upper = {name: m[np.triu_indices(len(m), 1)] for name, m in matrices.items()}
    return {(a, b): float(pearsonr(upper[a], upper[b])[0]) for a, b in combinations(upper, 2)}


def spearman(matrices: Matrices) -> dict[tuple[str, str], float]:
    """Rank correlation of every piece's neighbours, averaged over the pieces."""
    answer = {}
    for a, b in combinations(matrices, 2):
        count = len(matrices[a])
        others = ~np.eye(count, dtype=bool)
        rhos = [
            float(spearmanr(matrices[a][p, others[p]], matrices[b][p, others[p]])[0])
            for p in range(count)
        ]
        answer[a, b] = float(np.mean(rhos))
    return answer


def reciprocal_ranks(
    matrices: Matrices, reference: str = "mix", top: int = 3
) -> dict[str, list[float]]:
    """How high the reference puts the pieces that another criterion puts first.

    Args:
        matrices: criteria, the reference among them.
        reference: the criterion that ranks.
        top: how many of the other criterion's nearest pieces are asked for.

    Returns:
        Criterion to the mean over the pieces of 1 / rank of its nearest, second nearest … piece.
    """
    count = len(matrices[reference])
    answer = {}
    for name, matrix in matrices.items():
        if name == reference:
            continue
        found = []
        for piece in range(count):
            others = np.delete(np.arange(count), piece)
            ranks = rankdata(matrices[reference][piece, others], method="ordinal")
            order = np.argsort(matrix[piece, others], kind="stable")[:top]
            found.append(1.0 / ranks[order])
        answer[name] = [float(value) for value in np.mean(found, axis=0)]
    return answer
