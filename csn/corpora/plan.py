"""What every line of a piece shares: form, chords, feel; and the rhythmic cell they draw from."""

from dataclasses import dataclass

import numpy as np

from csn.corpora.harmony import Chord, Key

Row = tuple[float, float, float, float]
"""A note of a line: start and duration in quarters, pitch, velocity."""


@dataclass(frozen=True)
class Plan:
    """The frame of a piece; times in quarter notes unless said otherwise.

    Attributes:
        key: tonic and mode.
        tempo: quarter notes per minute.
        bar: quarters in a bar.
        compound: whether the pulse is a dotted quarter.
        sections: the section's letter for each bar.
        chords: in order, without gaps.
        swing: where the second eighth falls in its quarter; 0.5 is straight.
    """

    key: Key
    tempo: float
    bar: float
    compound: bool
    sections: tuple[str, ...]
    chords: tuple[Chord, ...]
    swing: float

    @property
    def bars(self) -> int:
        """Number of bars."""
        return len(self.sections)

    def chord_at(self, beat: float) -> Chord:
        """The chord that sounds at a beat."""
        for chord in self.chords:
            if chord.start <= beat + 1e-6 < chord.start + chord.length:
                return chord
        return self.chords[-1]

    def last_bar_of_section(self, bar: int) -> bool:
        """Whether the section changes, or the piece ends, after this bar."""
        return bar + 1 >= self.bars or self.sections[bar + 1] != self.sections[bar]

    def warp(self, beats: np.ndarray) -> np.ndarray:
        """Bend straight time into the swing of the piece."""
        whole = np.floor(beats + 1e-9)
        part = beats - whole
        early = part < 0.5
        late = self.swing + (part - 0.5) * (1 - self.swing) / 0.5
        return whole + np.where(early, part * self.swing / 0.5, late)


@dataclass(frozen=True)
class Cell:
    """A rhythm that a line repeats.

    Attributes:
        length: quarters until it repeats.
        onsets: [n] quarters from its start, rising.
        accents: [n] factors of velocity.
    """

    length: float
    onsets: np.ndarray
    accents: np.ndarray

    @property
    def gaps(self) -> np.ndarray:
        """[n] quarters from each onset to the next one of the repeated cell."""
        return np.diff(np.append(self.onsets, self.length + self.onsets[0]))


def weights(steps: int, per_quarter: int, bar: float, compound: bool, sync: float) -> np.ndarray:
    """How likely each step of a cell is to be struck.

    Args:
        steps: steps in the cell.
        per_quarter: steps in a quarter note.
        bar: quarters in a bar.
        compound: whether the pulse is a dotted quarter.
        sync: 0 prefers strong places, 1 prefers none.

    Returns:
        [steps] float64, sum 1.
    """
    at = np.arange(steps) / per_quarter % bar
    pulse = 1.5 if compound else 1.0
    strength = np.full(steps, 0.35)
    strength[np.isclose(at % 0.5, 0)] = 1.0
    strength[np.isclose(at % pulse, 0)] = 2.2
    strength[np.isclose(at, 0)] = 4.0
    mixed = strength ** (1.0 - sync)
    return np.asarray(mixed / mixed.sum())


def draw_cell(
    rng: np.random.Generator,
    plan: Plan,
    density: float,
    *,
    bars: int | None = None,
    fine: bool | None = None,
    sync: float | None = None,
    first: float = 0.85,
) -> Cell:
    """Draw a cell of one or two bars.

    Args:
        rng: source of chance.
        plan: the piece.
        density: onsets per quarter, about.
        bars: its length; drawn if None.
        fine: whether sixteenths are allowed; by tempo and chance if None.
        sync: amount of syncopation, 0-1; drawn if None.
        first: chance that it starts on its downbeat.

    Returns:
        At least two onsets.
    """
    bars = bars or int(rng.choice([1, 2], p=[0.45, 0.55]))
    if fine is None:
        fine = plan.tempo < 118 and plan.swing < 0.55 and bool(rng.random() < 0.6)
    sync = float(rng.uniform(0.0, 0.8)) if sync is None else sync
    per = 4 if fine else 2
    steps = max(round(plan.bar * bars * per), 2)
    count = int(np.clip(round(density * plan.bar * bars + rng.normal(0, 0.6)), 2, steps))
    chance = weights(steps, per, plan.bar, plan.compound, sync)
    chosen = set(rng.choice(steps, count, replace=False, p=chance).tolist())
    if rng.random() < first:
        chosen.add(0)
    onsets = np.array(sorted(chosen)) / per
    accents = rng.uniform(0.72, 1.12, len(onsets))
    accents[np.isclose(onsets % plan.bar, 0)] += 0.08
    return Cell(plan.bar * bars, onsets, accents)


def even_cell(rng: np.random.Generator, plan: Plan, step: float, bars: int = 1) -> Cell:
    """A cell of equal steps (quarters each), with accents drawn once and some steps left out."""
    onsets = np.arange(0, plan.bar * bars - 1e-6, step)
    keep = rng.random(len(onsets)) > rng.choice([0.0, 0.0, 0.12, 0.25])
    keep[0] = True
    onsets = onsets[keep]
    accents = rng.uniform(0.7, 1.1, len(onsets))
    return Cell(plan.bar * bars, onsets, accents)


def rests(rng: np.random.Generator, plan: Plan, chance: float) -> np.ndarray:
    """Which bars a line sits out: now and then two or four bars together, never much.

    Returns:
        [bars] bool.
    """
    silent = np.zeros(plan.bars, bool)
    if rng.random() < chance and plan.bars >= 12:
        span = int(rng.choice([2, 4]))
        start = int(rng.integers(0, max((plan.bars - span) // span, 1))) * span
        silent[start : start + span] = True
    return silent
