"""What may be taken away: a part's tables and figures, or everything as one zip."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio
import streamlit as st
from plotly.offline import get_plotlyjs

from pages.model.places import Place
from pages.model.sheets import Sheets

Figures = Mapping[str, go.Figure]
"""Title to figure."""


def buttons(part: str, sheets: Sheets, figures: Callable[[], Figures] | None = None) -> None:
    """Draw a part's buttons; a file is made when its button is clicked.

    Args:
        part: how the files' names begin.
        sheets: one table becomes a CSV file, several a zip of them.
        figures: makes the figures, where there are any.
    """
    button = partial(st.download_button, on_click="ignore")
    with st.container(horizontal=True):
        if len(sheets) == 1:
            name, frame = next(iter(sheets.items()))
            button("Table (CSV)", csv(frame), f"{name}.csv", "text/csv", key=f"csv-{part}")
        elif sheets:
            packed = partial(zipped, sheets)
            button("Tables (CSV)", packed, f"{part}.zip", "application/zip", key=f"csv-{part}")
        if figures is not None:
            button(
                "Figures (HTML)", lambda: page(figures()), f"{part}.html", "text/html",
                key=f"html-{part}",
            )  # fmt: skip
            button(
                "Figures (JSON)", lambda: plain(figures()), f"{part}.json", "application/json",
                key=f"json-{part}",
            )  # fmt: skip


def csv(frame: Any) -> bytes:
    """A table as CSV."""
    text: str = frame.to_csv(index=False)
    return text.encode()


def page(figures: Figures) -> bytes:
    """Figures as one page that opens without a network."""
    white = pio.templates["plotly_white"].to_plotly_json()
    parts = []
    for title, figure in figures.items():
        drawn = figure.to_plotly_json()
        layout = drawn["layout"]
        height = layout.get("height", 400)
        if layout["xaxis"].get("visible") is False:  # a square without axes
            layout |= {"width": 400, "height": height + 70}
            layout["margin"] = {"l": 10, "r": 10, "t": 60, "b": 10}
            heading = {"text": title.replace(": ", "<br>", 1), "font": {"size": 11}}
        else:
            layout |= {"width": 720, "height": height + 90}
            layout["margin"] = {"l": 150, "r": 70, "t": 100, "b": 60}
            layout["legend"] = {**layout.get("legend", {}), "y": 1.02}
            heading = {"text": title}
        drawn["layout"] = layout | {"template": white, "title": heading}
        parts.append(pio.to_html(drawn, full_html=False, include_plotlyjs=False, validate=False))
    body = f'<body style="display: flex; flex-wrap: wrap">{"".join(parts)}</body>'
    head = f'<meta charset="utf-8"><title>Stemwise</title><script>{get_plotlyjs()}</script>'
    return f"<!doctype html><html><head>{head}</head>{body}</html>".encode()


def plain(figures: Figures) -> bytes:
    """Figures as JSON, title to Plotly's own."""
    return json.dumps({title: json.loads(f.to_json()) for title, f in figures.items()}).encode()


def zipped(sheets: Sheets) -> bytes:
    """Tables as CSV in a zip."""
    return _zip({f"{name}.csv": csv(frame) for name, frame in sheets.items()})


def everything(place: Place, sheets: Sheets, figures: Figures) -> bytes:
    """Tables, figures and the files they come from, as the commands wrote them."""
    files = {f"tables/{name}.csv": csv(frame) for name, frame in sheets.items()}
    files |= {"figures.html": page(figures), "figures.json": plain(figures)}
    for file in sorted(place.measures.glob("*/*.json")):
        files[f"measures/{file.parent.name}/{file.name}"] = file.read_bytes()
    return _zip(files)


def _zip(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()
