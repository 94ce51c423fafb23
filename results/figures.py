"""Figures of the results, for the screen and for print; every one is a Plotly figure.

Instruments keep their colour everywhere, and no meaning rests on colour alone: sets differ by
symbol, bars by their label, lines by their dash. Text is only our own; titles of studies stay out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from csn.instruments import COLOURS, INSTRUMENTS
from listening_test.triplets import INPUTS
from results.agreement import ALL
from results.agreement_figures import agreement_figure, exclusions_figure, sureness_figure
from results.analysis import Analysis
from results.figure_style import (
    DASHES,
    GREY,
    INK,
    PALE,
    colour,
    percent,
    styled,
)
from results.mixed import CONSTANT
from results.published import Published
from results.weights import Weights


def curve_figure(found: Analysis) -> go.Figure:
    """Agreement against the model's margin: the fitted curve with its band, and the answers."""
    curve = found.curve
    figure = go.Figure()
    figure.add_hline(y=50, line={"color": GREY, "dash": "dot", "width": 1})
    if len(curve.margin):
        figure.add_scatter(
            x=np.concatenate([curve.margin, curve.margin[::-1]]),
            y=100 * np.concatenate([curve.high, curve.low[::-1]]), fill="toself", fillcolor=PALE,
            line={"width": 0}, hoverinfo="skip", name="95 % band",
        )  # fmt: skip
        figure.add_scatter(
            x=curve.margin, y=100 * curve.share, mode="lines", name="mixed model",
            line={"color": INK, "width": 2},
        )  # fmt: skip
    bins = curve.bins
    figure.add_scatter(
        x=bins["margin"], y=100 * bins["share"], mode="markers", name="answers, in classes",
        marker={"size": 9, "color": COLOURS["bass"]}, hovertext=[f"n = {n}" for n in bins["n"]],
        error_y={"type": "data", "array": 100 * (bins["high"] - bins["share"]),
                 "arrayminus": 100 * (bins["share"] - bins["low"]), "thickness": 1.5},
    )  # fmt: skip
    figure.update_xaxes(title="margin: how much nearer the model finds its choice")
    percent(figure)
    return styled(figure)


