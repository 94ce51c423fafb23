"""Embedding in multiples of real time, decoding and mel included."""

import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from bench.table import table
from csn.collecting.build import build
from csn.corpora import open_corpus
from csn.model import Model

PIECES, SECONDS = 24, 120.0


def main() -> dict[str, float]:
    """Embed a folder of mixes, as `csn embed` does; print and return × real time."""
    model = Model.load("demo")
    demo = open_corpus("demo")
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        for rate in (44100, model.settings.sample_rate):
            folder = Path(name) / str(rate)
            folder.mkdir()
            for number in range(PIECES):
                sound = demo.pieces[number % len(demo)].audio("mix", rate)
                sound = np.tile(sound, int(SECONDS * rate / len(sound)) + 1)
                sound = np.clip(sound[: int(SECONDS * rate)], -1, 1)
                soundfile.write(folder / f"{number:02}.flac", sound, rate)
            corpus = open_corpus(f"mixes:{folder}")
            begun = time.perf_counter()
            build(corpus, model, Path(name) / f"library-{rate}", progress=False)
            figures[f"{rate} Hz flac"] = PIECES * SECONDS / (time.perf_counter() - begun)
    rows = [[name, f"{value:,.0f}×"] for name, value in figures.items()]
    print(table(["folder embedded, decode and mel included", "real time"], rows))
    return figures


if __name__ == "__main__":
    main()
