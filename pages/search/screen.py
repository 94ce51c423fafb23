"""The Search page: the query on top, the focus beside it, what is found below."""

from contextlib import suppress
from threading import Thread
from typing import Any, Final

import numpy as np
import streamlit as st

from csn import query
from csn.errors import LibraryError, StemwiseError
from csn.instruments import COLOURS, INSTRUMENTS
from pages import libraries
from pages.components.search import results
from pages.libraries import Opened
from pages.search import filters, models
from pages.search.answers import answers, on_map
from pages.search.asking import ask, use
from pages.search.focus import focus
from pages.sound import levelled
from pages.studies.desk import plain

PIECES, SEGMENTS = "Pieces", "Segments"
COUNTS: Final = (10, 20, 50)
RESULTS: Final = "search_results"


def page() -> None:
    """Draw the page; Streamlit calls it again whenever something changes."""
    st.html(_STYLE)
    st.title("What sounds like this?", anchor=False)
    try:
        opened = _library()
    except LibraryError as error:
        st.write(plain(str(error)))
        return
    _warm(opened)
    asking, focusing = st.columns([6, 5], gap="medium")
    with focusing:
        weights = focus()
    with asking:
        try:
            asked = ask(opened)
        except StemwiseError as error:
            st.error(plain(str(error)))
            return
        if asked is None:
            st.info(
                "Drop in a recording, choose the instrument that you care about, and hear what in "
                f"the library “{plain(opened.name)}” has one like it. No recording at hand? Ask "
                "with a piece of the library."
            )
            return
    if not any(weights):
        st.info("All five sliders are in the middle, so nothing counts; move one.")
        return
    missing = [name for name in query.leaders(weights) if name in asked.silent]
    with st.container(horizontal=True, vertical_alignment="center", key="search-bar"):
        kind = st.segmented_control(
            "Show", (PIECES, SEGMENTS), default=PIECES, required=True, key="search_kind",
            label_visibility="collapsed",
        )  # fmt: skip
        count = st.selectbox(
            "At most", COUNTS, key="search_count", width=110, label_visibility="collapsed",
            format_func="{} best".format,
        )  # fmt: skip
        with st.popover("Filters"):
            where, used = filters.allowed(opened.library, weights)
        if used:
            st.caption(f"{used} in use")
    if missing:
        st.caption(f"No {' and no '.join(missing)} can be heard in this part: choose another.")
    found = answers(
        opened, asked, weights, count=count or COUNTS[0], pieces=kind != SEGMENTS, where=where
    )
    if not found:
        st.info("Nothing in the library passes these filters; widen them.")
        return

    results(
        {
            "query": {"title": asked.title, "clips": dict(asked.clips)},
            "instruments": [
                {"name": name, "colour": COLOURS[name], "weight": weight}
                for name, weight in zip(INSTRUMENTS, weights, strict=True)
            ],
            "found": found,
            "typical": query.typical(opened.library, weights),
            "map": on_map(opened, asked, weights),
        },
        key=RESULTS,
        on_ask=lambda: _again(opened),
    )


def _again(opened: Opened) -> None:
    """Ask with what was found: the component tells its row."""
    said: Any = (st.session_state.get(RESULTS) or {}).get("ask")
    if isinstance(said, int) and 0 <= said < len(opened.library):
        facts = opened.library.segments.iloc[said]
        use(str(facts["piece"]), float(facts["start"]))


def _library() -> Opened:
    """The library that is searched: the visitor's choice where there are several."""
    names = list(libraries.folders())
    first = libraries.default()
    if len(names) < 2:
        return libraries.find(first)
    wanted = st.query_params.get("library", first)
    index = names.index(wanted if wanted in names else first)
    name = st.selectbox("Library", names, index=index, key="search_library", format_func=plain)
    return libraries.find(name or first)


def _warm(opened: Opened) -> None:
    """Load the model while the visitor still looks for a file."""
    if "search_warm" not in st.session_state:
        st.session_state["search_warm"] = True
        Thread(target=_try, args=(opened,), daemon=True).start()


def _try(opened: Opened) -> None:
    with suppress(StemwiseError):  # said when a recording comes
        levelled(np.zeros(1, np.float32), 1)  # loads what it needs
        models.of(opened.library)


_STYLE: Final = """<style>
.stMainBlockContainer { max-width: 84rem; padding-top: 4.25rem; }
.stMainBlockContainer h1 { padding: 0 0 0.4rem; font-size: 1.75rem; }
.st-key-search-bar { margin-top: -0.5rem; }
</style>"""
