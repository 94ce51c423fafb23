"""Logistic regression with two crossed random intercepts, by Laplace's approximation.

    logit P(y = 1) = X β + σ_1 u_1[first] + σ_2 u_2[second],   u ~ N(0, I)

The same approximation as lme4's ``glmer`` (Bates et al. 2015, J. Stat. Softw. 67(1), eq. 35 for
the linear case; nAGQ = 1): for given σ and β the modes of u are found by penalised, iteratively
reweighted least squares, and -2 log-likelihood is

    d(σ, β) = -2 ℓ(y | û) + ‖û‖² + log |Λ'Z'WZΛ + I|.

statsmodels has no such model (its ``BinomialBayesMixedGLM`` is variational). With two factors the
matrix has two diagonal blocks, so one Schur complement of the smaller factor's size replaces a
sparse Cholesky factor, and the gradient of d is exact.
"""

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize
from scipy.special import expit
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from results.data import Floats, Integers
from results.errors import ResultsError

_SMALLEST: Final = 1e-3  # a σ that ends here is reported as 0
_STEP: Final = 1e-4  # of the differences of gradients that make the Hessian
_MOST: Final = 60  # steps until the modes are found
_LARGEST: Final = 20.0  # log-odds, σ: beyond this the data do not hold the model


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Attributes:
        coefficients: β, [p].
        covariance: of β, [p, p], from the Hessian over β and σ, as lme4's.
        sds: σ of both factors.
        deviance: d at its minimum.
        effects: modes σ·û of both factors, log-odds.
        converged: whether the minimum was found.
    """

    coefficients: Floats
    covariance: Floats
    sds: tuple[float, float]
    deviance: float
    effects: tuple[Floats, Floats]
    converged: bool

    @property
    def errors(self) -> Floats:
        """Standard errors of the coefficients, [p]."""
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), 0)))


def fit(y: Floats, x: Floats, first: Integers, second: Integers) -> Fit:
    """Fit the model.

    Args:
        y: [n] of 0 and 1.
        x: [n, p] columns of the fixed effects, the constant included.
        first: [n] codes of the first factor, from 0, none left out.
        second: [n] codes of the second factor.

    Raises:
        ResultsError: the answers cannot tell the coefficients apart.
    """
    y, x = np.asarray(y, float), np.asarray(x, float)
    if len(y) == 0 or y.min() == y.max():
        raise ResultsError("All answers are alike, so there is nothing to model; gather more.")
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise ResultsError("Too few different answers for this model; gather more or ask less.")
    problem = _Problem(y, x, first, second)
    start = np.concatenate([[0.5, 0.5], _start(y, x)])
    # In units of their own errors all directions are alike, and the search is short.
    units = linalg.block_diag(
        np.diag(0.5 / np.sqrt(2.0 * np.array(problem.sizes))), problem.units(start)
    )
    low, high = ((edge - 0.5) / units[0, 0] for edge in (_SMALLEST, _LARGEST))
    low2, high2 = ((edge - 0.5) / units[1, 1] for edge in (_SMALLEST, _LARGEST))

    def moved(z: Floats) -> tuple[float, Floats]:
        d, gradient = problem(start + units @ z)
        return d, units.T @ gradient

    found = optimize.minimize(
        moved, np.zeros(len(start)), jac=True, method="L-BFGS-B",
        bounds=[(low, high), (low2, high2), *[(None, None)] * x.shape[1]],
        options={"maxiter": 200, "ftol": 1e-11, "gtol": 1e-4},
    )  # fmt: skip
    point = start + units @ found.x
    deviance, _ = problem(point)
    sds = np.where(point[:2] <= 2 * _SMALLEST, 0.0, point[:2])
    modes = (point[0] * problem.u[0], point[1] * problem.u[1])
    reached = bool(found.success) and bool((np.abs(point) < _LARGEST - 1e-6).all())
    return Fit(
        point[2:].copy(), _covariance(problem, point), (float(sds[0]), float(sds[1])),
        float(deviance), modes, reached,
    )  # fmt: skip


def _start(y: Floats, x: Floats) -> Floats:
    """Coefficients without random effects."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        beta = np.asarray(GLM(y, x, family=Binomial()).fit(maxiter=25).params)
    return np.clip(beta, -5, 5)


