"""The explorer: a map that is heard by hovering, with the nearest neighbours beside it.

One component holds the whole screen, so that the map, the list and the sound answer at once and
share one AudioContext. It fetches points, clips and neighbours over HTTP by itself (see ``app.py``)
and tells Python the view only, which goes into the page's address.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import streamlit as st

_FOLDER: Final = Path(__file__).parent
# In the order in which they build on each other; together they are one JavaScript module.
_SCRIPTS: Final = (
    "icons", "colours", "library", "camera", "dots", "heat", "places", "marks", "stage", "sound",
    "playing", "side", "labels", "near", "picked", "pointer", "tip", "pane", "cameras", "second",
    "looks", "keys", "controls", "explorer",
)  # fmt: skip


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


_component = st.components.v2.component(
    "stemwise_explorer",
    html=_text("explorer.html"),
    css=_text("explorer.css"),
    js="\n".join(_text(f"js/{name}.js") for name in _SCRIPTS),
)


def explorer(
    data: Mapping[str, Any], *, key: str, on_view: Callable[[], None] = lambda: None
) -> None:
    """Show the explorer.

    Args:
        data: ``base`` (path under which the app is served), ``library`` (name, version, mark,
            segments, pieces), ``libraries`` (names), ``instruments`` (name, label, colour),
            ``words`` (by kind of dots and way of pointing a sentence for each instrument),
            ``view`` and ``notice``.
        key: under which ``st.session_state[key]["view"]`` holds the view.
        on_view: called when the view has changed.
    """
    _component(key=key, data=dict(data), on_view_change=on_view)
