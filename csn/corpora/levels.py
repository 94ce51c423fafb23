"""Loudness and files of stems: balance, the exact sum, writing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

LEVELS: Final[Mapping[str, float]] = {
    "drums": -19.0,
    "bass": -20.0,
    "piano": -21.0,
    "guitar": -21.5,
    "others": -21.5,
}
"""dBFS of each instrument where it sounds, before the mix is normalised: our guess at a balance."""

SPREAD: Final = 3.0
"""dB, either way: how far a stem's level is drawn from its instrument's."""

PEAK: Final = 0.89
"""Of the mix, of full scale."""

OPUS_RATE: Final = 48_000
CODECS: Final = ("flac", "opus")

_RANGE = 10 ** (-40 / 10)
_FRAME = 0.05
_NOTHING = 1e-5  # -100 dBFS: what a synthesiser leaves behind where it plays nothing


def active_rms(audio: np.ndarray, sample_rate: int) -> float:
    """Root mean square over the 50-ms frames within 40 dB of the loudest one.

    Args:
        audio: [samples] mono.
        sample_rate: Hz.

    Returns:
        Linear amplitude, in proportion to the gain of ``audio``; 0 for silence.
    """
    size = max(round(_FRAME * sample_rate), 1)
    frames = audio[: len(audio) // size * size].reshape(-1, size).astype(np.float64)
    power = np.mean(frames**2, axis=1)
    loudest = power.max(initial=0.0)
    return float(np.sqrt(power[power >= loudest * _RANGE].mean())) if loudest > 0.0 else 0.0


def to_level(audio: np.ndarray, sample_rate: int, level: float) -> np.ndarray | None:
    """Bring a stem to a level.

    Args:
        audio: [samples] mono.
        sample_rate: Hz.
        level: dBFS where it sounds.

    Returns:
        [samples] float32; None if the stem is silent.
    """
    loud = active_rms(audio, sample_rate)
    return None if loud < _NOTHING else audio * np.float32(10 ** (level / 20) / loud)


def quantised(stems: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Scale stems together so that their sum peaks at ``PEAK``, and round to 16 bits.

    A mix that adds these whole numbers is the sum of the stems exactly.

    Args:
        stems: each [samples] float32; shorter ones are padded with silence.

    Returns:
        Each [samples] int16, of the longest one's length.
    """
    length = max(len(stem) for stem in stems)
    padded = [np.pad(stem, (0, length - len(stem))) for stem in stems]
    peaks = [float(np.abs(signal).max()) for signal in (np.sum(padded, axis=0), *padded)]
    gain = PEAK / max(*peaks, 1e-9) * 32767
    return [np.round(stem * gain).astype(np.int16) for stem in padded]


def summed(stems: Sequence[np.ndarray]) -> np.ndarray:
    """The mix of quantised stems: [samples] int16."""
    total = np.sum(np.stack(stems), axis=0, dtype=np.int32)
    mix: np.ndarray = np.clip(total, -32768, 32767).astype(np.int16)
    return mix


def write(path: Path, audio: np.ndarray, sample_rate: int, codec: str, compression: float) -> Path:
    """Write a stem.

    Args:
        path: without suffix.
        audio: [samples] int16.
        sample_rate: Hz; must be 48,000 for Opus.
        codec: ``flac`` or ``opus`` (in Ogg).
        compression: 0 to 1, for Opus: higher is smaller.

    Returns:
        The file, with its suffix.
    """
    if codec == "flac":
        path = path.with_suffix(".flac")
        soundfile.write(str(path), audio, sample_rate, subtype="PCM_16", format="FLAC")
        return path
    path = path.with_suffix(".opus")
    with soundfile.SoundFile(
        str(path), "w", sample_rate, 1, "OPUS", format="OGG", compression_level=compression
    ) as file:
        # By the second: libsndfile's Opus writer has overflowed its stack on whole pieces.
        for start in range(0, len(audio), sample_rate):
            file.write(audio[start : start + sample_rate])
    return path
