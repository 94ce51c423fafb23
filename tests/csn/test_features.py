import numpy as np
import torch

from csn.features import FeatureSettings, LogMel


def _slow_power(sound: np.ndarray, s: FeatureSettings) -> np.ndarray:
    """Mel power by an explicit Fourier sum and triangles drawn by hand (HTK mel)."""
    padded = np.pad(sound.astype(np.float64), s.window // 2)
    n = np.arange(s.window)
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * n / s.window)
    bins = np.arange(s.window // 2 + 1)
    basis = np.exp(-2j * np.pi * np.outer(n, bins) / s.window)
    frames = 1 + len(sound) // s.hop
    power = np.array(
        [
            np.abs((padded[t * s.hop : t * s.hop + s.window] * taper) @ basis) ** 2
            for t in range(frames)
        ]
    )
    to_mel = lambda hertz: 2595 * np.log10(1 + hertz / 700)  # noqa: E731
    edges = 700 * (
        10 ** (np.linspace(to_mel(s.lowest), to_mel(s.sample_rate / 2), s.bands + 2) / 2595) - 1
    )
    hertz = bins * s.sample_rate / s.window
    triangles = np.zeros((len(bins), s.bands))
    for m in range(s.bands):
        low, mid, high = edges[m : m + 3]
        for k, f in enumerate(hertz):
            triangles[k, m] = max(0.0, min((f - low) / (mid - low), (high - f) / (high - mid)))
    return power @ triangles


def test_mel_power_against_a_slow_fourier_sum() -> None:
    settings = FeatureSettings(sample_rate=8000, window=256, hop=64, bands=12, gain=10)
    sound = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    layer = LogMel(settings)
    power = layer.power(torch.from_numpy(sound)[None])[0].numpy()
    slow = _slow_power(sound, settings)
    np.testing.assert_allclose(power, slow, rtol=2e-3, atol=1e-3)
    layer.mean.fill_(0.5)
    layer.deviation.fill_(2.0)
    mel = layer(torch.from_numpy(sound)[None])[0].numpy()
    expected = ((np.log10(1 + 10 * slow) - 0.5) / 2).T
    np.testing.assert_allclose(mel, expected, atol=2e-3)


def test_the_papers_segment_has_259_frames() -> None:
    settings = FeatureSettings()
    assert settings.frames(3.0) == 259
    assert LogMel(settings)(torch.zeros(1, 3 * 44100)).shape == (1, 128, 259)


def test_silence_is_finite() -> None:
    assert torch.isfinite(LogMel()(torch.zeros(1, 44100))).all()
