"""A model: features, network and the meaning of its subspaces, in one self-describing file.

The file is safetensors; its header holds a JSON text with everything needed to rebuild the model
and to know where it came from. Nothing is unpickled.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from csn import home
from csn.card import FORMAT, contents, identity
from csn.errors import ModelError
from csn.features import FeatureSettings, LogMel
from csn.instruments import DIMENSIONS, INSTRUMENTS
from csn.networks import Encoder, EncoderSettings

_BLOCK = 60.0
"""Seconds of sound whose spectrogram is held at once, so an hour needs no more than a minute."""
_BATCH = 64


@dataclass(frozen=True)
class ModelSettings:
    """Everything needed to rebuild a model but its weights.

    Attributes:
        features: sound to log-mel.
        encoder: log-mel to 640 numbers.
        segment: seconds that the network was trained on.
        instruments: the order of the subspaces; one name for an individual network.
    """

    features: FeatureSettings = field(default_factory=FeatureSettings)
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    segment: float = 3.0
    instruments: tuple[str, ...] = INSTRUMENTS

    @property
    def sample_rate(self) -> int:
        """Of the sound that ``Model.embed`` takes, Hz."""
        return self.features.sample_rate

    @property
    def normalise(self) -> bool:
        """Whether every subspace has unit length."""
        return self.encoder.normalise

    def to_json(self) -> dict[str, Any]:
        """All settings; one that came later is left out at its default.

        So models that were made before it keep their identity.
        """
        values = asdict(self)
        if self.encoder.pooled == 1:
            del values["encoder"]["pooled"]
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ModelSettings":
        """Rebuild settings from ``to_json``.

        Raises:
            TypeError: unknown fields.
            KeyError: missing fields.
        """
        encoder = dict(values["encoder"])
        for name in ("channels", "time_strides"):
            encoder[name] = tuple(encoder[name])
        return cls(
            FeatureSettings(**values["features"]),
            EncoderSettings(**encoder),
            float(values["segment"]),
            tuple(values["instruments"]),
        )


def choose_device(name: str = "auto") -> torch.device:
    """The device to compute on.

    Args:
        name: ``auto`` (a GPU where there is one), ``cpu`` or ``cuda``.

    Raises:
        ModelError: CUDA was asked for and is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError("No CUDA device was found; use --device cpu or --device auto.")
    return torch.device(name)


def lower_precision(device: torch.device) -> torch.autocast:
    """A context in which the network runs in bf16 where the processor has it, else in fp32.

    Emulated bf16 would be slower than fp32, on an older processor by far.
    """
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bf16(device))


