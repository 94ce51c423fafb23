from itertools import combinations

import krippendorff
import numpy as np
import pandas as pd
import pytest

from results.ceiling import attainable, ceiling
from results.simulation import Crowd, simulated_answers
from tests.results import made

# Four listeners on three triplets; what each took, 1 for the first candidate.
TAKEN = [[1, 1, 1, 0], [1, 0, 0, 1], [1, 1, 1, 1]]


def small(**more):
    rows = [(who, what, bool(TAKEN[what][who])) for what in range(3) for who in range(4)]
    return made.answers(rows, **more)


def test_pairs_and_ceilings_by_hand():
    found = ceiling(small())
    assert found.triplets == 3
    equal = [sum(a == b for a, b in combinations(row, 2)) for row in TAKEN]
    assert equal == [3, 2, 6]
    assert found.pairs == pytest.approx(11 / 18)
    # Majorities: 3 of 4, 2 of 4, 4 of 4.
    assert found.majority == pytest.approx(9 / 12)
    # Each against the other three. First triplet: the three ones see 2 against 1 (right), the
    # zero sees 3 against 0 (wrong). Second: each sees its own value once and the other twice.
    assert found.others == pytest.approx((3 + 0 + 4) / 12)


def test_alpha_by_its_definition():
    values = np.array(TAKEN)
    # Coincidences: pairs of values within a triplet, weighted by 1 / (answers - 1).
    o = np.zeros((2, 2))
    for row in values:
        for i, a in enumerate(row):
            for j, b in enumerate(row):
                if i != j:
                    o[a, b] += 1 / 3
    n = o.sum(1)
    expected = 1 - (n.sum() - 1) * o[0, 1] * 2 / (2 * n[0] * n[1])
    found = ceiling(small())
    assert found.alpha == pytest.approx(expected)
    assert found.alpha_interval.low <= found.alpha <= found.alpha_interval.high


def test_the_bootstrap_draws_whole_triplets():
    table = simulated_answers(Crowd(listeners=12, triplets=20, seed=3))
    found = ceiling(table)
    taken = table.groupby("triplet_id")["chosen_first"].agg(["sum", "count"]).to_numpy(int)
    counts = np.column_stack([taken[:, 0], taken[:, 1] - taken[:, 0]])
    rng = np.random.default_rng(0)
    alphas = [
        krippendorff.alpha(
            value_counts=counts[rng.integers(len(counts), size=len(counts))],
            level_of_measurement="nominal",
        )
        for _ in range(200)
    ]
    assert np.std(alphas) == pytest.approx(found.alpha_interval.error, rel=0.2)
    assert found.alpha_interval.low < np.mean(alphas) < found.alpha_interval.high


def test_a_triplet_with_one_answer_says_nothing():
    more = made.answers([(9, 99, False)])
    assert ceiling(pd.concat([small(), more])).pairs == ceiling(small()).pairs


def test_repeats_and_catch_trials():
    again = small(kind="repeat", repeated_same=pd.array([True] * 9 + [False] * 3, "boolean"))
    caught = small(kind="catch", right=pd.array([True] * 11 + [False], "boolean"))
    found = ceiling(pd.concat([small(), again, caught], ignore_index=True))
    assert (found.repeats, found.consistency) == (12, 0.75)
    assert found.attainable == pytest.approx((1 + 0.5**0.5) / 2)
    assert (found.catch_trials, found.catch) == (12, pytest.approx(11 / 12))
    assert found.pairs == pytest.approx(11 / 18)  # repeats are no further answers


def test_the_attainable_agreement_is_that_of_who_repeats_so():
    rng = np.random.default_rng(1)
    first, second = rng.random((2, 200_000)) < 0.85
    assert attainable((first == second).mean()) == pytest.approx(0.85, abs=0.005)
    assert attainable(0.4) == 0.5
    assert np.isnan(attainable(np.nan))


def test_the_ceiling_holds_the_best_model():
    """A model that knows what most people prefer agrees between the two bounds."""
    crowd = Crowd(listeners=11, triplets=400, instruments=("drums",), listener_sd=0, side=0)
    rows = simulated_answers(crowd)
    many = simulated_answers(Crowd(**{**crowd.__dict__, "listeners": 301}))
    best = many.groupby("triplet_id")["chosen_first"].mean() > 0.5
    # The same triplets: their effects are drawn before anybody answers.
    agreed = (rows["chosen_first"] == rows["triplet_id"].map(best)).mean()
    found = ceiling(rows)
    assert found.others - 0.01 < agreed < found.majority


@pytest.mark.parametrize("rows", [[], [(1, 1, True)], [(1, 1, True), (2, 1, True)]])
def test_too_little_is_unknown(rows):
    found = ceiling(made.answers(rows))
    assert np.isnan(found.alpha)
    assert np.isnan(found.consistency)
    assert found.repeats == found.catch_trials == 0
