"""Synthesisers: a part, a soundfont and a length go in, one line of audio comes out.

libfluidsynth stays in memory with its fonts: a minute of one line takes 0.1 to 0.5 s. (Starting
the ``fluidsynth`` program for each stem would load its font anew.) Where the library is not
installed, the ``midirenderer`` wheel does the same work several times slower.
"""

import ctypes
import ctypes.util
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import midirenderer
import numpy as np
import soundfile

from csn.corpora import midi, sf3
from csn.corpora.midi import BEND, Part
from csn.corpora.soundfonts import DRUM_BANK, SoundFont
from csn.errors import ToolError
from csn.home import home
from csn.resampling import resample

_GAIN = 0.4
_BLOCK = 64
_FLUSH = 16 * _BLOCK
_PAN = 10


class Synth(Protocol):
    """What every synthesiser does."""

    def render(self, part: Part, font: str, seconds: float, room: float = 0.0) -> np.ndarray:
        """Render one line.

        Args:
            part: its notes, program and controllers.
            font: name of one of the synthesiser's fonts.
            seconds: length of the answer; what sounds later is cut.
            room: size of the reverberation, 0 (none) to 1.

        Returns:
            [samples] float32, mono.

        Raises:
            ToolError: the font lacks the program (there is no silent fallback).
        """
        ...


def open_synth(fonts: Sequence[SoundFont], sample_rate: int) -> Synth:
    """The fastest synthesiser that is installed, with its fonts loaded.

    Args:
        fonts: sf2 or sf3.
        sample_rate: of its answers, Hz.

    Raises:
        ToolError: a font cannot be loaded.
    """
    if _library_name() is None:
        return WheelSynth(fonts, sample_rate)
    return FluidSynth(fonts, sample_rate)


def _bank(part: Part, font: SoundFont) -> int:
    bank = DRUM_BANK if part.is_drum else 0
    if not font.has(part.program, part.is_drum):
        raise ToolError(
            f"{font.name} has no program {part.program} in bank {bank}; draw another font"
        )
    return bank


def _library_name() -> str | None:
    return ctypes.util.find_library("fluidsynth")


def _library() -> ctypes.CDLL:
    """Load libfluidsynth and say what its functions take.

    Raises:
        ToolError: it is not installed.
    """
    try:
        lib = ctypes.CDLL(_library_name() or "libfluidsynth.so.3")
    except OSError as error:
        raise ToolError(
            "libfluidsynth is not installed; on Debian run: apt-get install fluidsynth"
        ) from error
    pointer, text, real, whole = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_double, ctypes.c_int
    stereo = [pointer, whole, whole, pointer, whole, whole]
    for call, result, arguments in (
        ("new_fluid_settings", pointer, []),
        ("new_fluid_synth", pointer, [pointer]),
        ("delete_fluid_synth", None, [pointer]),
        ("delete_fluid_settings", None, [pointer]),
        ("fluid_settings_setnum", whole, [pointer, text, real]),
        ("fluid_settings_setint", whole, [pointer, text, whole]),
        ("fluid_synth_sfload", whole, [pointer, text, whole]),
        ("fluid_synth_system_reset", whole, [pointer]),
        ("fluid_synth_program_select", whole, [pointer, whole, whole, whole, whole]),
        ("fluid_synth_noteon", whole, [pointer, whole, whole, whole]),
        ("fluid_synth_noteoff", whole, [pointer, whole, whole]),
        ("fluid_synth_cc", whole, [pointer, whole, whole, whole]),
        ("fluid_synth_pitch_bend", whole, [pointer, whole, whole]),
        ("fluid_synth_set_reverb", whole, [pointer, real, real, real, real]),
        ("fluid_synth_set_reverb_on", None, [pointer, whole]),
        ("fluid_set_log_function", pointer, [whole, pointer, pointer]),
        ("fluid_synth_write_float", whole, [pointer, whole, *stereo]),
    ):
        getattr(lib, call).restype = result
        getattr(lib, call).argtypes = arguments
    # Warnings about odd samples in a font would drown the progress bar; errors still show.
    for level in (2, 3, 4):
        lib.fluid_set_log_function(level, None, None)
    return lib


