"""A library's folder while it changes: the new library is made beside the old one.

``.partial/`` holds work that is under way; in the end ``.partial/library/`` is a whole library. To
rename it ``.next/`` is the one step that decides: before it the old library stands, after it the
new one does, though its files lie one folder too deep. Moving them up can be broken off and taken
up again, so whoever opens the library next does what is left of it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import AcquireReturnProxy, FileLock, Timeout

from csn.errors import LibraryError

ABOUT: Final = "library.json"
TABLE: Final = "segments.parquet"
VECTORS: Final = "vectors.npy"
PIECES: Final = "pieces.parquet"
MAPS: Final = "maps"

_PARTIAL: Final = ".partial"
_NEXT: Final = ".next"
_PATIENCE: Final = 0.5  # seconds; somebody may just look whether work is under way


def partial(folder: Path) -> Path:
    """Where work on this library is kept until it is done."""
    return folder / _PARTIAL


def coming(folder: Path) -> Path:
    """Where the next library is put together; ``commit`` makes it the library."""
    return folder / _PARTIAL / "library"


@contextmanager
def working(folder: Path) -> Iterator[None]:
    """Nobody else works on this library meanwhile; the same thread may ask again.

    Raises:
        LibraryError: somebody does, or it is a file, or may not be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise LibraryError(f"{folder} is a file; give the name of a folder for the library.")
    try:
        lock = _lock(folder)
    except FileNotFoundError:  # it went with the work of somebody who is done now
        lock = _lock(folder)
    except Timeout:
        raise LibraryError(
            f"Another program is making the library at {folder} just now; wait until it is done."
        ) from None
    except OSError as error:
        raise LibraryError(
            f"The library cannot be written to {folder} ({error.strerror or error}); "
            "choose another folder."
        ) from error
    with lock:
        yield


def _lock(folder: Path) -> AcquireReturnProxy:
    partial(folder).mkdir(parents=True, exist_ok=True)
    return FileLock(partial(folder) / "lock", _PATIENCE, is_singleton=True).acquire()


def at_work(folder: Path) -> bool:
    """Whether somebody works on this library now."""
    lock = partial(folder) / "lock"
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except (Timeout, OSError):
        return True


def commit(folder: Path) -> None:
    """Make the library in ``coming(folder)`` the library, and drop what was kept to make it.

    Raises:
        LibraryError: its files cannot be moved.
    """
    shutil.rmtree(folder / _NEXT, ignore_errors=True)  # at most an empty shell, see ``settle``
    coming(folder).rename(folder / _NEXT)
    settle(folder)
    clear(folder)


def clear(folder: Path) -> None:
    """Forget whatever is under way."""
    shutil.rmtree(partial(folder), ignore_errors=True)


def settle(folder: Path) -> None:
    """Finish moving a new library into place, where that was broken off.

    Raises:
        LibraryError: its files cannot be moved.
    """
    waiting = folder / _NEXT
    if not waiting.is_dir():
        return
    try:
        with suppress(FileNotFoundError), FileLock(waiting / "lock"):
            if (waiting / ABOUT).is_file():
                _move(waiting, folder)
            shutil.rmtree(waiting, ignore_errors=True)
    except OSError as error:
        raise LibraryError(
            f"The new library in {waiting} cannot be moved into its place "
            f"({error.strerror or error}); close the programs that use the library."
        ) from error


def _move(waiting: Path, folder: Path) -> None:
    """Every step can be the last one before a kill: all of them can be done again."""
    if (waiting / MAPS).is_dir():
        if (folder / MAPS).is_dir():
            shutil.rmtree(waiting / "former", ignore_errors=True)
            (folder / MAPS).rename(waiting / "former")
        (waiting / MAPS).rename(folder / MAPS)
        with suppress(OSError):
            (folder / MAPS).rmdir()  # if there are none
    for name in (VECTORS, TABLE, PIECES, ABOUT):  # the last of them says that all are there
        if (waiting / name).is_file():
            os.replace(waiting / name, folder / name)
