"""The parts of the page that show what is known; what does something has a file of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from csn.errors import StemwiseError
from listening_test.store.tables import Tables
from pages.results_page.exhibit import exhibit, telling
from pages.results_page.sources import Source
from results import words
from results.agreement import ALL
from results.analysis import Analysis, analyse
from results.figures import figure, spaces_figure
from results.published import Published
from results.tables import limits, percent, table
from results.votes import read_votes, score_votes


@dataclass(frozen=True)
class Looked:
    """What the page looks at.

    Attributes:
        source: whose answers they are.
        tables: the answers.
        found: what they mean.
        papers: published figures of the same kind of test.
        name: of the experimenter; None for a visitor.
    """

    source: Source
    tables: Tables
    found: Analysis
    papers: Sequence[Published]
    name: str | None


def _show(look: Looked, name: str, *, drawn: str = "", says: str = "", first: bool = False) -> None:
    found, papers = look.found, look.papers
    picture = figure(drawn, found, papers) if drawn else None
    exhibit(name, table(name, found, papers), picture, says=says, first=first)


def agreement(look: Looked) -> None:
    """How often listeners take what the model takes."""
    _show(look, "agreement", drawn="agreement", first=True)
    _show(look, "as-published")
    _show(look, "exclusions", drawn="exclusions")


def possible(look: Looked) -> None:
    """What any model could reach."""
    says = words.ceiling_words(look.found)
    _show(look, "ceiling", drawn="ceiling", says=says, first=True)


def margins(look: Looked) -> None:
    """What agreement depends on."""
    _show(look, "curve", drawn="curve", says=words.margin_words(look.found), first=True)
    _show(look, "mixed-model", drawn="mixed-model")


def habits(look: Looked) -> None:
    """How people answered."""
    _show(look, "behaviour", drawn="times", says=words.habits_words(look.found), first=True)
    _show(look, "confidence", drawn="sureness")


def spaces(look: Looked) -> None:
    """Which subspaces explain the answers."""
    key = f"results-baselines-{look.source.key}-{look.source.stamp}-{look.found.everyone}"
    found = st.session_state.get(key, look.found)
    exhibit(
        "radar", None, figure("radar", found), says=words.spaces_words(found), first=True,
        title="Which subspace explains answers about which instrument",
    )  # fmt: skip
    st.divider()
    asked = [str(one) for one in found.spaces.table["asked"].unique()] or [ALL]
    about = st.selectbox(
        "Answers about", asked, index=asked.index(ALL) if ALL in asked else 0, width=240,
        format_func=lambda one: "everything" if one == ALL else one, key="results-about",
    )  # fmt: skip
    drawn = spaces_figure(found, about) if len(found.spaces.of(about)) else None
    exhibit("spaces", table("spaces", found), drawn, first=True, folded=True)
    if not found.baselines:
        _baselines(look, key)
    _votes()


def _baselines(look: Looked, key: str) -> None:
    st.caption(
        "Do simpler systems explain the answers as well? Statistics of the spectrogram and an "
        "untrained network can listen to the same excerpts; that takes about a minute."
    )
    if not st.button("Let them listen", key="results-baselines"):
        return
    from results.baselines import study_baselines  # noqa: PLC0415 - torch takes seconds to load

    bar = st.progress(0.0, "Listening")
    try:
        others = study_baselines(look.tables, telling(bar))
        both = look.found.everyone
        st.session_state[key] = analyse(look.tables.answers, everyone=both, baselines=others)
    except StemwiseError as error:
        bar.empty()
        st.error(str(error))
        return
    st.rerun()


def _votes() -> None:
    with st.expander("Votes that others gathered (dim-sim and its like)"):
        file = st.file_uploader(
            "A CSV with votes and distances", type="csv", key="results-votes",
            help="Columns and their meaning: docs/results.md. It is written nowhere.",
        )  # fmt: skip
        if file is None:
            return
        try:
            rows = [
                {
                    "input": one.source, "subspaces": one.space, "score %": percent(one.score),
                    "95 % interval": limits(one.interval.low, one.interval.high), "n": one.n,
                }
                for one in score_votes(read_votes(file.getvalue()))
            ]  # fmt: skip
        except StemwiseError as error:
            st.error(str(error))
            return
        st.dataframe(rows, hide_index=True, width="content")
