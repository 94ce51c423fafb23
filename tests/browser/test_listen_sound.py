"""What a listener's page lets sound, recorded where it leaves the page; in the real app."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PLAIN, find_chromium, until
from tests.browser.listening import ONE, Ear, House, Listeners
from tests.listening_test.small_study import frequency

pytestmark = pytest.mark.browser

PEAK = 0.1  # of the tones
FADE = 0.003  # seconds that the steepest of ramps would need from 0 to 1
STRICT = "--autoplay-policy=document-user-activation-required"
RECORDER = """registerProcessor("recorder", class extends AudioWorkletProcessor {
  process([[sound]]) {
    this.port.postMessage(sound ? sound.slice() : new Float32Array(128));
    return true;
  }
})"""
RECORD = """async (recorder) => {
  const { context, output } = document.listen.player;
  const code = new Blob([recorder], { type: "text/javascript" });
  await context.audioWorklet.addModule(URL.createObjectURL(code));
  const node = new AudioWorkletNode(context, "recorder");
  window.tape = [];
  node.port.onmessage = ({ data }) => tape.push(...data);
  output.connect(node);
  node.connect(context.destination);
}"""
TELL = """(() => {
  const said = new Set();
  setInterval(() => {
    const { player } = document.listen ?? {};
    const say = (words) => { if (!said.has(words)) { said.add(words); console.log(words); } };
    if (player) say(`audio ${player.context.state}`);
    if (player?.heardSeconds(0) > 0.2) say("heard enough");
  }, 20);
})()"""


def record(ear: Ear) -> None:
    """Write down everything that leaves the player from now on, on the audio thread itself.

    The recorder is no part of the page, so the page's policy must not bind it (``bypass_csp``).
    """
    ear.page.wait_for_function("() => [0, 1, 2].every(i => document.listen.player.ready(i))")
    ear.script("listen.player.wake()")
    ear.page.wait_for_function("() => document.listen.player.context.state === 'running'")
    ear.page.evaluate(RECORD, RECORDER)


def tape(ear: Ear) -> tuple[np.ndarray, float]:
    """What was recorded, [samples], and samples per second."""
    ear.page.wait_for_timeout(300)
    sound, rate = ear.page.evaluate("() => [tape, document.listen.player.context.sampleRate]")
    return np.asarray(sound), float(rate)


def shuffle(ear: Ear, times: int, seed: int) -> None:
    """Start, switch and pause at moments that nobody would choose, some far too quick."""
    rng = np.random.default_rng(seed)
    clips, gaps = rng.integers(0, 3, times), rng.choice([0, 3, 9, 30, 60, 140], times)
    ear.page.evaluate(
        """async ([clips, gaps]) => {
          for (const [i, clip] of clips.entries()) {
            document.listen.player.toggle(clip);
            await new Promise((done) => { setTimeout(done, gaps[i]); });
          }
          if (document.listen.player.playing >= 0) document.listen.player.pause();
        }""",
        [clips.tolist(), gaps.tolist()],
    )


def steepest(rate: float, highest: float) -> float:
    """The largest step between two samples that a tone with our ramps can make."""
    return float(PEAK * (2 * np.pi * highest / rate + 1 / (FADE * rate)))


def test_no_click_ever_and_one_sound_at_a_time(house: House, browser: Listeners) -> None:
    link = house.begun(ONE)
    ear = browser.ear(link, bypass_csp=True).open()
    record(ear)
    shuffle(ear, 120, seed=1)
    sound, rate = tape(ear)
    assert np.abs(sound).max() > 0.9 * PEAK  # it did sound
    highest = frequency(12)  # ONE has two triplets: fewer files than that
    jumps = np.abs(np.diff(sound))
    assert jumps.max() < 1.02 * steepest(rate, highest)
    # Two tones together would beat and reach twice the peak.
    assert np.abs(sound).max() < 1.02 * PEAK
    # The measure does find clicks: the same sound with one silent gap cut into it.
    loud = int(np.argmax(np.abs(sound)))
    broken = sound.copy()
    broken[loud : loud + 50] = 0
    assert np.abs(np.diff(broken)).max() > 3 * steepest(rate, highest)


def test_switching_starts_from_the_beginning_and_pausing_goes_on(
    house: House, browser: Listeners
) -> None:
    link = house.begun(ONE)
    ear = browser.ear(link, bypass_csp=True).open()
    record(ear)

    def plays() -> list[tuple[int, bool]]:
        rows = [row for row in house.rows(link, "events") if row.kind == "play"]
        return [(row.clip, row.position > 0) for row in sorted(rows, key=lambda row: row.at)]

    def wait(clip: int, position: float) -> None:
        ear.page.wait_for_function(
            "([clip, s]) => document.listen.player.position(clip) >= s", arg=[clip, position]
        )

    ear.press("x")
    wait(0, 0.3)
    ear.press("a")
    wait(1, 0.2)
    ear.press(" ")
    paused = ear.script("listen.player.position(1)")
    assert paused >= 0.2
    ear.page.wait_for_timeout(200)
    assert ear.script("listen.player.position(1)") == paused  # the clock stands still
    ear.press(" ")
    wait(1, paused + 0.05)
    assert ear.script("listen.player.heardSeconds(1)") < 0.9
    ear.press("x")
    first = "() => { const at = document.listen.player.position(0); return at > 0.01 && at; }"
    again = ear.page.wait_for_function(first).json_value()
    assert again < 0.3  # from its start
    ear.press("0")
    wait(0, 0.01)
    until(lambda: len(plays()) == 5)
    assert plays() == [(0, False), (1, False), (1, True), (0, False), (0, False)]


def test_what_was_heard_is_what_sounded(house: House, browser: Listeners) -> None:
    """The page's count of heard seconds against the recording, for one tone after another."""
    ear = browser.ear(house.begun(replace(ONE, excerpt=2.0)), bypass_csp=True).open()
    record(ear)
    for key, length in (("x", 500), ("a", 250), ("b", 900)):
        ear.press(key)
        ear.page.wait_for_timeout(length)
        ear.press(key)
        ear.page.wait_for_timeout(100)
    sound, rate = tape(ear)
    window = int(0.01 * rate)
    loud = np.sqrt(np.convolve(sound**2, np.ones(window) / window, "same")) > PEAK / 4
    edges = np.flatnonzero(np.diff(np.r_[0, loud.astype(int), 0]))
    sounded = (edges[1::2] - edges[::2]) / rate
    heard = ear.script("[0, 1, 2].map(i => listen.player.heardSeconds(i))")
    assert sounded.tolist() == pytest.approx(heard, abs=0.02)


