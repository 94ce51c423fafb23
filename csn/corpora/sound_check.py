"""Listen to every stem of a corpus for what its headers cannot tell: silence, noise, damage."""

import math
from pathlib import Path
from typing import Final

import numpy as np

from csn import audio
from csn.corpora.base import Corpus, Piece
from csn.corpora.scan import in_threads
from csn.errors import AudioError

_WINDOW: Final = 60.0  # seconds held at once
_STEADY_DB: Final = 1.0  # music's frames differ by far more, even a held chord's
_STEADY_SECONDS: Final = 10.0  # below it, one long note is no surprise


def check(corpus: Corpus, progress: bool = False) -> list[str]:
    """Decode all the sound of a corpus.

    Slakh2100 is known to hold stems that are silent, white noise or a drone; other collections
    have files that break off in the middle.

    Args:
        corpus: any corpus; the mix is listened to where a piece has no stems.
        progress: draw a progress bar.

    Returns:
        One sentence for each file that is damaged, holds values that are not numbers, is silent
        or constant, or hardly changes its level. Empty where all is well.
    """
    label = f"Listening to {corpus.name}"
    lines = in_threads(_check_piece, corpus.pieces, label, progress)
    return [line for some in lines for line in some]


def _check_piece(piece: Piece) -> list[str]:
    files = [file for name in piece.instruments for file in piece.stems[name]]
    if not files and piece.mix is not None:
        files = [piece.mix]
    return [f"{file} {verdict}." for file in files if (verdict := _verdict(file))]


def _verdict(file: Path) -> str:
    """What is wrong with a file's sound, or nothing."""
    try:
        levels, swing = _levels(file)
    except AudioError as error:
        return str(error).removeprefix(f"{file} ").rstrip(".")
    if not len(levels):
        return "is shorter than a twentieth of a second"
    if swing == 0 and levels.max() > 0:
        return "is constant: it holds one value throughout"
    loud = 10 * np.log10(np.maximum(levels, 1e-20))
    if loud.max() <= audio.SILENCE_DBFS:
        return f"is silent: no moment of it is above {audio.SILENCE_DBFS:.0f} dBFS"
    low, high = np.percentile(loud, [5, 95])
    if high - low < _STEADY_DB and len(levels) * audio.FRAME_SECONDS >= _STEADY_SECONDS:
        return f"hardly changes its level ({high:.0f} dBFS): it may be a drone or noise"
    return ""


def _levels(file: Path) -> tuple[np.ndarray, float]:
    """Mean squares of the whole 50-ms frames, [frames] float64, and the range of the samples."""
    about = audio.info(file)
    size = round(about.sample_rate * audio.FRAME_SECONDS)
    levels, lowest, highest = [], math.inf, -math.inf
    for window in range(math.ceil(about.duration / _WINDOW)):
        sound = audio.read(file, about.sample_rate, start=window * _WINDOW, length=_WINDOW)
        grid = sound[: len(sound) // size * size].reshape(-1, size)
        levels.append(np.einsum("fs,fs->f", grid, grid).astype(np.float64) / size)
        lowest = min(lowest, float(sound.min(initial=lowest)))
        highest = max(highest, float(sound.max(initial=highest)))
    return np.concatenate(levels), highest - lowest
