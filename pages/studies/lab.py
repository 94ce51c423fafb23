"""The part Lab: sound from the computer that runs Stemwise, on chosen outputs at a known level."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import streamlit as st

from listening_test import lab
from listening_test.calibration import LEVEL
from listening_test.errors import LabError
from listening_test.lab_desk import shared_player
from listening_test.store.rows import Version

_KINDS: Final = {"sine": "Sine, 1 kHz", "noise": "Pink noise"}
_SYSTEM: Final = "The system's own choice"
_SINE: Final = 3.01  # dB from a sound's RMS to the peak of a sine as strong, in which dBFS counts


def part(version: Version) -> None:
    """Draw the part; what is chosen holds for this computer and for every study."""
    st.write(
        "In this study sound comes out of the computer on which Stemwise runs, not out of the "
        "listener's browser. What you choose here holds for this computer."
    )
    anew = st.session_state.pop("lab-anew", True)
    try:
        there = lab.devices(anew)
    except LabError as error:
        st.warning(str(error))
        _look_again()
        return
    if not there:
        st.warning(
            "This computer has no sound output; connect one and look again, or switch off “Play "
            "on this computer” in a new version of the design."
        )
        _look_again()
        return
    st.session_state["lab-anew"] = False
    try:
        settings = lab.load()
    except LabError as error:
        st.warning(str(error))
        if st.button("Choose again", key="lab-reset"):
            _keep(lab.LabSettings())
        return
    left, right = st.columns(2)
    with left, st.container(border=True):
        _output(settings, there)
    with right, st.container(border=True):
        _level(settings, version)


def _look_again() -> None:
    if st.button("Look again", key="lab-again"):
        st.rerun()


def _output(settings: lab.LabSettings, there: list[lab.Device]) -> None:
    """Device, outputs and gain."""
    st.markdown("#### Where it comes out")
    names = ["", *(device.name for device in there)]
    if settings.device not in names:
        st.warning(f"“{settings.device}” is not connected now.")
        names.append(settings.device)
    own = next((device.name for device in there if device.default), "")
    device = st.selectbox(
        "Device", names, names.index(settings.device), key="lab-device",
        format_func=lambda name: name or (f"{_SYSTEM} ({own})" if own else _SYSTEM),
    )  # fmt: skip
    with st.container(horizontal=True):
        numbers = (*settings.outputs, settings.outputs[0] + 1)
        left = st.number_input("Output for left", 1, 256, numbers[0], key="lab-left")
        right = st.number_input("Output for right", 1, 256, numbers[1], key="lab-right")
    gain = st.number_input(
        "Gain, dB", -80.0, 0.0, settings.gain, 0.5, format="%g", key="lab-gain",
        help="Added to everything; 0 leaves the sound as it is in the files.",
    )  # fmt: skip
    chosen = next((one for one in there if one.name == (device or own)), None)
    if chosen is not None:
        st.caption(f"{chosen.outputs} outputs, {chosen.rate / 1000:g} kHz")
    if st.button("Look for devices again", key="lab-again", type="tertiary"):
        st.session_state["lab-anew"] = True
        st.rerun()
    _keep(
        replace(settings, device=device or "", outputs=(int(left), int(right)), gain=float(gain)),
        settings,
    )


def _level(settings: lab.LabSettings, version: Version) -> None:
    """Play the calibration sound, and write down what the meter says."""
    st.markdown("#### How loud it is")
    kind = st.segmented_control(
        "Calibration sound", list(_KINDS), format_func=_KINDS.__getitem__, default="noise",
        required=True, key="lab-kind",
    )  # fmt: skip
    side = st.segmented_control(
        "Ear", list(lab.SIDES), format_func=str.capitalize, default="both", required=True,
        key="lab-side",
    )  # fmt: skip
    with st.container(horizontal=True):
        if st.button("Play", type="primary", key="lab-play"):
            _try(lambda: shared_player().calibrate(kind or "noise", side=side or "both"))
        if st.button("Stop", key="lab-stop"):
            _try(lambda: shared_player().stop())
    st.caption(f"It plays at {LEVEL:g} dBFS for half a minute. Begin with the volume down.")
    with st.form("measured", border=False):
        measured = st.number_input(
            "The sound-level meter says, dB SPL", 0.0, 140.0, None, 0.5, format="%g",
            key="lab-spl", placeholder="not measured",
        )  # fmt: skip
        if st.form_submit_button("Write it down") and measured is not None:
            _keep(settings.measured(measured), settings)
    if settings.offset is None:
        st.caption("Nobody has measured this computer yet; listeners set the level by ear.")
    elif version.target is not None:
        level = settings.spl(version.target + _SINE)
        st.success(f"The excerpts of this study are heard at about {level:.0f} dB SPL.")


def _keep(settings: lab.LabSettings, before: lab.LabSettings | None = None) -> None:
    """Write down what was changed, and show it."""
    if settings != before and _try(lambda: lab.save(settings)):
        st.rerun()


def _try(work: Callable[[], None]) -> bool:
    try:
        work()
    except LabError as error:
        st.warning(str(error))
        return False
    return True
