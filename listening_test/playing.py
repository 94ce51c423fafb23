"""One sound on its way to a device, from its first sample to its last or to a fade."""

import time
from collections import deque
from threading import Event
from types import ModuleType
from typing import Any, ClassVar, Final

import numpy as np

from csn.playback import FADE
from csn.resampling import resample

LEAD: Final = 0.05
"""Seconds of silence before a sound: devices that wake up may swallow their first samples."""

LATENCY: Final = 0.15
"""Seconds of sound that wait in the device: enough for a busy computer not to run dry."""

_AFTER: Final = 0.05
"""Seconds for which a device is kept open after the last sample has left it by its own clock.

PortAudio would not wait for what is still in the device."""

_GAP: Final = 0.02
"""Seconds by which the device's clock must run away from its samples to count as a drop-out.

From one call for samples to the next it wavers by less than a millisecond."""

_AGREE: Final = 4  # calls for samples that must say so

_STALLED: Final = 2.0  # seconds without a call for samples: the device is gone
_PATIENCE: Final = 1.5  # seconds to wait for the end of a fade


class Playing:
    """Plays at once; made by ``lab.Player``.

    Attributes:
        dropouts: how often the device ran dry, so that silence came between two samples.
    """

    now: ClassVar[set["Playing"]] = set()
    """Every sound that has a device open."""

    def __init__(
        self,
        sd: ModuleType,
        device: int | None,
        columns: list[int],
        sound: np.ndarray,
        rate: int,
    ) -> None:
        """Open the device and start.

        Args:
            sd: ``sounddevice``.
            device: its number.
            columns: outputs, from 0; mono sounds go to all of them.
            sound: [samples, 1 or 2] float32.
            rate: Hz; where the device does not have it, the sound is resampled.

        Raises:
            sounddevice.PortAudioError: the device cannot be opened.
        """
        channels = max(columns) + 1
        self._sd, self._columns = sd, columns
        try:
            sd.check_output_settings(device, channels, "float32", samplerate=rate)
        except sd.PortAudioError:
            own = int(sd.query_devices(device, "output")["default_samplerate"])
            common = int(np.gcd(rate, own))
            ears = [resample(ear, rate // common, own // common) for ear in sound.T.copy()]
            sound, rate = np.stack(ears, axis=1), own
        self._lead = round(LEAD * rate)
        before = ((self._lead, 0), (0, 0))
        self._sound, self.rate = np.pad(sound.astype(np.float32), before), rate
        self._seconds = len(sound) / rate
        self._sent = 0  # samples given to the device
        self._block = (0, 0, 0.0)  # the last block: its first sample, its length, when it sounds
        self._fade: int | None = None  # samples of a fade that were sent
        self._last = len(self._sound)  # where the sound, or its fade, ends
        self._out_at: float | None = None  # when that leaves the device
        self._reached = 0.0  # seconds, the farthest position that was told
        self._asked = time.monotonic()
        self._ended = Event()
        self._complete = False
        self.dropouts = 0
        self._begins: deque[tuple[float, int]] = deque(maxlen=_AGREE)  # see _watch
        self._began: float | None = None
        self._stream: Any = sd.OutputStream(
            rate, device=device, channels=channels, dtype="float32", latency=LATENCY,
            callback=self._give, finished_callback=self._ended.set,
        )  # fmt: skip
        self.now.add(self)
        try:
            self._stream.start()
        except sd.PortAudioError:
            self._close()
            raise
        self._asked = time.monotonic()

    @property
    def done(self) -> bool:
        """Whether the last sample has left the device."""
        return self._complete and self._ended.is_set()

    @property
    def broken(self) -> bool:
        """Whether the device stopped before the sound did."""
        stalled = time.monotonic() - self._asked > _STALLED
        return not self.done and (self._ended.is_set() or stalled)

    @property
    def position(self) -> float:
        """Seconds that have left the device, by its own clock."""
        first, length, sounds_at = self._block
        passed = float(self._last)
        if not self.done:
            try:
                since = self._stream.time - sounds_at
            except self._sd.PortAudioError:  # closed meanwhile
                since = 0.0
            # Between two calls for samples the clock goes on; it can neither pass what was sent
            # nor go back, whatever a device says.
            passed = min(first + since * self.rate, first + length, self._last)
        seconds = min((passed - self._lead) / self.rate, self._seconds)
        self._reached = max(self._reached, seconds)
        return self._reached

    def stop(self) -> None:
        """Fade out, and wait until the device is closed."""
        if self._fade is None:
            self._fade = 0
        if not self.broken:
            self._ended.wait(_PATIENCE)
        self._close()

    def _close(self) -> None:
        self.now.discard(self)
        if not self._stream.closed:
            if self._ended.is_set():
                self._stream.close()
            else:
                self._stream.abort(ignore_errors=True)
                self._stream.close(ignore_errors=True)

    def _give(self, out: np.ndarray, frames: int, when: Any, status: Any) -> None:
        """Called by PortAudio, on a thread of its own, for the next samples."""
        self._asked = time.monotonic()
        first, sounds_at = self._sent, when.outputBufferDacTime
        if not sounds_at:  # some systems do not tell
            sounds_at = when.currentTime + self._stream.latency
        self._watch(first, sounds_at, bool(status.output_underflow))
        part = self._sound[first : first + frames]
        if self._fade is not None:
            part = self._faded(part)
        out[:] = 0.0
        out[: len(part), self._columns] = part
        self._sent += frames
        self._block = (first, frames, sounds_at)
        if self._out_at is None and self._sent >= self._last:
            self._out_at = sounds_at + (self._last - first) / self.rate
        if self._out_at is not None and when.currentTime > self._out_at + _AFTER:
            self._complete = True
            raise self._sd.CallbackStop

    def _watch(self, first: int, sounds_at: float, told: bool) -> None:
        """Count a drop-out: one that the system tells, or one that only its clock gives away.

        Sound servers may put silence in without a word; every sample after it comes later. Had
        all followed each other at once, the first sample sounded when each call says that it did.

        Args:
            first: of the samples that are called for.
            sounds_at: when that will leave the device, seconds of the device's clock.
            told: whether the system says that it ran dry before.
        """
        if told:
            self._dry_before(first)
            self._began = None
            self._begins.clear()
        self._begins.append((sounds_at - first / self.rate, first))
        if len(self._begins) < _AGREE:
            return
        agreed = min(begin for begin, _ in self._begins)  # a single late call says nothing
        if self._began is None:
            self._began = agreed
        elif agreed - self._began > _GAP:
            self._dry_before(self._begins[0][1])
            self._began = agreed

    def _dry_before(self, sample: int) -> None:
        """One drop-out more, unless it only made the silence around the sound longer."""
        self.dropouts += self._lead < sample < self._last

    def _faded(self, part: np.ndarray) -> np.ndarray:
        """The samples under a raised-cosine fade, then silence."""
        size = round(FADE * self.rate)
        at = self._fade or 0
        if at == 0:
            self._last = min(self._sent + size, self._last)
        k = at + np.arange(len(part)) + 0.5
        self._fade = at + len(part)
        ramp = np.where(k < size, 0.5 + 0.5 * np.cos(np.pi * k / size), 0.0)
        return part * ramp[:, None].astype(np.float32)
