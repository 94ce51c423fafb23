import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csn import maps
from csn.errors import LibraryError
from csn.instruments import EMBEDDING, INSTRUMENTS
from csn.library import Library
from csn.vectors import with_norms

GROUPS = 4


def make(folder: Path, embeddings: np.ndarray, digest: str = "0" * 64) -> Library:
    """A library in memory, whose maps lie in a folder."""
    vectors = with_norms(embeddings)
    segments = pd.DataFrame({"piece": [f"p{i // 15}" for i in range(len(vectors))]})
    return Library(folder, {"name": "x", "files": {"vectors.npy": digest}}, segments, vectors)


def groups(seed: int, size: int = 15) -> np.ndarray:
    """Four groups of unit subspaces; in the bass's subspace they are two."""
    rng = np.random.default_rng(7)
    centres = rng.standard_normal((GROUPS, 5, 128))
    centres[2:, 1] = centres[:2, 1]
    rng = np.random.default_rng(seed)
    points = centres.repeat(size, axis=0) + 0.3 * rng.standard_normal((GROUPS * size, 5, 128))
    points /= np.linalg.norm(points, axis=2, keepdims=True)
    return points.reshape(-1, EMBEDDING).astype(np.float32)


def files(library: Library) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (library.folder / "maps").iterdir()}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Library:
    """With UMAP maps; umap takes seconds to compile itself, so it is fitted here once."""
    library = make(tmp_path_factory.mktemp("umap"), groups(0))
    maps.fit_maps(library, seed=3, progress=False)
    return library


def nearest_group(points: np.ndarray, subset: np.ndarray) -> np.ndarray:
    """The group of the map point next to each of some points."""
    apart = np.linalg.norm(subset[:, None] - points[None], axis=2)
    return apart.argmin(axis=1) // 15


def test_umap_keeps_groups_together(drawn):
    for name in maps.SUBSPACES:
        points = drawn.map(name)
        assert points.dtype == np.float32 and points.shape == (60, 2)
        assert np.abs(points).max() == 1.0  # fills the frame along its longer axis
        assert np.abs(points.min(axis=0) + points.max(axis=0)).max() < 1e-6  # in the middle
        apart = np.linalg.norm(points[:, None] - points[None], axis=2) + 9 * np.eye(60)
        group = np.arange(60) // 15 % (2 if name == "bass" else GROUPS)
        assert (group[apart.argmin(axis=1)] == group).mean() > 0.95
        # Chance is 10/59.
        assert maps.neighbours_kept(drawn, name) > 0.4
    with np.load(drawn.folder / "maps" / "umap-drums.npz", allow_pickle=False) as stored:
        assert (int(stored["seed"]), str(stored["fitted_by"])) == (3, "umap")
        # Past the fifteen segments of a piece, to as many of others.
        assert json.loads(str(stored["parameters"]))["n_neighbors"] == 30
        assert "umap-learn" in json.loads(str(stored["versions"]))


def test_umap_again_gives_the_same_bytes(drawn, tmp_path):
    again = make(tmp_path, groups(0))
    maps.fit_maps(again, seed=3, progress=False)
    assert files(again) == files(drawn)
    assert len(files(again)) == 6


def test_new_sounds_land_among_their_own(drawn):
    new = groups(1)  # the same groups, other segments
    noisy = drawn.vectors[:, :EMBEDDING] + 0.003 * np.random.default_rng(2).standard_normal(
        (60, EMBEDDING)
    ).astype(np.float32)
    for name in maps.SUBSPACES:
        points = drawn.map(name)
        np.testing.assert_allclose(
            maps.place(drawn, name, drawn.vectors[:, :EMBEDDING]), points, atol=1e-4
        )
        assert np.median(np.linalg.norm(maps.place(drawn, name, noisy) - points, axis=1)) < 0.02
        placed = maps.place(drawn, name, new)
        assert placed.dtype == np.float32 and placed.shape == (60, 2)
        modulus = 2 if name == "bass" else GROUPS
        same = nearest_group(points, placed) % modulus == np.arange(60) // 15 % modulus
        assert same.mean() > 0.95
        assert (placed >= points.min(axis=0) - 1e-5).all() and (placed <= 1).all()


def test_tsne(tmp_path):
    library = make(tmp_path / "one", groups(0, size=8))
    maps.fit_maps(library, method="tsne", progress=False)
    again = make(tmp_path / "two", groups(0, size=8))
    maps.fit_maps(again, method="tsne", progress=False)
    assert files(library) == files(again)
    assert maps.neighbours_kept(library, "guitar", k=5) > 0.4
    own = maps.place(library, "whole", library.vectors[:3, :EMBEDDING])
    np.testing.assert_allclose(own, library.map("whole")[:3], atol=1e-4)


def test_pca_is_the_plane_of_the_largest_variance(tmp_path):
    library = make(tmp_path, groups(0))
    maps.fit_maps(library, method="pca", progress=False)
    columns = library.vectors[:, 2 * 128 : 3 * 128].astype(np.float64)
    left, sizes, _ = np.linalg.svd(columns - columns.mean(axis=0), full_matrices=False)
    expected = left[:, :2] * sizes[:2]
    expected -= (expected.max(axis=0) + expected.min(axis=0)) / 2
    expected /= np.abs(expected).max()
    points = library.map("piano")
    signs = np.sign((points * expected).sum(axis=0))
    np.testing.assert_allclose(points, expected * signs, atol=1e-5)
    own = maps.place(library, "piano", library.vectors[:, :EMBEDDING])
    np.testing.assert_allclose(own, points, atol=1e-5)
    far = maps.place(library, "piano", 100 * library.vectors[:, :EMBEDDING])
    assert np.abs(far).max() == 1.0


