import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csn.evaluation.knn import NOBODY, nearest, predict, squared_distances, vote

from .slow import distance, majority


@st.composite
def cases(draw):
    n = draw(st.integers(1, 12))
    # Whole numbers, so that many distances are exactly equal.
    vectors = draw(st.lists(st.tuples(*[st.integers(0, 2)] * 2), min_size=n, max_size=n))
    labels = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    barred = draw(st.lists(st.booleans(), min_size=n * n, max_size=n * n))
    return np.array(vectors, float), np.array(labels), np.array(barred).reshape(n, n)


@settings(max_examples=200, deadline=None)
@given(cases(), st.integers(1, 6))
def test_prediction_is_that_of_a_loop(case, k):
    vectors, labels, barred = case
    expected = [
        majority(
            [
                # Squared, as in the code: whole numbers compare exactly.
                (round(distance(vectors[i], vectors[j]) ** 2), j, int(labels[j]))
                for j in range(len(vectors))
                if j != i and not barred[i, j]
            ],
            k,
        )
        if any(j != i and not barred[i, j] for j in range(len(vectors)))
        else NOBODY
        for i in range(len(vectors))
    ]
    # A mean of whole numbers is rarely whole; adding its negative keeps distances exact.
    balanced = np.concatenate([vectors, -vectors])
    n = len(vectors)
    mask = np.ones((2 * n, 2 * n), bool)
    mask[:n, :n] = barred
    doubled = np.concatenate([labels, labels])
    assert predict(balanced, doubled, mask.__getitem__, k)[:n].tolist() == expected


def test_distances_of_near_twins_are_not_lost():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((4, 128))
    twins = a + 1e-6 * rng.standard_normal(a.shape)
    found = np.sqrt(squared_distances(a, twins))
    expected = [[distance(x, y) for y in twins] for x in a]
    assert np.allclose(found, expected, rtol=1e-2, atol=1e-7)


def test_equal_distances_come_in_the_order_of_the_columns():
    assert nearest(np.array([[1.0, 0.0, 1.0, 1.0, 1.0, 0.5]]), 3).tolist() == [[1, 5, 0]]
    assert nearest(np.array([[2.0, 1.0]]), 5).tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("labels", "winner"),
    [
        ([7, 3, 3, 7, 9], 7),  # two each: 7 has the nearest
        ([9, 3, 3, 7, 7], 3),  # 9 is nearest but has one vote
        ([1, 2, 3, 4, 5], 1),
        ([1, 2, 2, 2, 1], 2),
    ],
)
def test_ties_go_to_the_nearest_of_the_tied(labels, winner):
    assert vote(np.array([labels]), np.ones((1, 5), bool)).tolist() == [winner]


def test_only_neighbours_that_may_vote_do():
    labels, usable = np.array([[4, 4, 4, 6]]), np.array([[False, False, False, True]])
    assert vote(labels, usable).tolist() == [6]
    assert vote(labels, np.zeros((1, 4), bool)).tolist() == [NOBODY]


def test_blocks_make_no_difference(monkeypatch):
    rng = np.random.default_rng(1)
    vectors, labels = rng.standard_normal((50, 3)), rng.integers(0, 4, 50)

    def same(rows: slice) -> np.ndarray:
        return labels[rows, None] == labels[None, :]

    whole = predict(vectors, labels, same)
    monkeypatch.setattr("csn.evaluation.knn._BLOCK", 7)
    assert predict(vectors, labels, same).tolist() == whole.tolist()
    assert not (whole == labels).any()
