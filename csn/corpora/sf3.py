"""Unpack an sf3 soundfont (samples in Ogg Vorbis) to sf2 (samples in 16-bit PCM).

Renderers that know only sf2 can then use it, and those that know sf3 start seconds sooner.
Layout: SoundFont 2.04 technical specification; an sf3 differs in that a sample whose type holds
the bit 0x10 gives byte offsets of an Ogg stream, and its loop relative to its own start.
"""

import io
import struct
from pathlib import Path

import numpy as np
import soundfile

from csn.errors import ToolError

_VORBIS = 0x10
_PADDING = 46
_RECORD = struct.Struct("<20sIIIIIBbHH")


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _children(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def _decode(
    packed: bytes, start: int, end: int, cache: dict[tuple[int, int], np.ndarray]
) -> np.ndarray:
    if (start, end) not in cache:
        audio, _ = soundfile.read(io.BytesIO(packed[start:end]), dtype="int16")
        cache[start, end] = audio if audio.ndim == 1 else audio[:, 0]
    return cache[start, end]


def _unpack(packed: bytes, headers: bytes) -> tuple[bytes, bytes]:
    """New sample data and sample headers."""
    records, samples, at = [], [], 0
    cache: dict[tuple[int, int], np.ndarray] = {}
    for record in _RECORD.iter_unpack(headers):
        name, start, end, loop, loop_end, rate, pitch, correction, link, kind = record
        if name.startswith(b"EOS"):
            records.append(_RECORD.pack(*record))
            continue
        if kind & _VORBIS:
            audio, base = _decode(packed, start, end, cache), 0
        else:
            audio, base = np.frombuffer(packed[2 * start : 2 * end], np.int16), start
        place = (at, at + len(audio), at + loop - base, at + loop_end - base)
        kind &= ~_VORBIS
        records.append(_RECORD.pack(name, *place, rate, pitch, correction, link, kind))
        samples += [audio.astype("<i2").tobytes(), b"\0\0" * _PADDING]
        at += len(audio) + _PADDING
    return b"".join(samples), b"".join(records)


def unpack(source: Path, target: Path) -> Path:
    """Write ``source`` (sf3) as ``target`` (sf2), unless ``target`` is already there.

    Args:
        source: a soundfont with samples in Ogg Vorbis, in PCM, or both.
        target: moved into place when it is whole.

    Returns:
        ``target``.

    Raises:
        ToolError: ``source`` is not a soundfont, or its samples cannot be read.
    """
    if target.exists():
        return target
    data = source.read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise ToolError(f"{source} is not a soundfont; install it again")
    lists = {body[:4]: dict(_children(body[4:])) for _, body in _children(data[12:])}
    try:
        samples, headers = _unpack(lists[b"sdta"][b"smpl"], lists[b"pdta"][b"shdr"])
    except (KeyError, struct.error, soundfile.LibsndfileError) as error:
        raise ToolError(f"{source} cannot be unpacked ({error}); install it again") from error
    lists[b"INFO"][b"ifil"] = struct.pack("<HH", 2, 4)
    lists[b"sdta"] = {b"smpl": samples}
    lists[b"pdta"][b"shdr"] = headers
    body = b"".join(
        _chunk(b"LIST", name + b"".join(_chunk(n, d) for n, d in lists[name].items()))
        for name in (b"INFO", b"sdta", b"pdta")
    )
    half = target.with_name(f".{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    half.write_bytes(_chunk(b"RIFF", b"sfbk" + body))
    half.replace(target)
    return target
