"""The look of every figure: ink, grey, one colour an instrument, the same font and axes."""

import json
from typing import Final

import plotly.graph_objects as go

from csn.instruments import COLOURS
from results.agreement import TOTAL

INK: Final = "#222222"
CHALK: Final = "#EEF0F3"
GREY: Final = "#8A8A8A"
PALE: Final = "rgba(120,120,120,0.18)"
SYMBOLS: Final = {"1": "circle", "2": "diamond", TOTAL: "square"}
SET_NAMES: Final = {"1": "set 1 {x, a, b}", "2": "set 2 {x, y, c}", TOTAL: "total"}
_FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def colour(instrument: str) -> str:
    """The colour of an instrument; ink for the mix and for everything together."""
    return COLOURS.get(instrument, INK)


def styled(figure: go.Figure, width: int = 720, height: int = 420) -> go.Figure:
    """Give a figure its size and look.

    Args:
        figure: what to change.
        width: pixels.
        height: pixels.
    """
    figure.update_layout(
        template="plotly_white", width=width, height=height, font={"family": _FONT, "size": 14},
        margin={"l": 70, "r": 30, "t": 50, "b": 60},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        font_color=INK,
    )  # fmt: skip
    figure.update_xaxes(linecolor=INK, ticks="outside", zeroline=False)
    figure.update_yaxes(linecolor=INK, ticks="outside", zeroline=False)
    return figure


def percent(figure: go.Figure, low: float = 0, title: str = "agreement with the model") -> None:
    """Let the vertical axis show shares in percent, from ``low`` on."""
    figure.update_yaxes(range=[100 * low, 101], ticksuffix=" %", title=title)


def on_screen(figure: go.Figure, *, dark: bool) -> go.Figure:
    """A copy for a page: as wide as there is room, on the page's own ground, light or dark."""
    text = figure.to_json()
    if dark:
        text = text.replace(f'"{INK}"', f'"{CHALK}"')
    copy = go.Figure(json.loads(text))
    clear = "rgba(0,0,0,0)"
    copy.update_layout(
        template="plotly_dark" if dark else "plotly_white", autosize=True, width=None,
        paper_bgcolor=clear, plot_bgcolor=clear,
    )  # fmt: skip
    return copy
