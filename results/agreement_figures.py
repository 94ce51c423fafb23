"""Figures of agreement with the model: the papers' tables and bars, and exclusions."""

from collections.abc import Sequence

import plotly.graph_objects as go

from results.agreement import ALL, TOTAL, Share
from results.analysis import Analysis
from results.figure_style import GREY, INK, SET_NAMES, SYMBOLS, colour, percent, styled
from results.published import Published


def _bars(rows: Sequence[Share]) -> dict[str, object]:
    up = [100 * (row.high - row.share) for row in rows]
    down = [100 * (row.share - row.low) for row in rows]
    return {"type": "data", "array": up, "arrayminus": down, "thickness": 2, "width": 5}


def agreement_figure(found: Analysis, papers: Sequence[Published] = ()) -> go.Figure:
    """Table 3 or 4 as points with clustered intervals; the papers' plain ones thin beside them.

    Args:
        found: the analysis.
        papers: published percentages, drawn as open symbols.
    """
    rows = [row for row in found.agreement.rows if row.instrument != ALL]
    names = list(dict.fromkeys(row.instrument for row in rows))
    sets = [name for name in SYMBOLS if any(row.set == name for row in rows)]
    figure = go.Figure()
    figure.add_hline(y=50, line={"color": GREY, "dash": "dot", "width": 1})
    for k, which in enumerate(sets):
        own = [row for row in rows if row.set == which]
        at = [names.index(row.instrument) + (k - (len(sets) - 1) / 2) * 0.24 for row in own]
        figure.add_scatter(
            x=[x + 0.07 for x in at], y=[100 * row.share for row in own], mode="markers",
            marker={"size": 10, "color": GREY, "symbol": "line-ns-open"}, hoverinfo="skip",
            error_y={"type": "data", "array": [100 * row.plain for row in own], "color": GREY,
                     "thickness": 1, "width": 3},
            name="plain interval, as in the papers", legendgroup="plain", showlegend=k == 0,
        )  # fmt: skip
        figure.add_scatter(
            x=at, y=[100 * row.share for row in own], mode="markers", showlegend=False,
            marker={"symbol": SYMBOLS[which], "size": 11, "line": {"color": INK, "width": 1},
                    "color": [colour(row.instrument) for row in own]},
            error_y=_bars(own) | {"color": INK},
            hovertext=[f"{row.instrument}, {SET_NAMES[which]}: {100 * row.share:.1f} % of {row.n}"
                       for row in own],
            hoverinfo="text",
        )  # fmt: skip
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=SET_NAMES[which],
            marker={"symbol": SYMBOLS[which], "size": 11, "color": INK},
        )  # fmt: skip
        printed = [
            (names.index(one.instrument) + (k - (len(sets) - 1) / 2) * 0.24 - 0.07, one.percent)
            for one in papers
            if one.set == which and one.instrument in names and one.percent is not None
        ]
        if printed:
            x, y = zip(*printed, strict=True)
            figure.add_scatter(
                x=x, y=y, mode="markers", name=f"{papers[0].paper}, published",
                legendgroup="papers", showlegend=which == TOTAL,
                marker={"symbol": f"{SYMBOLS[which]}-open", "size": 8, "color": GREY},
            )  # fmt: skip
    figure.update_xaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[-0.6, len(names) - 0.4]
    )
    percent(figure)
    styled(figure, height=460)
    figure.update_layout(margin_t=90)  # the legend has two lines
    return figure


def sureness_figure(found: Analysis) -> go.Figure:
    """IND's figure 5: answers by agreement and confidence, stacked."""
    figure = go.Figure()
    kinds = (
        ("True +", "true_sure", "#1B7837", ""), ("True −", "true_unsure", "#A6DBA0", "/"),
        ("False −", "false_unsure", "#C2A5CF", "\\"), ("False +", "false_sure", "#762A83", "x"),
    )  # fmt: skip
    names = [bar.instrument for bar in found.sureness]
    for label, field, shade, pattern in kinds:
        counts = [getattr(bar, field) for bar in found.sureness]
        figure.add_bar(
            x=names, y=counts, name=label, text=counts,
            marker={"color": shade, "pattern": {"shape": pattern, "size": 5}},
        )  # fmt: skip
    figure.update_yaxes(title="answers")
    styled(figure)
    figure.update_layout(barmode="stack", legend_traceorder="normal")
    return figure


def exclusions_figure(found: Analysis) -> go.Figure:
    """Agreement by instrument with everyone, and without those the rules leave out."""
    figure = go.Figure()
    for name, both, symbol in (
        ("everyone", found.exclusions.everyone, "circle-open"),
        ("without the excluded", found.exclusions.kept, "square"),
    ):
        rows = both.totals
        figure.add_scatter(
            x=[row.instrument for row in rows], y=[100 * row.share for row in rows], name=name,
            mode="markers", error_y=_bars(rows) | {"thickness": 1.5},
            marker={"symbol": symbol, "size": 11, "color": [colour(r.instrument) for r in rows]},
        )  # fmt: skip
    figure.update_layout(scattermode="group", scattergap=0.7)
    percent(figure)
    return styled(figure)
