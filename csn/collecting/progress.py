"""How far the work is, for a terminal and for whoever else watches."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tqdm import tqdm


@dataclass(frozen=True)
class Progress:
    """How far the work is.

    Attributes:
        done: pieces that are done, those of earlier runs too.
        pieces: how many there are.
        seconds: of sound that this run has embedded.
        total: seconds of sound that this run has to embed.
        elapsed: seconds since this run began to embed.
    """

    done: int = 0
    pieces: int = 0
    seconds: float = 0.0
    total: float = 0.0
    elapsed: float = 0.0

    @property
    def part(self) -> float:
        """How much is done, 0 to 1: of the sound of this run."""
        return min(self.seconds / self.total, 1.0) if self.total > 0 else 1.0

    @property
    def speed(self) -> float:
        """Seconds of sound for each second that passed."""
        return self.seconds / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds that it will take yet; None while nobody can know."""
        return (self.total - self.seconds) / self.speed if self.speed > 0 else None

    def __str__(self) -> str:
        """Such as ``1.2 of 3.4 h, 512× real time, about 15 s left``."""
        if not self.total:
            return "nothing to embed"
        sound = f"{self.seconds / 3600:.1f} of {self.total / 3600:.1f} h"
        if self.total < 3600:
            sound = f"{self.seconds / 60:.1f} of {self.total / 60:.1f} min"
        if self.left is None:
            return sound
        return f"{sound}, {self.speed:.0f}× real time, {duration(self.left)} left"


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(50), duration(300), duration(9000)
    ('about 50 s', 'about 5 min', 'about 2.5 h')
    """
    if seconds < 90:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


class Stopwatch:
    """Adds up what is done, and tells it.

    Args:
        done: pieces that were done before.
        pieces: how many there are.
        total: seconds of sound that are left to embed.
        watch: told after each addition, and once before.
    """

    def __init__(
        self, done: int, pieces: int, total: float, watch: Callable[[Progress], None]
    ) -> None:
        """See the class."""
        self._begun = time.monotonic()
        self._watch = watch
        self.progress = Progress(done, pieces, 0.0, total, 0.0)
        watch(self.progress)

    def add(self, pieces: int, seconds: float) -> None:
        """So much more is done."""
        now = self.progress
        heard = min(now.seconds + seconds, now.total)
        gone = time.monotonic() - self._begun
        self.progress = Progress(now.done + pieces, now.pieces, heard, now.total, gone)
        self._watch(self.progress)


@contextmanager
def bar(label: str, shown: bool) -> Iterator[Callable[[Progress], None]]:
    """A progress bar of pieces, with hours of sound, × real time and the time that is left."""
    with tqdm(desc=label, unit=" pieces", disable=not shown) as drawn:

        def draw(progress: Progress) -> None:
            drawn.total = progress.pieces
            drawn.set_postfix_str(str(progress), refresh=False)
            drawn.update(progress.done - drawn.n)

        yield draw
