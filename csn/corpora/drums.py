"""Drums: our own drummer, and a hand that changes what MMA's drummer plays, per piece.

Pieces of one groove file share up to all of MMA's drum bars, so each piece draws its own swaps,
accents, ghost notes, extra kicks and fills, and repeats them throughout.
"""

import numpy as np

from csn.corpora.plan import Plan, Row, weights

KITS = (0, 0, 0, 8, 16, 24, 25, 32, 40)
"""General MIDI drum kits to draw from: standard, room, power, electronic, TR-808, jazz, brush."""

_KICKS, _SNARES = (35, 36), (37, 38, 39, 40)
_TIME = (42, 44, 46, 51, 53, 59, 69, 70, 82, 54)
_TIME_CHANCE = (0.32, 0.06, 0.05, 0.2, 0.05, 0.05, 0.07, 0.07, 0.06, 0.07)
_LENGTH = 0.1
_ADDED = ((_KICKS, 4, 96.0), ((38, 37, 40), 5, 42.0), ((46, 54, 56, 75), 2, 70.0))


def _fill(rng: np.random.Generator, plan: Plan) -> list[tuple[float, int, float]]:
    """A figure for the end of a section: (quarters before the bar line, pitch, velocity)."""
    span = float(rng.choice([1.0, 1.5, 2.0]))
    step = 0.25 if plan.tempo < 140 else 0.5
    places = np.arange(0, span, step)
    places = places[rng.random(len(places)) < 0.85]
    voices = [[38], [50, 47, 43], [38, 50, 45], [48, 45, 41, 36]][int(rng.integers(4))]
    return [
        (span - float(p), voices[i * len(voices) // max(len(places), 1)], rng.uniform(80, 112))
        for i, p in enumerate(places)
    ]


def _with_fills(rng: np.random.Generator, plan: Plan, rows: list[Row]) -> list[Row]:
    """Put one of the piece's two fills before each section (and half of the middles)."""
    figures = [_fill(rng, plan) for _ in range(2)]
    every = int(rng.choice([4, 8]))
    crash = int(rng.choice([49, 57, 49, 55, 52]))
    crashes = rng.random() < 0.7
    out = list(rows)
    for bar in range(plan.bars):
        ends = plan.last_bar_of_section(bar)
        line = (bar + 1) * plan.bar
        if ends or ((bar + 1) % every == 0 and rng.random() < 0.5):
            figure = figures[bar // every % 2]
            reach = max((f[0] for f in figure), default=0.0)
            out = [r for r in out if not line - reach <= r[0] < line or r[2] in _KICKS]
            out += [(line - before, _LENGTH, pitch, loud) for before, pitch, loud in figure]
            if crashes and ends and bar + 1 < plan.bars:
                out.append((line, 0.5, crash, 100.0))
    return out


def own(rng: np.random.Generator, plan: Plan) -> list[Row]:
    """A drum part of our own: kick, snare, time-keeper, and now and then a second percussion."""
    span = int(rng.choice([1, 2]))
    fine = plan.tempo < 125 and plan.swing < 0.55
    per = 4 if fine else 2
    steps = round(plan.bar * span * per)
    at = np.arange(steps) / per
    in_bar = at % plan.bar
    sync = float(rng.uniform(0.1, 0.7))
    kick = np.zeros(steps, bool)
    count = max(round(plan.bar * span * float(rng.uniform(0.4, 0.9))), span)
    kick[rng.choice(steps, count, False, weights(steps, per, plan.bar, plan.compound, sync))] = True
    kick[0] = True
    beat = 1.5 if plan.compound else float(rng.choice([1.0, 1.0, 1.0, 2.0]))
    back = np.isclose((in_bar + 1e-9) % (2 * beat), beat, atol=0.01)
    if rng.random() < 0.25:
        back = np.roll(back, int(rng.choice([-1, 1])))
    ghosts = (rng.random(steps) < rng.choice([0.0, 0.06, 0.14])) & ~back
    voice = {
        "kick": int(rng.choice(_KICKS)),
        "snare": int(rng.choice([38, 40, 38, 37, 39])),
        "time": int(rng.choice(_TIME, p=_TIME_CHANCE)),
    }
    step = float(rng.choice([1.0, 0.5, 0.5, 0.25] if fine else [1.0, 0.5, 0.5]))
    keeps = np.isclose(in_bar % step, 0) & (rng.random(steps) > rng.choice([0.0, 0.0, 0.15, 0.3]))
    opened = rng.random(steps) < rng.choice([0.0, 0.08])
    accents = rng.uniform(0.55, 1.05, steps)
    extra = rng.random(steps) < rng.choice([0.0, 0.0, 0.12, 0.22])
    extra_voice = int(rng.choice([54, 56, 60, 61, 62, 63, 64, 65, 67, 70, 75, 76, 39]))
    rows: list[Row] = []
    for bar in range(0, plan.bars, span):
        for i in range(steps):
            t = bar * plan.bar + float(at[i])
            if t >= plan.bars * plan.bar or rng.random() < 0.015:
                continue
            if kick[i]:
                rows.append((t, _LENGTH, voice["kick"], 100 * accents[i] ** 0.3))
            if back[i]:
                rows.append((t, _LENGTH, voice["snare"], 100.0))
            elif ghosts[i]:
                rows.append((t, _LENGTH, voice["snare"], 38.0))
            if keeps[i]:
                pitch = 46 if opened[i] and voice["time"] == 42 else voice["time"]
                rows.append((t, _LENGTH, pitch, 86 * accents[i]))
            if extra[i]:
                rows.append((t, _LENGTH, extra_voice, 78 * accents[i]))
    return _with_fills(rng, plan, rows)


def _swaps(rng: np.random.Generator) -> dict[int, int]:
    """Which voice plays what another played."""
    swap: dict[int, int] = {}
    if rng.random() < 0.6:
        new = int(rng.choice([51, 69, 70, 44, 82, 54, 53, 59, 42]))
        swap |= {old: new for old in (42, 44, 51, 69, 70, 82) if rng.random() < 0.8}
    if rng.random() < 0.5:
        swap |= dict.fromkeys((38, 40), int(rng.choice([37, 38, 39, 40])))
    if rng.random() < 0.5:
        swap |= {35: 36, 36: 35} if rng.random() < 0.5 else {35: 36}
    if rng.random() < 0.5:
        shift = int(rng.integers(1, 4))
        hand = (60, 61, 62, 63, 64, 65, 66, 76, 77)
        swap |= {p: hand[(i + shift) % len(hand)] for i, p in enumerate(hand)}
    return swap


def vary(rng: np.random.Generator, plan: Plan, rows: list[Row]) -> list[Row]:
    """Change MMA's drums in a way of this piece's own.

    Args:
        rng: source of chance.
        plan: the piece.
        rows: MMA's drum notes, in quarters.

    Returns:
        New notes, in quarters, with fills.
    """
    steps = max(round(plan.bar * 4), 1)
    swap, accents = _swaps(rng), rng.uniform(0.65, 1.2, 2 * steps)
    dropped = rng.random(2 * steps) < rng.choice([0.0, 0.1, 0.2, 0.35])
    kicks_off = rng.random(2 * steps) < rng.choice([0.0, 0.15, 0.3])
    out: list[Row] = []
    for start, _, pitch, velocity in rows:
        place = round(start * 4) % (2 * steps)
        keeper = int(pitch) in _TIME
        if keeper and dropped[place]:
            continue
        if int(pitch) in _KICKS and kicks_off[place] and place % steps:
            continue
        new = swap.get(int(pitch), int(pitch))
        out.append((start, _LENGTH, new, velocity * accents[place]))
    chance = weights(2 * steps, 4, plan.bar, plan.compound, float(rng.uniform(0.2, 0.8)))
    if plan.swing >= 0.55 or plan.tempo > 130:
        chance = np.where(np.arange(2 * steps) % 2 == 0, chance, 0.0)
        chance /= chance.sum()
    added: list[tuple[float, int, float]] = []
    for voices, most, loud in _ADDED:
        count = int(rng.integers(0, most + 1))
        voice = int(rng.choice(voices))
        places = rng.choice(2 * steps, count, False, chance)
        added += [(float(p) / 4, voice, loud * float(rng.uniform(0.85, 1.1))) for p in places]
    for bar in range(0, plan.bars, 2):
        for offset, voice, loud in added:
            t = float(plan.warp(np.array([bar * plan.bar + offset]))[0])
            if t < plan.bars * plan.bar and rng.random() > 0.04:
                out.append((t, _LENGTH, voice, loud))
    if rng.random() < 0.35:
        step = float(rng.choice([0.5, 1.0])) if plan.tempo > 110 else float(rng.choice([0.25, 0.5]))
        voice = int(rng.choice([42, 51, 69, 70, 82, 54]))
        grid = np.arange(0, plan.bars * plan.bar, step)
        level = rng.uniform(0.6, 1.05, 64)
        per = max(round(plan.bar / step), 1)
        out += [
            (float(t), _LENGTH, voice, 80 * float(level[i % per]))
            for i, t in enumerate(plan.warp(grid))
        ]
    return _with_fills(rng, plan, out)
