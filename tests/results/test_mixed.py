import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from results.behaviour import calibration, side_bias, times
from results.data import Clusters
from results.errors import ResultsError
from results.intervals import clustered
from results.mixed import CONSTANT, curve, design, mixed
from results.simulation import Crowd, marginal, simulated_answers
from tests.results import made


@pytest.fixture(scope="module")
def answers():
    return simulated_answers(Crowd(listeners=30, triplets=20, side=0.35, seed=6))


@pytest.fixture(scope="module")
def fitted(answers):
    return mixed(answers)


def test_the_design_by_hand():
    table = made.answers([(1, 1, True), (1, 2, False), (2, 1, False)], margin=[0.5, -1.5, 0.1])
    table["choice"] = ["A", "A", "B"]
    found = design(table)
    assert found["agrees"].tolist() == [1, 0, 0]
    assert found["side"].tolist() == [1, -1, 1]  # where the model's choice lies
    m = np.array([0.5, 1.5, 0.1])
    assert found["margin"].to_numpy() == pytest.approx((m - m.mean()) / m.std(ddof=1))


def test_what_was_put_in_is_found_again(answers, fitted):
    # The slope of 1.2 is for one deviation of the signed margin; the model's is for one of |m|.
    own = answers[answers["kind"] == "trial"].drop_duplicates("triplet_id")["margin"]
    slope = 1.2 * fitted.margin_sd / own.std(ddof=0)
    margin, side = fitted.term("margin"), fitted.term("side")
    assert abs(margin.estimate - slope) < 3 * margin.error
    assert abs(side.estimate - 0.35) < 3 * side.error
    assert abs(fitted.triplet_sd - 0.7) < 0.25
    assert abs(fitted.listener_sd - 0.4) < 0.25
    assert fitted.reference == "drums"
    assert [term.name for term in fitted.terms] == [
        CONSTANT, "margin", "side", "bass", "piano", "guitar",
    ]  # fmt: skip
    z = margin.estimate / margin.error
    assert margin.p == pytest.approx(2 * (1 - stats.norm.cdf(z)), abs=1e-12)


def test_the_curve_is_the_models_own(answers, fitted):
    found = curve(answers, fitted)
    assert (np.diff(found.share) > 0).all()
    assert (found.low < found.share).all()
    assert (found.high > found.share).all()
    k = 17
    names = [term.name for term in fitted.terms]
    x = fitted.middle.copy()
    x[names.index("margin")] = (found.margin[k] - fitted.margin_mean) / fitted.margin_sd
    spread = np.hypot(fitted.listener_sd, fitted.triplet_sd)
    z = np.random.default_rng(0).normal(0, spread, 400_000)
    eta = x @ fitted.coefficients
    assert found.share[k] == pytest.approx((1 / (1 + np.exp(-eta - z))).mean(), abs=2e-3)
    error = (x @ fitted.covariance @ x) ** 0.5
    assert found.low[k] == pytest.approx(float(marginal(eta - 1.959964 * error, spread)))
    inside = np.interp(found.bins["margin"], found.margin, found.share)
    assert ((found.bins["low"] < inside) & (inside < found.bins["high"])).mean() > 0.7


def test_classes_hold_every_answer_once_and_whole_triplets(answers, fitted):
    bins = curve(answers, fitted).bins
    assert bins["n"].sum() == 30 * 80
    assert bins["n"].tolist() == [300] * 8
    assert bins["margin"].is_monotonic_increasing


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "at least two listeners"),
        ([(1, 1, True)], "at least two listeners"),
        ([(1, 1, True), (1, 2, False)], "at least two listeners"),
        ([(a, b, True) for a in range(3) for b in range(3)], "alike"),
    ],
)
def test_too_little_says_so(rows, said):
    table = made.answers(rows)
    with pytest.raises(ResultsError, match=said):
        mixed(table)
    found = curve(table, None)
    assert not len(found.margin)
    assert found.bins["n"].sum() == len(rows)


def test_side_bias():
    rows = [(a, b, True) for a in range(4) for b in range(5)]
    table = made.answers(rows)
    table["choice"] = ["A"] * 14 + ["B"] * 6
    found = side_bias(table)
    y = np.repeat([1.0, 0.0], [14, 6])
    assert (found.n, found.share) == (20, 0.7)
    assert found.p == pytest.approx(2 * stats.binom.sf(13, 20, 0.5))
    assert found.interval == clustered(y, Clusters.of(table))
    assert side_bias(made.answers([])).n == 0


def test_times(answers):
    found = times(answers)
    seconds = answers["elapsed"]
    assert found.median == pytest.approx(seconds.median())
    assert found.agreeing == pytest.approx(seconds[answers["agrees"].astype(bool)].median())
    seen = design(answers)
    x = sm.add_constant(seen[["margin", "agrees"]].astype(float))
    fit = sm.OLS(np.log(seconds.to_numpy()), x.to_numpy()).fit()
    assert found.ratios["margin"][0] == pytest.approx(np.exp(fit.params[1]))
    for middle, low, high in found.ratios.values():
        assert low < middle < high
    assert found.ratios["margin"][2] < 1.05  # clearer ones go faster here
    assert times(made.answers([])).n == 0
    assert times(made.answers([(1, 1, True)])).ratios == {}


def test_calibration():
    rows = [(a, b, b > 1) for a in range(3) for b in range(5)]
    sure = pd.array([b > 2 for _ in range(3) for b in range(5)], "boolean")
    found = calibration(made.answers(rows, sure=sure))
    assert [(one.sure, one.n, one.share) for one in found.levels] == [
        (True, 6, 1.0),
        (False, 9, pytest.approx(1 / 3)),
    ]
    assert found.sure_when_agreeing == pytest.approx(6 / 9)
    assert found.sure_when_differing == 0
    assert calibration(made.answers(rows)) is None
