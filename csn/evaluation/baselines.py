"""What a model must beat: an untrained encoder, and plain statistics of the mix's spectrogram.

All are judged on the same sounds in the same run. The floor of P2 is not chance: a vector that
knows only the mix is drawn to the mixes that share its backing, and falls below it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from csn.features import FeatureSettings
from csn.instruments import subspace
from csn.model import Model, ModelSettings


class Embeds(Protocol):
    """All that the measures ask of a model; ``csn.model.Model`` is one."""

    settings: ModelSettings

    @property
    def hash(self) -> str:
        """Which model this is."""

    def embed(self, audio: np.ndarray, starts: np.ndarray, length: float) -> np.ndarray:
        """Segments of one recording to [segments, 640] float32."""


@dataclass(frozen=True)
class System:
    """Something that turns segments of a mix into vectors to be compared by distance.

    Attributes:
        name: ``model``, ``untrained`` or ``floor``.
        embed: (audio [samples], starts [segments] in seconds, length in seconds) to
            [segments, d] float32.
        subspaces: whether its vectors have a part for each instrument; otherwise the whole
            vector stands for every instrument.
    """

    name: str
    embed: Callable[[np.ndarray, np.ndarray, float], np.ndarray]
    subspaces: bool = True

    def part(self, vectors: np.ndarray, instrument: str) -> np.ndarray:
        """The columns that speak for one instrument, [segments, d]."""
        return vectors[:, subspace(instrument)] if self.subspaces else vectors

    def comparable(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors whose Euclidean distance means something, [segments, d] float64.

        Statistics of bands have different units and ranges, so each column of them gets zero
        mean and unit deviation over the segments that are compared. Embeddings stay as they are.
        """
        vectors = np.asarray(vectors, np.float64)
        if self.subspaces:
            return vectors
        deviation = vectors.std(axis=0)
        return (vectors - vectors.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def systems(model: Embeds, *, baselines: bool = True, seed: int = 0) -> tuple[System, ...]:
    """The model and its baselines, which share one spectrogram where they can.

    Args:
        model: the model to be judged.
        baselines: whether to judge the untrained encoder and the floor too.
        seed: of the untrained encoder's weights.

    Returns:
        ``model``, and with baselines ``untrained`` (the same settings and features) and
        ``floor`` (mean and standard deviation over time of each log-mel band of the mix).
    """
    if not baselines:
        return (System("model", model.embed),)
    untrained = Model.untrained(model.settings, seed)
    source = model if isinstance(model, Model) else untrained
    spectrogram = _Spectrogram(source)
    random = Model(
        source.settings, source.features, untrained.encoder, untrained.card, source.device
    )
    judged = _Sharing(model, spectrogram).embed if isinstance(model, Model) else model.embed
    floor = _Statistics(spectrogram, source.settings.features)
    return (
        System("model", judged),
        System("untrained", _Sharing(random, spectrogram).embed),
        System("floor", floor.embed, subspaces=False),
    )


class _Spectrogram:
    """Log-mel of the last recording, kept for the other systems with the same features."""

    def __init__(self, model: Model) -> None:
        self._compute = model.log_mel
        self._audio: np.ndarray | None = None
        self._mel = torch.empty(0)

    def __call__(self, audio: np.ndarray) -> Tensor:
        """[samples] float32 to [bands, frames] float32."""
        if audio is not self._audio:
            self._audio, self._mel = audio, self._compute(audio)
        return self._mel


class _Sharing(Model):
    """A model that takes its spectrogram from where others have already computed it."""

    def __init__(self, model: Model, spectrogram: _Spectrogram) -> None:
        super().__init__(model.settings, model.features, model.encoder, model.card, model.device)
        self._spectrogram = spectrogram

    def log_mel(self, audio: np.ndarray) -> Tensor:
        """[samples] float32 to [bands, frames] float32."""
        return self._spectrogram(audio)


class _Statistics:
    """Mean and standard deviation over time of each log-mel band."""

    def __init__(self, spectrogram: _Spectrogram, settings: FeatureSettings) -> None:
        self._spectrogram, self._settings = spectrogram, settings

    def embed(self, audio: np.ndarray, starts: np.ndarray, length: float) -> np.ndarray:
        """Segments to [segments, 2 * bands] float32: the means, then the deviations."""
        s = self._settings
        if len(starts) == 0:
            return np.empty((0, 2 * s.bands), np.float32)
        mel = self._spectrogram(audio)
        width = min(s.frames(length), mel.shape[1])
        first = np.rint(np.asarray(starts) * s.sample_rate / s.hop).astype(np.int64)
        windows = mel.unfold(1, width, 1)  # a view: [bands, positions, width]
        cut = windows[:, torch.from_numpy(np.minimum(first, mel.shape[1] - width))]
        means, deviations = cut.mean(-1), cut.std(-1, unbiased=False)
        answer: np.ndarray = torch.cat([means, deviations]).T.cpu().numpy()
        return answer
