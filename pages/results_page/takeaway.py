"""The part Report: everything in one folder, for a paper's table and its reviewer."""

import re
import time
from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from csn.errors import StemwiseError
from pages.results_page.exhibit import telling
from pages.results_page.parts import Looked
from pages.results_page.sources import read
from results.images import FORMATS
from results.r_script import r_script
from results.report import report_zip

_MADE = "results-report"


def part(look: Looked) -> None:
    """Draw it."""
    st.markdown(
        "#### Report\n"
        "One zip: a page that needs nothing else, every figure, every table as CSV and LaTeX, the "
        "answers with their codebook, and an R script that fits the mixed model again."
    )
    kinds = st.pills(
        "Figures as", FORMATS, selection_mode="multi", default=FORMATS, key="report-formats",
        format_func=str.upper,
    )  # fmt: skip
    others = st.checkbox(
        "Let statistics of the spectrogram and an untrained network judge, too (a minute more)",
        key="report-baselines",
    )
    what = (look.source.key, look.source.stamp, tuple(kinds), others)
    if st.button("Make the report", type="primary", key="report-go"):
        _make(look, what)
    done = st.session_state.get(_MADE)
    if done is not None and done[0] == what:
        _, name, packed, problems = done
        for sentence in problems:
            st.info(sentence)
        st.download_button(
            f"Download {name}.zip ({len(packed) / 1e6:.1f} MB)", packed, f"{name}.zip",
            "application/zip", on_click="ignore", key="report-download",
        )  # fmt: skip
    st.divider()
    st.markdown(
        "#### R script\nReads `answers.csv` of an export and fits the mixed model with lme4."
    )
    st.download_button(
        "mixed-model.R", r_script(), "mixed-model.R", "text/plain", on_click="ignore",
        key="report-r",
    )  # fmt: skip


def _make(look: Looked, what: tuple[str, str, tuple[str, ...], bool]) -> None:
    bar = st.progress(0.0, "Beginning")
    told = telling(bar)
    title = next((own.title for own in look.tables.settings.values()), "") or "answers"
    slug = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:40] or "answers"
    name = f"report-{slug}-{time.strftime('%Y-%m-%d')}"
    try:
        judged = _judged(look, told) if what[3] else None
        told("Reading everything", 0.0)
        answered = read(look.source, events=True)
        packed, problems = report_zip(
            answered, name, formats=what[2], baselines=judged, progress=told
        )
    except StemwiseError as error:
        st.error(str(error))
        return
    finally:
        bar.empty()
    st.session_state[_MADE] = (what, name, packed, problems)


def _judged(look: Looked, told: Callable[[str, float], None]) -> Mapping[str, pd.DataFrame]:
    from results.baselines import study_baselines  # noqa: PLC0415 - torch takes seconds to load

    return study_baselines(look.tables, told)
