"""The sound at a known level by which a laboratory measures how loud its device is."""

from typing import Final

import numpy as np

from listening_test.errors import LabError

KINDS: Final = ("sine", "noise")

LEVEL: Final = -23.0
"""dBFS, where nothing else is asked for."""

HIGHEST: Final = {"sine": -1.0, "noise": -16.0}
"""dBFS; noise has peaks, and nothing may be cut off."""

RATE: Final = 48_000
"""Hz."""

SECONDS: Final = 30.0


def calibration(kind: str = "sine", level: float = LEVEL) -> np.ndarray:
    """The sound that a sound-level meter or an artificial ear is held to.

    Args:
        kind: ``sine`` (1,000 Hz) or ``noise`` (pink, 20 Hz to 20 kHz).
        level: dBFS, where a sine that reaches full scale has 0 (AES17), so RMS + 3.01 dB.

    Returns:
        [samples] float32 at 48,000 Hz, 30 s, with ramps of 100 ms.

    Raises:
        LabError: no such sound, or it would be cut off.
    """
    if kind not in KINDS:
        raise LabError(f"There is no calibration sound {kind!r}; it is sine or noise.")
    if not -80 <= level <= HIGHEST[kind]:
        raise LabError(
            f"The level of the {kind} is {level} dBFS; it must lie between -80 and "
            f"{HIGHEST[kind]:g}."
        )
    size = round(SECONDS * RATE)
    if kind == "sine":
        sound = np.sin(2 * np.pi * 1000.0 * np.arange(size) / RATE)
    else:
        spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(size))
        frequency = np.fft.rfftfreq(size, 1 / RATE)
        inside = (frequency >= 20) & (frequency <= 20_000)
        spectrum *= np.where(inside, 1 / np.sqrt(np.maximum(frequency, 1.0)), 0.0)
        sound = np.fft.irfft(spectrum, size)
        sound /= np.sqrt(2 * np.mean(sound**2))
    ramp = np.minimum(1.0, np.minimum(np.arange(size), np.arange(size)[::-1]) / (0.1 * RATE))
    return (sound * ramp * 10.0 ** (level / 20.0)).astype(np.float32)
