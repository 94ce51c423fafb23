"""A corpus of sine waves, one frequency for each stem, and models that hear by formula."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from csn.corpora.base import Corpus, Piece
from csn.features import FeatureSettings
from csn.instruments import DIMENSIONS, EMBEDDING, INSTRUMENTS
from csn.model import ModelSettings
from csn.networks import EncoderSettings

RATE = 4000
PIECES = 12
SETTINGS = ModelSettings(
    FeatureSettings(sample_rate=RATE, window=256, hop=64, bands=16),
    EncoderSettings(channels=(4, 8), time_strides=(2, 2), bands=16),
)


def frequency(piece: int, c: int) -> float:
    """Hz; multiples of 20 are orthogonal over any whole second."""
    return 100.0 + 20.0 * (5 * piece + c)


class Formula:
    """A model made of a function from [samples] to [640]."""

    settings = SETTINGS
    hash = "formula"

    def __init__(self, formula: Callable[[np.ndarray], np.ndarray]) -> None:
        self.formula = formula
        self.calls = 0

    def embed(self, audio: np.ndarray, starts: np.ndarray, length: float) -> np.ndarray:
        self.calls += 1
        size = round(length * RATE)
        answer = np.zeros((len(starts), EMBEDDING), np.float32)
        for i, start in enumerate(starts):
            first = round(float(start) * RATE)
            answer[i] = self.formula(audio[first : first + size])
        return answer


def amplitudes(sound: np.ndarray) -> np.ndarray:
    """[piece, instrument] amplitude of every stem's frequency, whatever its phase."""
    seconds = len(sound) / RATE
    found = 2 * np.abs(np.fft.rfft(sound)) / len(sound)
    bins = [[round(frequency(p, c) * seconds) for c in range(5)] for p in range(PIECES)]
    answer: np.ndarray = found[np.array(bins)]
    return answer


def oracle(sound: np.ndarray) -> np.ndarray:
    """Every subspace hears its own instrument and nothing else."""
    answer = np.zeros((5, DIMENSIONS))
    answer[:, :PIECES] = amplitudes(sound).T
    return answer.reshape(-1)


def only_backing(sound: np.ndarray) -> np.ndarray:
    """Every subspace hears all the instruments but its own."""
    heard = amplitudes(sound)
    answer = np.zeros((5, DIMENSIONS))
    for c in range(5):
        answer[c, : 4 * PIECES] = np.delete(heard, c, axis=1).reshape(-1)
    return answer.reshape(-1)


def bands(sound: np.ndarray) -> np.ndarray:
    """Energies in 40 bands, eight for each subspace: nobody's instrument in particular."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    edges = np.linspace(0, len(power), 41).astype(int)
    energies = np.array([power[a:b].sum() for a, b in pairwise(edges)])
    answer = np.zeros((5, DIMENSIONS))
    answer[:, :8] = np.log10(1 + energies).reshape(5, 8)
    return answer.reshape(-1)


def write_piece(
    folder: Path, number: int, stems: dict[str, np.ndarray], tempo: float | None, split: str = ""
) -> Piece:
    files = {}
    for name, sound in stems.items():
        file = folder / f"{number:02}_{name}.wav"
        soundfile.write(file, sound.astype(np.float32), RATE, subtype="FLOAT")
        files[name] = (file,)
    longest = max((len(sound) for sound in stems.values()), default=0)
    return Piece(f"Piece{number:02}", f"Piece {number}", split, longest / RATE, tempo, stems=files)


@pytest.fixture(scope="session")
def sines(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Twelve pieces of 5 to 7 s in which every instrument sounds throughout."""
    folder = tmp_path_factory.mktemp("sines")
    pieces = []
    for p in range(PIECES):
        time = np.arange((5 + p % 3) * RATE) / RATE
        stems = {
            name: 0.1 * np.sin(2 * np.pi * frequency(p, c) * time)
            for c, name in enumerate(INSTRUMENTS)
        }
        pieces.append(write_piece(folder, p, stems, 60.0 + 3 * p, "test"))
    return Corpus("sines", "sines", tuple(pieces))


@pytest.fixture(scope="session")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Eight pieces of noise and tones: late entries, rests, absent instruments, odd lengths."""
    folder = tmp_path_factory.mktemp("uneven")
    rng = np.random.default_rng(5)
    pieces = []
    for p in range(8):
        samples = int(rng.integers(5 * RATE, 7 * RATE))
        stems = {}
        for c, name in enumerate(INSTRUMENTS):
            if (p + c) % 7 == 0:
                continue
            time = np.arange(samples) / RATE
            sound = 0.1 * np.sin(2 * np.pi * frequency(p, c) * time * (1 + 0.05 * np.sin(time)))
            sound += 0.05 * rng.standard_normal(samples) * np.abs(np.sin((1 + c + p) * time))
            sound[: int(rng.integers(0, RATE // 2))] = 0
            rest = int(rng.integers(RATE, 4 * RATE))
            sound[rest : rest + RATE] = 0
            stems[name] = sound
        pieces.append(write_piece(folder, p, stems, None if p == 3 else 90.0 + 2 * p, "test"))
    return Corpus("uneven", "uneven", tuple(pieces))
