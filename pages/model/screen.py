"""The Model page: what a model can do, at a glance, and below it every table and figure."""

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from csn.card import Card
from csn.instruments import INSTRUMENTS
from csn.measures import Measures
from pages.model import about, charts, criteria, places, sections, sheets, takeaway, words
from pages.model.desk import CONFIG, choice, first, missing
from pages.model.places import Place
from pages.model.table import STYLE
from pages.model.words import average
from pages.studies.desk import plain

_PARTS: Final = {
    "tests": "All tests",
    "leakage": "Leakage",
    "probes": "What it knows",
    "recipes": "Recipes",
    "individual": "Individual networks",
    "card": "Card",
}


def page() -> None:
    """Draw the page; Streamlit calls it again whenever something changes."""
    st.html(STYLE)
    st.title("Model")
    place = _place()
    found, card = places.measures(place), places.card(place)
    _warnings(place, found, card)
    shipped = place.name == places.SHIPPED
    here = words.RENDERED if shipped else words.HERE
    _first(found, card, shipped)
    part = choice("Part", _PARTS, "part")
    if part == "tests":
        sections.tests(found, here)
    elif part == "leakage":
        sections.leakage(found, here)
    elif part == "probes":
        sections.probes(found, here)
    elif part == "recipes":
        sections.recipes(found, here)
    elif part == "individual":
        criteria.individual(found, here)
    else:
        about.card(place, card)
    st.divider()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Everything (ZIP)",
            lambda: takeaway.everything(place, _sheets(found, here), _figures(found, here)),
            f"model-{place.name}.zip", "application/zip", on_click="ignore", key="everything",
        )  # fmt: skip
        st.caption(
            "Every table as CSV, figures as HTML and JSON, and the measures' own files. "
            + words.PAPERS
        )


def _place() -> Place:
    there = places.places()
    if len(there) == 1:
        return next(iter(there.values()))
    names = {name: "the shipped model" if name == places.SHIPPED else plain(name) for name in there}
    return there[choice("Model", names, "measured", pills=True)]


def _warnings(place: Place, found: Measures, card: Card | None) -> None:
    """What is broken, and what belongs to another model."""
    for problem in found.problems:
        st.warning(plain(problem))
    foreign = found.of_others(card.hash) if card else []
    if foreign:
        names = ", ".join(plain(words.title(name)) for name in sorted(set(foreign)))
        st.warning(
            f"Measured with another model than the one shown ({card.hash[:8] if card else ''}): "
            f"{names}. Measure again, or take these files away."
        )


def _first(found: Measures, card: Card | None, shipped: bool) -> None:
    """The sentence, the chart that people look at first, and what the model is."""
    tests = words.in_order(found.pseudo_mixes)
    if tests:
        st.markdown(f"#### {words.lead(found.pseudo_mixes[tests[0]])}")
        hardest = min(tests, key=lambda t: average(found.pseudo_mixes[t].scores, "model") or 0)
        mean = average(found.pseudo_mixes[hardest].scores, "model")
        if len(tests) > 1 and mean is not None:
            st.markdown(
                f"Hardest for it: **{words.title(hardest).lower()}**, "
                f"{words.percent(mean)} on average over the instruments."
            )
    if shipped:
        st.caption(words.NOT_SLAKH)
    left, right = st.columns([5, 2], gap="large")
    with left:
        if not tests:
            missing("pseudo-mixes", "How well it hears is")
        else:
            titles = {name: words.title(name) for name in tests}
            test = choice("Test", titles, "test", pills=True)
            measure = found.pseudo_mixes[test]
            st.markdown(words.sentence(test, measure))
            st.plotly_chart(
                charts.hearing(measure.scores), key="hearing", config=CONFIG,
                alt=_said(measure.scores["model"]),
            )  # fmt: skip
    with right:
        about.facts(card, shipped)


def _said(scores: Mapping[str, Any]) -> str:
    """The chart in words, for screen readers."""
    told = [f"{name} {words.percent(s.mean)}" for name in INSTRUMENTS if (s := scores.get(name))]
    return f"Right answers by instrument: {', '.join(told)}."


def _sheets(found: Measures, here: str) -> sheets.Sheets:
    return {
        **sheets.tests(found),
        **sheets.leakage(dict(found.leakage)),
        **sheets.probes(first(found.probes)),
        **sheets.recipes(first(found.ablation), here),
        **sheets.individual(first(found.individual)),
    }


def _figures(found: Measures, here: str) -> dict[str, Any]:
    return {
        **sections.hearing_figures(found, here),
        **sections.leakage_figures(found, here),
        **sections.recipe_figures(found, here),
        **criteria.figures(found, here),
    }
