"""A model's card: who it is and where it came from, read from its file without the network.

Nothing here needs torch, so that a screen can tell about a model at once.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from csn.errors import ModelError

FORMAT: Final = "stemwise-model-1"
"""What the header of a model file says it is."""


@dataclass(frozen=True)
class Card:
    """What the header of a model file tells.

    Attributes:
        hash: the model's identity, as ``csn.model.Model.hash``.
        settings: how it is built.
        card: what it was trained on, how long, by which commit.
        weights: how many numbers it has learnt.
    """

    hash: str
    settings: Mapping[str, Any]
    card: Mapping[str, Any]
    weights: int


def runs(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The runs that made a model, the last one first: its own card and those it went on from."""
    found = [card]
    while isinstance(before := found[-1].get("before"), Mapping):
        found.append(before)
    return found


def total(card: Mapping[str, Any], name: str) -> float | None:
    """The sum of ``steps``, ``mixes_seen`` or ``seconds`` over all runs; None if one is unknown."""
    told = [run.get(name) for run in runs(card)]
    numbers = [value for value in told if isinstance(value, int | float)]
    return sum(numbers) if len(numbers) == len(told) else None


def identity(settings: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> str:
    """A model's identity: SHA-256 (hex) over its settings and half-precision weights.

    Half precision, so that a model keeps its identity when it is shipped as fp16.

    Args:
        settings: as ``ModelSettings.to_json`` or the header's JSON gives them.
        tensors: name to float16 weights.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name, value in sorted(tensors.items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


class Contents(NamedTuple):
    """What a model file holds.

    Attributes:
        settings: how the model is built.
        card: where it came from.
        tensors: name to weights, as NumPy or torch has them.
    """

    settings: dict[str, Any]
    card: dict[str, Any]
    tensors: dict[str, Any]


@contextmanager
def contents(file: Path, framework: str) -> Iterator[Contents]:
    """A model file's contents; whatever goes wrong with them is said of the file.

    Args:
        file: a ``.safetensors`` file.
        framework: whose tensors they are to be, ``numpy`` or ``pt``.

    Raises:
        ModelError: the file is missing, damaged, or not a Stemwise model, or what the caller made
            of its contents failed.
    """
    if not file.is_file():
        raise ModelError(f"There is no model file at {file}; train one with `csn train`.")
    try:
        with safe_open(file, framework=framework) as handle:
            header = handle.metadata() or {}
            if header.get("format") != FORMAT:
                raise ModelError(
                    f"{file} was not made by Stemwise (no {FORMAT!r} in its header); "
                    "give a file written by `csn train`."
                )
            settings, card = json.loads(header["settings"]), json.loads(header["card"])
            if not isinstance(settings, dict) or not isinstance(card, dict):
                raise ValueError("the header holds no card")
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
        yield Contents(settings, card, tensors)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(
            f"{file} is not a readable model file ({type(error).__name__}); copy it again "
            "or give a file written by `csn train`."
        ) from error


def read_card(file: Path) -> Card:
    """Read the card of a model file.

    Raises:
        ModelError: the file is missing, damaged, or not a Stemwise model.
    """
    with contents(file, "numpy") as (settings, card, tensors):
        halves = {name: value.astype(np.float16) for name, value in tensors.items()}
    learnt = sum(value.size for name, value in tensors.items() if name.startswith("encoder."))
    return Card(identity(settings, halves), settings, card, learnt)
