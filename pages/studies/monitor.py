"""The part Listeners: who is there, how far they are, and what they leave behind."""

import time
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as draw
import streamlit as st

from listening_test.store.listeners import withdraw
from listening_test.store.progress import Progress, progress
from listening_test.store.rows import Version
from listening_test.store.tables import read_tables
from pages.studies.desk import figures, plain, store
from pages.studies.takeaway import takeaway
from pages.studies.words import ago

_EVERY: Final = 4.0  # seconds between two looks at a live study
_JUDGED_FOR: Final = 20.0  # seconds for which flags and exclusions are good
_COLUMNS: Final = {
    "No.": st.column_config.NumberColumn(width=50),
    "State": st.column_config.TextColumn(width=120),
    "Answers": st.column_config.TextColumn(width=80),
    "Last seen": st.column_config.TextColumn(width=110),
    "Excluded": st.column_config.TextColumn(width=250),
    "Flags": st.column_config.TextColumn(width=240, help="Hints; only rules exclude."),
    "Done": st.column_config.ProgressColumn(width=110, format="percent", min_value=0, max_value=1),
}


def part(version: Version) -> None:
    """Draw the part."""
    if version.state == "draft":
        st.info("Listeners appear here as soon as the study is launched and somebody comes.")
        return
    st.fragment(_live, run_every=_EVERY if version.state == "live" else None)(version)
    takeaway(version)


def _live(version: Version) -> None:
    """What changes while people listen."""
    rows = progress(store(), version)
    if not rows:
        st.info("Nobody has come yet. The links are under “Links”.")
        return
    here = [row for row in rows if row.withdrawn_at is None]
    judged = _judged(store().url, version.id, int(time.time() // _JUDGED_FOR))
    _totals(version, rows, judged)
    _rules(version)
    event = st.dataframe(
        listener_table(rows, judged), hide_index=True, width="stretch", on_select="rerun",
        key=f"listeners-{version.id}", selection_mode="single-row", column_config=_COLUMNS,
    )  # fmt: skip
    chosen = event["selection"]["rows"]
    if chosen and chosen[0] < len(rows):
        _one(rows[chosen[0]])
    else:
        st.caption("Choose a row to withdraw a listener. Flags are hints; only rules exclude.")
    if sum(row.finished_at is not None for row in here) > 1:
        _chart(here)


@st.cache_data(show_spinner=False, max_entries=16)
def _judged(database: str, version_id: int, moment: int) -> pd.DataFrame:
    """Flags and exclusions by listener; all answers are read for them, so not at every look."""
    del database, moment  # only tell one reading from another
    table = read_tables(store(), [version_id], events=False).listeners
    return table.set_index("listener_id")


def _totals(version: Version, rows: Sequence[Progress], judged: pd.DataFrame) -> None:
    here = [row for row in rows if row.withdrawn_at is None]
    finished = sum(row.finished_at is not None for row in here)
    wanted = version.settings.listeners
    under_way = [row.last_at for row in here if row.last_at and not row.finished_at]
    lately = sum(time.time() - last < 600 for last in under_way)
    figures(
        ("Finished", f"{finished} of {wanted}" if wanted else finished, ""),
        ("Listening now", lately, "An answer within the last ten minutes."),
        ("Begun", sum(row.started_at is not None for row in here), ""),
        ("Answers", f"{sum(row.answered for row in here):,}", ""),
        ("Excluded", int(judged["excluded"].sum()), "By the rules below."),
        ("Withdrawn", len(rows) - len(here), ""),
    )


def _rules(version: Version) -> None:
    """The rules that were stated before anybody listened."""
    rules = version.settings.exclusion
    said = [
        text
        for given, text in (
            (rules.catch, f"fewer than {rules.catch or 0:.0%} of the catch trials right"),
            (rules.fastest, f"a median answer below {rules.fastest or 0:g} s"),
            (rules.one_sided, f"more than {rules.one_sided or 0:.0%} of the answers on one side"),
            (rules.headphones or None, "headphone check not passed"),
        )
        if given is not None
    ]
    if said:
        st.caption("Left out of the analysis, as this study stated beforehand: " + "; ".join(said))
    else:
        st.caption("This study stated no rule of exclusion.")


def listener_table(
    rows: Sequence[Progress], judged: pd.DataFrame, now: float | None = None
) -> pd.DataFrame:
    """A row for each listener, excluded and withdrawn ones too.

    Args:
        rows: how far they have come.
        judged: the table ``listeners`` of the store, by ``listener_id``.
        now: seconds since 1970; the present by default.
    """
    named = any(row.listener.label or row.listener.external_id for row in rows)
    words = judged[["flags", "exclusion"]].fillna("").to_dict("index")
    table = pd.DataFrame(
        [
            {
                "No.": row.listener.number + 1,
                "Label": row.listener.label or row.listener.external_id or "",
                "State": row.state,
                "Done": row.answered / row.total if row.total else 0.0,
                "Answers": f"{row.answered} of {row.total}",
                "Last seen": ago(row.last_at, now),
                "Excluded": words.get(row.listener.id, {}).get("exclusion", ""),
                "Flags": words.get(row.listener.id, {}).get("flags", ""),
            }
            for row in rows
        ]
    )
    return table if named else table.drop(columns="Label")


def _one(row: Progress) -> None:
    """One listener, and withdrawal."""
    listener = row.listener
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        label = f" · {plain(listener.label)}" if listener.label else ""
        st.markdown(f"**Listener {listener.number + 1}**{label} :gray[· {row.state}]")
        if row.withdrawn_at is None and st.button("Withdraw…", key=f"out-{listener.id}"):
            _withdraw(row)
        left = row.withdrawn_at is not None and row.answered > 0
        if left and st.button("Erase the answers…", key=f"out-{listener.id}"):
            _withdraw(row)


@st.dialog("Withdraw this listener?")
def _withdraw(row: Progress) -> None:
    st.write(
        f"Listener {row.listener.number + 1} has given {row.answered} answers. Nothing of them "
        "will be exported or counted any more, and the link stops working."
    )
    reason = st.text_input("Reason, for the record", key="reason", max_chars=400)
    erase = st.checkbox(
        "Also erase the answers and the questionnaire for good", value=False, key="erase",
        help="When a person asks for it. It cannot be undone; earlier backups still hold them.",
    )  # fmt: skip
    sure = not erase or st.text_input("Type ERASE to go on", key="sure").strip() == "ERASE"
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel", key="withdraw-no"):
            st.rerun()
        word = "Withdraw and erase" if erase else "Withdraw"
        if st.button(word, type="primary", key="withdraw-yes", disabled=not sure):
            withdraw(store(), row.listener.id, reason=reason, erase=erase)
            st.rerun()


def _chart(rows: Sequence[Progress]) -> None:
    """Listeners who have finished, over time."""
    ends = sorted(row.finished_at for row in rows if row.finished_at is not None)
    figure: Any = draw.Figure(
        draw.Scatter(
            x=pd.to_datetime(ends, unit="s"), y=list(range(1, len(ends) + 1)),
            mode="lines+markers", line={"shape": "hv", "width": 2}, marker={"size": 5},
            hovertemplate="%{y} finished by %{x}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        height=200, margin={"l": 0, "r": 0, "t": 8, "b": 0},
        yaxis={"title": "finished", "rangemode": "tozero"},
    )  # fmt: skip
    st.plotly_chart(figure, key="finished", config={"displayModeBar": False})
