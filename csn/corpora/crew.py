"""A crew of worker processes under a watch: a job that hangs costs itself, not the whole run."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from csn.errors import StemwiseError

Job = Any
Start = Callable[[], Callable[[Job], Any]]
"""Called once in each worker; gives the function that does a job."""


def _serve(pipe: Connection, start: Callable[..., Callable[[Job], Any]], context: Any) -> None:
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
        if job is None:
            return
        try:
            pipe.send(("done", work(job)))
        except StemwiseError as error:
            pipe.send(("failed", str(error)))


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    ready: bool = False
    job: int | None = None
    since: float = field(default_factory=time.monotonic)


def run(
    jobs: Sequence[Job],
    start: Callable[..., Callable[[Job], Any]],
    context: Any,
    workers: int,
    timeout: float,
) -> Iterator[tuple[int, str, Any]]:
    """Do jobs in processes and say how each ended.

    Args:
        jobs: picklable.
        start: called as ``start(context)`` in each worker; gives the function that does a job.
        context: picklable.
        workers: processes.
        timeout: seconds a job may take before its worker is ended.

    Yields:
        (index of the job, ``done`` | ``failed`` | ``late``, result or message), as they end.

    Raises:
        StemwiseError: a worker cannot start.
    """
    spawn = multiprocessing.get_context("spawn")
    waiting = list(range(len(jobs)))[::-1]
    crew: list[_Worker] = []

    def hire() -> None:
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=_serve, args=(theirs, start, context), daemon=True)
        process.start()
        theirs.close()
        crew.append(_Worker(process, ours))

    def give(worker: _Worker) -> None:
        worker.job, worker.since = None, time.monotonic()
        if waiting:
            worker.job = waiting.pop()
            worker.pipe.send(jobs[worker.job])

    try:
        for _ in range(min(workers, len(jobs))):
            hire()
        left = len(jobs)
        while left:
            wait([w.pipe for w in crew], timeout=1.0)
            for worker in list(crew):
                said: tuple[str, Any] | None = None
                try:
                    if worker.pipe.poll():
                        said = worker.pipe.recv()
                    elif not worker.process.is_alive():
                        said = ("late", "its process died")
                except EOFError:
                    said = ("late", "its process died")
                busy = worker.job is not None or not worker.ready
                if said is None and busy and time.monotonic() - worker.since > timeout:
                    said = ("late", f"it took over {timeout:.0f} s")
                if said is None:
                    continue
                if said[0] == "broken" or (said[0] == "late" and not worker.ready):
                    raise StemwiseError(f"a worker could not start: {said[1]}")
                if said[0] == "ready":
                    worker.ready = True
                    give(worker)
                    continue
                job = worker.job
                if said[0] == "late":
                    worker.process.kill()
                    worker.pipe.close()
                    crew.remove(worker)
                    if waiting:
                        hire()
                else:
                    give(worker)
                if job is not None:
                    left -= 1
                    yield job, said[0], said[1]
    finally:
        for worker in crew:
            worker.process.terminate()
            worker.process.join()
            worker.pipe.close()
