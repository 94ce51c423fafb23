"""Sounds become files: 16-bit FLAC, matched in loudness, and measured again as decoded."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import soundfile as sf

from csn.embedding import write_whole
from listening_test.loudness import loudness, true_peak
from listening_test.stimuli import Stimuli
from listening_test.triplets import Excerpt, Prepared, Sound

_LEVEL: Final = 2**15  # of 16-bit sound


class Summary(NamedTuple):
    """How well the excerpts of a study are matched, measured on the files themselves."""

    excerpts: int
    target: float
    """LUFS, what was aimed at."""
    mean: float
    """LUFS."""
    spread: float
    """LU between the softest and the loudest."""
    true_peak: float
    """dBTP, the highest."""


def summary(prepared: Prepared) -> Summary:
    """Spread of loudness and highest true peak of a study's excerpts."""
    levels = [sound.loudness for sound in prepared.sounds if sound.kind == "excerpt"]
    peaks = [sound.true_peak for sound in prepared.sounds if sound.kind == "excerpt"]
    return Summary(
        len(levels), prepared.target, float(np.mean(levels)), float(np.ptp(levels)), max(peaks)
    )


def write(sound: np.ndarray, rate: int, file: Path) -> tuple[str, int, float, float]:
    """Write a sound as 16-bit FLAC, moved into place, and measure what was written.

    Args:
        sound: [samples] or [samples, channels], full scale 1, nothing beyond it.
        rate: Hz.
        file: where.

    Returns:
        (SHA-256 of the file, its bytes, loudness in LUFS, true peak in dBTP), the last two of
        the file as it is decoded again.
    """
    whole = np.clip(np.rint(np.asarray(sound, np.float64) * _LEVEL), -_LEVEL, _LEVEL - 1)
    write_whole(
        file, lambda out: sf.write(out, whole.astype(np.int16), rate, "PCM_16", format="FLAC")
    )
    decoded, _ = sf.read(file, dtype="float32")
    content = file.read_bytes()
    return (
        hashlib.sha256(content).hexdigest(),
        len(content),
        loudness(decoded, rate),
        true_peak(decoded, rate),
    )


def write_all(
    stimuli: Stimuli, excerpts: Sequence[Excerpt], files: Sequence[Path]
) -> Iterator[Sound]:
    """Write excerpts, all at their common loudness.

    Raises:
        AudioError: a file of the corpus has vanished since the excerpt was measured.
    """
    target = stimuli.target(excerpts)
    for excerpt, file in zip(excerpts, files, strict=True):
        gain = 10.0 ** ((target - stimuli.measured[excerpt].loudness) / 20.0)
        written = write(stimuli.cut(excerpt) * gain, stimuli.rate, file)
        digest, size, level, peak = written
        yield Sound(
            "excerpt", file.name, digest, size, excerpt.length, level, peak, excerpt=excerpt
        )
