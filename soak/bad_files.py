"""Files that are broken, odd or hostile, every one of another make; the same for the same seed."""

import math
import os
import random
import struct
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Final

import av
import numpy as np
import soundfile as sf

RATE: Final = 22_050
_SECONDS: Final = 4.0
_HOUR: Final = 3600
_SIGNS: Final = "\N{GUITAR} \u202e \u200f\u05d0\u05d1 "  # right to left, too

Maker = Callable[[Path, random.Random], None]
"""Writes one file to a path whose ending is not decided yet; the path may get one."""


def make(folder: Path, count: int, seed: int) -> dict[str, str]:
    """Fill a folder.

    Args:
        folder: where to.
        count: how many.
        seed: of every byte.

    Returns:
        For each file, by the four digits in its name, what is wrong with it.
    """
    folder.mkdir(parents=True)
    good = _good(folder.with_name(f"{folder.name}-good"))
    made = {}
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        kinds = _kinds(good)
        kind = list(kinds)[number % len(kinds)]
        if number % 331 == 0:
            kind = "an hour"
        kinds["an hour"] = _hour
        kinds[kind](folder, f"{number:04d}", rng)
        made[f"{number:04d}"] = kind
    return made


def _tune(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    tone = 0.2 * np.sin(2 * np.pi * 220 * time) + 0.1 * np.sin(2 * np.pi * 331.7 * time)
    return np.repeat(tone[:, None], channels, axis=1).astype(np.float32)


def _good(folder: Path) -> dict[str, bytes]:
    """A sound file of every kind, to be broken."""
    folder.mkdir(exist_ok=True)
    sound = _tune(_SECONDS, RATE)
    formats = {".wav": None, ".flac": None, ".mp3": None, ".ogg": None, ".aiff": None}
    files = {}
    for ending in formats:
        sf.write(folder / f"good{ending}", sound, RATE)
    sf.write(folder / "good.opus", _tune(_SECONDS, 48_000), 48_000, format="OGG", subtype="OPUS")
    with av.open(str(folder / "good.m4a"), "w", format="ipod") as out:
        track = out.add_stream("aac", rate=RATE, layout="mono")
        for at in range(0, len(sound), 1024):
            block = np.ascontiguousarray(sound[at : at + 1024].T)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate = RATE
            frame.pts = at
            out.mux(track.encode(frame))
        out.mux(track.encode(None))
    for file in folder.iterdir():
        files[file.suffix] = file.read_bytes()
    return files


def _kinds(good: dict[str, bytes]) -> dict[str, Callable[[Path, str, random.Random], None]]:
    """Every way to be bad, by its name."""
    kinds: dict[str, Callable[[Path, str, random.Random], None]] = {}

    def kind(name: str) -> Callable[..., None]:
        def keep(make: Callable[[Path, str, random.Random], None]) -> None:
            kinds[name] = make

        return keep

    for ending, whole in sorted(good.items()):

        @kind(f"truncated {ending}")
        def _(f: Path, n: str, r: random.Random, e: str = ending, w: bytes = whole) -> None:
            (f / f"{n}{e}").write_bytes(w[: r.randrange(1, len(w))])

        @kind(f"corrupt header {ending}")
        def _(f: Path, n: str, r: random.Random, e: str = ending, w: bytes = whole) -> None:
            (f / f"{n}{e}").write_bytes(_flipped(w[:200], 12, r) + w[200:])

        @kind(f"corrupt inside {ending}")
        def _(f: Path, n: str, r: random.Random, e: str = ending, w: bytes = whole) -> None:
            (f / f"{n}{e}").write_bytes(w[:200] + _flipped(w[200:], 40, r))

        @kind(f"random bytes {ending}")
        def _(f: Path, n: str, r: random.Random, e: str = ending) -> None:
            (f / f"{n}{e}").write_bytes(r.randbytes(r.randrange(1, 20_000)))

        @kind(f"random bytes after the first of {ending}")
        def _(f: Path, n: str, r: random.Random, e: str = ending, w: bytes = whole) -> None:
            at = r.randrange(4, 100)
            (f / f"{n}{e}").write_bytes(w[:at] + r.randbytes(8000))

        @kind(f"zero bytes {ending}")
        def _(f: Path, n: str, _r: random.Random, e: str = ending) -> None:
            (f / f"{n}{e}").touch()

        @kind(f"zeros {ending}")
        def _(f: Path, n: str, _r: random.Random, e: str = ending) -> None:
            (f / f"{n}{e}").write_bytes(bytes(5000))

    for name, make in _ODD.items():
        kinds[name] = make
    return kinds


def _flipped(data: bytes, most: int, rng: random.Random) -> bytes:
    """Some bytes are others."""
    broken = bytearray(data)
    for _ in range(rng.randrange(1, most)):
        broken[rng.randrange(len(broken))] = rng.randrange(256)
    return bytes(broken)


def _floats(folder: Path, n: str, value: float, where: int) -> None:
    sound = _tune(_SECONDS, RATE)
    sound[where::997] = value
    sf.write(folder / f"{n}.wav", sound, RATE, subtype="FLOAT")


def _pcm(channels: int, rate: int, claimed: int, data: bytes) -> bytes:
    """A WAV file whose header may say anything."""
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2 & 0xFFFFFFFF,
                       channels * 2 & 0xFFFF, 16)  # fmt: skip
    return (
        b"RIFF" + struct.pack("<I", min(claimed + 36, 0xFFFFFFFF)) + b"WAVEfmt "
        + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", claimed) + data
    )  # fmt: skip


