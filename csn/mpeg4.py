"""Sound in MP4 containers (.m4a: AAC or Apple Lossless), which libsndfile does not read.

``Stream`` stands where ``decoding.py`` expects one of libsndfile's files. Only what is asked for is
decoded, from a little before it, by the FFmpeg that comes inside the package ``av``.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np

SUFFIXES: Final = frozenset({".m4a", ".m4b"})
"""Name endings; ``.mp4`` is left to films, but is read when it is asked for."""

_BEFORE: Final = 4096  # samples; AAC overlaps its frames, so decoding starts some earlier
_CHANNELS: Final = 64


class BrokenError(Exception):
    """The file is damaged, or holds no sound that can be decoded; the text is the reason."""


def is_one(path: Path) -> bool:
    """Whether a file begins as MP4 files do."""
    with path.open("rb") as file:
        return file.read(12)[4:8] == b"ftyp"


class Stream:
    """The first sound track of a file, read from front to back.

    Attributes:
        name: of the file.
        samplerate: Hz.
        channels: how many.
        frames: as the header states them.
        format: always ``MP4``.
        subtype: the codec.
    """

    format: Final = "MP4"

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            BrokenError: it cannot be read, or holds no sound.
        """
        import av  # noqa: PLC0415 only who has such files waits for it

        self.name = str(path)
        self._failures: tuple[type[Exception], ...] = (av.FFmpegError, ValueError, IndexError)
        try:
            self._file = av.open(self.name)
        except self._failures as error:
            raise BrokenError(_reason(error)) from error
        tracks: list[Any] = list(self._file.streams.audio)
        known = tracks and tracks[0].codec_context is not None
        if not known or not tracks[0].rate or not 0 < tracks[0].channels <= _CHANNELS:
            self._file.close()
            raise BrokenError("it holds no sound that can be decoded")
        self._track = tracks[0]
        self.samplerate, self.channels = int(self._track.rate), int(self._track.channels)
        self.subtype = str(self._track.codec_context.name)
        self._tick = float(self._track.time_base or 0) * self.samplerate  # samples in a unit
        self.frames = round((self._track.duration or 0) * self._tick)
        self._begin = round((self._track.start_time or 0) * self._tick)
        self._at = 0
        self._blocks: Iterator[np.ndarray] = self._decode(0)
        self._left = np.empty((0, self.channels), np.float32)

    def __enter__(self) -> "Stream":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def tell(self) -> int:
        """The next sample to be read."""
        return self._at

    def seek(self, frame: int) -> int:
        """Go to a sample."""
        self._at = frame
        self._left = self._left[:0]
        self._blocks = self._decode(frame)
        return frame

    def read(self, frames: int, **_: object) -> np.ndarray:
        """The next samples, [≤ frames, channels] float32; fewer only where the sound ends.

        Raises:
            BrokenError: the file is damaged here.
        """
        parts, have = [self._left], len(self._left)
        while have < frames and (block := next(self._blocks, None)) is not None:
            parts.append(block)
            have += len(block)
        sound = np.concatenate(parts)
        self._left = sound[frames:]
        self._at += min(frames, len(sound))
        return sound[:frames]

    def _decode(self, first: int) -> Iterator[np.ndarray]:
        """Blocks of [samples, channels] float32 from a sample on."""
        from av.audio.resampler import AudioResampler  # noqa: PLC0415 as above

        plain = AudioResampler(format="fltp", layout=self._track.layout, rate=self.samplerate)
        try:
            safe = max(first - _BEFORE, 0) + self._begin
            self._file.seek(round(safe / self._tick), stream=self._track)
            for frame in self._file.decode(self._track):
                at = round((frame.pts or 0) * self._tick) - self._begin
                block = np.concatenate([part.to_ndarray() for part in plain.resample(frame)], 1).T
                if at + len(block) > first:
                    yield np.ascontiguousarray(block[max(first - at, 0) :])
        except self._failures as error:
            raise BrokenError(_reason(error)) from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
