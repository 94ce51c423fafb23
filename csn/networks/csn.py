"""The CSN's encoder: mixed sound in, five subspaces out (CSN section 4.1.2, fig. 4)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from csn.instruments import DIMENSIONS
from csn.networks.pooling import mean_and_deviation


@dataclass(frozen=True)
class EncoderSettings:
    """The network's shape; the defaults are the paper's (after Jansson et al. 2017).

    Attributes:
        channels: of the convolutions, one entry a layer.
        kernel: size of the square kernels.
        time_strides: stride over time of each layer; over frequency it is always 2.
        bands: mel bands of the input; sets the size of the fully connected layer.
        pooling: ``mean`` over time as published, or ``mean+deviation``, which also hears rhythm.
        pooled: how many of the last layers are pooled for the head; published: the last alone.
            Earlier ones know timbre and short events that the last would have to carry through.
        normalise: give every subspace unit length, so that Euclidean ranks as cosine does.
    """

    channels: tuple[int, ...] = (16, 32, 64, 128, 256, 512)
    kernel: int = 5
    time_strides: tuple[int, ...] = (2, 2, 2, 2, 2, 2)
    bands: int = 128
    pooling: str = "mean"
    pooled: int = 1
    normalise: bool = False


class Encoder(nn.Module):
    """Six strided convolutions, pooling over time, one fully connected layer to 640.

    With mean pooling it is fully convolutional: the layer after the mean is a convolution of full
    height before it.
    """

    def __init__(self, settings: EncoderSettings | None = None, subspaces: int = 5) -> None:
        """Build the layers.

        Args:
            settings: see ``EncoderSettings``.
            subspaces: of 128 numbers each; an individual network has one.

        Raises:
            ValueError: an unknown pooling, more pooled layers than there are, or strides and
                channels of different lengths.
        """
        super().__init__()
        self.settings = s = settings or EncoderSettings()
        if s.pooling not in ("mean", "mean+deviation"):
            raise ValueError(f"pooling {s.pooling!r} is unknown; use mean or mean+deviation")
        if not 1 <= s.pooled <= len(s.channels):
            raise ValueError(f"{s.pooled} of {len(s.channels)} layers cannot be pooled")
        layers: list[nn.Module] = []
        sizes: list[int] = []  # of every layer's summary
        width, height = 1, s.bands
        for channels, stride in zip(s.channels, s.time_strides, strict=True):
            layers += [
                nn.Conv2d(
                    width, channels, s.kernel, (2, stride), padding=s.kernel // 2, bias=False
                ),
                nn.BatchNorm2d(channels),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            width, height = channels, -(-height // 2)
            sizes.append(width * height)
        self.layers = nn.Sequential(*layers)
        for weight in self.layers.parameters():
            if weight.dim() == 4:  # kernels; channels_last is what makes bf16 pay on a CPU
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        pooled = sum(sizes[-s.pooled :]) * (2 if s.pooling == "mean+deviation" else 1)
        self.head = nn.Linear(pooled, DIMENSIONS * subspaces)

    def forward(self, mel: Tensor) -> Tensor:
        """Embed segments of any length.

        Args:
            mel: [batch, 1, bands, frames] float.

        Returns:
            [batch, 128 * subspaces] float32; subspace c is ``[:, 128c : 128(c+1)]`` (eq. 4).
        """
        maps = mel
        pooled: list[Tensor] = []
        unheard = len(self.settings.channels) - self.settings.pooled
        for number in range(len(self.settings.channels)):
            maps = self.layers[3 * number : 3 * number + 3](maps)
            if number >= unheard:
                pooled.append(self._pool(maps.float()))
        embedding = self.head(torch.cat(pooled, dim=1)).float()
        if self.settings.normalise:
            embedding = normalise_subspaces(embedding)
        return embedding

    def _pool(self, maps: Tensor) -> Tensor:
        """Summarise a layer over time: [batch, numbers] for [batch, channels, height, steps]."""
        if self.settings.pooling == "mean":
            return maps.mean(-1).flatten(1)
        return torch.cat([part.flatten(1) for part in mean_and_deviation(maps)], dim=1)


def normalise_subspaces(embedding: Tensor) -> Tensor:
    """Give each 128-d subspace unit Euclidean length.

    Args:
        embedding: [..., 128 * subspaces].

    Returns:
        The same shape.
    """
    parts = embedding.unflatten(-1, (-1, DIMENSIONS))
    return nn.functional.normalize(parts, dim=-1).flatten(-2)
