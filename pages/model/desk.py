"""What all parts of the Model page share: choosing, and saying that something is missing."""

from collections.abc import Mapping
from typing import Final, TypeVar

import plotly.graph_objects as go
import streamlit as st

from pages.model.words import COMMANDS

T = TypeVar("T")

CONFIG: Final = {"displayModeBar": False, "displaylogo": False}
"""Of every figure: Plotly's own buttons would cover it."""


def choice(label: str, options: Mapping[str, str], key: str, pills: bool = False) -> str:
    """One of several things, chosen by the visitor or the page's address.

    Args:
        label: for screen readers.
        options: what stands in the address, to what is shown.
        key: of the widget, and in the address.
        pills: loose buttons instead of one bar.
    """
    state = f"model-{key}"
    if st.session_state.get(state) not in options:
        asked = st.query_params.get(key, "")
        st.session_state[state] = asked if asked in options else next(iter(options))
    widget = st.pills if pills else st.segmented_control
    chosen = widget(
        label, list(options), format_func=options.__getitem__, key=state,
        default=st.session_state[state], required=True, label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    chosen = chosen or next(iter(options))
    if chosen == next(iter(options)):
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = chosen
    return chosen


def missing(kind: str, what: str) -> None:
    """Say that something was not measured yet, and with which command it is."""
    st.info(f"{what} not measured yet. Run:")
    st.code(COMMANDS[kind], language="bash")
    st.caption(
        "PLACE is `demo/measures` for the shipped model (`make measures` does it all) and "
        "`STEMWISE_HOME/measures/NAME` for another."
    )


def first(found: Mapping[str, T]) -> T | None:
    """The only measure of its kind, or the first; None where there is none."""
    return next(iter(found.values()), None)


def squares(figures: Mapping[str, go.Figure], key: str, words: str) -> None:
    """Draw small figures side by side, three in a row, or one below the other on a phone."""
    names = list(figures)
    for at in range(0, len(names), 3):
        for column, name in zip(st.columns(3), names[at : at + 3], strict=False):
            with column:
                st.markdown(f"**{name}**")
                st.plotly_chart(
                    figures[name], key=f"{key}-{name}", config=CONFIG, alt=f"{name}: {words}"
                )
