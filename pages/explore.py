"""Explore: choose an instrument, hear a library as a map, walk from neighbour to neighbour."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import streamlit as st

from csn.errors import LibraryError
from csn.instruments import COLOURS, EMBEDDING, INSTRUMENTS
from csn.library import Library
from pages import libraries
from pages.components.explorer import explorer
from pages.components.explorer.points import SUBSPACES, WHOLE
from pages.components.explorer.view import (
    DOTS,
    View,
    focuses,
    from_address,
    from_browser,
    mark,
)
from pages.libraries import Opened

KEY: Final = "explorer"

_SIMILAR: Final = {
    "drums": "similar drums",
    "bass": "a similar bass",
    "piano": "a similar piano",
    "guitar": "a similar guitar",
    "others": "similar other instruments (strings, winds, synths)",
}


def page() -> None:
    """Draw the page; Streamlit calls it again whenever the view changes."""
    try:
        opened, notices = _library()
    except LibraryError as error:
        _nothing_yet(error)
        return
    view, problems = _view(opened)
    st.session_state["explore_view"] = view.said()
    query = view.address(opened, libraries.default())
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
    # The first run's sentence stays until the session ends; the page hides it once it was closed.
    notice = " ".join([*notices, *problems]) or st.session_state.get("explore_notice", "")
    st.session_state["explore_notice"] = notice
    st.html(_STYLE)
    explorer(
        {
            "base": libraries.base(),
            "library": {
                "name": opened.name,
                "version": opened.version,
                "mark": mark(opened),
                "segments": len(opened.library.segments),
                "pieces": int(opened.library.segments["piece"].nunique()),
            },
            "libraries": list(libraries.folders()),
            "focuses": list(focuses()),
            "instruments": [
                {"name": name, "label": name.capitalize(), "colour": COLOURS.get(name, "")}
                for name in SUBSPACES
            ],
            "words": {
                dots: {
                    "hover": words(opened.library, dots=dots),
                    "touch": words(opened.library, "tap the dots", dots),
                }
                for dots in DOTS
            },
            "view": view.said(),
            "notice": notice,
        },
        key=KEY,
    )


def words(
    library: Library, move: str = "move over the dots", dots: str = "segments"
) -> dict[str, str]:
    """For each subspace the sentence that tells a first-time visitor what is heard.

    Args:
        library: says how long a dot lasts.
        move: what the visitor does to hear one.
        dots: what they are, one of ``DOTS``.
    """
    length = float(library.segments["length"].iloc[0]) if len(library) else 3.0
    seconds = "three seconds" if length == 3 else f"{length:g} seconds"
    start = f"Each dot is {seconds} of a band."
    if dots == "pieces":
        start = f"Each dot is a whole piece; you hear the {seconds} most typical of it."
    sentences = {
        name: f"{start} The network heard only the mix; {move} to hear them: "
        f"dots close together have {_SIMILAR[name]}."
        for name in INSTRUMENTS
    }
    whole = f"{start} {move.capitalize()} to hear them: dots close together sound alike as a whole."
    return {WHOLE: whole} | sentences


def answer(opened: Opened, view: View) -> dict[str, Any] | None:
    """The neighbours of the selected segment, for the route ``/near``.

    Args:
        opened: the library.
        view: what is looked at.

    Returns:
        ``neighbours`` (segment and distance, nearest first) and ``scale`` (how far apart two
        segments lie that are drawn at random); None where nothing is selected.

    Raises:
        LibraryError: the library cannot be searched now.
    """
    if view.segment is None:
        return None
    library, weights = opened.library, focuses().get(view.by) or focus(view.instrument)
    rows, distances = library.neighbours(
        view.segment,
        weights,
        view.count,
        same_piece=view.among == "all",
        one_per_piece=view.among == "once",
    )
    found = zip(rows.tolist(), distances.tolist(), strict=True)
    return {
        "neighbours": [{"segment": row, "distance": distance} for row, distance in found],
        "scale": _scale(opened, weights),
    }


def focus(instrument: str) -> tuple[float, ...]:
    """The weights of the five subspaces: all, or one instrument's alone."""
    return tuple(float(instrument in (WHOLE, name)) for name in INSTRUMENTS)


def _scale(opened: Opened, weights: tuple[float, ...]) -> float:
    """How far apart two segments drawn at random lie (median of 500 pairs): a full bar."""
    vectors = opened.library.vectors
    pairs = np.random.default_rng(0).integers(len(vectors), size=(2, 500))
    away = vectors[pairs[0], :EMBEDDING] - vectors[pairs[1], :EMBEDDING]
    squares = (away.reshape(len(away), len(INSTRUMENTS), -1) ** 2).sum(2)
    return float(np.median(np.sqrt(np.maximum(squares @ np.asarray(weights, np.float32), 0))))


def _library() -> tuple[Opened, list[str]]:
    """The library that the visitor, the address or the environment chose, and what was odd."""
    said = _said()
    wanted = said.get("library") if said else st.query_params.get("library")
    first = libraries.default()
    if wanted is None or wanted == first:
        return libraries.find(first), []
    try:
        return libraries.find(str(wanted)), []
    except LibraryError as error:
        return libraries.find(first), [str(error)]


def _view(opened: Opened) -> tuple[View, list[str]]:
    said = _said()
    if said:
        return from_browser(said, opened), []
    return from_address(st.query_params.to_dict(), opened)


def _said() -> Mapping[str, Any]:
    """What the component told last; after a visit to another page, what it told before."""
    state = st.session_state.get(KEY)
    said = state.get("view") if state else None
    if said is None and not st.query_params:
        said = st.session_state.get("explore_view")
    return said if isinstance(said, Mapping) else {}


def _nothing_yet(error: LibraryError) -> None:
    st.title("Nothing to explore yet")
    st.write(str(error))
    st.write("To make the demo, type this in the folder of Stemwise and reload the page:")
    st.code("make demo", language="bash")
    st.write("To open a library of your own, name its folder when you start the app:")
    st.code(f"{libraries.CHOICE}=path/to/library streamlit run app.py", language="bash")


# The page needs the whole window; Streamlit's own margins would push the map below the fold.
_STYLE: Final = """<style>
.stMainBlockContainer { max-width: none; padding: 4.25rem 1.5rem 0.5rem; }
@media (max-width: 760px) { .stMainBlockContainer { padding: 4rem 1rem 2rem; } }
</style>"""
