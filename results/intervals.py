"""How sure a share of answers is: two-way clustered intervals, and the papers' plain one.

Answers of one listener resemble each other, and so do answers to one triplet. The variance of
Cameron, Gelbach and Miller (2011, "Robust inference with multiway clustering", J. Bus. Econ.
Stat. 29, 238-249) adds up both and takes off what was counted twice:

    V = V_listener + V_triplet - V_answer,   V_g = G/(G-1) · Σ_g (Σ_{i∈g} (y_i - p))² / n²

It knows as much as there are clusters: the quantile is Student's t with Satterthwaite's degrees of
freedom, never fewer than the smaller number of clusters less one. A share near 0 or 1 needs an
interval that is not symmetric: Wilson's, with the number of independent answers that would have
this variance, p(1-p)/V, as Dean and Pagano (2015, J. Surv. Stat. Methodol. 3, 484-503) recommend
for shares in cluster samples. ``python -m bench.coverage`` shows how often it holds the truth.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, stats

from results.data import Clusters, Floats

CONFIDENCE: Final = 0.95
_Z: Final = float(stats.norm.ppf(0.975))


@dataclass(frozen=True)
class Interval:
    """An interval of a share; numbers are NaN where there is nothing to go by.

    Attributes:
        low: lower limit.
        high: upper limit.
        error: standard error.
        df: degrees of freedom of the t quantile.
    """

    low: float
    high: float
    error: float
    df: float

    @property
    def known(self) -> bool:
        """Whether there is an interval at all."""
        return bool(np.isfinite(self.low))


UNKNOWN: Final = Interval(np.nan, np.nan, np.nan, np.nan)


def plain(values: ArrayLike) -> Interval:
    """The papers' interval, p ± 1.96·s/√n, which takes all answers for independent.

    s is the sample deviation, with n - 1. So computed it gives every ± of CSN's table 3 (see
    ``published``).

    Args:
        values: [answers] of 0 and 1.
    """
    y = np.asarray(values, float)
    if len(y) < 2:
        return UNKNOWN
    p, error = float(y.mean()), float(y.std(ddof=1) / np.sqrt(len(y)))
    return Interval(p - _Z * error, p + _Z * error, error, np.inf)


def clustered(values: ArrayLike, clusters: Clusters, confidence: float = CONFIDENCE) -> Interval:
    """The two-way clustered interval of a mean of numbers between 0 and 1.

    Args:
        values: [answers] between 0 and 1.
        clusters: of the same answers.
        confidence: how often the truth shall be in it.

    Returns:
        Unknown where fewer than two listeners or two triplets answered: nothing can then be
        said of others.
    """
    parts = _parts(np.asarray(values, float), clusters)
    if parts is None:
        return UNKNOWN
    low, high = parts.limits(confidence)
    return Interval(float(low), float(high), float(np.sqrt(parts.variance)), float(parts.df))


def difference(values: ArrayLike, clusters: Clusters, confidence: float = CONFIDENCE) -> Interval:
    """The two-way clustered interval of a mean of numbers of any size, mean ± t·√V.

    Args:
        values: [answers], such as differences between two models on the same answers.
        clusters: of the same answers.
        confidence: how often the truth shall be in it.
    """
    y = np.asarray(values, float)
    parts = _parts(y, clusters)
    if parts is None:
        return UNKNOWN
    error, df = float(np.sqrt(parts.variance)), float(parts.df)
    half = error * float(stats.t.ppf(0.5 + confidence / 2, df))
    return Interval(float(y.mean()) - half, float(y.mean()) + half, error, df)


def shares_of(
    values: Floats, clusters: Clusters, confidence: float = CONFIDENCE
) -> tuple[Floats, Floats, Floats]:
    """Means and two-way clustered limits of many columns at once, as ``clustered`` of each.

    Args:
        values: [answers, k] between 0 and 1.
        clusters: of the same answers.
        confidence: how often the truth shall be in an interval.

    Returns:
        Means, lower and upper limits, each [k]; limits are NaN where there are none.
    """
    parts = _parts(values, clusters)
    if parts is None:
        unknown = np.full(values.shape[1], np.nan)
        return values.mean(0), unknown, unknown
    return parts.share, *parts.limits(confidence)


def _parts(y: Floats, clusters: Clusters) -> "Parts | None":
    """What intervals of y, [answers] or [answers, k], are made of.

    None with fewer than two listeners or triplets.
    """
    people, things = clusters.listeners, clusters.triplets
    if people < 2 or things < 2:
        return None
    n, p = len(y), y.mean(0)
    away = y - p
    by_listener = _summed(clusters.listener, away, people)
    by_triplet = _summed(clusters.triplet, away, things)
    if clusters.pair is None:
        by_answer, pairs = (away**2).sum(0), n
    else:
        pairs = int(clusters.pair.max()) + 1
        by_answer = _summed(clusters.pair, away, pairs)
    return Parts(
        np.array(p),
        np.array(by_listener / n**2 * people / (people - 1)),
        np.array(by_triplet / n**2 * things / (things - 1)),
        np.array(by_answer / n**2 * pairs / max(pairs - 1, 1)),
        people,
        things,
    )


def _summed(codes: NDArray[np.int64], away: Floats, groups: int) -> Floats:
    """Σ_g (Σ_{i∈g} away_i)², for each column."""
    places = (codes, np.arange(len(codes)))
    member = sparse.csr_array((np.ones(len(codes)), places), shape=(groups, len(codes)))
    return np.asarray(((member @ away) ** 2).sum(0))


@dataclass(frozen=True)
class Parts:
    """What the interval is made of, for one study or for many at once.

    Attributes:
        share: [...] means.
        by_listener: [...] V_listener.
        by_triplet: [...] V_triplet.
        by_answer: [...] V_answer.
        listeners: number of listeners.
        triplets: number of triplets.
    """

    share: Floats
    by_listener: Floats
    by_triplet: Floats
    by_answer: Floats
    listeners: int
    triplets: int

    @classmethod
    def of_grids(cls, answers: NDArray[np.floating] | NDArray[np.integer]) -> "Parts":
        """Of many simulated studies in which every listener answers every triplet.

        Args:
            answers: [studies, listeners, triplets] of 0 and 1.
        """
        _, people, things = answers.shape
        n = people * things
        p = answers.mean((1, 2), dtype=np.float64)
        rows = answers.sum(2, dtype=np.float64) - things * p[:, None]
        columns = answers.sum(1, dtype=np.float64) - people * p[:, None]
        return cls(
            p,
            (rows**2).sum(1) / n**2 * people / (people - 1),
            (columns**2).sum(1) / n**2 * things / (things - 1),
            p * (1 - p) / (n - 1),  # because y² = y
            people,
            things,
        )

    @property
    def variance(self) -> Floats:
        """V, never below that of independent answers."""
        both = self.by_listener + self.by_triplet - self.by_answer
        return np.maximum(both, self.by_answer)

    @property
    def fewest(self) -> int:
        """The smaller number of clusters."""
        return min(self.listeners, self.triplets)

    @property
    def df(self) -> Floats:
        """Satterthwaite's degrees of freedom of V."""
        spread = self.by_listener**2 / (self.listeners - 1)
        spread = spread + self.by_triplet**2 / (self.triplets - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(spread > 0, self.variance**2 / spread, 0.0)
        return np.maximum(found, self.fewest - 1)

    def limits(self, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
        """Lower and upper limits, each [...].

        Where all answers are alike, nothing tells how they hang together; then each listener (or
        triplet, whichever are fewer) counts as a single answer.
        """
        k = stats.t.ppf(0.5 + confidence / 2, self.df)
        p, variance = self.share, self.variance
        inside = variance > 1e-15
        n = np.where(inside, p * (1 - p) / np.where(inside, variance, 1.0), float(self.fewest))
        middle = (p + k**2 / (2 * n)) / (1 + k**2 / n)
        half = k * np.sqrt(np.maximum(p * (1 - p) / n + k**2 / (4 * n**2), 0)) / (1 + k**2 / n)
        return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)

    def p_above(self, share: float = 0.5) -> Floats:
        """One-sided p [...] of the t test that the true share is not above ``share``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (self.share - share) / np.sqrt(self.variance)
        return np.asarray(stats.t.sf(np.nan_to_num(t, posinf=np.inf, neginf=-np.inf), self.df))
