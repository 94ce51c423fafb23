"""Whose answers are looked at: a study's, an uploaded export's, or the demo's."""

import hashlib
from dataclasses import dataclass
from typing import BinaryIO, Final

import streamlit as st

from csn.home import demo
from listening_test.store.loading import load_tables
from listening_test.store.progress import stamps
from listening_test.store.rows import Version
from listening_test.store.studies import list_studies
from listening_test.store.tables import Tables, read_tables
from pages.studies.desk import store
from results.analysis import Analysis, analyse

DEMO: Final = "demo"
UPLOAD: Final = "upload"
_KEPT, _FOUND = "results-upload", "results-upload-analysis"


@dataclass(frozen=True)
class Source:
    """Answers that can be looked at.

    Attributes:
        key: as it stands in the address: ``demo``, ``upload``, or study and version, ``3.1``.
        label: what people call it.
        stamp: changes whenever the answers do.
        version: of a study in the database; else None.
    """

    key: str
    label: str
    stamp: str
    version: Version | None = None


def sources(name: str | None) -> list[Source]:
    """Everything that somebody may look at, studies with answers first.

    Args:
        name: of the experimenter; visitors, None, see the demo alone.
    """
    found = []
    if name is not None:
        found = _studies()
        if _KEPT in st.session_state:
            digest, file, _ = st.session_state[_KEPT]
            found.append(Source(UPLOAD, f"Uploaded: {file}", digest))
    if (demo() / "study").is_dir():
        found.append(Source(DEMO, "Demo: simulated listeners", "demo"))
    return found


def read(source: Source, *, events: bool = False) -> Tables:
    """The answers.

    Args:
        source: whose.
        events: whether the (long) table of events is wanted, too; a report has it.

    Raises:
        StoreError: they cannot be read.
    """
    if source.key == UPLOAD:
        kept: Tables = st.session_state[_KEPT][2]
        return kept
    if events and source.version is not None:
        return read_tables(store(), [source.version.id])
    return _read(_where(source), source.key, source.stamp, source.version)


def analysed(source: Source, tables: Tables, *, everyone: bool) -> Analysis:
    """What they mean; each part is found out when somebody first looks at it.

    Raises:
        ResultsError: people and simulated listeners are in one table.
    """
    if source.key == UPLOAD:  # the app's own cache would keep it after the tab was closed
        key = (source.stamp, everyone)
        kept: dict[tuple[str, bool], Analysis] = st.session_state.setdefault(_FOUND, {})
        if key not in kept:
            kept.clear()
            kept[key] = analyse(tables.answers, everyone=everyone)
        return kept[key]
    return _analysed(_where(source), source.key, source.stamp, everyone, tables)


def keep(file: BinaryIO, name: str) -> None:
    """Read an upload; it stays until the browser's tab is closed, and is written nowhere.

    Raises:
        StoreError: it is no export of answers.
    """
    file.seek(0)
    digest = hashlib.sha256(file.read()).hexdigest()
    if st.session_state.get(_KEPT, ("",))[0] != digest:
        st.session_state[_KEPT] = (digest, name, load_tables(file))


def _where(source: Source) -> str:
    """The database from which answers come; empty for those from elsewhere."""
    return store().url if source.version is not None else ""


def _studies() -> list[Source]:
    moved = stamps(store())
    return [
        Source(
            f"{study.id}.{version.number}",
            f"{study.title or 'Untitled study'} · version {version.number}",
            moved.get(version.id, ""),
            version,
        )
        for study, versions in list_studies(store(), archived=True)
        for version in versions
        if version.state != "draft"
    ]


@st.cache_resource(max_entries=4, show_spinner="Reading the answers")
def _read(database: str, key: str, stamp: str, _version: Version | None) -> Tables:
    del database, key, stamp  # they only tell one reading from another
    if _version is None:
        return load_tables(demo() / "study")
    return read_tables(store(), [_version.id], events=False, watched=False)


@st.cache_resource(max_entries=6, show_spinner="Looking at the answers")
def _analysed(database: str, key: str, stamp: str, everyone: bool, _tables: Tables) -> Analysis:
    del database, key, stamp
    return analyse(_tables.answers, everyone=everyone)
