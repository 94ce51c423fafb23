"""A small library of tones, made from nothing in a few seconds, for the tests of the screens."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import yaml

from csn.collecting.build import build
from csn.corpora import open_corpus
from csn.instruments import EMBEDDING
from csn.library import Library
from csn.maps import fit_maps
from tests.tones import write_slakh

PIECES = 12
NAUGHTY = "<img src=x onerror=alert(1)> & Söhne"
"""The title of the second piece: text that must never be read as HTML."""
NO_GUITAR = "Track00003"


class Fingerprints:
    """Stands for a model where the network itself does not matter: needs no torch.

    The embedding is a fixed random projection of the spectrum's coarse shape.
    """

    settings = SimpleNamespace(sample_rate=22_050)
    hash = "f" * 64

    def embed(self, audio: np.ndarray, starts: np.ndarray, length: float) -> np.ndarray:
        size = round(length * self.settings.sample_rate)
        mixing = np.random.default_rng(0).standard_normal((64, EMBEDDING))
        rows = []
        for start in starts:
            begin = round(float(start) * self.settings.sample_rate)
            spectrum = np.abs(np.fft.rfft(audio[begin : begin + size], size))[: size // 2]
            bands = spectrum[: len(spectrum) // 64 * 64].reshape(64, -1).mean(axis=1)
            rows.append(np.log(bands + 1e-3) @ mixing)
        vectors = np.array(rows).reshape(-1, 5, 128)
        vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
        return vectors.reshape(-1, EMBEDDING).astype(np.float32)


def make(root: Path, model: object | None = None) -> Library:
    """Twelve pieces of 10 s, stems as Ogg without a mix, embedded and mapped (PCA, flat and solid).

    Args:
        root: where ``corpus`` and ``library`` are made.
        model: what embeds; None takes ``Fingerprints``.
    """
    write_slakh(
        root / "corpus",
        {"test": PIECES},
        seconds=10.0,
        suffix=".ogg",
        mix=False,
        absent={int(NO_GUITAR[-5:]): ["guitar"]},
    )
    metadata = root / "corpus" / "test" / "Track00002" / "metadata.yaml"
    content = yaml.safe_load(metadata.read_text("utf-8"))
    content["stemwise"]["title"] = NAUGHTY
    metadata.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    corpus = open_corpus(f"slakh:{root / 'corpus'}")
    library = build(corpus, model or Fingerprints(), root / "library", progress=False)
    for method in ("pca", "pca3"):
        fit_maps(library, method=method, progress=False)
    return library
