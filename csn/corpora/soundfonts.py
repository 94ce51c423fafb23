"""Soundfonts by name: where they are, and which programs they hold."""

import importlib.util
import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from csn.errors import ToolError
from csn.home import home

DRUM_BANK = 128
_FOLDERS = (
    Path("/usr/share/sounds/sf2"),
    Path("/usr/share/sounds/sf3"),
    Path("/usr/share/soundfonts"),
    Path("/usr/local/share/soundfonts"),
)
# Name -> (files in order of preference, licence, Debian package).
_KNOWN: dict[str, tuple[tuple[str, ...], str, str]] = {
    "FluidR3": (("FluidR3_GM.sf2",), "MIT", "fluid-soundfont-gm"),
    "MuseScore": (
        ("MuseScore_General.sf3", "MuseScore_General_Full.sf3", "MuseScore_General.sf2"),
        "MIT",
        "musescore-general-soundfont",
    ),
    "TimGM6mb": (("TimGM6mb.sf2",), "GPL-2", "timgm6mb-soundfont, or pip's pretty_midi"),
}
TRAINING = tuple(_KNOWN)
"""The fonts that training corpora are rendered with."""


@dataclass(frozen=True)
class SoundFont:
    """A soundfont on disk.

    Attributes:
        name: as in sidecars and tags.
        path: an sf2 or sf3 file.
        licence: of its samples.
    """

    name: str
    path: Path
    licence: str = "unknown"

    @cached_property
    def presets(self) -> frozenset[tuple[int, int]]:
        """Its (bank, program) pairs; drum kits are in bank 128."""
        records = dict(_chunks(self.path)).get(b"phdr", b"")
        pairs = (struct.unpack_from("<HH", records, at + 20) for at in range(0, len(records), 38))
        # The last record only ends the list.
        return frozenset((bank, program) for program, bank in list(pairs)[:-1])

    def has(self, program: int, is_drum: bool) -> bool:
        """Whether it holds a General MIDI program, or a drum kit."""
        return (DRUM_BANK if is_drum else 0, program) in self.presets


def _chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a soundfont in order, those inside lists too; sample data is left unread."""
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"sfbk":
            raise ToolError(f"{path} is not a soundfont; install it again")
        while len(start := file.read(8)) == 8:
            name, size = start[:4], int.from_bytes(start[4:], "little")
            if name == b"LIST":
                file.read(4)
            elif name in (b"smpl", b"sm24"):
                file.seek(size + size % 2, io.SEEK_CUR)
            else:
                yield name, file.read(size)
                file.seek(size % 2, io.SEEK_CUR)


def _places(names: Sequence[str]) -> Iterator[Path]:
    wheel = importlib.util.find_spec("pretty_midi")
    roots = [*_FOLDERS, home() / "soundfonts"]
    if wheel is not None and wheel.origin:
        roots.append(Path(wheel.origin).parent)
    for name in names:
        for root in roots:
            if (root / name).is_file():
                yield (root / name).resolve()


def find(name: str) -> SoundFont:
    """A soundfont by name (``FluidR3``, ``MuseScore``, ``TimGM6mb``) or by path.

    Raises:
        ToolError: it is not installed.
    """
    if name in _KNOWN:
        files, licence, package = _KNOWN[name]
        for path in _places(files):
            return SoundFont(name, path, licence)
        raise ToolError(
            f"the soundfont {name} is not installed; on Debian run: apt-get install {package}"
        )
    path = Path(name).expanduser()
    if path.suffix.lower() in (".sf2", ".sf3") and path.is_file():
        return SoundFont(path.stem, path.resolve())
    raise ToolError(f"there is no soundfont {name!r}; name one of {TRAINING} or an sf2/sf3 file")


def installed(names: Sequence[str] = TRAINING) -> list[SoundFont]:
    """Those of the named soundfonts that are installed.

    Raises:
        ToolError: none is.
    """
    found, missing = [], []
    for name in names:
        try:
            found.append(find(name))
        except ToolError as error:
            missing.append(str(error))
    if not found:
        raise ToolError(missing[0] if missing else "no soundfont was named; name at least one")
    return found
