"""How often listeners take what the model takes: CSN's table 3 and IND's table 4 and figure 5."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy import stats

from results.data import Clusters, Floats, agreeing, instruments_of, judged
from results.intervals import clustered, plain

TOTAL = "total"
ALL = "all"


@dataclass(frozen=True)
class Share:
    """One cell of the table: how often listeners agree with the model.

    Attributes:
        instrument: what was asked about; ``all`` for everything together.
        set: ``1`` for {x, a, b}, ``2`` for {x, y, c}, or ``total``.
        n: answers.
        agreeing: those that take what the model takes.
        listeners: who gave them.
        triplets: to how many triplets.
        share: agreeing / n.
        low: lower limit of the two-way clustered 95 % interval; NaN where there is none.
        high: its upper limit.
        plain: half width of the papers' interval, which takes answers for independent.
        p: exact binomial test against one half, one-sided; too small wherever answers of one
            listener or to one triplet resemble each other.
        p_holm: the same after Holm's correction over the instruments' totals; NaN elsewhere.
        p_clustered: one-sided t test with the clustered standard error.
        p_clustered_holm: the same after Holm's correction.
    """

    instrument: str
    set: str
    n: int
    agreeing: int
    listeners: int
    triplets: int
    share: float
    low: float
    high: float
    plain: float
    p: float
    p_holm: float = np.nan
    p_clustered: float = np.nan
    p_clustered_holm: float = np.nan


@dataclass(frozen=True)
class Agreement:
    """Agreement with the model, by instrument and set.

    Attributes:
        rows: the cells of the table; for each instrument its sets, then its total; last ``all``.
    """

    rows: tuple[Share, ...]

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a table."""
        return pd.DataFrame([asdict(row) for row in self.rows], columns=list(Share.__annotations__))

    @property
    def totals(self) -> tuple[Share, ...]:
        """One row for each instrument."""
        return tuple(row for row in self.rows if row.set == TOTAL and row.instrument != ALL)

    @property
    def overall(self) -> Share | None:
        """Everything together; None without answers."""
        return self.rows[-1] if self.rows else None

    def cell(self, instrument: str, which: str = TOTAL) -> Share:
        """One cell of the table.

        Raises:
            KeyError: there is none.
        """
        for row in self.rows:
            if (row.instrument, row.set) == (instrument, which):
                return row
        raise KeyError((instrument, which))


def agreement(answers: pd.DataFrame) -> Agreement:
    """How often listeners take what the model takes.

    Args:
        answers: the table of answers.

    Raises:
        ResultsError: the answers cannot be analysed together.
    """
    table = judged(answers)
    rows: list[Share] = []
    for name in instruments_of(table):
        own = table[table["instrument"] == name]
        sets = sorted(set(own["set"].dropna().astype(int)) - {0})
        rows += [share(own[own["set"] == number], name, str(number)) for number in sets]
        rows.append(share(own, name, TOTAL))
    if rows:
        rows = [*_corrected(rows), share(table, ALL, TOTAL)]
    return Agreement(tuple(rows))


def share(table: pd.DataFrame, instrument: str, which: str) -> Share:
    """One cell from its answers; at least one."""
    values, clusters = agreeing(table), Clusters.of(table)
    n, k = len(values), int(values.sum())
    interval, simple = clustered(values, clusters), plain(values)
    return Share(
        instrument, which, n, k, clusters.listeners, clusters.triplets, k / n,
        interval.low, interval.high, (simple.high - simple.low) / 2,
        float(stats.binomtest(k, n, 0.5, alternative="greater").pvalue),
        p_clustered=_clustered_p(k / n, interval.error, interval.df),
    )  # fmt: skip


def _clustered_p(value: float, error: float, df: float) -> float:
    """One-sided; without any variance there is no such test."""
    return float(stats.t.sf((value - 0.5) / error, df)) if error > 0 else np.nan


def _corrected(rows: list[Share]) -> list[Share]:
    """Holm's correction over the instruments' totals."""
    totals = [i for i, row in enumerate(rows) if row.set == TOTAL]
    exact = holm(np.array([rows[i].p for i in totals]))
    by_cluster = holm(np.array([rows[i].p_clustered for i in totals]))
    fixed = list(rows)
    for i, one, two in zip(totals, exact, by_cluster, strict=True):
        fixed[i] = Share(**asdict(rows[i]) | {"p_holm": float(one), "p_clustered_holm": float(two)})
    return fixed


def holm(p: Floats) -> Floats:
    """Holm's correction [tests] of those p that are known; NaN stays NaN (Holm 1979, section 2).

    statsmodels has it, but collects all garbage at every call: a quarter of the time in which a
    page of 100,000 answers opens.
    """
    fixed = np.full(len(p), np.nan)
    order = np.argsort(p)[: int(np.isfinite(p).sum())]  # NaN comes last
    steps = p[order] * np.arange(len(order), 0, -1)
    fixed[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return fixed


@dataclass(frozen=True)
class Sureness:
    """One of IND's stacked bars (figure 5): answers by agreement and confidence.

    Attributes:
        instrument: the criterion.
        true_sure: True+, agreeing and sure.
        true_unsure: True-.
        false_unsure: False-.
        false_sure: False+, not agreeing and sure.
    """

    instrument: str
    true_sure: int
    true_unsure: int
    false_unsure: int
    false_sure: int


def sureness(answers: pd.DataFrame) -> tuple[Sureness, ...]:
    """IND's stacked bars; empty where nobody was asked "are you sure?"."""
    table = judged(answers)
    table = table[table["sure"].notna()]
    right, sure = table["agrees"].eq(True), table["sure"].eq(True)
    bars = []
    for name in instruments_of(table):
        own = table["instrument"] == name
        counts = [
            int((own & (right == agrees) & (sure == certain)).sum())
            for agrees, certain in ((True, True), (True, False), (False, False), (False, True))
        ]
        bars.append(Sureness(name, *counts))
    return tuple(bars)
