"""Everybody can use the listener's page: eyes, ears, thumbs and keyboards; in the real app."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from csn.instruments import INSTRUMENTS
from listening_test.study import Question
from tests.browser.conftest import PHONE
from tests.browser.listening import ONE, Ear, House, Listeners

pytestmark = pytest.mark.browser

EVERYTHING = replace(
    ONE,
    practice=1,
    confidence=True,
    headphones="recorded",
    break_every=1,
    questions=(
        Question("age", "How old are you?", "number", required=True),
        Question("plays", "Do you play an instrument?", "choice", ("Yes", "No"), required=True),
        Question("hard", "How hard was it?", "scale", ("very easy", "2", "3", "4", "very hard")),
        Question("remarks", "Is there anything else that you want to tell us?", "text"),
    ),
)
THUMBS: dict[str, Any] = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
SMALL: dict[str, Any] = THUMBS | {"viewport": {"width": 320, "height": 568}}
ZOOMED: dict[str, Any] = {"viewport": {"width": 683, "height": 384}, "device_scale_factor": 2}

CHECK = Path(__file__).with_name("accessible.js").read_text("utf-8")
KEY_DOWN = """init => document.body.dispatchEvent(
  new KeyboardEvent("keydown", { bubbles: true, ...init }))"""


def screens(ear: Ear) -> Iterator[str]:
    """Every screen of a test, one after the other, by keys."""
    ear.open()
    for _ in range(30):
        kind = ear.kind
        yield kind
        if kind == "done":
            return
        if kind == "trial":
            ear.hear_all()
            ear.press("ArrowLeft", "ArrowDown")
            yield "chosen"
            ear.answer()
        elif kind == "questionnaire":
            ear.press("Enter")
            yield "incomplete"
            ear.page.keyboard.type("31")
            ear.press("Tab", "Space")
            ear.step()
        elif kind in ("level", "headphones"):
            ear.press(" ")
            done = '.primary[aria-disabled="false"], .choice:not(.waiting)'
            ear.page.locator(done).first.wait_for()
            ear.press("2")
            ear.step()
        else:
            ear.step()


@pytest.mark.parametrize(
    ("language", "look"),
    [
        ("en", {}), ("en", THUMBS | {"color_scheme": "dark"}),
        ("ja", SMALL), ("ja", ZOOMED | {"color_scheme": "dark"}),
    ],
    ids=["laptop", "phone", "small phone", "zoomed"],
)  # fmt: skip
def test_every_screen_can_be_read_reached_and_pressed(
    house: House, browser: Listeners, language: str, look: dict[str, Any]
) -> None:
    link = house.link(replace(EVERYTHING, language=language), preview=not look)
    ear = browser.ear(link, **look, reduced_motion="reduce")
    kinds = []
    for kind in screens(ear):
        kinds.append(kind)
        problems = ear.page.evaluate(CHECK)
        if kind == "incomplete":  # the focus is on what is missing
            problems.remove("focus not on the heading")
        assert problems == [], kind
        assert ear.page.evaluate("document.getAnimations().length") == 0
    assert {*kinds} == {
        "consent", "level", "headphones", "trial", "chosen", "break", "questionnaire",
        "incomplete", "done",
    }  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_instrument_is_readable_while_it_sounds(
    house: House, browser: Listeners, scheme: str
) -> None:
    ear = browser.ear(house.begun(ONE), color_scheme=scheme, reduced_motion="reduce").open()
    word, plain = ear.page.locator("h1 strong"), ear.page.locator("h1")
    colours = {plain.evaluate("node => getComputedStyle(node).color")}
    assert ear.page.locator("html").get_attribute("data-instrument") == "drums"
    ear.press("l")
    ear.hear("a", 1)
    for instrument in INSTRUMENTS:
        ear.page.evaluate(
            "name => { document.documentElement.dataset.instrument = name; }", instrument
        )
        assert ear.page.evaluate(CHECK) == [], instrument
        assert int(word.evaluate("node => getComputedStyle(node).fontWeight")) >= 700
        assert "underline" in word.evaluate("node => getComputedStyle(node).textDecorationLine")
        colours.add(word.evaluate("node => getComputedStyle(node).color"))
    assert len(colours) == 1 + len(INSTRUMENTS)


def test_a_screen_reader_finds_names_groups_and_states(house: House, browser: Listeners) -> None:
    ear = browser.ear(house.begun(replace(ONE, confidence=True))).open()
    main = ear.page.locator("main")
    expect(main).to_match_aria_snapshot("""
      - heading "Which of A and B has drums more like X?" [level=1]
      - button "Play X"
      - button "Play A"
      - button "Play B"
      - group "Your answer":
        - radio "A is more like X" [disabled]
        - radio "B is more like X" [disabled]
      - group "How sure are you?":
        - radio "Sure" [disabled]
        - radio "Not sure" [disabled]
      - button "Next" [disabled]
      - paragraph: "Still to be listened to: X, A, B. Then you can answer."
    """)
    top = ear.page.get_by_role("progressbar", name="Progress")
    expect(top).to_have_attribute("aria-valuemax", "2")
    ear.press("a")
    expect(main.get_by_role("button", name="Pause A")).to_be_visible()
    expect(ear.card(1).locator(".press")).to_have_accessible_description(re.compile("heard|second"))
    ear.hear_all()
    spoken = ear.page.locator(".unseen[aria-live=polite]")
    ear.press("ArrowRight")
    expect(spoken).to_have_text("B is chosen. Enter goes on.")
    expect(main.get_by_role("radio", name="B is more like X")).to_be_checked()
    ear.press("ArrowUp", "Enter")
    expect(ear.page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    expect(ear.page.locator("h1")).to_be_focused()


def test_by_tab_and_space_alone(house: House, browser: Listeners) -> None:
    """As somebody does who uses no shortcuts, or a switch."""
    link = house.begun(ONE)
    ear = browser.ear(link).open()
    for clip in range(3):
        ear.press("Tab")
        expect(ear.card(clip).locator(".press")).to_be_focused()
        ear.press("Space")
        ear.page.locator(f'.sound[data-clip="{clip}"][data-heard="enough"]').wait_for()
        ear.press("Space", "Tab")  # past "from the start"
        if clip < 2 and not ear.script("document.activeElement.className.includes('restart')"):
            ear.press("Shift+Tab")
    ear.page.get_by_role("radio").first.focus()
    ear.press("Space")
    expect(ear.page.get_by_role("radio").first).to_be_checked()
    ear.press("ArrowRight")
    expect(ear.page.get_by_role("radio").last).to_be_checked()
    expect(ear.page.get_by_role("radio").last).to_be_focused()
    ear.press("Tab", "Space")
    ear.moved(house.trials(link, "trial")[0].code)
    assert [row.choice for row in house.answers(link)] == [1]


def test_by_thumb_alone(house: House, browser: Listeners) -> None:
    link = house.link(replace(EVERYTHING, headphones="off", practice=0))
    ear = browser.ear(link, **THUMBS).open()
    page = ear.page

    def tap(selector: str) -> None:
        page.locator(selector).first.tap()

    tap("button.primary")
    ear.wait("level")
    assert not page.locator("kbd").first.is_visible()
    assert not page.locator(".legend").is_visible()
    tap(".press")
    page.locator('button.primary[aria-disabled="false"]').wait_for()
    tap("button.primary")
    for number in range(2):
        ear.wait("trial")
        for clip in range(3):
            tap(f'.sound[data-clip="{clip}"] .press')
            page.locator(f'.sound[data-clip="{clip}"][data-heard="enough"]').wait_for()
        tap(".sides label:last-of-type")
        tap(".sure label:last-of-type >> text=Not sure")
        tap("button.primary")
        if number == 0:
            ear.wait("break")
            tap("button.primary")
    ear.wait("questionnaire")
    assert [(row.choice, row.sure) for row in house.answers(link)] == [(1, False)] * 2


def test_nothing_moves_under_the_finger(house: House, browser: Listeners) -> None:
    boxes: Callable[[Ear], Any] = lambda ear: ear.page.evaluate(  # noqa: E731
        "() => [...document.querySelectorAll('h1, .press, .track, .sides label, .sure label, "
        "button.primary')].map((node) => { const b = node.getBoundingClientRect(); "
        "return [b.x, b.y, b.width, b.height].map(Math.round); })"
    )
    for look in ({}, THUMBS, SMALL):
        ear = browser.ear(house.begun(replace(ONE, confidence=True)), **look).open()
        before = boxes(ear)
        for clip in range(3):
            ear.card(clip).locator(".press").click()
            ear.page.locator(f'.sound[data-clip="{clip}"][data-heard="enough"]').wait_for()
            assert boxes(ear) == before
        ear.page.locator(".sides label").first.click()
        ear.page.get_by_text("Not sure", exact=True).click()
        assert boxes(ear) == before


def test_the_keys_are_explained(house: House, browser: Listeners) -> None:
    short = {"width": 1024, "height": 560}
    ear = browser.ear(house.begun(replace(ONE, confidence=True)), viewport=short).open()
    expect(ear.card(0).locator("kbd")).to_have_text("X")
    legend = ear.page.locator(".legend dl")
    expect(legend).to_be_hidden()
    ear.press("?")
    expect(legend).to_be_visible()
    told = {key for text in legend.locator("kbd").all_text_contents() for key in [text]}
    shown = {"␣": " ", "↵": "Enter", "←": "ArrowLeft", "→": "ArrowRight", "↑": "ArrowUp",
             "↓": "ArrowDown"}  # fmt: skip
    works = {*ear.script("Object.keys(listen.screen.keys)")}
    assert {shown.get(key, key.lower()) for key in told} == works - {"Home", "?"}
    ear.answer(sure=True)  # the next trial shows them too, from its top
    expect(legend).to_be_visible()
    assert ear.script("scrollY") == 0
    ear.press("?")
    expect(legend).to_be_hidden()


def test_other_keyboards(house: House, browser: Listeners) -> None:
    """A kana or Cyrillic layout, an input method, and a key that belongs to the browser."""
    ear = browser.ear(house.begun(ONE)).open()
    ear.page.wait_for_function("() => [0, 1, 2].every(i => document.listen.player.ready(i))")
    for init in (
        {"key": "ч", "code": "KeyX"}, {"key": "Process", "code": "KeyX"},
        {"key": "さ", "code": "KeyX"},
    ):  # fmt: skip
        ear.page.evaluate(KEY_DOWN, init)
        ear.page.wait_for_function("() => document.listen.player.playing === 0")
        ear.press(" ")
    for init in ({"key": "x", "ctrlKey": True}, {"key": "a", "metaKey": True}):
        ear.page.evaluate(KEY_DOWN, init)
    assert ear.script("listen.player.playing") == -1
