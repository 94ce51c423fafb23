"""What makes listeners agree with the model: distance margin, side, instrument.

    logit P(agrees) = β_0 + β_m · margin + β_s · side + β_instrument + u_listener + v_triplet

- ``margin`` is the absolute difference of the model's two distances, less its mean, in standard
  deviations of the study's answers: how clear the model itself finds the triplet;
- ``side`` is 1 where the model's choice is A and -1 where it is B, so that β_s is the log-odds of
  taking A whatever it is;
- instruments are compared with the first one that was asked about;
- listeners and triplets are random, crossed (DESIGN: answers are not independent).
"""

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from results import glmm
from results.data import Clusters, Floats, agreeing, instruments_of, judged
from results.errors import ResultsError
from results.intervals import clustered
from results.simulation import marginal

CONSTANT: Final = "(constant)"
_Z: Final = float(stats.norm.ppf(0.975))
_BINS: Final = 8
_IN_BIN: Final = 12  # answers


@dataclass(frozen=True)
class Term:
    """One coefficient, in log-odds.

    Attributes:
        name: ``(constant)``, ``margin``, ``side``, or an instrument.
        estimate: the coefficient.
        error: its standard error.
        low: lower limit of the Wald interval, 95 %.
        high: upper limit.
        p: two-sided Wald test against 0.
    """

    name: str
    estimate: float
    error: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Mixed:
    """The fitted model; see the module.

    Attributes:
        terms: its coefficients.
        listener_sd: standard deviation between listeners, log-odds.
        triplet_sd: standard deviation between triplets.
        n: answers.
        listeners: how many.
        triplets: how many.
        margin_mean: mean absolute margin over the answers.
        margin_sd: its standard deviation.
        reference: the instrument with which the others are compared.
        deviance: -2 log-likelihood, by Laplace's approximation.
        covariance: of the coefficients, [p, p].
        middle: [p] of a triplet of mean margin, of no side, of the instruments' mixture.
        converged: whether the fit found its minimum.
    """

    terms: tuple[Term, ...]
    listener_sd: float
    triplet_sd: float
    n: int
    listeners: int
    triplets: int
    margin_mean: float
    margin_sd: float
    reference: str
    deviance: float
    covariance: Floats
    middle: Floats
    converged: bool

    @property
    def table(self) -> pd.DataFrame:
        """The coefficients as a table."""
        return pd.DataFrame([asdict(term) for term in self.terms])

    @property
    def coefficients(self) -> Floats:
        """The estimates, [p]."""
        return np.array([term.estimate for term in self.terms])

    def term(self, name: str) -> Term | None:
        """The coefficient of that name; None where the study could not ask for it."""
        return next((term for term in self.terms if term.name == name), None)


def design(answers: pd.DataFrame) -> pd.DataFrame:
    """What the model sees of each answer.

    Returns:
        ``agrees`` (0 or 1), ``margin`` (standardised), ``side`` (±1), ``instrument``,
        ``listener_id``, ``triplet_id``; answers without a margin are left out.
    """
    table = judged(answers)
    table = table[table["margin"].notna()]
    margin = table["margin"].abs().to_numpy(float)
    spread = float(margin.std(ddof=1)) if len(margin) > 1 else 0.0
    on_a = table["choice"].eq("A").to_numpy() == table["agrees"].to_numpy(bool)
    return pd.DataFrame(
        {
            "agrees": agreeing(table).astype(int),
            "margin": (margin - margin.mean()) / spread if spread > 0 else np.zeros(len(margin)),
            "side": np.where(on_a, 1, -1),
            "instrument": table["instrument"].to_numpy(object),
            "listener_id": table["listener_id"].to_numpy(int),
            "triplet_id": table["triplet_id"].to_numpy(int),
        }
    )