def has_bf16(device: torch.device) -> bool:
    """Whether a device computes in bf16 itself, rather than convert."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # Where torch is built without oneDNN, as for some Macs, its question cannot be asked.
    if not torch.backends.mkldnn.is_available():
        return False
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    # oneDNN says yes to every AVX-512, and converts: 2.8 times slower than fp32 where measured.
    able = torch.cpu.get_capabilities()
    ours = able.get("avx512_bf16", False) or able.get("amx_bf16", False)
    return bool(ours) or able.get("architecture") != "x86_64"


class Model:
    """Mixed sound to five subspaces.

    Attributes:
        settings: how it is built.
        card: what it was trained on, by which commit, with which results.
        hash: SHA-256 (hex) of the weights and settings, the model's identity everywhere.
    """

    def __init__(
        self,
        settings: ModelSettings,
        features: LogMel,
        encoder: Encoder,
        card: dict[str, Any] | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        """Put the parts together for inference; use ``load`` or ``untrained`` instead."""
        self.settings = settings
        self.card = dict(card or {})
        self.device = torch.device(device)
        self.features = features.to(self.device).eval()
        self.encoder = encoder.to(self.device).eval()
        self._hash: str | None = None

    @property
    def hash(self) -> str:
        """SHA-256 (hex) over settings and half-precision weights, see ``card.identity``."""
        if self._hash is None:
            halves = {name: value.numpy() for name, value in self._tensors(half=True).items()}
            self._hash = identity(self.settings.to_json(), halves)
        return self._hash

    def _tensors(self, half: bool) -> dict[str, Tensor]:
        state = {
            f"{part}.{name}": value.detach().cpu()
            for part, module in (("features", self.features), ("encoder", self.encoder))
            for name, value in module.state_dict().items()
            if not name.endswith("num_batches_tracked")
        }
        return {
            name: (value.half() if half else value).contiguous() for name, value in state.items()
        }

    @classmethod
    def untrained(cls, settings: ModelSettings | None = None, seed: int = 0) -> "Model":
        """A model with random weights: the baseline every trained one must beat.

        Args:
            settings: the paper's by default.
            seed: of the weights; torch's global generator is left as it was.
        """
        settings = settings or ModelSettings()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = Encoder(settings.encoder, len(settings.instruments))
        return cls(settings, LogMel(settings.features), encoder, {"trained": False, "seed": seed})

    @classmethod
    def load(
        cls,
        path: Path | str,
        device: str = "auto",
        instruments: tuple[str, ...] = INSTRUMENTS,
    ) -> "Model":
        """Read a model file.

        Args:
            path: a ``.safetensors`` file, or the word ``demo``.
            device: ``auto``, ``cpu`` or ``cuda``.
            instruments: the subspaces that it must have; an individual network has one.

        Raises:
            ModelError: the file is missing, damaged, or not a Stemwise model.
        """
        file = home.demo() / "model.safetensors" if str(path) == "demo" else Path(path)
        with contents(file, "pt") as (built, card, tensors):
            settings = ModelSettings.from_json(built)
            if settings.instruments != instruments:
                raise ModelError(
                    f"{file} has the subspaces {settings.instruments}, not {instruments}; "
                    "it cannot be used here."
                )
            features = LogMel(settings.features)
            encoder = Encoder(settings.encoder, len(instruments))
            for part, module in (("features", features), ("encoder", encoder)):
                state = {
                    name.removeprefix(f"{part}."): value.float()
                    for name, value in tensors.items()
                    if name.startswith(f"{part}.")
                }
                missing, unknown = module.load_state_dict(state, strict=False)
                missing = [name for name in missing if not name.endswith("num_batches_tracked")]
                if missing or unknown:
                    raise ModelError(
                        f"{file} does not hold the weights its header promises "
                        f"(missing {missing[:3]}, unknown {unknown[:3]}); copy it again."
                    )
        return cls(settings, features, encoder, card, choose_device(device))

    def save(self, path: Path, half: bool = False) -> None:
        """Write the model to one file, moved into place when whole.

        Args:
            path: should end in ``.safetensors``.
            half: store fp16, half the size; ranks stay the same to within rounding.
        """
        header = {
            "format": FORMAT,
            "settings": json.dumps(self.settings.to_json()),
            "card": json.dumps(self.card),
        }
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".part")
        temporary.write_bytes(save(self._tensors(half), metadata=header))
        os.replace(temporary, path)

    def embed(self, audio: np.ndarray, starts: np.ndarray, length: float) -> np.ndarray:
        """Embed segments of one recording.

        The log-mel is computed once and cut, so overlapping segments cost no more of it.

        Args:
            audio: mono float32 [samples] at ``settings.sample_rate``.
            starts: seconds, [segments].
            length: seconds of every segment; the network averages over time, so any will do.

        Returns:
            [segments, 640] float32; 128 an instrument where it has others than the five.

        Raises:
            ModelError: a segment reaches outside the recording.
        """
        s = self.settings.features
        starts = np.asarray(starts, dtype=np.float64)
        if len(starts) == 0:
            return np.empty((0, DIMENSIONS * len(self.settings.instruments)), np.float32)
        last = (starts.max() + length) * s.sample_rate
        if starts.min() < 0 or last > len(audio) + s.hop:
            raise ModelError(
                f"Segments of {length:g} s up to {starts.max() + length:.1f} s do not fit into a "
                f"recording of {len(audio) / s.sample_rate:.1f} s; choose earlier starts."
            )
        mel = self.log_mel(audio)
        first = np.round(starts * s.sample_rate / s.hop).astype(np.int64)
        # The last segment may end half a hop beyond the last frame after rounding.
        width = min(s.frames(length), mel.shape[1])
        first = np.minimum(first, mel.shape[1] - width)
        windows = mel.unfold(1, width, 1)  # a view: [bands, positions, width]
        parts = [
            self._encode(windows[:, first[at : at + _BATCH]].transpose(0, 1))
            for at in range(0, len(first), _BATCH)
        ]
        return torch.cat(parts).cpu().numpy()

    @torch.inference_mode()
    def log_mel(self, audio: np.ndarray) -> Tensor:
        """Log-mel of a whole recording, in blocks so that memory stays bounded.

        Args:
            audio: mono float32 [samples].

        Returns:
            [bands, frames] float32 on the model's device.
        """
        s = self.settings.features
        sound = torch.from_numpy(np.ascontiguousarray(audio, dtype=np.float32))
        total = 1 + len(sound) // s.hop
        block = int(_BLOCK * s.sample_rate / s.hop)
        padded = nn.functional.pad(sound, (s.window // 2, s.window // 2))
        parts = []
        for frame in range(0, total, block):
            count = min(block, total - frame)
            piece = padded[frame * s.hop : (frame + count - 1) * s.hop + s.window]
            frames = piece.to(self.device).unfold(0, s.window, s.hop) * self.features.taper
            power = torch.fft.rfft(frames).abs().square() @ self.features.filters
            parts.append(self.features.compress(power).T)
        return torch.cat(parts, dim=1)

    @torch.inference_mode()
    def _encode(self, mel: Tensor) -> Tensor:
        """[batch, bands, frames] log-mel to [batch, 640], in bf16 where that is faster."""
        batch = mel.unsqueeze(1).contiguous(memory_format=torch.channels_last)
        with lower_precision(self.device):
            return self.encoder(batch).float()
