"""The part Plan: how many listeners and triplets the next study needs."""

from dataclasses import asdict

import pandas as pd
import streamlit as st

from csn.errors import StemwiseError
from pages.results_page.exhibit import exhibit
from pages.results_page.parts import Looked
from results.figures import plan_figure
from results.planner import STUDIES, effects_of, grid
from results.simulation import Effects
from results.tables import Table, percent


def part(look: Looked) -> None:
    """Draw it."""
    st.markdown(
        f"Studies of each size are simulated {STUDIES:,} times and analysed like this one. "
        "**Power** is how often the interval then lies above 50 %."
    )
    effects = _effects(look)
    with st.container(horizontal=True):
        listeners = _numbers("Listeners", [10, 15, 20, 30])
        triplets = _numbers("Triplets of each instrument", [8, 16, 24])
    if not st.button("Simulate", type="primary", key="plan-go"):
        if "plan-found" in st.session_state:
            _show(st.session_state["plan-found"])
        return
    settings = next(iter(look.tables.settings.values()), None)
    try:
        with st.spinner("Simulating studies"):
            found = grid(listeners, triplets, effects, settings)
    except StemwiseError as error:
        st.error(str(error))
        return
    st.session_state["plan-found"] = found
    _show(found)


def _effects(look: Looked) -> Effects:
    """Of this study, or what somebody assumes."""
    own = effects_of(look.found.mixed) if look.found.mixed is not None else None
    if own is not None:
        here = st.radio(
            "Effects", ["As in these answers", "Assumed"], horizontal=True, key="plan-from",
            label_visibility="collapsed",
        )  # fmt: skip
        if here == "As in these answers":
            st.caption(
                f"Agreement {percent(own.share)} %; listeners differ with SD "
                f"{own.listener_sd:.2f}, triplets with SD {own.triplet_sd:.2f} (log-odds)."
            )
            return own
    usual = Effects()
    with st.container(horizontal=True):
        share = st.number_input(
            "Agreement, %", 1.0, 99.0, 100 * usual.share, 1.0, key="plan-share", width=150
        )
        one = st.number_input(
            "SD of listeners", 0.0, 3.0, usual.listener_sd, 0.1, key="plan-listener", width=150,
            help="On the log-odds; 0.5 to 1 is usual.",
        )  # fmt: skip
        two = st.number_input(
            "SD of triplets", 0.0, 3.0, usual.triplet_sd, 0.1, key="plan-triplet", width=150,
            help="On the log-odds; some triplets are easy, some hopeless.",
        )  # fmt: skip
    return Effects(**asdict(usual) | {"share": share / 100, "listener_sd": one, "triplet_sd": two})


def _numbers(label: str, usual: list[int]) -> list[int]:
    said = st.multiselect(
        label, [str(n) for n in usual], [str(n) for n in usual], accept_new_options=True,
        key=f"plan-{label}", max_selections=6,
    )  # fmt: skip
    return sorted({int(one) for one in said if one.isdigit() and 0 < int(one) <= 1000})


def _show(found: pd.DataFrame) -> None:
    if not len(found):
        st.info("Choose at least one number of listeners and one of triplets.")
        return
    rows = [
        {
            "listeners": f"{row['listeners']}", "triplets": f"{row['triplets']}",
            "power %": percent(row["power"]), "interval ± points": percent(row["half_width"]),
            "minutes each": f"{row['minutes']:.0f}",
        }
        for row in found.to_dict("records")
    ]  # fmt: skip
    table = Table(
        "How large a study", found, pd.DataFrame(rows),
        "For one instrument, with an interval clustered by listener and triplet; minutes are for "
        "all instruments of the study. 80 % power (dotted) is a usual aim.",
    )  # fmt: skip
    exhibit("plan", table, plan_figure(found), first=True)
