"""The script that Streamlit runs for every visit: the pages there are, and the one to show.

It does not stand beside ``app.py``, because Streamlit would take the folder ``pages`` there for
its own older way of finding pages.
"""

from pathlib import Path
from typing import Final

import streamlit as st

from pages import access, explore, institution, model, results_page, search, studies

FOLDER: Final = Path(__file__).parent

# Drawings of our own: Streamlit's named icons are fetched from the internet.
st.set_page_config(page_title="Stemwise", page_icon=FOLDER / "icon.svg", layout="wide")
st.logo(str(FOLDER / "logo.svg"), size="large")
name = access.experimenter()
opened = access.may_explore()
first = explore.page if opened else access.closed
asking = search.page if opened else access.closed
told = model.page if opened else access.closed
meaning = results_page.page if opened else access.closed
pages = [
    st.Page(first, title="Explore", url_path="explore", default=True),
    st.Page(asking, title="Search", url_path="search"),
    st.Page(told, title="Model", url_path="model"),
    # Its address works for everybody and asks to sign in; only the entry in the menu is hidden.
    st.Page(
        studies.page, title="Studies", url_path="studies",
        visibility="visible" if name else "hidden",
    ),
    st.Page(meaning, title="Results", url_path="results"),
]  # fmt: skip
if access.institution():
    way_in = st.Page(
        institution.page, title="Sign in", url_path=access.INSTITUTION, visibility="hidden"
    )
    pages.append(way_in)
access.corner(name)
st.navigation(pages, position="top").run()
