"""Read, cut and measure sound. The only file of the science that opens audio.

Any sound becomes mono float32 at the rate that is asked for. Reading goes through libsndfile
(WAV, FLAC, MP3, Ogg Vorbis, Opus and more, recognised by content, not by name) or ``mpeg4.py``,
changing the rate through ``resampling.py``. All work in short blocks, so that an hour of eight
channels needs little more memory than the answer itself.
"""

import io
import math
import os
import wave
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import soundfile as sf

from csn import mpeg4
from csn.errors import AudioError
from csn.resampling import reach, resample

SILENCE_DBFS: Final = -60.0
"""A frame whose RMS is not above this level counts as silent (CSN leaves it unpublished)."""

FRAME_SECONDS: Final = 0.05
"""Length of the frames that ``activity`` looks at, seconds."""

SUFFIXES: Final = mpeg4.SUFFIXES | {
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".caf", ".w64")
}
"""File name endings (lower case) that are taken for audio when folders are searched."""

_RATES: Final = range(1_000, 768_001)  # outside it a header is damaged, or the file is no sound
_BLOCK: Final = 1 << 17  # frames decoded at once; much larger ones leave the cache
_CHANNELS: Final = 8  # with more, blocks are shorter; a header may state a thousand
_MP3_BEFORE: Final = 32 * 1152  # frames; what is decoded first after a jump may be silenced
_MP3_SHORT: Final = 0.5  # seconds; some encoders state a little more than they wrote
_OGG_PAGE: Final = 65_307  # bytes at most, by the format
_MOST_FRAMES: Final = 1 << 40  # libsndfile states 2**63 - 1 where it cannot tell


class Info(NamedTuple):
    """What the header of an audio file says."""

    duration: float
    """Seconds."""
    sample_rate: int
    """Hz."""
    channels: int


def info(path: Path | str) -> Info:
    """Read the header of an audio file, without decoding it.

    Returns:
        (duration in seconds, sample rate in Hz, number of channels).

    Raises:
        AudioError: missing, empty, or no audio that can be read.
    """
    with stream(Path(path)) as file:
        return Info(file.frames / file.samplerate, file.samplerate, file.channels)


