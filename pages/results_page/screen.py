"""The Results page: whose answers, what came out, and the parts that say more."""

from collections.abc import Callable
from typing import Final

import numpy as np
import streamlit as st

from csn.errors import StemwiseError
from pages.access import experimenter
from pages.results_page import focus, parts, plan, takeaway
from pages.results_page.parts import Looked
from pages.results_page.sources import UPLOAD, Source, analysed, keep, read, sources
from pages.studies.desk import figures, plain
from results.analysis import Analysis
from results.published import published
from results.tables import percent
from results.words import headline

_PARTS: Final[dict[str, Callable[[Looked], None]]] = {
    "Agreement": parts.agreement,
    "Ceiling": parts.possible,
    "Margins": parts.margins,
    "Habits": parts.habits,
    "Subspaces": parts.spaces,
    "Focus": focus.part,
    "Plan": plan.part,
    "Report": takeaway.part,
}
_CHOSEN: Final = "results-source"
_PART: Final = "results-part"


def page() -> None:
    """Draw the page; Streamlit calls it again whenever something changes."""
    st.html(_STYLE)
    name = experimenter()
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    left.title("Results")
    try:
        with right:
            source = _choose(name)
        if source is None:
            st.write("There are no answers to look at yet.")
            return
        _answers(source, name)
    except StemwiseError as error:
        st.error(str(error))


def _choose(name: str | None) -> Source | None:
    """Whose answers."""
    if name is not None:
        _upload()
    there = {source.key: source for source in sources(name)}
    if not there:
        return None
    asked = st.query_params.get("study", "")
    if st.session_state.get(_CHOSEN) not in there:
        st.session_state[_CHOSEN] = asked if asked in there else next(iter(there))
        if asked and asked not in there:
            st.warning("There is no such study here, or it has not been launched yet.")
    if st.session_state.pop("results-uploaded", False):
        st.session_state[_CHOSEN] = UPLOAD
    key = st.selectbox(
        "Answers of", list(there), list(there).index(st.session_state[_CHOSEN]),
        format_func=lambda key: there[key].label, key=_CHOSEN,
    )  # fmt: skip
    st.query_params["study"] = key
    return there[key]


def _upload() -> None:
    with st.popover("Upload an export"):
        file = st.file_uploader(
            "Answers from another computer", type=["zip", "csv", "parquet"], key="results-file",
            on_change=lambda: st.session_state.update({"results-uploaded": True}),
            help="The zip of an export, or its table of answers alone. It is written nowhere.",
        )  # fmt: skip
        if file is not None:
            try:
                keep(file, file.name)
            except StemwiseError as error:
                st.session_state.pop("results-uploaded", None)
                st.error(str(error))


def _answers(source: Source, name: str | None) -> None:
    tables = read(source)
    both = bool(tables.answers["excluded"].eq(True).any())
    everyone = both and st.session_state.get("results-everyone", False)
    found = analysed(source, tables, everyone=everyone)
    _head(source, found)
    if both:
        st.toggle(
            "Count the listeners whom the study's rules leave out, too", key="results-everyone"
        )
    if not found.n:
        return
    protocols = {own.protocol for own in tables.settings.values()}
    papers = published(protocols.pop()) if len(protocols) == 1 else ()
    look = Looked(source, tables, found, papers, name)
    asked = st.query_params.get("part", "").capitalize()
    if st.session_state.get(_PART) not in _PARTS:
        st.session_state[_PART] = asked if asked in _PARTS else "Agreement"
    part = st.segmented_control(
        "Part", list(_PARTS), key=_PART, default=st.session_state[_PART], required=True,
        label_visibility="collapsed",
    ) or "Agreement"  # fmt: skip
    st.query_params["part"] = part.lower()
    _PARTS[part](look)


def _head(source: Source, found: Analysis) -> None:
    """What came out, before anything else."""
    if found.simulated:
        st.warning("Simulated listeners: a rehearsal, and no result about people.")
    if source.version is not None and source.version.state == "live":
        st.info(
            "This study is still running. Whoever stops it when the figures look good will find "
            "effects that are not there; decide on its end beforehand."
        )
    if said := headline(found):
        st.markdown(f"### {plain(said)}")
    total, top = found.agreement.overall, found.ceiling
    if total is not None:
        shown = [
            ("Answers", f"{found.n:,}", "to triplets; practice, checks and repeats left aside"),
            ("Listeners", f"{found.listeners:,}", ""),
            ("Triplets", f"{found.triplets:,}", ""),
        ]
        if np.isfinite(top.majority):
            shown.append(
                (
                    "Possible",
                    f"{percent(top.majority)} %",
                    "the majority's choice: no model can agree more often",
                )
            )
        if np.isfinite(top.catch):
            shown.append(("Catch trials right", f"{percent(top.catch)} %", ""))
        figures(*shown)
    for note in found.warnings:
        if not (found.simulated and note.startswith("These listeners are simulated")):
            st.caption(note)


_STYLE: Final = """<style>
.stMainBlockContainer { max-width: 68rem; padding-top: 4.5rem; }
[class*="st-key-chart-"] { overflow-x: auto; }
:is(.st-key-chart-ceiling, .st-key-chart-mixed-model, .st-key-chart-radar) > .stElementContainer {
  min-width: 36rem;
}
.st-key-chart-spaces > .stElementContainer { min-width: 46rem; }
.wide { overflow-x: auto; }
.wide table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
.wide th, .wide td { padding: 3px 10px; text-align: right; white-space: nowrap; }
.wide th:first-child, .wide td:first-child { text-align: left; padding-left: 0; }
.wide thead { border-top: 2px solid; border-bottom: 1px solid; }
.wide tbody { border-bottom: 2px solid; }
p.note { opacity: 0.75; font-size: 0.875rem; max-width: 75ch; margin: 0.75rem 0 0; }
@media (max-width: 640px) { .stMainBlockContainer { padding: 4.5rem 1rem 3rem; } }
</style>"""
