"""Tables that can be read on a phone, by a screen reader and in the dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import streamlit as st

from csn.instruments import COLOURS


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what stands in it.
        below: smaller, under it.
        tint: instrument in whose colour it is shaded; none if empty.
        share: how strongly, 0 to 1.
        strong: whether it stands out.
    """

    text: str
    below: str = ""
    tint: str = ""
    share: float = 0.0
    strong: bool = False


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str | Cell]],
    caption: str = "",
    below: str = "",
    words: bool = False,
) -> None:
    """Draw a table; its first column names the rows, instruments in their colour.

    Args:
        head: of the columns.
        rows: text or cells, as many as columns.
        caption: above it.
        below: a note under it.
        words: whether it holds words, to the left, rather than numbers.
    """
    first = "".join(f'<th scope="col">{_name(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{_name(row[0])}</th>{"".join(map(_cell, row[1:]))}</tr>'
        for row in rows
    )
    title = f"<p class=measured-title>{escape(caption)}</p>" if caption else ""
    note = f"<p class=measured-note>{escape(below)}</p>" if below else ""
    kind = "measured told" if words else "measured"
    region = f'<div class="{kind}" tabindex="0" role="region" aria-label="{escape(caption)}">'
    st.html(
        f"{title}{region}<table><thead><tr>{first}</tr></thead><tbody>{body}</tbody></table></div>"
        f"{note}"
    )


def _name(name: str | Cell) -> str:
    text = name.text if isinstance(name, Cell) else name
    dot = f'<i style="background:{COLOURS[text]}"></i>' if text in COLOURS else ""
    return dot + escape(text)


def _cell(cell: str | Cell) -> str:
    if isinstance(cell, str):
        return f"<td>{escape(cell)}</td>"
    style = ""
    if cell.tint in COLOURS:
        depth = round(10 + 45 * min(max(cell.share, 0.0), 1.0))
        colour = f"color-mix(in srgb, {COLOURS[cell.tint]} {depth}%, transparent)"
        style = f' style="background:{colour}"'
    below = f"<small>{escape(cell.below)}</small>" if cell.below else ""
    text = f"<b>{escape(cell.text)}</b>" if cell.strong else escape(cell.text)
    return f"<td{style}>{text}{below}</td>"


STYLE: Final = """<style>
.stMainBlockContainer { max-width: 75rem; padding-top: 4rem; }
.stMainBlockContainer h1 { padding: 0; font-size: 2.25rem; }
.st-key-model-part { margin-top: 1.25rem; }
.st-key-model-card table { display: block; overflow-x: auto; max-width: 100%; }
.measured { overflow-x: auto; }
.measured table { width: 100%; max-width: 54rem; border-collapse: separate;
  border-spacing: 2px; font-size: 0.875rem; font-variant-numeric: tabular-nums; line-height: 1.3; }
.measured-title { font-weight: 600; font-size: 0.9375rem; margin: 0.75rem 0 0.4rem; }
.measured th { font-weight: 500; text-align: right; padding: 0.35rem 0.6rem;
  white-space: nowrap; vertical-align: bottom; }
.measured thead th { font-size: 0.8125rem; opacity: 0.8; white-space: normal; max-width: 8rem; }
.measured th[scope=row], .measured thead th:first-child { text-align: left;
  padding-left: 0.1rem; }
.measured th[scope=row] { vertical-align: middle; }
.measured td { text-align: right; padding: 0.35rem 0.6rem; border-radius: 4px;
  white-space: nowrap; }
.measured tbody tr > * {
  border-bottom: 1px solid color-mix(in srgb, currentColor 10%, transparent); }
.measured small { display: block; font-size: 0.7rem; opacity: 0.75; }
.measured i { display: inline-block; width: 0.6rem; height: 0.6rem; border-radius: 50%;
  margin-right: 0.4rem; }
.told td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.measured-note { font-size: 0.8125rem; opacity: 0.75; margin: 0.4rem 0 0.75rem; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 4.25rem 1rem 3rem; }
  .stMainBlockContainer h4 { font-size: 1.05rem; line-height: 1.35; }
  .measured table { font-size: 0.75rem; border-spacing: 1px; }
  .measured th, .measured td { padding: 0.3rem 0.35rem; }
  .measured thead th { font-size: 0.7rem; }
  .measured th[scope=row] { white-space: normal; max-width: 7rem; }
  .measured th[scope=row]:has(i) { white-space: nowrap; }
}
</style>"""