def read(
    path: Path | str, sample_rate: int, *, start: float = 0.0, length: float | None = None
) -> np.ndarray:
    """Read a file, or a window of it, as mono sound.

    A window holds exactly the samples that the same slice of the whole file holds: it is cut
    from one grid of output samples, and is read with the margin that the resampler needs.

    Args:
        path: any file libsndfile reads, or MP4, whatever its name.
        sample_rate: of the answer, Hz.
        start: seconds from the beginning; the answer's first sample is
            ``round(start * sample_rate)``.
        length: seconds; ``round(length * sample_rate)`` samples, or fewer (even none) where the
            file ends earlier. None reads to the end.

    Returns:
        [samples] float32, the mean of the channels.

    Raises:
        AudioError: missing, empty, damaged or cut off, or with values that are not finite.
        ValueError: a negative start or length, or no sensible sample rate.
    """
    if not (math.isfinite(start) and start >= 0):
        raise ValueError(f"start must be at least 0 seconds, not {start}")
    if length is not None and not (math.isfinite(length) and length >= 0):
        raise ValueError(f"length must be at least 0 seconds, not {length}")
    if sample_rate not in _RATES:
        raise ValueError(f"sample_rate must be 1,000 to 768,000 Hz, not {sample_rate}")
    path = Path(path)
    with stream(path) as file:
        common = math.gcd(file.samplerate, sample_rate)
        p, q = file.samplerate // common, sample_rate // common
        whole = -(-file.frames * q // p)
        first = min(round(start * sample_rate), whole)
        last = whole if length is None else min(first + round(length * sample_rate), whole)
        answer = np.empty(last - first, np.float32)
        try:
            _fill(answer, file, p, q, first)
        except DAMAGED as error:
            raise AudioError(f"{path} is damaged or cut off: {_reason(error)}.") from error
    with np.errstate(all="ignore"):
        if not math.isfinite(answer.sum(dtype=np.float64)):
            raise AudioError(f"{path} holds values that are not numbers (NaN or infinity).")
    return answer


def write_wav(audio: np.ndarray, sample_rate: int) -> bytes:
    """A 16-bit PCM WAV file in memory.

    Sound whose peak lies above full scale is turned down to it as a whole, because cutting off
    its peaks would be heard as another timbre. Values that are not finite become 0.

    Args:
        audio: [samples] or [samples, channels], full scale 1.
        sample_rate: Hz.
    """
    sound = np.nan_to_num(np.asarray(audio, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    peak = float(np.abs(sound).max(initial=0.0))
    whole = np.rint(sound * (32767.0 / max(peak, 1.0))).astype("<i2")
    memory = io.BytesIO()
    with wave.open(memory, "wb") as file:
        file.setnchannels(1 if whole.ndim == 1 else whole.shape[1])
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(whole.tobytes())
    return memory.getvalue()


def segment_count(duration: float, length: float = 3.0, overlap: float = 0.5) -> int:
    """How many segments a piece has; as ``segment_starts``."""
    if not (math.isfinite(length) and length > 0 and 0 <= overlap < 1):
        raise ValueError(f"length {length} must be above 0, overlap {overlap} in [0, 1)")
    if not math.isfinite(duration):
        raise ValueError(f"duration must be finite, not {duration}")
    # The small allowance keeps the last segment of a duration such as 2.9999999999.
    return max(math.floor((duration - length) / (length * (1.0 - overlap)) + 1e-9) + 1, 0)


def segment_starts(duration: float, length: float = 3.0, overlap: float = 0.5) -> np.ndarray:
    """Where the segments of a piece begin; a segment that would pass the end is left out.

    Args:
        duration: of the piece, seconds.
        length: of a segment, seconds.
        overlap: of neighbours, as a fraction of ``length``, at least 0 and below 1.

    Returns:
        [segments] float64, seconds; empty where the piece is shorter than one segment.

    Raises:
        ValueError: an argument outside its range.
    """
    count = segment_count(duration, length, overlap)
    return np.arange(count, dtype=np.float64) * (length * (1.0 - overlap))


def rms_dbfs(audio: np.ndarray) -> float:
    """Root mean square in dB relative to full scale (a constant 1 is 0 dB); silence is -inf."""
    if np.size(audio) == 0:
        return -math.inf
    power = float(np.mean(np.square(audio, dtype=np.float64)))
    return 10.0 * math.log10(power) if power > 0 else -math.inf


def activity(audio: np.ndarray, sample_rate: int, starts: np.ndarray, length: float) -> np.ndarray:
    """How much of each segment sounds.

    Args:
        audio: [samples] mono, full scale 1.
        sample_rate: Hz.
        starts: [segments] seconds.
        length: of a segment, seconds.

    Returns:
        [segments] float32, the fraction of 50-ms frames, counted from the segment's start, whose
        RMS is above ``SILENCE_DBFS``. Sound past the end of ``audio`` is silence.
    """
    size = max(round(FRAME_SECONDS * sample_rate), 1)
    frames = max(int(length / FRAME_SECONDS + 1e-6), 1)
    threshold = size * 10.0 ** (SILENCE_DBFS / 10.0)
    fractions = np.zeros(len(starts), np.float32)
    for i, start in enumerate(starts):
        begin = round(float(start) * sample_rate)
        piece = audio[begin : begin + frames * size]
        if len(piece) < frames * size:
            piece = np.pad(piece, (0, frames * size - len(piece)))
        grid = piece.reshape(frames, size)
        fractions[i] = np.mean(np.einsum("fs,fs->f", grid, grid) > threshold)
    return fractions


class _Stream(sf.SoundFile):
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


DAMAGED: Final = (sf.LibsndfileError, mpeg4.BrokenError, _CutOffError)
"""What reading from an open file may raise."""


def _reason(error: Exception) -> str:
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


def stream(path: Path) -> "_Stream | mpeg4.Stream":
    """Open a file and check its header.

    Raises:
        AudioError: missing, empty, or no audio that can be read.
    """
    if path.is_dir():
        raise AudioError(f"{path} is a folder; an audio file was expected.")
    try:
        size = path.stat().st_size
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else error.strerror
        raise AudioError(f"{path} cannot be opened: it {reason}.") from error
    if size == 0:
        raise AudioError(f"{path} is empty (0 bytes).")
    file: _Stream | mpeg4.Stream
    try:
        file = mpeg4.Stream(path) if mpeg4.is_one(path) else _Stream(_encoded(path))
    except (sf.LibsndfileError, mpeg4.BrokenError, OSError, TypeError) as error:
        # A TypeError is libsndfile's for headerless .raw.
        raise AudioError(f"{path} is not audio that can be read: {_reason(error)}.") from error
    problem = ""
    if file.frames <= 0:
        problem = "holds no sound (0 samples)"
    elif file.samplerate not in _RATES:
        problem = f"has a damaged header: it states {file.samplerate} Hz"
    elif file.frames > _MOST_FRAMES:
        problem = "does not say how long it is; convert it to WAV or FLAC"
    if problem:
        file.close()
        raise AudioError(f"{path} {problem}.")
    return file


def _decode(file: "_Stream | mpeg4.Stream", frames: int) -> np.ndarray:
    """The next frames as mono [frames] float32."""
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


def _seek(file: "_Stream | mpeg4.Stream", frame: int) -> None:
    """Go to a frame exactly, also where libsndfile's own jump does not.

    MP3 borrows bits from earlier frames, so what follows a jump is silenced at first; in the last
    page of Vorbis a jump lands some milliseconds off. Both are decoded from a safe place before.
    """
    safe = frame
    if file.format == "MP3":
        safe = max(frame - _MP3_BEFORE, 0)
    elif file.subtype == "VORBIS":
        safe = max(min(frame, _last_page(Path(os.fsdecode(file.name))) - 1), 0)
    if safe:
        file.seek(safe)
    while safe < frame:
        block = file.read(min(frame - safe, _BLOCK), dtype="float32")
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


def _fill(answer: np.ndarray, file: "_Stream | mpeg4.Stream", p: int, q: int, first: int) -> None:
    """Write output samples ``first ...`` to ``answer``, where q of them last as long as p frames.

    Every block begins on a multiple of the common period (p frames, q samples), so that the
    resampler's grid is the whole file's. Blocks carry over the margin that its filter reaches.
    """
    last = first + len(answer)
    if first == last:
        return
    block = max(_BLOCK * _CHANNELS // max(file.channels, _CHANNELS), 1)
    if p == q:
        _seek(file, first)
        for done in range(0, len(answer), block):
            part = answer[done : done + block]
            part[:] = _decode(file, len(part))
        return
    margin = -(-reach(p, q) // p)  # periods
    periods = max(block // p, 1)
    begin, end = first // q, -(-last // q)
    held_from = max(begin - margin, 0)  # the period at which `held` starts
    _seek(file, held_from * p)
    held = np.empty(0, np.float32)
    for k in range(begin, end, periods):
        stop = min(k + periods, end)
        keep_from = max(k - margin, 0)
        held = held[(keep_from - held_from) * p :]
        held_from = keep_from
        wanted = min((stop + margin) * p, file.frames) - held_from * p
        held = np.concatenate((held, _decode(file, wanted - len(held))))
        samples = resample(held, p, q)
        low, high = max(k * q, first), min(stop * q, last)
        answer[low - first : high - first] = samples[low - held_from * q : high - held_from * q]
