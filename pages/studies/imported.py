"""Triplets that somebody brings along as a CSV file, with what is wrong line by line."""

from typing import Final

import pandas as pd
import streamlit as st

from listening_test.errors import StudyError
from pages.studies.form import Form

_EXAMPLE: Final = (
    "instrument,x_piece,a_piece,b_piece,x_start,a_start,b_start\n"
    "drums,Track00665,Track00671,Track00673,0,12.5,\n"
)


def imported(form: Form) -> None:
    """Draw the uploader and what was read, and keep it in the form."""
    rows = form.settings.triplets
    if not form.frozen:
        file = st.file_uploader(
            "CSV file of triplets", type=["csv", "tsv", "txt"], key=f"{form.key}-triplets",
            help="Columns: instrument, x_piece, a_piece, b_piece, and x_start, a_start, b_start in "
            "seconds. Where a start is empty, a place is drawn in which the instrument plays.",
        )  # fmt: skip
        if file is not None:
            from listening_test.protocols.imported import read_csv  # noqa: PLC0415 - loads torch

            try:
                rows = read_csv(file.getvalue())
            except StudyError as error:
                st.error(f"{file.name} was not taken:\n\n" + "\n\n".join(str(error).splitlines()))
        st.download_button("An example to fill in", _EXAMPLE, "triplets.csv", "text/csv",
                           type="tertiary", on_click="ignore", key="example")  # fmt: skip
    form.values["triplets"] = rows
    if rows:
        st.caption(f"{len(rows)} triplets")
        table = pd.DataFrame(list(rows)).drop(columns="line", errors="ignore")
        st.dataframe(table, hide_index=True, width="stretch", height=min(260, 38 * len(rows) + 40))
