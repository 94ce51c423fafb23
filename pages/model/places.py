"""The models that were measured: the shipped one, and whatever lies in ``STEMWISE_HOME``.

The shipped model's measures lie in ``demo/measures``. Another model's lie in
``STEMWISE_HOME/measures/NAME``, with ``model.safetensors`` beside them where its card should be
shown. A name that comes from a browser is looked up among those that exist.
"""

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from csn.card import Card, read_card
from csn.errors import ModelError
from csn.home import demo, home
from csn.measure_files import read_measures
from csn.measures import Measures

SHIPPED: Final = "demo"
"""The name of the model that comes with the code."""

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where a model and its measures lie."""

    name: str
    model: Path
    measures: Path


def places() -> dict[str, Place]:
    """Every model there is to tell about, the shipped one first."""
    found = [Place(SHIPPED, demo() / "model.safetensors", demo() / "measures")]
    shelf = home() / "measures"
    if shelf.is_dir():
        folders = [folder for folder in sorted(shelf.iterdir()) if folder.is_dir()]
        found += [Place(f.name, f / "model.safetensors", f) for f in folders if f.name != SHIPPED]
    return {place.name: place for place in found}


def measures(place: Place) -> Measures:
    """What was measured; read again when a file has changed."""
    files = sorted(place.measures.glob("*/*.json"))
    return _measures(place.measures, tuple(_state(file) for file in files))


def card(place: Place) -> Card | None:
    """The model's own card; None where its file is not there or cannot be read."""
    try:
        return _card(place.model, _state(place.model))
    except (ModelError, OSError) as error:
        _log.info("%s", error)
        return None


def _state(file: Path) -> tuple[str, int, int]:
    state = file.stat()
    return str(file), state.st_size, state.st_mtime_ns


@lru_cache(maxsize=8)
def _measures(folder: Path, _state: tuple[tuple[str, int, int], ...]) -> Measures:
    return read_measures(folder)


@lru_cache(maxsize=8)
def _card(file: Path, _state: tuple[str, int, int]) -> Card:
    return read_card(file)