def test_three_dimensions_lie_in_a_ball_whose_shadow_is_the_plane(tmp_path):
    library = make(tmp_path, groups(0))
    maps.fit_maps(library, method="pca", progress=False)
    maps.fit_maps(library, method="pca3", progress=False)
    assert maps.drawn(library) == ["pca", "pca3"]
    solid, plane = library.map("bass", "pca3"), library.map("bass", "pca")
    assert solid.shape == (len(library), 3)
    assert np.linalg.norm(solid, axis=1).max() == pytest.approx(1, abs=1e-6)
    for axis in (0, 1):
        scale, shift = np.polyfit(plane[:, axis], solid[:, axis], 1)
        np.testing.assert_allclose(scale * plane[:, axis] + shift, solid[:, axis], atol=1e-5)
    spread = solid.var(axis=0)
    assert spread[0] >= spread[1] >= spread[2] > 0
    own = maps.place(library, "bass", library.vectors[:, :EMBEDDING], "pca3")
    np.testing.assert_allclose(own, solid, atol=1e-5)
    np.testing.assert_array_equal(library.map("bass"), plane)  # the plane is shown at first


def test_umap_in_three_dimensions_keeps_groups_together(tmp_path):
    library = make(tmp_path, groups(0))
    maps.fit_maps(library, method="umap3", seed=3, progress=False)
    points = library.map("drums", "umap3")
    assert points.shape == (len(library), 3)
    apart = np.linalg.norm(points[:, None] - points[None], axis=2) + 9 * np.eye(len(points))
    assert (apart.argmin(axis=1) // 15 == np.arange(len(points)) // 15).all()
    with pytest.raises(LibraryError, match="no 'tsne3' maps"):
        maps.fit_maps(library, method="tsne3", progress=False)


@pytest.mark.parametrize("count", [1, 2, 3, 15])
def test_few_segments_are_drawn_by_pca(tmp_path, count):
    library = make(tmp_path, groups(0)[::4][:count])
    maps.fit_maps(library, method="umap", progress=False)
    points = library.map("drums")
    assert str(library.map_file("drums")["fitted_by"]) == "pca"
    assert np.isfinite(points).all() and points.shape == (count, 2)
    if count == 1:
        assert points.tolist() == [[0.0, 0.0]]
    if count == 2:
        np.testing.assert_allclose(sorted(points[:, 0]), [-1, 1])
        np.testing.assert_allclose(points[:, 1], 0, atol=1e-6)
    own = maps.place(library, "drums", library.vectors[:, :EMBEDDING])
    np.testing.assert_allclose(own, points, atol=1e-5)


@pytest.mark.parametrize("method", maps.METHODS)
def test_segments_that_are_all_alike(tmp_path, method):
    library = make(tmp_path, np.repeat(groups(0)[:1], 20, axis=0))
    maps.fit_maps(library, method=method, progress=False)
    axes = 3 if method.endswith("3") else 2
    np.testing.assert_allclose(library.map("others", method), np.zeros((20, axes)), atol=1e-6)


def test_the_first_map_that_exists_is_shown(tmp_path):
    library = make(tmp_path, groups(0)[:20])
    maps.fit_maps(library, method="pca", progress=False)
    np.testing.assert_array_equal(library.map("drums"), library.map("drums", "pca"))
    with pytest.raises(LibraryError, match=r"no umap map of 'drums'"):
        library.map("drums", "umap")
    with pytest.raises(LibraryError, match="no map of 'violin'"):
        library.map("violin")


def test_maps_of_other_vectors_are_refused(tmp_path):
    first = make(tmp_path, groups(0)[:20])
    maps.fit_maps(first, method="pca", progress=False)
    with pytest.raises(LibraryError, match="made from other vectors"):
        make(tmp_path, groups(1)[:20], "1" * 64).map("whole")
    with pytest.raises(LibraryError, match="holds 20 points"):
        make(tmp_path, groups(0)[:19]).map("whole")
    file = tmp_path / "maps" / "pca-whole.npz"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(LibraryError, match="does not fit its library"):
        first.map("whole")


def test_unknown_names(tmp_path):
    library = make(tmp_path, groups(0)[:20])
    with pytest.raises(LibraryError, match="no 'pacmap' maps"):
        maps.fit_maps(library, method="pacmap")
    with pytest.raises(LibraryError, match="no subspace 'mix'"):
        maps.focus_of("mix")
    assert maps.focus_of("whole") == (1.0,) * 5
    assert [maps.focus_of(name).index(1.0) for name in INSTRUMENTS] == [0, 1, 2, 3, 4]


def test_memberships_sum_to_log2_k():
    distances = np.sort(np.random.default_rng(0).gamma(3, size=(50, 15)), axis=1)
    weights = maps._memberships(distances)
    np.testing.assert_allclose(weights.sum(axis=1), np.log2(15), rtol=1e-6)
    assert (weights[:, 0] == 1).all() and (np.diff(weights, axis=1) <= 0).all()


def test_geometric_median_is_the_place_nearest_to_all():
    rng = np.random.default_rng(0)
    points, weights = rng.uniform(-1, 1, (6, 9, 2)), rng.uniform(0.1, 1, (6, 9))
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 401)] * 2), axis=-1).reshape(-1, 2)
    for i, found in enumerate(maps.geometric_median(points, weights)):
        costs = np.linalg.norm(grid[:, None] - points[i], axis=2) @ weights[i]
        own = np.linalg.norm(found - points[i], axis=1) @ weights[i]
        assert own <= costs.min() + 1e-3
