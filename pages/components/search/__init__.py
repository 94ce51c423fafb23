"""What Search draws and plays by itself: the waveform of the query, and what was found.

Both play through one AudioContext and stop each other. They share the explorer's icons and sound.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import streamlit as st

_FOLDER: Final = Path(__file__).parent
_EXPLORER: Final = _FOLDER.parent / "explorer" / "js"


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _module(*own: str) -> str:
    """The scripts as one JavaScript module."""
    shared = [(_EXPLORER / f"{name}.js").read_text(encoding="utf-8") for name in ("icons", "sound")]
    return "\n".join([*shared, *(_text(f"js/{name}.js") for name in ("player", *own))])


_waveform = st.components.v2.component(
    "stemwise_waveform",
    html=_text("waveform.html"),
    css=_text("search.css"),
    js=_module("waveform"),
)
_results = st.components.v2.component(
    "stemwise_results",
    html=_text("results.html"),
    css=_text("search.css"),
    js=_module("bar", "where", "results"),
)


def waveform(data: Mapping[str, Any], *, key: str, on_part: Callable[[], None]) -> None:
    """Show a sound, the part of it that is chosen, and a button that plays that part.

    Args:
        data: ``lanes`` (one row of heights in 0 … 1, or one for each instrument), ``colours`` of
            the lanes, ``duration``, ``start`` and ``length`` (seconds), ``lengths`` to choose
            from, ``clip`` (address of the part's sound).
        key: under which ``st.session_state[key]["part"]`` holds ``start`` and ``length``.
        on_part: called when another part was chosen.
    """
    _waveform(key=key, data=dict(data), on_part_change=on_part)


def results(data: Mapping[str, Any], *, key: str, on_ask: Callable[[], None]) -> None:
    """Show what was found, and where the query lies on a map.

    Args:
        data: ``query`` (title, clips), ``instruments`` (name, colour, weight), ``found`` (see
            ``pages.search.answers``), ``typical`` (the squared distance of a full bar), ``map``.
        key: under which ``st.session_state[key]["ask"]`` holds the row to ask with next.
        on_ask: called when there is one.
    """
    _results(key=key, data=dict(data), on_ask_change=on_ask)
