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
    for file in _files():
        state = file.stat()
        with _loading:  # two visitors must not load it twice
            try:
                model = _load(str(file), state.st_size, state.st_mtime_ns)
            except ModelError:
                continue
        if model.hash == wanted:
            return model
    raise LibraryError(
        f"The library {library.info['name']!r} was made by the model {wanted[:12]}, which is not "
        f"on this computer; name its file in {CHOICE}, or ask with a piece of the library."
    )


def _files() -> list[Path]:
    chosen = os.environ.get(CHOICE, "")
    files = [Path(chosen).expanduser()] if chosen else []
    files += [demo() / "model.safetensors", *sorted((home() / "models").glob("*.safetensors"))]
    return [file for file in files if file.is_file()]


@lru_cache(maxsize=4)
def _load(file: str, _size: int, _time: int) -> Embedder:
    """A model; a file that has changed since is loaded again."""
    from csn.model import Model  # noqa: PLC0415 torch takes seconds, and pieces need no model

    return Model.load(file)
