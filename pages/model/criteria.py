"""IND's measures: do instruments make for different similarities of the same pieces?"""

from typing import Any

import streamlit as st

from csn.instruments import INSTRUMENTS
from csn.measures import Criteria, Individual, Measures
from csn.published import IND_TABLES
from pages.model import charts, sheets, takeaway
from pages.model.desk import choice, first, missing, squares
from pages.model.table import Cell, table
from pages.model.words import SLAKH, spread

_FAMILIES = {
    "subspaces": "The model's subspaces, mixed sound",
    "pseudo-mixes": "The same, pseudo-mixes",
    "individual": "Individual networks, clean sound",
}
_VIEWS = {"distances": "Distances", "t-sne": "t-SNE", "umap": "UMAP"}


def individual(found: Measures, here: str) -> None:
    """Pictures first, then the tables."""
    st.markdown(
        "A network for each instrument hears clean stems; the model hears the mix alone. If "
        "instruments are criteria of their own, **the squares differ**: pieces whose drums are "
        "alike need not have similar basses."
    )
    measure = first(found.individual)
    if measure is None:
        missing("individual", "Individual networks are")
        return
    there = _views(found, measure)
    family = choice("Whose", {name: _FAMILIES[name] for name in there}, "whose", pills=True)
    view = choice("View", {name: _VIEWS[name] for name in there[family]}, "view")
    squares(_drawn(found, measure, family, view), f"{family}-{view}", _VIEWS[view])
    st.caption(_EXPLAINED.get(family) or _EXPLAINED[view])
    _tables(measure, family, here)
    takeaway.buttons("individual", sheets.individual(measure), lambda: figures(found, here))


_EXPLAINED = {
    "distances": "Cosine distance between the centroids of pieces, dark is near; rows and columns "
    "are the pieces, in one order everywhere (IND, figure 4).",
    "t-sne": "A dot is a three-second segment, in the colour of its piece; pictures lie about "
    "distances, the tables do not (IND, figure 3; CSN, figure 5).",
    "umap": "A dot is a three-second segment, in the colour of its piece; pictures lie about "
    "distances, the tables do not.",
    "pseudo-mixes": "A dot is ten seconds of a pseudo-mix: the colour is the piece in focus, the "
    "symbol the band behind it (CSN, figure 6).",
}


def _views(found: Measures, measure: Individual) -> dict[str, list[str]]:
    """Family to the views of it that can be drawn."""
    answer = {}
    for family in _FAMILIES:
        own = family == "individual" or (family == "subspaces" and measure.subspaces is not None)
        views = ["distances"] if own else []
        views += [view for view in ("t-sne", "umap") if found.pictures.get(f"{family}-{view}")]
        if views:
            answer[family] = views
    return answer


def _drawn(found: Measures, measure: Individual, family: str, view: str) -> dict[str, Any]:
    """Criterion to its square."""
    if view == "distances":
        return charts.heat_maps(_criteria(measure, family), measure.pieces)
    return charts.clouds(found.pictures[f"{family}-{view}"])


def _criteria(measure: Individual, family: str) -> Criteria:
    return measure.subspaces if family != "individual" and measure.subspaces else measure.networks


def _tables(measure: Individual, family: str, here: str) -> None:
    of, papers = _criteria(measure, family), IND_TABLES
    clean = family == "individual"
    rows: list[list[str | Cell]] = []
    for name, score in of.accuracy.items():
        ranks = of.ranks.get(name, ())
        row: list[str | Cell] = [
            name, Cell(spread(score.mean, score.sd), tint=name, share=score.mean / 100),
            spread(score.strict, score.strict_sd),
        ]  # fmt: skip
        floor = measure.floor.accuracy.get(name)
        row += [spread(floor.mean if floor else None)] if clean else []
        row += [" · ".join(f"{rank:.2f}" for rank in ranks) or "–"]
        row += [spread(papers["accuracy"].get(name))]
        row += [" · ".join(f"{r:.2f}" for r in papers["reciprocal_ranks"].get(name, ())) or "–"]
        rows.append(row)
    runs = max((score.runs for score in of.accuracy.values()), default=1)
    told = f"Mean ± deviation over {runs} seeds." if runs > 1 else "One seed."
    table(
        ["", "music ID", "strict", *(["statistics of the stem"] if clean else []), "MRR",
         f"music ID ({SLAKH})", f"MRR ({SLAKH})"],
        rows, f"Music ID, % right, and MRR ({here}, but for the last two columns)",
        f"{told} MRR: how high {'the mix' if clean else 'the whole'} puts the pieces that the "
        "instrument puts first, second and third.",
    )  # fmt: skip
    names = list(of.distances)
    for what, values in (("Pearson", of.pearson), ("Spearman", of.spearman)):
        table(
            ["", *names[1:]],
            [[a, *(_pair(values, a, b, names, papers[what.lower()]) for b in names[1:])]
             for a in names[:-1]],
            f"{what} correlation of distances between pieces ({here})",
            f"Small: the same between individual networks ({SLAKH}).",
        )  # fmt: skip


def _pair(values: Any, a: str, b: str, names: list[str], papers: Any) -> Cell:
    if names.index(b) <= names.index(a):
        return Cell("")
    value = values.get(f"{a}-{b}", values.get(f"{b}-{a}"))
    x, y = ("mix" if name == "whole" else name for name in (a, b))
    paper = papers.get(f"{x}-{y}", papers.get(f"{y}-{x}"))
    tint = b if b in INSTRUMENTS else a
    return Cell(
        spread(value, None, 2), spread(paper, None, 2) if paper is not None else "",
        tint, abs(value) if value is not None else 0,
    )  # fmt: skip


def figures(found: Measures, here: str) -> dict[str, Any]:
    """Every square of every family and view."""
    measure = first(found.individual)
    if measure is None:
        return {}
    return {
        f"{name}: {_VIEWS[view]}, {_FAMILIES[family]} ({here})": figure
        for family, views in _views(found, measure).items()
        for view in views
        for name, figure in _drawn(found, measure, family, view).items()
    }
