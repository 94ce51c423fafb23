"""Noises, and what stands for a model where the network does not matter."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from csn.instruments import EMBEDDING

RATE = 8000


@dataclass(frozen=True)
class FakeSettings:
    sample_rate: int = RATE


@dataclass
class FakeModel:
    """Embeds a segment as its first 640 spectral bins, subspaces of unit length."""

    hash: str = "a" * 64
    settings: FakeSettings = field(default_factory=FakeSettings)
    calls: int = 0
    dies_at: int = -1

    def embed(self, audio: np.ndarray, starts: np.ndarray, length: float) -> np.ndarray:
        if self.calls == self.dies_at:
            raise KeyboardInterrupt
        self.calls += 1
        size = round(length * RATE)
        rows = []
        for start in starts:
            sound = audio[round(start * RATE) : round(start * RATE) + size]
            bins = np.abs(np.fft.rfft(sound, size))[:6400].reshape(EMBEDDING, 10).sum(axis=1)
            parts = bins.reshape(5, 128)
            rows.append((parts / np.linalg.norm(parts, axis=1, keepdims=True)).ravel())
        return np.array(rows, np.float32)


def noise(seed: int, seconds: float, level: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (level * rng.uniform(-1, 1, round(seconds * RATE))).astype(np.float32)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
