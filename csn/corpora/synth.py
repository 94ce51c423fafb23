"""A synthesiser that stays in memory: libfluidsynth, one soundfont loaded once, one line a call.

Starting the ``fluidsynth`` program for each stem would load its font anew; in one process a minute
of one line takes 0.1 to 0.5 s.
"""

import ctypes
import ctypes.util
from collections.abc import Sequence

import numpy as np

from csn.corpora.midi import BEND, Part
from csn.corpora.soundfonts import DRUM_BANK, SoundFont
from csn.errors import ToolError

_GAIN = 0.4
_BLOCK = 64


def library() -> ctypes.CDLL:
    """Load libfluidsynth.

    Raises:
        ToolError: it is not installed.
    """
    name = ctypes.util.find_library("fluidsynth") or "libfluidsynth.so.3"
    try:
        lib = ctypes.CDLL(name)
    except OSError as error:
        raise ToolError(
            "libfluidsynth is not installed; on Debian run: apt-get install fluidsynth"
        ) from error
    pointer, text, real, whole = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_double, ctypes.c_int
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
        ("fluid_synth_write_float", whole, [pointer, whole, pointer, whole, whole, pointer, whole, whole]),
    ):  # fmt: skip
        if hasattr(lib, call):
            getattr(lib, call).restype = result
            getattr(lib, call).argtypes = arguments
    # Warnings about odd samples in a font would drown the progress bar; errors still show.
    for level in (2, 3, 4):
        lib.fluid_set_log_function(level, None, None)
    return lib


class Synth:
    """One process's synthesiser.

    Args:
        fonts: loaded once, here.
        sample_rate: Hz; at least 8000.

    Raises:
        ToolError: libfluidsynth is missing, or a font cannot be loaded.
    """

    def __init__(self, fonts: Sequence[SoundFont], sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._lib = library()
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
        """Render one line.

        Args:
            part: its notes, program and controllers.
            font: name of a loaded font.
            seconds: length of the answer; what sounds later is cut.
            room: size of the reverberation, 0 (none) to 1.

        Returns:
            [samples] float32, mono.

        Raises:
            ToolError: the font lacks the program (there is no silent fallback).
        """
        number, sound = self._loaded[font]
        bank = DRUM_BANK if part.is_drum else 0
        lib, synth, channel = self._lib, self._synth, 9 if part.is_drum else 0
        if not sound.has(part.program, part.is_drum):
            raise ToolError(
                f"{font} has no program {part.program} in bank {bank}; draw another font"
            )
        lib.fluid_synth_system_reset(synth)
        lib.fluid_synth_set_reverb_on(synth, int(room > 0))
        if room > 0:
            lib.fluid_synth_set_reverb(synth, room, 0.3, 0.5, 0.25 + 0.5 * room)
        if lib.fluid_synth_program_select(synth, channel, number, bank, part.program) != 0:
            raise ToolError(f"fluidsynth refuses program {part.program} of {font}; draw another")
        lib.fluid_synth_cc(synth, channel, 91, 60 if room > 0 else 0)
        return self._run(part, channel, round(seconds * self.sample_rate))

    def _run(self, part: Part, channel: int, samples: int) -> np.ndarray:
        lib, synth = self._lib, self._synth
        left, right = np.zeros(samples, np.float32), np.zeros(samples, np.float32)
        at = 0
        for frame, call, values in self._timeline(part, samples):
            # Whole blocks: fluidsynth takes events only at their borders.
            until = frame // _BLOCK * _BLOCK
            if until > at:
                self._write(left, right, at, until)
                at = until
            getattr(lib, call)(synth, channel, *values)
        if samples > at:
            self._write(left, right, at, samples)
        return (left + right) * np.float32(0.5)

    def _timeline(self, part: Part, samples: int) -> list[tuple[int, str, tuple[int, ...]]]:
        events: list[tuple[int, int, str, tuple[int, ...]]] = []
        rate = self.sample_rate
        for time, control, value in part.controls:
            if control == BEND:
                events.append((round(time * rate), 0, "fluid_synth_pitch_bend", (value,)))
            elif control != 10:
                events.append((round(time * rate), 0, "fluid_synth_cc", (control, value)))
        for start, duration, pitch, velocity in part.notes:
            on, off = round(start * rate), round((start + duration) * rate)
            pair = (int(pitch), int(velocity))
            events.append((on, 2, "fluid_synth_noteon", pair))
            events.append((max(off, on + _BLOCK), 1, "fluid_synth_noteoff", pair[:1]))
        events.sort(key=lambda e: (e[0], e[1]))
        return [(frame, call, values) for frame, _, call, values in events if frame < samples]

    def _write(self, left: np.ndarray, right: np.ndarray, start: int, end: int) -> None:
        for buffer in (left, right):
            if not buffer.flags.c_contiguous:
                raise ValueError("buffers must be contiguous")
        self._lib.fluid_synth_write_float(
            self._synth, end - start,
            left.ctypes.data_as(ctypes.c_void_p), start, 1,
            right.ctypes.data_as(ctypes.c_void_p), start, 1,
        )  # fmt: skip
