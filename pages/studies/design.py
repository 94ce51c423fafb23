"""The part Design: the form, and beside it what the study amounts to."""

import time

import streamlit as st

from listening_test.errors import StudyError
from listening_test.store.rows import Version
from listening_test.store.studies import save_draft
from listening_test.study import Settings
from pages.studies import form, sections
from pages.studies.desk import go, plain, store
from pages.studies.words import arithmetic, differences, paper


def part(version: Version) -> Version:
    """Draw the part; every change is in the database when it returns.

    Returns:
        The version with what was just changed.
    """
    frozen = version.state != "draft"
    if frozen:
        st.info("This version was launched and stays as it is. “New version” makes a draft of it.")
    left, right = st.columns([2, 1], gap="large")
    with left:
        settings = form.edit(version.id, version.settings, sections.draw, frozen=frozen)
    before = version.settings
    if settings != before and not frozen:
        version = save_draft(store(), version.id, settings)
        st.session_state["saved_at"] = time.time()
    if form.drawn_anew() or sections.shape(settings) != sections.shape(before):
        st.rerun()
    with right, st.container(key="at-a-glance"):
        _glance(version)
    return version


def _glance(version: Version) -> None:
    """Length, problems, and what differs from the paper."""
    settings = version.settings
    with st.container(border=True):
        trials, minutes = st.columns(2, wrap=False)
        trials.metric("Trials", settings.shown)
        minutes.metric("Minutes, about", f"{settings.minutes:.0f}")
        st.caption(arithmetic(settings))
        if settings.minutes > 30:
            st.caption(
                "**Longer than half an hour:** careful listening tires. Fewer sets for each "
                "listener and more listeners ask as much."
            )
        complete = _verdict(settings)
        if version.state == "draft":
            if version.prepared_at is not None:
                st.caption("The sounds are made from exactly these settings.")
            elif complete and st.button("Next: make the sounds", key="next", type="primary"):
                go(study=version.study_id, version=version.number, part="sounds")
            saved = st.session_state.get("saved_at")
            when = f" · {time.strftime('%H:%M:%S', time.localtime(saved))}" if saved else ""
            st.caption(f"Every change is saved at once{when}")
    found = paper(settings)
    if found is not None:
        lines = differences(settings)
        short = found[0]
        with st.container(border=True):
            if lines:
                st.markdown(f"**Differs from {short}**")
                st.markdown("\n".join(f"- {plain(line)}" for line in lines))
            else:
                st.markdown(f"**As published: {short}**")
                st.caption("Every setting that the paper states has the paper's value.")


def _verdict(settings: Settings) -> bool:
    """Say what is still missing, or that nothing is; returns whether nothing is."""
    try:
        settings.check()
    except StudyError as error:
        st.warning(str(error))
        return False
    st.success("Nothing is missing.")
    return True
