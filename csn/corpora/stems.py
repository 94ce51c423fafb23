"""Read a folder per piece with stems named for what they are, such as MUSDB18-HQ.

``ROOT/[train|test/]PIECE/{drums,bass,piano,guitar,other,vocals,mixture}.wav``; any audio ending,
any case, and names such as ``02 - Electric Guitar.flac``. Several files of one instrument are
summed. Folders may nest: a piece is any folder that holds a stem.
"""

import re
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Final

from csn import audio
from csn.corpora.base import Corpus, Piece
from csn.corpora.scan import SPLITS, Found, existing, gather, header, in_threads, uneven, walk
from csn.errors import CorpusError
from csn.instruments import INSTRUMENTS

_WORDS: Final = {
    "drums": "drum drums percussion kick snare hihat cymbals toms",
    "bass": "bass",
    "piano": "piano pianos keys keyboard keyboards",
    "guitar": "guitar guitars",
    "others": "other others vocal vocals voice synth synths strings brass organ wind winds",
    "mix": "mix mixture",
}
_MEANING: Final = {word: part for part, words in _WORDS.items() for word in words.split()}


def open_stems(root: Path | str, progress: bool = False) -> Corpus:
    """Open a folder that holds a folder of named stems for each piece.

    Args:
        root: the folder of the pieces, or of ``train`` and ``test``; or one piece's own.
        progress: draw a progress bar.

    Returns:
        The corpus; everything that was left out, or is odd, has a line in ``problems``.

    Raises:
        CorpusError: no such folder, or no stem in it that can be used.
    """
    folder = existing(root)
    places = find_pieces(folder)
    if not places:
        raise CorpusError(
            f"{folder} holds no folder with named stems; name them drums.wav, bass.wav, "
            "piano.wav, guitar.wav and others.wav, one folder per piece."
        )
    look = partial(_look, folder)
    found = in_threads(look, places, f"Opening {folder.name}", progress)
    return gather(f"stems:{root}", folder, found, progress)


def find_pieces(root: Path) -> list[tuple[Path, list[Path]]]:
    """Every folder that holds a named stem, with its audio files."""
    places = []
    for folder, files in walk(root):
        sounds = [file for file in files if file.suffix.lower() in audio.SUFFIXES]
        if any(part_of(file) in INSTRUMENTS for file in sounds):
            places.append((folder, sounds))
    return places


def part_of(file: Path) -> str | None:
    """What a stem's name says it is: an instrument, ``mix``, or None where that is not clear.

    >>> part_of(Path("02 - Electric Guitar.flac")), part_of(Path("Bass guitar.wav"))
    ('guitar', 'bass')
    """
    words = re.findall(r"[a-z]+", file.stem.lower())
    parts = {_MEANING[word] for word in words if word in _MEANING}
    if parts == {"bass", "guitar"}:
        return "bass"
    if parts == {"bass", "drums"}:  # the bass drum
        return "drums"
    return parts.pop() if len(parts) == 1 else None


def _look(root: Path, place: tuple[Path, list[Path]]) -> Found:
    """Read one piece's headers; the piece, or None, and lines about what is odd."""
    folder, files = place
    problems: list[str] = []
    stems: dict[str, list[Path]] = defaultdict(list)
    mix: Path | None = None
    lengths: dict[Path, float] = {}
    for file in files:
        part = part_of(file)
        if part is None:
            problems.append(f"{file} is named for no one instrument; left out.")
        elif part == "mix" and mix is not None:
            problems.append(f"{file} is a second mix; left out.")
        elif about := header(file, problems):
            lengths[file] = about.duration
            if part == "mix":
                mix = file
            else:
                stems[part].append(file)
    if not stems:
        return None, [*problems, f"{folder} has no stem that can be used; left out."]
    problems += uneven(lengths)
    names = folder.relative_to(root).parts or (root.resolve().name,)
    split = SPLITS.get(names[0].lower(), "") if len(names) > 1 else ""
    piece = Piece(
        id="/".join(names[1:] if split else names),
        title=" - ".join(names[1:] if split else names),
        split=split,
        duration=max(lengths.values()),
        stems={name: tuple(stems[name]) for name in INSTRUMENTS if name in stems},
        mix=mix,
    )
    return piece, problems
