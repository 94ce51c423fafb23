"""What may be taken away: the answers as CSV and Parquet with a codebook, in one zip."""

import time
from functools import partial

import streamlit as st

from listening_test.store.export import export_zip
from listening_test.store.rows import Version
from listening_test.store.tables import read_tables
from pages.studies.desk import store


def takeaway(version: Version) -> None:
    """Draw the buttons; a file is made when its button is clicked."""
    st.markdown(
        "#### Take the answers away\n"
        ":gray[Answers, listeners, questionnaire and events, with a codebook. Excluded listeners "
        "are in every table, with the rule; previews and who withdrew are in none.]"
    )
    day = time.strftime("%Y-%m-%d")
    with st.container(horizontal=True):
        for label, formats in (
            ("Everything (CSV and Parquet)", ("csv", "parquet")),
            ("CSV only", ("csv",)),
            ("Parquet only", ("parquet",)),
        ):
            name = f"study-{version.study_id}-version-{version.number}-{day}.zip"
            st.download_button(
                label, partial(packed, version.id, formats), name, "application/zip",
                on_click="ignore", key=f"zip-{'-'.join(formats)}",
            )  # fmt: skip


def packed(version_id: int, formats: tuple[str, ...]) -> bytes:
    """The answers of a version as a zip."""
    return export_zip(read_tables(store(), [version_id]), formats)
