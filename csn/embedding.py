"""Embed pieces one by one; whatever is done survives a kill.

Each piece becomes one small file, a part, moved into place when whole. A piece of more than ten
minutes is decoded and embedded in windows, so that memory does not grow with its length, nor with
a length that a damaged header merely states.
"""

import hashlib
import os
import zipfile
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, Protocol

import numpy as np

from csn.audio import SILENCE_DBFS, activity, rms_dbfs, segment_count
from csn.corpora.base import Piece
from csn.errors import AudioError, ModelError
from csn.instruments import EMBEDDING, INSTRUMENTS

# Whatever numpy, pandas and zipfile raise for a damaged or foreign file.
UNREADABLE: Final = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)

WINDOW: Final = 600.0
"""Seconds of a piece that are decoded at once; longer pieces go window by window. Ours."""

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
    hashes: tuple[str, ...] = ()
    """SHA-256 (hex) of the piece's files, in the order of ``Piece.files``; empty for a lost one."""


class _Window(NamedTuple):
    """Some neighbouring segments of a piece."""

    piece: Piece
    number: int
    starts: np.ndarray
    """[n] float64, seconds from the piece's beginning."""
    seconds: float | None
    """From the first start; None reads to the end."""
    last: bool


class _Sound(NamedTuple):
    """A window, decoded and cut."""

    mix: np.ndarray
    starts: np.ndarray
    """Seconds from the window's beginning."""
    activity: np.ndarray
    hashes: tuple[str, ...]


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a temporary file and move it into place, so no half of it is ever read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        write(file)
    os.replace(temporary, path)


def sha256(path: Path) -> str:
    """SHA-256 (hex) of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_part(file: Path, part: Embedded) -> None:
    """Keep one piece's embedding."""
    write_whole(file, lambda out: np.savez(out, **part._asdict()))


def read_part(file: Path) -> Embedded | None:
    """What ``write_part`` kept; None where there is nothing, or nothing whole."""
    try:
        with np.load(file, allow_pickle=False) as stored:
            return Embedded(
                stored["embeddings"], stored["starts"], stored["activity"],
                str(stored["problem"]), tuple(str(one) for one in stored["hashes"]),
            )  # fmt: skip
    except UNREADABLE:
        return None


def embed_pieces(
    pieces: Sequence[Piece],
    model: Embedder,
    *,
    length: float,
    overlap: float,
    watch: Callable[[float], None] = lambda _: None,
) -> Generator[tuple[Piece, Embedded]]:
    """Embed pieces; those that cannot be come without segments and with one sentence.

    They are decoded in threads while the model works on those before.

    Args:
        pieces: what to embed.
        model: what embeds.
        length: of a segment, seconds.
        overlap: of neighbouring segments, as a fraction of ``length``.
        watch: told, each time some sound is done, how many seconds that was.

    Yields:
        The pieces in their order, as each is done.
    """
    over: set[str] = set()  # pieces of which nothing more is wanted
    rate = model.settings.sample_rate
    coming = (w for piece in pieces for w in _windows(piece, length, overlap, over))
    with ThreadPoolExecutor(_DECODERS) as pool:
        waiting: deque[tuple[_Window, Future[_Sound]]] = deque()
        parts: list[Embedded] = []  # of the piece at hand
        try:
            while True:
                for window in islice(coming, _DECODERS + 1 - len(waiting)):
                    waiting.append((window, pool.submit(_decode, window, rate, length)))
                if not waiting:
                    return
                window, future = waiting.popleft()
                if window.piece.id in over:
                    future.cancel()
                    continue
                part = _finish(window, future, model, length)
                parts.append(part)
                if part.problem or window.last:
                    over.add(window.piece.id)
                    yield window.piece, _joined(window.piece, parts, length)
                    parts = []
                watch(_seconds(window))
        finally:
            pool.shutdown(cancel_futures=True)


