"""What the visitor looks at: which library, instrument, colours, dot and neighbours.

It lives in the browser and in the address, so that a view can be sent to somebody else. Both are
read with care: anybody can write an address.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from pages.components.explorer.points import SUBSPACES
from pages.libraries import Opened
from results import presets

COLOURS: Final = ("piece", "tempo", "key", "groove", "source", "split", "soundfont", "activity")
COUNTS: Final = (5, 10, 20)
AMONG: Final = ("once", "others", "all")
"""Where neighbours come from: every other piece once, all other pieces, all pieces."""


@dataclass(frozen=True)
class View:
    """A view of a library; every value is one that exists.

    Attributes:
        library: its name.
        instrument: the subspace: ``whole`` or an instrument; it ranks the neighbours.
        second: the subspace of a second map beside the first; empty for one map alone.
        colour: what the dots are coloured by.
        segment: the row of the selected segment, or None.
        count: how many neighbours.
        among: one of ``AMONG``.
        by: name of the saved focus that ranks the neighbours; empty for the subspace's own.
    """

    library: str
    instrument: str = "drums"
    second: str = ""
    colour: str = "piece"
    segment: int | None = None
    count: int = 10
    among: str = "once"
    by: str = ""

    def said(self) -> dict[str, Any]:
        """For the browser; the same as ``from_browser`` reads."""
        return asdict(self)

    def address(self, opened: Opened, default_library: str) -> dict[str, str]:
        """The query of the page's address; what is as at first stays out."""
        first = View(self.library)
        query = {
            name: str(getattr(self, name))
            for name in ("instrument", "second", "colour", "count", "among", "by")
            if getattr(self, name) != getattr(first, name)
        }
        if self.library != default_library:
            query["library"] = self.library
        if self.segment is not None:
            row = opened.library.segments.iloc[self.segment]
            query |= {"piece": str(row["piece"]), "at": f"{row['start']:g}"}
        return query


def focuses() -> dict[str, tuple[float, ...]]:
    """The saved focuses: five weights by name."""
    return {preset.name: preset.weights for preset in presets.saved()}


def from_browser(said: object, opened: Opened) -> View:
    """The view that the component reports; whatever does not exist falls back to the default."""
    first = View(opened.name)
    if not isinstance(said, Mapping):
        return first
    segment = said.get("segment")
    known = isinstance(segment, int) and 0 <= segment < len(opened.library.segments)
    return replace(
        first,
        instrument=_one_of(said.get("instrument"), SUBSPACES, first.instrument),
        second=_one_of(said.get("second"), SUBSPACES, first.second),
        colour=_one_of(said.get("colour"), COLOURS, first.colour),
        segment=segment if known else None,
        count=_one_of(said.get("count"), COUNTS, first.count),
        among=_one_of(said.get("among"), AMONG, first.among),
        by=_one_of(said.get("by"), tuple(focuses()), first.by),
    )


def from_address(query: Mapping[str, str], opened: Opened) -> tuple[View, list[str]]:
    """The view that an address asks for.

    Returns:
        The view, and one sentence for each value that does not exist and was left out.
    """
    problems: list[str] = []

    def read(name: str, choices: tuple[Any, ...], first: Any, parse: Callable[[str], Any]) -> Any:
        if name not in query:
            return first
        value = parse(query[name])
        if value not in choices:
            some = ", ".join(map(str, choices))
            problems.append(f"The address asks for an unknown {name}; choose one of {some}.")
            return first
        return value

    first = View(opened.name)
    view = replace(
        first,
        instrument=read("instrument", SUBSPACES, first.instrument, str.lower),
        second=read("second", SUBSPACES, first.second, str.lower),
        colour=read("colour", COLOURS, first.colour, str.lower),
        count=read("count", COUNTS, first.count, {str(n): n for n in COUNTS}.get),
        among=read("among", AMONG, first.among, str.lower),
        by=read("by", tuple(focuses()), first.by, str),
    )
    if "piece" in query or "at" in query:
        at = _number(query.get("at", "0"))
        segment = None if at is None else opened.rows.get((query.get("piece", ""), round(at, 2)))
        if segment is None:
            problems.append("The address asks for a dot that is not on this map.")
        view = replace(view, segment=segment)
    return view, problems


def _one_of(value: object, choices: tuple[Any, ...], other: Any) -> Any:
    return value if isinstance(value, str | int) and value in choices else other


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