def _covariance(problem: "_Problem", point: Floats) -> Floats:
    """Inverse Hessian of d / 2, cut to the coefficients; σ at its bound is held there."""
    free = [i for i in range(len(point)) if i >= 2 or point[i] > 2 * _SMALLEST]
    hessian = np.empty((len(free), len(free)))
    here = problem(point)[1]
    for row, i in enumerate(free):
        step = np.zeros(len(point))
        step[i] = _STEP
        hessian[row] = ((problem(point + step)[1] - here) / _STEP)[free] / 2
    hessian = (hessian + hessian.T) / 2
    sigmas = len(free) - (len(point) - 2)
    try:
        inverse = np.asarray(np.linalg.inv(hessian))[sigmas:, sigmas:]
    except np.linalg.LinAlgError:
        return np.full((len(point) - 2,) * 2, np.nan)
    return inverse if (np.diag(inverse) > 0).all() else np.full_like(inverse, np.nan)


class _Problem:
    """d and its gradient over (σ_1, σ_2, β); keeps the last modes as the next start."""

    def __init__(self, y: Floats, x: Floats, first: Integers, second: Integers) -> None:
        self.x, self.sign = x, 2 * y - 1
        self.codes = (first, second)
        self.sizes = (int(first.max()) + 1, int(second.max()) + 1)
        self.both = first * self.sizes[1] + second
        self.u = (np.zeros(self.sizes[0]), np.zeros(self.sizes[1]))

    def __call__(self, point: Floats) -> tuple[float, Floats]:
        """The deviance d and its gradient.

        With F(u, ψ) = u - Λ'Z'(y - μ) = 0 at the modes, dû/dψ follows from the implicit function
        theorem; the modes themselves add to the gradient through the determinant alone.
        """
        sigma, beta = point[:2], point[2:]
        fixed = self.x @ beta
        now, blocks = self._modes(sigma, fixed)
        w, residual = now.w, now.residual
        d = now.penalised + blocks.log_determinant
        inverse = blocks.inverse()
        leverage = (
            sigma[0] ** 2 * inverse[0][self.codes[0]] + sigma[1] ** 2 * inverse[1][self.codes[1]]
            + 2 * sigma[0] * sigma[1] * inverse[2].ravel()[self.both]
        )  # fmt: skip
        pull = leverage * w * self.sign * (1 - 2 * now.q)  # d log|H| / dη
        # Through û: pull' ZΛ dû, so solve once for the adjoint.
        adjoint = blocks.solve(*(sigma[k] * self._sum(k, pull) for k in (0, 1)))
        toward = sigma[0] * adjoint[0][self.codes[0]] + sigma[1] * adjoint[1][self.codes[1]]
        gradient = np.empty(len(point))
        gradient[2:] = self.x.T @ (-2 * residual + pull - w * toward)
        for k in (0, 1):
            u = self.u[k][self.codes[k]]
            trace = (self.sizes[k] - inverse[k].sum()) / sigma[k]
            gradient[k] = (
                -2 * float(residual @ u) + 2 * trace + float(pull @ u) - float((w * u) @ toward)
                + float(adjoint[k] @ self._sum(k, residual))
            )  # fmt: skip
        return d, gradient

    def _sum(self, k: int, values: Floats) -> Floats:
        """Z_k' values."""
        return np.asarray(np.bincount(self.codes[k], values, self.sizes[k]), float)

    def units(self, point: Floats) -> Floats:
        """U with U U' the inverse information of β for given σ: what one error is, [p, p]."""
        now, blocks = self._modes(point[:2], self.x @ point[2:])
        cross = [
            np.column_stack([point[k] * self._sum(k, now.w * column) for column in self.x.T])
            for k in (0, 1)
        ]
        solved = [blocks.solve(*pair) for pair in zip(cross[0].T, cross[1].T, strict=True)]
        taken = [cross[0].T @ one + cross[1].T @ two for one, two in solved]
        information = self.x.T @ (now.w[:, None] * self.x) - np.column_stack(taken)
        lower = np.linalg.cholesky(information + 1e-9 * np.trace(information) * np.eye(len(taken)))
        return np.asarray(linalg.solve_triangular(lower, np.eye(len(taken)), lower=True).T)

    def _state(self, sigma: Floats, fixed: Floats, u: tuple[Floats, Floats]) -> "_State":
        effects = sigma[0] * u[0][self.codes[0]] + sigma[1] * u[1][self.codes[1]]
        q = np.maximum(expit(self.sign * (fixed + effects)), 1e-300)
        penalty = sum(float(one @ one) for one in u)
        return _State(u, q, self.sign * (1 - q), q * (1 - q), penalty - 2 * float(np.log(q).sum()))

    def _modes(self, sigma: Floats, fixed: Floats) -> tuple["_State", "_Blocks"]:
        """Newton's steps, halved where they would lead upwards, to the modes of u."""
        now = self._state(sigma, fixed, self.u)
        for _ in range(_MOST):
            blocks = self._blocks(sigma, now.w)
            slopes = [sigma[k] * self._sum(k, now.residual) - now.u[k] for k in (0, 1)]
            step = blocks.solve(*slopes)
            size, there = 1.0, now
            while size > 1e-4:
                u = (now.u[0] + size * step[0], now.u[1] + size * step[1])
                there = self._state(sigma, fixed, u)
                if there.penalised <= now.penalised + 1e-10:
                    break
                size /= 2
            gain, now = now.penalised - there.penalised, there
            if gain < 1e-10 * (1 + abs(now.penalised)):
                break
        self.u = now.u
        return now, self._blocks(sigma, now.w)

    def _blocks(self, sigma: Floats, w: Floats) -> "_Blocks":
        cross = np.bincount(self.both, w, self.sizes[0] * self.sizes[1]).reshape(self.sizes)
        return _Blocks(
            1 + sigma[0] ** 2 * cross.sum(1),
            1 + sigma[1] ** 2 * cross.sum(0),
            sigma[0] * sigma[1] * cross,
        )


