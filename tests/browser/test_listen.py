"""A listener's way through a test, in the real app: nothing is lost and nothing counted twice."""

import re
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect

from listening_test.store.listeners import withdraw
from listening_test.store.studies import close
from listening_test.study import Question, Settings
from tests.browser.conftest import until
from tests.browser.listening import ONE, SHORT, House, Listeners, saved

pytestmark = pytest.mark.browser

NAUGHTY = 'R&B 100 % "fine"; <b>no</b>\n日本語 🎧 \\ \'; DROP TABLE answers;--'
TABLE_3 = replace(
    SHORT,
    per_instrument=8,
    break_every=16,
    headphones="recorded",
    questions=(
        Question("age", "How old are you?", "number", required=True),
        Question("plays", "Do you play an instrument?", "choice", ("Yes", "No"), required=True),
        Question("hard", "How hard was it?", "scale", ("easy", "2", "3", "4", "hard")),
        Question("remarks", "Anything else?", "text"),
    ),
)


def test_a_whole_study_of_64_trials_by_keyboard_alone(house: House, browser: Listeners) -> None:
    link = house.link(TABLE_3)
    ear = browser.ear(link).open()
    page = ear.page
    choices = np.random.default_rng(4).integers(0, 2, 64).tolist()
    given: dict[str, int] = {}
    breaks = 0
    ear.until_trial()
    while len(given) < 64:
        if ear.kind == "break":
            expect(page.locator("main")).to_contain_text(f"{len(given)} of 64 are done")
            breaks += 1
            ear.step()
            continue
        expect(page.locator(".where")).to_have_text(f"Question {len(given) + 1} of 64")
        trial = ear.trial or ""
        assert trial not in given
        given[trial] = choices[len(given)]
        ear.answer("AB"[given[trial]])
    assert breaks == 3
    ear.wait("questionnaire")
    ear.press("Enter")  # two answers are still missing
    expect(page.locator(".problem:visible")).to_have_count(2)
    page.keyboard.type("３１")  # the first of them has the focus; full-width digits are digits
    ear.press("Tab", "Space", "Tab", "ArrowRight", "ArrowRight", "Tab")
    page.keyboard.insert_text(NAUGHTY)
    ear.press("Tab", "Enter")
    ear.wait("done")

    trials = {row.id: row for row in house.trials(link, "trial")}
    stored = {
        trials[row.trial_id].code: row.choice
        for row in house.answers(link)
        if row.trial_id in trials
    }
    assert stored == given
    assert [*given] == [row.code for row in trials.values()]  # in the order that was planned
    (payload,) = (row.payload for row in house.rows(link, "steps") if row.step == "questionnaire")
    assert payload == {"age": 31.0, "plays": "Yes", "hard": "3", "remarks": NAUGHTY}
    expect(page.locator(".code")).to_have_text(re.compile(r"^[0-9A-F]{6}-0001$"))
    heard = [row for row in house.answers(link) if row.trial_id in trials]
    assert min(min(row.heard_x, row.heard_a, row.heard_b) for row in heard) >= 0.1 - 0.006
    until(lambda: ear.script("listen.events.kept.length") == 0)
    plays = {(row.trial_id, row.clip) for row in house.rows(link, "events") if row.kind == "play"}
    assert {(trial, clip) for trial in trials for clip in range(3)} <= plays


def test_keys_held_down_answer_nothing(house: House, browser: Listeners) -> None:
    link = house.link()
    ear = browser.ear(link).begin()
    stored = len(house.answers(link))
    ear.press("ArrowLeft", "Enter")  # nothing was heard yet
    expect(ear.page.locator(".reason")).to_contain_text("Still to be listened to: X, A, B")
    assert ear.page.locator("input:checked").count() == 0
    ear.hear_all()
    ear.press("Enter")  # nothing is chosen yet
    expect(ear.page.locator(".reason")).to_have_text("Choose A or B.")
    ear.press("ArrowLeft")
    before = ear.trial
    for _ in range(6):
        ear.page.keyboard.down("Enter")  # the first is a press, the others are repeats
    ear.moved(before)
    ear.page.keyboard.up("Enter")
    assert len(house.answers(link)) == stored + 1


def test_confidence_is_one_more_key(house: House, browser: Listeners) -> None:
    link = house.link(replace(SHORT, confidence=True, practice=0))
    ear = browser.ear(link).begin()
    ear.hear_all()
    ear.press("ArrowLeft", "Enter")
    expect(ear.page.locator(".reason")).to_have_text("How sure are you?")
    ear.press("ArrowDown", "Enter")
    saved(ear.page)
    ear.answer("B", sure=True)
    assert [(row.choice, row.sure) for row in house.answers(link)] == [(0, False), (1, True)]


def test_practice_tells_what_was_right(house: House, browser: Listeners) -> None:
    link = house.link(replace(SHORT, practice=2))
    ear = browser.ear(link).open()
    right = [row.right for row in house.trials(link, "practice")]
    while ear.kind != "trial":
        if ear.kind == "level":
            ear.press(" ")
            ear.page.locator('button.primary[aria-disabled="false"]').wait_for()
        ear.step()
    for number, good in enumerate((True, False)):
        expect(ear.page.locator(".where")).to_have_text(f"Practice {number + 1} of 2")
        ear.hear_all()
        ear.press("ArrowLeft" if (right[number] == 0) == good else "ArrowRight", "Enter")
        verdict = ear.page.locator(".verdict")
        expect(verdict).to_have_text(re.compile(rf"{'AB'[right[number]]} is the one"))
        expect(verdict).to_have_attribute("data-correct", str(good).lower())
        ear.press("x")  # what was compared may be heard once more
        ear.page.locator('.sound[data-clip="0"][data-state="playing"]').wait_for()
        ear.press("Enter")
    expect(ear.page.locator(".where")).to_have_text("Question 1 of 16")


def test_preview_says_so(house: House, browser: Listeners) -> None:
    ear = browser.ear(house.link(preview=True)).open()
    expect(ear.page.locator(".preview")).to_have_text("Preview – nothing is counted")
    ear = browser.ear(house.link()).open()
    expect(ear.page.locator(".preview")).to_be_hidden()


def test_no_such_test_and_a_test_that_is_over(house: House, browser: Listeners) -> None:
    ear = browser.ear(f"{house.address}/t/nobody-has-this-secret", lenient=True).open()
    expect(ear.page.locator("h1")).to_have_text("There is no test here")

    link = house.link()
    ear = browser.ear(link, lenient=True).begin()
    with house.store() as store:
        withdraw(store, house.listener(link).id)
    ear.hear_all()
    ear.press("ArrowLeft", "Enter")
    expect(ear.page.locator("h1")).to_have_text("Your participation has ended")

    link = house.link()
    ear = browser.ear(link, lenient=True).begin()  # its next sounds may be on their way
    with house.store() as store:
        close(store, house.listener(link).version_id)
    ear.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(ear.page.locator("h1")).to_have_text("This test is closed")


def test_japanese_throughout(house: House, browser: Listeners) -> None:
    settings: Settings = replace(ONE, language="ja")
    ear = browser.ear(house.link(settings)).begin()
    expect(ear.page.locator("h1")).to_have_text(
        "AとBのうち、ドラムがXにより似ているのはどちらですか？"
    )
    assert ear.page.locator("html").get_attribute("lang") == "ja"
    ear.finish()
    ear.wait("done")
    expect(ear.page.locator("h1")).to_have_text("ご協力ありがとうございました")
