"""Which segments may be found at all: by tempo, key, groove and whatever else a library knows."""

from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from csn import query
from csn.library import Library
from csn.vectors import Mask

_TAGS: Final = {
    "key": "Key", "groove": "Groove", "groove_file": "Groove file", "signature": "Signature",
    "source": "Source", "split": "Split",
}  # fmt: skip
_MOST: Final = 500  # values of a tag that can be chosen from
_HIDDEN: Final = {"piece", "title", "start", "length", "tempo", "seed", "licence", "absent"}


def options(table: pd.DataFrame) -> dict[str, list[str]]:
    """The tags of a library by which pieces differ, with their values."""
    others = [
        name for name in table.columns
        if name not in _TAGS and name not in _HIDDEN and "_" not in name
    ]  # fmt: skip
    found = {}
    for name in (*_TAGS, *others):
        if name in table:
            values = sorted({str(value) for value in table[name].dropna().unique()} - {""})
            if 1 < len(values) <= _MOST:
                found[name] = values
    return found


def allowed(library: Library, weights: tuple[float, ...]) -> tuple[Mask, int]:
    """Draw the filters.

    Returns:
        [segments] bool, True for what may be found; and how many filters are in use.
    """
    table = library.segments
    mask = np.ones(len(table), np.bool_)
    used = 0
    wanted = query.leaders(weights)
    if wanted and st.toggle(f"Only where {_and(wanted)} can be heard", True, key="search_playing"):
        mask &= query.playing(library, wanted)
    tempos = table["tempo"].dropna()
    if tempos.nunique() > 1:
        low, high = float(np.floor(tempos.min())), float(np.ceil(tempos.max()))
        first, last = st.slider(
            "Tempo, BPM", low, high, (low, high), step=1.0, format="%d", key="search_tempo"
        )
        if (first, last) != (low, high):
            mask &= table["tempo"].between(first, last).to_numpy()
            used += 1
    for name, values in options(table).items():
        chosen = st.multiselect(
            _TAGS.get(name, name.capitalize()), values, key=f"search_tag_{name}",
            placeholder="any",
        )  # fmt: skip
        if chosen:
            mask &= table[name].astype(str).isin(chosen).to_numpy()
            used += 1
    return mask, used


def _and(words: tuple[str, ...]) -> str:
    """``drums``, ``drums and bass``, ``drums, bass and piano``."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
