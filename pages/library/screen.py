"""The Library page: every library of this computer, and what is being made."""

import streamlit as st

from csn.collecting.shelf import entries, shelf
from csn.errors import StemwiseError
from pages.access import require_experimenter
from pages.library import new
from pages.library.card import card, demo
from pages.library.words import size
from pages.studies.desk import STYLE, plain


def page() -> None:
    """Draw the page; Streamlit calls it again whenever something changes."""
    require_experimenter("to embed collections of your own")
    st.html(STYLE)
    try:
        _page()
    except StemwiseError as error:
        st.error(plain(str(error)))


def _page() -> None:
    found = entries()
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    left.title("Libraries", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            "New library", type="primary", key="new", disabled=new.OPEN in st.session_state,
            on_click=lambda: st.session_state.update({new.OPEN: True}),
        )  # fmt: skip
    st.caption(
        "A library is a folder of recordings that the model has listened to once. Explore shows "
        "it as maps, Search finds in it. The recordings stay where they are."
    )
    if new.OPEN in st.session_state:
        new.form()
    for entry in found:
        card(entry)
    demo()
    total = sum(entry.size for entry in found)
    st.caption(f"{len(found)} of your own in {plain(str(shelf()))}, {size(total)}.")
