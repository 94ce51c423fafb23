"""Clips of one loudness, so that a query and its answers differ in nothing but their sound."""

import io
import wave
from typing import Final

import numpy as np

from csn.audio import write_wav
from csn.playback import faded

_SHORTEST: Final = 0.4  # seconds; BS.1770 measures blocks of this length
_MOST: Final = 30.0  # dB; of what is fainter, noise would be all that is heard


def levelled(sound: np.ndarray, rate: int) -> bytes:
    """A clip at −23 LUFS (BS.1770), faded at both ends.

    Where that would pass full scale the clip is as loud as it can be; silence stays silent.

    Args:
        sound: [samples], full scale 1.
        rate: Hz.

    Returns:
        A 16-bit mono WAV file.
    """
    from listening_test.loudness import TARGET, loudness  # noqa: PLC0415 a second to import

    if len(sound) >= _SHORTEST * rate:
        louder = TARGET - loudness(sound, rate)
        if np.isfinite(louder):
            sound = sound * np.float32(10 ** (min(louder, _MOST) / 20))
    return write_wav(faded(sound, rate), rate)


def levelled_wav(wav: bytes) -> bytes:
    """The same for a clip of ``csn.playback``, a 16-bit mono WAV file."""
    with wave.open(io.BytesIO(wav)) as file:
        rate = file.getframerate()
        whole = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return levelled(whole.astype(np.float32) / 32767, rate)
