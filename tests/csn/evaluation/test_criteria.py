"""Distances of pieces and their agreement, against loops."""

import math

import numpy as np
import pytest

from csn.evaluation.criteria import centroid_distances, pearson, reciprocal_ranks, spearman


def _matrices(count: int = 7) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    found = {}
    for name in ("mix", "drums", "bass"):
        half = np.triu(rng.random((count, count)), 1)
        found[name] = half + half.T
    return found


def test_distances_of_mean_vectors() -> None:
    rng = np.random.default_rng(1)
    vectors, pieces = rng.normal(size=(30, 6)), np.arange(30) % 3
    found = centroid_distances(vectors, pieces)
    for a in range(3):
        for b in range(3):
            x = [sum(vectors[i, d] for i in range(30) if i % 3 == a) / 10 for d in range(6)]
            y = [sum(vectors[i, d] for i in range(30) if i % 3 == b) / 10 for d in range(6)]
            inner = sum(p * q for p, q in zip(x, y, strict=True))
            angle = inner / math.hypot(*x) / math.hypot(*y)
            assert found[a, b] == pytest.approx(1 - angle, abs=1e-9)


def test_pearson_of_upper_triangles() -> None:
    matrices = _matrices()
    pairs = [(i, j) for i in range(7) for j in range(i + 1, 7)]
    x, y = ([matrices[name][pair] for pair in pairs] for name in ("mix", "bass"))
    mx, my = sum(x) / 21, sum(y) / 21
    covariance = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    spread = math.sqrt(sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y))
    assert pearson(matrices)["mix", "bass"] == pytest.approx(covariance / spread)
    assert set(pearson(matrices)) == {("mix", "drums"), ("mix", "bass"), ("drums", "bass")}


def _ranks(matrix: np.ndarray, piece: int) -> dict[int, int]:
    others = sorted((j for j in range(7) if j != piece), key=lambda j: matrix[piece, j])
    return {j: rank for rank, j in enumerate(others, 1)}


def test_spearman_of_neighbour_ranks() -> None:
    matrices = _matrices()
    rhos = []
    for piece in range(7):
        a, b = (_ranks(matrices[name], piece) for name in ("mix", "drums"))
        squares = sum((a[j] - b[j]) ** 2 for j in a)
        rhos.append(1 - 6 * squares / (6 * 35))  # 6 neighbours: n (n² - 1)
    assert spearman(matrices)["mix", "drums"] == pytest.approx(np.mean(rhos))


def test_reciprocal_ranks_of_the_first_three() -> None:
    matrices = _matrices()
    expected = []
    for place in range(3):
        total = 0.0
        for piece in range(7):
            mine = sorted(_ranks(matrices["bass"], piece).items(), key=lambda item: item[1])
            total += 1 / _ranks(matrices["mix"], piece)[mine[place][0]]
        expected.append(total / 7)
    assert reciprocal_ranks(matrices)["bass"] == pytest.approx(expected)
    same = {"mix": matrices["mix"], "copy": matrices["mix"]}
    assert reciprocal_ranks(same)["copy"] == pytest.approx([1, 1 / 2, 1 / 3])
