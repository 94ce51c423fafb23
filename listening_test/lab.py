"""In the laboratory: sound from this computer's own device, on chosen outputs at a known level.

PortAudio (through ``sounddevice``) is loaded only when somebody asks for a device, so that a
computer without it runs everything else.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any, Final

import numpy as np
import soundfile as sf

from csn import home
from csn.embedding import write_whole
from listening_test.calibration import LEVEL, RATE, calibration
from listening_test.errors import LabError
from listening_test.playing import Playing

SIDES: Final = ("both", "left", "right")


@dataclass(frozen=True)
class LabSettings:
    """How this computer plays; kept in ``STEMWISE_HOME/lab.json``.

    Attributes:
        device: as ``devices`` names it; empty for the system's own choice.
        outputs: numbers from 1 of the outputs for left and right, e.g. (3, 4) of an interface;
            a single one plays mono sounds only.
        gain: dB, added to everything; at most 0, so that nothing is ever cut off.
        offset: dB SPL at the listener of a sound of 0 dBFS without gain, as measured with the
            calibration sound; None as long as nobody measured it.
    """

    device: str = ""
    outputs: tuple[int, ...] = (1, 2)
    gain: float = 0.0
    offset: float | None = None

    def check(self) -> "LabSettings":
        """Make sure that they make sense.

        Returns:
            The settings themselves.

        Raises:
            LabError: they do not.
        """
        if len(self.outputs) not in (1, 2) or len({*self.outputs}) < len(self.outputs):
            raise LabError("Choose two different outputs, for left and right, or a single one.")
        if not all(1 <= output <= 256 for output in self.outputs):
            raise LabError("Outputs are numbers from 1 to 256, as they stand on the interface.")
        if not -80 <= self.gain <= 0:
            raise LabError(f"The gain is {self.gain} dB; it must lie between -80 and 0.")
        if self.offset is not None and not math.isfinite(self.offset):
            raise LabError("The measured level must be a number of dB.")
        return self

    def spl(self, level: float) -> float | None:
        """The dB SPL at the listener of a sound of so many dBFS; None where nobody measured it."""
        return None if self.offset is None else level + self.gain + self.offset

    def measured(self, spl: float, level: float = LEVEL) -> "LabSettings":
        """The same settings, with what the sound-level meter said.

        Args:
            spl: dB SPL shown while the calibration sound played.
            level: of the calibration sound, dBFS.
        """
        return replace(self, offset=spl - level - self.gain).check()


def load() -> LabSettings:
    """This computer's settings, or the defaults where nobody chose any.

    Raises:
        LabError: the file is damaged.
    """
    file = home.home() / "lab.json"
    if not file.exists():
        return LabSettings()
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        return LabSettings(**values | {"outputs": tuple(map(int, values["outputs"]))}).check()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LabError(
            f"{file} cannot be read ({error}); choose the sound device again or remove the file."
        ) from error


def save(settings: LabSettings) -> None:
    """Keep the settings for the next start.

    Raises:
        LabError: they make no sense.
    """
    text = json.dumps(asdict(settings.check()), indent=1)
    write_whole(home.home() / "lab.json", lambda file: file.write(text.encode()))


@dataclass(frozen=True)
class Device:
    """Something that sound comes out of."""

    name: str
    """As ``LabSettings.device`` has it: the device and the system's interface to it."""
    outputs: int
    rate: float
    """Hz, its own choice."""
    default: bool
    """Whether the system chooses it."""
    index: int
    """PortAudio's number of it, until the next look."""


def devices(anew: bool = True) -> list[Device]:
    """Every output of this computer.

    Args:
        anew: look again for what was connected since, which takes a moment; while a sound plays
            the list stays that of before, because looking would stop it.

    Raises:
        LabError: there is no PortAudio.
    """
    sd = _portaudio()
    if anew and not Playing.now:
        sd._terminate()  # PortAudio looks for devices only once, when it starts
        sd._initialize()
    systems = sd.query_hostapis()
    default = sd.default.device[1]
    return [
        Device(
            f"{found['name']}, {systems[found['hostapi']]['name']}",
            int(found["max_output_channels"]),
            float(found["default_samplerate"]),
            found["index"] == default,
            int(found["index"]),
        )
        for found in sd.query_devices()
        if found["max_output_channels"] > 0
    ]