class FluidSynth:
    """libfluidsynth, with its fonts in memory.

    Args:
        fonts: loaded once, here.
        sample_rate: Hz, 8,000 to 96,000.

    Raises:
        ToolError: libfluidsynth is missing, or a font cannot be loaded.
    """

    def __init__(self, fonts: Sequence[SoundFont], sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._lib = _library()
        self._settings = self._lib.new_fluid_settings()
        self._lib.fluid_settings_setnum(self._settings, b"synth.sample-rate", float(sample_rate))
        self._lib.fluid_settings_setnum(self._settings, b"synth.gain", _GAIN)
        self._lib.fluid_settings_setint(self._settings, b"synth.chorus.active", 0)
        self._lib.fluid_settings_setint(self._settings, b"synth.polyphony", 128)
        self._synth = self._lib.new_fluid_synth(self._settings)
        self._loaded: dict[str, tuple[int, SoundFont]] = {}
        for font in fonts:
            number = self._lib.fluid_synth_sfload(self._synth, str(font.path).encode(), 0)
            if number < 0:
                raise ToolError(f"fluidsynth cannot load {font.path}; install {font.name} again")
            self._loaded[font.name] = (number, font)

    def close(self) -> None:
        """Free the fonts."""
        self._lib.delete_fluid_synth(self._synth)
        self._lib.delete_fluid_settings(self._settings)

    def render(self, part: Part, font: str, seconds: float, room: float = 0.0) -> np.ndarray:
        """As ``Synth.render``."""
        number, sound = self._loaded[font]
        bank = _bank(part, sound)
        lib, synth, channel = self._lib, self._synth, 9 if part.is_drum else 0
        lib.fluid_synth_system_reset(synth)
        # What the reset ends still sounds, and rings in the room, for some blocks: let it out.
        scrap = np.zeros(_FLUSH, np.float32)
        self._write(scrap, scrap.copy(), 0, _FLUSH)
        lib.fluid_synth_set_reverb_on(synth, int(room > 0))
        if room > 0:
            lib.fluid_synth_set_reverb(synth, room, 0.3, 0.5, 0.25 + 0.5 * room)
        if lib.fluid_synth_program_select(synth, channel, number, bank, part.program) != 0:
            raise ToolError(f"fluidsynth refuses program {part.program} of {font}; draw another")
        lib.fluid_synth_cc(synth, channel, 91, 60 if room > 0 else 0)
        return self._run(part, channel, round(seconds * self.sample_rate))

    def _run(self, part: Part, channel: int, samples: int) -> np.ndarray:
        lib, synth = self._lib, self._synth
        # fluidsynth works in blocks and hands out what is left of one at the next call, so only
        # whole blocks are asked for: else a line would begin with the end of the one before it.
        whole = -(-samples // _BLOCK) * _BLOCK
        left, right = np.zeros(whole, np.float32), np.zeros(whole, np.float32)
        at = 0
        for frame, call, values in self._timeline(part, samples):
            # Whole blocks: fluidsynth takes events only at their borders.
            until = frame // _BLOCK * _BLOCK
            if until > at:
                self._write(left, right, at, until)
                at = until
            getattr(lib, call)(synth, channel, *values)
        if whole > at:
            self._write(left, right, at, whole)
        return (left[:samples] + right[:samples]) * np.float32(0.5)

    def _timeline(self, part: Part, samples: int) -> list[tuple[int, str, tuple[int, ...]]]:
        events: list[tuple[int, int, str, tuple[int, ...]]] = []
        rate = self.sample_rate
        for time, control, value in part.controls:
            if control == BEND:
                events.append((round(time * rate), 0, "fluid_synth_pitch_bend", (value,)))
            elif control != _PAN:
                events.append((round(time * rate), 0, "fluid_synth_cc", (control, value)))
        for start, duration, pitch, velocity in part.notes:
            on, off = round(start * rate), round((start + duration) * rate)
            pair = (int(pitch), int(velocity))
            events.append((on, 2, "fluid_synth_noteon", pair))
            events.append((max(off, on + _BLOCK), 1, "fluid_synth_noteoff", pair[:1]))
        events.sort(key=lambda e: (e[0], e[1]))
        return [(frame, call, values) for frame, _, call, values in events if frame < samples]

    def _write(self, left: np.ndarray, right: np.ndarray, start: int, end: int) -> None:
        self._lib.fluid_synth_write_float(
            self._synth, end - start,
            left.ctypes.data_as(ctypes.c_void_p), start, 1,
            right.ctypes.data_as(ctypes.c_void_p), start, 1,
        )  # fmt: skip


class WheelSynth:
    """The ``midirenderer`` wheel: needs nothing but Python; sf2 only, 48 kHz, its own room.

    Args:
        fonts: an sf3 is unpacked once, into ``STEMWISE_HOME``.
        sample_rate: of its answers, Hz.

    Raises:
        ToolError: a font cannot be read.
    """

    _RATE = 48_000

    def __init__(self, fonts: Sequence[SoundFont], sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._fonts = {font.name: font for font in fonts}
        self._data = {font.name: _plain(font).read_bytes() for font in fonts}

    def render(self, part: Part, font: str, seconds: float, room: float = 0.0) -> np.ndarray:
        """As ``Synth.render``; ``room`` is not heeded."""
        del room
        _bank(part, self._fonts[font])
        file = midi.to_bytes([part], 120.0)
        wave: Any = midirenderer.render_wave_from(self._data[font], file)
        stereo, _ = soundfile.read(io.BytesIO(wave), dtype="float32", always_2d=True)
        shared = math.gcd(self._RATE, self.sample_rate)
        mono = stereo[: math.ceil(seconds * self._RATE)].mean(axis=1)
        p, q = self._RATE // shared, self.sample_rate // shared
        audio = mono if p == q else resample(mono, p, q)
        samples = round(seconds * self.sample_rate)
        return np.pad(audio[:samples], (0, max(samples - len(audio), 0)))


def _plain(font: SoundFont) -> Path:
    if font.path.suffix.lower() != ".sf3":
        return font.path
    return sf3.unpack(font.path, home() / "soundfonts" / f"{font.path.stem}.sf2")
