"""The list of studies, and how a new one begins."""

from collections import defaultdict
from typing import Literal

import streamlit as st

from csn.errors import StemwiseError
from listening_test.store.progress import Progress, progress
from listening_test.store.rows import Study, Version
from listening_test.store.studies import archive, create_study, list_studies
from listening_test.study import PRESETS, Settings
from pages.studies.desk import badge, go, plain, store
from pages.studies.words import PRESET_LINES, PRESET_NAMES, ago, day, preset_facts


def overview(name: str) -> None:
    """Draw the list.

    Args:
        name: of the experimenter, who will have made what is made here.
    """
    everything = list_studies(store(), archived=True)
    shown = [(study, versions) for study, versions in everything if study.archived_at is None]
    away = [(study, versions) for study, versions in everything if study.archived_at is not None]
    if not shown:
        st.title("Your first study")
        st.write(
            "Listeners hear three sounds and say which of two is more like the first. "
            "Start from a published test, change what you like, and listen to it before anyone "
            "else does."
        )
        _begin(name)
    else:
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        left.title("Studies")
        with right, st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("New study", type="primary", key="new"):
                _new(name)
        rows = defaultdict(list)
        for row in progress(store()):
            rows[row.listener.version_id].append(row)
        for study, versions in shown:
            _card(study, versions, rows)
    if away:
        _archived(away)


def _begin(name: str) -> None:
    """The presets side by side, and a file."""
    for column, preset in zip(st.columns(len(PRESETS)), PRESETS, strict=True):
        with column, st.container(border=True, height="stretch", key=f"preset-{preset}"):
            st.markdown(f"#### {PRESET_NAMES[preset]}")
            st.write(PRESET_LINES[preset])
            st.caption(preset_facts(preset))
            first: Literal["primary", "secondary"] = (
                "primary" if preset == "recommended" else "secondary"
            )
            if st.button("Start from this", key=f"start-{preset}", type=first):
                _make(PRESETS[preset], name)
    file = st.file_uploader(
        "Import a study file", type="json", key="study_file",
        help="What somebody exported here or on another computer: the same test again.",
    )  # fmt: skip
    if file is not None:
        try:
            settings = Settings.from_json(file.getvalue())
        except StemwiseError as error:
            st.error(str(error))
            return
        _make(settings, name)


@st.dialog("New study", width="large")
def _new(name: str) -> None:
    _begin(name)


def _make(settings: Settings, name: str) -> None:
    made = create_study(store(), settings, name)
    go(study=made.study_id)


def _card(study: Study, versions: list[Version], rows: dict[int, list[Progress]]) -> None:
    """One study: its state and how far it has come."""
    newest = versions[0]
    with st.container(border=True, key=f"card-{study.id}"):
        left, right = st.columns([5, 3], vertical_alignment="center")
        with left:
            st.markdown(f"#### {plain(study.title) or 'Untitled study'} {badge(newest)}")
            st.caption(
                f"Version {newest.number} · {newest.settings.shown} trials · about "
                f"{newest.settings.minutes:.0f} minutes · by {plain(study.created_by)}, "
                f"{day(study.created_at)}"
            )
        with right, st.container(horizontal=True, horizontal_alignment="right",
                                 vertical_alignment="center"):  # fmt: skip
            st.markdown(_progress(versions, rows))
            if st.button("Open", key=f"open-{study.id}"):
                go(study=study.id)


def _progress(versions: list[Version], rows: dict[int, list[Progress]]) -> str:
    """How far the version is that people listen to, in a line."""
    heard = next((version for version in versions if version.state != "draft"), None)
    if heard is None:
        return ":gray[not launched yet]"
    here = [row for row in rows[heard.id] if row.withdrawn_at is None]
    if not here:
        return ":gray[nobody has come yet]"
    done = sum(row.finished_at is not None for row in here)
    wanted = heard.settings.listeners
    last = max((row.last_at for row in here if row.last_at is not None), default=None)
    words = f"**{done}** of {max(wanted, len(here)) if wanted else len(here)} finished"
    return words + (f"  \n:gray[last answer {ago(last)}]" if last else "")


def _archived(away: list[tuple[Study, list[Version]]]) -> None:
    with st.expander(f"Archived ({len(away)})"):
        for study, _ in away:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"{plain(study.title)} :gray[· {day(study.archived_at)}]")
                if st.button("Open", key=f"open-{study.id}", type="tertiary"):
                    go(study=study.id)
                if st.button("Bring back", key=f"back-{study.id}", type="tertiary"):
                    archive(store(), study.id, away=False)
                    st.rerun()
