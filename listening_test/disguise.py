"""The same sound in other bytes, so that no program answers a catch trial by comparing files."""

import hashlib
import io
from typing import Final

import numpy as np
import soundfile as sf

_FULL: Final = 32_767  # of 16 bits


def disguise(flac: bytes, key: str) -> bytes:
    """Change the last bit of many samples, at random: 90 dB below full scale, nobody hears it.

    Args:
        flac: a 16-bit FLAC file.
        key: the same key makes the same bytes.

    Returns:
        A FLAC file of the same length, rate and channels.
    """
    with sf.SoundFile(io.BytesIO(flac)) as file:
        rate, sound = file.samplerate, file.read(dtype="int16").astype(np.int32)
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
    noise = np.random.default_rng(seed).integers(-1, 2, sound.shape)
    other = np.clip(sound + noise, -_FULL, _FULL).astype(np.int16)
    memory = io.BytesIO()
    sf.write(memory, other, rate, format="FLAC", subtype="PCM_16")
    return memory.getvalue()
