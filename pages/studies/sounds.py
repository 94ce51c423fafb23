"""The part Sounds: make what listeners will hear, and look at it before anybody else does."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st
from sqlalchemy import Row

from csn.errors import StemwiseError
from listening_test import background
from listening_test.errors import StudyError
from listening_test.store.rows import Version
from listening_test.store.studies import get_version, sound_rows, triplet_rows
from listening_test.triplets import ROLES
from pages import libraries
from pages.studies.desk import figures, go, plain, store

_COLUMNS: Final = {
    "Set": st.column_config.NumberColumn(width="small"),
    "d first": st.column_config.NumberColumn("d(x, first)", format="%.3f"),
    "d second": st.column_config.NumberColumn("d(x, second)", format="%.3f"),
    "Margin": st.column_config.NumberColumn(
        format="%.3f", help="Second distance minus first; above 0 the model takes the first."
    ),
}


def part(version: Version) -> Version:
    """Draw the part."""
    running = background.job(version.id)
    if running is not None and not running.done:
        _under_way(version.id)
        return version
    if running is not None:
        version = _ended(version, running)
    if version.prepared_at is None:
        _not_made(version)
    else:
        _made(version)
    return version


def _not_made(version: Version) -> None:
    """Say what happens next, and begin when asked."""
    settings = version.settings
    st.write(
        "Excerpts are chosen where the instrument really plays, brought to one loudness, and "
        "written to disk; the model's distances are written down before anybody listens."
    )
    if version.model:
        st.caption("The settings have changed since the sounds were made.")
    try:
        settings.check()
    except StudyError as error:
        st.warning(str(error))
        if st.button("Back to the design", key="to-design"):
            go(study=version.study_id, version=version.number, part="design")
        return
    if st.button(f"Make the sounds of {settings.asked} sets", type="primary", key="prepare"):
        _begin(version)
        st.rerun()


def _begin(version: Version) -> None:
    # The app may have a library that only it knows: the one it was started with.
    background.prepare(version.id, libraries.folders().get(version.settings.library))


@st.fragment(run_every=1.0)
def _under_way(version_id: int) -> None:
    """Show how far it is; the page may be left meanwhile."""
    running = background.job(version_id)
    if running is None or running.done:
        st.rerun()
        return
    words = " · ".join(part for part in (running.words, running.left) if part)
    st.progress(running.part, text=words)
    st.caption("You may leave this page; it goes on.")


def _ended(version: Version, ended: background.Job) -> Version:
    background.forget(version.id)
    if ended.problem:
        st.error(ended.problem)
    else:
        st.toast("The sounds are made.")
    return get_version(store(), version.id)


def _made(version: Version) -> None:
    """What was made: loudness, refusals, triplets with the model's view."""
    sounds = {row.id: row for row in sound_rows(store(), version.id)}
    triplets = triplet_rows(store(), version.id)
    asked = [row for row in triplets if not row.practice]
    excerpts = [row for row in sounds.values() if row.kind == "excerpt"]
    loudness = [row.loudness for row in excerpts]
    figures(
        ("Sets", len(asked), ""),
        ("Excerpts", len(excerpts), ""),
        ("Loudness, LUFS", f"{version.target:.1f}", "Integrated, BS.1770."),
        ("Spread, LU", f"{max(loudness) - min(loudness):.2f}", "From the softest to the loudest."),
        ("Highest peak, dBTP", f"{max(row.true_peak for row in excerpts):.1f}", ""),
    )
    if version.refusals:
        with st.expander(f"Not taken, and replaced by others: {len(version.refusals)}"):
            st.markdown("\n".join(f"- {plain(line)}" for line in version.refusals))
    titles = _titles(version)
    table = triplet_table(asked, sounds, titles)
    st.markdown("Choose a row to hear it.")
    event = st.dataframe(
        table, hide_index=True, width="stretch", height=420, key=f"triplets-{version.id}",
        on_select="rerun", selection_mode="single-row", column_config=_COLUMNS,
    )  # fmt: skip
    rows = event["selection"]["rows"]
    if rows:
        _triplet(version, asked[rows[0]], sounds, titles)
    if version.state == "draft" and st.button("Make the sounds again", key="again"):
        _begin(version)
        st.rerun()


def triplet_table(
    triplets: Sequence[Row[Any]], sounds: Mapping[int, Row[Any]], titles: Mapping[str, str]
) -> pd.DataFrame:
    """A row for each triplet: what is compared, and what the model hears in it."""

    def piece(sound: int) -> str:
        name = sounds[sound].piece or ""
        return titles.get(name, name)

    rows = []
    for one in triplets:
        roles = ROLES[one.protocol, one.set]
        pair = one.distances[one.source][one.space] if one.distances else (None, None)
        rows.append(
            {
                "No.": one.number,
                "Instrument": one.instrument,
                "Set": one.set,
                "Model": "" if one.model_choice is None else roles[one.model_choice],
                "Margin": one.margin,
                "x": piece(one.x_id),
                "First": f"{roles[0]}: {piece(one.first_id)}",
                "Second": f"{roles[1]}: {piece(one.second_id)}",
                "d first": pair[0],
                "d second": pair[1],
            }
        )
    table = pd.DataFrame(rows)
    if triplets and len({one.set for one in triplets}) == 1:
        table = table.drop(columns="Set")
    return table


def _triplet(
    version: Version, one: Row[Any], sounds: Mapping[int, Row[Any]], titles: Mapping[str, str]
) -> None:
    """Three players, and every distance that was written down."""
    roles = ROLES[one.protocol, one.set]
    names = ("x", *roles)
    for column, name, sound_id in zip(
        st.columns(3), names, (one.x_id, one.first_id, one.second_id), strict=True
    ):
        sound = sounds[sound_id]
        with column, st.container(border=True):
            st.markdown(f"**{name}** {plain(titles.get(sound.piece, sound.piece))}")
            st.audio(str(version.folder / sound.file), format="audio/flac")
            st.caption(f"{sound.part}, from {sound.start:.1f} s · {sound.loudness:.1f} LUFS")
    if one.distances:
        with st.expander("Every distance that was written down"):
            table = pd.DataFrame(
                [
                    {"Input": source, "Space": space, roles[0]: pair[0], roles[1]: pair[1]}
                    for source, spaces in one.distances.items()
                    for space, pair in spaces.items()
                ]
            )
            st.dataframe(table, hide_index=True, width="stretch")


def _titles(version: Version) -> dict[str, str]:
    """Titles of the pieces by their ids; ids are shown where the library is gone."""
    try:
        segments = libraries.find(version.settings.library).library.segments
    except StemwiseError:
        return {}
    pairs = segments[["piece", "title"]].drop_duplicates("piece")
    return dict(zip(pairs["piece"], pairs["title"], strict=True))
