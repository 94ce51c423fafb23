"""What every page has around it: the link at the top right, and words that can be read."""

from html import escape
from typing import Final

import streamlit as st

from pages import access, libraries

# The corner is in the bar at the top; its place among the page's elements takes no room.
_STYLE: Final = """<style>
.stElementContainer:has(.stemwise-corner) { position: absolute; }
.stemwise-corner {
  position: fixed; top: 1.15rem; right: 3.75rem; z-index: 999991;
  max-width: min(30vw, 100vw - 18rem); /* a long name ends beside the menu of a phone */
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  font-size: 0.8125rem; color: inherit !important; opacity: 0.75;
}
/* Streamlit writes white on the light blue of the dark theme, 2.3 : 1; this is 8 : 1. */
[data-testid*="Button-primary"] { color: light-dark(#fff, #14161a); }
</style>"""


def corner(name: str | None) -> None:
    """The small link at the top right: to sign in, or out."""
    path, words = ("sign-in", "Sign in") if name is None else ("sign-out", f"{name} · sign out")
    if name is None and st.user.get("is_logged_in"):  # a provider sends people back to the maps
        path, words = access.INSTITUTION, "Go on to sign in"
    st.html(
        f'{_STYLE}<a class="stemwise-corner" href="{escape(libraries.base())}/{path}">'
        f"{escape(words)}</a>"
    )
