"""The libraries of this computer: what stands in ``STEMWISE_HOME/libraries``, and their names."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from csn import audio
from csn.collecting import folder as places
from csn.collecting.work import Status, read_status
from csn.corpora.scan import existing, walk
from csn.errors import CorpusError, LibraryError
from csn.home import home
from csn.library import corpus_uri

_LONGEST: Final = 60  # letters of a name
_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*%#&\x00-\x1f\x7f]')  # some system or address minds them


@dataclass(frozen=True)
class Entry:
    """A library on the shelf, or one that is to become one.

    Attributes:
        name: of its folder.
        folder: where it lies.
        info: the content of ``library.json``; empty while there is none that can be read.
        size: bytes on the disk.
        status: of work that is not done; None where there is none.
        working: whether somebody works on it now.
    """

    name: str
    folder: Path
    info: dict[str, Any]
    size: int
    status: Status | None
    working: bool

    @property
    def uri(self) -> str:
        """Of the corpus, for ``open_corpus``; a library may be a link to where it really stands."""
        return corpus_uri(self.folder.resolve(), self.info)


def shelf() -> Path:
    """Where libraries stand."""
    return home() / "libraries"


def entries() -> list[Entry]:
    """Everything on the shelf, in the order of names."""
    there = shelf()
    found = [look(folder) for folder in sorted(there.iterdir())] if there.is_dir() else []
    return [one for one in found if one.info or one.status is not None or one.working]


def look(folder: Path) -> Entry:
    """What there is in a folder."""
    try:
        info = json.loads((folder / places.ABOUT).read_bytes())
    except (OSError, ValueError):
        info = {}
    status, working = read_status(folder), places.at_work(folder)
    info = info if isinstance(info, dict) and "files" in info else {}
    return Entry(folder.name, folder, info, size_of(folder), status, working)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:  # it went meanwhile
            continue
    return total


def place_for(name: str) -> Path:
    """Where a library of this name will stand.

    Raises:
        LibraryError: the name cannot be used, or is taken.
    """
    name = name.strip()
    if not name or name.startswith((".", "-", "~")) or name.endswith("."):
        raise LibraryError("Give the library a name that begins with a letter or a digit.")
    if _FORBIDDEN.search(name) or not name.isprintable():
        raise LibraryError(f"The name {name!r} has signs that names of folders cannot have.")
    if len(name) > _LONGEST:
        raise LibraryError(f"The name is too long; {_LONGEST} letters are enough.")
    there = {one.name.casefold() for one in shelf().iterdir()} if shelf().is_dir() else set()
    if name.casefold() in there | {"demo"}:
        raise LibraryError(f"There is a library called {name!r} already; choose another name.")
    return shelf() / name


def recordings(place: str) -> Path:
    """A folder that somebody named, if something in it can be embedded.

    Raises:
        CorpusError: no such folder, no recording in it, or it belongs to a library.
    """
    if not place.strip():
        raise CorpusError("Give the folder that holds the recordings.")
    folder = existing(place.strip()).resolve()
    if any((one / places.VECTORS).is_file() for one in (folder, *folder.parents)):
        raise CorpusError(f"{folder} is a library, or lies in one; give a folder of recordings.")
    if folder == shelf().resolve() or folder.is_relative_to(shelf().resolve()):
        raise CorpusError(f"{folder} is where libraries stand; give a folder of recordings.")
    if not any(
        file.suffix.lower() in audio.SUFFIXES for _, files in walk(folder) for file in files
    ):
        raise CorpusError(
            f"{folder} holds no recording that can be read; give a folder with WAV, FLAC, MP3, "
            "M4A, Ogg or Opus files."
        )
    return folder


def rename(entry: Entry, name: str) -> Path:
    """Give a library another name.

    Raises:
        LibraryError: the name cannot be used, or somebody works on the library.
    """
    if name.strip() == entry.name:
        return entry.folder
    _idle(entry)
    new = place_for(name)
    entry.folder.rename(new)
    return new


def delete(entry: Entry) -> None:
    """Remove a library; the recordings stay.

    Raises:
        LibraryError: it stands elsewhere, or somebody works on it.
    """
    _idle(entry)
    if entry.folder.is_symlink():
        entry.folder.unlink()
    else:
        shutil.rmtree(entry.folder)


def forget_work(entry: Entry) -> None:
    """Drop work that is not done; a library that never was one goes with it.

    Raises:
        LibraryError: somebody works on it.
    """
    _idle(entry)
    places.clear(entry.folder)
    if not entry.info:
        shutil.rmtree(entry.folder, ignore_errors=True)


def _idle(entry: Entry) -> None:
    if entry.folder.parent.resolve() != shelf().resolve():
        raise LibraryError(f"{entry.name} does not stand in {shelf()}; it is left as it is.")
    if places.at_work(entry.folder):
        raise LibraryError(f"{entry.name} is being worked on; pause that first.")
