"""Embedding that people watch, pause and go on with: in a terminal, or in a process of the app.

Whoever wants to know how far the work is reads ``.partial/status.json``; whoever wants it to stop
for now lays ``.partial/pause`` beside it. So the work does not depend on who began it, and can be
watched from anywhere on the computer.
"""

import json
import os
import signal
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Final

import numpy as np

from csn.collecting import folder as places
from csn.collecting.build import build
from csn.collecting.maps import follow
from csn.collecting.pieces import Changes
from csn.collecting.progress import Progress
from csn.console import run
from csn.corpora import open_corpus
from csn.embedding import Embedder, write_whole
from csn.errors import LibraryError, Paused, StemwiseError
from csn.library import Library
from csn.vectors import Integers

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_NICE: Final = 5  # whoever uses the app comes first
_EVERY: Final = 0.5  # seconds between two words about how far it is


@dataclass(frozen=True)
class Order:
    """What is to be embedded, and how.

    Attributes:
        corpus: as ``open_corpus`` takes it.
        model: a file, or ``demo``.
        split: one split only; empty for all.
        length: of a segment, seconds.
        overlap: of neighbouring segments, as a fraction of ``length``.
        half: store float16; None does as the library that is there does.
        maps: method, or empty for no maps.
        seed: of the maps.
    """

    corpus: str
    model: str = "demo"
    split: str = ""
    length: float = 3.0
    overlap: float = 0.5
    half: bool | None = None
    maps: str = "umap"
    seed: int = 0


@dataclass(frozen=True)
class Status:
    """How far the work on a library is.

    Attributes:
        order: what is to be done.
        step: ``opening``, ``embedding``, ``maps``, ``paused`` or ``failed``.
        progress: of the embedding.
        problem: why it failed, a sentence.
    """

    order: Order
    step: str = "opening"
    progress: Progress = field(default_factory=Progress)
    problem: str = ""


def read_status(folder: Path) -> Status | None:
    """How far the work on a library is; None where there is none to go on with."""
    try:
        said = json.loads((places.partial(folder) / "status.json").read_text("utf-8"))
        return Status(
            Order(**said["order"]), said["step"], Progress(**said["progress"]), said["problem"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_status(folder: Path, status: Status) -> None:
    """Say how far the work is."""
    text = json.dumps(asdict(status))
    write_whole(places.partial(folder) / "status.json", lambda file: file.write(text.encode()))


def ask_to_pause(folder: Path) -> None:
    """Let the work stop after the piece at hand."""
    (places.partial(folder) / "pause").touch()


def embed(
    order: Order,
    folder: Path,
    load: Callable[[str], Embedder],
    *,
    progress: bool = True,
    resume: bool = True,
    say: Callable[[str], None] = lambda _: None,
    left_out: Callable[[list[str]], None] = lambda _: None,
) -> Library:
    """Open a corpus, embed it, draw its maps; every step is said, and can be stopped.

    Args:
        order: what to do.
        folder: of the library.
        load: opens a model by the name in the order.
        progress: draw progress bars.
        resume: False embeds everything anew.
        say: told what has changed, and what became of the maps, in sentences.
        left_out: told every sentence about what was left out or is odd.

    Raises:
        StemwiseError: it cannot be done; the sentence stands in the status, too.
        Paused: somebody asked for it.
    """
    with places.working(folder):
        teller = _Teller(folder, order)
        stop = _Stop(places.partial(folder) / "pause")
        stop.flag.unlink(missing_ok=True)
        try:
            with stop.listening():
                return _embed(teller, stop, load, progress=progress, resume=resume, say=say,
                              left_out=left_out)  # fmt: skip
        except KeyboardInterrupt as stopped:
            words = str(stopped) or _words(teller.status)
            teller.step("paused")
            raise Paused(words) from None
        except StemwiseError as error:
            teller.step("failed", str(error))
            raise
        except OSError as error:
            why = f"The library cannot be written to {folder} ({error.strerror or error})."
            raise LibraryError(f"{why} What is done is kept; run the same again.") from error


def _embed(
    teller: "_Teller",
    stop: "_Stop",
    load: Callable[[str], Embedder],
    *,
    progress: bool,
    resume: bool,
    say: Callable[[str], None],
    left_out: Callable[[list[str]], None],
) -> Library:
    """What ``embed`` does, while it may be stopped."""
    order, folder = teller.status.order, teller.folder
    corpus = open_corpus(order.corpus, progress).only(order.split)
    model = load(order.model)

    def compared(changes: Changes) -> None:
        if changes.same or changes.deleted:
            say(f"{corpus.name}: {changes}.")

    def watch(now: Progress) -> None:
        stop.now = False
        teller.watch(now)

    def finish(old: Library | None, new: Library, origins: Integers) -> None:
        teller.step("maps")
        stop.now = True
        say(follow(old, new, origins, method=order.maps, seed=order.seed, progress=progress))

    library = build(
        corpus, model, folder, length=order.length, overlap=order.overlap,
        half=order.half, split=order.split,
        finish=finish if order.maps else None, progress=progress, resume=resume,
        watch=watch, compared=compared, pausing=stop.asked,
    )  # fmt: skip
    stop.now = True
    if order.maps and not any((folder / places.MAPS).glob("*.npz")):
        none = np.full(len(library), -1)
        say(follow(None, library, none, method=order.maps, seed=order.seed, progress=progress))
    left_out([*corpus.problems, *library.info["problems"]])
    return library


def _words(status: Status) -> str:
    """Where the work was stopped."""
    if status.step == "opening":
        return "paused before the first piece; run the same command to begin."
    rest = "the maps are still to be drawn" if status.step == "maps" else "the rest is to come"
    done, pieces = status.progress.done, status.progress.pieces
    return f"paused: {done} of {pieces} pieces done, {rest}; run the same command to go on."


class _Teller:
    """Writes down how far the work is, not too often."""

    def __init__(self, folder: Path, order: Order) -> None:
        self.folder, self.status, self._said = folder, Status(order), 0.0
        write_status(folder, self.status)

    def step(self, step: str, problem: str = "") -> None:
        self.status = replace(self.status, step=step, problem=problem)
        write_status(self.folder, self.status)

    def watch(self, progress: Progress) -> None:
        self.status = replace(self.status, step="embedding", progress=progress)
        if time.monotonic() - self._said > _EVERY or progress.done == progress.pieces:
            self._said = time.monotonic()
            write_status(self.folder, self.status)


class _Stop:
    """Whether somebody wants the work to stop, by a signal or by the file ``pause``.

    Attributes:
        flag: that file.
        now: whether a signal stops at once; else only the second one does.
    """

    def __init__(self, flag: Path) -> None:
        self.flag, self.now, self._signalled = flag, True, False

    def asked(self) -> bool:
        return self._signalled or self.flag.exists()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Signals come here; the main thread alone may say so."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self._heard) for one in _SIGNALS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        if self.now or self._signalled:
            raise KeyboardInterrupt
        self._signalled = True


def main(folder: Path) -> int:
    """A process of its own: go on with what the status of a library says is to be done."""
    from csn.model import Model  # noqa: PLC0415 takes seconds

    status = read_status(folder)
    if status is None:
        return 2
    if hasattr(os, "nice"):
        os.nice(_NICE)
    return run(
        Namespace(run=lambda _: embed(status.order, folder, Model.load, progress=False)), "csn"
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
