"""A study in the laboratory: the browser asks and answers, the app's computer sounds."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import until
from tests.browser.listening import ONE, House, Listeners
from tests.listening_test.pulse import RATE, Pulse, start
from tests.listening_test.small_study import RATE as FILE_RATE
from tests.listening_test.small_study import frequency

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pulse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pulse]:
    server = start(tmp_path_factory.mktemp("pulse"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def laboratory(pulse: Pulse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The app on a computer whose only sound device is a PulseAudio null sink."""
    made = House(tmp_path_factory.mktemp("laboratory"))
    made.start(pulse.environment)
    yield made
    made.kill()


def pitches(sound: np.ndarray) -> set[float]:
    """The tones of a recording, Hz: the peak of three tenths of a second at least."""
    size = RATE // 10
    frames = sound[: len(sound) // size * size].reshape(-1, size)
    loud = frames[np.abs(frames).max(axis=1) > 0.02] * np.hanning(size)
    peaks = np.abs(np.fft.rfft(loud, 4 * size)).argmax(axis=1) * RATE / (4 * size)
    counts = Counter(round(float(peak) / 20) * 20.0 for peak in peaks)
    return {pitch for pitch, count in counts.items() if count >= 3}


def test_a_test_whose_sound_comes_from_the_computer(
    laboratory: House, pulse: Pulse, browser: Listeners
) -> None:
    link = laboratory.link(replace(ONE, lab=True, must_hear=0.5))
    ear = browser.ear(link)
    fetched: list[str] = []
    ear.page.on("request", lambda r: fetched.append(r.url) if "/clip/" in r.url else None)
    with pulse.recording() as recorded:
        ear.open()
        ear.until_trial()
        first = ear.trial
        ear.press("x")
        ear.page.locator('.sound[data-clip="0"][data-state="playing"]').wait_for()
        ear.page.locator('.sound[data-clip="0"][data-state="still"]').wait_for()  # to its end
        assert ear.script("listen.player.heardSeconds(0)") == pytest.approx(1.0, abs=0.05)
        ear.hear("a", 1)
        ear.hear("b", 2)
        ear.press(" ")
        ear.press("ArrowRight", "Enter")
        ear.moved(first)
    assert fetched == []
    assert ear.page.locator("input[type=range]").count() == 0  # the level is the laboratory's
    (row,) = laboratory.answers(link)
    assert row.choice == 1
    assert min(row.heard_x, row.heard_a, row.heard_b) >= 0.5
    level = FILE_RATE - frequency(990)  # above half the file's rate a tone is folded back
    tones = {frequency(number) for number in range(6)} | {level}
    heard = pitches(recorded[0][:, 0])
    near = {tone for tone in tones for pitch in heard if abs(tone - pitch) <= 10}
    assert len(near) == len(heard) == 4  # the level's, X, A and B, and no other
    assert level in near
    ear.answer("A")
    ear.wait("done")


def test_a_device_that_ran_dry_is_in_the_log(
    laboratory: House, pulse: Pulse, browser: Listeners
) -> None:
    """The sound server stands still while X plays; the events say so, at that trial and sound."""
    link = laboratory.begun(replace(ONE, lab=True))
    ear = browser.ear(link).open()
    for _ in range(5):  # a busy machine may let the second of sound pass before the server stops
        ear.press("x")
        until(lambda: ear.script("listen.player.position(0) > 0 || listen.player.playing < 0"))
        pulse.server.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        pulse.server.send_signal(signal.SIGCONT)
        ear.page.locator('.sound[data-clip="0"][data-state="still"]').wait_for()
        if ear.script("listen.player.memory.dry[0]") > 0:
            break

    def noted() -> list[Any]:
        return [row for row in laboratory.rows(link, "events") if row.kind == "dropout"]

    until(lambda: bool(noted()))
    assert {row.clip for row in noted()} == {0}
    assert all(row.trial_id is not None for row in noted())


def test_a_device_that_is_gone_is_explained(
    laboratory: House, pulse: Pulse, browser: Listeners
) -> None:
    link = laboratory.begun(replace(ONE, lab=True))
    ear = browser.ear(link, lenient=True).open()
    pulse.server.kill()
    pulse.server.wait(10)
    ear.press("x")
    expect(ear.page.locator(".reason")).to_contain_text("sound")
    expect(ear.page.get_by_role("button", name="Try again")).to_be_visible()
    assert laboratory.answers(link) == []
