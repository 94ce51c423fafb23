"""How many listeners and triplets a study needs: power and interval width, by simulation.

Studies are simulated with the effects that somebody assumes, or that an earlier study showed, and
analysed as real ones are: a study succeeds where the lower limit of its two-way clustered 95 %
interval is above one half.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from listening_test.study import Settings
from results.errors import ResultsError
from results.intervals import Parts
from results.mixed import Mixed
from results.simulation import Effects, crossed, marginal

STUDIES: Final = 1000
_AT_ONCE: Final = 4_000_000  # simulated answers
_MOST: Final = 400_000  # answers of one simulated study


@dataclass(frozen=True)
class Plan:
    """What a study of this size will show.

    Attributes:
        listeners: how many.
        triplets: of each instrument, which every listener answers.
        effects: that were assumed.
        power: part of the simulated studies whose lower limit is above one half.
        power_error: standard error of that part, from the number of simulations.
        half_width: mean half width of the interval.
        coverage: part of the intervals that hold the assumed share.
        minutes: for each listener, with all instruments.
    """

    listeners: int
    triplets: int
    effects: Effects
    power: float
    power_error: float
    half_width: float
    coverage: float
    minutes: float


def plan(
    listeners: int,
    triplets: int,
    effects: Effects | None = None,
    settings: Settings | None = None,
    *,
    studies: int = STUDIES,
    seed: int = 0,
) -> Plan:
    """Simulate studies of one size.

    Args:
        listeners: how many, at least 2.
        triplets: of one instrument, at least 2; every listener answers all of them.
        effects: what is assumed; see ``effects_of`` for those of an earlier study.
        settings: of the study, for the minutes; its number of trials is set by ``triplets``.
        studies: how many are simulated.
        seed: of the simulation.

    Raises:
        ResultsError: the numbers make no study, or one too large to simulate.
    """
    assumed = effects or Effects()
    if listeners < 2 or triplets < 2:
        raise ResultsError("A plan needs at least two listeners and two triplets.")
    if listeners * triplets > _MOST:
        raise ResultsError(f"A plan holds at most {_MOST:,} answers to one instrument.")
    if not 0 < assumed.share < 1 or assumed.listener_sd < 0 or assumed.triplet_sd < 0:
        raise ResultsError("A plan needs an agreement between 0 and 1 and spreads of at least 0.")
    rng = np.random.default_rng([seed, listeners, triplets])
    chunk = max(min(_AT_ONCE // (listeners * triplets), studies), 1)
    limits = []
    for start in range(0, studies, chunk):
        made = crossed(rng, min(chunk, studies - start), listeners, triplets, assumed)
        limits.append(np.stack(Parts.of_grids(made).limits()))
    low, high = np.concatenate(limits, axis=1)
    power = float((low > 0.5).mean())
    held = float(((low <= assumed.share) & (assumed.share <= high)).mean())
    return Plan(
        listeners, triplets, assumed, power, float(np.sqrt(power * (1 - power) / studies)),
        float((high - low).mean() / 2), held, minutes(triplets, settings or Settings()),
    )  # fmt: skip


def minutes(triplets: int, settings: Settings) -> float:
    """How long one listener will need for so many triplets of each instrument."""
    sets = len(settings.sets) if settings.protocol == "track" else 1
    if settings.protocol == "triplets":
        return replace(settings, trials=triplets * max(len(settings.instruments), 1)).minutes
    each = -(-triplets // max(sets, 1))
    return replace(settings, per_instrument=each, trials=None).minutes


def grid(
    listeners: Iterable[int],
    triplets: Iterable[int],
    effects: Effects | None = None,
    settings: Settings | None = None,
    *,
    studies: int = STUDIES,
    seed: int = 0,
) -> pd.DataFrame:
    """Plans of several sizes: one row each, with the fields of ``Plan``.

    Raises:
        ResultsError: see ``plan``.
    """
    sizes = [(a, b) for a in listeners for b in triplets]
    rows = [asdict(plan(a, b, effects, settings, studies=studies, seed=seed)) for a, b in sizes]
    names = [name for name in Plan.__annotations__ if name != "effects"]
    return pd.DataFrame(rows, columns=names)


def effects_of(fitted: Mixed) -> Effects:
    """The effects that a study showed, for planning the next one.

    Triplets differ by their margins, too, so that part is put back into their spread; sides
    balance out and are left aside.
    """
    names = [term.name for term in fitted.terms]
    slope = fitted.coefficients[names.index("margin")] if "margin" in names else 0.0
    triplet_sd = float(np.hypot(fitted.triplet_sd, slope))
    middle = float(fitted.middle @ fitted.coefficients)
    spread = float(np.hypot(fitted.listener_sd, triplet_sd))
    return Effects(float(marginal(middle, spread)), fitted.listener_sd, triplet_sd)
