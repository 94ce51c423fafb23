"""Ask a library with a sound of one's own: read the chosen part, embed it, explain the answers.

A query is the mean of its segments: the same 3-s segments as the library's, overlapping by half,
so that a part of a recording and the same part of a library's piece ask the same question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csn import audio
from csn.decoding import DAMAGED, stream
from csn.embedding import Embedder
from csn.errors import AudioError, LibraryError, shown
from csn.instruments import DIMENSIONS, EMBEDDING, INSTRUMENTS
from csn.library import ACTIVITY, Library
from csn.vectors import Floats, Integers, Mask, checked_weights

LONGEST: Final = 30.0
"""Seconds of sound that are asked with at most; nothing else of a file is kept or embedded."""

SHORTEST: Final = 1.0
"""Seconds; less says too little about any instrument. Ours."""

PLAYS: Final = 0.3
"""An instrument plays in a segment when it sounds in at least this part of it; as P2 counts."""

_MOST_RATE: Final = 48_000  # Hz; what is heard needs no more
_GLIMPSE: Final = 4096  # frames looked at for a column of a waveform


@dataclass(frozen=True)
class Part:
    """A part of a recording, read.

    Attributes:
        sound: [samples] float32, mono, at ``rate``: for people to hear.
        rate: Hz, the file's own, at most 48,000.
        vector: [640] float32.
    """

    sound: np.ndarray
    rate: int
    vector: Floats


def outline(path: Path, name: str, columns: int = 240) -> NDArray[np.float32]:
    """The shape of a waveform, without decoding the whole file.

    Each column is looked at for at most 4,096 frames, so that three hours take no longer than
    three minutes.

    Args:
        path: of the file.
        name: what people call it.
        columns: how many.

    Returns:
        [columns] float32 in 0 … 1, the peak of each in relation to the highest; 0 where the file
        is damaged.

    Raises:
        AudioError: no audio that can be read.
    """
    peaks = np.zeros(columns, np.float32)
    try:
        with stream(path) as file:
            size = max(min(file.frames // columns, _GLIMPSE), 1)
            for column in range(columns):
                file.seek(file.frames * column // columns)
                glimpse = file.read(size, dtype="float32", always_2d=True)
                with np.errstate(all="ignore"):
                    peaks[column] = np.abs(glimpse.mean(axis=1)).max(initial=0.0)
    except AudioError as error:
        raise _named(error, path, name) from error
    except DAMAGED:
        pass  # what comes after is drawn as silence; reading it says what is wrong
    peaks[~np.isfinite(peaks)] = 0.0
    answer: NDArray[np.float32] = peaks / max(float(peaks.max()), 1e-9)
    return answer


def duration(path: Path, name: str) -> float:
    """How long a recording is, seconds.

    Raises:
        AudioError: no audio that can be read, or less than ``SHORTEST``.
    """
    seconds = _header(path, name).duration
    if seconds < SHORTEST:
        raise AudioError(
            f"{name} lasts {seconds:.2f} s; a query needs at least {SHORTEST:g} s of sound."
        )
    return seconds


def read(
    path: Path, name: str, model: Embedder, *, start: float, length: float, segment: float = 3.0
) -> Part:
    """Read and embed a part of a file; the rest of it is not decoded.

    Args:
        path: of the file.
        name: what people call it; sentences say it instead of the path.
        model: of the library that is to be asked.
        start: seconds.
        length: seconds, ``SHORTEST`` to ``LONGEST``; the part is shorter where the file ends.
        segment: length of the library's segments, seconds.

    Raises:
        AudioError: no audio, damaged in this part, silent, or with values that are no numbers.
    """
    if not (start >= 0 and SHORTEST <= length <= LONGEST):
        raise AudioError(
            f"A query starts at 0 s or later and lasts {SHORTEST:g} to {LONGEST:g} s, "
            f"not {length:g} s from {start:g} s."
        )
    rate = min(_header(path, name).sample_rate, _MOST_RATE)
    try:
        sound = audio.read(path, rate, start=start, length=length)
        own = model.settings.sample_rate
        heard = sound if own == rate else audio.read(path, own, start=start, length=length)
    except AudioError as error:
        raise _named(error, path, name) from error
    if len(heard) < SHORTEST * own * 0.99:
        raise AudioError(f"{name} ends before {start + SHORTEST:.1f} s; choose an earlier part.")
    return Part(sound, rate, embed(model, heard, name, segment))


def embed(model: Embedder, sound: np.ndarray, name: str, segment: float = 3.0) -> Floats:
    """One vector for a sound.

    Args:
        model: what embeds.
        sound: [samples] float32 at the model's rate.
        name: what people call it.
        segment: seconds; a shorter sound is one segment of its own length.

    Returns:
        [640] float32, see ``pool``.

    Raises:
        AudioError: nothing but silence.
    """
    rate = model.settings.sample_rate
    length = min(segment, len(sound) / rate)
    starts = audio.segment_starts(len(sound) / rate, length)
    size = round(length * rate)
    first = np.round(starts * rate).astype(np.int64)
    sounding = [audio.rms_dbfs(sound[at : at + size]) > audio.SILENCE_DBFS for at in first]
    starts = starts[np.array(sounding, np.bool_)]
    if not len(starts):
        raise AudioError(f"This part of {name} is silent; choose another.")
    vectors = np.asarray(model.embed(sound, starts, length), np.float32)
    if not np.isfinite(vectors).all():
        raise AudioError(f"The model makes nothing of this part of {name}; choose another.")
    return pool(vectors)


def pool(vectors: ArrayLike) -> Floats:
    """The mean of segments, every subspace of it as long as those of the segments are on average.

    Without the second half the mean of unlike segments would lie nearer to everything.

    Args:
        vectors: [n, 640], n at least 1.

    Returns:
        [640] float32; for one segment the segment itself.
    """
    parts = np.asarray(vectors, np.float64).reshape(-1, len(INSTRUMENTS), DIMENSIONS)
    mean = parts.mean(axis=0)
    wanted = np.linalg.norm(parts, axis=2).mean(axis=0)
    there = np.linalg.norm(mean, axis=1)
    scale = np.where(there > 1e-9, wanted / np.maximum(there, 1e-9), 1.0)
    answer: Floats = (mean * scale[:, None]).reshape(EMBEDDING).astype(np.float32)
    return answer


def rows_of(library: Library, piece: str, start: float, length: float) -> Integers:
    """The segments of a piece that lie within a part of it, or the one that begins nearest to it.

    Raises:
        LibraryError: the library holds no such piece.
    """
    own = np.flatnonzero((library.segments["piece"] == piece).to_numpy())
    if not len(own):
        raise LibraryError(f"The library {library.info['name']!r} holds no piece {piece[:80]!r}.")
    begin = library.segments["start"].to_numpy()[own]
    end = begin + library.segments["length"].to_numpy()[own]
    inside = own[(begin >= start - 1e-6) & (end <= start + length + 1e-6)]
    return inside if len(inside) else own[[int(np.abs(begin - start).argmin())]]


def contributions(
    library: Library, query: ArrayLike, rows: ArrayLike, weights: Sequence[float]
) -> NDArray[np.float64]:
    """What each instrument adds to the squared distance: ``w_c ‖q_c − x_c‖²``.

    Args:
        library: the library.
        query: [640].
        rows: [n] segments.
        weights: five.

    Returns:
        [n, 5] float64; a row sums to the squared distance that search ranks by.
    """
    stored = library.vectors[np.asarray(rows, np.int64), :EMBEDDING]
    away = stored.astype(np.float64) - np.asarray(query, np.float32).astype(np.float64)
    squared = np.square(away).reshape(-1, len(INSTRUMENTS), DIMENSIONS).sum(axis=2)
    answer: NDArray[np.float64] = squared * checked_weights(weights)
    return answer


def typical(library: Library, weights: Sequence[float], pairs: int = 500) -> float:
    """The median of ``Σ |w_c| ‖x_c − y_c‖²`` over pairs of segments drawn with seed 0."""
    drawn = np.random.default_rng(0).integers(len(library), size=(2, pairs))
    x, y = (library.vectors[rows, :EMBEDDING].astype(np.float64) for rows in drawn)
    squared = np.square(x - y).reshape(-1, len(INSTRUMENTS), DIMENSIONS).sum(axis=2)
    return float(np.median(squared @ np.abs(checked_weights(weights))))


def leaders(weights: Sequence[float]) -> tuple[str, ...]:
    """The instruments that weigh most; none where all five weigh the same, or none is positive."""
    most = max(weights)
    found = tuple(name for name, w in zip(INSTRUMENTS, weights, strict=True) if w == most > 0)
    return found if len(found) < len(INSTRUMENTS) else ()


def playing(library: Library, instruments: Sequence[str]) -> Mask:
    """In which segments all these instruments play, [segments] bool; unknown counts as playing."""
    answer = np.ones(len(library), np.bool_)
    for name in instruments:
        heard = library.segments[ACTIVITY[INSTRUMENTS.index(name)]].to_numpy()
        answer &= ~(heard < PLAYS)
    return answer


def _header(path: Path, name: str) -> audio.Info:
    try:
        return audio.info(path)
    except AudioError as error:
        raise _named(error, path, name) from error


def _named(error: AudioError, path: Path, name: str) -> AudioError:
    """The same sentence with the name that people know."""
    return AudioError(str(error).replace(shown(str(path)), name))
