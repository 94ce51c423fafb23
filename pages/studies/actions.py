"""What may be done with a version: preview, launch, close, copy, export, put away."""

import streamlit as st

from csn.errors import StemwiseError
from listening_test.errors import StudyError
from listening_test.store.progress import progress
from listening_test.store.rows import Study, Version
from listening_test.store.studies import archive, close, launch, new_version, reopen
from pages.studies import preview
from pages.studies.desk import go, plain, store


def actions(study: Study, versions: list[Version], version: Version) -> None:
    """Draw the buttons that stand beside a version's title."""
    if version.prepared_at is not None and version.state != "closed":
        st.link_button("Preview as a listener", preview.link(version), key="preview")
    if version.state == "draft":
        if st.button("Launch…", type="primary", key="launch", disabled=version.prepared_at is None,
                     help=None if version.prepared_at else "Make the sounds first."):  # fmt: skip
            _launch(version)
    elif version.state == "live":
        if st.button("Close…", key="close"):
            _close(version)
    elif st.button("Reopen", key="reopen"):
        reopen(store(), version.id)
        st.rerun()
    with st.popover("More", key=f"more-{version.id}"):  # another version begins with it closed
        _more(study, versions, version)


def _more(study: Study, versions: list[Version], version: Version) -> None:
    name = "".join(c if c.isalnum() else "-" for c in version.settings.title.lower()).strip("-")
    st.download_button(
        "Export as a study file", version.settings.to_json(), f"{name or 'study'}.json",
        "application/json", key="export-study", on_click="ignore", width="stretch",
    )  # fmt: skip
    ready = version.prepared_at is not None and version.state != "closed"
    if ready and st.button("Preview from the start again", key="preview-again", width="stretch"):
        preview.another(version)
        st.rerun()
    draft = next((other for other in versions if other.state == "draft"), None)
    if draft is None and st.button("New version", key="new-version", width="stretch"):
        go(study=study.id, version=new_version(store(), version.id).number)
    for other in versions:
        if other.id != version.id and st.button(
            f"Show version {other.number} ({other.state})", key=f"v{other.id}", width="stretch"
        ):
            go(study=study.id, version=other.number)
    if study.archived_at is None:
        if st.button("Archive…", key="archive", width="stretch"):
            _archive(study)
    elif st.button("Bring back from the archive", key="unarchive", width="stretch"):
        archive(store(), study.id, away=False)
        st.rerun()


@st.dialog("Launch this study?")
def _launch(version: Version) -> None:
    settings = version.settings
    try:
        settings.check()
    except StudyError as error:
        st.warning(str(error))
        return
    st.markdown(
        f"**{plain(settings.title)}**, version {version.number}: {settings.shown} trials, about "
        f"{settings.minutes:.0f} minutes for each listener."
    )
    st.write(
        "From now on nothing about this version can be changed, so that every listener gets the "
        "same test. You can close it at any time, and change things in a new version."
    )
    if settings.minutes > 30:
        st.write("It is longer than half an hour; most listeners will tire.")
    if _confirmed("Launch and freeze", "launch"):
        launch(store(), version.id)
        go(study=version.study_id, version=version.number, part="links")


@st.dialog("Close this study?")
def _close(version: Version) -> None:
    rows = [row for row in progress(store(), version) if row.withdrawn_at is None]
    under_way = sum(row.finished_at is None and row.started_at is not None for row in rows)
    if under_way:
        one = under_way == 1
        st.write(
            f"{under_way} listener{' is' if one else 's are'} in the middle of it. "
            "What they have answered stays; on their next answer they are told that it has ended."
        )
    st.write("Nobody can begin or go on after that. All answers stay, and you can open it again.")
    if _confirmed("Close the study", "close"):
        close(store(), version.id)
        st.rerun()


@st.dialog("Archive this study?")
def _archive(study: Study) -> None:
    st.write(
        "It leaves the list and can be brought back from “Archived” there. No answer is removed."
    )
    if _confirmed("Archive", "archive"):
        try:
            archive(store(), study.id)
        except StemwiseError as error:
            st.warning(str(error))
            return
        go()


def _confirmed(word: str, key: str) -> bool:
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel", key=f"{key}-no"):
            st.rerun()
        return st.button(word, type="primary", key=f"{key}-yes")
