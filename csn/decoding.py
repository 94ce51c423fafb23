"""Open an audio file and decode it from front to back, exactly to the frame.

libsndfile reads what it can (WAV, FLAC, MP3, Ogg Vorbis, Opus and more, recognised by content, not
by name), ``mpeg4.py`` the rest. Both are asked here alone.
"""

import os
from pathlib import Path
from typing import Final

import numpy as np
import soundfile as sf

from csn import mpeg4
from csn.errors import AudioError

RATES: Final = range(1_000, 768_001)
"""Hz; outside it a header is damaged, or the file is no sound."""

BLOCK: Final = 1 << 17
"""Frames decoded at once; much larger blocks leave the cache."""

_MP3_BEFORE: Final = 32 * 1152  # frames; what is decoded first after a jump may be silenced
_MP3_SHORT: Final = 0.5  # seconds; some encoders state a little more than they wrote
_OGG_PAGE: Final = 65_307  # bytes at most, by the format
_MOST_FRAMES: Final = 1 << 40  # libsndfile states 2**63 - 1 where it cannot tell


class _Sound(sf.SoundFile):
    """A file read from front to back.

    soundfile jumps to where it already is after every read, which costs time and, in MP3,
    silences the frames that follow. It leaves that out for what says that it cannot jump;
    ``seek`` works all the same.
    """

    def seekable(self) -> bool:
        """Always False, see above."""
        return False


class _CutOffError(Exception):
    """The file holds fewer frames than its header states."""


Stream = _Sound | mpeg4.Stream
"""An open file, read from front to back."""

DAMAGED: Final = (sf.LibsndfileError, mpeg4.BrokenError, _CutOffError)
"""What reading from an open file may raise."""


def reason(error: Exception) -> str:
    """The library's words for what went wrong, without its prefix and full stop."""
    text = getattr(error, "error_string", None) or str(error)
    if "(possibly a pipe?)" in text:  # what libsndfile says of any file named .mp3 that is none
        return "Format not recognised"
    return str(text).removeprefix("Error : ").strip().rstrip(".") or type(error).__name__


def _encoded(path: Path) -> str | bytes:
    """A path as libsndfile takes it, also where the name is no text."""
    name = str(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name)
    return name


def stream(path: Path) -> Stream:
    """Open a file and check its header.

    Raises:
        AudioError: missing, empty, or no audio that can be read.
    """
    if path.is_dir():
        raise AudioError(f"{path} is a folder; an audio file was expected.")
    try:
        size = path.stat().st_size
    except OSError as error:
        why = "does not exist" if isinstance(error, FileNotFoundError) else error.strerror
        raise AudioError(f"{path} cannot be opened: it {why}.") from error
    if size == 0:
        raise AudioError(f"{path} is empty (0 bytes).")
    file: Stream
    try:
        file = mpeg4.Stream(path) if mpeg4.is_one(path) else _Sound(_encoded(path))
    except (sf.LibsndfileError, mpeg4.BrokenError, OSError, TypeError) as error:
        # A TypeError is libsndfile's for headerless .raw.
        raise AudioError(f"{path} is not audio that can be read: {reason(error)}.") from error
    problem = ""
    if file.frames <= 0:
        problem = "holds no sound (0 samples)"
    elif file.samplerate not in RATES:
        problem = f"has a damaged header: it states {file.samplerate} Hz"
    elif file.frames > _MOST_FRAMES:
        problem = "does not say how long it is; convert it to WAV or FLAC"
    if problem:
        file.close()
        raise AudioError(f"{path} {problem}.")
    return file


def decode(file: Stream, frames: int) -> np.ndarray:
    """The next frames as mono [frames] float32, the mean of the channels.

    Raises:
        Exception: one of ``DAMAGED``; the file holds fewer frames than it states.
    """
    block: np.ndarray = file.read(frames, dtype="float32", always_2d=True)
    missing = frames - len(block)
    if file.format in ("MP3", "MP4") and missing <= file.samplerate * _MP3_SHORT:
        block = np.pad(block, ((0, missing), (0, 0))) if missing else block
    elif missing:
        raise _CutOffError(f"only {file.tell()} of its {file.frames} samples are there")
    if file.channels == 1:
        return np.ascontiguousarray(block[:, 0])
    with np.errstate(all="ignore"):  # infinities are reported by the caller
        mono: np.ndarray = np.dot(block, np.full(file.channels, 1 / file.channels, np.float32))
    return mono


def seek_exactly(file: Stream, frame: int) -> None:
    """Go to a frame exactly, also where libsndfile's own jump does not.

    MP3 borrows bits from earlier frames, so what follows a jump is silenced at first; in the last
    page of Vorbis a jump lands some milliseconds off. Both are decoded from a safe place before.

    Raises:
        Exception: one of ``DAMAGED``.
    """
    safe = frame
    if file.format == "MP3":
        safe = max(frame - _MP3_BEFORE, 0)
    elif file.subtype == "VORBIS":
        safe = max(min(frame, _last_page(Path(os.fsdecode(file.name))) - 1), 0)
    if safe:
        file.seek(safe)
    while safe < frame:
        block = file.read(min(frame - safe, BLOCK), dtype="float32")
        if not len(block):
            raise _CutOffError(f"only {safe} of its {file.frames} samples are there")
        safe += len(block)


def _last_page(ogg: Path) -> int:
    """The frame at which the last page of an Ogg Vorbis file begins."""
    with ogg.open("rb") as file:
        file.seek(max(ogg.stat().st_size - 2 * _OGG_PAGE, 0))
        tail = file.read()
    ends = [0, 0]
    at = tail.find(b"OggS")
    while at >= 0:
        end = int.from_bytes(tail[at + 6 : at + 14], "little", signed=True)
        if end >= 0:  # -1: no packet ends in this page
            ends.append(end)
        at = tail.find(b"OggS", at + 1)
    return ends[-2]
