"""What agreement is possible at all: how far listeners agree with each other and themselves.

A model cannot agree with listeners more often than they agree among themselves. Three views:

- others: Krippendorff's alpha (2011, nominal; ``krippendorff``) and the part of pairs of answers
  to one triplet that are equal;
- the noise ceiling, after Nili et al. (2014, PLoS Comput. Biol. 10(4), e1003553): a model that
  takes the majority's choice agrees with the answers so often (upper bound, since each listener is
  part of the majority), and each listener with the majority of the others so often (lower bound);
- themselves: of repeats a part c is answered alike. Who takes a preferred candidate with
  probability q answers alike with c = q² + (1 - q)², so no model can agree with such a listener
  more often than q = (1 + √(2c - 1)) / 2, on average over triplets (by Jensen's inequality).
"""

from dataclasses import dataclass
from typing import Final

import krippendorff
import numpy as np
import pandas as pd

from results.data import Clusters, Floats, narrow, trials
from results.intervals import UNKNOWN, Interval, clustered

_DRAWS: Final = 1000
_SEED: Final = 20


@dataclass(frozen=True)
class Ceiling:
    """How far listeners agree; NaN where it cannot be said.

    Attributes:
        triplets: those that at least two listeners answered.
        alpha: Krippendorff's alpha over listeners; 0 is chance, 1 full agreement.
        alpha_interval: 95 % percentile bootstrap over triplets.
        pairs: part of the pairs of answers to one triplet that are equal.
        majority: part of the answers that are the majority's (upper bound of the ceiling).
        others: part that is the majority's of the other listeners; a tie counts half (lower
            bound).
        repeats: answered repeats.
        consistency: part of them answered as before.
        consistency_interval: two-way clustered, 95 %.
        attainable: greatest agreement that this consistency allows.
        catch_trials: answered catch trials.
        catch: part of them right.
        catch_interval: over listeners and triplets, 95 %.
    """

    triplets: int
    alpha: float
    alpha_interval: Interval
    pairs: float
    majority: float
    others: float
    repeats: int
    consistency: float
    consistency_interval: Interval
    attainable: float
    catch_trials: int
    catch: float
    catch_interval: Interval


def ceiling(answers: pd.DataFrame) -> Ceiling:
    """How far listeners agree with each other and with themselves."""
    answers = narrow(answers)
    counts = votes(trials(answers))
    shared = counts[counts.sum(1) > 1]
    alpha, interval = _alpha(shared)
    n = shared.sum(1)
    pairs = others = majority = np.nan
    if len(shared):
        equal = (shared * (shared - 1)).sum(1)
        pairs = float(equal.sum() / (n * (n - 1)).sum())
        majority = float(shared.max(1).sum() / n.sum())
        others = float(_with_the_others(shared).sum() / n.sum())
    kinds = answers["kind"]
    again = answers[kinds.eq("repeat") & answers["repeated_same"].notna()]
    caught = answers[kinds.eq("catch") & answers["right"].notna()]
    same, same_interval = _part(again, "repeated_same")
    right, right_interval = _part(caught, "right")
    return Ceiling(
        len(shared), alpha, interval, pairs, majority, others, len(again), same, same_interval,
        attainable(same), len(caught), right, right_interval,
    )  # fmt: skip


def votes(table: pd.DataFrame) -> Floats:
    """[triplets, 2]: how many took the first candidate, and how many the second."""
    clusters = Clusters.of(table)
    first = table["chosen_first"].to_numpy(float)
    taken = np.bincount(clusters.triplet, first, clusters.triplets)
    return np.column_stack([taken, np.bincount(clusters.triplet, 1 - first, clusters.triplets)])


def attainable(consistency: float) -> float:
    """Q = (1 + √(2c - 1)) / 2; one half where repeats are answered no better than by chance."""
    if np.isnan(consistency):
        return np.nan
    return (1 + float(np.sqrt(max(2 * consistency - 1, 0)))) / 2


def _part(table: pd.DataFrame, column: str) -> tuple[float, Interval]:
    if not len(table):
        return np.nan, UNKNOWN
    values = table[column].to_numpy(float)
    return float(values.mean()), clustered(values, Clusters.of(table))


def _with_the_others(counts: Floats) -> Floats:
    """[triplets, 2] answers that are the majority's of the others; a tie counts half."""
    mine, theirs = counts - 1, counts[:, ::-1]
    return np.asarray(counts * np.where(mine == theirs, 0.5, (mine > theirs).astype(float)))


def _alpha(counts: Floats) -> tuple[float, Interval]:
    """Alpha, and its interval over triplets drawn again.

    Drawing is multiplying each triplet's counts in the coincidences, of which alpha is a function;
    so the package is asked once, and the draws need no more than two sums.
    """
    if len(counts) == 0 or (counts.sum(0) == 0).any():
        return np.nan, UNKNOWN  # with one value alone alpha is not defined
    alpha = float(
        krippendorff.alpha(value_counts=counts.astype(int), level_of_measurement="nominal")
    )
    if len(counts) < 2:
        return alpha, UNKNOWN
    n = counts.sum(1)
    unequal = 2 * counts[:, 0] * counts[:, 1] / (n - 1)
    rng = np.random.default_rng(_SEED)
    drawn = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), _DRAWS)
    first, second = (drawn @ counts[:, k] for k in (0, 1))
    total = first + second
    with np.errstate(divide="ignore", invalid="ignore"):
        alphas = 1 - (total - 1) * (drawn @ unequal) / (2 * first * second)
    low, high = np.nanquantile(alphas, (0.025, 0.975)).tolist()
    return alpha, Interval(low, high, float(np.nanstd(alphas)), np.inf)