def test_the_same_second_twice_counts_once(house: House, browser: Listeners) -> None:
    ear = browser.ear(house.begun(replace(ONE, must_hear=0.8))).open()
    for _ in range(4):  # again and again the first part
        ear.press("x")
        ear.page.wait_for_function("() => document.listen.player.position(0) > 0.25")
        ear.press("a")
        ear.page.wait_for_function("() => document.listen.player.position(1) > 0")
    heard = ear.script("listen.player.heardSeconds(0)")
    assert 0.25 < heard < 0.8
    assert ear.card(0).get_attribute("data-heard") == "more"
    expect(ear.card(0).locator(".hint")).to_have_text("1 second more")
    ear.press("ArrowLeft")
    assert ear.page.locator("input:checked").count() == 0
    ear.hear("x", 0)
    expect(ear.card(0).locator(".hint")).to_have_text("heard")


def test_one_clip_of_three_is_not_enough(house: House, browser: Listeners) -> None:
    link = house.begun(ONE)
    ear = browser.ear(link).open()
    reason = ear.page.locator(".reason")
    for key, clip, left in (("x", 0, "A, B"), ("b", 2, "A")):
        ear.hear(key, clip)
        expect(reason).to_have_text(f"Still to be listened to: {left}. Then you can answer.")
        ear.page.get_by_label("A is more like X").click(force=True)
        ear.press("ArrowRight", "Enter")
        assert ear.page.locator("input:checked").count() == 0
    assert house.answers(link) == []
    ear.hear("a", 1)
    expect(reason).to_have_text("Choose A or B.")


def test_muted_seconds_are_not_heard(house: House, browser: Listeners) -> None:
    ear = browser.ear(house.begun(ONE)).open()
    for _ in range(10):
        ear.press("-")
    expect(ear.page.locator(".reason")).to_contain_text("volume is at zero")
    ear.press("x")
    ear.page.wait_for_function("() => document.listen.player.position(0) > 0.4")
    assert ear.script("listen.player.heardSeconds(0)") == 0
    ear.press("+")
    ear.page.wait_for_function("() => document.listen.player.position(0) > 0.6")
    assert 0 < ear.script("listen.player.heardSeconds(0)") < 0.6
    ear.page.reload()
    ear.wait("trial")
    assert ear.script("listen.player.volume") == pytest.approx(0.1)  # as it was set


