"""Embed a corpus piece by piece; whatever is done survives a kill.

Each piece becomes one small file in a working folder, moved into place when whole. A later run
with the same corpus, model and cutting finds it there and goes on with the next piece.
"""

import json
import os
import shutil
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, Protocol

import numpy as np
from tqdm import tqdm

from csn.audio import SILENCE_DBFS, activity, rms_dbfs, segment_starts
from csn.corpora.base import Corpus, Piece
from csn.errors import AudioError, ModelError
from csn.instruments import EMBEDDING, INSTRUMENTS

# Whatever numpy, pandas and zipfile raise for a damaged or foreign file.
UNREADABLE: Final = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)

_DECODERS: Final = min(os.cpu_count() or 1, 8)  # threads; libsndfile lets go of Python's lock


class Embedder(Protocol):
    """What is needed of a model; ``csn.model.Model`` is one."""

    @property
    def settings(self) -> Any:
        """With ``sample_rate``, Hz."""

    @property
    def hash(self) -> str:
        """SHA-256 (hex), the model's identity."""

    def embed(self, audio: np.ndarray, starts: np.ndarray, length: float) -> np.ndarray:
        """Mono [samples] float32 and starts [n] in seconds → [n, 640] float32."""


class Embedded(NamedTuple):
    """One piece, embedded; without segments where it could not be."""

    embeddings: np.ndarray
    """[n, 640] float32."""
    starts: np.ndarray
    """[n] float64, seconds."""
    activity: np.ndarray
    """[n, 5] float32, the part of each segment in which each instrument sounds; NaN where the
    piece has no stems."""
    problem: str = ""
    """One sentence if the piece was left out, else empty."""


class _Sound(NamedTuple):
    """A piece, decoded and cut."""

    mix: np.ndarray
    starts: np.ndarray
    activity: np.ndarray


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a temporary file and move it into place, so no half of it is ever read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        write(file)
    os.replace(temporary, path)


def embed_pieces(
    corpus: Corpus,
    model: Embedder,
    folder: Path,
    *,
    length: float,
    overlap: float,
    progress: bool = True,
) -> Iterator[tuple[Piece, Embedded]]:
    """Embed every piece of a corpus, or take it from an earlier run that did.

    Pieces are decoded in threads while the model works on those before.

    Args:
        corpus: what to embed.
        model: what embeds.
        folder: working folder; emptied when it holds the work of another corpus or model.
        length: of a segment, seconds.
        overlap: of neighbouring segments, as a fraction of ``length``.
        progress: draw a progress bar.

    Yields:
        The pieces in the corpus's order.
    """
    plan = {
        "corpus": corpus.fingerprint(),
        "model": model.hash,
        "length": length,
        "overlap": overlap,
    }
    _prepare(folder, json.dumps(plan).encode())
    files = [folder / f"{number:06d}.npz" for number in range(len(corpus))]
    with ThreadPoolExecutor(_DECODERS) as pool:
        waiting: deque[tuple[Piece, Path, Future[Embedded | _Sound]]] = deque()
        coming = zip(corpus.pieces, files, strict=True)
        bar = tqdm(
            total=len(corpus), desc=f"Embedding {corpus.name}", unit="piece", disable=not progress
        )
        try:
            for number in range(-_DECODERS, len(corpus)):
                if (following := next(coming, None)) is not None:
                    waiting.append(
                        (*following, pool.submit(_look, *following, model, length, overlap))
                    )
                if number >= 0:
                    piece, file, future = waiting.popleft()
                    yield piece, _finish(piece, file, future, model, length)
                    bar.update()
        finally:
            bar.close()
            pool.shutdown(cancel_futures=True)


def _prepare(folder: Path, plan: bytes) -> None:
    """Make the working folder, without anything that was made to another plan."""
    noted = folder / "plan.json"
    if folder.exists() and not (noted.is_file() and noted.read_bytes() == plan):
        shutil.rmtree(folder)
    if not noted.exists():
        write_whole(noted, lambda file: file.write(plan))


def _look(
    piece: Piece, file: Path, model: Embedder, length: float, overlap: float
) -> Embedded | _Sound:
    """In a thread: what an earlier run left of the piece, else its sound."""
    try:
        with np.load(file, allow_pickle=False) as stored:
            return Embedded(
                stored["embeddings"], stored["starts"], stored["activity"], str(stored["problem"])
            )
    except UNREADABLE:
        return _decode(piece, model.settings.sample_rate, length, overlap)


def _decode(piece: Piece, sample_rate: int, length: float, overlap: float) -> _Sound:
    """Read a piece and keep the segments in which the mix is not silent.

    Where the mix is the sum of the stems, each stem is decoded once for both.

    Raises:
        AudioError: a file of it cannot be read.
    """
    starts = segment_starts(piece.duration, length, overlap)
    active = np.full((len(starts), len(INSTRUMENTS)), np.nan, np.float32)
    mix = np.zeros(round(piece.duration * sample_rate), np.float32)
    if piece.mix is not None or not piece.stems:
        mix = piece.audio("mix", sample_rate)
    for c, name in enumerate(INSTRUMENTS if piece.stems else ()):
        if name not in piece.stems:
            active[:, c] = 0
            continue
        stem = piece.audio(name, sample_rate)
        active[:, c] = activity(stem, sample_rate, starts, length)
        if piece.mix is None:
            if len(stem) > len(mix):
                mix = np.pad(mix, (0, len(stem) - len(mix)))
            mix[: len(stem)] += stem
    first = np.round(starts * sample_rate).astype(np.int64)
    size = round(length * sample_rate)
    # A file may hold a sample or two less than its header says, so an end may lie 1 ms outside.
    inside = first + size <= len(mix) + sample_rate // 1000
    sounding = [rms_dbfs(mix[at : at + size]) > SILENCE_DBFS for at in first]
    kept = inside & np.array(sounding, np.bool_)
    return _Sound(mix, starts[kept], active[kept])


def _finish(
    piece: Piece,
    file: Path,
    future: "Future[Embedded | _Sound]",
    model: Embedder,
    length: float,
) -> Embedded:
    """Embed a decoded piece and store it; a piece that cannot be embedded is stored as such."""
    try:
        found = future.result()
        if isinstance(found, Embedded):
            return found
        done = _embed(piece, found, model, length)
    except (AudioError, ModelError) as error:
        done = _nothing(f"{piece.id} was left out: {error}")
    write_whole(file, lambda out: np.savez(out, **done._asdict()))
    return done


def _embed(piece: Piece, sound: _Sound, model: Embedder, length: float) -> Embedded:
    if len(sound.starts) == 0:
        why = "silent" if piece.duration >= length else f"shorter than {length:g} s"
        return _nothing(f"{piece.id} was left out: it is {why}.")
    embeddings = np.asarray(model.embed(sound.mix, sound.starts, length), np.float32)
    if embeddings.shape != (len(sound.starts), EMBEDDING) or not np.isfinite(embeddings).all():
        return _nothing(f"{piece.id} was left out: the model's embedding of it is not finite.")
    return Embedded(embeddings, sound.starts, sound.activity)


def _nothing(problem: str) -> Embedded:
    return Embedded(
        np.empty((0, EMBEDDING), np.float32),
        np.empty(0),
        np.empty((0, len(INSTRUMENTS)), np.float32),
        problem,
    )
