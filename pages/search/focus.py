"""The focus: five sliders from "different" over "ignored" to "alike", and buttons that set them."""

from collections.abc import Iterable
from typing import Final

import streamlit as st

from csn.instruments import COLOURS, INSTRUMENTS
from pages.studies.desk import plain
from results import presets

EVERYTHING: Final = "everything"
ALIKE, DIFFERENT, SAVED = "search_alike", "search_different", "search_saved"


def key(instrument: str) -> str:
    """Where the session keeps an instrument's weight."""
    return f"search_focus_{instrument}"


def focus() -> tuple[float, ...]:
    """Draw the buttons and sliders.

    Returns:
        Five weights, -1 to 1.
    """
    if key(INSTRUMENTS[0]) not in st.session_state:
        st.session_state[ALIKE] = INSTRUMENTS[0]
        _set(1.0 if name == INSTRUMENTS[0] else 0.0 for name in INSTRUMENTS)
    st.html(_STYLE)
    st.pills(
        "Find the same", (EVERYTHING, *INSTRUMENTS), default=st.session_state.get(ALIKE), key=ALIKE,
        format_func=str.capitalize, on_change=_from_buttons,
    )  # fmt: skip
    st.pills(
        "but different", INSTRUMENTS, selection_mode="multi", key=DIFFERENT,
        default=st.session_state.get(DIFFERENT), format_func=str.capitalize,
        on_change=_from_buttons,
        help="More like this, but with other drums, say: those lie the better the farther.",
    )  # fmt: skip
    saved = {preset.name: preset for preset in presets.saved()}
    if saved:
        st.selectbox(
            "Saved focus", list(saved), index=None, key=SAVED, on_change=_from_saved,
            placeholder="choose one that was fitted to listeners", format_func=plain,
        )  # fmt: skip
    with st.container(key="search-sliders", gap=None):
        for name in INSTRUMENTS:
            label, slider = st.columns([1, 3], vertical_alignment="center", gap="small")
            label.html(f'<span class="instrument {name}">{name.capitalize()}</span>')
            slider.slider(
                f"{name.capitalize()}: −1 different, 0 ignored, 1 alike",
                -1.0, 1.0, st.session_state[key(name)], 0.05, key=key(name), format="%.2f",
                label_visibility="collapsed", on_change=_from_sliders,
            )  # fmt: skip
        _, scale = st.columns([1, 3], gap="small")
        scale.html(
            '<div class="scale"><span>different</span><span>ignored</span><span>alike</span></div>'
        )
    return tuple(float(st.session_state[key(name)]) for name in INSTRUMENTS)


def _set(weights: Iterable[float]) -> None:
    for name, weight in zip(INSTRUMENTS, weights, strict=True):
        st.session_state[key(name)] = weight


def _from_buttons() -> None:
    """What is to be the same counts 1, what is to be different -1, all else nothing."""
    state = st.session_state
    different = state.get(DIFFERENT) or []
    alike = state.get(ALIKE)
    if alike in different or (different and alike is None):
        alike = state[ALIKE] = EVERYTHING
    state[SAVED] = None
    _set(-1.0 if name in different else float(alike in (EVERYTHING, name)) for name in INSTRUMENTS)


def _from_sliders() -> None:
    """No button stays pressed that does not say what the sliders say."""
    state = st.session_state
    weights = {name: state[key(name)] for name in INSTRUMENTS}
    different = [name for name, weight in weights.items() if weight == -1]
    rest = {name: weight for name, weight in weights.items() if name not in different}
    ones = [name for name, weight in rest.items() if weight == 1]
    plainly = all(weight in (0, 1) for weight in rest.values())
    if plainly and ones and len(ones) == len(rest):
        state[ALIKE], state[DIFFERENT] = EVERYTHING, different
    elif plainly and len(ones) == 1:
        state[ALIKE], state[DIFFERENT] = ones[0], different
    else:
        state[ALIKE], state[DIFFERENT] = None, []
    state[SAVED] = None


def _from_saved() -> None:
    """A saved focus, its largest weight as 1: only their proportions rank."""
    name = st.session_state[SAVED]
    found = next((preset for preset in presets.saved() if preset.name == name), None)
    if found is not None:
        most = max(abs(weight) for weight in found.weights)
        _set(round(weight / most, 4) for weight in found.weights)
        st.session_state[ALIKE], st.session_state[DIFFERENT] = None, []


def _own(name: str, colour: str) -> str:
    """The colours of one instrument's label and handle."""
    handle = f".st-key-{key(name)} [data-orientation] > [style*=translate]"
    return (
        f".instrument.{name} {{ border-left: 0.4rem solid {colour}; padding-left: 0.5rem; }}\n"
        f"{handle} {{ background: {colour}; width: 1.1rem; height: 1.1rem; }}\n"
    )


# The track is plain with a mark in the middle: filled from the left it would say that "ignored"
# is half of something.
_STYLE: Final = f"""<style>
{"".join(_own(name, colour) for name, colour in COLOURS.items())}
.st-key-search-sliders [role=group] > [data-orientation] > :first-child {{
  background: linear-gradient(90deg, transparent calc(50% - 1px), currentColor calc(50% - 1px)
    calc(50% + 1px), transparent calc(50% + 1px)),
    color-mix(in srgb, currentColor 18%, transparent);
}}
.st-key-search-sliders [data-testid=stSliderThumbValue] p {{ color: inherit; font-size: 0.8rem; }}
.st-key-search-sliders [data-testid=stSliderThumbValue] {{ color: inherit; }}
:is(.st-key-search_alike, .st-key-search_different) :is([role=radiogroup], [role=group]) {{
  flex-wrap: wrap;
}}
.st-key-search-sliders [data-testid=stHorizontalBlock] {{ flex-wrap: nowrap; }}
.st-key-search-sliders [data-testid=stColumn] {{ min-width: 0; }}
.st-key-search-sliders .scale {{
  display: flex; justify-content: space-between; font-size: 0.8rem; opacity: 0.75;
}}
</style>"""
