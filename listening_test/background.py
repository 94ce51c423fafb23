"""Sounds are made in a process of their own, while the app goes on answering listeners.

The process is this module, run; it says what it does on its standard output, a line of JSON each.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import Final

from csn.errors import StemwiseError
from listening_test.store import address, open_store

_COMMAND: Final = (sys.executable, "-m", "listening_test.background")
_HERE: Final = str(Path(__file__).resolve().parents[1])
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
    # Not by `multiprocessing`: it would run the main module again, which is a page's script here.
    command = [*_COMMAND, str(version_id), *([] if library is None else [str(library)])]
    paths = [_HERE, *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    Thread(target=_follow, args=(process, begun), daemon=True).start()
    return begun


def job(version_id: int) -> Job | None:
    """The preparation of a draft that was begun last, since the app was started."""
    return _jobs.get((address(), version_id))


def forget(version_id: int) -> None:
    """What came of it was told."""
    _jobs.pop((address(), version_id), None)


def _follow(process: subprocess.Popen[str], job: Job) -> None:
    """Keep the job up to date until the process ends, however it does."""
    ending: str | None = None
    for line in process.stdout or ():
        try:
            said = json.loads(line)
        except ValueError:  # a library's own words
            continue
        if isinstance(said, str):
            ending = said
        else:
            job.words, job.part = said
    code = process.wait()
    if ending is None:
        ending = (
            f"The work ended before it was done (exit code {code}); the terminal of the app says "
            "more. Begin again: what is made already is kept."
        )
    job.problem = ending
    job.done = True


def _work(version_id: int, library: Path | None) -> None:
    """The process: says ``[words, part]`` while it works, and at the end what went wrong."""
    from csn.library import Library  # noqa: PLC0415 - only this process needs them
    from listening_test.store.studies import prepare_version  # noqa: PLC0415

    if hasattr(os, "nice"):
        os.nice(_NICE)
    try:
        with closing(open_store()) as store:
            given = {} if library is None else {"library": Library.open(library)}
            prepare_version(store, version_id, lambda words, part: _say([words, part]), **given)
        _say("")
    except StemwiseError as error:
        _say(str(error))


def _say(what: str | list[str | float]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    _work(int(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
