"""Read any folder tree of recordings: every file is a piece of which only the mix is known."""

import re
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

from csn import audio
from csn.corpora.base import Corpus, Piece
from csn.corpora.scan import Found, existing, gather, header, in_threads, walk
from csn.errors import CorpusError

_OTHER_AUDIO: Final = frozenset({".aac", ".mp4", ".wma", ".ape", ".wv", ".mka", ".webm"})
_NUMBER: Final = re.compile(r"^(?:0\d+[ .\-)]*|\d{1,3}(?:[.)] *| - ?))(?=\D)")  # on a record


def open_mixes(root: Path | str, progress: bool = False) -> Corpus:
    """Open a folder of recordings, however they are nested.

    Args:
        root: the folder; its audio files become pieces, other files are passed over.
        progress: draw a progress bar.

    Returns:
        The corpus; everything that was left out, or is odd, has a line in ``problems``.

    Raises:
        CorpusError: no such folder, or no recording in it that can be used.
    """
    folder = existing(root)
    tree = list(walk(folder))
    files = [file for _, inside in tree for file in inside]
    sounds = [file for file in files if file.suffix.lower() in audio.SUFFIXES]
    strange = [file for file in files if file.suffix.lower() in _OTHER_AUDIO]
    if not sounds:
        advice = (
            f"its {len(strange)} {strange[0].suffix} files must be converted to FLAC or WAV first"
            if strange
            else "give a folder with WAV, FLAC, MP3, M4A, Ogg or Opus files"
        )
        raise CorpusError(f"{folder} holds no recording that can be read; {advice}.")
    times = Counter(_name(folder, file) for file in sounds)
    twice = frozenset(name for name, count in times.items() if count > 1)
    found: list[Found] = [
        (None, [f"{file} is in a format that cannot be read; convert it to FLAC or WAV."])
        for file in strange
    ]
    found += [
        (None, [f"{place} is a folder; an audio file was expected."])
        for place, inside in tree
        if place.suffix.lower() in audio.SUFFIXES and not inside and place != folder
    ]
    look = partial(_look, folder, twice)
    found += in_threads(look, sounds, f"Opening {folder.name}", progress)
    return gather(f"mixes:{root}", folder, found, progress)


def title_of(file: Path) -> str:
    """A file's name as a person would say it.

    >>> title_of(Path("03 - my_favourite__thing.mp3"))
    'my favourite thing'
    """
    words = " ".join(file.stem.replace("_", " ").split())
    return _NUMBER.sub("", words) or words or file.stem


def _name(root: Path, file: Path) -> str:
    """The path below the root, without its ending."""
    return file.relative_to(root).with_suffix("").as_posix()


def _look(root: Path, twice: frozenset[str], file: Path) -> Found:
    problems: list[str] = []
    about = header(file, problems)
    if about is None:
        return None, problems
    name = _name(root, file)
    if name in twice:
        name += file.suffix
    return Piece(name, title_of(file), "", about.duration, mix=file), problems
