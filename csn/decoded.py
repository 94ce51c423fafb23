"""Whole pieces decoded ahead, so that any clip of them is a copy out of memory.

A clip that is decoded alone waits for its files: five stems of Opus take tens of milliseconds. So
the first clip of a piece is cut from its files at once, and meanwhile a thread of low priority
decodes the rest of the piece; the next clips of it are there in no time.
"""

import os
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from threading import Condition, Thread, get_native_id
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from csn.corpora.base import Piece
from csn.errors import StemwiseError

MOST_BYTES: Final = 256 * 2**20
"""Of decoded sound that is held: an hour of one voice at 48 kHz, a minute for each of 46 pieces."""

_LONGEST: Final = MOST_BYTES // 8  # a longer piece would push too many others out
_WAITING: Final = 64  # wishes; older ones are forgotten, for the pointer has moved on

Key = tuple[str, str, str]


class _Sound(NamedTuple):
    """A decoded piece."""

    samples: NDArray[np.int16]
    step: float
    """What one step of the samples stands for.

    2^-15, so that a file of 16 bits is held exactly and a clip is the same from here and from its
    files; more for a piece that goes beyond full scale.
    """


class Decoded:
    """Pieces and their stems as 16-bit samples, the most recently used of them.

    Safe to use from many threads.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Hold at most so many bytes."""
        self._most, self._held = most_bytes, 0
        self._sounds: OrderedDict[Key, _Sound] = OrderedDict()
        self._wishes: OrderedDict[Key, tuple[Piece, int]] = OrderedDict()
        self._news = Condition()
        self._thread: Thread | None = None
        self._busy = False

    def clip(
        self, corpus: str, piece: Piece, part: str, samples: slice
    ) -> NDArray[np.float32] | None:
        """A part of a piece, [≤ samples] float32, or None while it is not in memory.

        Args:
            corpus: its address, for pieces of one name in different corpora.
            piece: the piece.
            part: ``mix`` or an instrument.
            samples: which; fewer come back where the piece ends.
        """
        with self._news:
            sound = self._sounds.get((corpus, piece.id, part))
            if sound is None:
                return None
            self._sounds.move_to_end((corpus, piece.id, part))
        answer: NDArray[np.float32] = sound.samples[samples] * np.float32(sound.step)
        return answer

    def want(self, corpus: str, piece: Piece, part: str, rate: int) -> None:
        """Have a piece decoded soon; the latest wish is granted first."""
        if piece.duration * rate * 2 > min(_LONGEST, self._most):
            return
        key = (corpus, piece.id, part)
        with self._news:
            if key in self._sounds:
                return
            self._wishes[key] = piece, rate
            self._wishes.move_to_end(key)
            while len(self._wishes) > _WAITING:
                self._wishes.popitem(last=False)
            self._awake()

    def fill(self, corpus: str, pieces: Iterable[tuple[Piece, int]], part: str = "mix") -> None:
        """Have pieces decoded while there is room and nothing else to do, the first one first."""
        room = self._most
        chosen: list[tuple[Piece, int]] = []
        for piece, rate in pieces:
            room -= int(piece.duration * rate * 2)
            if room < 0 or len(chosen) == _WAITING:
                break
            chosen.append((piece, rate))
        for piece, rate in reversed(chosen):
            self.want(corpus, piece, part, rate)

    def settle(self, seconds: float) -> bool:
        """Wait until every wish is granted; False where that takes longer."""
        with self._news:
            return self._news.wait_for(lambda: not self._wishes and not self._busy, seconds)

    def _awake(self) -> None:
        """Let the thread go on; it begins with the first wish."""
        if self._thread is None:
            self._thread = Thread(target=self._work, daemon=True, name="decoding ahead")
            self._thread.start()
        self._news.notify_all()

    def _work(self) -> None:
        with suppress(AttributeError, OSError):  # only Linux gives threads a priority of their own
            os.setpriority(os.PRIO_PROCESS, get_native_id(), 15)
        while True:
            with self._news:
                self._busy = False
                self._news.notify_all()
                self._news.wait_for(lambda: bool(self._wishes))
                key, (piece, rate) = self._wishes.popitem()
                self._busy = True
            try:
                sound = _whole(piece, key[2], rate)
            except (StemwiseError, OSError, ValueError, MemoryError):
                continue  # whoever asks for the clip itself is told what is wrong
            with self._news:
                self._held += sound.samples.nbytes
                self._sounds[key] = sound
                while self._held > self._most:
                    self._held -= self._sounds.popitem(last=False)[1].samples.nbytes


def _whole(piece: Piece, part: str, rate: int) -> _Sound:
    """A piece as 16-bit samples, read a stem at a time so that visitors' clips come first."""
    names = piece.instruments if part == "mix" and piece.mix is None else (part,)
    total = np.zeros(0, np.float32)
    for name in names:
        sound = piece.audio(name, rate)
        if len(sound) > len(total):
            total = np.pad(total, (0, len(sound) - len(total)))
        total[: len(sound)] += sound
    total = np.nan_to_num(total, nan=0.0, posinf=0.0, neginf=0.0)
    step = max(float(np.abs(total).max(initial=0.0)) / 32767, 2.0**-15)
    return _Sound(np.rint(total / np.float32(step)).astype(np.int16), step)
