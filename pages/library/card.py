"""One library: what it is, what is being done to it, and what may be."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pandas as pd
import streamlit as st

from csn.collecting import folder as places
from csn.collecting.assemble import ODD
from csn.collecting.shelf import Entry, delete, look, recordings, rename
from csn.collecting.work import Order, Status, read_status
from csn.errors import StemwiseError
from csn.home import demo as demo_folder
from csn.library import Library, split_uri
from pages import libraries
from pages.library import jobs
from pages.library.words import changes, kind, short, size, stage
from pages.search import models
from pages.studies.desk import plain

_NAMES_SHOWN: Final = 200


def card(entry: Entry) -> None:
    """A library of somebody's own."""
    with st.container(border=True, key=f"card-{entry.name}"):
        if entry.info:
            _head(entry)
        else:
            st.markdown(f"#### {plain(entry.name)}")
        if entry.status is not None or jobs.alive(entry.folder):
            _work(entry)
        elif entry.info:
            _stranger(entry)
            _update(entry)
            _problems(entry)


def demo() -> None:
    """The library that comes with the code: to look at, not to change."""
    folder = demo_folder() / "library"
    entry = look(folder)
    if not entry.info:
        return
    with st.container(border=True, key="card-demo"):
        left, right = st.columns([5, 3], vertical_alignment="center")
        left.markdown("#### demo")
        left.caption(_facts(entry))
        with right, st.container(horizontal=True, horizontal_alignment="right"):
            _open(libraries.DEMO)


def _head(entry: Entry) -> None:
    left, right = st.columns([5, 3], vertical_alignment="center")
    with left:
        st.markdown(f"#### {plain(entry.name)}")
        st.caption(_facts(entry))
    busy = entry.status is not None or jobs.alive(entry.folder)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        _open(entry.name)
        if not busy and st.button("Look for changes", key=f"look-{entry.name}"):
            jobs.forget(entry.folder)
            jobs.look(entry.folder, entry.uri, entry.info.get("split", ""))
        with st.popover("More", key=f"more-{entry.name}"):
            _more(entry)


def _stranger(entry: Entry) -> None:
    """Say so, if nothing new can be compared with this library here."""
    if models.file_of(entry.info["model"]) is not None:
        return
    try:
        Library.open(entry.folder).check(models.load(demo_folder() / "model.safetensors"))
    except StemwiseError as error:
        st.warning(plain(str(error)))


def _open(name: str) -> None:
    """To the maps."""
    st.link_button("Explore", f"{libraries.base()}/?library={quote(name)}", key=f"open-{name}")


def _facts(entry: Entry) -> str:
    info = entry.info
    stored = " · 16 bit" if info.get("stored") == "float16" else ""
    return (
        f"{info['pieces']:,} pieces · {info['segments']:,} segments of {info['length']:g} s · "
        f"{size(entry.size)}{stored} · model {info['model'][:8]}  \n"
        f"{plain(kind(entry.uri))}"
    )


def _work(entry: Entry) -> None:
    """Work that is under way, paused, or has failed."""
    status = entry.status or Status(Order(""))
    if jobs.alive(entry.folder):
        _under_way(entry.folder)
        return
    if status.step == "failed":
        st.error(plain(status.problem))
    elif status.step == "paused":
        st.info(f"Paused: {status.progress.done} of {status.progress.pieces} pieces done.")
    else:
        st.warning("It ended before it was done. What is done is kept.")
    with st.container(horizontal=True):
        again = "Try again" if status.step == "failed" else "Go on"
        if st.button(again, key=f"go-{entry.name}", type="primary"):
            jobs.go_on(entry.folder)
            st.rerun()
        if st.button("Cancel the update" if entry.info else "Remove", key=f"cancel-{entry.name}"):
            _try(partial(jobs.cancel, entry))


@st.fragment(run_every=1.0)
def _under_way(folder: Path) -> None:
    """How far it is; the page may be left meanwhile."""
    if not jobs.alive(folder):
        jobs.forget(folder)
        st.rerun()
        return
    status = read_status(folder) or Status(Order(""))
    maps = len([*places.coming(folder).glob(f"{places.MAPS}/*.npz")])
    part = status.progress.part if status.step == "embedding" else float(status.step == "maps")
    waiting = (places.partial(folder) / "pause").exists()
    words = "Pausing after this piece" if waiting else stage(status, maps)
    st.progress(part, text=words)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Pause", key=f"pause-{folder.name}", disabled=waiting,
            on_click=jobs.pause, args=(folder,),
        )  # fmt: skip
        if st.button("Cancel", key=f"cancel-{folder.name}"):
            _try(lambda: jobs.cancel(look(folder)))
        st.caption("You may leave this page; it goes on.")


