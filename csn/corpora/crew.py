"""A crew of worker processes under a watch: a job that hangs costs itself, not the whole run."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from csn.errors import StemwiseError

Work = Callable[[Any], Any]
Start = Callable[[Any], Work]
Report = tuple[int, str, Any]
"""The job's index; ``done``, ``failed`` or ``late``; its result or a message."""

_STARTING = 300.0  # seconds for a worker to load its fonts, on a busy machine too


def _serve(pipe: Connection, start: Start, context: Any) -> None:
    """The life of a worker: get ready, then do jobs until there are none."""
    try:
        work = start(context)
    except StemwiseError as error:
        pipe.send(("broken", str(error)))
        return
    pipe.send(("ready", None))
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(("done", work(job)))
        except StemwiseError as error:
            pipe.send(("failed", str(error)))


class _Worker:
    """One process, seen from outside."""

    def __init__(self, start: Start, context: Any) -> None:
        # Spawned, not forked: libraries with threads of their own do not survive a fork.
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.process = spawn.Process(target=_serve, args=(theirs, start, context), daemon=True)
        self.process.start()
        theirs.close()
        self.job: int | None = None
        self.ready = False
        self.since = time.monotonic()

    def give(self, index: int, job: Any) -> None:
        self.job, self.since = index, time.monotonic()
        self.pipe.send(job)

    def said(self, timeout: float) -> tuple[str, Any] | None:
        """What it reports, or that it is late; None while all is well."""
        try:
            if self.pipe.poll():
                said: tuple[str, Any] = self.pipe.recv()
                return said
        except (EOFError, ConnectionResetError):
            return "late", "its process died"
        if not self.process.is_alive():
            return "late", "its process died"
        limit = timeout if self.ready else max(timeout, _STARTING)
        if (self.job is not None or not self.ready) and time.monotonic() - self.since > limit:
            return "late", f"it took over {limit:.0f} s"
        return None

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def run(
    jobs: Sequence[Any], start: Start, context: Any, *, workers: int, timeout: float
) -> Iterator[Report]:
    """Do jobs in processes and say how each ended.

    Args:
        jobs: picklable.
        start: called as ``start(context)`` in each worker; gives the function that does a job.
        context: picklable.
        workers: processes.
        timeout: seconds that a job may take before its worker is ended.

    Yields:
        A report for every job, as they end.

    Raises:
        StemwiseError: a worker cannot start.
    """
    waiting = list(enumerate(jobs))[::-1]
    crew = [_Worker(start, context) for _ in range(min(workers, len(jobs)))]
    left = len(jobs)
    try:
        while left:
            wait([worker.pipe for worker in crew], timeout=1.0)
            for worker in list(crew):
                said = worker.said(timeout)
                if said is None:
                    continue
                if said[0] == "broken" or (said[0] == "late" and not worker.ready):
                    raise StemwiseError(f"a worker process could not start: {said[1]}")
                worker.ready = True
                finished, worker.job = worker.job, None
                if said[0] == "late":
                    worker.end()
                    crew.remove(worker)
                    if waiting:
                        crew.append(_Worker(start, context))
                elif waiting:
                    worker.give(*waiting.pop())
                if finished is not None:
                    left -= 1
                    yield finished, said[0], said[1]
    finally:
        for worker in crew:
            worker.end()
