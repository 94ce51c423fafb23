"""How the Library page says things."""

import os
from pathlib import Path

from csn.collecting.pieces import Changes
from csn.collecting.progress import duration
from csn.collecting.work import Status
from csn.library import split_uri

LAYOUTS = {
    "": "Find out",
    "mixes:": "Recordings, one file each",
    "stems:": "Stems, one folder a piece",
    "slakh:": "Slakh",
}
"""What a corpus's URI begins with, in words."""


def size(count: float) -> str:
    """Bytes as people say them.

    >>> size(900), size(12_300_000), size(2_500_000_000)
    ('1 kB', '12 MB', '2.5 GB')
    """
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e6 else f"{max(count / 1e3, 1):.0f} kB"


def kind(uri: str) -> str:
    """What a corpus is, and where: such as ``recordings in ~/Music``."""
    scheme, path = split_uri(uri)
    if path == "demo":
        return "the corpus that comes with Stemwise"
    words = {"slakh:": "Slakh's layout", "stems:": "stems"}.get(scheme, "recordings")
    return f"{words} in {short(path)}"


def short(path: str) -> str:
    """A path as people write it, ``~`` for their own folder; ``existing`` takes it back."""
    own = os.path.expanduser("~")
    within = Path(path).is_relative_to(own) and own != os.path.sep
    return str(Path("~", Path(path).relative_to(own))) if within else path


def stage(status: Status, maps: int) -> str:
    """What happens now.

    Args:
        status: of the work.
        maps: how many are drawn.
    """
    if status.step == "maps":
        return f"Drawing the maps: {maps} of 6"
    if status.step == "embedding":
        now = status.progress
        sound = f"{now.done} of {now.pieces} pieces"
        if now.left is None:
            return sound
        return f"{sound} · {now.speed:.0f}× real time · {duration(now.left)} left"
    return "Looking through the folder"


def changes(found: Changes) -> str:
    """What an update would do."""
    if not found.any:
        return f"Nothing has changed: all {found.same} pieces are as they were."
    counts = {"added": found.added, "changed": found.changed, "moved": found.moved,
              "deleted": found.deleted}  # fmt: skip
    said = ", ".join(f"**{len(names)}** {word}" for word, names in counts.items() if names)
    fresh = len({*found.added, *found.changed} - {*found.reused})
    return f"{said}; {found.same} as they were. {_pieces(fresh)} to embed."


def _pieces(count: int) -> str:
    return "Nothing" if count == 0 else "1 piece" if count == 1 else f"{count} pieces"
