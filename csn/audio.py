"""Read, resample, cut and measure sound. The only file of the science that opens audio.

Any sound becomes mono float32 at the rate that is asked for. Reading goes through libsndfile
(WAV, FLAC, MP3, Ogg Vorbis, Opus and more, recognised by content, not by name), resampling
through torchaudio's windowed sinc. Both work in short blocks, so that an hour of eight channels
needs little more memory than the answer itself.
"""

import io
import math
import wave
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import soundfile as sf

from csn.errors import AudioError

SILENCE_DBFS: Final = -60.0
"""A frame whose RMS is not above this level counts as silent (CSN leaves it unpublished)."""

FRAME_SECONDS: Final = 0.05
"""Length of the frames that ``activity`` looks at, seconds."""

SUFFIXES: Final = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".caf", ".w64"}
)
"""File name endings (lower case) that are taken for audio when folders are searched."""

_RATES: Final = range(1_000, 768_001)  # outside it a header is damaged, or the file is no sound
_BLOCK: Final = 1 << 17  # frames decoded at once; the fastest of 2**14 ... 2**20
_MOST_FRAMES: Final = 1 << 40  # libsndfile states 2**63 - 1 where it cannot tell
_TABLE: Final = 1 << 20  # largest p * q for which a table of every phase is kept
_LOBES: Final = 6  # zero crossings on each side of the sinc: torchaudio's default
_ROLLOFF: Final = 0.99  # of the lower Nyquist frequency: torchaudio's default
_PHASES: Final = 8192  # per sample, for pairs of rates with no short common period


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
    with _open(Path(path)) as file:
        return Info(file.frames / file.samplerate, file.samplerate, file.channels)


def read(
    path: Path | str, sample_rate: int, *, start: float = 0.0, length: float | None = None
) -> np.ndarray:
    """Read a file, or a window of it, as mono sound.

    A window holds exactly the samples that the same slice of the whole file holds: it is cut
    from one grid of output samples, and is read with the margin that the resampler needs.

    Args:
        path: any file libsndfile reads, whatever its name.
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
    with _open(path) as file:
        common = math.gcd(file.samplerate, sample_rate)
        p, q = file.samplerate // common, sample_rate // common
        whole = -(-file.frames * q // p)
        first = min(round(start * sample_rate), whole)
        last = whole if length is None else min(first + round(length * sample_rate), whole)
        answer = np.empty(last - first, np.float32)
        try:
            _fill(answer, file, p, q, first)
        except (sf.LibsndfileError, _CutOffError) as error:
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
    if not (math.isfinite(length) and length > 0 and 0 <= overlap < 1):
        raise ValueError(f"length {length} must be above 0, overlap {overlap} in [0, 1)")
    if not math.isfinite(duration):
        raise ValueError(f"duration must be finite, not {duration}")
    hop = length * (1.0 - overlap)
    # The small allowance keeps the last segment of a duration such as 2.9999999999.
    count = math.floor((duration - length) / hop + 1e-9) + 1
    return np.arange(max(count, 0), dtype=np.float64) * hop


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


class _CutOffError(Exception):
    """The file holds fewer frames than its header states."""


def _reason(error: Exception) -> str:
    """The library's words for what went wrong, without its prefix and full stop."""
    text = getattr(error, "error_string", None) or str(error)
    return str(text).removeprefix("Error : ").strip().rstrip(".") or type(error).__name__


def _open(path: Path) -> sf.SoundFile:
    """Open a file and check its header; AudioError in one sentence."""
    if path.is_dir():
        raise AudioError(f"{path} is a folder; an audio file was expected.")
    try:
        size = path.stat().st_size
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else error.strerror
        raise AudioError(f"{path} cannot be opened: it {reason}.") from error
    if size == 0:
        raise AudioError(f"{path} is empty (0 bytes).")
    try:
        file = sf.SoundFile(path)
    except (sf.LibsndfileError, OSError, TypeError) as error:  # TypeError: headerless .raw
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


