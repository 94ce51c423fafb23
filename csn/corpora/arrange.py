"""Our own part writer: a seeded pattern per piece and instrument, led through the piece's chords.

A line's pattern (rhythm, contour, texture, register) is drawn once and returns in every section,
varied a little, so that a piece can be recognised by it; two pieces hardly ever share one.
"""

from collections.abc import Callable

import numpy as np

from csn.corpora.harmony import Chord
from csn.corpora.plan import Cell, Plan, Row, draw_cell, even_cell, rests

Writer = Callable[[Chord, float, float, int, float], list[Row]]
"""(chord, onset, gap to the next onset, index in the cell, velocity) to notes."""


def _pick(rng: np.random.Generator, options: dict[str, float]) -> str:
    chance = np.array(list(options.values()))
    return str(rng.choice(list(options), p=chance / chance.sum()))


def ladder(chord: Chord, floor: int, size: int = 14) -> list[int]:
    """Chord tones as pitches, rising from the first root at or above ``floor``."""
    start = floor + (chord.root - floor) % 12
    tones = sorted({t % 12 for t in chord.tones})
    return [start + 12 * (i // len(tones)) + tones[i % len(tones)] for i in range(size)]


def voicing(chord: Chord, centre: float, size: int) -> list[int]:
    """A close voicing of ``size`` notes around a pitch."""
    classes = [(chord.root + t) % 12 for t in chord.tones]
    if size < len(classes):
        classes = classes[1:] if len(classes) > 3 and size <= len(classes) - 1 else classes[:size]
        classes = classes[:size]
    low = round(centre) - 6
    pitches = sorted(low + (c - low) % 12 for c in classes)
    while len(pitches) < size:
        pitches.append(pitches[len(pitches) - len(classes)] + 12)
    return pitches


def _lay(
    rng: np.random.Generator,
    plan: Plan,
    cell: Cell,
    write: Writer,
    *,
    rest: float = 0.3,
    change: float = 0.06,
    fill: float = 0.3,
) -> list[Row]:
    """Repeat a cell through the piece, each onset written by ``write``."""
    rows: list[Row] = []
    silent = rests(rng, plan, rest)
    lift = {letter: float(rng.uniform(0.9, 1.1)) for letter in sorted(set(plan.sections))}
    drop_last = rng.random() < fill
    span = max(round(cell.length / plan.bar), 1)
    gaps = cell.gaps
    for bar in range(0, plan.bars, span):
        for i, onset in enumerate(cell.onsets):
            at = bar * plan.bar + float(onset)
            here = int(at // plan.bar)
            if here >= plan.bars or silent[here] or rng.random() < change:
                continue
            if drop_last and plan.last_bar_of_section(here) and onset % plan.bar >= plan.bar / 2:
                continue
            velocity = 84 * float(cell.accents[i]) * lift[plan.sections[here]]
            rows += write(plan.chord_at(at), at, float(gaps[i]), i, velocity)
    return rows


def _contour(rng: np.random.Generator, count: int, low: int, high: int, step: int = 2) -> list[int]:
    """A walk over ladder indices that turns at its borders."""
    at = int(rng.integers(low, high + 1))
    out = []
    for _ in range(count):
        out.append(at)
        at += int(rng.integers(-step, step + 1)) or int(rng.choice([-1, 1]))
        at = min(max(at, low), high)
    return out


def _line(indices: list[int], floor: int, tail: float) -> Writer:
    def write(chord: Chord, at: float, gap: float, i: int, velocity: float) -> list[Row]:
        return [(at, gap * tail, ladder(chord, floor, 20)[indices[i]], velocity)]

    return write


def bass(rng: np.random.Generator, plan: Plan) -> list[Row]:
    """A bass line: riff, walk, pulse or root-and-fifth."""
    floor = int(rng.integers(28, 36))
    tail = float(rng.uniform(0.45, 0.98))
    kind = _pick(rng, {"riff": 0.5, "walk": 0.18, "pulse": 0.17, "fifths": 0.15})
    if kind == "riff":
        cell = draw_cell(rng, plan, float(rng.uniform(0.8, 2.0)), first=0.97)
        indices = _contour(rng, len(cell.onsets), 0, 4)
        indices[0] = 0
        for i, onset in enumerate(cell.onsets):
            if onset % plan.bar == 0 and rng.random() < 0.75:
                indices[i] = 0
    elif kind == "walk":
        cell = even_cell(rng, plan, 0.5 if plan.compound else 1.0, 2)
        indices = [0, *_contour(rng, len(cell.onsets) - 1, 0, 5, 1)]
    elif kind == "pulse":
        cell = even_cell(rng, plan, 0.5 if plan.tempo < 170 else 1.0, 1)
        octave = rng.random() < 0.35
        indices = [3 * (k % 2) if octave else 0 for k in range(len(cell.onsets))]
        if rng.random() < 0.5:
            indices[-1] = int(rng.integers(1, 4))
    else:
        cell = draw_cell(rng, plan, float(rng.uniform(0.5, 1.1)), bars=1, sync=0.1, first=1.0)
        indices = [0 if k % 2 == 0 else int(rng.choice([2, 3])) for k in range(len(cell.onsets))]
    return _lay(rng, plan, cell, _line(indices, floor, tail), rest=0.15, change=0.03, fill=0.1)


def _chords(centre: float, size: int, tail: float, spread: float, down: list[bool]) -> Writer:
    """Struck chords; ``spread`` (quarters) rolls or strums them, upwards or downwards."""

    def write(chord: Chord, at: float, gap: float, i: int, velocity: float) -> list[Row]:
        pitches = voicing(chord, centre, size)
        order = pitches if down[i] else pitches[::-1][: max(size - 1, 2)]
        return [
            (at + k * spread, max(gap * tail, 0.08), p, velocity * (0.94 if k else 1.0))
            for k, p in enumerate(order)
        ]

    return write


def piano(rng: np.random.Generator, plan: Plan) -> list[Row]:
    """Comping, broken chords, stride, two hands or a riff."""
    kind = _pick(rng, {"comp": 0.27, "broken": 0.27, "stride": 0.12, "hands": 0.2, "riff": 0.14})
    centre = float(rng.uniform(57, 70))
    tail = float(rng.uniform(0.25, 0.98))
    size = int(rng.integers(3, 5))
    if kind == "comp":
        cell = draw_cell(rng, plan, float(rng.uniform(0.5, 1.6)))
        return _lay(rng, plan, cell, _chords(centre, size, tail, 0.0, [True] * len(cell.onsets)))
    if kind == "broken":
        step = 0.25 if plan.tempo < 105 and plan.swing < 0.55 and rng.random() < 0.6 else 0.5
        cell = even_cell(rng, plan, step, int(rng.choice([1, 2])))
        indices = _contour(rng, len(cell.onsets), 0, 7, 3)
        floor = int(rng.integers(43, 58))
        return _lay(rng, plan, cell, _line(indices, floor, 1.0 + tail))
    if kind == "stride":
        cell = even_cell(rng, plan, 0.5 if plan.compound else 1.0)
        floor = int(rng.integers(36, 46))
        pattern = [bool(rng.random() < 0.35) for _ in cell.onsets]
        pattern[0] = True

        def write(chord: Chord, at: float, gap: float, i: int, velocity: float) -> list[Row]:
            if pattern[i]:
                low = ladder(chord, floor)[0 if i == 0 else 2]
                return [(at, gap * tail, low, velocity), (at, gap * tail, low + 12, velocity * 0.9)]
            pitches = voicing(chord, centre, size)
            return [(at, gap * tail, p, velocity * 0.85) for p in pitches]

        return _lay(rng, plan, cell, write)
    if kind == "hands":
        left = draw_cell(rng, plan, float(rng.uniform(0.4, 1.0)), bars=1, sync=0.1)
        indices = [0 if k == 0 else int(rng.choice([0, 2, 3])) for k in range(len(left.onsets))]
        right = draw_cell(rng, plan, float(rng.uniform(0.6, 1.8)))
        top = _chords(centre + 3, 3, tail, 0.0, [True] * len(right.onsets))
        low = _lay(rng, plan, left, _line(indices, int(rng.integers(36, 46)), 0.9))
        return low + _lay(rng, plan, right, top)
    cell = draw_cell(rng, plan, float(rng.uniform(1.0, 2.2)), bars=2)
    indices = _contour(rng, len(cell.onsets), 2, 9)
    single, chords = _line(indices, 55, tail), _chords(centre - 5, 3, tail, 0.0, [True] * 99)
    hit = [bool(rng.random() < 0.3) for _ in cell.onsets]

    def riff(chord: Chord, at: float, gap: float, i: int, velocity: float) -> list[Row]:
        rows = single(chord, at, gap, i, velocity)
        return rows + chords(chord, at, gap, i, velocity * 0.8) if hit[i] else rows

    return _lay(rng, plan, cell, riff)


def guitar(rng: np.random.Generator, plan: Plan) -> list[Row]:
    """Strumming, picking, power chords, off-beat chops or a riff."""
    kind = _pick(rng, {"strum": 0.3, "pick": 0.25, "power": 0.13, "chop": 0.12, "riff": 0.2})
    centre = float(rng.uniform(52, 62))
    if kind == "strum":
        cell = draw_cell(rng, plan, float(rng.uniform(1.0, 2.6)))
        spread = float(rng.uniform(0.008, 0.03)) * plan.tempo / 60
        half = 0.5 if plan.tempo > 118 else 0.25
        down = [round(float(o) / half) % 2 == 0 for o in cell.onsets]
        size, tail = int(rng.integers(4, 6)), float(rng.uniform(0.4, 1.0))
        return _lay(rng, plan, cell, _chords(centre, size, tail, spread, down))
    if kind == "pick":
        step = 0.25 if plan.tempo < 105 and plan.swing < 0.55 and rng.random() < 0.5 else 0.5
        cell = even_cell(rng, plan, step, int(rng.choice([1, 2])))
        floor = int(rng.integers(40, 50))
        thumb = [0 if rng.random() < 0.7 else 2 for _ in cell.onsets]
        fingers = [int(k) for k in rng.integers(3, 7, len(cell.onsets))]
        indices = [
            t if round(float(o) / step) % 2 == 0 and rng.random() < 0.7 else f
            for o, t, f in zip(cell.onsets, thumb, fingers, strict=True)
        ]
        return _lay(rng, plan, cell, _line(indices, floor, float(rng.uniform(0.9, 2.2))))
    if kind == "power":
        muted = [bool(m) for m in rng.random(64) < rng.choice([0.2, 0.5, 0.7])]
        fine = plan.tempo < 150
        cell = draw_cell(rng, plan, float(rng.uniform(1.2, 2.0)), fine=fine and rng.random() < 0.3)
        floor = int(rng.integers(40, 48))

        def write(chord: Chord, at: float, gap: float, i: int, velocity: float) -> list[Row]:
            low = ladder(chord, floor)[0]
            length = 0.15 if muted[i] else gap * 0.92
            return [(at, length, low + t, velocity) for t in (0, 7, 12)]

        return _lay(rng, plan, cell, write)
    if kind == "chop":
        places = np.arange(0, plan.bar, 0.5)
        off = places[np.isclose(places % 1.0, 0.5 if rng.random() < 0.6 else 0.0)]
        extra = rng.choice(places, 2)
        onsets = np.unique(np.append(off if len(off) else places[1::2], extra))
        cell = Cell(plan.bar, onsets, rng.uniform(0.75, 1.1, len(onsets)))
        tail = float(rng.uniform(0.15, 0.4))
        return _lay(rng, plan, cell, _chords(centre + 5, 4, tail, 0.01, [True] * len(onsets)))
    cell = draw_cell(rng, plan, float(rng.uniform(1.2, 2.4)))
    indices = _contour(rng, len(cell.onsets), 0, 6)
    return _lay(
        rng, plan, cell, _line(indices, int(rng.integers(43, 55)), float(rng.uniform(0.5, 1)))
    )


OTHERS = {
    "melody": (
        11, 12, 21, 22, 40, 41, 42, 52, 54, 56, 57, 59, 60, 64, 65, 66, 67, 68, 69, 71, 72, 73, 74,
        75, 78, 79, 80, 81, 82, 84, 85, 87,
    ),
    "pad": (16, 17, 18, 19, 20, 21, 23, 48, 49, 50, 51, 52, 53, 54, 61, 62, 88, 89, 90, 91, 92, 94,
            95),
    "ostinato": (8, 9, 10, 11, 12, 13, 14, 15, 45, 46, 80, 81, 82, 83, 86, 98, 104, 105, 106, 107,
                 108, 112, 114),
    "stabs": (16, 17, 18, 48, 50, 56, 57, 61, 62, 63, 81, 65, 66, 68, 71, 45, 55),
}  # fmt: skip
"""General MIDI programs that suit each way of writing the line of others."""


def others(rng: np.random.Generator, plan: Plan) -> tuple[list[Row], str]:
    """A melody, pad, ostinato or stabs.

    Returns:
        The notes, and which of ``OTHERS`` it is.
    """
    kind = _pick(rng, {"melody": 0.46, "pad": 0.14, "ostinato": 0.22, "stabs": 0.18})
    if kind == "melody":
        cell = draw_cell(rng, plan, float(rng.uniform(0.5, 1.5)), bars=2)
        indices = _contour(rng, len(cell.onsets), 0, 7)
        floor, tail = int(rng.integers(57, 68)), float(rng.uniform(0.7, 1.05))
        scale = plan.key.scale
        passing = [bool(rng.random() < 0.3) and i > 0 for i in range(len(indices))]

        def write(chord: Chord, at: float, gap: float, i: int, velocity: float) -> list[Row]:
            pitch = ladder(chord, floor)[indices[i]]
            if passing[i]:
                pitch = next(p for p in range(pitch + 1, pitch + 4) if p % 12 in scale)
            return [(at, gap * tail, pitch, velocity)]

        return _lay(rng, plan, cell, write, rest=0.4), kind
    if kind == "pad":
        cell = draw_cell(rng, plan, float(rng.uniform(0.25, 0.6)), sync=0.2, first=1.0, fine=False)
        centre, size = float(rng.uniform(57, 72)), int(rng.integers(2, 5))
        held = _chords(centre, size, float(rng.uniform(0.85, 1.0)), 0.0, [True] * 64)
        return _lay(rng, plan, cell, held, rest=0.4, change=0.0), kind
    if kind == "ostinato":
        step = 0.25 if plan.tempo < 120 and plan.swing < 0.55 and rng.random() < 0.5 else 0.5
        cell = even_cell(rng, plan, step, int(rng.choice([1, 2])))
        indices = _contour(rng, len(cell.onsets), 0, 7, 3)
        floor, tail = int(rng.integers(57, 70)), float(rng.uniform(0.4, 1.0))
        return _lay(rng, plan, cell, _line(indices, floor, tail), rest=0.4), kind
    cell = draw_cell(rng, plan, float(rng.uniform(0.6, 1.3)))
    centre, size = float(rng.uniform(58, 70)), int(rng.integers(2, 5))
    stab = _chords(centre, size, float(rng.uniform(0.2, 0.7)), 0.0, [True] * 64)
    return _lay(rng, plan, cell, stab, rest=0.4), kind
