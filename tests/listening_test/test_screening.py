"""The headphone checks are what their papers describe, shown by analysing the signals."""

from dataclasses import replace

import numpy as np
import pytest

from listening_test.loudness import loudness, true_peak
from listening_test.screening import RATE, Made, huggins, level, sounds, woods
from listening_test.study import Settings

TARGET = -26.0
SECOND = RATE


def intervals(made: Made, gap: float) -> list[np.ndarray]:
    """The three intervals; what lies between them is silence."""
    step = round((1 + gap) * RATE)
    assert len(made.sound) == 3 * SECOND + 2 * round(gap * RATE)
    for k in (0, 1):
        assert not made.sound[k * step + SECOND : (k + 1) * step].any()
    return [made.sound[k * step : k * step + SECOND] for k in range(3)]


def power(sound: np.ndarray) -> float:
    """dB of the steady middle, between the ramps."""
    middle = sound[round(0.1 * RATE) : round(0.9 * RATE)]
    return float(10 * np.log10(np.mean(middle**2) + 1e-30))


def test_woods_every_order_of_the_three_tones_once() -> None:
    orders = set()
    for made in woods(TARGET):
        kinds = []
        loudest = max(power(tone[:, 0]) for tone in intervals(made, 0.5))
        for tone in intervals(made, 0.5):
            opposed = np.allclose(tone[:, 0], -tone[:, 1])
            soft = power(tone[:, 0]) < loudest - 3
            assert opposed or np.array_equal(tone[:, 0], tone[:, 1])
            assert not (opposed and soft)
            kinds.append("antiphase" if opposed else "soft" if soft else "plain")
        assert kinds[made.answer or 0] == "soft"
        assert sorted(kinds) == ["antiphase", "plain", "soft"]
        orders.add(tuple(kinds))
    assert len(orders) == 6


def test_woods_tones_are_200_hz_six_decibels_apart_with_ramps() -> None:
    made = next(woods(TARGET))
    tones = intervals(made, 0.5)
    levels = [power(tone[:, 0]) for tone in tones]
    soft = made.answer or 0
    for k, tone in enumerate(tones):
        spectrum = np.abs(np.fft.rfft(tone[:, 0]))
        assert np.argmax(spectrum) == 200  # bins of 1 Hz
        expected = -6.0 if k == soft else 0.0
        assert levels[k] - max(levels) == pytest.approx(expected, abs=0.01)
        envelope = np.abs(tone[: round(0.1 * RATE), 0])
        half = envelope[round(0.045 * RATE) : round(0.055 * RATE)].max()
        assert half == pytest.approx(0.5 * np.abs(tone[:, 0]).max(), rel=0.2)
        assert envelope[: round(0.002 * RATE)].max() < 0.002 * np.abs(tone[:, 0]).max()


def test_woods_loudspeakers_swallow_the_antiphase_tone_and_headphones_do_not() -> None:
    """Summed as in the air, the antiphase tone is softest; in each ear the soft one is."""
    for made in woods(TARGET):
        tones = intervals(made, 0.5)
        air = [power(tone.sum(axis=1)) for tone in tones]
        opposed = [k for k, tone in enumerate(tones) if np.allclose(tone[:, 0], -tone[:, 1])]
        assert opposed == [int(np.argmin(air))] and opposed != [made.answer]
        assert min(air) < max(air) - 100
        for ear in (0, 1):
            assert int(np.argmin([power(tone[:, ear]) for tone in tones])) == made.answer


def test_huggins_tone_is_in_neither_ear() -> None:
    """Each channel's spectrum about 600 Hz is that of any noise, in every interval."""
    for made in huggins(TARGET, seed=4):
        ratios = []
        for noise in intervals(made, 1.0):
            for ear in (0, 1):
                spectrum = np.abs(np.fft.rfft(noise[:, ear])) ** 2  # bins of 1 Hz
                inside = spectrum[564:637].mean()
                around = np.concatenate([spectrum[400:564], spectrum[637:800]]).mean()
                ratios.append(10 * np.log10(inside / around))
        assert np.abs(ratios).max() < 2.5  # chance of 73 bins: SD about 0.55 dB


def test_huggins_tone_is_in_the_phase_between_the_ears() -> None:
    for made in huggins(TARGET, seed=4):
        for k, noise in enumerate(intervals(made, 1.0)):
            cross = np.fft.rfft(noise[:, 0]) * np.conj(np.fft.rfft(noise[:, 1]))
            inside = np.angle(cross[570:631])  # ± 5 %: the ramps blur the band's edges
            outside = np.angle(np.concatenate([cross[100:550], cross[650:8000]]))
            assert np.median(np.abs(outside)) < 0.05
            expected = np.pi if k == made.answer else 0.0  # but for the ramps
            assert np.median(np.abs(inside)) == pytest.approx(expected, abs=0.15)


def test_huggins_without_headphones_the_band_is_gone_rather_than_there() -> None:
    """Summed in the air the band cancels: there is no tone to hear, only less noise."""
    made = next(huggins(TARGET))
    noise = intervals(made, 1.0)[made.answer or 0].sum(axis=1)
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    assert 10 * np.log10(spectrum[575:626].mean() / spectrum[400:550].mean()) < -20


def test_huggins_answers_are_even_and_noises_new() -> None:
    made = [*huggins(TARGET, seed=1)]
    assert sorted(m.answer or 0 for m in made) == [0, 0, 1, 1, 2, 2]
    first = [part[:, 0] for m in made for part in intervals(m, 1.0)]
    likeness = np.abs(np.corrcoef(first)[np.triu_indices(18, 1)])
    assert likeness.max() < 0.05
    again = [*huggins(TARGET, seed=1)]
    assert all(np.array_equal(a.sound, b.sound) for a, b in zip(made, again, strict=True))
    assert not np.array_equal(made[0].sound, next(huggins(TARGET, seed=2)).sound)


def test_each_ear_hears_the_check_as_loud_as_an_excerpt() -> None:
    tone = intervals(next(woods(TARGET)), 0.5)[0][round(0.1 * RATE) : -round(0.1 * RATE), 0]
    assert loudness(tone, RATE) == pytest.approx(TARGET, abs=0.1)
    noise = intervals(next(huggins(TARGET)), 1.0)[0][:, 1]
    assert loudness(noise, RATE) == pytest.approx(TARGET, abs=0.1)
    for made in (*woods(-23.0), *huggins(-23.0)):
        assert true_peak(made.sound, RATE) < -1.0


def test_the_level_is_set_by_pink_noise_as_loud_as_the_excerpts() -> None:
    noise = level(TARGET, seed=3)
    assert noise.shape == (10 * RATE,)
    assert loudness(noise, RATE) == pytest.approx(TARGET, abs=0.01)
    assert true_peak(level(-23.0), RATE) < -1.0
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    octaves = [10 * np.log10(spectrum[10 * f : 20 * f].sum()) for f in (125, 250, 500, 1000, 2000)]
    assert np.ptp(octaves) < 0.7  # as much in every octave


def test_a_study_gets_the_sounds_of_its_check() -> None:
    def kinds(**options: str) -> list[tuple[str, str]]:
        return [(m.kind, m.method) for m in sounds(replace(Settings(), **options), TARGET)]  # type: ignore[arg-type]

    assert kinds(headphones="off") == [("level", "")]
    assert kinds(headphones="recorded") == [("headphones", "woods")] * 6 + [("level", "")]
    huggins_check = kinds(headphones="gate", headphone_method="huggins")
    assert huggins_check == [("headphones", "huggins")] * 6 + [("level", "")]
