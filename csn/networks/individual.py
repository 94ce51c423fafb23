"""Individual networks: one for each instrument and one for the mix, each hearing its own alone.

Source: IND sections 3 and 4; CSN section 4.1.3 uses them to make the targets of its auxiliary
loss. The shape of the fully convolutional network that CSN cites is not published: ours is the
CSN's encoder with one subspace of 128 numbers. Each network is a ``Model`` in a file of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from csn.errors import ModelError
from csn.features import FeatureSettings
from csn.instruments import EMBEDDING, INSTRUMENTS, subspace
from csn.model import Model, lower_precision

MIX: Final = "mix"
CRITERIA: Final = (*INSTRUMENTS, MIX)
"""What an individual network can be trained to hear."""


@dataclass(frozen=True)
class Individual:
    """The individual networks of one seed.

    Attributes:
        models: criterion to its network.
    """

    models: Mapping[str, Model]

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> "Individual":
        """Read the networks that ``csn train individual`` wrote for one seed.

        Args:
            folder: holds ``drums/model.safetensors`` and so on; ``mix`` may be missing.
            device: ``auto``, ``cpu`` or ``cuda``.

        Raises:
            ModelError: an instrument's network is missing or damaged.
        """
        files = {name: folder / name / "model.safetensors" for name in CRITERIA}
        return cls(
            {
                name: Model.load(file, device, (name,))
                for name, file in files.items()
                if name in INSTRUMENTS or file.is_file()
            }
        )

    @property
    def features(self) -> FeatureSettings:
        """How all of them see sound."""
        return self.models[INSTRUMENTS[0]].settings.features

    @property
    def hashes(self) -> dict[str, str]:
        """Criterion to the SHA-256 (hex) of its network."""
        return {name: model.hash for name, model in self.models.items()}

    def fit(self, features: FeatureSettings) -> None:
        """See that the networks can look at spectrograms of these settings.

        Raises:
            ModelError: they were trained on others.
        """
        if self.features != features:
            raise ModelError(
                f"The individual networks see sound as {self.features}, the recipe as {features}; "
                "train them with the recipe's features."
            )

    @torch.no_grad()
    def targets(self, roots: Tensor, heard: Tensor) -> Tensor:
        """The vector y of CSN's eq. 5, before it is divided by its length.

        Args:
            roots: [mixes, 5, frames, bands] float16 square roots of the stems' mel power.
            heard: [mixes, 5] bool, which stems sound in the mix.

        Returns:
            [mixes, 640] float32: g_c of stem c in columns c, zeros where it is not heard.
        """
        device = self.models[INSTRUMENTS[0]].device
        answer = torch.zeros(len(roots), EMBEDDING, device=device)
        for c, name in enumerate(INSTRUMENTS):
            rows = heard[:, c].nonzero()[:, 0]
            if len(rows) == 0:
                continue
            model = self.models[name]
            power = roots[rows, c].to(device).float().square_()
            mel = model.features.compress(power).transpose(1, 2).unsqueeze(1)
            with lower_precision(device):
                embedding = model.encoder(mel.contiguous(memory_format=torch.channels_last))
            answer[rows.to(device), subspace(c)] = embedding.float()
        return answer
