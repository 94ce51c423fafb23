"""The model that made a library: found by its hash, loaded once, kept."""

import os
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Final

from csn.embedding import Embedder
from csn.errors import LibraryError, ModelError
from csn.home import demo, home
from csn.library import Library

CHOICE: Final = "STEMWISE_MODEL"
"""Environment variable: a model file beside the demo's and those in ``STEMWISE_HOME/models``."""

_loading: Final = Lock()


def of(library: Library) -> Embedder:
    """The model whose vectors a library holds.

    Raises:
        LibraryError: it is not on this computer.
    """
    wanted = library.info["model"]
    file = file_of(wanted)
    if file is not None:
        return load(file)
    raise LibraryError(
        f"The library {library.info['name']!r} was made by the model {wanted[:12]}, which is not "
        f"on this computer; name its file in {CHOICE}, or ask with a piece of the library."
    )


def file_of(wanted: str) -> Path | None:
    """The file of the model with this hash; None where it is not on this computer."""
    for file in files():
        try:
            if load(file).hash == wanted:
                return file
        except ModelError:
            continue
    return None


def load(file: Path) -> Embedder:
    """Open a model file, or hand out what is open.

    Raises:
        ModelError: it is none.
    """
    state = file.stat()
    with _loading:  # two visitors must not load it twice
        return _load(str(file), state.st_size, state.st_mtime_ns)


def files() -> list[Path]:
    """The model files of this computer: the chosen one, the demo's, those in the home folder."""
    chosen = os.environ.get(CHOICE, "")
    files = [Path(chosen).expanduser()] if chosen else []
    files += [demo() / "model.safetensors", *sorted((home() / "models").glob("*.safetensors"))]
    return [file for file in files if file.is_file()]


@lru_cache(maxsize=4)
def _load(file: str, _size: int, _time: int) -> Embedder:
    """A model; a file that has changed since is loaded again."""
    from csn.model import Model  # noqa: PLC0415 torch takes seconds, and pieces need no model

    return Model.load(file)
