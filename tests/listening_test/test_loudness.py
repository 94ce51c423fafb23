"""Loudness and true peak against the test signals of EBU Tech 3341 and slower routes."""

import numpy as np
import pytest
from scipy.signal import lfilter

from listening_test.loudness import loudness, true_peak


def sine(level: float, seconds: float, rate: int, frequency: float = 1000.0) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return 10 ** (level / 20) * np.sin(2 * np.pi * frequency * t)


def both(sound: np.ndarray) -> np.ndarray:
    return np.stack([sound, sound], axis=1)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_a_stereo_tone_is_as_loud_as_its_level(rate: int, level: float) -> None:
    """EBU Tech 3341, cases 1 and 2: -23 and -33 LUFS, within 0.1 LU."""
    assert loudness(both(sine(level, 20, rate)), rate) == pytest.approx(level, abs=0.1)


def test_quiet_parts_are_gated_out() -> None:
    """EBU Tech 3341, cases 3 and 4: -36, -23, -36 dBFS, and the same between -72: -23 LUFS."""
    rate = 48_000
    inner = [sine(-36, 10, rate), sine(-23, 60, rate), sine(-36, 10, rate)]
    assert loudness(both(np.concatenate(inner)), rate) == pytest.approx(-23, abs=0.1)
    outer = [sine(-72, 10, rate), *inner, sine(-72, 10, rate)]
    assert loudness(both(np.concatenate(outer)), rate) == pytest.approx(-23, abs=0.1)


def test_loudness_is_that_of_the_standards_own_filters() -> None:
    """BS.1770's tables of coefficients at 48 kHz, and blocks gated one at a time."""
    rate = 48_000
    rng = np.random.default_rng(1)
    sound = 0.1 * rng.standard_normal(6 * rate) * np.repeat([1, 0.001, 0.5, 0.2, 1, 0.01], rate)
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285]
    weighted = lfilter(shelf, [1, -1.69065929318241, 0.73248077421585], sound)
    weighted = lfilter([1, -2, 1], [1, -1.99004745483398, 0.99007225036621], weighted)
    power = [
        np.mean(weighted[at : at + 19_200] ** 2) for at in range(0, len(sound) - 19_199, 4_800)
    ]
    above = [p for p in power if -0.691 + 10 * np.log10(p) > -70]
    gate = -0.691 + 10 * np.log10(np.mean(above)) - 10
    kept = np.mean([p for p in above if -0.691 + 10 * np.log10(p) > gate])
    assert loudness(sound, rate) == pytest.approx(-0.691 + 10 * np.log10(kept), abs=0.005)


def test_silence_has_neither_loudness_nor_peak() -> None:
    assert loudness(np.zeros(48_000), 48_000) == -np.inf
    assert true_peak(np.zeros(48_000), 48_000) == -np.inf


@pytest.mark.parametrize(
    ("divisor", "phase", "amplitude", "expected"),
    [(4, 0, 0.5, -6.0), (4, 45, 0.5, -6.0), (6, 60, 0.5, -6.0), (8, 67.5, 0.5, -6.0),
     (4, 45, 1.41, 3.0)],
)  # fmt: skip
@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_true_peak_of_tones_between_the_samples(
    rate: int, divisor: int, phase: float, amplitude: float, expected: float
) -> None:
    """EBU Tech 3341, cases 15 to 19: within +0.2 and -0.4 dB; ours is nearer."""
    n = np.arange(rate)
    tone = amplitude * np.sin(2 * np.pi * n / divisor + np.radians(phase))
    ramp = np.minimum(1, np.minimum(n, n[::-1]) / 2000)  # as EBU's files: no step at the ends
    measured = true_peak(tone * ramp, rate)
    assert -0.1 < measured - expected < 0.1


def test_true_peak_is_that_of_the_sum_of_sincs() -> None:
    """Whittaker and Shannon's formula at 64 points a sample, around the highest samples."""
    rate = 44_100
    rng = np.random.default_rng(5)
    spectrum = np.fft.rfft(rng.standard_normal(8192))
    spectrum[round(0.45 * 8192) :] = 0  # up to 0.45 of the rate, as an encoder leaves it
    sound = np.fft.irfft(spectrum) * np.hanning(8192) * 0.2
    n = np.arange(len(sound))
    highest = 0.0
    for at in np.argsort(-np.abs(sound))[:60]:
        moments = at + np.linspace(-1, 1, 129)
        values = np.sinc(moments[:, None] - n) @ sound
        highest = max(highest, float(np.abs(values).max()))
    assert np.abs(sound).max() < highest * 0.999  # the samples alone would miss it
    assert true_peak(sound, rate) == pytest.approx(20 * np.log10(highest), abs=0.06)


def test_true_peak_is_the_highest_channels() -> None:
    rate = 48_000
    quiet, loud = sine(-20, 1, rate), sine(-7, 1, rate)
    stereo = np.stack([quiet, loud], axis=1)
    assert true_peak(stereo, rate) == pytest.approx(true_peak(loud, rate), abs=1e-6)
    assert true_peak(stereo, rate) == pytest.approx(-7, abs=0.02)
