"""The query: a recording, the microphone, or a piece of the library; and which part of it."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from streamlit.runtime import get_instance
from streamlit.runtime.uploaded_file_manager import UploadedFile

from csn import query
from csn.errors import LibraryError
from csn.instruments import COLOURS, EMBEDDING, INSTRUMENTS
from csn.library import ACTIVITY
from csn.vectors import Floats
from pages import libraries
from pages.components.search import waveform
from pages.libraries import Opened
from pages.search import models
from pages.sound import levelled

RECORDING, MICROPHONE, LIBRARY = "A recording", "Microphone", "The library"
SOURCE, PART, PIECE = "search_source", "search_part", "search_piece"
FORMATS: Final = ("wav", "flac", "mp3", "ogg", "oga", "opus", "m4a", "aif", "aiff")
FIRST: Final = 10.0
"""Seconds of the part that is chosen at first."""

LENGTHS: Final = (3.0, 5.0, 10.0, 20.0, 30.0)

_HEARD: Final = "search_heard"
_KEPT: Final = 8  # parts of this visitor's recordings


@dataclass(frozen=True)
class Asked:
    """What is asked with.

    Attributes:
        title: for people.
        vector: [640] float32.
        clips: part (``mix`` or an instrument) → address of its sound.
        start: of the part, seconds.
        length: seconds.
        piece: of the library, which is left out of the answers; empty for a recording.
        silent: instruments that do not play in it, where that is known.
    """

    title: str
    vector: Floats
    clips: Mapping[str, str]
    start: float
    length: float
    piece: str = ""
    silent: tuple[str, ...] = ()


def ask(opened: Opened) -> Asked | None:
    """Draw the widgets of the query; None until there is one.

    Raises:
        StemwiseError: the sound cannot be used, in one sentence.
    """
    _from_address(opened)
    st.session_state.setdefault(SOURCE, RECORDING)
    source = st.segmented_control(
        "Ask with", (RECORDING, MICROPHONE, LIBRARY), default=st.session_state[SOURCE], key=SOURCE,
        required=True,
    )  # fmt: skip
    if source == LIBRARY:
        return _piece(opened)
    if source == MICROPHONE:
        given = st.audio_input("Hum, tap or play something", key="search_microphone")
    else:
        given = st.file_uploader("Drop in a song, a loop or a sketch", FORMATS, key="search_file")
    if given is None:
        st.session_state.pop(_HEARD, None)
        st.caption(
            "Whatever you upload or record is never saved: it stays in this app's memory until "
            "you remove it or close the page."
        )
        return None
    return _recording(opened, given, "Your recording" if source == MICROPHONE else given.name)


def use(piece: str, start: float) -> None:
    """Ask with a part of a piece of the library from now on."""
    st.session_state[SOURCE] = LIBRARY
    st.session_state[PIECE] = piece
    st.session_state[PART] = ("piece", piece, start, FIRST)


def clock(seconds: float) -> str:
    """``1:02`` or ``1:01:02``."""
    minutes, rest = divmod(int(seconds + 1e-6), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _from_address(opened: Opened) -> None:
    """An address with ``piece`` and ``at`` asks with them, once."""
    piece = st.query_params.get("piece")
    if piece is None:
        return
    try:
        use(piece, max(float(st.query_params.get("at", "0")), 0.0))
        query.rows_of(opened.library, piece, 0.0, 0.0)
    except (ValueError, LibraryError):
        st.warning("The address asks with a place that is not in this library.")
        del st.session_state[PIECE]
    finally:
        for name in ("piece", "at"):
            st.query_params.pop(name, None)


def _recording(opened: Opened, given: UploadedFile, name: str) -> Asked:
    """A part of a file; it lies on disk only while it is read."""
    heard: dict[Any, Any] = {
        key: value
        for key, value in st.session_state.get(_HEARD, {}).items()
        if key[0] == given.file_id
    }
    st.session_state[_HEARD] = heard  # nothing of a file that was there before
    library = opened.library
    if (given.file_id, "shape") not in heard:
        with _on_disk(given) as path:
            seconds = query.duration(path, name)
            heard[given.file_id, "shape"] = seconds, query.outline(path, name)
    seconds, peaks = heard[given.file_id, "shape"]
    start, length = _part(("file", given.file_id), seconds)
    key = (given.file_id, start, length, library.info["model"])
    if key not in heard:
        with st.spinner("Listening to it …", show_time=True), _on_disk(given) as path:
            model = models.of(library)
            segment = float(library.info["length"])
            part = query.read(path, name, model, start=start, length=length, segment=segment)
            heard[key] = part.vector, levelled(part.sound, part.rate)
        if len(heard) > _KEPT:
            del heard[list(heard)[1]]  # the first is the shape
    vector, wav = heard[key]
    address = libraries.base() + get_instance().media_file_mgr.add(wav, "audio/wav", "search")
    _wave(("file", given.file_id), [peaks.tolist()], seconds, (start, length), address)
    return Asked(_title(name, start, length), vector, {"mix": address}, start, length)


def _piece(opened: Opened) -> Asked:
    library = opened.library
    pieces = library.segments.drop_duplicates("piece").set_index("piece")["title"]
    titles = {str(piece): str(title or piece) for piece, title in pieces.items()}
    if st.session_state.get(PIECE) not in titles:
        st.session_state[PIECE] = next(iter(titles))
    piece = st.selectbox(
        "Piece", list(titles), list(titles).index(st.session_state[PIECE]),
        format_func=titles.__getitem__, key=PIECE,
    )  # fmt: skip
    table = library.segments
    own = table[table["piece"] == piece]
    seconds = float((own["start"] + own["length"]).max())
    start, length = _part(("piece", piece), seconds)
    rows = query.rows_of(library, piece, start, length)
    active = table.loc[rows, list(ACTIVITY)].max().to_numpy()
    silent = tuple(
        name for name, most in zip(INSTRUMENTS, active, strict=True) if most < query.PLAYS
    )
    clips = {part: clip(opened, piece, start, length, part) for part in ("mix", *INSTRUMENTS)}
    at = np.linspace(0, seconds, 240, endpoint=False)
    middle = own["start"] + own["length"] / 2
    lanes = [np.interp(at, middle, own[name].fillna(1.0)).tolist() for name in ACTIVITY]
    _wave(("piece", piece), lanes, seconds, (start, length), clips["mix"])
    vector = query.pool(library.vectors[rows, :EMBEDDING])
    return Asked(_title(titles[piece], start, length), vector, clips, start, length, piece, silent)


def clip(opened: Opened, piece: str, start: float, length: float, part: str) -> str:
    """The address of a clip of the library, at the loudness of all others."""
    asked = {"piece": piece, "start": f"{start:g}", "length": f"{length:g}", "level": "1"}
    asked["v"] = opened.version
    return f"{libraries.base()}/audio/{opened.name}/{part}?{urlencode(asked)}"


def _part(what: tuple[str, str], seconds: float) -> tuple[float, float]:
    """Start and length of the part that is chosen of this sound; the first at first."""
    chosen = st.session_state.get(PART)
    start, length = chosen[2:] if chosen and chosen[:2] == what else (0.0, FIRST)
    length = min(max(length, query.SHORTEST), query.LONGEST, seconds)
    return round(min(max(start, 0.0), seconds - length), 2), round(length, 2)


def _wave(
    what: tuple[str, str],
    lanes: list[list[float]],
    seconds: float,
    part: tuple[float, float],
    clip: str,
) -> None:
    """The waveform, or for a piece where each instrument plays.

    A choice on it is kept in the session before the page is drawn again.
    """
    key = f"search_wave_{what[1]}"

    def chosen() -> None:
        said = (st.session_state.get(key) or {}).get("part")
        if isinstance(said, Mapping):
            start, length = said.get("start"), said.get("length")
            if all(isinstance(x, int | float) and np.isfinite(x) for x in (start, length)):
                st.session_state[PART] = (*what, start, length)

    waveform(
        {
            "lanes": [[round(height, 3) for height in lane] for lane in lanes],
            "colours": list(COLOURS.values()),
            "duration": seconds,
            "start": part[0],
            "length": part[1],
            "lengths": [each for each in LENGTHS if each <= seconds] or [part[1]],
            "clip": clip,
        },
        key=key,
        on_part=chosen,
    )


@contextmanager
def _on_disk(given: UploadedFile) -> Iterator[Path]:
    """The bytes of an upload as a file, for as long as it is read."""
    with tempfile.TemporaryDirectory(prefix="stemwise-") as folder:
        path = Path(folder) / "query"
        path.write_bytes(given.getbuffer())
        yield path


def _title(name: str, start: float, length: float) -> str:
    return f"{name}, {clock(start)} – {clock(start + length)}"
