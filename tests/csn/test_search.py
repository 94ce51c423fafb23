import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.search import measure, random_vectors
from csn.errors import LibraryError
from csn.instruments import EMBEDDING
from csn.search import ExactSearch
from csn.vectors import WIDTH, with_norms

ALL = (1.0, 1.0, 1.0, 1.0, 1.0)
DRUMS = (1.0, 0.0, 0.0, 0.0, 0.0)


def true_sums(vectors: np.ndarray, query: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """Σ w_c ‖q_c − x_c‖² of every segment, from the differences, in float64."""
    apart = vectors[:, :EMBEDDING].astype(np.float64) - query.astype(np.float64)
    return (apart**2).reshape(-1, 5, 128).sum(axis=2) @ np.array(weights)


def brute_force(
    vectors: np.ndarray,
    query: np.ndarray,
    weights: Sequence[float],
    k: int,
    *,
    allowed: np.ndarray,
    pieces: list[int] | None,
) -> list[tuple[int, float]]:
    """Every distance, sorted with the index breaking ties; then at most one of each piece."""
    sums = true_sums(vectors, query, weights).tolist()
    ranked = sorted((value, i) for i, value in enumerate(sums) if allowed[i])
    found, seen = [], set()
    for value, i in ranked:
        if pieces is not None and pieces[i] in seen:
            continue
        seen.add(pieces[i] if pieces is not None else i)
        found.append((i, math.copysign(math.sqrt(abs(value)), value)))
    return found[:k]


# Small integers and quarters are exact in float64, so ties are true ties and must go by index.
weight = st.sampled_from([0.0, 0.0, 1.0, 0.25, 2.0, -0.5, -1.0])


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 300),
    k=st.integers(0, 320),
    queries=st.integers(1, 3),
    weights=st.tuples(*[weight] * 5).filter(any),
    masked=st.sampled_from([0.0, 0.1, 0.9, 1.0]),
    by_piece=st.booleans(),
    span=st.sampled_from([1, 40]),
)
def test_search_is_brute_force(*, seed, n, k, queries, weights, masked, by_piece, span):
    rng = np.random.default_rng(seed)
    vectors = with_norms(rng.integers(-span, span + 1, (n, EMBEDDING)))
    vectors[:, :EMBEDDING][rng.random(n) < 0.3] = vectors[0, :EMBEDDING]  # many ties
    vectors = with_norms(vectors[:, :EMBEDDING])
    asked = rng.integers(-span, span + 1, (queries, EMBEDDING)).astype(np.float32)
    asked[0] = vectors[rng.integers(n), :EMBEDDING]
    pieces = np.sort(rng.integers(0, max(n // 4, 1), n))
    allowed = rng.random(n) >= masked
    indices, distances = ExactSearch(vectors, pieces).search(
        asked, weights, k, allowed=None if masked == 0 else allowed, one_per_piece=by_piece
    )
    assert indices.dtype == np.int64 and distances.dtype == np.float32
    for row in range(queries):
        expected = brute_force(
            vectors,
            asked[row],
            weights,
            k,
            allowed=allowed,
            pieces=pieces.tolist() if by_piece else None,
        )
        assert indices[row].tolist() == [i for i, _ in expected]
        np.testing.assert_allclose(distances[row], [d for _, d in expected], rtol=1e-6)


@pytest.mark.parametrize("weights", [DRUMS, ALL, (1.0, 0.5, 0.0, -0.25, 0.0)])
@pytest.mark.parametrize("k", [1, 10, 700])
def test_order_is_right_where_float32_scores_are_not(weights, k):
    """All vectors lie within 1e-4 of each other, far from 0: their float32 scores are noise."""
    rng = np.random.default_rng(1)
    base = rng.standard_normal(EMBEDDING) * 3
    vectors = with_norms(base + rng.standard_normal((2000, EMBEDDING)) * 1e-5)
    query = vectors[77, :EMBEDDING]
    indices, distances = ExactSearch(vectors).search(query, weights, k)
    sums = true_sums(vectors, query, weights)
    np.testing.assert_array_equal(indices, np.lexsort((np.arange(2000), sums))[:k])
    if min(weights) >= 0:
        assert indices[0] == 77 and distances[0] == 0.0


def test_many_queries_give_what_each_gives_alone():
    vectors = random_vectors(1500)
    search = ExactSearch(vectors, np.arange(1500) // 7)
    queries = random_vectors(70, seed=3)[:, :EMBEDDING]  # more than one batch
    for one_per_piece in (False, True):
        together = search.search(queries, ALL, 12, one_per_piece=one_per_piece)
        assert together[0].shape == (70, 12)
        for i, query in enumerate(queries):
            alone = search.search(query, ALL, 12, one_per_piece=one_per_piece)
            np.testing.assert_array_equal(together[0][i], alone[0])
            np.testing.assert_array_equal(together[1][i], alone[1])


def test_a_switched_off_subspace_is_never_read():
    vectors = random_vectors(50)
    vectors[:, 128:EMBEDDING] = np.nan
    vectors[:, EMBEDDING + 1 :] = np.nan
    indices, distances = ExactSearch(vectors).search(np.full(EMBEDDING, 0.1), DRUMS, 5)
    assert np.isfinite(distances).all() and len(set(indices.tolist())) == 5


def test_half_precision_is_searched_as_exactly():
    half = random_vectors(900)[:, :EMBEDDING].astype(np.float16)
    wide = with_norms(half.astype(np.float32))
    query = random_vectors(1, seed=5)[0, :EMBEDDING]
    for weights in (DRUMS, ALL, (1.0, 0.5, 0.0, -0.25, 0.0)):
        indices, distances = ExactSearch(half).search(query, weights, 40)
        np.testing.assert_array_equal(
            indices, np.lexsort((np.arange(900), true_sums(half, query, weights)))[:40]
        )
        np.testing.assert_array_equal(distances, ExactSearch(wide).search(query, weights, 40)[1])


def test_norms_are_of_each_subspace():
    embedding = np.arange(2 * EMBEDDING, dtype=np.float32).reshape(2, EMBEDDING) / 100
    vectors = with_norms(embedding)
    assert vectors.shape == (2, WIDTH) and vectors.dtype == np.float32
    for c in range(5):
        expected = [sum(float(v) ** 2 for v in row[128 * c : 128 * c + 128]) for row in embedding]
        np.testing.assert_allclose(vectors[:, EMBEDDING + c], expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ((0.0,) * 5, "All five weights are 0"),
        ((1.0,) * 4, "one finite weight for each"),
        ((1.0, 1.0, 1.0, 1.0, math.nan), "one finite weight for each"),
    ],
)
def test_bad_weights(weights, words):
    with pytest.raises(LibraryError, match=words):
        ExactSearch(random_vectors(5)).search(np.zeros(EMBEDDING), weights)


@pytest.mark.parametrize(
    "query", [np.zeros(128), np.zeros((1, 1, EMBEDDING)), np.full(EMBEDDING, np.inf), np.float32(3)]
)
def test_bad_queries(query):
    with pytest.raises(ValueError, match="a query"):
        ExactSearch(random_vectors(5)).search(query, ALL)


def test_bad_vectors_and_pieces():
    with pytest.raises(ValueError, match="645"):
        ExactSearch(np.zeros((4, EMBEDDING), np.float32))
    with pytest.raises(ValueError, match="together"):
        ExactSearch(random_vectors(3), [0, 1, 0])
    with pytest.raises(ValueError, match="piece of each segment"):
        ExactSearch(random_vectors(3)).search(np.zeros(EMBEDDING), ALL, one_per_piece=True)


def test_nothing_to_find():
    search = ExactSearch(with_norms(np.empty((0, EMBEDDING))), [])
    for one_per_piece in (False, True):
        found = search.search(np.zeros((2, EMBEDDING)), ALL, 3, one_per_piece=one_per_piece)
        assert found[0].shape == found[1].shape == (2, 0)


def test_bench_agrees_with_faiss():
    rows = measure(random_vectors(700), threads=1, repeats=1)
    assert [row["same_answers"] for row in rows] == [True] * 6
