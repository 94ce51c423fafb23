"""Read, cut and measure sound.

Any sound becomes mono float32 at the rate that is asked for: ``decoding.py`` opens the file,
``resampling.py`` changes the rate. Both work in short blocks, so that an hour of eight channels
needs little more memory than the answer itself.
"""

import io
import math
import wave
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from csn import mpeg4
from csn.decoding import BLOCK, DAMAGED, RATES, Stream, decode, reason, seek_exactly, stream
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

_CHANNELS: Final = 8  # with more, blocks are shorter; a header may state a thousand


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
    if sample_rate not in RATES:
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
            raise AudioError(f"{path} is damaged or cut off: {reason(error)}.") from error
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


def _fill(answer: np.ndarray, file: Stream, p: int, q: int, first: int) -> None:
    """Write output samples ``first ...`` to ``answer``, where q of them last as long as p frames.

    Every block begins on a multiple of the common period (p frames, q samples), so that the
    resampler's grid is the whole file's. Blocks carry over the margin that its filter reaches.
    """
    last = first + len(answer)
    if first == last:
        return
    block = max(BLOCK * _CHANNELS // max(file.channels, _CHANNELS), 1)
    if p == q:
        seek_exactly(file, first)
        for done in range(0, len(answer), block):
            part = answer[done : done + block]
            part[:] = decode(file, len(part))
        return
    margin = -(-reach(p, q) // p)  # periods
    periods = max(block // p, 1)
    begin, end = first // q, -(-last // q)
    held_from = max(begin - margin, 0)  # the period at which `held` starts
    seek_exactly(file, held_from * p)
    held = np.empty(0, np.float32)
    for k in range(begin, end, periods):
        stop = min(k + periods, end)
        keep_from = max(k - margin, 0)
        held = held[(keep_from - held_from) * p :]
        held_from = keep_from
        wanted = min((stop + margin) * p, file.frames) - held_from * p
        held = np.concatenate((held, decode(file, wanted - len(held))))
        samples = resample(held, p, q)
        low, high = max(k * q, first), min(stop * q, last)
        answer[low - first : high - first] = samples[low - held_from * q : high - held_from * q]
