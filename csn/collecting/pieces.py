"""What of a corpus a library holds already, and what has changed since.

A library remembers every file of every piece: where it was, its size, its time, and the SHA-256 of
its content (``pieces.parquet``). A file of the same place, size and time is taken to be the same;
any other is known by its content, so that a piece that was moved, renamed or copied is not
embedded again.
"""

import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, NamedTuple

import pandas as pd

from csn.corpora.base import Corpus, Piece
from csn.corpora.scan import in_threads
from csn.embedding import UNREADABLE, sha256

_COLUMNS: Final = ("piece", "files", "duration", "first", "rows", "problem")


class Source(NamedTuple):
    """A file of a piece."""

    part: str
    """The mix, or an instrument."""
    path: str
    """Seen from the corpus's folder."""
    size: int
    """Bytes."""
    time: int
    """When it was written last, ns."""
    hash: str = ""
    """SHA-256 (hex) of its content; empty where nobody has looked."""


class Known(NamedTuple):
    """A piece that a library holds, or could not hold."""

    id: str
    files: tuple[Source, ...]
    duration: float
    """Seconds."""
    first: int
    """Its first row."""
    rows: int
    """0 where it was left out."""
    problem: str
    """One sentence if it was left out, else empty."""


@dataclass(frozen=True)
class Changes:
    """A corpus, seen from a library.

    Attributes:
        added: ids of pieces that are new.
        changed: ids of pieces whose sound is another.
        moved: ids of pieces that the library knows under another id or in another file.
        deleted: ids of pieces that are no longer there.
        same: how many pieces are as they were.
        reused: what the library holds of a piece's sound, by the piece's id.
        files: the files of each piece, by its id.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    moved: tuple[str, ...]
    deleted: tuple[str, ...]
    same: int
    reused: Mapping[str, Known]
    files: Mapping[str, tuple[Source, ...]]

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.added or self.changed or self.moved or self.deleted)

    def __str__(self) -> str:
        """In words, such as ``3 added, 1 changed, 0 moved, 2 deleted, 40 as they were``."""
        return (
            f"{len(self.added)} added, {len(self.changed)} changed, {len(self.moved)} moved, "
            f"{len(self.deleted)} deleted, {self.same} as they were"
        )


def compare(
    corpus: Corpus, root: Path, known: Sequence[Known] = (), progress: bool = False
) -> Changes:
    """Find out what has changed; only files that may be known by their content are read.

    Args:
        corpus: as it is now.
        root: its folder.
        known: what the library holds; nothing where there is none that could be gone on with.
        progress: draw a progress bar while files are read.
    """
    files = {piece.id: _sources(piece, root) for piece in corpus}
    before = {one.id: one for one in known}
    sizes: dict[object, list[Known]] = defaultdict(list)
    contents: dict[object, Known] = {}
    for one in known:
        sizes[_sizes(one.files)].append(one)
        contents[_content(one.files, one.duration)] = one
    reused: dict[str, Known] = {}
    open_questions: list[Piece] = []
    for piece in corpus:
        own = before.get(piece.id)
        if own is not None and _stamps(own.files) == _stamps(files[piece.id]):
            reused[piece.id] = own
            files[piece.id] = own.files
        elif _sizes(files[piece.id]) in sizes:
            open_questions.append(piece)
    same = set(reused)
    read = in_threads(
        lambda piece: _hashed(piece, files[piece.id]),
        open_questions, "Comparing", progress and bool(open_questions),
    )  # fmt: skip
    moved: list[str] = []
    for piece, sources in zip(open_questions, read, strict=True):
        files[piece.id] = sources
        known_as = contents.get(_content(sources, piece.duration))
        if known_as is None or not known_as.rows:
            continue  # new; or left out, and the sentence that says why names a place
        reused[piece.id] = known_as
        if known_as.id == piece.id and _places(known_as.files) == _places(sources):
            same.add(piece.id)  # its time alone is another
        elif known_as.id == piece.id or known_as.id not in files:
            moved.append(piece.id)
    origins = {reused[name].id for name in moved}
    news = [piece.id for piece in corpus if piece.id not in same and piece.id not in {*moved}]
    return Changes(
        added=tuple(name for name in news if name not in before),
        changed=tuple(name for name in news if name in before),
        moved=tuple(moved),
        deleted=tuple(name for name in before if name not in files and name not in origins),
        same=len(same),
        reused=reused,
        files=files,
    )


def write(file: IO[bytes], pieces: Sequence[Known]) -> None:
    """Write ``pieces.parquet``: a row for each piece, its files as JSON."""
    rows = [(one.id, json.dumps(one.files), *one[2:]) for one in pieces]
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    table.to_parquet(file, index=False)


def read(file: Path) -> list[Known] | None:
    """Read what ``write`` wrote; None where it is not there, or of another kind."""
    try:
        table = pd.read_parquet(file)
        columns = [table[name].tolist() for name in _COLUMNS]
        return [
            Known(name, tuple(Source(*values) for values in json.loads(files)), *rest)
            for name, files, *rest in zip(*columns, strict=True)
        ]
    except UNREADABLE:
        return None


def _sources(piece: Piece, root: Path) -> tuple[Source, ...]:
    found = []
    for part, file in piece.files:
        try:
            state = file.stat()
            size, time = state.st_size, state.st_mtime_ns
        except OSError:
            size, time = -1, 0  # vanished; reading it will say so
        found.append(Source(part, _place(file, root), size, time))
    return tuple(found)


def _place(file: Path, root: Path) -> str:
    try:
        return Path(os.path.relpath(file, root)).as_posix()
    except ValueError:  # on another drive
        return file.as_posix()


def _hashed(piece: Piece, sources: Sequence[Source]) -> tuple[Source, ...]:
    answer = []
    for (_, file), source in zip(piece.files, sources, strict=True):
        try:
            answer.append(source._replace(hash=sha256(file)))
        except OSError:
            answer.append(source)
    return tuple(answer)


def _sizes(files: Sequence[Source]) -> object:
    return tuple((one.part, one.size) for one in files)


def _stamps(files: Sequence[Source]) -> object:
    return tuple((one.part, one.path, one.size, one.time) for one in files)


def _places(files: Sequence[Source]) -> object:
    return tuple(one.path for one in files)


def _content(files: Sequence[Source], duration: float) -> object:
    """What decides the vectors: the files' content, in the order in which they are summed."""
    return (duration, *((one.part, one.hash or one) for one in files))
