"""Work on libraries that goes on while pages come and go.

Embedding is a process of its own, which says on the disk how far it is (``csn.collecting.work``);
looking what has changed takes seconds, and is a thread.
"""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, Thread
from typing import Final

from csn.collecting import folder as places
from csn.collecting import pieces
from csn.collecting.assemble import root_of
from csn.collecting.pieces import Changes
from csn.collecting.shelf import Entry, forget_work
from csn.collecting.work import Order, Status, ask_to_pause, read_status, write_status
from csn.corpora import open_corpus
from csn.errors import StemwiseError

_HERE: Final = str(Path(__file__).resolve().parents[2])
_COMMAND: Final = (sys.executable, "-m", "csn.collecting.work")

_processes: Final[dict[Path, subprocess.Popen[bytes]]] = {}
_looks: Final[dict[Path, "Look"]] = {}
_lock: Final = Lock()


@dataclass
class Look:
    """What was found out about a corpus.

    Attributes:
        uri: of the corpus; another than the library's where the recordings have moved.
        changes: what an update would do; None while somebody looks, or where it went wrong.
        problem: why it went wrong, a sentence.
    """

    uri: str
    changes: Changes | None = None
    problem: str = ""

    @property
    def done(self) -> bool:
        """Whether there is something to say."""
        return self.changes is not None or bool(self.problem)


def begin(folder: Path, order: Order) -> None:
    """Embed in a process of its own, unless that is under way."""
    with _lock:
        if alive(folder):
            return
        places.partial(folder).mkdir(parents=True, exist_ok=True)
        (places.partial(folder) / "pause").unlink(missing_ok=True)
        write_status(folder, Status(order))
        # Not by `multiprocessing`: it would run the main module again, a page's script here.
        paths = [_HERE, *filter(None, [os.environ.get("PYTHONPATH")])]
        _processes[folder] = subprocess.Popen(
            [*_COMMAND, str(folder)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )


def go_on(folder: Path) -> None:
    """Take work up again that was paused or broken off."""
    status = read_status(folder)
    if status is not None:
        begin(folder, status.order)


def alive(folder: Path) -> bool:
    """Whether somebody works on this library: a process of this app, or another program."""
    process = _processes.get(folder)
    return (process is not None and process.poll() is None) or places.at_work(folder)


def pause(folder: Path) -> None:
    """Let it stop after the piece at hand, or at once where it does not embed."""
    ask_to_pause(folder)
    status, process = read_status(folder), _processes.get(folder)
    if process is not None and status is not None and status.step != "embedding":
        process.terminate()
        process.wait()
        if (left := read_status(folder)) is not None:  # it may just have been done
            write_status(folder, replace(left, step="paused"))


def cancel(entry: Entry) -> None:
    """End the work and forget it; what is done is whole at every moment.

    Raises:
        LibraryError: another program is at work, and has not stopped yet.
    """
    process = _processes.pop(entry.folder, None)
    if process is not None:
        process.kill()
        process.wait()
    elif entry.working:
        ask_to_pause(entry.folder)
    forget_work(entry)


def look(folder: Path, uri: str, split: str) -> Look:
    """Find out what an update would do.

    Args:
        folder: of the library.
        uri: of its corpus.
        split: what the corpus is narrowed to.
    """
    with _lock:
        found = _looks.get(folder)
        if found is None:
            found = _looks[folder] = Look(uri)
            Thread(target=_look, args=(found, folder, split), daemon=True).start()
    return found


def looked(folder: Path) -> Look | None:
    """What is known, or being found out."""
    return _looks.get(folder)


def forget_all() -> None:
    """What was found out belongs to folders that may have other names now."""
    _looks.clear()


def forget(folder: Path) -> None:
    """What was found out was told, or is old."""
    _looks.pop(folder, None)


def _look(found: Look, folder: Path, split: str) -> None:
    try:
        corpus = open_corpus(found.uri).only(split)
        known = pieces.read(folder / places.PIECES) or ()
        found.changes = pieces.compare(corpus, root_of(corpus), known)
    except StemwiseError as error:
        found.problem = str(error)
    except Exception as error:
        found.problem = f"{found.uri} cannot be looked through: {type(error).__name__}."
        raise
