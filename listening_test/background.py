"""Sounds are made in a process of their own, while the app goes on answering listeners."""

import multiprocessing
import os
import time
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock, Thread
from typing import Final

from csn.errors import StemwiseError
from listening_test.store import address, open_store

_NICE: Final = 5  # listeners come first


@dataclass
class Job:
    """A preparation on its way.

    Attributes:
        words: what happens now.
        part: how much is done, 0 to 1.
        problem: why it ended without a result; empty otherwise.
        done: whether it has ended.
        begun: when, by the monotonic clock.
    """

    words: str = "Getting ready"
    part: float = 0.0
    problem: str = ""
    done: bool = False
    begun: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> str:
        """How long it will take yet, in words; empty while nobody can know."""
        if self.part < 0.1:
            return ""
        seconds = (time.monotonic() - self.begun) * (1 - self.part) / self.part
        if seconds < 10:
            return "a few seconds left"
        size, unit = (1, "s") if seconds < 90 else (60, "min")
        return f"about {seconds / size:.0f} {unit} left"


_jobs: Final[dict[tuple[str, int], Job]] = {}
_lock: Final = Lock()


def prepare(version_id: int, library: Path | None = None) -> Job:
    """Begin to make the sounds of a draft, unless that is under way.

    Args:
        version_id: of the draft, in the database at ``address()``.
        library: its library's folder; found by its name where it is None.
    """
    with _lock:
        running = job(version_id)
        if running is not None and not running.done:
            return running
        begun = _jobs[address(), version_id] = Job()
    spawn = multiprocessing.get_context("spawn")  # a fork would inherit the app's threads' locks
    here, there = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_work, args=(version_id, library, there), daemon=True)
    process.start()
    there.close()
    Thread(target=_follow, args=(process, here, begun), daemon=True).start()
    return begun


def job(version_id: int) -> Job | None:
    """The preparation of a draft that was begun last, since the app was started."""
    return _jobs.get((address(), version_id))


def forget(version_id: int) -> None:
    """What came of it was told."""
    _jobs.pop((address(), version_id), None)


def _work(version_id: int, library: Path | None, out: Connection) -> None:
    """The process: says ``(words, part)`` while it works, and at the end what went wrong."""
    from csn.library import Library  # noqa: PLC0415 - only this process needs them
    from listening_test.store.studies import prepare_version  # noqa: PLC0415

    if hasattr(os, "nice"):
        os.nice(_NICE)
    try:
        with closing(open_store()) as store:
            given = {} if library is None else {"library": Library.open(library)}
            prepare_version(store, version_id, lambda words, part: out.send((words, part)), **given)
        out.send("")
    except StemwiseError as error:
        out.send(str(error))


def _follow(process: BaseProcess, told: Connection, job: Job) -> None:
    """Keep the job up to date until the process ends, however it does."""
    ending: str | None = None
    try:
        while True:
            said = told.recv()
            if isinstance(said, str):
                ending = said
            else:
                job.words, job.part = said
    except EOFError:
        process.join()
    if ending is None:
        ending = (
            f"The work ended before it was done (exit code {process.exitcode}); the terminal of "
            "the app says more. Begin again: what is made already is kept."
        )
    job.problem = ending
    job.done = True
