"""What all parts of the Studies page share: the open database, the address, small pieces of it."""

from typing import Final
from urllib.parse import urlsplit

import streamlit as st

from listening_test.store import Store, shared_store
from listening_test.store.rows import Version
from pages import libraries
from pages.studies.words import STATES

PART: Final = "part-"
"""How the keys begin under which the session remembers the part of each version that is open."""


def store() -> Store:
    """The database of answers, opened once for the whole app.

    Raises:
        StoreError: it cannot be reached.
    """
    return shared_store()


def site() -> str:
    """The address under which this browser sees the app: what links have to begin with."""
    parts = urlsplit(st.context.url or "http://localhost:8501")
    return f"{parts.scheme}://{parts.netloc}{libraries.base()}"


def listener_link(token: str) -> str:
    """The address of one listener's test."""
    return f"{site()}/t/{token}"


def join_link(version: Version) -> str:
    """The open link of a version."""
    return f"{site()}/join/{version.join_token}"


def only_here() -> bool:
    """Whether links that begin with ``site`` work on this computer alone."""
    return (urlsplit(site()).hostname or "") in ("localhost", "127.0.0.1", "::1")


def badge(version: Version) -> str:
    """A version's state, as Markdown."""
    return f":{STATES[version.state]}-badge[{version.state}]"


def go(**query: str | int) -> None:
    """Show another part of the page.

    Args:
        query: ``study``, ``version`` and ``part``; nothing for the list of studies.
    """
    for key in [key for key in st.session_state if str(key).startswith(PART)]:
        del st.session_state[key]
    st.query_params.from_dict({name: str(value) for name, value in query.items()})
    st.rerun()


def figures(*said: tuple[str, object, str]) -> None:
    """Figures side by side, as many in a row as there is room for: name, value and help."""
    with st.container(horizontal=True):
        for name, value, help in said:
            st.metric(name, str(value), help=help or None, width=_FIGURE)


def plain(text: str) -> str:
    """A person's own words inside Markdown, as they are."""
    marks = "\\`*_{}[]<>()#+-.!|~:$&"
    return "".join(f"\\{letter}" if letter in marks else letter for letter in text)


_FIGURE: Final = 155  # pixels; two in a row on a phone

STYLE: Final = """<style>
.stMainBlockContainer { max-width: 75rem; padding-top: 4.5rem; }
.st-key-study-head h2 { padding-top: 0; }
.st-key-at-a-glance { position: sticky; top: 4.5rem; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 4.5rem 1rem 3rem; }
  .stHorizontalBlock:has(.st-key-at-a-glance) { flex-direction: column-reverse; }
  .stHorizontalBlock:has(.st-key-at-a-glance) > .stColumn { min-width: 100%; }
}
</style>"""