def test_repeating_and_limited_replays(house: House, browser: Listeners) -> None:
    ear = browser.ear(house.begun(replace(ONE, replays=2))).open()
    assert ear.page.get_by_role("button", name="Repeat").count() == 0
    ear.hear("x", 0)
    expect(ear.card(0).locator(".hint")).to_have_text("heard · 1 play left")
    ear.press(" ", " ")  # pausing and going on is no new start
    expect(ear.card(0).locator(".hint")).to_have_text("heard · 1 play left")
    ear.press("0")
    expect(ear.card(0).locator(".hint")).to_have_text("heard · 0 plays left")
    until(lambda: ear.script("listen.player.playing") == -1)
    ear.press("x")
    assert ear.script("listen.player.playing") == -1
    ear.page.reload()
    ear.wait("trial")
    expect(ear.card(0).locator(".hint")).to_have_text("heard · 0 plays left")

    ear = browser.ear(house.begun(ONE)).open()
    ear.press("l", "x")
    ear.page.wait_for_timeout(2300)  # the tone is one second long
    assert ear.script("listen.player.playing") == 0
    assert ear.script("listen.player.starts[0]") >= 2
    assert ear.script("listen.player.heardSeconds(0)") == pytest.approx(1.0, abs=0.01)


def test_an_interruption_pauses_and_says_so(house: House, browser: Listeners) -> None:
    """As when a call comes in on a phone: the browser stops the audio clock."""
    ear = browser.ear(house.begun(replace(ONE, excerpt=3.0, must_hear=1.5))).open()
    ear.press("x")
    ear.page.wait_for_function("() => document.listen.player.position(0) > 0.3")
    ear.script("listen.player.context.suspend()")
    expect(ear.page.locator(".reason")).to_contain_text("interrupted")
    position = ear.script("listen.player.position(0)")
    ear.page.wait_for_timeout(400)
    assert ear.script("[listen.player.position(0), listen.player.playing]") == [position, -1]
    assert ear.script("listen.player.heardSeconds(0)") == pytest.approx(position, abs=0.05)
    ear.press("x")
    ear.page.wait_for_function("s => document.listen.player.position(0) > s + 0.1", arg=position)
    expect(ear.page.locator(".reason")).not_to_contain_text("interrupted")


def test_the_first_key_wakes_the_sound(house: House, browser: Listeners) -> None:
    """Under the rules that browsers have for autoplay, which the other tests switch off.

    Whatever Playwright evaluates counts as a gesture, so the page itself says how its sound is.
    """
    kind = browser.chromium.browser_type
    strict = kind.launch(executable_path=find_chromium(), args=[PLAIN[0], STRICT])
    said: list[str] = []
    try:
        page = strict.new_page()
        page.add_init_script(TELL)
        page.on("console", lambda message: said.append(message.text))
        page.goto(house.begun(ONE))
        _patiently(page, lambda: "audio suspended" in said)
        page.keyboard.press("x")
        _patiently(page, lambda: "audio running" in said and "heard enough" in said)
    finally:
        strict.close()


def _patiently(page: Page, true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        page.wait_for_timeout(50)


def test_a_second_tab_takes_the_sound_over(house: House, browser: Listeners) -> None:
    link = house.begun(ONE)
    first = browser.ear(link).open()
    second = browser.ear(link, within=first.page.context).open()
    first.press("l", "x")
    first.page.wait_for_function("() => document.listen.player.position(0) > 0.1")
    second.press("a")
    second.page.wait_for_function("() => document.listen.player.position(1) > 0")
    until(lambda: first.script("listen.player.playing") == -1)


def test_ranges_that_were_heard_are_united(house: House, browser: Listeners) -> None:
    """Random ranges on a grid of 50 ms, against counting the steps of the grid one by one."""
    ear = browser.ear(house.begun(ONE)).open()
    rng = np.random.default_rng(3)
    cases = [np.sort(rng.integers(0, 200, (count, 2)), axis=1) for count in range(1, 41)]
    united = ear.page.evaluate(
        """async (cases) => {
          const { Heard } = await import("/listen/assets/heard.js");
          return cases.map((ranges) => {
            const heard = new Heard();
            for (const [from, to] of ranges) heard.add(from / 20, to / 20);
            return heard.seconds;
          });
        }""",
        [case.tolist() for case in cases],
    )
    counted = [len({step for a, b in case for step in range(a, b)}) / 20 for case in cases]
    assert united == pytest.approx(counted, abs=1e-9)
