"""The part Lab of the Studies page: what is chosen is this computer's, and trouble is said."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from listening_test import lab
from listening_test.errors import LabError
from listening_test.lab import Device, LabSettings
from listening_test.store import shared_store
from pages.studies import lab as page
from pages.studies import screen
from tests.listening_test import small_study
from tests.test_studies_page import run, show

THERE = [
    Device("Speakers, ALSA", 2, 44_100.0, True, 0),
    Device("Interface, ALSA", 8, 48_000.0, False, 4),
]


class Player:
    """Writes down what it was asked to play."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def calibrate(self, kind: str, *, side: str) -> None:
        self.asked.append((kind, side))
        if side == "right":
            raise LabError("The sound device cannot be used now.")

    def stop(self) -> None:
        self.asked.append("stop")


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Player]:
    """Two devices, and a study that plays on them."""
    made = Player()
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    monkeypatch.delenv("STEMWISE_DATABASE_URL", raising=False)
    monkeypatch.setattr(screen, "require_experimenter", lambda: "ada")
    monkeypatch.setattr(lab, "devices", lambda anew=True: THERE)
    monkeypatch.setattr(page, "shared_player", lambda: made)
    with closing(shared_store()) as store:
        small_study.draft(store, replace(small_study.SETTINGS, lab=True))
        yield made


def part() -> AppTest:
    return show(study=1, part="lab")


def press(test: AppTest, label: str) -> AppTest:
    return run(next(button for button in test.button if button.label == label).click())


def test_only_studies_that_play_here_have_the_part(player: Player) -> None:
    small_study.draft(shared_store())
    assert show(study=2, part="lab").query_params["part"] == "design"
    assert part().query_params["part"] == "lab"


def test_what_is_chosen_is_kept_for_this_computer(player: Player) -> None:
    test = part()
    assert test.selectbox(key="lab-device").options[0] == "The system's own choice (Speakers, ALSA)"
    run(test.selectbox(key="lab-device").set_value("Interface, ALSA"))
    run(test.number_input(key="lab-left").set_value(3))
    run(test.number_input(key="lab-right").set_value(4))
    run(test.number_input(key="lab-gain").set_value(-6.0))
    assert lab.load() == LabSettings("Interface, ALSA", (3, 4), -6.0)
    assert "8 outputs, 48 kHz" in [item.value for item in test.caption]
    run(test.number_input(key="lab-right").set_value(3))
    assert "two different outputs" in test.warning[0].value
    assert lab.load().outputs == (3, 4)
    other = part()  # another window
    assert other.selectbox(key="lab-device").value == "Interface, ALSA"


def test_the_calibration_sound_is_played_and_measured(player: Player) -> None:
    lab.save(LabSettings(gain=-10.0))
    test = part()
    press(test, "Play")
    run(next(b for b in test.get("button_group") if b.label == "Ear").set_value("left"))
    run(next(b for b in test.get("button_group") if b.label == "Calibration sound")
        .set_value("sine"))  # fmt: skip
    press(test, "Play")
    press(test, "Stop")
    assert player.asked == [("noise", "both"), ("sine", "left"), "stop"]
    test.number_input(key="lab-spl").set_value(60.0)
    press(test, "Write it down")
    # The sound had -23 dBFS and the gain: full scale is 60 + 23 + 10 dB SPL without gain.
    assert lab.load().offset == pytest.approx(93.0)
    # Excerpts of -23 LUFS are as strong as a sine of -19.99 dBFS; with the gain, 63.01 dB SPL.
    assert test.success[-1].value.endswith("about 63 dB SPL.")


def test_trouble_is_one_sentence(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    test = part()
    run(next(b for b in test.get("button_group") if b.label == "Ear").set_value("right"))
    assert press(test, "Play").warning[0].value == "The sound device cannot be used now."
    lab.save(LabSettings("Unplugged, ALSA"))
    assert "Unplugged, ALSA” is not connected" in part().warning[0].value
    monkeypatch.setattr(lab, "devices", lambda anew=True: [])
    assert "has no sound output" in part().warning[0].value

    def missing(anew: bool = True) -> list[Device]:
        raise LabError("PortAudio is not installed on this computer.")

    monkeypatch.setattr(lab, "devices", missing)
    test = part()
    assert test.warning[0].value == "PortAudio is not installed on this computer."
    monkeypatch.setattr(lab, "devices", lambda anew=True: THERE)
    assert press(test, "Look again").selectbox(key="lab-device")


def test_damaged_settings_can_be_chosen_again(player: Player, tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text("{")
    test = part()
    assert "cannot be read" in test.warning[0].value
    press(test, "Choose again")
    assert lab.load() == LabSettings() and test.selectbox(key="lab-device").value == ""
