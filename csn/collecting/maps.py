"""Maps of a library that has grown: carried over from the old one, or drawn again.

A map is carried over while at most a tenth of what was drawn has come or gone since: every
segment that stays keeps its point, so that people find things where they were, and a new one is
placed as a recording is (``csn.maps.place``). Beyond that the places of old points say too
little about the new ones, and the maps are drawn again. One tenth is our choice.
"""

from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from csn.embedding import write_whole
from csn.errors import LibraryError
from csn.instruments import EMBEDDING
from csn.library import Library
from csn.maps import METHODS, SUBSPACES, fit_maps, place
from csn.vectors import Integers

MOST: Final = 0.1
"""Of the segments that were drawn: so many may come or go before maps are drawn again."""

# In the file of a map: how many segments were drawn, and have come or gone since.
_DRAWN: Final = "drawn"
_SINCE: Final = "since"


def follow(
    old: Library | None,
    new: Library,
    origins: Integers,
    *,
    method: str = "umap",
    seed: int = 0,
    progress: bool = True,
) -> str:
    """Give a new library the maps of the old one, or draw them.

    Args:
        old: the library that was there; None where nothing of it was of use.
        new: the library to come; maps that it has already are left as they are.
        origins: [segments] the row of each of its segments in the old library, -1 for new ones.
        method: of maps where there were none, as for ``fit_maps``.
        seed: of the layout.
        progress: draw a progress bar.

    Returns:
        What was done, a sentence.
    """
    files = sorted((old.folder / "maps").glob("*.npz")) if old is not None else []
    come = int(np.count_nonzero(origins < 0))
    gone = 0 if old is None else len(old) - (len(new) - come)
    if old is not None and files:
        carried = [_carried(old, new, origins, file, come + gone) for file in files]
        if all(content is not None for content in carried):
            for file, content in zip(files, carried, strict=True):
                write_whole(new.folder / "maps" / file.name, partial(np.savez, **(content or {})))
            if not come:
                return "The maps keep their points."
            return f"The maps keep their points; {come} new segments were placed into them."
    methods = sorted({file.stem.rpartition("-")[0] for file in files})
    methods = methods or ([*METHODS] if method == "all" else [method])
    for name in methods:
        missing = [s for s in SUBSPACES if not (new.folder / "maps" / f"{name}-{s}.npz").exists()]
        fit_maps(new, method=name, seed=seed, progress=progress, names=missing)
    if not files:
        return "The maps were drawn."
    return f"The maps were drawn again, since {come + gone} segments have come or gone."


def _carried(
    old: Library, new: Library, origins: Integers, file: Path, moves: int
) -> dict[str, Any] | None:
    """The content of a map for the new library; None where it has to be drawn again."""
    method, _, name = file.stem.rpartition("-")
    try:
        content = old.map_file(name, method)
    except LibraryError:
        return None
    points = content["coordinates"]
    drawn, since = int(content.get(_DRAWN, len(points))), int(content.get(_SINCE, 0))
    if since + moves > MOST * drawn:
        return None
    kept = origins >= 0
    coordinates = np.empty((len(new), points.shape[1]), np.float32)
    coordinates[kept] = points[origins[kept]]
    if not kept.all():
        coordinates[~kept] = place(old, name, new.vectors[~kept, :EMBEDDING], method)
    return content | {
        "coordinates": coordinates,
        "vectors_sha256": new.info["files"]["vectors.npy"],
        _DRAWN: drawn,
        _SINCE: since + moves,
    }
