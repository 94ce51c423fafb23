"""Keys, chords, and the chord plan of a piece."""

from dataclasses import dataclass

import numpy as np

NOTES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR_NAMES = {1: "C#", 8: "G#"}
_SPOKEN = {"b": " flat", "#": " sharp"}

QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "M7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "9": (0, 4, 7, 10, 14),
    "m9": (0, 3, 7, 10, 14),
    "M9": (0, 4, 7, 11, 14),
    "sus4": (0, 5, 7),
    "7sus": (0, 5, 7, 10),
    "dim": (0, 3, 6),
    "m7b5": (0, 3, 6, 10),
}
"""Semitones above the root, under the names that MMA gives them."""


@dataclass(frozen=True)
class Key:
    """A tonic (pitch class) and a mode."""

    tonic: int
    minor: bool

    @property
    def scale(self) -> tuple[int, ...]:
        """Seven pitch classes."""
        steps = (0, 2, 3, 5, 7, 8, 10) if self.minor else (0, 2, 4, 5, 7, 9, 11)
        return tuple((self.tonic + s) % 12 for s in steps)

    def __str__(self) -> str:
        name = _MINOR_NAMES.get(self.tonic, NOTES[self.tonic]) if self.minor else NOTES[self.tonic]
        said = name[0] + _SPOKEN.get(name[1:], "")
        return f"{said} minor" if self.minor else said


@dataclass(frozen=True)
class Chord:
    """A chord in time: root (pitch class), quality, and start and length in quarters."""

    root: int
    quality: str
    start: float
    length: float

    @property
    def tones(self) -> tuple[int, ...]:
        """Semitones above the root."""
        return QUALITIES[self.quality]

    @property
    def name(self) -> str:
        """How MMA writes it."""
        return NOTES[self.root].replace("Db", "C#") + self.quality


# Phrases of four bars as scale degrees (semitones above the tonic, quality family).
_M, _m, _D, _H = "major", "minor", "dominant", "half"
_I, _II, _III, _IV, _V, _VI = (0, _M), (2, _m), (4, _m), (5, _M), (7, _D), (9, _m)
_FLAT7, _FLAT6, _FLAT3 = (10, _M), (8, _M), (3, _M)
_MAJOR = (
    (_I, _V, _VI, _IV), (_I, _VI, _IV, _V), (_VI, _IV, _I, _V), (_I, _IV, _V, _I),
    (_I, _IV, _I, _V), (_II, _V, _I, _VI), (_I, _III, _IV, _V), (_IV, _V, _III, _VI),
    (_I, _FLAT7, _IV, _I), (_IV, _I, _V, _VI), (_I, _II, _IV, _V), (_VI, _V, _IV, _V),
    (_III, _VI, _II, _V), (_I, (4, _D), _VI, _IV), (_I, (0, _D), _IV, (5, _m)),
    ((2, _D), (7, _D), _I, _I), (_IV, (5, _m), _I, _VI), (_I, _V, _II, _IV),
    (_I, _FLAT6, _FLAT7, _I), (_I, (9, _D), _II, _V), (_IV, _III, _II, _I),
)  # fmt: skip
_i, _iv, _v, _VD = (0, _m), (5, _m), (7, _m), (7, _D)
_MINOR = (
    (_i, _FLAT6, _FLAT3, _FLAT7), (_i, _iv, _VD, _i), (_i, _FLAT7, _FLAT6, _VD),
    (_i, _FLAT7, _FLAT6, _FLAT7), (_i, _iv, _FLAT7, _FLAT3), (_iv, _i, _VD, _i),
    (_i, _v, _iv, _i), ((2, _H), _VD, _i, _i), (_i, _FLAT3, _FLAT7, _iv),
    (_FLAT6, _FLAT7, _i, _i), (_i, _i, _iv, _VD), (_FLAT6, _FLAT3, _iv, _VD),
    (_i, _iv, _FLAT6, _VD), (_i, _FLAT3, _FLAT6, _VD), (_iv, _FLAT7, _FLAT3, _FLAT6),
)  # fmt: skip
_COLOURS = {
    "plain": {_M: ("",), _m: ("m",), _D: ("", "7"), _H: ("dim",)},
    "pop": {_M: ("", "", "sus4", "6"), _m: ("m", "m7"), _D: ("7", "", "7sus"), _H: ("m7b5",)},
    "jazz": {_M: ("M7", "6", "M9"), _m: ("m7", "m9"), _D: ("7", "9", "7sus"), _H: ("m7b5",)},
    "blues": {_M: ("7", "9", "7"), _m: ("m7", "m6"), _D: ("7", "9"), _H: ("m7b5",)},
}


def draw_key(rng: np.random.Generator) -> Key:
    """A random key; one in three is minor."""
    return Key(int(rng.integers(12)), bool(rng.random() < 0.36))


def phrase(
    rng: np.random.Generator, key: Key, bars: int, colour: str, split: float
) -> list[list[tuple[int, str, float]]]:
    """A section's chords.

    Args:
        rng: source of chance.
        key: tonic and mode.
        bars: length of the section.
        colour: one of plain, pop, jazz, blues.
        split: chance that a bar holds two chords.

    Returns:
        For each bar a list of (root, quality, share of the bar).
    """
    pool = _MINOR if key.minor else _MAJOR
    first, second = (pool[int(i)] for i in rng.choice(len(pool), 2, replace=False))
    pick: dict[tuple[int, str], str] = {}
    out: list[list[tuple[int, str, float]]] = []

    def chord(degree: tuple[int, str]) -> tuple[int, str]:
        if degree not in pick:
            options = _COLOURS[colour][degree[1]]
            pick[degree] = options[int(rng.integers(len(options)))]
        return (key.tonic + degree[0]) % 12, pick[degree]

    for bar in range(bars):
        source = first if bar // 4 % 2 == 0 or rng.random() < 0.15 else second
        degree = source[bar % 4]
        if rng.random() < split:
            following = source[(bar + 1) % 4] if rng.random() < 0.4 else pool[bar % 3][bar % 4]
            out.append([(*chord(degree), 0.5), (*chord(following), 0.5)])
        else:
            out.append([(*chord(degree), 1.0)])
    return out


def colours() -> tuple[str, ...]:
    """The names of the chord vocabularies."""
    return tuple(_COLOURS)
