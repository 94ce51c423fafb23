"""Small corpora with one fault each, and what every test of sounds needs."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile as sf

from csn.corpora import Corpus, open_corpus
from csn.instruments import INSTRUMENTS
from listening_test.stimuli import Stimuli
from listening_test.study import Settings
from tests.small_library import Fingerprints
from tests.tones import RATE, tone, write_track

SMALL = Settings(excerpt=3.0, must_hear=1.0, per_instrument=2, instruments=("bass", "piano"))
"""A study that twelve pieces of 14 s are enough for."""


class Bands(Fingerprints):
    """A model whose subspaces differ: each hears a fifth of the spectrum, from low to high."""

    def embed(self, audio: np.ndarray, starts: np.ndarray, length: float) -> np.ndarray:
        size = round(length * self.settings.sample_rate)
        mixing = np.random.default_rng(0).standard_normal((5, 12, 128))
        edges = np.geomspace(20, size // 2, 61).astype(int)
        rows = []
        for start in starts:
            begin = round(float(start) * self.settings.sample_rate)
            spectrum = np.abs(np.fft.rfft(audio[begin : begin + size], size))
            bands = [spectrum[a:b].mean() for a, b in pairwise(edges)]
            parts = np.log(np.array(bands) + 1e-3).reshape(5, 12)
            rows.append(np.einsum("cb,cbd->cd", parts, mixing))
        vectors = np.array(rows).reshape(-1, 5, 128)
        vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
        return vectors.reshape(-1, 640).astype(np.float32)


Change = Callable[[np.ndarray], np.ndarray]


def spoiled(root: Path, changes: dict[int, Change], *, pieces: int = 3, seconds: float = 9.0,
            instrument: str = "bass") -> Corpus:  # fmt: skip
    """Pieces of tones as 32-bit WAV; one instrument of some is changed.

    Args:
        root: where; made.
        changes: number of a piece, from 1 → what is done to the instrument's stem.
        pieces: how many.
        seconds: length of each.
        instrument: whose stem is changed.
    """
    for number in range(1, pieces + 1):
        stems = {name: tone(name, number, seconds, 120.0) for name in INSTRUMENTS}
        folder = write_track(
            root / "test" / f"Track{number:05d}", stems, suffix=".wav", mix=False,
            stemwise={"title": f"Tones {number}", "tempo": 120.0},
        )  # fmt: skip
        if number in changes:
            k = INSTRUMENTS.index(instrument)
            sound = changes[number](stems[instrument])
            sf.write(folder / "stems" / f"S{k:02d}.wav", sound, RATE, "FLOAT")
    return open_corpus(f"slakh:{root}")


def stimuli(corpus: Corpus, length: float = 3.0, **options: bool) -> Stimuli:
    return Stimuli(corpus, Fingerprints(), length, **options)
