"""The part Links: one for everybody, or one for each listener; and a look beforehand."""

import csv
import io
from collections.abc import Iterable

import pandas as pd
import segno
import streamlit as st

from listening_test.store.listeners import invite, list_listeners
from listening_test.store.rows import Listener, Version
from pages.studies.desk import join_link, listener_link, only_here, site, store


def part(version: Version) -> None:
    """Draw the part."""
    if version.prepared_at is None:
        st.info("The links for listeners appear here when the sounds are made and it is launched.")
        return
    if version.state == "draft":
        st.info("The links for listeners appear here when the study is launched.")
        return
    if version.simulated:
        st.info("Only simulated listeners take part in this version; it has no links.")
        return
    if version.state == "closed":
        st.info("The study is closed; its links tell people so.")
    if only_here():
        st.warning(
            f"You opened Stemwise as {site()}, which only this computer can reach; the links below "
            "begin with it. Open this page by the address that your listeners will use."
        )
    _open(version)
    _personal(version)
    _panels(version)


def _open(version: Version) -> None:
    link = join_link(version)
    with st.container(border=True):
        st.markdown("#### One link for everybody\n:gray[Each who opens it becomes a new listener.]")
        left, right = st.columns([3, 1])
        with left:
            st.code(link, language=None, wrap_lines=True)
            wanted = version.settings.listeners
            st.caption(
                f"It lets {wanted} people in." if wanted else "It lets any number of people in."
            )
            st.download_button("QR code as SVG", qr(link), "listening-test.svg", "image/svg+xml",
                               on_click="ignore", key="qr")  # fmt: skip
        with right:
            st.image(qr(link), width=170, alt="QR code of the open link")


def qr(link: str) -> str:
    """A link as a QR code: SVG, dark on white, with its quiet zone."""
    out = io.BytesIO()
    segno.make(link, error="m", micro=False).save(out, kind="svg", scale=6, light="#fff")
    return out.getvalue().decode()


def _personal(version: Version) -> None:
    with st.container(border=True):
        st.markdown(
            "#### A link for each listener\n"
            ":gray[Whoever has the link is this listener, on any device, and comes back to the "
            "same place.]"
        )
        if version.state == "live":
            with st.form("invite", border=False, clear_on_submit=True):
                labels = st.text_area(
                    "Your own words for them, one a line", height=110, key="labels",
                    placeholder="Participant 1\nParticipant 2",
                )  # fmt: skip
                count = st.number_input("or how many", 1, 500, 10, key="count")
                if st.form_submit_button("Make the links"):
                    names = [line.strip() for line in labels.splitlines() if line.strip()]
                    invite(store(), version.id, count=int(count), labels=names)
        listeners = [one for one in list_listeners(store(), version.id) if one.external_id is None]
        if listeners:
            rows = link_rows(listeners)
            st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", column_config={
                "link": st.column_config.LinkColumn("Link"), "number": "No.", "label": "Label",
            })  # fmt: skip
            left, right = st.columns([1, 3])
            left.download_button("All links as CSV", as_csv(rows), "links.csv", "text/csv",
                                 on_click="ignore", key="links-csv")  # fmt: skip
            with right, st.expander("All links to copy"):
                st.code("\n".join(row["link"] for row in rows), language=None, height=200)


def link_rows(listeners: Iterable[Listener]) -> list[dict[str, str]]:
    """Number, label and link of each listener."""
    return [
        {"number": str(one.number + 1), "label": one.label, "link": listener_link(one.token)}
        for one in listeners
    ]


def as_csv(rows: list[dict[str, str]]) -> str:
    """Rows as CSV; a label that a spreadsheet would take for a formula is made text."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {name: f"'{text}" if text[:1] in "=+-@\t" else text for name, text in row.items()}
        )
    return out.getvalue()


def _panels(version: Version) -> None:
    with st.expander("For Prolific and other recruitment panels"):
        st.markdown("Enter this as the study's address, and choose “I'll use URL parameters”:")
        st.code(f"{join_link(version)}?id={{{{%PROLIFIC_PID%}}}}", language=None, wrap_lines=True)
        st.markdown(
            "Other panels put their own word for a participant after `?id=`. Whoever comes back "
            "with the same id goes on where they were."
        )
        settings = version.settings
        if settings.completion == "redirect":
            st.markdown("At the end listeners go on to:")
            st.code(settings.redirect, language=None, wrap_lines=True)
        elif settings.completion_code:
            st.markdown("At the end everybody is shown this code; enter it at the panel:")
            st.code(settings.completion_code, language=None)
        else:
            st.markdown(
                "For a panel, set “Go on to an address” under End before you launch: Prolific "
                "shows it as the completion URL, `https://app.prolific.com/submissions/complete?"
                "cc=…`."
            )
