"""Human-made pieces: the MIDI songs of Debian's simutrans-data and freedoom, cut to windows."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from csn.corpora import midi
from csn.corpora.midi import Part, write_pair
from csn.errors import CorpusError
from csn.instruments import INSTRUMENTS

_SIMUTRANS = Path("/usr/share/games/simutrans/music")
_FREEDOOM = Path("/usr/share/games/doom")
_TEST_SHARE = 1 / 3
# Fixed, as the partition of groove files is: a held-out song is held out of every corpus.
_PARTITION_SEED = 7
_FIRST_NUMBER = 50_001
_SHORTEST = 40.0
_LEAST_NOTES = 8
_LEAST_COVERAGE = 0.25
_CELL = 2.0


@dataclass(frozen=True)
class Song:
    """A source song.

    Attributes:
        name: of its file, or ``wad/lump``.
        title: to be said.
        licence: and where its text is.
        data: the MIDI file.
    """

    name: str
    title: str
    licence: str
    data: bytes


def _simutrans() -> Iterator[Song]:
    for path in sorted(_SIMUTRANS.glob("*.mid")):
        words = re.sub(r"^\d+-", "", path.stem).replace("-", " ").strip()
        title = words[:1].upper() + words[1:]
        licence = "Artistic License; /usr/share/doc/simutrans-data/copyright"
        yield Song(path.name, title, licence, path.read_bytes())


def _lumps(path: Path) -> Iterator[tuple[str, bytes]]:
    """The MIDI lumps of a WAD file: a directory of (offset, size, name) records."""
    data = path.read_bytes()
    count, start = struct.unpack_from("<II", data, 4)
    for i in range(count):
        at, size, name = struct.unpack_from("<II8s", data, start + 16 * i)
        lump = data[at : at + size]
        if lump[:4] == b"MThd":
            yield name.rstrip(b"\0").decode("ascii", "replace"), lump


def _freedoom() -> Iterator[Song]:
    seen: set[bytes] = set()
    for path in sorted(_FREEDOOM.glob("freedoom*.wad")):
        for lump, data in _lumps(path):
            if data in seen:
                continue
            seen.add(data)
            title = f"Freedoom {lump.removeprefix('D_').replace('_', ' ').title()}"
            licence = "BSD-3-clause; /usr/share/doc/freedoom/copyright"
            yield Song(f"{path.name}/{lump}", title, licence, data)


def songs() -> tuple[list[Song], list[str]]:
    """The installed source songs.

    Returns:
        The songs, and a line for each package that is not installed.
    """
    found: list[Song] = []
    problems = []
    for package, source in (("simutrans-data", _simutrans), ("freedoom", _freedoom)):
        here = list(source())
        found += here
        if not here:
            problems.append(
                f"{package} is not installed, so its songs are left out; on Debian run: "
                f"apt-get install {package}"
            )
    return found, problems


def cut(part: Part, start: float, seconds: float) -> Part:
    """The part of a part that begins in a window; what a controller held before still holds.

    Args:
        part: a whole line.
        start: of the window, seconds.
        seconds: its length.

    Returns:
        Notes and controllers from 0; notes that outlast the window are shortened.
    """
    inside = (part.notes[:, 0] >= start) & (part.notes[:, 0] < start + seconds)
    notes = part.notes[inside].copy()
    notes[:, 0] -= start
    notes[:, 1] = np.minimum(notes[:, 1], seconds - notes[:, 0])
    held: dict[int, int] = {}
    later = []
    for time, control, value in part.controls:
        if time < start:
            held[control] = value
        elif time < start + seconds:
            later.append((time - start, control, value))
    controls = [(0.0, control, value) for control, value in held.items()] + later
    return Part(part.program, part.is_drum, notes, controls, part.name)


def _coverage(parts: list[Part], seconds: float) -> dict[str, float]:
    """For each instrument the share of two-second cells in which it strikes a note."""
    cells: dict[str, set[int]] = {}
    for part in parts:
        struck = (part.notes[:, 0] // _CELL).astype(int).tolist()
        held = ((part.notes[:, 0] + part.notes[:, 1] * 0.9) // _CELL).astype(int).tolist()
        cells.setdefault(part.instrument, set()).update(struck, held)
    whole = max(int(seconds // _CELL), 1)
    return {name: min(len(hit) / whole, 1.0) for name, hit in cells.items()}


def windows(parts: list[Part], seconds: float, most: int, least: int) -> list[list[Part]]:
    """Cut a song into windows worth hearing.

    Args:
        parts: of the whole song.
        seconds: longest window.
        most: windows of one song.
        least: instruments that must sound in each for a quarter of the time or more.

    Returns:
        The parts of each window, without those of fewer than eight notes.
    """
    first = min(float(p.notes[0, 0]) for p in parts)
    last = max(float((p.notes[:, 0] + p.notes[:, 1]).max()) for p in parts)
    found: list[list[Part]] = []
    start = first
    while last - start >= min(_SHORTEST, seconds) and len(found) < most:
        pieces = [cut(part, start, seconds) for part in parts]
        pieces = [part for part in pieces if len(part.notes) >= _LEAST_NOTES]
        cover = _coverage(pieces, min(seconds, last - start))
        good = {name for name, share in cover.items() if share >= _LEAST_COVERAGE}
        kept = [part for part in pieces if part.instrument in good]
        if len(good) >= least:
            found.append(kept)
        start += seconds
    return found


def _split(names: list[str]) -> dict[str, str]:
    order = np.random.default_rng(_PARTITION_SEED).permutation(len(names))
    held = {names[int(i)] for i in order[: round(len(names) * _TEST_SHARE)]}
    return {name: "test" if name in held else "train" for name in names}


def _sidecar(
    song: Song, window: list[Part], tempo: float, number: int, split: str
) -> dict[str, Any]:
    first: dict[str, Part] = {}
    for part in sorted(window, key=lambda p: -len(p.notes)):
        first.setdefault(part.instrument, part)
    section = f", part {number}" if number > 1 else ""
    return {
        "title": f"{song.title}{section}, {tempo:.0f} BPM",
        "tempo": round(tempo, 3),
        "key": "",
        "groove": "",
        "groove_file": "",
        "source": "human",
        "song": song.name,
        "split": split,
        "licence": song.licence,
        "programs": {name: part.program for name, part in first.items()},
        "absent": [name for name in INSTRUMENTS if name not in first],
        "seed": 0,
    }


def human(
    out: Path, *, seconds: float = 62.0, most: int = 3, least: int = 3, first: int = _FIRST_NUMBER
) -> tuple[list[Path], list[str]]:
    """Cut the installed human-made songs into pieces beside the composed ones.

    Programs stay as their makers chose. All windows of a song are in one split; a fixed third of
    the songs is held out for test.

    Args:
        out: folder for ``{split}/TrackNNNNN.mid`` and ``.json``, as ``compose`` writes.
        seconds: longest piece.
        most: pieces of one song.
        least: instruments a piece must have.
        first: number of the first piece.

    Returns:
        The MIDI files, and a line for each package or song left out.
    """
    found, problems = songs()
    splits = _split([song.name for song in found])
    files: list[Path] = []
    number = first
    for song in found:
        try:
            parts, tempo = midi.read(song.data, song.name)
        except CorpusError as error:
            problems.append(str(error))
            continue
        cuts = windows(parts, seconds, most, least) if parts else []
        if not cuts:
            problems.append(f"{song.name} is too short or has fewer than {least} instruments")
        split = splits[song.name]
        for i, window in enumerate(cuts):
            sidecar = _sidecar(song, window, tempo, i + 1, split)
            data = midi.to_bytes(window, tempo)
            files.append(write_pair(Path(out) / split, f"Track{number:05d}", data, sidecar))
            number += 1
    return files, problems
