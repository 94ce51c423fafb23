"""Work that goes on while nobody looks: the sounds of a study are made in a thread."""

import time
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any, Final

from csn.errors import StemwiseError
from listening_test.store import Store
from listening_test.store.studies import get_version, prepare_version
from pages import libraries


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


def prepare(store: Store, version_id: int) -> Job:
    """Begin to make the sounds of a draft, unless that is under way.

    Args:
        store: the database.
        version_id: of the draft.
    """
    with _lock:
        running = job(store, version_id)
        if running is not None and not running.done:
            return running
        begun = _jobs[store.url, version_id] = Job()
    Thread(target=_run, args=(store, version_id, begun), daemon=True).start()
    return begun


def job(store: Store, version_id: int) -> Job | None:
    """The preparation of a draft that was begun last, since the app was started."""
    return _jobs.get((store.url, version_id))


def forget(store: Store, version_id: int) -> None:
    """What came of it was told."""
    _jobs.pop((store.url, version_id), None)


def _run(store: Store, version_id: int, job: Job) -> None:
    def say(words: str, part: float) -> None:
        job.words, job.part = words, min(max(part, 0.0), 1.0)

    try:
        prepare_version(store, version_id, say, **_opened(store, version_id))
    except StemwiseError as error:
        job.problem = str(error)
    except Exception as error:
        job.problem = f"Something unforeseen happened ({type(error).__name__}: {error})."
        raise
    finally:
        job.done = True


def _opened(store: Store, version_id: int) -> dict[str, Any]:
    """The study's library as the app has it open already, with those that only the app knows."""
    name = get_version(store, version_id).settings.library
    return {"library": libraries.find(name).library} if name in libraries.folders() else {}
