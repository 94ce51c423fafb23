"""Sounds that are made: the two headphone checks, and the one by which a listener sets the level.

Woods, Siegel, Traer and McDermott (2017, Attention, Perception & Psychophysics 79): which of
three tones is the softest? One is 6 dB softer. Of the two others one is in antiphase between the
ears, so that from loudspeakers it nearly vanishes in the air and is mistaken for the softest.

Milne, Bianco, Poole, Zhao, Oxenham, Billig and Chait (2021, Behavior Research Methods 53): which
of three noises holds a tone? It is Huggins' dichotic pitch: neither ear alone holds any tone;
the brain hears one where the phase of a narrow band differs between the ears.
"""

from collections.abc import Iterator
from itertools import permutations
from typing import Final, NamedTuple

import numpy as np

from csn.playback import faded
from listening_test.loudness import loudness
from listening_test.study import Settings

RATE: Final = 44_100
"""Hz, as in both papers' sounds; of every sound that is made."""

TRIALS: Final = 6
"""Of a check; ``study.NEEDED`` says how many must be right (both papers')."""

TONE: Final = 200.0  # Hz, Woods: long enough waves to cancel wherever the head is
SOFTER: Final = -6.0  # dB, Woods
RAMP: Final = 0.1  # seconds, Woods
GAP: Final = {"woods": 0.5, "huggins": 1.0}  # seconds between the intervals
INTERVAL: Final = 1.0  # seconds, both papers
PITCH: Final = 600.0  # Hz, Milne
WIDTH: Final = 0.06  # of the pitch on each side, Milne

LEVEL_SECONDS: Final = 10.0
_BAND: Final = (60.0, 12_000.0)  # Hz, of the level sound


class Made(NamedTuple):
    """A sound, ready to be written."""

    kind: str
    """``headphones`` or ``level``."""
    method: str
    """``woods``, ``huggins``, or empty for the level."""
    number: int
    """From 1 to 6, or 0 for the level."""
    sound: np.ndarray
    """[samples, 2] or [samples] float64 at ``RATE``, full scale 1."""
    answer: int | None
    """Which interval is right, 0 to 2."""


def sounds(settings: Settings, target: float) -> Iterator[Made]:
    """The sounds that a study needs beside its excerpts.

    Args:
        settings: the method of the headphone check, and the seed of the noises.
        target: loudness of the study's excerpts, LUFS. Each ear hears the sounds as loud as it
            hears an excerpt; for Woods, the two louder tones.
    """
    if settings.headphones != "off":
        check = huggins if settings.headphone_method == "huggins" else woods
        yield from check(target, settings.seed)
    yield Made("level", "", 0, level(target, settings.seed), None)


def woods(target: float, seed: int = 0) -> Iterator[Made]:
    """The six trials of Woods et al.: every order of soft, antiphase and plain once.

    The softest tone is the first, the second and the last twice each.

    Args:
        target: loudness of the louder tones at each ear, LUFS.
        seed: not needed, because nothing is random.
    """
    t = np.arange(round(INTERVAL * RATE)) / RATE
    steady = np.sin(2 * np.pi * TONE * t)
    tone = _ramped(steady, RAMP) * _gain(steady, target)
    both = np.stack([tone, tone], axis=1)
    tones = {
        "plain": both,
        "antiphase": both * [1.0, -1.0],
        "soft": both * 10.0 ** (SOFTER / 20.0),
    }
    for number, order in enumerate(permutations(tones), 1):
        sound = _row([tones[name] for name in order], GAP["woods"])
        yield Made("headphones", "woods", number, sound, order.index("soft"))


def huggins(target: float, seed: int = 0) -> Iterator[Made]:
    """The six trials of Milne et al., two for each place of the tone, each of its own noises.

    Args:
        target: loudness of the noise at each ear, LUFS.
        seed: of the noises.
    """
    for number in range(1, TRIALS + 1):
        rng = np.random.default_rng([seed, number])
        answer = (number - 1) % 3
        intervals = []
        for k in range(3):
            left = rng.standard_normal(round(INTERVAL * RATE))
            left *= _gain(left, target)
            right = _shifted(left) if k == answer else left
            intervals.append(np.stack([_ramped(left), _ramped(right)], axis=1))
        yield Made("headphones", "huggins", number, _row(intervals, GAP["huggins"]), answer)


def level(target: float, seed: int = 0) -> np.ndarray:
    """Pink noise as loud as the excerpts, by which a listener sets a comfortable level.

    A steady sound without a tune, that is not taken for one of the test's. It can be looped.

    Args:
        target: LUFS.
        seed: of the noise.

    Returns:
        [samples] float64, 10 s.
    """
    size = round(LEVEL_SECONDS * RATE)
    spectrum = np.fft.rfft(np.random.default_rng([seed, 0]).standard_normal(size))
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    inside = (frequency >= _BAND[0]) & (frequency <= _BAND[1])
    spectrum *= np.where(inside, 1 / np.sqrt(np.maximum(frequency, 1.0)), 0.0)
    noise = _ramped(np.fft.irfft(spectrum, size), RAMP)
    return noise * _gain(noise, target)


def _shifted(noise: np.ndarray) -> np.ndarray:
    """The noise with the phase of the band about ``PITCH`` turned by π; all else is the same."""
    spectrum = np.fft.rfft(noise)
    frequency = np.fft.rfftfreq(len(noise), 1 / RATE)
    spectrum[np.abs(frequency - PITCH) <= WIDTH * PITCH] *= -1.0
    return np.fft.irfft(spectrum, len(noise))


def _ramped(sound: np.ndarray, seconds: float | None = None) -> np.ndarray:
    """Raised-cosine ramps at both ends; without a length those of every clip."""
    if seconds is None:
        return faded(sound, RATE).astype(np.float64)
    size = round(seconds * RATE)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(size) + 0.5) / size)
    return sound * np.concatenate([ramp, np.ones(len(sound) - 2 * size), ramp[::-1]])


def _gain(sound: np.ndarray, target: float) -> float:
    return float(10.0 ** ((target - loudness(sound, RATE)) / 20.0))


def _row(intervals: list[np.ndarray], gap: float) -> np.ndarray:
    """Intervals one after the other, with silence between them."""
    silence = np.zeros((round(gap * RATE), 2))
    first, second, third = intervals
    return np.concatenate([first, silence, second, silence, third])
