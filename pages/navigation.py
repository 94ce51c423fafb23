"""The script that Streamlit runs for every visit: the pages there are, and the one to show.

It does not stand beside ``app.py``, because Streamlit would take the folder ``pages`` there for
its own older way of finding pages.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

import streamlit as st

from pages import access, explore, frame, institution

FOLDER: Final = Path(__file__).parent


def later(name: str) -> Callable[[], None]:
    """A page whose modules are loaded when somebody looks at it: the first map need not wait."""
    return lambda: import_module(f"pages.{name}").page()


# Drawings of our own: Streamlit's named icons are fetched from the internet.
st.set_page_config(page_title="Stemwise", page_icon=FOLDER / "icon.svg", layout="wide")
st.logo(str(FOLDER / "logo.svg"), size="large")
name = access.experimenter()
opened = access.may_explore()
maps, asking, told, meant = (
    page if opened else access.closed
    for page in (explore.page, later("search"), later("model"), later("results_page"))
)
pages = [
    st.Page(maps, title="Explore", url_path="explore", default=True),
    st.Page(asking, title="Search", url_path="search"),
    st.Page(told, title="Model", url_path="model"),
    # Its address works for everybody and asks to sign in; only the entry in the menu is hidden.
    st.Page(
        later("studies"), title="Studies", url_path="studies",
        visibility="visible" if name else "hidden",
    ),
    st.Page(meant, title="Results", url_path="results"),
    st.Page(
        later("library"), title="Library", url_path="library",
        visibility="visible" if name else "hidden",
    ),
]  # fmt: skip
if access.institution():
    way_in = st.Page(
        institution.page, title="Sign in", url_path=access.INSTITUTION, visibility="hidden"
    )
    pages.append(way_in)
frame.corner(name)
st.navigation(pages, position="top").run()
