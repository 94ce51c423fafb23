"""The part Focus: what matters to these listeners, as weights that Search can take."""

import streamlit as st

from csn.errors import StemwiseError
from listening_test.triplets import INPUTS
from pages.results_page.exhibit import exhibit
from pages.results_page.parts import Looked
from results import presets
from results.agreement import ALL
from results.data import instruments_of
from results.figures import weights_figure
from results.tables import percent, weights_table
from results.weights import Weights, fit_weights


def part(look: Looked) -> None:
    """Draw it."""
    st.markdown(
        "Five weights, fitted so that the nearer candidate is the one that listeners chose. "
        "Saved as a preset, they are a focus that Explore and Search offer."
    )
    with st.container(horizontal=True):
        asked = st.selectbox(
            "Answers about", [ALL, *instruments_of(look.found.answers)], width=200,
            format_func=lambda one: "everything" if one == ALL else one, key="focus-asked",
        )  # fmt: skip
        source = st.selectbox("The model hears the", INPUTS, width=200, key="focus-input")
    try:
        found = _fitted(
            look.source.key, look.source.stamp, look.found.everyone, asked, source, look
        )
    except StemwiseError as error:
        st.info(str(error))
        return
    exhibit("weights", weights_table(found), weights_figure(found), says=_says(found), first=True)
    _keep(look, found)


@st.cache_resource(max_entries=16, show_spinner="Fitting a focus")
def _fitted(
    key: str, stamp: str, everyone: bool, asked: str, source: str, _look: Looked
) -> Weights:
    del key, stamp, everyone  # they only tell one table from another
    return fit_weights(_look.found.answers, asked, source)


def _says(found: Weights) -> str:
    held = {one.name: one.share for one in found.held}
    better = found.gain.low > 0
    words = "better than" if better else "not demonstrably better than"
    said = (
        f"On answers that were held out, the fitted focus agrees with {percent(held['fitted'])} %: "
        f"{words} weighing all instruments alike ({percent(held['equal'])} %)."
    )
    if "own" in held:
        said += f" The asked instrument's own subspace agrees with {percent(held['own'])} %."
    return said


def _keep(look: Looked, found: Weights) -> None:
    if look.name is None:
        st.caption(
            "Experimenters who are signed in can save it as a preset for Explore and Search."
        )
        return
    with st.form("focus-preset", border=False), st.container(
        horizontal=True, vertical_alignment="bottom"
    ):  # fmt: skip
        name = st.text_input("Name of the preset", max_chars=60, key="focus-name", width=280)
        wanted = st.form_submit_button("Save as preset", type="primary")
    if not wanted:
        return
    first = look.found.answers.iloc[0]
    preset = presets.of_weights(
        name.strip(), found, str(first["study"]), simulated=look.found.simulated,
        model=str(first["model"]),
    )  # fmt: skip
    try:
        presets.save(preset)
        st.success(f"Saved: {preset.name}. Explore and Search offer it from now on.")
    except StemwiseError as error:
        st.error(str(error))
