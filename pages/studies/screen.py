"""The Studies page: all studies, or one of them with its parts."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from csn.errors import StemwiseError
from listening_test.store.rows import Study, Version
from listening_test.store.studies import list_studies
from pages.access import require_experimenter
from pages.studies import actions, design, lab, links, monitor, overview, sounds
from pages.studies.desk import PART, STYLE, badge, go, plain, store
from pages.studies.words import day

_PARTS: Final[dict[str, Callable[[Version], Version | None]]] = {
    "Design": design.part,
    "Sounds": sounds.part,
    "Links": links.part,
    "Listeners": monitor.part,
    "Lab": lab.part,
}


def page() -> None:
    """Draw the page; Streamlit calls it again whenever something changes."""
    name = require_experimenter()
    st.html(STYLE)
    try:
        wanted = st.query_params.get("study", "")
        if wanted:
            _study(wanted)
        else:
            overview.overview(name)
    except StemwiseError as error:
        st.error(str(error))


def _study(wanted: str) -> None:
    """One study; its newest version unless the address names another."""
    everything = list_studies(store(), archived=True)
    found = next(((s, versions) for s, versions in everything if str(s.id) == wanted), None)
    if found is None:
        st.warning("There is no such study; it may have been opened on another computer.")
        _back()
        return
    study, versions = found
    number = st.query_params.get("version", "")
    version = next((v for v in versions if str(v.number) == number), versions[0])
    _back()
    head = st.container(key="study-head", gap="small")
    chosen = _chosen(version, [name for name in _PARTS if name != "Lab" or version.settings.lab])
    version = _PARTS[chosen](version) or version
    with head:  # drawn last, because what was just changed belongs in it
        _header(study, versions, version)


def _back() -> None:
    if st.button("← All studies", type="tertiary", key="back"):
        go()


def _chosen(version: Version, names: list[str]) -> str:
    key = f"{PART}{version.id}"
    asked = st.query_params.get("part", "").capitalize()
    first = asked if asked in names else "Design" if version.state == "draft" else "Listeners"
    if st.session_state.get(key) not in names:
        st.session_state[key] = first
    part = (
        st.segmented_control(
            "Part", names, key=key, default=st.session_state[key], required=True,
            label_visibility="collapsed",
        )
        or first
    )  # fmt: skip
    st.query_params["part"] = part.lower()
    return part


def _header(study: Study, versions: list[Version], version: Version) -> None:
    settings = version.settings
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        st.markdown(f"## {plain(settings.title) or 'Untitled study'} {badge(version)}")
        facts = [f"Version {version.number}", f"{settings.shown} trials",
                 f"about {settings.minutes:.0f} minutes"]  # fmt: skip
        if version.model:
            facts.append(f"model {version.model[:8]}")
        if version.launched_at:
            facts.append(f"launched {day(version.launched_at)}")
        if study.archived_at:
            facts.append("archived")
        if version.simulated:
            facts.append("simulated listeners only")
        st.caption(" · ".join(facts))
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        actions.actions(study, versions, version)
