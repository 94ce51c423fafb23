"""How loud a sound is and how high its waveform rises, by ITU-R BS.1770-5.

Excerpts are mono files that both ears hear. Their loudness here is that of the one channel, as
BS.1770 counts it; through two loudspeakers, as two equal channels, all are 3.01 LU louder.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np
import pyloudnorm
from scipy import signal

TARGET: Final = -23.0
"""LUFS; the loudness of EBU R 128, reached by a study unless a true peak would be too high."""

PEAK: Final = -1.0
"""dBTP; no true peak of a study lies above it (EBU R 128)."""

LOWEST: Final = -33.0
"""LUFS; an excerpt so peaky that it would pull all others below this is refused. Ours."""

_RATE: Final = 352_800  # Hz; at least this many points a second for the true peak, 8 × 44,100
_HALF: Final = 32  # samples on each side of a point that its interpolation looks at


def loudness(sound: np.ndarray, sample_rate: int) -> float:
    """Integrated loudness.

    The filters are those that follow BS.1770's at any rate (pyloudnorm's ``DeMan``): its
    default's differ from the standard's table by 0.04 LU.

    Args:
        sound: [samples] or [samples, channels], full scale 1; at least 0.4 s.
        sample_rate: Hz.

    Returns:
        LUFS; -inf for silence. Channels count as BS.1770 says: two equal ones are 3.01 LU more
        than one.

    Raises:
        ValueError: shorter than one block of 0.4 s.
    """
    meter = pyloudnorm.Meter(sample_rate, filter_class="DeMan")
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(meter.integrated_loudness(np.asarray(sound, np.float64)))


def true_peak(sound: np.ndarray, sample_rate: int) -> float:
    """The highest point of the waveform, between the samples too.

    At 48,000 Hz the sound is looked at in 8 times as many places as it has samples, twice as
    many as BS.1770 (annex 2) asks for.

    Args:
        sound: [samples] or [samples, channels], full scale 1.
        sample_rate: Hz.

    Returns:
        dBTP, the highest of all channels; -inf for silence.
    """
    times = max(math.ceil(_RATE / sample_rate), 4)
    channels = np.asarray(sound, np.float32).reshape(len(sound), -1).T
    highest = max(
        float(np.abs(signal.oaconvolve(channel, phase)).max(initial=0.0))
        for channel in channels
        for phase in _phases(times)
    )
    return 20.0 * math.log10(highest) if highest > 0 else -math.inf


@lru_cache(maxsize=8)
def _phases(times: int) -> tuple[np.ndarray, ...]:
    """The interpolation filter for each of the places between two samples."""
    whole = signal.firwin(2 * _HALF * times + 1, 1 / times, window=("kaiser", 9.0)) * times
    return tuple(whole[k::times].astype(np.float32) for k in range(times))
