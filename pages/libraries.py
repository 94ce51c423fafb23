"""The libraries that screens and routes may show: found by name, opened once, kept open.

A name that comes from a browser is looked up among the names that exist; it never becomes part
of a path.
"""

import hashlib
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import streamlit as st

from csn import milvus, playback
from csn.corpora.base import Corpus
from csn.errors import CorpusError, LibraryError, StemwiseError
from csn.home import demo, home
from csn.library import Library

DEMO: Final = "demo"
"""The name of the library that comes with the code."""

CHOICE: Final = "STEMWISE_LIBRARY"
"""Environment variable: the name or folder of the library to open with."""


_log: Final = logging.getLogger(__name__)


class NoLibraryError(LibraryError):
    """There is no library to show yet."""


@dataclass(frozen=True)
class Opened:
    """A library that is open.

    Attributes:
        name: as it stands in addresses.
        version: changes whenever the library on disk does; browsers keep what has this version.
        library: the library itself.
    """

    name: str
    version: str
    library: Library

    @cached_property
    def corpus(self) -> Corpus:
        """The corpus that is heard; reading it is left until somebody listens.

        Raises:
            LibraryError: it is no longer there.
        """
        try:
            return self.library.corpus()
        except CorpusError as error:
            _log.warning("%s", error)  # names a folder: for the person who runs the app
            raise LibraryError(f"The corpus of the library {self.name!r} is not there.") from error

    @cached_property
    def rows(self) -> Mapping[tuple[str, float], int]:
        """The row of each segment by its piece and its start in seconds, rounded to 10 ms."""
        segments = self.library.segments
        starts = segments["start"].to_numpy().round(2).tolist()
        return {key: row for row, key in enumerate(zip(segments["piece"], starts, strict=True))}


def base() -> str:
    """The path under which everything is served: empty, or ``/path`` where Streamlit has one."""
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


def folders() -> dict[str, Path]:
    """Every library there is: the demo, those in ``STEMWISE_HOME/libraries``, the chosen one."""
    found = {DEMO: demo() / "library"}
    shelf = home() / "libraries"
    if shelf.is_dir():
        found |= {folder.name: folder for folder in sorted(shelf.iterdir())}
    name, chosen = _chosen(found)
    if chosen is not None:
        found[name] = chosen
    there = {name: folder for name, folder in found.items() if (folder / "library.json").is_file()}
    return {name: folder.resolve() for name, folder in there.items()}  # a link is as good


def _chosen(found: Mapping[str, Path]) -> tuple[str, Path | None]:
    """The name of the library in ``STEMWISE_LIBRARY``, and its folder where that is new."""
    choice = os.environ.get(CHOICE, "")
    if not choice or choice in found:
        return choice, None
    folder = Path(choice).expanduser().resolve()
    known = [name for name, other in found.items() if other.resolve() == folder]
    return (known[0], None) if known else (folder.name, folder)


def default() -> str:
    """The name of the library to open with.

    Raises:
        NoLibraryError: ``STEMWISE_LIBRARY`` names none, or there is none at all.
    """
    found = folders()
    name, _ = _chosen(found)
    if name and name not in found:
        raise NoLibraryError(f"{CHOICE} is {os.environ[CHOICE]!r}, but there is no such library.")
    if not found:
        raise NoLibraryError("There is no library on this computer yet.")
    return name or (DEMO if DEMO in found else next(iter(found)))


def find(name: str) -> Opened:
    """Open a library, or hand out the one that is already open.

    Raises:
        LibraryError: there is no such library, or it cannot be read.
    """
    folder = folders().get(name)
    if folder is None:
        raise LibraryError(f"There is no library called {name!r}.")
    return _open(name, folder, _version(folder))


def warm() -> None:
    """Open the library that comes first and its corpus, so that the first visitor does not wait.

    Whatever goes wrong here is said on the page, which tries again.
    """
    with suppress(StemwiseError):
        playback.warm(find(default()).corpus)


def _version(folder: Path) -> str:
    """Twelve hex digits over the names, sizes and times of the library's files."""
    digest = hashlib.sha256(str(folder).encode())
    others = [*(folder / "maps").glob("*"), *folder.glob(milvus.FILE)]
    for file in [folder / "library.json", *sorted(others)]:
        state = file.stat()
        digest.update(f"{file.name}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=4)
def _open(name: str, folder: Path, version: str) -> Opened:
    return Opened(name, version, Library.open(folder))
