"""What the readers share: walking folders, reading headers, and doing both many at a time."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from tqdm import tqdm

from csn import audio
from csn.corpora.base import Corpus, Piece
from csn.errors import AudioError, CorpusError, shown

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Found = tuple[Piece | None, list[str]]
"""What looking at one piece gives: the piece, unless it is left out, and lines about it."""

SPLITS: Final = {
    "train": "train",
    "training": "train",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "omitted": "omitted",  # the pieces that Slakh2100-redux leaves out as duplicates
}
"""Folder names that are splits (lower case) → the split's name."""

_UNEVEN: Final = 1.0  # seconds; codecs pad by less


def existing(folder: Path | str) -> Path:
    """The folder, with ``~`` replaced.

    Raises:
        CorpusError: it is missing, or no folder.
    """
    path = Path(folder).expanduser()
    if not path.exists():
        raise CorpusError(f"{path} does not exist; give the folder that holds the pieces.")
    if not path.is_dir():
        raise CorpusError(f"{path} is a file; give the folder that holds the pieces.")
    return path


def walk(root: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Every folder under ``root`` with its visible files, in the order of their names.

    Links to folders are followed, each real folder is visited once, and hidden names (such as the
    ``._`` files of macOS) are passed over. Folders that may not be read hold nothing.
    """
    seen: set[str] = set()
    for here, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(here)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield Path(here), [Path(here, name) for name in sorted(files) if not name.startswith(".")]


def in_threads(
    function: Callable[[Item], Answer], items: Sequence[Item], label: str, progress: bool
) -> list[Answer]:
    """Apply a function to many items, with a progress bar; answers in the order of the items.

    Threads, since opening and decoding audio release Python's lock and disks answer late.
    """
    workers = max(4, min(32, 2 * (os.cpu_count() or 1)))
    with ThreadPoolExecutor(workers) as pool:
        answers = pool.map(function, items)
        bar = tqdm(answers, desc=label, total=len(items), unit=" pieces", disable=not progress)
        return list(bar)


def header(file: Path, problems: list[str]) -> audio.Info | None:
    """The header of an audio file; None, and a line in ``problems``, where it has no good one."""
    try:
        return audio.info(file)
    except AudioError as error:
        problems.append(str(error))
        return None


def uneven(lengths: Mapping[Path, float]) -> list[str]:
    """A line for each file (with its seconds) that ends long before its piece's longest file.

    A WAV or Ogg file that was cut off opens without complaint and shows only by its length.
    """
    longest = max(lengths.values(), default=0.0)
    return [
        f"{file} lasts {seconds:.1f} s of its piece's {longest:.1f} s; the rest counts as silence."
        for file, seconds in lengths.items()
        if longest - seconds > _UNEVEN
    ]


def gather(uri: str, root: Path, found: Iterable[Found], progress: bool = False) -> Corpus:
    """Make a corpus of what was found, in the order of the pieces' ids.

    Where two splits hold the same id, both become ``split/id``.

    Raises:
        CorpusError: there is no piece at all that can be used.
    """
    pieces: list[Piece] = []
    problems: list[str] = []
    for piece, lines in found:
        problems += [shown(line) for line in lines]
        if piece is not None:
            pieces.append(replace(piece, id=shown(piece.id), title=shown(piece.title)))
    if not pieces:
        first = f"; the first thing wrong: {problems[0]}" if problems else "."
        raise CorpusError(f"{root} holds no piece that can be used{first}")
    if progress and problems:
        tqdm.write(f"{root}: {len(pieces)} pieces; {len(problems)} things left out or odd.")
    times = Counter(piece.id for piece in pieces)
    named = [
        replace(piece, id=f"{piece.split}/{piece.id}") if times[piece.id] > 1 else piece
        for piece in pieces
    ]
    ordered = tuple(sorted(named, key=lambda piece: piece.id))
    return Corpus(uri, root.resolve().name, ordered, tuple(problems))
