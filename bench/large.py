"""A library of any size that is heard like a real one: the demo's segments, over and over.

Each row is a segment of the demo moved by some milliseconds, so that every dot has a clip of its
own; its vector is the segment's with a little noise, and its dots scatter about the segment's.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

from csn.instruments import EMBEDDING
from csn.library import Library
from csn.vectors import with_norms

_NOISE = 0.03  # of a vector's length; the demo's nearest neighbours are farther apart
_SCATTER = 0.01  # of half a map
_AT_ONCE = 20_000


def make(folder: Path, segments: int, *, half: bool = False, seed: int = 0) -> Path:
    """Write a library of so many segments; returns its folder.

    Args:
        folder: to write to.
        segments: how many rows.
        half: store float16.
        seed: of noise and scatter.
    """
    demo = Library.open("demo")
    rng = np.random.default_rng(seed)
    times = np.bincount(np.arange(segments) % len(demo), minlength=len(demo))
    source = np.repeat(np.arange(len(demo)), times)  # a piece's segments stay together
    turn = np.arange(segments) - np.repeat(np.cumsum(times) - times, times)
    table = demo.segments.iloc[source].reset_index(drop=True)
    table["start"] = (table["start"] + turn * (1.4 / times.max())).round(5)
    folder.mkdir(parents=True)
    table.to_parquet(folder / "segments.parquet", index=False)
    shape = (segments, EMBEDDING) if half else (segments, demo.vectors.shape[1])
    kind = np.float16 if half else np.float32
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", kind, shape)
    for first in range(0, segments, _AT_ONCE):
        some = demo.vectors[source[first : first + _AT_ONCE], :EMBEDDING]
        moved = some + rng.standard_normal(some.shape, dtype=np.float32) * (_NOISE / 128**0.5)
        vectors[first : first + len(some)] = moved if half else with_norms(moved)
    vectors.flush()
    del vectors
    digests = {name: _sha256(folder / name) for name in ("segments.parquet", "vectors.npy")}
    info = demo.info | {"name": folder.name, "segments": segments, "files": digests}
    info.pop("pieces_file", None)
    (folder / "maps").mkdir()
    for file in sorted((demo.folder / "maps").glob("*.npz")):
        with np.load(file, allow_pickle=False) as stored:
            content = dict(stored)
        dots = content["coordinates"][source]
        dots = dots + rng.standard_normal(dots.shape, dtype=np.float32) * _SCATTER
        content["coordinates"] = np.clip(dots, -1, 1).astype(np.float32)
        content["vectors_sha256"] = np.array(digests["vectors.npy"])
        np.savez(folder / "maps" / file.name, **content)
    (folder / "library.json").write_text(json.dumps(info), "utf-8")
    return folder


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
