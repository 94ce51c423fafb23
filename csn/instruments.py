"""The five instruments: their order (the conditions c), subspaces, programs and colours.

The one place that knows them. Source: Hashizume et al. 2024 (CSN), sections 3.1.2 and 4.1.
"""

from typing import Final

INSTRUMENTS: Final = ("drums", "bass", "piano", "guitar", "others")
"""Condition c is the index in this tuple."""

DIMENSIONS: Final = 128
"""D, the size of one instrument's subspace (eq. 4)."""

EMBEDDING: Final = DIMENSIONS * len(INSTRUMENTS)
"""640, the size of the whole embedding."""

COLOURS: Final = {
    "drums": "#D55E00",
    "bass": "#0072B2",
    "piano": "#009E73",
    "guitar": "#E69F00",
    "others": "#CC79A7",
}
"""One colour per instrument on every screen; Okabe and Ito's colour-blind safe palette."""

# General MIDI program ranges, 0-based, as CSN section 4.1 groups Slakh's stems.
_PROGRAMS: Final = {"piano": range(0, 8), "guitar": range(24, 32), "bass": range(32, 40)}


def instrument_of(program: int, is_drum: bool) -> str:
    """The instrument that a MIDI part belongs to.

    Args:
        program: General MIDI program, 0-127.
        is_drum: whether the part is percussion (MIDI channel 10).

    Returns:
        One of ``INSTRUMENTS``.
    """
    if is_drum:
        return "drums"
    for instrument, programs in _PROGRAMS.items():
        if program in programs:
            return instrument
    return "others"


def subspace(instrument: int | str) -> slice:
    """The columns of the embedding that belong to an instrument: ``[cD, (c+1)D)`` (eq. 4).

    Args:
        instrument: the condition c, or the instrument's name.

    Raises:
        ValueError: no such instrument.
    """
    c = INSTRUMENTS.index(instrument) if isinstance(instrument, str) else instrument
    if not 0 <= c < len(INSTRUMENTS):
        raise ValueError(f"there is no instrument {instrument!r}; choose one of {INSTRUMENTS}")
    return slice(c * DIMENSIONS, (c + 1) * DIMENSIONS)
