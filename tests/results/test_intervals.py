import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from results.data import Clusters
from results.intervals import Parts, clustered, difference, plain, shares_of
from results.simulation import Effects, crossed, marginal
from tests.results import made


def table_of(y):
    people, things = y.shape
    return made.answers([(a, b, y[a, b]) for a in range(people) for b in range(things)])


def test_by_hand():
    # Two listeners, three triplets: 1 1 0 / 1 0 0. p = 1/2; listeners' sums of y - p are 1/2 and
    # -1/2, triplets' 1, 0 and -1, and every answer is off by 1/2.
    y = np.array([[1, 1, 0], [1, 0, 0]])
    listener, triplet, answer = 0.5 / 36 * 2, 2 / 36 * 3 / 2, 6 / 4 / 36 * 6 / 5
    variance = listener + triplet - answer
    df = max(variance**2 / (listener**2 / 1 + triplet**2 / 2), 1)  # 0.88, so 1
    n = 0.25 / variance
    k = stats.t.ppf(0.975, df)
    # Wilson's limits solve (x - p)² = k² x (1 - x) / n.
    limits = sorted(np.roots([1 + k**2 / n, -(1 + k**2 / n), 0.25]))
    table = table_of(y)
    found = clustered(y.ravel(), Clusters.of(table))
    assert (found.low, found.high) == pytest.approx(limits)
    assert found.error == pytest.approx(variance**0.5)
    assert found.df == pytest.approx(df)


def test_the_variance_is_that_of_statsmodels():
    y = crossed(np.random.default_rng(3), 1, 9, 14, Effects(0.8, 0.8, 1.2))[0]
    table = table_of(y).sample(90, random_state=1)  # not every listener answered everything
    values = table["agrees"].to_numpy(float)
    groups = table[["listener_id", "triplet_id"]].to_numpy(int)
    fit = sm.OLS(values, np.ones(len(values))).fit()
    _, by_listener, by_triplet = sm.stats.sandwich_covariance.cov_cluster_2groups(
        fit, groups, use_correction=False
    )
    by_answer = sm.stats.sandwich_covariance.cov_white_simple(fit, use_correction=False)
    people, things = (len(set(column)) for column in groups.T)
    expected = (
        by_listener * people / (people - 1) + by_triplet * things / (things - 1)
        - by_answer * 90 / 89
    )  # fmt: skip
    assert clustered(values, Clusters.of(table)).error ** 2 == pytest.approx(expected.item())


def test_many_studies_at_once_are_each_alone():
    y = crossed(np.random.default_rng(5), 4, 6, 7, Effects(0.75, 0.5, 1.0))
    low, high = Parts.of_grids(y).limits()
    for study, a, b in zip(y, low, high, strict=True):
        found = clustered(study.ravel(), Clusters.of(table_of(study)))
        assert (found.low, found.high) == pytest.approx((a, b))


def test_many_columns_at_once_are_each_alone():
    table = table_of(np.ones((7, 9))).sample(50, random_state=2)
    values = np.random.default_rng(1).integers(0, 3, (50, 4)) / 2  # halves are ties
    clusters = Clusters.of(table)
    for column, *found in zip(values.T, *shares_of(values, clusters), strict=True):
        alone = clustered(column, clusters)
        assert found == pytest.approx([column.mean(), alone.low, alone.high])
    one = Clusters.of(table.assign(listener_id=1))
    assert np.isnan(shares_of(values, one)[1]).all()


def test_differences_are_symmetric():
    values = np.random.default_rng(4).choice([-1.0, 0.0, 1.0], 30)
    table = table_of(np.ones((5, 6)))
    found = difference(values, Clusters.of(table))
    assert (found.low + found.high) / 2 == pytest.approx(values.mean())
    half = stats.t.ppf(0.975, found.df) * found.error
    assert (found.high - found.low) / 2 == pytest.approx(half)
    assert not difference(values[:6], Clusters.of(table.head(6))).known


def test_two_answers_to_one_triplet_by_one_listener_are_one_cluster():
    rows = [(a, b, (a + b) % 3 > 0) for a in range(5) for b in range(6)]
    once, twice = made.answers(rows), made.answers(rows * 2)
    one = clustered(once["agrees"].to_numpy(float), Clusters.of(once))
    two = clustered(twice["agrees"].to_numpy(float), Clusters.of(twice))
    assert (two.low, two.high) == pytest.approx((one.low, one.high))


def test_all_alike_is_not_certain():
    # Four listeners, five triplets, all agree: four answers of four, Wilson with t of 3.
    y = np.ones((4, 5))
    found = clustered(y.ravel(), Clusters.of(table_of(y)))
    k2 = stats.t.ppf(0.975, 3) ** 2
    assert (found.low, found.high) == pytest.approx((4 / (4 + k2), 1.0))


def test_limits_stay_within_0_and_1_and_hold_the_share():
    rng = np.random.default_rng(8)
    for p in (0.02, 0.5, 0.97):
        y = (rng.random((300, 5, 6)) < p).astype(np.uint8)
        parts = Parts.of_grids(y)
        low, high = parts.limits()
        assert (low >= 0).all()
        assert (high <= 1).all()
        assert ((low <= parts.share + 1e-12) & (parts.share <= high + 1e-12)).all()


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (1, 1)])
def test_one_listener_or_triplet_speaks_for_no_other(shape):
    y = np.ones(shape)
    found = clustered(y.ravel(), Clusters.of(table_of(y)))
    assert not found.known


def test_the_plain_interval():
    y = [1] * 85 + [0] * 35
    found = plain(y)
    s = (sum((one - 85 / 120) ** 2 for one in y) / 119) ** 0.5
    assert found.high - 85 / 120 == pytest.approx(1.959964 * s / 120**0.5)
    assert not plain([1.0]).known


def test_clustered_intervals_hold_the_truth_and_plain_ones_do_not():
    """Short form of ``python -m bench.coverage``: CSN's design, 15 listeners and 16 triplets."""
    effects = Effects(0.75, 0.5, 1.0)
    y = crossed(np.random.default_rng(11), 1500, 15, 16, effects)
    parts = Parts.of_grids(y)
    low, high = parts.limits()
    held = ((low <= 0.75) & (high >= 0.75)).mean()
    error = 1.96 * y.reshape(1500, -1).std(1, ddof=1) / 240**0.5
    alone = (np.abs(parts.share - 0.75) <= error).mean()
    assert 0.93 <= held <= 0.97
    assert alone < 0.85


def test_the_intercept_makes_the_share():
    effects = Effects(0.83, 0.6, 1.1)
    z = np.random.default_rng(2).normal(0, effects.spread, 500_000)
    assert (1 / (1 + np.exp(-(effects.intercept + z)))).mean() == pytest.approx(0.83, abs=2e-3)
    assert float(marginal(0.0, 2.0)) == pytest.approx(0.5)