def _claims(folder: Path, n: str, rng: random.Random) -> None:
    data = rng.randbytes(60_000)
    (folder / f"{n}.wav").write_bytes(_pcm(1, RATE, 0xFFFFFFF0, data))


def _rate(rate: int) -> Callable[[Path, str, random.Random], None]:
    def make(folder: Path, n: str, _rng: random.Random) -> None:
        sf.write(folder / f"{n}.wav", _tune(_SECONDS, rate), rate)

    return make


def _header(channels: int, rate: int) -> Callable[[Path, str, random.Random], None]:
    def make(folder: Path, n: str, rng: random.Random) -> None:
        data = rng.randbytes(40_000)
        (folder / f"{n}.wav").write_bytes(_pcm(channels, rate, len(data), data))

    return make


def _hour(folder: Path, n: str, rng: random.Random) -> None:
    """An hour of silence with some seconds of noise at its end: little work to write."""
    with sf.SoundFile(folder / f"{n}.flac", "w", 16_000, 1) as file:
        quiet = np.zeros(16_000 * 60, np.int16)
        for _ in range(_HOUR // 60 - 1):
            file.write(quiet)
        file.write(np.random.default_rng(rng.randrange(99)).normal(0, 0.1, 16_000 * 60))


def _named(name: Callable[[str], bytes]) -> Callable[[Path, str, random.Random], None]:
    """A good sound under a name that few expect."""

    def make(folder: Path, n: str, rng: random.Random) -> None:
        place = os.path.join(os.fsencode(folder), name(n))
        sound = (_tune(_SECONDS, RATE)[:, 0] * 20_000 + rng.randrange(9)).astype("<i2")
        with open(place, "wb") as out, wave.open(out, "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", "NONE"))
            file.writeframes(sound.tobytes())

    return make


def _unreadable(folder: Path, n: str, _rng: random.Random) -> None:
    sf.write(folder / f"{n}.wav", _tune(_SECONDS, RATE), RATE)
    (folder / f"{n}.wav").chmod(0)


def _huge(folder: Path, n: str, _rng: random.Random) -> None:
    sf.write(folder / f"{n}.wav", _tune(_SECONDS, RATE) * 1e30, RATE, subtype="FLOAT")


def _text(folder: Path, n: str, _rng: random.Random) -> None:
    (folder / f"{n}.wav").write_text("This is no sound.\n" * 99)


def _frames(frames: int, channels: int = 1) -> Callable[[Path, str, random.Random], None]:
    def make(folder: Path, n: str, _rng: random.Random) -> None:
        sf.write(folder / f"{n}.wav", np.full((frames, channels), 0.5, np.float32), RATE)

    return make


_ODD: Final[dict[str, Callable[[Path, str, random.Random], None]]] = {
    "silent": lambda f, n, r: sf.write(f / f"{n}.wav", np.zeros(RATE * 5), RATE),
    "hardly a sound": lambda f, n, r: sf.write(f / f"{n}.wav", _tune(5, RATE) * 1e-4, RATE),
    "NaN": lambda f, n, r: _floats(f, n, math.nan, r.randrange(997)),
    "infinity": lambda f, n, r: _floats(f, n, math.inf, r.randrange(997)),
    "too loud for numbers": _huge,
    "8 kHz": _rate(8_000),
    "96 kHz": _rate(96_000),
    "192 kHz": _rate(192_000),
    "one frame": _frames(1),
    "shorter than a segment": _frames(RATE * 2),
    "8 channels": _frames(RATE * 4, 8),
    "text": _text,
    "a header that claims 4 GB": _claims,
    "0 Hz": _header(1, 0),
    "4 GHz": _header(1, 0xFFFFFFFF),
    "1 Hz": _header(1, 1),
    "no channels": _header(0, RATE),
    "a thousand channels": _header(1000, RATE),
    "60,000 channels": _header(60_000, RATE),
    "a folder": lambda f, n, r: (f / f"{n}.wav").mkdir(),
    "may not be read": _unreadable,
    "a link to nothing": lambda f, n, r: (f / f"{n}.wav").symlink_to(f / "nothing"),
    "a link to itself": lambda f, n, r: (f / f"{n}.wav").symlink_to(f / f"{n}.wav"),
    "a pipe": lambda f, n, r: os.mkfifo(f / f"{n}.wav"),
    "a line break in the name": _named(lambda n: f"{n} one\ntwo.wav".encode()),
    "a dash before the name": _named(lambda n: f"-{n}.wav".encode()),
    "a name that is no text": _named(lambda n: n.encode() + b"\xff\xfe\x80.wav"),
    "a name of 250 bytes": _named(lambda n: (n + "é" * 121).encode() + b".wav"),
    "signs of all kinds": _named(lambda n: f"{n} {_SIGNS}<b>&amp;%s{{x}}$(x)`~.wav".encode()),
    "two endings": _named(lambda n: f"{n}.mp3.WAV".encode()),
}
