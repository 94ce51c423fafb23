"""What is found, as the component shows it."""

import math
from typing import Any
from urllib.parse import urlencode

import numpy as np

from csn import query
from csn.errors import LibraryError
from csn.instruments import COLOURS, INSTRUMENTS
from csn.library import ACTIVITY
from csn.maps import place
from csn.vectors import Mask
from pages import libraries
from pages.components.explorer.points import WHOLE
from pages.libraries import Opened
from pages.search.asking import Asked, clip, clock


def answers(
    opened: Opened,
    asked: Asked,
    weights: tuple[float, ...],
    *,
    count: int,
    pieces: bool,
    where: Mask,
) -> list[dict[str, Any]]:
    """The nearest pieces or segments, best first.

    Args:
        opened: the library.
        asked: the query; the piece it comes from is left out.
        weights: five.
        count: how many at most.
        pieces: each piece once, by its best segment; else every segment.
        where: [segments], False for what must not be found.

    Returns:
        For each: ``row`` and ``piece`` of its segment, ``title``, ``about``, ``start``,
        ``distance``, ``shares`` (what each instrument adds to the squared distance), ``silent``
        (instruments in focus that do not play in it), ``clips`` (part → address) and ``explore``
        (address on the map).

    Raises:
        LibraryError: weights that are all 0.
    """
    library = opened.library
    rows, distances = library.search(
        asked.vector, weights, count, one_per_piece=pieces, where=where,
        exclude_pieces=[asked.piece] if asked.piece else (),
    )  # fmt: skip
    shares = query.contributions(library, asked.vector, rows, weights)
    there = {"instrument": subspace(weights), "library": opened.name}  # Explore is the first page
    found = []
    for row, distance, share in zip(rows.tolist(), distances.tolist(), shares, strict=True):
        facts = library.segments.iloc[row]
        piece, start, own = str(facts["piece"]), float(facts["start"]), float(facts["length"])
        at = there | {"piece": piece, "at": start}
        length = max(asked.length, own) if pieces else own
        title = str(facts["title"] or piece)
        silent = [
            name
            for name, column, weight in zip(INSTRUMENTS, ACTIVITY, weights, strict=True)
            if weight and facts[column] < query.PLAYS
        ]
        found.append(
            {
                "row": row,
                "piece": piece,
                "title": title,
                "about": about(facts, title),
                "start": start,
                "distance": distance,
                "shares": share.round(6).tolist(),
                "silent": silent,
                "clips": {
                    part: clip(opened, piece, start, length, part) for part in ("mix", *INSTRUMENTS)
                },
                "explore": f"{libraries.base()}/?{urlencode(at)}",
            }
        )
    return found


def about(facts: Any, title: str) -> str:
    """Where a segment begins, and what is known of its piece that the title does not say."""
    said = [f"at {clock(float(facts['start']))}"]
    tempo = facts["tempo"]
    if math.isfinite(tempo) and "BPM" not in title:
        said.append(f"{tempo:g} BPM")
    said += [str(facts[tag]) for tag in ("key", "groove") if facts[tag] and facts[tag] not in title]
    return " · ".join(said)


def subspace(weights: tuple[float, ...]) -> str:
    """The map that shows a focus best: that of its one leading instrument, or of the whole."""
    leading = query.leaders(weights)
    return leading[0] if len(leading) == 1 else WHOLE


def on_map(opened: Opened, asked: Asked, weights: tuple[float, ...]) -> dict[str, Any]:
    """The map of the focus with the query's place, [-1, 1] twice, or why there is none."""
    name = subspace(weights)
    said: dict[str, Any] = {"name": name, "colour": COLOURS.get(name, "")}
    address = f"{libraries.base()}/points/{opened.name}/{name}?v={opened.version}"
    try:
        at = place(opened.library, name, asked.vector)[0]
    except LibraryError as error:
        return said | {"problem": str(error)}
    return said | {"points": address, "at": np.round(at, 5).astype(float).tolist()}
