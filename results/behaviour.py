"""How listeners answer, apart from what they say: sides, times, confidence."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.linear_model import OLS

from results.data import Clusters, agreeing, judged, narrow, trials
from results.intervals import UNKNOWN, Interval, clustered
from results.mixed import design


@dataclass(frozen=True)
class SideBias:
    """Whether one side is preferred.

    Attributes:
        n: answers.
        share: part of them that is A.
        interval: two-way clustered, 95 %.
        p: exact binomial test against one half, two-sided; takes answers for independent.
    """

    n: int
    share: float
    interval: Interval
    p: float


def side_bias(answers: pd.DataFrame) -> SideBias:
    """How often A is taken, over all answers to triplets."""
    table = trials(narrow(answers))
    values = table["choice"].eq("A").to_numpy(float)
    if not len(values):
        return SideBias(0, np.nan, UNKNOWN, np.nan)
    p = stats.binomtest(int(values.sum()), len(values), 0.5).pvalue
    interval = clustered(values, Clusters.of(table))
    return SideBias(len(values), float(values.mean()), interval, float(p))


@dataclass(frozen=True)
class Times:
    """How long answers take, in seconds.

    Attributes:
        n: answers with a time.
        median: of all of them.
        quartiles: 25 % and 75 %.
        agreeing: median where listener and model agree.
        differing: median where they do not.
        ratios: factor by which the time changes with one standard deviation more margin
            (``margin``) and where listener and model agree (``agrees``), each with a 95 %
            interval: (factor, low, high). Least squares on the logarithm of the time with two-way
            clustered errors (statsmodels).
    """

    n: int
    median: float
    quartiles: tuple[float, float]
    agreeing: float
    differing: float
    ratios: dict[str, tuple[float, float, float]]


def times(answers: pd.DataFrame) -> Times:
    """How long answers to triplets take; NaN where there are none."""
    table = judged(answers)
    seconds = table["elapsed"].to_numpy(float)
    known = np.isfinite(seconds) & (seconds > 0)
    table, seconds = table[known], seconds[known]
    if not len(seconds):
        return Times(0, np.nan, (np.nan, np.nan), np.nan, np.nan, {})
    agrees = agreeing(table) > 0.5
    low, median, high = np.quantile(seconds, (0.25, 0.5, 0.75)).tolist()
    parts = [
        float(np.median(seconds[mask])) if mask.any() else np.nan for mask in (agrees, ~agrees)
    ]
    return Times(len(seconds), median, (low, high), parts[0], parts[1], _ratios(table, seconds))


def _ratios(table: pd.DataFrame, seconds: np.ndarray) -> dict[str, tuple[float, float, float]]:
    rows = table["margin"].notna().to_numpy()
    seen = design(table)
    clusters = Clusters.of(seen) if len(seen) else None
    columns = {
        name: seen[name].to_numpy(float)
        for name in ("margin", "agrees")
        if seen[name].nunique() > 1
    }
    fewest = min(clusters.listeners, clusters.triplets) if clusters else 0
    if clusters is None or fewest < 3 or not columns:
        return {}
    x = np.column_stack([np.ones(len(seen)), *columns.values()])
    groups = np.column_stack([clusters.listener, clusters.triplet])
    with np.errstate(invalid="ignore"):  # a two-way variance can come out below 0
        fitted = OLS(np.log(seconds[rows]), x).fit(
            cov_type="cluster", cov_kwds={"groups": groups}, use_t=True
        )
        half = stats.t.ppf(0.975, fewest - 1) * fitted.bse
    found = {}
    for i, name in enumerate(columns, start=1):
        middle = fitted.params[i]
        limits = np.exp([middle, middle - half[i], middle + half[i]]).tolist()
        if np.isfinite(limits).all():
            found[name] = (limits[0], limits[1], limits[2])
    return found


@dataclass(frozen=True)
class Certainty:
    """Agreement of the answers with one degree of confidence.

    Attributes:
        sure: the answer to "are you sure?".
        n: answers.
        share: agreement with the model.
        interval: two-way clustered, 95 %.
    """

    sure: bool
    n: int
    share: float
    interval: Interval


@dataclass(frozen=True)
class Calibration:
    """Whether listeners are sure where they agree with the model.

    Attributes:
        levels: of the sure and the unsure answers; without those that nobody gave.
        sure_when_agreeing: part of the agreeing answers that are sure.
        sure_when_differing: part of the others that are sure.
    """

    levels: tuple[Certainty, ...]
    sure_when_agreeing: float
    sure_when_differing: float


def calibration(answers: pd.DataFrame) -> Calibration | None:
    """Confidence against agreement; None where nobody was asked."""
    table = judged(answers)
    if not table["sure"].notna().any():
        return None
    table = table[table["sure"].notna()]
    sure, agrees = table["sure"].to_numpy(bool), agreeing(table) > 0.5
    levels = []
    for degree in (True, False):
        part = table[sure == degree]
        if len(part):
            values = agreeing(part)
            interval = clustered(values, Clusters.of(part))
            levels.append(Certainty(degree, len(part), float(values.mean()), interval))
    parts = [float(sure[mask].mean()) if mask.any() else np.nan for mask in (agrees, ~agrees)]
    return Calibration(tuple(levels), *parts)
