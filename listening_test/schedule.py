"""One listener's way through a study: which trials, in which order, with which sound on which side.

Everything follows from the study's seed and the listener's number, so it can be drawn again. The
k-th showing of a triplet and the next one always have their sides exchanged, and every listener
has half of each kind of triplet either way round.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from typing import Final

import numpy as np

from listening_test.study import Settings

GAP: Final = 8
"""Trials between a triplet and its repetition, at least, where a block is long enough."""

_TRIES: Final = 50  # shuffles among which the one with the fewest neighbours alike is taken


@dataclass(frozen=True)
class Asked:
    """What the schedule has to know of a triplet; sounds are known by their ids."""

    id: int
    instrument: str
    set: int
    x: int
    first: int
    second: int


@dataclass(frozen=True)
class Check:
    """What the schedule has to know of a sound for the headphone check."""

    sound: int
    answer: int


@dataclass(frozen=True)
class Planned:
    """A trial to come.

    Attributes:
        kind: ``level``, ``headphones``, ``practice``, ``trial``, ``catch`` or ``repeat``.
        x: id of the sound X, or of the only sound.
        a: id of the sound A; None where there is but one sound.
        b: id of the sound B.
        triplet: id of the triplet; None for level and headphones.
        swapped: whether A is the triplet's second candidate.
        right: the right choice, where there is one: 0 is A, 1 is B; 0 to 2 for headphones.
        attempt: of the headphone check, 1 or 2.
        block: 0, 1, … in the order in which blocks are heard.
        repeat_of: index in the listener's whole list of the trial that comes again.
    """

    kind: str
    x: int
    a: int | None = None
    b: int | None = None
    triplet: int | None = None
    swapped: bool = False
    right: int | None = None
    attempt: int = 0
    block: int = 0
    repeat_of: int | None = None


def plan(
    settings: Settings,
    asked: Sequence[Asked],
    practice: Sequence[Asked],
    checks: Sequence[Check],
    level: int | None,
    *,
    number: int,
) -> list[Planned]:
    """Everything that one listener will hear.

    Args:
        settings: of the study.
        asked: its triplets, in the order of their numbers.
        practice: triplets for practice; their first candidate is right.
        checks: the sounds of the headphone check.
        level: the sound for setting the level, if there is one.
        number: of the listener, from 0.

    Returns:
        The trials in their order.
    """
    rng = np.random.default_rng([settings.seed, number, 2])
    found = [] if level is None else [Planned("level", level)]
    if settings.headphones != "off" and checks:
        for attempt in (1, 2) if settings.headphones == "gate" else (1,):
            for i in rng.permutation(len(checks)):
                check = checks[i]
                found.append(
                    Planned("headphones", check.sound, right=check.answer, attempt=attempt)
                )
    for i in range(min(settings.practice, len(practice))):
        trial = _trial(practice[i], bool(rng.integers(2)), "practice")
        found.append(replace(trial, right=int(trial.swapped)))
    sides = _sides(settings, asked, number)
    blocks = _blocks(settings, [asked[i] for i in sides], number, rng)
    swapped = {asked[i].id: side for i, side in sides.items()}
    catches, repeats = (_shares(n, len(blocks)) for n in (settings.catch, settings.repeats))
    for b, block in enumerate(blocks):
        trials = [_trial(item, swapped[item.id], "trial") for item in _shuffled(block, rng)]
        for trial in _with_extras(trials, block, repeats[b], catches[b], rng):
            of = trial.repeat_of
            absolute = None if of is None else _position(found, of)
            found.append(replace(trial, block=b, repeat_of=absolute))
    return found


def _trial(item: Asked, swapped: bool, kind: str) -> Planned:
    a, b = (item.second, item.first) if swapped else (item.first, item.second)
    return Planned(kind, item.x, a, b, item.id, swapped)


def _position(found: Sequence[Planned], triplet: int) -> int:
    """Where a triplet was asked for the first time."""
    return next(i for i, t in enumerate(found) if t.triplet == triplet and t.kind == "trial")


def _strata(asked: Sequence[Asked]) -> list[list[int]]:
    """Indices of the triplets of each instrument and set."""
    strata: defaultdict[Hashable, list[int]] = defaultdict(list)
    for i, item in enumerate(asked):
        strata[item.instrument, item.set].append(i)
    return list(strata.values())


def _sides(settings: Settings, asked: Sequence[Asked], number: int) -> dict[int, bool]:
    """The triplets that this listener gets, by index, and whether their sides are exchanged.

    The triplets are dealt out like cards, from a pack in which the kinds take turns: after any
    number of listeners no triplet was shown twice more often than another.
    """
    total = len(asked)
    hand = min(settings.trials or total, total)
    rng = np.random.default_rng([settings.seed, 0])
    kinds = [rng.permutation(stratum).tolist() for stratum in _strata(asked)]
    pack = [i for turn in zip_longest(*kinds) for i in turn if i is not None]
    dealt = {}
    bits: dict[int, np.ndarray] = {}
    for card in range(number * hand, (number + 1) * hand):
        showing, place = divmod(card, total)
        pair = showing // 2
        if pair not in bits:
            bits[pair] = _bits(asked, settings.seed, pair)
        index = pack[place]
        dealt[index] = bool(bits[pair][index]) ^ bool(showing % 2)
    return dealt


def _bits(asked: Sequence[Asked], seed: int, pair: int) -> np.ndarray:
    """For each triplet whether its sides are exchanged; in every kind as many as are not."""
    rng = np.random.default_rng([seed, pair, 1])
    bits = np.zeros(len(asked), np.bool_)
    odd = bool(rng.integers(2))
    for stratum in _strata(asked):
        mixed = rng.permutation(stratum)
        bits[mixed[: (len(mixed) + odd) // 2]] = True
        odd ^= bool(len(mixed) % 2)
    return bits


def _blocks(
    settings: Settings, items: Sequence[Asked], number: int, rng: np.random.Generator
) -> list[list[Asked]]:
    """One block of everything, or one for each instrument in a counterbalanced order."""
    if settings.order == "full":
        return [list(items)]
    names = sorted({item.instrument for item in items})
    names = [names[i] for i in williams_row(len(names), number)]
    return [[item for item in items if item.instrument == name] for name in names]


def williams_row(size: int, number: int) -> list[int]:
    """A row of a Williams square, for the order of blocks.

    Over ``size`` rows (twice as many where it is odd) every condition stands equally often in
    every place, and after every other one.

    Args:
        size: number of conditions.
        number: of the row; rows start again after the last.

    Returns:
        The conditions 0 to ``size`` − 1 in their order.
    """
    zigzag = [(i + 1) // 2 if i % 2 else (size - i // 2) % size for i in range(size)]
    row = [(place + number // (1 + size % 2)) % size for place in zigzag]
    return row[::-1] if size % 2 and number % 2 else row


def _shares(total: int, blocks: int) -> list[int]:
    return [total // blocks + (b < total % blocks) for b in range(blocks)]


def _shuffled(items: Sequence[Asked], rng: np.random.Generator) -> list[Asked]:
    """A random order in which as few neighbours as possible have the same X."""
    best, fewest = list(items), len(items) + 1
    for _ in range(_TRIES):
        order = [items[i] for i in rng.permutation(len(items))]
        alike = sum(one.x == other.x for one, other in pairwise(order))
        if alike < fewest:
            best, fewest = order, alike
        if not alike:
            break
    return best


def _with_extras(
    trials: list[Planned],
    items: Sequence[Asked],
    repeats: int,
    catches: int,
    rng: np.random.Generator,
) -> list[Planned]:
    """A block with its repetitions (sides exchanged) and catch trials put in."""
    answer = list(trials)
    gap = min(GAP, max(len(trials) // 3, 1))
    early = trials[: max(len(trials) - gap, repeats)]
    for i in sorted(rng.permutation(len(early))[:repeats], reverse=True):
        first = early[i]
        again = replace(
            first, kind="repeat", a=first.b, b=first.a, swapped=not first.swapped,
            repeat_of=first.triplet,
        )  # fmt: skip
        least = min(answer.index(first) + gap + 1, len(answer))
        answer.insert(int(rng.integers(least, len(answer) + 1)), again)
    places = _spread(len(answer), catches, rng)
    sides = rng.permutation(np.arange(catches) % 2)
    chosen = rng.permutation(len(items))
    for k, place in reversed(list(enumerate(places))):
        answer.insert(place, _catch(items[chosen[k % len(items)]], bool(sides[k])))
    return answer


def _catch(item: Asked, swapped: bool) -> Planned:
    """A trial in which one candidate is X itself."""
    a, b = (item.second, item.x) if swapped else (item.x, item.second)
    return Planned("catch", item.x, a, b, item.id, swapped, right=int(swapped))


def _spread(length: int, count: int, rng: np.random.Generator) -> Iterable[int]:
    """Places for catch trials: evenly over the block, neither at its start nor at its end."""
    edges = np.linspace(0, length, count + 1)
    return [
        int(rng.integers(low, max(high, low + 1)))
        for low, high in (
            (int(edges[k] + 0.25 * (edges[k + 1] - edges[k])), int(edges[k + 1]))
            for k in range(count)
        )
    ]
