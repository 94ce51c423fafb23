"""A figure, its table and what it says, each to be saved as a paper needs it."""

import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Final

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from results.figure_style import on_screen
from results.images import FORMATS, browser, write_images
from results.page import table_html
from results.tables import Table

_TYPES: Final = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}


def exhibit(
    name: str,
    table: Table | None,
    figure: go.Figure | None,
    *,
    title: str = "",
    says: str = "",
    first: bool = False,
    folded: bool = False,
) -> None:
    """Draw one.

    Args:
        name: of its files.
        table: what it shows in numbers.
        figure: what it shows as a picture.
        title: where there is no table that has one.
        says: the same in a sentence.
        first: whether a part of the page begins with it; then it needs no line above.
        folded: whether the table is long, and opens when somebody wants it.
    """
    if table is None and figure is None:
        return
    if not first:
        st.divider()
    with st.container(key=f"exhibit-{name}"):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.markdown(f"#### {title or (table.title if table else name)}")
        with right, st.container(horizontal=True, horizontal_alignment="right"):
            _save(name, table, figure)
        if says:
            st.markdown(says)
        if figure is not None:
            with st.container(key=f"chart-{name}"):
                st.plotly_chart(
                    on_screen(figure, dark=st.context.theme.type == "dark"), theme=None,
                    key=f"figure-{name}", config={"displayModeBar": False},
                )  # fmt: skip
        if table is not None:
            place = st.expander(f"Table, {len(table.shown)} rows") if folded else st.container()
            place.html(table_html(table))


def telling(bar: DeltaGenerator) -> Callable[[str, float], None]:
    """What long work calls with what it does and the part that is done: it moves a bar."""

    def told(doing: str, part: float) -> None:
        bar.progress(min(max(part, 0.0), 1.0), doing)

    return told


def _save(name: str, table: Table | None, figure: go.Figure | None) -> None:
    with st.popover("Save", key=f"save-{name}"):
        if table is not None:
            _button("Table, CSV", table.csv, f"{name}.csv", "text/csv")
            _button("Table, LaTeX", table.latex, f"{name}.tex", "text/x-tex")
        if figure is not None and _can_draw():
            for kind in FORMATS:
                draw = partial(drawn, figure, kind)
                _button(f"Figure, {kind.upper()}", draw, f"{name}.{kind}", _TYPES[kind])
        elif figure is not None:
            st.caption("Chromium or Chrome on the computer of this app would draw figures, too.")


def _button(label: str, make: Callable[[], str | bytes], file: str, kind: str) -> None:
    """A file that is made when somebody wants it."""
    st.download_button(
        label, make, file, kind, on_click="ignore", key=f"save-{file}", width="stretch"
    )


def drawn(figure: go.Figure, kind: str) -> bytes:
    """A figure as a file for print.

    Raises:
        ResultsError: there is no browser that could draw it.
    """
    with tempfile.TemporaryDirectory() as folder:
        [file] = write_images({"figure": figure}, Path(folder), [kind])
        return file.read_bytes()


@cache
def _can_draw() -> bool:
    return browser() is not None