class Player:
    """Plays one sound at a time; every start is from the sound's beginning.

    Sounds start as their files do (all of a study's have fades) and are faded within 5 ms when
    they are stopped. Safe to use from many threads.
    """

    def __init__(self, settings: LabSettings | None = None) -> None:
        """Nothing is opened yet.

        Args:
            settings: None takes those of ``load``.

        Raises:
            LabError: the settings make no sense or cannot be read.
        """
        self.settings = (settings or load()).check()
        self._lock = RLock()
        self._playing: Playing | None = None
        self._key: str | None = None
        self._heard: dict[str, float] = {}
        self._dropouts: dict[str, int] = {}
        self._earlier = 0  # drop-outs of earlier starts of the sound that plays

    def play(self, file: Path, key: str) -> None:
        """Play a file from its start; what plays is stopped first.

        Args:
            file: mono or stereo.
            key: what ``state`` calls it.

        Raises:
            LabError: no PortAudio, no such device or output, or the file cannot be read.
        """
        try:
            sound, rate = sf.read(file, dtype="float32", always_2d=True)
        except (sf.LibsndfileError, OSError, RuntimeError) as error:
            raise LabError(f"The sound {key!r} cannot be read from the disk.") from error
        self._start(sound, int(rate), key)

    def calibrate(self, kind: str = "sine", level: float = LEVEL, side: str = "both") -> None:
        """Play the calibration sound, with the settings' gain, until ``stop`` or for 30 s.

        Raises:
            LabError: as ``play`` and ``calibration``.
        """
        sound = calibration(kind, level)
        if side not in SIDES:
            raise LabError(f"There is no side {side!r}; it is both, left or right.")
        sides = np.array([side != "right", side != "left"], np.float32)
        stereo = sound[:, None] * sides
        self._start(stereo if side != "both" else sound[:, None], RATE, "calibration")

    def stop(self) -> None:
        """Fade out what plays, and wait until it is out."""
        with self._lock:
            if self._playing is not None and self._key is not None:
                self._playing.stop()
                self._note()
            self._playing = self._key = None

    def state(self) -> dict[str, Any]:
        """What is heard now.

        Returns:
            ``playing`` (the key, or None) and ``position`` (seconds that have left the device,
            0 where nothing plays).

        Raises:
            LabError: once, when the device has stopped by itself.
        """
        with self._lock:
            if self._playing is None:
                return {"playing": None, "position": 0.0}
            self._note()
            playing, key = self._playing, self._key
            if playing.done or playing.broken:
                self.stop()
            if playing.broken:
                raise LabError(
                    "The sound device has stopped; check that it is connected and switched on, "
                    "and play the sound again."
                )
            return {
                "playing": None if playing.done else key,
                "position": 0.0 if playing.done else playing.position,
            }

    def heard(self, key: str) -> float:
        """Seconds of a sound that were heard, those heard twice counted once.

        Every start is from the beginning, so it is the farthest position that was reached.
        """
        with self._lock:
            self._note()
            return self._heard.get(key, 0.0)

    def dropouts(self, key: str) -> int:
        """How often the device ran dry while a sound played, all its starts together.

        Silence came between two of its samples each time, which a listener may have heard.
        """
        with self._lock:
            self._note()
            return self._dropouts.get(key, 0)

    def close(self) -> None:
        """Stop, and forget what was heard."""
        self.stop()
        self._heard.clear()
        self._dropouts.clear()

    def _note(self) -> None:
        if self._playing is not None and self._key is not None:
            before = self._heard.get(self._key, 0.0)
            self._heard[self._key] = max(before, self._playing.position)
            self._dropouts[self._key] = self._earlier + self._playing.dropouts

    def _start(self, sound: np.ndarray, rate: int, key: str) -> None:
        outputs = self.settings.outputs
        if sound.shape[1] > len(outputs):
            raise LabError("This sound is for two ears; choose two outputs in the lab's settings.")
        with self._lock:
            self.stop()
            gain = 10.0 ** (self.settings.gain / 20.0)
            try:
                self._playing = self._open(sound * gain, rate, anew=False)
            except LabError:  # perhaps it was connected, or came back, since PortAudio looked
                self._playing = self._open(sound * gain, rate, anew=True)
            self._key, self._earlier = key, self._dropouts.get(key, 0)

    def _open(self, sound: np.ndarray, rate: int, anew: bool) -> Playing:
        sd, outputs = _portaudio(), self.settings.outputs
        device = _find(devices(anew), self.settings.device, max(outputs))
        columns = [output - 1 for output in outputs]
        return _clearly(lambda: Playing(sd, device.index, columns, sound, rate))


def _find(there: list[Device], name: str, outputs: int) -> Device:
    """The device of this name; LabError where it is not there or has too few outputs."""
    if not there:
        raise LabError(
            "This computer has no sound output; connect one, or let the listeners' browsers play."
        )
    chosen = next((d for d in there if (d.name == name if name else d.default)), None)
    if chosen is None:
        raise LabError(
            f"The sound device {name or 'that the system chooses'!r} is not there; connect it or "
            f"choose another: {'; '.join(d.name for d in there)}."
        )
    if chosen.outputs < outputs:
        raise LabError(f"{chosen.name} has {chosen.outputs} outputs, and no number {outputs}.")
    return chosen


def _clearly(start: Callable[[], Playing]) -> Playing:
    """PortAudio's errors as one sentence."""
    try:
        return start()
    except Exception as error:
        if type(error).__name__ != "PortAudioError":
            raise
        reason = str(error.args[0]).partition(" [")[0].rstrip(".")
        raise LabError(
            f"The sound device cannot be used now ({reason}); check that no other program holds "
            "it, or choose another."
        ) from error


def _portaudio() -> ModuleType:
    """``sounddevice``, loaded now."""
    try:
        import sounddevice  # type: ignore[import-untyped]  # noqa: PLC0415
    except (ImportError, OSError) as error:
        raise LabError(
            "PortAudio is not installed on this computer, so it cannot play sounds itself; "
            "install it (on Debian and Ubuntu: apt install libportaudio2), or let the listeners' "
            "browsers play."
        ) from error
    return sounddevice