def terms_figure(found: Analysis) -> go.Figure:
    """Coefficients of the mixed model with their intervals."""
    assert found.mixed is not None
    terms = [term for term in found.mixed.terms if term.name != CONSTANT][::-1]
    labels = [
        f"{term.name} against {found.mixed.reference}" if term.name in INSTRUMENTS else term.name
        for term in terms
    ]
    figure = go.Figure(
        go.Scatter(
            x=[term.estimate for term in terms], y=labels, mode="markers",
            marker={"size": 10, "color": [colour(term.name) for term in terms]},
            error_x={"type": "data", "array": [term.high - term.estimate for term in terms],
                     "thickness": 2, "color": INK},
        )
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": GREY, "dash": "dot", "width": 1})
    figure.update_xaxes(title="log-odds of agreeing with the model")
    styled(figure, height=160 + 46 * len(terms))
    figure.update_layout(margin_l=190)
    return figure


def ceiling_figure(found: Analysis) -> go.Figure:
    """The model's agreement against what is possible."""
    top = found.ceiling
    total = found.agreement.overall
    shown = [
        ("catch trials right", top.catch, top.catch_interval.low, top.catch_interval.high),
        ("repeats answered alike", top.consistency, top.consistency_interval.low,
         top.consistency_interval.high),
        ("most that repeats allow", top.attainable, np.nan, np.nan),
        ("pairs of listeners alike", top.pairs, np.nan, np.nan),
        ("noise ceiling: majority", top.majority, np.nan, np.nan),
        ("noise ceiling: the others", top.others, np.nan, np.nan),
        ("the model", *((total.share, total.low, total.high) if total else (np.nan,) * 3)),
    ]  # fmt: skip
    rows = [row for row in shown if np.isfinite(row[1])]
    figure = go.Figure()
    if np.isfinite(top.others):
        figure.add_vrect(
            x0=100 * top.others, x1=100 * top.majority, fillcolor=PALE, line_width=0, layer="below"
        )
    figure.add_scatter(
        x=[100 * row[1] for row in rows], y=[row[0] for row in rows], mode="markers",
        marker={"size": 11, "color": [INK if row[0] == "the model" else GREY for row in rows],
                "symbol": ["square" if row[0] == "the model" else "circle" for row in rows]},
        error_x={"type": "data", "thickness": 2, "color": INK,
                 "array": [np.nan_to_num(100 * (row[3] - row[1])) for row in rows],
                 "arrayminus": [np.nan_to_num(100 * (row[1] - row[2])) for row in rows]},
    )  # fmt: skip
    figure.add_vline(x=50, line={"color": GREY, "dash": "dot", "width": 1})
    figure.update_xaxes(range=[0, 101], ticksuffix=" %")
    styled(figure)
    figure.update_layout(margin_l=190, showlegend=False)
    return figure


def radar_figure(found: Analysis) -> go.Figure:
    """MULTI's Kiviat chart: which single subspace explains answers about which instrument."""
    charts = [(source, found.spaces.radar(source)) for source in INPUTS]
    charts = [(source, chart) for source, chart in charts if len(chart)]
    figure = make_subplots(
        1, max(len(charts), 1), specs=[[{"type": "polar"}] * max(len(charts), 1)],
        subplot_titles=[f"the model hears the {source}" for source, _ in charts],
    )  # fmt: skip
    for k, (_, chart) in enumerate(charts):
        for i, (asked, scores) in enumerate(chart.iterrows()):
            name = str(asked)
            around = [*scores.index, scores.index[0]]
            figure.add_trace(
                go.Scatterpolar(
                    r=100 * np.append(scores.to_numpy(float), scores.iloc[0]), theta=around,
                    name=f"asked about {name}" if name != ALL else "all answers",
                    legendgroup=name, showlegend=k == 0, mode="lines+markers",
                    line={"color": colour(name), "dash": DASHES[i % len(DASHES)], "width": 2},
                ),
                1, k + 1,
            )  # fmt: skip
    figure.update_polars(radialaxis={"range": [0, 100], "ticksuffix": " %", "angle": 90,
                                     "tickangle": 90, "nticks": 5, "tickfont": {"size": 10}},
                         angularaxis={"rotation": 90, "direction": "clockwise"})  # fmt: skip
    styled(figure, 860, 500)
    figure.update_annotations(yshift=34)
    figure.update_layout(legend={"y": -0.12, "yanchor": "top"}, margin={"t": 90, "b": 70})
    return figure


def spaces_figure(found: Analysis, asked: str = ALL) -> go.Figure:
    """The triplet score of every set of subspaces, best first; mix and stem input."""
    inputs = [source for source in INPUTS if len(found.spaces.of(asked, source))]
    best = found.spaces.of(asked, inputs[0])["space"].tolist()
    figure = make_subplots(
        1, len(inputs), shared_yaxes=True, horizontal_spacing=0.04,
        subplot_titles=[f"the model hears the {source}" for source in inputs],
    )  # fmt: skip
    table = found.spaces.table
    own = table[(table["asked"] == asked) & ~table["source"].isin(INPUTS)]
    systems = list(dict.fromkeys(str(name).partition(", ")[0] for name in own["source"]))
    for k, source in enumerate(inputs, start=1):
        ours = found.spaces.of(asked, source)
        others = own[own["source"].str.endswith(f", {source}")]
        named = [str(name).partition(", ")[0] for name in others["source"]]
        for rows, names, ink, symbol in (
            (ours, ours["space"].tolist(), INK, "circle"), (others, named, GREY, "diamond"),
        ):  # fmt: skip
            figure.add_scatter(
                x=100 * rows["score"], y=names, row=1, col=k, mode="markers", name=source,
                marker={"color": ink, "size": 8, "symbol": symbol},
                error_x={"type": "data", "array": 100 * (rows["high"] - rows["score"]), "width": 0,
                         "arrayminus": 100 * (rows["score"] - rows["low"]), "thickness": 1.5,
                         "color": ink},
            )  # fmt: skip
        figure.add_vline(x=50, line={"color": GREY, "dash": "dot", "width": 1}, row=1, col=k)
    best += systems
    figure.update_yaxes(categoryorder="array", categoryarray=best[::-1], dtick=1,
                        tickfont={"size": 11})  # fmt: skip
    figure.update_xaxes(title="triplet score", ticksuffix=" %", matches="x")
    styled(figure, 860, 760)
    figure.update_layout(margin={"l": 240, "t": 50}, showlegend=False)
    return figure


def times_figure(found: Analysis) -> go.Figure:
    """How long answers take, where listener and model agree and where not."""
    figure = go.Figure()
    table = found.answers[found.answers["kind"].eq("trial") & found.answers["agrees"].notna()]
    top = float(table["elapsed"].quantile(0.99)) if len(table) else 1.0
    edges = np.linspace(0, top, 41)
    for label, agrees, dash in (("agree", True, "solid"), ("differ", False, "dash")):
        seconds = table.loc[table["agrees"].eq(agrees), "elapsed"].dropna().to_numpy(float)
        counts = np.histogram(seconds, edges)[0] / max(len(seconds), 1)
        figure.add_scatter(
            x=edges[:-1], y=100 * counts, mode="lines", name=f"listener and model {label}",
            line={"shape": "hv", "dash": dash, "color": INK if agrees else COLOURS["drums"]},
        )  # fmt: skip
    figure.update_xaxes(title="seconds to the answer")
    figure.update_yaxes(title="part of the answers", ticksuffix=" %", rangemode="tozero")
    return styled(figure)


def weights_figure(found: Weights) -> go.Figure:
    """Fitted shares of the subspaces with their intervals."""
    figure = go.Figure(
        go.Bar(
            x=list(INSTRUMENTS), y=100 * found.shares,
            marker={"color": [COLOURS[name] for name in INSTRUMENTS]},
            error_y={"type": "data", "array": 100 * np.maximum(found.high - found.shares, 0),
                     "arrayminus": 100 * np.maximum(found.shares - found.low, 0), "color": INK},
        )
    )  # fmt: skip
    figure.update_yaxes(title="share of the weight", ticksuffix=" %", rangemode="tozero")
    return styled(figure)


def plan_figure(plans: pd.DataFrame) -> go.Figure:
    """Power against listeners, a line for each number of triplets; from ``planner.grid``."""
    figure = go.Figure()
    figure.add_hline(y=80, line={"color": GREY, "dash": "dot", "width": 1})
    for i, (triplets, rows) in enumerate(plans.groupby("triplets")):
        figure.add_scatter(
            x=rows["listeners"], y=100 * rows["power"], mode="lines+markers",
            name=f"{triplets} triplets, {rows['minutes'].iloc[0]:.0f} min",
            line={"dash": DASHES[i % len(DASHES)], "color": list(COLOURS.values())[i % 5]},
        )  # fmt: skip
    figure.update_xaxes(title="listeners")
    percent(figure, title="power")
    return styled(figure)


Papers = Sequence[Published]
_MADE: Final[Mapping[str, Callable[[Analysis, Papers], go.Figure | None]]] = {
    "agreement": lambda of, papers: agreement_figure(of, papers) if of.agreement.rows else None,
    "sureness": lambda of, _: sureness_figure(of) if of.sureness else None,
    "curve": lambda of, _: curve_figure(of) if len(of.curve.bins) else None,
    "mixed-model": lambda of, _: terms_figure(of) if of.mixed is not None else None,
    "ceiling": lambda of, _: ceiling_figure(of) if of.agreement.rows else None,
    "radar": lambda of, _: radar_figure(of) if len(of.spaces.table) else None,
    "spaces": lambda of, _: spaces_figure(of) if len(of.spaces.of()) else None,
    "exclusions": lambda of, _: exclusions_figure(of) if len(of.exclusions.excluded) else None,
    "times": lambda of, _: times_figure(of) if of.times.n > 1 else None,
}


def figure(name: str, found: Analysis, papers: Papers = ()) -> go.Figure | None:
    """One figure by the name of its file; None where these answers give none."""
    return _MADE[name](found, papers)


def figures(found: Analysis, papers: Papers = ()) -> Mapping[str, go.Figure]:
    """Every figure that these answers give, by the name of its file."""
    made = {name: figure(name, found, papers) for name in _MADE}
    return {name: drawn for name, drawn in made.items() if drawn is not None}