def mixed(answers: pd.DataFrame) -> Mixed:
    """Fit the model.

    Raises:
        ResultsError: there are too few answers for it, or they cannot be analysed together.
    """
    table = design(answers)
    clusters = Clusters.of(table)
    if min(clusters.listeners, clusters.triplets) < 2:
        raise ResultsError(
            "A mixed model needs at least two listeners and two triplets; gather more answers."
        )
    names = instruments_of(table)
    columns = {CONSTANT: np.ones(len(table))}
    for name in ("margin", "side"):
        values = table[name].to_numpy(float)
        if np.ptp(values) > 0:
            columns[name] = values
    for name in names[1:]:
        columns[name] = table["instrument"].eq(name).to_numpy().astype(float)
    x = np.column_stack(list(columns.values()))
    found = glmm.fit(table["agrees"].to_numpy(float), x, clusters.listener, clusters.triplet)
    raw = judged(answers)["margin"].abs().dropna()
    middle = x.mean(0) * np.array([float(name != "side") for name in columns])
    return Mixed(
        tuple(map(_term, columns, found.coefficients, found.errors)), *found.sds,
        len(table), clusters.listeners, clusters.triplets, float(raw.mean()),
        float(raw.std(ddof=1)), names[0], found.deviance, found.covariance, middle,
        found.converged,
    )  # fmt: skip


def _term(name: str, estimate: float, error: float) -> Term:
    p = 2 * stats.norm.sf(abs(estimate) / error) if error > 0 else np.nan
    half = _Z * error
    return Term(name, float(estimate), float(error), estimate - half, estimate + half, float(p))


@dataclass(frozen=True)
class Curve:
    """Agreement against the model's margin.

    Attributes:
        margin: [k] absolute margins.
        share: [k] agreement that the model of the answers expects there, over all listeners,
            triplets and instruments.
        low: [k] lower edge of its 95 % band.
        high: [k] upper edge.
        bins: answers in classes of margin: ``margin`` (mean), ``share``, ``low``, ``high``
            (clustered) and ``n``.
    """

    margin: Floats
    share: Floats
    low: Floats
    high: Floats
    bins: pd.DataFrame


def curve(answers: pd.DataFrame, fitted: Mixed | None, points: int = 60) -> Curve:
    """The psychometric curve; without a fitted model only its classes.

    The band is that of the fixed effects (delta method on the log-odds), then averaged over the
    normal effects of listeners and triplets (``simulation.marginal``).
    """
    table = judged(answers)
    table = table[table["margin"].notna()]
    bins = _classes(table)
    names = [term.name for term in fitted.terms] if fitted else []
    if fitted is None or "margin" not in names or not len(table):
        nothing = np.empty(0)
        return Curve(nothing, nothing, nothing, nothing, bins)
    margin = np.linspace(0, float(table["margin"].abs().max()), points)
    x = np.tile(fitted.middle, (points, 1))
    x[:, names.index("margin")] = (margin - fitted.margin_mean) / fitted.margin_sd
    eta = x @ fitted.coefficients
    error = np.sqrt(np.einsum("ip,pq,iq->i", x, fitted.covariance, x))
    spread = float(np.hypot(fitted.listener_sd, fitted.triplet_sd))
    share, low, high = (marginal(eta + z * error, spread) for z in (0, -_Z, _Z))
    return Curve(margin, share, low, high, bins)


def _classes(table: pd.DataFrame) -> pd.DataFrame:
    """Classes of equally many triplets by margin, each with its agreement."""
    names = ["margin", "share", "low", "high", "n"]
    own = table.groupby("triplet_id")["margin"].first().abs()
    count = min(_BINS, len(own), max(len(table) // _IN_BIN, 1))
    if not len(own):
        return pd.DataFrame(columns=names, dtype=float)
    ranked = own.rank(method="first")
    which = table["triplet_id"].map(((ranked - 1) * count // len(own)).astype(int))
    rows = []
    for _, part in table.groupby(which.to_numpy()):
        interval = clustered(agreeing(part), Clusters.of(part))
        share, margin = float(agreeing(part).mean()), float(part["margin"].abs().mean())
        rows.append((margin, share, interval.low, interval.high, len(part)))
    return pd.DataFrame(rows, columns=names)
