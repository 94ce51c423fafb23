import numpy as np
import pytest
from scipy import stats

from results.intervals import plain
from results.published import (
    CSN_LISTENERS,
    CSN_TABLE_3,
    IND_LISTENERS,
    IND_TABLE_4,
    MULTI_TABLE_2,
    MULTI_TRIPLETS,
)


def percent(k, n):
    """Share and half width in percent, from the answers themselves."""
    y = np.repeat([1.0, 0.0], [k, n - k])
    interval = plain(y)
    return 100 * y.mean(), 50 * (interval.high - interval.low)


@pytest.mark.parametrize("row", CSN_TABLE_3, ids=lambda r: f"{r.instrument}-{r.set}")
def test_table_3_follows_from_counts(row):
    share, half = percent(row.agreeing, row.n)
    if row.percent is not None:
        assert (round(share, 1), round(half, 1)) == (row.percent, row.half)


def test_the_totals_of_table_3_are_their_sets():
    cells = {(row.instrument, row.set): row for row in CSN_TABLE_3}
    for name in ("drums", "bass", "piano", "guitar"):
        one, two, both = (cells[name, which] for which in ("1", "2", "total"))
        assert one.agreeing + two.agreeing == both.agreeing
        assert one.n + two.n == both.n
        assert 0 <= two.agreeing <= two.n


def test_only_one_number_of_listeners_makes_table_3():
    def fits(listeners):
        for row in CSN_TABLE_3:
            n = listeners * (16 if row.set == "total" else 8)
            shares = (percent(k, n) for k in range(n + 1))
            printed = (row.percent, row.half)
            if row.percent is not None and all(
                (round(share, 1), round(half, 1)) != printed for share, half in shares
            ):
                return False
        return True

    assert [n for n in range(2, 61) if fits(n)] == [CSN_LISTENERS]


@pytest.mark.parametrize("row", IND_TABLE_4, ids=lambda r: r.instrument)
def test_table_4_follows_from_counts(row):
    assert row.n == 8 * IND_LISTENERS
    assert round(100 * row.agreeing / row.n, 2) == row.percent
    assert percent(row.agreeing, row.n)[1] > 7  # so the ± is not that of a share
    assert row.half in halves(8, IND_LISTENERS, row.agreeing)


def test_table_4_does_not_follow_from_listeners():
    assert not all(row.half in halves(IND_LISTENERS, 8, row.agreeing) for row in IND_TABLE_4)


def halves(groups, size, total):
    """Every ± of a mean over groups, t·s/√groups, that counts with this total can make."""
    reached = {(0, 0)}  # sum and sum of squares of the counts so far
    for _ in range(groups):
        reached = {
            (t + k, q + k * k) for t, q in reached for k in range(size + 1) if t + k <= total
        }
    t = stats.t.ppf(0.975, groups - 1)
    spreads = [q - total**2 / groups for s, q in reached if s == total]
    return {
        round(t * (max(spread, 0) / size**2 / (groups - 1) / groups) ** 0.5, 2)
        for spread in spreads
    }


def test_multi_table_2_are_triplets_out_of_426():
    # The paper rounds down where 4 digits are halfway; each score is a count over 426.
    for score in MULTI_TABLE_2.values():
        assert abs(score - round(score * MULTI_TRIPLETS) / MULTI_TRIPLETS) < 1e-4
