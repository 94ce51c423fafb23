"""What the visitor looks at: which library, instrument, colours, dot and neighbours.

It lives in the browser and in the address, so that a view can be sent to somebody else. Both are
read with care: anybody can write an address.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Final

from csn.maps import drawn
from pages.components.explorer.points import SUBSPACES
from pages.libraries import Opened
from results import presets

COLOURS: Final = ("piece", "tempo", "key", "groove", "source", "split", "soundfont", "activity")
COUNTS: Final = (5, 10, 20)
AMONG: Final = ("once", "others", "all")
"""Where neighbours come from: every other piece once, all other pieces, all pieces."""
DOTS: Final = ("segments", "pieces")
"""What a dot stands for."""

_NUMBER: Final = r"-?\d{1,3}(\.\d{1,3})?"
_CAMERA: Final = re.compile(rf"{_NUMBER},{_NUMBER},{_NUMBER}(,{_NUMBER},{_NUMBER})?", re.ASCII)
_LASSO: Final = re.compile(r"([0-9a-f]{8}):(\d{1,9}(-\d{1,9})?(\.\d{1,9}(-\d{1,9})?)*)", re.ASCII)
_LASSO_MOST: Final = 2000  # characters


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
        map: the method of the map, one of ``csn.maps.METHODS``; empty for the usual one.
        map2: the same of the second map.
        dots: one of ``DOTS``.
        density: whether it is drawn under the dots.
        names: whether clusters have their names written on them.
        camera: from where the map is seen: x, y, zoom and, of three dimensions, yaw and pitch;
            empty for the whole map.
        camera2: the same of the second map.
        lasso: ``mark`` of the library, a colon and the rows of the selected segments
            (``3-9.14``); empty for none, or more than fit into an address.
        by: name of the saved focus that ranks the neighbours; empty for the subspace's own.
    """

    library: str
    instrument: str = "drums"
    second: str = ""
    colour: str = "piece"
    segment: int | None = None
    count: int = 10
    among: str = "once"
    map: str = ""
    map2: str = ""
    dots: str = "segments"
    density: bool = False
    names: bool = False
    camera: str = ""
    camera2: str = ""
    lasso: str = ""
    by: str = ""

    def said(self) -> dict[str, Any]:
        """For the browser; the same as ``from_browser`` reads."""
        return asdict(self)

    def address(self, opened: Opened, default_library: str) -> dict[str, str]:
        """The query of the page's address; what is as at first stays out."""
        first = View(self.library)
        query = {
            name: str(getattr(self, name)).lower() if name != "by" else self.by
            for name in _SAID
            if getattr(self, name) != getattr(first, name)
        }
        if self.library != default_library:
            query["library"] = self.library
        if self.segment is not None:
            row = opened.library.segments.iloc[self.segment]
            query |= {"piece": str(row["piece"]), "at": f"{row['start']:g}"}
        return query


_SAID: Final = (
    "instrument", "second", "colour", "count", "among", "map", "map2", "dots", "density", "names",
    "camera", "camera2", "lasso", "by",
)  # fmt: skip


def mark(opened: Opened) -> str:
    """Eight hex digits by which rows of one state of a library are told from another's."""
    return str(opened.library.info["files"]["vectors.npy"])[:8]


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
        map=_one_of(said.get("map"), tuple(drawn(opened.library)), first.map),
        map2=_one_of(said.get("map2"), tuple(drawn(opened.library)), first.map2),
        dots=_one_of(said.get("dots"), DOTS, first.dots),
        density=said.get("density") is True,
        names=said.get("names") is True,
        camera=_camera(said.get("camera")) or "",
        camera2=_camera(said.get("camera2")) or "",
        lasso=_lasso(said.get("lasso"), opened) or "",
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

    def shaped(name: str, parsed: str | None, sentence: str) -> str:
        if name in query and parsed is None:
            problems.append(sentence)
        return parsed or ""

    first, methods, switch = View(opened.name), tuple(drawn(opened.library)), {"true": True}
    where = "The address asks for a place on the map that makes no sense."
    view = replace(
        first,
        instrument=read("instrument", SUBSPACES, first.instrument, str.lower),
        second=read("second", SUBSPACES, first.second, str.lower),
        colour=read("colour", COLOURS, first.colour, str.lower),
        count=read("count", COUNTS, first.count, {str(n): n for n in COUNTS}.get),
        among=read("among", AMONG, first.among, str.lower),
        map=read("map", methods, first.map, str.lower),
        map2=read("map2", methods, first.map2, str.lower),
        dots=read("dots", DOTS, first.dots, str.lower),
        density=read("density", (True,), first.density, switch.get),
        names=read("names", (True,), first.names, switch.get),
        camera=shaped("camera", _camera(query.get("camera")), where),
        camera2=shaped("camera2", _camera(query.get("camera2")), where),
        lasso=shaped(
            "lasso",
            _lasso(query.get("lasso"), opened),
            "The address selects dots that this state of the library does not have.",
        ),
        by=read("by", tuple(focuses()), first.by, str),
    )
    if "piece" in query or "at" in query:
        at = _number(query.get("at", "0"))
        segment = None if at is None else opened.rows.get((query.get("piece", ""), round(at, 2)))
        if segment is None:
            problems.append("The address asks for a dot that is not on this map.")
        view = replace(view, segment=segment)
    return view, problems


def _camera(said: object) -> str | None:
    """Five or three numbers with commas between them, or None."""
    return said if isinstance(said, str) and _CAMERA.fullmatch(said) else None


def _lasso(said: object, opened: Opened) -> str | None:
    """Rows of this very library, rising, or None."""
    if not isinstance(said, str) or len(said) > _LASSO_MOST:
        return None
    found = _LASSO.fullmatch(said)
    if found is None or found[1] != mark(opened):
        return None
    runs = [tuple(map(int, run.split("-"))) for run in found[2].split(".")]
    ends = [row for run in runs for row in (run[0], run[-1])]
    rising = all(run[-1] >= run[0] for run in runs)
    apart = all(b[0] > a[-1] for a, b in pairwise(runs))
    return said if rising and apart and ends[-1] < len(opened.library.segments) else None


def _one_of(value: object, choices: tuple[Any, ...], other: Any) -> Any:
    return value if isinstance(value, str | int) and value in choices else other


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
