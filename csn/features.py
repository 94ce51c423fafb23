"""Log-mel spectrograms as a torch module: the same code in training, embedding and the app."""

from dataclasses import dataclass

import torch
import torchaudio
from torch import Tensor, nn


@dataclass(frozen=True)
class FeatureSettings:
    """How sound becomes a picture.

    The defaults are the papers': window and hop from IND section 3; 44.1 kHz, 128 bands and the
    compression are not published for CSN, so MULTI's are used (128 bands, log10(1 + 10 S)).

    Attributes:
        sample_rate: Hz.
        window: samples of the Hann window and of the Fourier transform.
        hop: samples between frames.
        bands: mel bands.
        lowest: lower edge of the first band, Hz.
        gain: g in ``log10(1 + g * S)``; a larger one shows quieter sounds.
    """

    sample_rate: int = 44100
    window: int = 2048
    hop: int = 512
    bands: int = 128
    lowest: float = 0.0
    gain: float = 10.0

    def frames(self, seconds: float) -> int:
        """Frames of a signal of this length: 259 for 3 s with the papers' settings."""
        return 1 + int(seconds * self.sample_rate) // self.hop


class LogMel(nn.Module):
    """Mono sound to log-mel frames, each frame by itself.

    Nothing is normalised over a signal, so that frames computed once for a long signal can be
    cut into overlapping segments. Means and deviations per band are fixed buffers, set once
    from the training corpus.
    """

    taper: Tensor
    filters: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, settings: FeatureSettings | None = None) -> None:
        """Make the filters.

        Args:
            settings: see ``FeatureSettings``.
        """
        super().__init__()
        self.settings = s = settings or FeatureSettings()
        filters = torchaudio.functional.melscale_fbanks(
            s.window // 2 + 1, s.lowest, s.sample_rate / 2, s.bands, s.sample_rate
        )
        # Both follow from the settings, so they are not stored with the model.
        self.register_buffer("taper", torch.hann_window(s.window), persistent=False)
        self.register_buffer("filters", filters, persistent=False)
        self.register_buffer("mean", torch.zeros(s.bands))
        self.register_buffer("deviation", torch.ones(s.bands))

    def power(self, sound: Tensor) -> Tensor:
        """Mel power, which adds up over stems (but for their cross terms).

        Frames are cut by ``unfold``: on a CPU this is faster than one large ``torch.stft``.

        Args:
            sound: [batch, samples] float32.

        Returns:
            [batch, frames, bands] float32, frames = 1 + samples // hop, centred, zero-padded.
        """
        s = self.settings
        padded = nn.functional.pad(sound, (s.window // 2, s.window // 2))
        frames = padded.unfold(-1, s.window, s.hop) * self.taper
        return torch.fft.rfft(frames).abs().square() @ self.filters

    def compress(self, power: Tensor) -> Tensor:
        """``log10(1 + g S)``, then zero mean and unit deviation per band.

        Args:
            power: [..., bands] float32.

        Returns:
            [..., bands] float32.
        """
        return (torch.log10(1 + self.settings.gain * power) - self.mean) / self.deviation

    def forward(self, sound: Tensor) -> Tensor:
        """Sound to log-mel.

        Args:
            sound: [batch, samples] float32.

        Returns:
            [batch, bands, frames] float32.
        """
        return self.compress(self.power(sound)).transpose(1, 2)
