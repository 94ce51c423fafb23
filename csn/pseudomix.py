"""Pseudo-mixes A_B^(c): instrument c of piece A over all other instruments of piece B.

Source: CSN section 3.1.1. Pieces are grouped by tempo and stems are aligned by their onsets;
neither the groups' width nor the onset rule is published, so both are settings here.
"""

from collections.abc import Sequence

import numpy as np

from csn.audio import SILENCE_DBFS
from csn.instruments import INSTRUMENTS

GROUP_WIDTH = 5.0
"""Width of a tempo group in BPM; unpublished, our guess."""

ABSENT = -1
"""Stands in a vector of piece ids where no piece plays an instrument."""


def tempo_groups(tempos: Sequence[float | None], width: float = GROUP_WIDTH) -> list[list[int]]:
    """Group pieces whose tempos fall into the same bin.

    Args:
        tempos: BPM of each piece, or None where unknown; those form a group of their own.
        width: of a bin, BPM.

    Returns:
        Lists of indices into ``tempos``, slowest group first, unknown tempo last.
    """
    bins: dict[float, list[int]] = {}
    for index, tempo in enumerate(tempos):
        key = float("inf") if tempo is None else float(tempo // width)
        bins.setdefault(key, []).append(index)
    return [bins[key] for key in sorted(bins)]


def first_onset(
    audio: np.ndarray, sample_rate: int, threshold: float = SILENCE_DBFS, frame: float = 0.01
) -> int:
    """Where a sound begins: the first 10-ms frame whose RMS is above the silence threshold.

    Args:
        audio: [samples] float32.
        sample_rate: Hz.
        threshold: dBFS RMS.
        frame: seconds.

    Returns:
        A sample index; 0 for silence.
    """
    size = max(int(frame * sample_rate), 1)
    whole = len(audio) // size * size
    power = np.square(audio[:whole].reshape(-1, size), dtype=np.float64).mean(axis=1)
    loud = np.flatnonzero(power > 10 ** (threshold / 10))
    return int(loud[0]) * size if len(loud) else 0


def pseudo_mix(focus: np.ndarray, backing: np.ndarray, sample_rate: int) -> tuple[np.ndarray, int]:
    """Mix a stem of one piece with the rest of another, first onset to first onset.

    Whichever begins later is moved forward, so nothing that sounds is lost at the beginning.

    Args:
        focus: [samples] float32, instrument c of piece A.
        backing: [samples] float32, the sum of piece B's other instruments.
        sample_rate: Hz.

    Returns:
        The mix [samples] float32, cut to what both have, and the offset (samples): mix sample
        t holds focus sample t + offset.
    """
    offset = first_onset(focus, sample_rate) - first_onset(backing, sample_rate)
    focus = focus[max(offset, 0) :]
    backing = backing[max(-offset, 0) :]
    length = min(len(focus), len(backing))
    mix = focus[:length] + backing[:length]
    # With the backing cut at its front, mix sample 0 is focus sample 0.
    return mix, max(offset, 0)


def sources(focus_piece: int, backing_piece: int, c: int) -> tuple[int, ...]:
    """The 5-vector of piece ids that says all about a pseudo-mix A_B^(c).

    Args:
        focus_piece: A.
        backing_piece: B.
        c: the focused condition.

    Returns:
        Five ids: A at c, B elsewhere.
    """
    return tuple(focus_piece if i == c else backing_piece for i in range(len(INSTRUMENTS)))