def _decode(file: sf.SoundFile, frames: int) -> np.ndarray:
    """The next frames as mono [frames] float32."""
    block: np.ndarray = file.read(frames, dtype="float32", always_2d=True)
    if len(block) < frames:
        raise _CutOffError(f"only {file.tell()} of its {file.frames} samples are there")
    if file.channels == 1:
        return np.ascontiguousarray(block[:, 0])
    with np.errstate(all="ignore"):  # infinities are reported by the caller
        mono: np.ndarray = np.dot(block, np.full(file.channels, 1 / file.channels, np.float32))
    return mono


def _fill(answer: np.ndarray, file: sf.SoundFile, p: int, q: int, first: int) -> None:
    """Write output samples ``first ...`` to ``answer``, where q of them last as long as p frames.

    Every block begins on a multiple of the common period (p frames, q samples), so that the
    resampler's grid is the whole file's. Blocks carry over the margin that its filter reaches.
    """
    last = first + len(answer)
    if first == last:
        return
    if p == q:
        file.seek(first)
        for done in range(0, len(answer), _BLOCK):
            part = answer[done : done + _BLOCK]
            part[:] = _decode(file, len(part))
        return
    margin = -(-math.ceil(_LOBES * p / (min(p, q) * _ROLLOFF)) // p)  # periods
    periods = max(_BLOCK // p, 1)
    begin, end = first // q, -(-last // q)
    held_from = max(begin - margin, 0)  # the period at which `held` starts
    file.seek(held_from * p)
    held = np.empty(0, np.float32)
    for k in range(begin, end, periods):
        stop = min(k + periods, end)
        keep_from = max(k - margin, 0)
        held = held[(keep_from - held_from) * p :]
        held_from = keep_from
        wanted = min((stop + margin) * p, file.frames) - held_from * p
        held = np.concatenate((held, _decode(file, wanted - len(held))))
        samples = _resample(held, p, q)
        low, high = max(k * q, first), min(stop * q, last)
        answer[low - first : high - first] = samples[low - held_from * q : high - held_from * q]


def _resample(audio: np.ndarray, p: int, q: int) -> np.ndarray:
    """[n] float32 → [ceil(n * q / p)] float32, for p frames in and q samples out per period."""
    if p * q > _TABLE:
        return _resample_odd(audio, p, q)
    import torch

    with torch.inference_mode():
        samples: np.ndarray = _resampler(p, q)(torch.from_numpy(audio)).numpy()
    return samples


@lru_cache(maxsize=32)
def _resampler(p: int, q: int) -> Any:
    """Torchaudio's resampler with its table of filters; made once, since making it is slow.

    Torch is imported here because reading headers, which many processes do, needs none of it.
    """
    from torchaudio.transforms import Resample

    return Resample(p, q)


def _resample_odd(audio: np.ndarray, p: int, q: int) -> np.ndarray:
    """The same filter where the rates (44,099 Hz, say) share no period of a practical length.

    A table for each of the q phases would need gigabytes. Here the filter is looked up at the
    nearest of 8,192 phases, an error of about -80 dB.
    """
    taps, reach = _phases(p, q)
    position = np.arange(-(-len(audio) * q // p), dtype=np.int64) * p
    index, phase = position // q, np.rint(position % q * (_PHASES / q)).astype(np.intp)
    padded = np.pad(audio, (reach, reach + 1))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    answer = np.empty(len(position), np.float32)
    for done in range(0, len(answer), _BLOCK):
        part = slice(done, done + _BLOCK)
        answer[part] = np.einsum("nt,nt->n", windows[index[part]], taps[phase[part]])
    return answer


@lru_cache(maxsize=4)
def _phases(p: int, q: int) -> tuple[np.ndarray, int]:
    """Filters of all phases, [8193, 2 * reach + 1] float32, and their reach in input frames."""
    base = min(1.0, q / p) * _ROLLOFF  # cut-off, as a fraction of the input's Nyquist frequency
    reach = math.ceil(_LOBES / base)
    offset = np.arange(-reach, reach + 1) - np.arange(_PHASES + 1)[:, None] / _PHASES
    t = np.clip(offset * base, -_LOBES, _LOBES)
    taps = np.sinc(t) * np.cos(np.pi * t / _LOBES / 2) ** 2 * base
    return taps.astype(np.float32), reach
