"""Pieces on maps, against the definition, one piece at a time."""

import numpy as np
import pytest

from csn import maps
from csn.centroids import centroids
from tests.csn.test_maps import groups, make


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("name", ["drums", "whole"])
@pytest.mark.parametrize("method", ["pca", "pca3", "tsne"])
def test_a_piece_lies_among_its_segments(tmp_path, method, name, shuffled, monkeypatch):
    monkeypatch.setattr("csn.centroids._AT_ONCE", 20)  # one piece at a time
    library = make(tmp_path, groups(0))
    if shuffled:
        rng = np.random.default_rng(1)
        library.segments["piece"] = rng.permutation(library.segments["piece"].to_numpy())
    maps.fit_maps(library, method=method, progress=False)
    points, rows = centroids(library, name, method)
    places = library.map(name, method).astype(np.float64)
    columns = maps._columns(library.vectors, name).astype(np.float64)
    pieces = list(dict.fromkeys(library.segments["piece"]))
    assert points.shape == (len(pieces), places.shape[1]) and points.dtype == np.float32
    for piece, point, row in zip(pieces, points, rows, strict=True):
        own = np.flatnonzero(library.segments["piece"] == piece)
        middle = columns[own].mean(axis=0)
        assert row == own[np.linalg.norm(columns[own] - middle, axis=1).argmin()]
        if method != "tsne":
            np.testing.assert_allclose(point, places[own].mean(axis=0), atol=1e-6)
            continue
        # No place close by is nearer to all segments together, the mean least of all.
        cost = np.linalg.norm(places[own] - point, axis=1).sum()
        around = point + np.random.default_rng(0).uniform(-0.05, 0.05, (200, 2))
        others = np.vstack([around, places[own].mean(axis=0)])
        costs = np.linalg.norm(others[:, None] - places[own], axis=2).sum(axis=1)
        assert cost <= costs.min() + 1e-3


def test_pieces_of_many_sizes(tmp_path):
    library = make(tmp_path, groups(0))
    library.segments["piece"] = ["a"] * 1 + ["b"] * 2 + ["c"] * 30 + ["d"] * 27
    maps.fit_maps(library, method="tsne", progress=False)
    points, rows = centroids(library, "drums")
    assert rows[0] == 0 and rows[1] in (1, 2) and 3 <= rows[2] < 33 <= rows[3]
    np.testing.assert_allclose(points[0], library.map("drums")[0], atol=1e-6)
