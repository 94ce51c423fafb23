"""Embedding in multiples of real time: headers, decoding, mel, network and writing included."""

import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from bench.table import table
from csn.collecting.build import build
from csn.corpora import open_corpus
from csn.instruments import INSTRUMENTS
from csn.model import Model

PIECES, SECONDS = 24, 120.0


def main() -> dict[str, float]:
    """Embed folders as `csn embed` does, but for maps; print and return × real time."""
    model = Model.load("demo")
    own = model.settings.sample_rate
    figures: dict[str, float] = {}
    a_core: dict[str, float] = {}  # what one core does alone, whoever else uses the machine
    sizes = {}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        kinds = [("mixes", ".flac", 44_100), ("mixes", ".flac", own), ("mixes", ".mp3", 44_100),
                 ("mixes", ".wav", 44_100), ("stems", ".flac", 44_100)]  # fmt: skip
        for layout, ending, rate in kinds:
            folder = place / f"{layout}-{rate}{ending}"
            _write(folder, layout, ending, rate)
            begun, worked = time.perf_counter(), time.process_time()
            made = build(open_corpus(f"{layout}:{folder}"), model, place / "library",
                         half=False, progress=False)  # fmt: skip
            what = f"{layout}, {rate} Hz {ending[1:]}"
            figures[what] = PIECES * SECONDS / (time.perf_counter() - begun)
            a_core[what] = PIECES * SECONDS / (time.process_time() - worked)
            sizes["float32"] = (made.folder / "vectors.npy").stat().st_size / len(made)
            rest = (made.folder / "segments.parquet", made.folder / "pieces.parquet")
            sizes["table"] = sum(file.stat().st_size for file in rest) / len(made)
        begun = time.perf_counter()
        again = build(open_corpus(f"{layout}:{folder}"), model, made.folder, progress=False)
        figures["the same again: nothing has changed"] = (
            PIECES * SECONDS / (time.perf_counter() - begun)
        )
        assert len(again) == len(made)
        half = build(open_corpus(f"{layout}:{folder}"), model, made.folder, half=True,
                     progress=False)  # fmt: skip
        sizes["float16"] = (half.folder / "vectors.npy").stat().st_size / len(half)
    rows = [
        [name, f"{value:,.0f}×", f"{a_core[name]:,.0f}×" if name in a_core else ""]
        for name, value in figures.items()
    ]
    head = f"{PIECES} pieces of {SECONDS:.0f} s embedded, all but maps"
    print(table([head, "real time", "a core"], rows))
    print(", ".join(f"{value:,.0f} bytes {name}" for name, value in sizes.items()) + " a segment")
    return figures


def _write(folder: Path, layout: str, ending: str, rate: int) -> None:
    """The demo's pieces, again and again, as files of two minutes."""
    demo = open_corpus("demo")
    for number in range(PIECES):
        piece = demo.pieces[number % len(demo)]
        parts = {f"{number:02}": "mix"}
        if layout == "stems":
            names = [name for name in INSTRUMENTS if name in piece.stems]
            parts = {f"{number:02}/{name}": name for name in names}
        for file, part in parts.items():
            sound = piece.audio(part, rate)
            sound = np.tile(sound, int(SECONDS * rate / len(sound)) + 1)
            path = folder / f"{file}{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, np.clip(sound[: int(SECONDS * rate)], -1, 1), rate)


if __name__ == "__main__":
    main()