def _update(entry: Entry) -> None:
    """What has changed in the folder, if somebody has looked."""
    found = jobs.looked(entry.folder)
    if found is None:
        return
    if not found.done:
        _looking(entry.folder)
        return
    if found.changes is None:
        st.error(plain(found.problem))
        st.caption("If the recordings have moved, say under *More* where they are now.")
        return
    moved = found.uri != entry.uri
    left, right = st.columns([5, 3], vertical_alignment="center")
    where = f"In {plain(short(split_uri(found.uri)[1]))}:  \n" if moved else ""
    left.markdown(f"{where}{changes(found.changes)}")
    if not (found.changes.any or moved):
        return
    names = [
        {"What": word, "Piece": name}
        for word in ("added", "changed", "moved", "deleted")
        for name in getattr(found.changes, word)
    ]
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        word = "Use this folder" if moved else "Update"
        if st.button(word, type="primary", key=f"update-{entry.name}"):
            _begin_update(entry, found.uri)
    if not names:
        return
    with st.expander("Which pieces"):
        st.dataframe(pd.DataFrame(names[:_NAMES_SHOWN]), hide_index=True, width="stretch")


@st.fragment(run_every=0.5)
def _looking(folder: Path) -> None:
    found = jobs.looked(folder)
    if found is None or found.done:
        st.rerun()
    st.caption("Looking through the folder …")


def _begin_update(entry: Entry, uri: str) -> None:
    file = models.file_of(entry.info["model"])
    if file is None:
        st.error(
            f"The model {entry.info['model'][:8]} that made this library is not on this computer; "
            "put its file into STEMWISE_HOME/models, or make a new library with another model."
        )
        return
    info = entry.info
    order = Order(
        uri, str(file), split=info.get("split", ""),
        length=info["length"], overlap=info["overlap"],
    )  # fmt: skip
    jobs.forget(entry.folder)
    jobs.begin(entry.folder, order)
    st.rerun()


def _problems(entry: Entry) -> None:
    """What was left out, as a table and as a file."""
    problems = [*entry.info.get(ODD, []), *entry.info["problems"]]
    if not problems:
        return
    with st.expander(f"Left out: {len(problems)}"):
        table = pd.DataFrame({"What is wrong": problems})
        st.dataframe(table, hide_index=True, width="stretch")
        st.download_button(
            "Download as CSV", table.to_csv(index=False).encode(), f"{entry.name}-left-out.csv",
            "text/csv", on_click="ignore", key=f"csv-{entry.name}",
        )  # fmt: skip


def _more(entry: Entry) -> None:
    name = st.text_input("Name", entry.name, key=f"name-{entry.name}")
    if st.button("Rename", key=f"rename-{entry.name}", width="stretch", disabled=not name):
        _try(partial(rename, entry, name))
    scheme, before = split_uri(entry.uri)
    if before != "demo":
        place = st.text_input(
            "Folder of recordings", short(before), key=f"folder-{entry.name}",
            help="Where they are now, if they have moved. Nothing is embedded again that is known.",
        )  # fmt: skip
        if st.button("Look there", key=f"there-{entry.name}", width="stretch"):
            _look_there(entry, scheme, place)
    st.caption(
        f"Vectors and maps, {size(entry.size)}. Deleted, they must be made again; the recordings "
        "stay in any case."
    )
    sure = st.checkbox("Delete this library", key=f"sure-{entry.name}")
    if sure and st.button("Delete for good", key=f"delete-{entry.name}", width="stretch"):
        _try(partial(delete, entry))


def _look_there(entry: Entry, scheme: str, place: str) -> None:
    """Compare with a folder that the recordings may have moved to."""
    try:
        uri = f"{scheme}{recordings(place)}"
    except StemwiseError as error:
        st.error(plain(str(error)))
        return
    jobs.forget(entry.folder)
    jobs.look(entry.folder, uri, entry.info.get("split", ""))
    st.rerun()


def _try(do: Callable[[], object]) -> None:
    """Do it and draw the page again; or say why not."""
    try:
        do()
    except StemwiseError as error:
        st.error(plain(str(error)))
        return
    jobs.forget_all()
    st.rerun()
