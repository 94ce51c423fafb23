"""MMA's groove files: where they are, what they hold, which are held out, how to say them."""

import json
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
_DEFINES = re.compile(r"^\s*defgroove\s", re.IGNORECASE | re.MULTILINE)
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


def _head(text: str) -> tuple[int, bool]:
    time = re.search(r"^\s*time\s+(\d+)", text, re.IGNORECASE | re.MULTILINE)
    beats = int(time.group(1)) if time else 4
    return beats, beats in (6, 12)


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
                GrooveFile(f"{path.parent.name}/{path.stem}", path, *_head(text))
                for path, text in texts.items()
                if not _USELESS.match(path.stem) and _DEFINES.search(text)
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
    text = run_mma("-Djs", str(file.path))
    start = text.find("[")
    try:
        described = json.loads(text[start:]) if start >= 0 else []
    except json.JSONDecodeError:
        described = []
    names = [str(d["groove"]) for d in described if "groove" in d]
    return [name for name in names if not _EDGES.search(name)] or names


_WORDS = {
    "bossanova": "bossa nova", "bossa": "bossa nova", "kbossa": "bossa nova", "rb": "R and B",
    "chacha": "cha-cha", "boggiewoggie": "boogie-woogie", "shuffleboggie": "shuffle boogie",
    "hiphop": "hip-hop", "dsoul": "soul", "bwmarch": "brass march", "lfusion": "Latin fusion",
    "evansish": "quiet jazz", "boneym": "disco", "bvfunk": "funk", "vienesewaltz": "Viennese waltz",
    "thr": "thrash", "trip": "trip-hop", "triphop": "trip-hop", "bald": "ballad", "twi": "twist",
    "cntry": "country", "modernrb": "modern R and B", "rb-ballad": "R and B ballad",
    "afro": "Afro groove", "teamtechno": "techno", "frenchwaltz": "French waltz",
    "jazzgrtrio": "jazz trio", "jazzbasie": "big-band swing", "son": "son cubano", "jive": "jive",
    "afro-cuban": "Afro-Cuban", "quando-g.s": "Latin pop", "w-rock": "western rock", "fnk": "funk",
    "kwestballad": "western ballad", "beatp": "two-beat", "ska": "ska", "latinfusion":
    "Latin fusion", "rhumba": "rumba", "dance": "dance groove", "hevy": "heavy rock", "mtl":
    "metal", "fus": "fusion", "hrk": "hard rock", "mide": "Middle Eastern groove",
    "dnb": "drum and bass", "digitalrock": "digital rock", "folkyjazz": "folky jazz",
    "2beatp": "two-beat", "80spop": "eighties pop", "k50s_rock": "fifties rock", "kfunk": "funk",
    "middlebigband": "medium big band", "oldieballad": "oldie ballad", "polkafox": "polka foxtrot",
    "mellowrb": "mellow R and B", "arpeggiowaltz": "arpeggio waltz", "r+b": "R and B", "rnb":
    "R and B", "bluegrass": "bluegrass", "quickstep": "quickstep", "highfive": "pop groove",
    "slow16beat": "slow sixteen-beat", "jazz-54": "five-four jazz", "lattin": "Latin groove", "latin": "Latin groove", "rock": "rock", "jazz": "jazz",
}
_PIECES = (
    "broadway", "spiritual", "country", "western", "ballad", "shuffle", "swing", "waltz", "blues",
    "modern", "guitar", "mellow", "string", "piano", "basic", "light", "march", "combo", "bounce",
    "bouncy", "bolero", "jazz", "rock", "slow", "fast", "easy", "soft", "folk", "blue", "grass",
    "beat", "pop", "tango", "latin", "dixie", "bubble", "samba", "salsa", "twist", "trio", "happy",
    "motown", "funk", "soul", "dance", "gypsy", "night", "nite", "show", "tune", "world", "techno",
    "trance", "house", "reggae", "metal", "big", "band", "hill", "step", "quick", "shoe", "german",
    "euro", "disco", "cuban", "descending", "lullaby", "team", "hard", "heavy", "ambient",
    "acoustic", "electric", "new", "age", "power", "rhumba", "deep", "drum", "bass", "hip", "hop",
)  # fmt: skip


def spoken(file: GrooveFile) -> str:
    """A groove file's name as a person would say it: ``stdlib/basicrock`` is ``basic rock``."""
    stem = file.path.stem.lower()
    bare = re.sub(r"[\d_]+$", "", stem) or stem
    if bare in _WORDS:
        return _WORDS[bare]
    count = re.match(r"^(\d+)(.*)$", bare)
    lead, rest = (count.group(1), count.group(2)) if count else ("", bare)
    years = {"50": "fifties", "60": "sixties", "68": "six-eight", "8": "eight", "16": "sixteen"}
    words = []
    if lead:
        words.append(years.get(lead, lead))
        rest = rest[1:] if lead in ("50", "60") and rest.startswith("s") else rest
    if rest in _WORDS:
        return " ".join([*words, _WORDS[rest]])
    rest = re.sub(r"[-_.]", " ", rest)
    while rest:
        piece = next((p for p in sorted(_PIECES, key=len, reverse=True) if rest.startswith(p)), "")
        if not piece:
            words.append(rest.strip())
            break
        words.append({"nite": "night"}.get(piece, piece))
        rest = rest[len(piece) :].strip()
    said = " ".join(word for word in words if word)
    return said.replace("sixteen beat", "sixteen-beat").replace("eight beat", "eight-beat")
