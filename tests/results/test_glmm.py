import os
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import expit

from results import glmm
from results.errors import ResultsError
from results.exclusions import kept
from results.mixed import mixed
from results.r_script import r_script
from results.simulation import Crowd, simulated_answers


def crossed_data(listeners=9, triplets=12, seed=4, keep=1.0):
    rng = np.random.default_rng(seed)
    who, what = np.repeat(np.arange(listeners), triplets), np.tile(np.arange(triplets), listeners)
    x = np.column_stack([np.ones(len(who)), rng.normal(size=len(who))])
    eta = x @ [0.6, 0.8] + rng.normal(0, 0.7, listeners)[who] + rng.normal(0, 0.9, triplets)[what]
    y = (rng.random(len(who)) < expit(eta)).astype(float)
    some = rng.random(len(who)) < keep
    return y[some], x[some], who[some], what[some]


def laplace(point, y, x, who, what):
    """The deviance with plain dense matrices: Newton's method for u, then its determinant."""
    sds, beta = point[:2], point[2:]
    z = np.hstack([sds[0] * np.eye(who.max() + 1)[who], sds[1] * np.eye(what.max() + 1)[what]])
    u = np.zeros(z.shape[1])
    for _ in range(50):
        mu = expit(x @ beta + z @ u)
        hessian = z.T @ (z * (mu * (1 - mu))[:, None]) + np.eye(len(u))
        u = u + np.linalg.solve(hessian, z.T @ (y - mu) - u)
    mu = expit(x @ beta + z @ u)
    hessian = z.T @ (z * (mu * (1 - mu))[:, None]) + np.eye(len(u))
    fitted = (y * np.log(mu) + (1 - y) * np.log(1 - mu)).sum()
    return -2 * fitted + u @ u + np.linalg.slogdet(hessian)[1]


@pytest.mark.parametrize("shape", [(9, 12), (12, 5)])
def test_deviance_and_gradient(shape):
    data = crossed_data(*shape, keep=0.8)
    problem = glmm._Problem(*data)
    for point in ([0.7, 0.9, 0.5, 0.4], [0.05, 1.6, -0.3, 1.2]):
        d, gradient = problem(np.array(point))
        assert d == pytest.approx(laplace(np.array(point), *data))
        numeric = [
            (laplace(point + step, *data) - laplace(point - step, *data)) / 2e-4
            for step in 1e-4 * np.eye(4)
        ]
        assert gradient == pytest.approx(numeric, abs=1e-4)


def test_the_fit_is_a_minimum_and_its_errors_are_of_the_hessian():
    data = crossed_data(12, 20)
    found = glmm.fit(*data)
    point = np.concatenate([found.sds, found.coefficients])
    assert found.converged
    assert found.deviance == pytest.approx(laplace(point, *data))
    steps = 1e-3 * np.eye(4)
    hessian = np.array(
        [
            [
                laplace(point + a + b, *data) - laplace(point + a - b, *data)
                - laplace(point - a + b, *data) + laplace(point - a - b, *data)
                for a in steps
            ]
            for b in steps
        ]
    ) / 4e-6 / 2  # fmt: skip
    assert found.errors == pytest.approx(np.sqrt(np.diag(np.linalg.inv(hessian))[2:]), rel=2e-3)
    for step in steps:
        for sign in (10, -10):
            assert laplace(point + sign * step, *data) > found.deviance


def test_with_one_factor_alone_it_nears_the_integral():
    """Without triplet effects the likelihood is a product of one-dimensional integrals."""
    y, x, who, _ = crossed_data(10, 40, seed=9)
    nodes, weights = hermegauss(60)
    weights = weights / weights.sum()
    sd, beta = 0.8, np.array([0.5, 0.7])
    chance = expit((x @ beta)[:, None] + sd * nodes)
    each = np.where(y[:, None] == 1, chance, 1 - chance)
    exact = -2 * sum(
        np.log((weights * each[who == one].prod(0)).sum()) for one in range(who.max() + 1)
    )
    problem = glmm._Problem(y, x, who, np.zeros(len(y), np.int64))
    assert problem(np.array([sd, 1e-3, *beta]))[0] == pytest.approx(exact, abs=0.15)


def test_no_effects_are_reported_as_none():
    rng = np.random.default_rng(1)
    who, what = np.repeat(np.arange(10), 10), np.tile(np.arange(10), 10)
    y = (rng.random((10, 10)).argsort(0) < 7).astype(float).ravel()  # every triplet 7 of 10
    found = glmm.fit(y, np.ones((100, 1)), who, what)
    assert found.sds[1] == 0
    assert found.coefficients[0] == pytest.approx(np.log(0.7 / 0.3), abs=0.05)


def test_what_cannot_be_fitted_says_so():
    y, x, who, what = crossed_data()
    with pytest.raises(ResultsError, match="alike"):
        glmm.fit(np.ones_like(y), x, who, what)
    with pytest.raises(ResultsError, match="Too few different"):
        glmm.fit(y, np.column_stack([x, x[:, 0]]), who, what)


def written(table, file):
    """As the export writes answers."""
    plain = table.copy()
    for name in ("agrees", "simulated", "swapped", "chosen_first", "excluded"):
        plain[name] = plain[name].map({True: "true", False: "false"})
    plain.to_csv(file, index=False)


@pytest.mark.skipif(
    shutil.which("Rscript") is None and not os.environ.get("CI"), reason="R is not installed"
)
@pytest.mark.parametrize(
    "crowd",
    [
        Crowd(listeners=15, triplets=16, seed=5, side=0.3, repeats=2, catch=2),
        Crowd(listeners=24, triplets=8, seed=2, side=-0.4, listener_sd=0.9, triplet_sd=1.2),
    ],
    ids=["csn", "spread"],
)
def test_lme4_finds_the_same(crowd, tmp_path):
    table = simulated_answers(crowd)
    table["excluded"] = table["listener_id"] == 2
    ours = mixed(kept(table))
    written(table, tmp_path / "answers.csv")
    (tmp_path / "mixed-model.R").write_text(r_script(), encoding="utf-8")
    run = subprocess.run(
        ["Rscript", "mixed-model.R"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    theirs = pd.read_csv(tmp_path / "mixed-model-lme4.csv").set_index("name")
    assert ours.converged
    for term in ours.terms:
        assert term.estimate == pytest.approx(theirs.loc[term.name, "estimate"], rel=0.02)
        assert term.error == pytest.approx(theirs.loc[term.name, "error"], rel=0.02)
    assert ours.listener_sd == pytest.approx(theirs.loc["sd_listener", "estimate"], rel=0.02)
    assert ours.triplet_sd == pytest.approx(theirs.loc["sd_triplet", "estimate"], rel=0.02)
