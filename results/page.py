"""The report as one HTML file that needs nothing else: no network, no other file."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from results.tables import Table

STYLE: Final = """
:root { color-scheme: light; }
body { font: 16px/1.5 "Liberation Sans", Arial, Helvetica, sans-serif; color: #222;
  max-width: 960px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 20px; margin: 40px 0 8px; }
p.lead { color: #555; margin: 0 0 20px; }
ul.notes { background: #f6f6f3; padding: 12px 16px 12px 36px; border-radius: 6px; }
p.note { color: #555; font-size: 14px; max-width: 75ch; }
.simulated { border: 2px solid #b00; color: #b00; padding: 8px 12px; font-weight: 700; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 10px; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead { border-top: 2px solid #222; border-bottom: 1px solid #222; }
tbody { border-bottom: 2px solid #222; }
figure { margin: 0; }
@media print { body { max-width: none; padding: 0; font-size: 12px; } table { font-size: 10px; }
  h2 { break-after: avoid; } figure, tr, p { break-inside: avoid; }
  figure { zoom: 0.8; } .wide { overflow: visible; } .modebar { display: none; } }
"""

ORDER: Final = (
    ("agreement", "agreement"), ("as-published", None), ("exclusions", "exclusions"),
    ("confidence", "sureness"), ("mixed-model", "mixed-model"), ("curve", "curve"),
    ("ceiling", "ceiling"), ("spaces", "radar"), ("weights", "weights"), ("behaviour", "times"),
)  # fmt: skip
"""Tables and the figures above them, in the order of the page."""


def page(
    title: str,
    lead: str,
    notes: Sequence[str],
    tables: Mapping[str, Table],
    figures: Mapping[str, go.Figure],
    *,
    simulated: bool,
) -> str:
    """The whole page.

    Args:
        title: of the study.
        lead: a line below it.
        notes: sentences to read first.
        tables: by name; see ``ORDER``.
        figures: by name.
        simulated: whether the listeners are simulated, which stands above everything.
    """
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}: results</title><style>{STYLE}</style>",
        f"<script>{get_plotlyjs()}</script></head><body>" if figures else "</head><body>",
        f'<h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p>',
    ]
    if simulated:
        parts.append('<p class="simulated">Simulated listeners: no result about people.</p>')
    if notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in notes)
        parts.append(f'<ul class="notes">{items}</ul>')
    for name, drawn in ORDER:
        table = tables.get(name)
        if table is None:
            continue
        parts.append(f"<section><h2>{escape(table.title)}</h2>")
        wanted = [drawn, "spaces"] if name == "spaces" else [drawn]
        parts += [_figure(figures[key]) for key in wanted if key is not None and key in figures]
        parts.append(table_html(table))
        parts.append("</section>")
    return "\n".join([*parts, "</body></html>", ""])


def _figure(figure: go.Figure) -> str:
    drawn = figure.to_html(
        full_html=False, include_plotlyjs=False, config={"displaylogo": False, "responsive": False}
    )
    return f'<figure class="wide">{drawn}</figure>'


def table_html(table: Table) -> str:
    """A table and its note; wide ones scroll by themselves."""
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in table.shown.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in table.shown.itertuples(index=False)
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f"</div>{note}"
    )