@dataclass(frozen=True)
class _State:
    """Where the search for the modes is: u, P(what was answered), y - μ, μ(1 - μ), the target."""

    u: tuple[Floats, Floats]
    q: Floats
    residual: Floats
    w: Floats
    penalised: float


class _Blocks:
    """The matrix [[diag a, c], [c', diag b]], by way of its Schur complement."""

    def __init__(self, a: Floats, b: Floats, c: Floats) -> None:
        """Positive definite; a [m], b [n], c [m, n]."""
        self._turned = len(a) < len(b)  # the larger diagonal is eliminated
        self.a, self.b, self.c = (b, a, c.T) if self._turned else (a, b, c)
        self._over = self.c / self.a[:, None]
        schur = -(self.c.T @ self._over)
        schur[np.diag_indices_from(schur)] += self.b
        self._factor = linalg.cho_factor(schur, lower=True, check_finite=False)

    @property
    def log_determinant(self) -> float:
        """Of the whole matrix."""
        return float(np.log(self.a).sum() + 2 * np.log(np.diag(self._factor[0])).sum())

    def solve(self, p: Floats, q: Floats) -> tuple[Floats, Floats]:
        """The matrix's inverse times (p, q)."""
        if self._turned:
            p, q = q, p
        two = linalg.cho_solve(self._factor, q - self._over.T @ p, check_finite=False)
        one = p / self.a - self._over @ two
        return (two, one) if self._turned else (one, two)

    def inverse(self) -> tuple[Floats, Floats, NDArray[np.float64]]:
        """Both diagonals of the inverse, [m] and [n], and its block [m, n] between them."""
        small = linalg.cho_solve(self._factor, np.eye(len(self.b)), check_finite=False)
        between = -self._over @ small
        one = 1 / self.a - np.einsum("ij,ij->i", between, self._over)
        two = np.diag(small).copy()
        return (two, one, between.T) if self._turned else (one, two, between)
