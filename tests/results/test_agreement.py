import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from results.agreement import agreement, holm, sureness
from results.errors import ResultsError
from tests.results import made


def two_instruments():
    """Drums: 3 listeners × 4 triplets (sets 1, 1, 2, 2); bass: 3 × 2 of set 1."""
    drums = ["1110", "1011", "1111"]
    rows = [(a, b, drums[a][b] == "1") for a in range(3) for b in range(4)]
    one = made.answers(rows)
    one["set"] = [1 if what < 2 else 2 for what in one["triplet_id"]]
    bass = [(a, 10 + b, (a + b) % 2 == 0) for a in range(3) for b in range(2)]
    return pd.concat([one, made.answers(bass, instrument="bass")], ignore_index=True)


def test_by_hand():
    found = agreement(two_instruments())
    said = [(r.instrument, r.set, r.agreeing, r.n, r.listeners, r.triplets) for r in found.rows]
    assert said == [
        ("drums", "1", 5, 6, 3, 2),
        ("drums", "2", 5, 6, 3, 2),
        ("drums", "total", 10, 12, 3, 4),
        ("bass", "1", 3, 6, 3, 2),
        ("bass", "total", 3, 6, 3, 2),
        ("all", "total", 13, 18, 3, 6),
    ]
    drums = found.cell("drums")
    assert drums.share == pytest.approx(10 / 12)
    # 10, 11 or 12 heads of 12: (66 + 12 + 1) / 4096.
    assert drums.p == pytest.approx(79 / 4096)
    assert found.cell("bass").p == pytest.approx(42 / 64)  # 3 or more of 6: (20+15+6+1) / 64
    # Holm: the smaller of two is doubled, the larger stays.
    assert drums.p_holm == pytest.approx(2 * 79 / 4096)
    assert found.cell("bass").p_holm == pytest.approx(42 / 64)
    assert np.isnan(found.cell("drums", "1").p_holm)
    assert found.overall is found.rows[-1]
    assert list(found.table["n"]) == [row[3] for row in said]


def test_only_answers_to_triplets_count():
    table = two_instruments()
    more = [
        table.head(1).assign(kind=kind, agrees=False) for kind in ("catch", "repeat", "practice")
    ]
    cannot_tell = table.head(1).assign(agrees=pd.array([None], "boolean"))
    mixed = pd.concat([table, *more, cannot_tell], ignore_index=True)
    assert agreement(mixed) == agreement(table)


def test_the_clustered_p_is_a_t_test():
    table = two_instruments()
    row = agreement(table).cell("drums")
    y = np.array([[1, 1, 1, 0], [1, 0, 1, 1], [1, 1, 1, 1]])
    p = y.mean()
    by_listener = ((y - p).sum(1) ** 2).sum() / 144 * 3 / 2
    by_triplet = ((y - p).sum(0) ** 2).sum() / 144 * 4 / 3
    answer = p * (1 - p) / 11
    variance = max(by_listener + by_triplet - answer, answer)
    df = max(variance**2 / (by_listener**2 / 2 + by_triplet**2 / 3), 2)
    assert row.p_clustered == pytest.approx(stats.t.sf((p - 0.5) / variance**0.5, df))


def test_holm_as_statsmodels_has_it():
    rng = np.random.default_rng(0)
    for n in (1, 2, 5, 40):
        p = rng.uniform(0, 1, n) ** 3
        p[: n // 3] = p[-1]  # ties
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert np.isnan(holm(np.array([np.nan, np.nan]))).all()


def test_holm_by_hand():
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])
    some = holm(np.array([0.01, np.nan, 0.03]))
    assert some[[0, 2]] == pytest.approx([0.02, 0.03])
    assert np.isnan(some[1])


def test_people_and_simulated_listeners_are_refused_together():
    table = two_instruments()
    table.loc[0, "simulated"] = True
    with pytest.raises(ResultsError, match="apart from each other"):
        agreement(table)


def test_a_table_that_is_none_is_named():
    with pytest.raises(ResultsError, match="no column 'margin'"):
        agreement(two_instruments().drop(columns="margin"))


def test_nobody_and_one_answer():
    assert agreement(made.answers([])).rows == ()
    one = agreement(made.answers([(1, 1, True)])).cell("drums")
    assert (one.n, one.share, one.p) == (1, 1.0, 0.5)
    assert np.isnan(one.low)
    assert np.isnan(one.p_clustered)


def test_stacked_bars():
    rows = [(a, b, a > 0) for a in range(3) for b in range(4)]
    sure = [True, False, False, None] + [True, True, False, None] * 2
    table = made.answers(rows, sure=pd.array(sure, "boolean"))
    (bar,) = sureness(table)
    assert (bar.true_sure, bar.true_unsure, bar.false_unsure, bar.false_sure) == (4, 2, 2, 1)
    assert sureness(made.answers(rows)) == ()
