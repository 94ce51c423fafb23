"""How much each subspace matters to listeners: a focus fitted to their answers.

    P(first is taken) = logistic(Σ_c w_c (d_c(x, second)² - d_c(x, first)²)),   w_c ≥ 0

Search ranks by √(Σ_c w_c d_c²) (``csn.search``), so these are exactly its weights, and a fitted
focus takes the nearer candidate under them. Fitted is the mean log-likelihood of the answers less
λ‖w‖², with squared differences in units of their common root mean square. λ is chosen by
cross-validation in which neither the listeners nor the triplets of the judged answers were seen;
the agreement on held-out answers comes from an outer one around it. The uncertainty comes from
drawing both listeners and triplets again (the pigeonhole bootstrap; Owen 2007, Ann. Appl. Stat.
1, 386-411), which errs on the wide side.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import expit

from csn.instruments import INSTRUMENTS
from results.agreement import ALL
from results.data import Clusters, Floats, Integers, trials
from results.errors import ResultsError
from results.intervals import Interval, clustered, difference
from results.spaces import taken_right

FOLDS: Final = 4
PENALTIES: Final = (1e-3, 1e-2, 0.05, 0.3)
"""λ among which cross-validation chooses; ours."""

DRAWS: Final = 300
LEAST: Final = 2 * FOLDS
"""Listeners, and triplets, without which nothing can be held out."""


@dataclass(frozen=True)
class Held:
    """Agreement on answers that were held out.

    Attributes:
        name: ``fitted``, ``equal`` (all subspaces alike) or ``own`` (the asked instrument's).
        share: part of the answers with which it agrees.
        interval: two-way clustered, 95 %.
    """

    name: str
    share: float
    interval: Interval


@dataclass(frozen=True)
class Weights:
    """A fitted focus.

    Attributes:
        instrument: what was asked about; ``all`` for everything together.
        source: the model's input whose distances were used, ``mix`` or ``stem``.
        weights: [5] for search, the largest 1.
        shares: [5] the same, adding up to 1.
        low: [5] lower limits of the shares, 95 % percentile bootstrap.
        high: [5] upper limits.
        penalty: λ.
        held: agreement on held-out answers, of the fitted focus and what it must beat.
        gain: interval of the difference between ``fitted`` and ``equal``.
        n: answers.
        listeners: how many.
        triplets: how many.
    """

    instrument: str
    source: str
    weights: Floats
    shares: Floats
    low: Floats
    high: Floats
    penalty: float
    held: tuple[Held, ...]
    gain: Interval
    n: int
    listeners: int
    triplets: int

    @property
    def table(self) -> pd.DataFrame:
        """One row for each subspace."""
        columns = {"weight": self.weights, "share": self.shares, "low": self.low, "high": self.high}
        return pd.DataFrame({"space": INSTRUMENTS} | columns)


@dataclass(frozen=True)
class _Data:
    """Answers by triplet: what a fit needs.

    Attributes:
        pull: [triplets, 5] squared distances, second less first, in common units.
        first: [answers] whether the first was taken.
        clusters: of the answers.
        own: [triplets] index of the instrument that was asked about; -1 for the mix.
    """

    pull: Floats
    first: Floats
    clusters: Clusters
    own: Integers

    def counts(self, weight: Floats) -> Floats:
        """[triplets, 2] weighted answers for the first and for the second candidate."""
        codes, size = self.clusters.triplet, self.clusters.triplets
        taken = np.bincount(codes, weight * self.first, size)
        return np.column_stack([taken, np.bincount(codes, weight, size) - taken])


def fit_weights(
    answers: pd.DataFrame, instrument: str = ALL, source: str = "mix", *, seed: int = 0
) -> Weights:
    """Fit a focus to answers.

    Args:
        answers: the table of answers, with its columns of distances.
        instrument: only answers about it; ``all`` for every answer.
        source: the model's input whose distances are used.
        seed: of the folds and the bootstrap.

    Raises:
        ResultsError: there are too few listeners or triplets, no distances, or the answers
            follow no subspace at all.
    """
    data = _data(answers, instrument, source)
    rng = np.random.default_rng(seed)
    folds = _Folds(data, rng)
    penalty = folds.choose()
    everything = data.counts(np.ones(len(data.first)))
    fitted = fit_counts(data.pull, everything, penalty)
    if not fitted.any():
        raise ResultsError(
            "These answers follow none of the five subspaces, so there is no focus to save."
        )
    low, high = _bootstrap(data, penalty, rng)
    held, gain = folds.judge()
    return Weights(
        instrument, source, fitted / fitted.max(), fitted / fitted.sum(), low, high, penalty,
        held, gain, len(data.first), data.clusters.listeners, data.clusters.triplets,
    )  # fmt: skip


def _data(answers: pd.DataFrame, instrument: str, source: str) -> _Data:
    table = trials(answers)
    if instrument != ALL:
        table = table[table["instrument"] == instrument]
    names = [
        [f"{source}_{space}_{which}" for space in INSTRUMENTS] for which in ("first", "second")
    ]
    if any(name not in table for name in names[0] + names[1]):
        raise ResultsError(f"The answers come without the model's distances for the {source}.")
    table = table[table[names[0] + names[1]].notna().all(axis=1)]
    clusters = Clusters.of(table)
    if min(clusters.listeners, clusters.triplets) < LEAST:
        raise ResultsError(
            f"Fitting weights needs at least {LEAST} listeners and {LEAST} triplets with "
            f"distances, to hold some out; there are {clusters.listeners} and {clusters.triplets}."
        )
    once = table.iloc[np.unique(clusters.triplet, return_index=True)[1]]
    first, second = (once[part].to_numpy(float) for part in names)
    pull = second**2 - first**2
    size = float(np.sqrt((pull**2).mean()))
    if not size > 0:
        raise ResultsError("The model finds both candidates equally far in every triplet.")
    asked = once["instrument"]
    own = np.array([INSTRUMENTS.index(name) if name in INSTRUMENTS else -1 for name in asked])
    return _Data(pull / size, table["chosen_first"].to_numpy(float), clusters, own)


def fit_counts(pull: Floats, counts: Floats, penalty: float) -> Floats:
    """Weights [5] ≥ 0 that fit counted answers best.

    Args:
        pull: [triplets, 5].
        counts: [triplets, 2] answers for the first and the second candidate.
        penalty: λ.
    """
    used = counts.sum(1) > 0
    pull, counts = pull[used], counts[used]
    total = counts.sum()

    def loss(w: Floats) -> tuple[float, Floats]:
        eta = pull @ w
        value = counts[:, 0] @ np.logaddexp(0, -eta) + counts[:, 1] @ np.logaddexp(0, eta)
        slope = counts.sum(1) * expit(eta) - counts[:, 0]
        return value / total + penalty * (w @ w), pull.T @ slope / total + 2 * penalty * w

    found = optimize.minimize(
        loss, np.full(pull.shape[1], 0.2), jac=True, method="L-BFGS-B",
        bounds=[(0, None)] * pull.shape[1], options={"ftol": 1e-10, "maxiter": 100},
    )  # fmt: skip
    return np.where(found.x < 1e-6, 0.0, found.x)


class _Folds:
    """Listeners and triplets in folds; cell (i, j) is held out from every fit that judges it."""

    def __init__(self, data: _Data, rng: np.random.Generator) -> None:
        self.data = data
        c = data.clusters
        self.listener = rng.permutation(np.arange(c.listeners) % FOLDS)[c.listener]
        self.triplet = rng.permutation(np.arange(c.triplets) % FOLDS)
        by_fold = [data.counts((self.listener == i).astype(float)) for i in range(FOLDS)]
        self.counts = np.stack(by_fold)  # [folds, triplets, 2]

    def choose(self, without: tuple[int, int] | None = None) -> float:
        """The λ with the least loss on held-out cells, one fold of both kinds left aside."""
        listeners, triplets = (
            [k for k in range(FOLDS) if without is None or k != without[side]] for side in (0, 1)
        )
        losses = np.zeros(len(PENALTIES))
        for i, j in product(listeners, triplets):
            seen = self._counts([k for k in listeners if k != i], [k for k in triplets if k != j])
            judged = self._counts([i], [j])
            if not judged.sum() or not seen.sum():
                continue
            for k, penalty in enumerate(PENALTIES):
                eta = self.data.pull @ fit_counts(self.data.pull, seen, penalty)
                losses[k] += judged[:, 0] @ np.logaddexp(0, -eta)
                losses[k] += judged[:, 1] @ np.logaddexp(0, eta)
        return PENALTIES[int(losses.argmin())]

    def _counts(self, listeners: list[int], triplets: list[int]) -> Floats:
        summed = self.counts[listeners].sum(0)
        return np.asarray(summed * np.isin(self.triplet, triplets)[:, None])

    def judge(self) -> tuple[tuple[Held, ...], Interval]:
        """Agreement of every answer with a focus that saw neither its listener nor its triplet."""
        data, codes = self.data, self.data.clusters.triplet
        rest = range(FOLDS)
        eta = np.zeros(len(data.first))
        for i, j in product(rest, rest):
            seen = self._counts([k for k in rest if k != i], [k for k in rest if k != j])
            cell = (self.listener == i) & (self.triplet[codes] == j)
            if seen.sum() and cell.any():
                w = fit_counts(data.pull, seen, self.choose((i, j)))
                eta[cell] = (data.pull @ w)[codes[cell]]
        single = np.take_along_axis(data.pull, np.maximum(data.own, 0)[:, None], 1)[:, 0]
        pulls = {"fitted": eta, "equal": data.pull.sum(1)[codes]}
        if (data.own >= 0).all():
            pulls["own"] = single[codes]
        right = {name: _right(pull, data.first) for name, pull in pulls.items()}
        held = tuple(
            Held(name, float(one.mean()), clustered(one, data.clusters))
            for name, one in right.items()
        )
        return held, difference(right["fitted"] - right["equal"], data.clusters)


def _right(pull: Floats, first: Floats) -> Floats:
    return taken_right(-pull, np.zeros_like(pull), first)


def _bootstrap(data: _Data, penalty: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Limits of the shares, by drawing listeners and triplets again, both at once."""
    c = data.clusters
    shares = []
    for _ in range(DRAWS):
        people: NDArray[np.int64] = np.bincount(
            rng.integers(c.listeners, size=c.listeners), minlength=c.listeners
        )
        things = np.bincount(rng.integers(c.triplets, size=c.triplets), minlength=c.triplets)
        w = fit_counts(
            data.pull, data.counts(people[c.listener].astype(float)) * things[:, None], penalty
        )
        if w.any():
            shares.append(w / w.sum())
    low, high = np.quantile(np.array(shares), (0.025, 0.975), axis=0)
    return low, high
