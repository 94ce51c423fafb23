"""The Model page's figures, from what was measured; colours by instrument, as everywhere."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from csn.instruments import COLOURS, INSTRUMENTS
from csn.measures import Ablation, Criteria, Leakage, Scores
from csn.pictures import Picture
from pages.model.words import ROWS, SYSTEMS, percent

GREY: Final = "#8A8A8A"  # is seen on white and on black
_PALE: Final = "rgba(138,138,138,0.35)"


def hearing(scores: Scores) -> go.Figure:
    """P2: a bar for each instrument, with what is had without training.

    Args:
        scores: of the model and its floors.
    """
    known = [n for n in INSTRUMENTS if scores["model"].get(n)]
    found = {
        system: {n: s for n, s in scores[system].items() if s and n in known} for system in scores
    }
    model = found["model"]
    figure = go.Figure()
    figure.add_bar(
        y=known, x=[model[n].mean for n in known], orientation="h", width=0.62,
        marker={"color": [COLOURS[n] for n in known]}, showlegend=False,
        error_x={
            "type": "data", "array": [min(model[n].sd, 100 - model[n].mean) for n in known],
            "arrayminus": [model[n].sd for n in known], "thickness": 2, "width": 0, "color": GREY,
        },
        customdata=[[model[n].sd, model[n].strict] for n in known],
        hovertemplate="%{y}: %{x:.1f} ± %{customdata[0]:.1f} %, strict %{customdata[1]:.1f} %"
        "<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        y=known, x=[104] * len(known), mode="text", textposition="middle right",
        text=[percent(model[n].mean) for n in known], textfont={"size": 15},
        showlegend=False, hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip
    for system, symbol in (("floor", "diamond-tall"), ("untrained", "circle")):
        at = [n for n in known if n in found.get(system, {})]
        if at:
            figure.add_scatter(
                y=at, x=[found[system][n].mean for n in at], mode="markers", name=SYSTEMS[system],
                marker={
                    "symbol": symbol, "size": 15 if system == "floor" else 11, "color": "#FFFFFF",
                    "line": {"width": 2, "color": "#333333"},
                },
                hovertemplate="%{y}, " + SYSTEMS[system] + ": %{x:.1f} %<extra></extra>",
            )  # fmt: skip
    chance = next((model[n].chance for n in known), None)
    if chance:
        figure.add_vline(x=chance, line={"color": GREY, "width": 1.5, "dash": "dot"})
        figure.add_scatter(
            x=[None], y=[None], mode="lines", name="guessing",
            line={"color": GREY, "width": 1.5, "dash": "dot"},
        )  # fmt: skip
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=8)
    figure.update_xaxes(range=[0, 104], tickvals=[0, 25, 50, 75, 100], ticksuffix=" %")
    return _styled(figure, 60 + 46 * len(known), right=56)


def moving(measure: Leakage) -> go.Figure:
    """Leakage: how far a subspace moves when the others are exchanged, and when its own is."""
    moves = {n: m for n in INSTRUMENTS if (m := measure.moves["model"].get(n))}
    figure = go.Figure()
    for name, m in moves.items():
        figure.add_scatter(
            x=[m.others, m.own], y=[name, name], mode="lines", showlegend=False, hoverinfo="skip",
            line={"color": _PALE, "width": 6},
        )  # fmt: skip
    for what, symbol in (("others", "circle-open"), ("own", "circle")):
        words = "the others are exchanged" if what == "others" else "its own is exchanged"
        figure.add_scatter(
            x=[getattr(m, what) for m in moves.values()], y=list(moves), mode="markers",
            marker={
                "symbol": symbol, "size": 15, "color": [COLOURS[n] for n in moves],
                "line": {"width": 3, "color": [COLOURS[n] for n in moves]},
            },
            showlegend=False, hovertemplate="%{y} moves %{x:.2f} when " + words + "<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=f"when {words}",
            marker={"symbol": symbol, "size": 11, "color": GREY, "line": {"width": 2.5}},
        )  # fmt: skip
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=8)
    figure.update_xaxes(rangemode="tozero", title="distance moved (1: two pieces lie as far apart)")
    return _styled(figure, 110 + 44 * len(moves))


def recipes(rows: Mapping[str, Mapping[str, tuple[float | None, float | None]]]) -> go.Figure:
    """Table 2: a line for each recipe, a dot for each instrument, a diamond for their mean.

    Args:
        rows: recipe, then instrument or ``mean``, to mean and deviation over its runs.
    """
    figure = go.Figure()
    names = [*ROWS, *(name for name in rows if name not in ROWS)]  # one place for each, always
    labels = [ROWS.get(name, name) for name in names]
    for part in (*INSTRUMENTS, "mean"):
        cells = [rows.get(name, {}).get(part, (None, None)) for name in names]
        colour = COLOURS.get(part, GREY)
        whole = part == "mean"
        figure.add_scatter(
            x=[mean for mean, _ in cells], y=labels, mode="markers", name=part,
            marker={
                "color": colour, "size": 13 if whole else 11,
                "symbol": "diamond" if whole else "circle",
            },
            error_x={
                "type": "data", "array": [sd or 0 for _, sd in cells], "color": colour,
                "thickness": 1.5, "width": 3,
            },
            hovertemplate="%{y}<br>" + part + ": %{x:.1f} %<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(
        categoryorder="array", categoryarray=labels, range=[len(labels) - 0.5, -0.5],
        ticklabelstandoff=8,
    )  # fmt: skip
    figure.update_xaxes(range=[0, 103], tickvals=[0, 25, 50, 75, 100], ticksuffix=" %")
    return _styled(figure, 90 + 42 * len(labels))


def published(table: Mapping[str, Sequence[float]]) -> dict[str, dict[str, Any]]:
    """A paper's table 2 in the shape that ``recipes`` takes."""
    return {
        name: {n: (v, None) for n, v in zip(INSTRUMENTS, values, strict=True)}
        | {"mean": (float(np.mean(values)), None)}
        for name, values in table.items()
    }