def _windows(piece: Piece, length: float, overlap: float, over: set[str]) -> Iterator[_Window]:
    """The windows of a piece: one, as a rule; no more of them once the piece is over."""
    hop = length * (1.0 - overlap)
    count = segment_count(piece.duration, length, overlap)
    each = count if piece.duration <= WINDOW else max(int((WINDOW - length) / hop) + 1, 1)
    for number, first in enumerate(range(0, max(count, 1), max(each, 1))):
        if piece.id in over:
            return
        size = min(each, count - first)
        starts = (first + np.arange(size, dtype=np.float64)) * hop
        last = first + size >= count
        yield _Window(piece, number, starts, None if last else (size - 1) * hop + length, last)


def _seconds(window: _Window) -> float:
    """How much of its piece a window brings, seconds; windows overlap by less than a segment."""
    begin = float(window.starts[0]) if len(window.starts) else 0.0
    return window.seconds if window.seconds is not None else window.piece.duration - begin


def _decode(window: _Window, sample_rate: int, length: float) -> _Sound:
    """In a thread: read a window and keep the segments in which the mix is not silent.

    Where the mix is the sum of the stems, each stem is decoded once for both.

    Raises:
        AudioError: a file of it cannot be read.
    """
    piece, starts = window.piece, window.starts
    begin = float(starts[0]) if len(starts) else 0.0
    read = partial(piece.audio, sample_rate=sample_rate, start=begin, length=window.seconds)
    starts = starts - begin
    active = np.full((len(starts), len(INSTRUMENTS)), np.nan, np.float32)
    if piece.mix is not None or not piece.stems:
        mix = read("mix")
    else:
        mix = np.zeros(round(min(_seconds(window), WINDOW + length) * sample_rate), np.float32)
    for c, name in enumerate(INSTRUMENTS if piece.stems else ()):
        if name not in piece.stems:
            active[:, c] = 0
            continue
        stem = read(name)
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
    hashes = tuple(_hash(file) for _, file in piece.files) if window.number == 0 else ()
    return _Sound(mix, starts[kept], active[kept], hashes)


def _hash(file: Path) -> str:
    try:
        return sha256(file)
    except OSError:
        return ""


def _finish(window: _Window, future: "Future[_Sound]", model: Embedder, length: float) -> Embedded:
    """Embed a decoded window; without segments where it cannot be, or is silent."""
    name = window.piece.id
    try:
        sound = future.result()
        if len(sound.starts) == 0:
            return _nothing("", sound.hashes)
        embeddings = np.asarray(model.embed(sound.mix, sound.starts, length), np.float32)
    except (AudioError, ModelError) as error:
        hashes = tuple(_hash(file) for _, file in window.piece.files)
        return _nothing(f"{name} was left out: {error}", hashes)
    if embeddings.shape != (len(sound.starts), EMBEDDING) or not np.isfinite(embeddings).all():
        why = f"{name} was left out: the model's embedding of it is not finite."
        return _nothing(why, sound.hashes)
    begin = float(window.starts[0])
    return Embedded(embeddings, begin + sound.starts, sound.activity, "", sound.hashes)


def _joined(piece: Piece, parts: Sequence[Embedded], length: float) -> Embedded:
    """One piece of its windows; nothing of it where one could not be embedded."""
    hashes = parts[0].hashes
    if parts[-1].problem:
        return _nothing(parts[-1].problem, hashes)
    starts = np.concatenate([part.starts for part in parts])
    if len(starts) == 0:
        why = "silent" if piece.duration >= length else f"shorter than {length:g} s"
        return _nothing(f"{piece.id} was left out: it is {why}.", hashes)
    embeddings = np.concatenate([part.embeddings for part in parts])
    return Embedded(embeddings, starts, np.concatenate([p.activity for p in parts]), "", hashes)


def _nothing(problem: str, hashes: tuple[str, ...]) -> Embedded:
    return Embedded(
        np.empty((0, EMBEDDING), np.float32),
        np.empty(0),
        np.empty((0, len(INSTRUMENTS)), np.float32),
        problem,
        hashes,
    )
