"""MMA's groove files: where they are, what they hold, which are held out."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from csn.errors import ToolError

_FOLDERS = (Path("/usr/share/mma/lib"), Path("/usr/local/share/mma/lib"))
_USELESS = re.compile(r"^(none|metronome\w*|count|intro|ending|arpeggio44|debugroll)$")
_EDGES = re.compile(r"intro|end|fill|break|coda|tag|stop|count", re.IGNORECASE)
_DEFINES = re.compile(r"^\s*defgroove\s+(\S+)", re.IGNORECASE | re.MULTILINE)
_TIME = re.compile(r"^\s*time\s+(\d+)", re.IGNORECASE | re.MULTILINE)
# Here MMA counts two beats a bar, not six as in its other 6/8 files.
_TWO_TABS = re.compile(r"^\s*time\s+6/8", re.IGNORECASE | re.MULTILINE)
_TIMEOUT = 30.0

# The held-out shares of the groove FILES. Fixed, so that no corpus, whatever its seed or size,
# tests on a file that another was trained on.
_PARTITION_SEED = 20240
_TEST_SHARE, _VALIDATION_SHARE = 0.22, 0.11


@dataclass(frozen=True)
class GrooveFile:
    """One groove file of MMA.

    Attributes:
        address: how MMA calls it, such as ``stdlib/bossanova``.
        path: where it is.
        beats: MMA's beats in a bar.
        compound: whether those beats are eighth notes (6/8).
    """

    address: str
    path: Path
    beats: int
    compound: bool

    @property
    def signature(self) -> tuple[int, int]:
        """The time signature."""
        return (self.beats, 8 if self.compound else 4)

    @property
    def bar(self) -> float:
        """Quarter notes in a bar."""
        return self.beats / 2 if self.compound else float(self.beats)


def mma_program() -> str:
    """The path of the ``mma`` program.

    Raises:
        ToolError: it is not installed.
    """
    found = shutil.which("mma")
    if found is None:
        raise ToolError("the program mma is not installed; on Debian run: apt-get install mma")
    return found


def run_mma(*arguments: str) -> str:
    """Run MMA and give what it printed.

    Raises:
        ToolError: MMA is missing, hangs or fails.
    """
    command = [mma_program(), "-w", *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"mma {' '.join(arguments)} took over {_TIMEOUT:.0f} s") from error
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise ToolError(f"mma {' '.join(arguments)} failed: {said[-1] if said else 'no message'}")
    return done.stdout


def _beats(text: str) -> set[int]:
    """The bar lengths that a groove file sets; more than one makes its grooves incompatible."""
    return {int(n) for n in _TIME.findall(text)} or {4}


def groove_files() -> list[GrooveFile]:
    """Every groove file of the installed MMA that plays music, sorted by address.

    Raises:
        ToolError: MMA or its library of grooves is not installed.
    """
    mma_program()
    for folder in _FOLDERS:
        texts = {p: p.read_text(encoding="latin-1") for p in sorted(folder.glob("*/*.mma"))}
        if texts:
            return [
                GrooveFile(f"{path.parent.name}/{path.stem}", path, beats, beats in (6, 12))
                for path, text in texts.items()
                if not _USELESS.match(path.stem)
                and _DEFINES.search(text)
                and len(_beats(text)) == 1
                and not _TWO_TABS.search(text)
                for beats in _beats(text)
            ]
    raise ToolError(f"mma is installed but its grooves are not in {_FOLDERS[0]}; reinstall mma")


def partition(files: list[GrooveFile]) -> dict[str, list[GrooveFile]]:
    """Split groove files into train, validation and test: the same for every corpus.

    Files of like name (``8beat1`` and ``8beat2``) often share patterns, so they stay together.

    Args:
        files: as ``groove_files`` gives them.

    Returns:
        The files of each split; no file is in two.
    """
    families: dict[str, list[GrooveFile]] = {}
    for file in sorted(files, key=lambda f: f.address):
        name = re.sub(r"[\d_-]+$", "", file.path.stem.lower()) or file.path.stem.lower()
        families.setdefault(name, []).append(file)
    order = np.random.default_rng(_PARTITION_SEED).permutation(len(families))
    groups = [list(families.values())[i] for i in order]
    wanted = {
        "test": round(_TEST_SHARE * len(files)),
        "validation": round(_VALIDATION_SHARE * len(files)),
    }
    split: dict[str, list[GrooveFile]] = {"train": [], "validation": [], "test": []}
    for group in groups:
        for name, size in wanted.items():
            if len(split[name]) + len(group) <= size:
                split[name] += group
                break
        else:
            split["train"] += group
    return split


def main_grooves(file: GrooveFile) -> list[str]:
    """The grooves of a file that carry music: no introductions, fills or endings.

    Returns:
        Names for MMA; empty if the file defines none.
    """
    names = _DEFINES.findall(file.path.read_text(encoding="latin-1"))
    names = [name for name in dict.fromkeys(names) if "$" not in name]
    return [name for name in names if not _EDGES.search(name)] or names
