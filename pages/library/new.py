"""A new library: which folder, which model, and off it goes."""

from pathlib import Path
from typing import Final

import streamlit as st

from csn.collecting.shelf import place_for, recordings
from csn.collecting.work import Order
from csn.errors import StemwiseError
from csn.home import demo
from pages.library import jobs
from pages.library.words import LAYOUTS
from pages.search import models
from pages.studies.desk import plain

_LENGTHS: Final = (3.0, 5.0, 10.0)


OPEN: Final = "library_new"
"""In the session: whether somebody is asked for a new library."""


def form() -> None:
    """Ask for everything that is needed; begins when all of it is good."""
    with st.container(border=True, key="new-form"):
        _form()


def _form() -> None:
    st.markdown("#### New library")
    place = st.text_input(
        "Folder of recordings", key="new-folder", placeholder="~/Music",
        help="On the computer that runs Stemwise. Folders within it are looked through, too.",
    )  # fmt: skip
    left, right = st.columns(2)
    suggested = Path(place.strip()).name if place.strip() else ""
    name = left.text_input("Name", key="new-name", placeholder=suggested or "My records")
    layout = right.selectbox(
        "What is in it", list(LAYOUTS), key="new-layout", format_func=lambda key: LAYOUTS[key],
        help="Stems lie in a folder for each piece: drums.wav, bass.wav, piano.wav, guitar.wav, "
        "others.wav. Slakh's layout is Track00001/stems/S00.flac with a metadata.yaml.",
    )  # fmt: skip
    files = models.files()
    model = left.selectbox("Model", files, key="new-model", format_func=_model_name)
    length = right.selectbox(
        "Segments", _LENGTHS, key="new-length", format_func=lambda s: f"{s:g} s each",
        help="The machine's unit; the model was trained on 3 s.",
    )  # fmt: skip
    half = st.checkbox(
        "Half the disk", key="new-half",
        help="Vectors as 16-bit numbers: 1.3 instead of 2.6 kB a segment.",
    )  # fmt: skip
    with st.container(horizontal=True):
        begun = st.button("Begin", type="primary", key="begin")
        st.button("Not now", key="not-now", on_click=lambda: st.session_state.pop(OPEN))
    if not begun:
        return
    try:
        folder = recordings(place)
        target = place_for(name or suggested or folder.name)
        models.load(model)  # says at once what is wrong with it
    except StemwiseError as error:
        st.error(plain(str(error)))
        return
    order = Order(f"{layout}{folder}", str(model), length=length, half=half)
    jobs.begin(target, order)
    del st.session_state[OPEN]
    st.rerun()


def _model_name(file: Path) -> str:
    return "The model that comes with Stemwise" if file.parent == demo() else file.stem
