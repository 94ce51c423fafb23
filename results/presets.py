"""Named focuses that people saved: JSON files in ``STEMWISE_HOME/presets``, one each.

A focus is five weights, as search takes them. Explore and Search offer what ``saved`` returns.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from csn.embedding import write_whole
from csn.errors import LibraryError
from csn.home import home
from csn.instruments import INSTRUMENTS
from csn.vectors import checked_weights
from results.errors import ResultsError

if TYPE_CHECKING:  # a map that only lists presets need not load the statistics
    from results.weights import Weights

FORMAT: Final = "stemwise-focus-1"
_LONGEST: Final = 60


@dataclass(frozen=True)
class Preset:
    """A named focus.

    Attributes:
        name: what people call it.
        weights: five, in the order of the instruments.
        about: where it comes from: plain values, for people.
    """

    name: str
    weights: tuple[float, ...]
    about: Mapping[str, Any] = field(default_factory=dict)


def of_weights(name: str, found: "Weights", study: str, *, simulated: bool, model: str) -> Preset:
    """A preset of fitted weights that says where it comes from.

    Args:
        name: what people will call it.
        found: the fitted weights.
        study: title of the study.
        simulated: whether its listeners were simulated.
        model: hash of the model whose distances were used.
    """
    about = {
        "study": study, "asked": found.instrument, "source": found.source, "answers": found.n,
        "listeners": found.listeners, "triplets": found.triplets, "simulated": simulated,
        "model": model, "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "held_out": {one.name: round(one.share, 4) for one in found.held},
    }  # fmt: skip
    return Preset(name, tuple(round(float(w), 4) for w in found.weights), about)


def folder() -> Path:
    """Where presets lie."""
    return home() / "presets"


def save(preset: Preset, *, replace: bool = False) -> Path:
    """Write a preset.

    Args:
        preset: what to write.
        replace: whether one of the same name may be replaced.

    Returns:
        Its file.

    Raises:
        ResultsError: the name is empty or taken, or the weights are none.
    """
    checked = _checked(preset.name, preset.weights)
    file = folder() / f"{_slug(preset.name)}.json"
    if file.exists() and not replace:
        raise ResultsError(
            f"There is a focus preset like {preset.name!r} already; choose another name."
        )
    weights = dict(zip(INSTRUMENTS, checked, strict=True))
    content = {"format": FORMAT, "name": preset.name, "weights": weights, "about": preset.about}
    text = json.dumps(content, ensure_ascii=False, indent=1, default=str)
    write_whole(file, lambda target: target.write(text.encode()))
    return file


def load(file: Path) -> Preset:
    """Read a preset.

    Raises:
        ResultsError: the file is none.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError("it has another format")
        weights = [float(content["weights"][name]) for name in INSTRUMENTS]
        name, about = str(content["name"]), dict(content.get("about", {}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{file} is no focus preset of Stemwise ({error}).") from error
    return Preset(name, _checked(name, weights), about)


def saved() -> tuple[Preset, ...]:
    """Every preset that can be read, by name; a damaged file is left out."""
    found = []
    for file in folder().glob("*.json"):
        try:
            found.append(load(file))
        except ResultsError:
            continue
    return tuple(sorted(found, key=lambda preset: preset.name.casefold()))


def _checked(name: str, weights: Any) -> tuple[float, ...]:
    if not name.strip() or len(name) > _LONGEST or not name.isprintable():
        raise ResultsError(f"A focus preset needs a name of 1 to {_LONGEST} characters.")
    try:
        return tuple(checked_weights(weights).tolist())
    except LibraryError as error:
        raise ResultsError(str(error)) from error


def _slug(name: str) -> str:
    """A file name: letters of any script, digits and dashes."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"\W+", "-", plain).strip("-_") or "focus"