def measured(table: Ablation) -> dict[str, dict[str, Any]]:
    """Our table 2 in the shape that ``recipes`` takes."""
    return {row.name: dict(row.scores) for row in table.rows}


def heat_map(matrix: np.ndarray, titles: Sequence[str], top: float) -> go.Figure:
    """Distances between pieces (IND figure 4).

    Args:
        matrix: [pieces, pieces].
        titles: of the pieces.
        top: the distance that is darkest, the same for all maps side by side.
    """
    numbers = [str(i + 1) for i in range(len(titles))]
    hover = [[f"{a}<br>{b}" for b in titles] for a in titles]
    figure = go.Figure(
        go.Heatmap(
            z=matrix.round(3), x=numbers, y=numbers, zmin=0, zmax=top, colorscale="Viridis",
            text=hover, hovertemplate="%{text}<br>distance %{z:.2f}<extra></extra>",
            showscale=False,
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", scaleanchor="x", constrain="domain")
    figure.update_xaxes(constrain="domain")
    return _square(figure)


def heat_maps(criteria: Criteria, titles: Sequence[str]) -> dict[str, go.Figure]:
    """A square for each criterion, all of one scale."""
    top = max(float(matrix.max()) for matrix in criteria.distances.values())
    return {name: heat_map(matrix, titles, top) for name, matrix in criteria.distances.items()}


def clouds(picture: Picture) -> dict[str, go.Figure]:
    """A square of points for each criterion (IND figure 3, CSN figures 5 and 6)."""
    answer = {}
    for name, parts in picture.items():
        traces = [
            go.Scatter(
                x=dots.x, y=dots.y, mode="markers", showlegend=False, hoverinfo="text",
                hovertext=dots.words,
                marker={
                    "color": dots.colour, "symbol": dots.symbol, "size": 6,
                    "line": {"width": 0.5, "color": GREY},  # dark blue is lost in the dark
                },
            )
            for dots in parts
        ]  # fmt: skip
        figure = go.Figure(traces)
        figure.update_layout(plot_bgcolor="rgba(138,138,138,0.08)")
        answer[name] = _square(figure)
    return answer


def _square(figure: go.Figure) -> go.Figure:
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(visible=False, fixedrange=True)
    figure.update_layout(height=300, margin={"l": 0, "r": 0, "t": 0, "b": 0}, dragmode=False)
    return figure


def _styled(figure: go.Figure, height: int, right: int = 12) -> go.Figure:
    """Room for the labels; nothing that catches a finger that wants to scroll."""
    figure.update_xaxes(fixedrange=True, zeroline=False, gridcolor="rgba(138,138,138,0.22)")
    figure.update_yaxes(fixedrange=True, showgrid=False, zeroline=False, tickfont={"size": 14})
    figure.update_layout(
        height=height, dragmode=False, bargap=0.3, hovermode="closest",
        margin={"l": 0, "r": right, "t": 8, "b": 0},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "itemclick": False,
                "itemdoubleclick": False},
    )  # fmt: skip
    return figure
