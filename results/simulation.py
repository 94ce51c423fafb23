"""Answers of listeners who are no people, made at once rather than one by one.

``listening_test.simulate`` sends listeners through a real study; this makes only the table, fast
enough for thousands of studies. Every table is marked as simulated.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import expit

from csn.instruments import INSTRUMENTS
from listening_test.triplets import INPUTS, WHOLE
from results.data import Floats

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)


@dataclass(frozen=True)
class Effects:
    """How simulated listeners differ; all numbers but ``share`` are log-odds.

    Attributes:
        share: agreement with the model over all listeners and triplets.
        listener_sd: standard deviation between listeners.
        triplet_sd: standard deviation between triplets, the margin's part included.
    """

    share: float = 0.7
    listener_sd: float = 0.5
    triplet_sd: float = 1.0

    @property
    def spread(self) -> float:
        """Standard deviation of both together."""
        return float(np.hypot(self.listener_sd, self.triplet_sd))

    @property
    def intercept(self) -> float:
        """Log-odds of the middle listener and triplet that make this share."""
        return float(
            optimize.brentq(lambda b: float(marginal(b, self.spread)) - self.share, -60, 60)
        )


def marginal(log_odds: float | Floats, sd: float) -> Floats:
    """Mean probability over a normal effect: ∫ logistic(η + sd·z) φ(z) dz, by Gauss and Hermite.

    Args:
        log_odds: [...] η.
        sd: of the effect.
    """
    eta = np.asarray(log_odds, float)[..., None] + sd * _NODES
    return np.asarray((expit(eta) * _WEIGHTS).sum(-1) / _WEIGHTS.sum())


def crossed(
    rng: np.random.Generator, studies: int, listeners: int, triplets: int, effects: Effects
) -> NDArray[np.uint8]:
    """Answers of many studies in which every listener answers every triplet.

    Returns:
        [studies, listeners, triplets] 1 where listener and model agree.
    """
    shape = (studies, listeners, triplets)
    eta = rng.normal(0, effects.listener_sd, (studies, listeners, 1)).astype(np.float32)
    eta = eta + rng.normal(effects.intercept, effects.triplet_sd, (studies, 1, triplets)).astype(
        np.float32
    )
    return (rng.random(shape, np.float32) < expit(eta)).astype(np.uint8)


@dataclass(frozen=True)
class Crowd:
    """Who takes part in a simulated study, and what they hear.

    Attributes:
        listeners: how many.
        triplets: how many for each instrument.
        instruments: what is asked about.
        slope: log-odds for a difference of one standard deviation.
        side: log-odds of taking A.
        listener_sd: between listeners.
        triplet_sd: between triplets.
        weights: of the five subspaces, if listeners weigh squared distances in them; None if
            they follow the margin of the instrument that is asked about.
        catch: catch trials for each listener.
        repeats: repeats for each listener.
        seed: of everything.
    """

    listeners: int = 15
    triplets: int = 16
    instruments: tuple[str, ...] = INSTRUMENTS[:4]
    slope: float = 1.2
    side: float = 0.1
    listener_sd: float = 0.4
    triplet_sd: float = 0.7
    weights: tuple[float, ...] | None = None
    catch: int = 0
    repeats: int = 0
    seed: int = 0


def simulated_answers(crowd: Crowd) -> pd.DataFrame:
    """A table of answers, with the columns of the codebook that ``results`` reads."""
    rng = np.random.default_rng(crowd.seed)
    items = _triplets(crowd, rng)
    n, people = len(items), crowd.listeners
    pull = items.pop("pull").to_numpy(float) + rng.normal(0, crowd.triplet_sd, n)
    lean = rng.normal(0, crowd.listener_sd, people)
    toward = np.where(items["margin"] > 0, 1.0, -1.0)  # who agrees more agrees with the model more
    odds = pull + lean[:, None] * toward
    order = np.argsort(rng.random((people, n)), axis=1)
    rows = [_answers(rng, crowd, odds, (np.arange(people).repeat(n), order.ravel()), "trial")]
    rows[0]["position"] = np.tile(np.arange(n), people)
    if crowd.repeats:
        again = order[:, : crowd.repeats]
        who = np.arange(people).repeat(again.shape[1])
        more = _answers(rng, crowd, odds, (who, again.ravel()), "repeat")
        more["repeat_of"] = np.tile(np.arange(again.shape[1]), people).astype(float)
        before = rows[0].set_index(["listener_id", "position"])["chosen_first"]
        keys = pd.MultiIndex.from_arrays([more["listener_id"], more["repeat_of"].astype(int)])
        more["repeated_same"] = before.reindex(keys).to_numpy() == more["chosen_first"].to_numpy()
        rows.append(more)
    if crowd.catch:
        who = np.arange(people).repeat(crowd.catch)
        rows.append(_caught(rng, crowd, who))
    table = pd.concat(rows, ignore_index=True).merge(items, on="triplet_id", how="left")
    first = table["margin"] > 0
    model_a = first != table["swapped"]
    known = table["kind"].ne("catch")
    table["model_choice"] = pd.Series(np.where(model_a, "A", "B"), dtype="str").where(known)
    table["agrees"] = (table["chosen_first"] == first).astype("boolean").where(known)
    table.loc[~known, "margin"] = np.nan
    return table.assign(
        study="Simulated", study_id=1, version=1, simulated=True, protocol="track", focus="overall",
        stimuli="stem", source="mix", space=table["instrument"], excluded=False, exclusion=None,
        listener=table["listener_id"], external_id=None,
    )  # fmt: skip


def _triplets(crowd: Crowd, rng: np.random.Generator) -> pd.DataFrame:
    n = crowd.triplets * len(crowd.instruments)
    instruments = np.repeat(crowd.instruments, crowd.triplets)
    found: dict[str, object] = {
        "triplet_id": np.arange(n) + 1, "triplet": np.arange(n) + 1, "instrument": instruments,
        "set": np.tile([1, 2], n)[:n],
    }  # fmt: skip
    rows, own = np.arange(n), np.array([INSTRUMENTS.index(name) for name in instruments])
    weights = None if crowd.weights is None else np.asarray(crowd.weights, float)
    for source in reversed(INPUTS):  # the last, the mix, is what listeners follow
        pairs = rng.uniform(0.2, 1.8, (n, len(INSTRUMENTS), 2))
        for c, space in enumerate(INSTRUMENTS):
            found[f"{source}_{space}_first"], found[f"{source}_{space}_second"] = pairs[:, c].T
        whole = np.sqrt((pairs**2).sum(1))
        found[f"{source}_{WHOLE}_first"], found[f"{source}_{WHOLE}_second"] = whole.T
        margin = pairs[rows, own, 1] - pairs[rows, own, 0]
        squares = pairs[..., 1] ** 2 - pairs[..., 0] ** 2
        pull = margin if weights is None else squares @ weights
    found["margin"] = margin
    table = pd.DataFrame(found)
    return table.assign(pull=crowd.slope * pull / (np.std(pull) or 1.0))


def _answers(
    rng: np.random.Generator, crowd: Crowd, odds: Floats, pairs: tuple[NDArray, NDArray], kind: str
) -> pd.DataFrame:
    who, what = pairs
    n = len(who)
    swapped = (who + what + (kind == "repeat")) % 2 == 1
    toward_first = odds[who, what] + np.where(swapped, -crowd.side, crowd.side)
    chance = expit(toward_first)
    first = rng.random(n) < chance
    clear = np.maximum(chance, 1 - chance)
    return pd.DataFrame(
        {
            "listener_id": who + 1, "triplet_id": what + 1, "kind": kind, "position": n,
            "swapped": swapped, "chosen_first": first,
            "choice": np.where(first != swapped, "A", "B"), "sure": rng.random(n) < clear,
            "elapsed": rng.lognormal(3.2 - 0.3 * clear, 0.4), "right": pd.array([None] * n),
            "repeat_of": np.nan, "repeated_same": pd.array([None] * n),
        }
    )  # fmt: skip


def _caught(rng: np.random.Generator, crowd: Crowd, who: NDArray) -> pd.DataFrame:
    """Catch trials: nearly always right."""
    what = np.tile(np.arange(crowd.catch), crowd.listeners)
    sure = np.full((crowd.listeners, crowd.catch), 4.0)
    table = _answers(rng, crowd, sure, (who, what), "catch")
    return table.assign(right=table["chosen_first"])
