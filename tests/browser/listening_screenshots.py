"""Take the pictures of the listener's page in ``docs/screenshots`` again: ``listen-*.png``.

``.venv/bin/python -m tests.browser.listening_screenshots [FOLDER]``; with a folder every screen is
taken in every look, to be judged by eye.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

from listening_test.study import CSN_TABLE_3, Question
from tests.browser import screenshots
from tests.browser.conftest import PLAIN, find_chromium
from tests.browser.listening import Ear, House
from tests.browser.screenshots import SCREENS, shoot

STUDY = replace(
    CSN_TABLE_3,
    excerpt=4.0,
    must_hear=1.0,
    practice=1,
    questions=(
        Question("age", "How old are you?", "number", required=True),
        Question("plays", "Do you play an instrument?", "choice", ("Yes", "I used to", "No"), True),
        Question("hard", "How hard was it?", "scale", ("very easy", "2", "3", "4", "very hard")),
        Question("remarks", "Is there anything you want to tell us?", "text"),
    ),
)
KEPT = {("laptop", "light"), ("phone", "dark")}


def walk(house: House, ear: Ear) -> Iterator[str]:
    """Every screen of a test once: names of pictures, each ready to be taken."""
    link = ear.link = house.link(STUDY)
    yield from _beginning(ear)
    house.advance(link, 11)
    ear.page.reload()
    ear.wait("trial")
    ear.hear("x", 0)
    ear.press("a")
    ear.page.wait_for_timeout(500)
    yield "trial"
    ear.hear_all()
    ear.press(" ", "ArrowRight")
    yield "trial-chosen"
    ear.page.context.set_offline(True)
    ear.press("Enter")
    ear.page.locator(".banner:visible").wait_for()
    yield "offline"
    ear.page.context.set_offline(False)
    ear.page.locator('.saved[data-state="saved"]').wait_for()
    house.advance(link, 20)
    ear.page.reload()
    ear.wait("break")
    yield "break"
    ear.step()
    house.advance(link, 32)
    ear.page.reload()
    ear.wait("questionnaire")
    yield "questionnaire"
    ear.page.keyboard.press("Tab")
    ear.page.keyboard.type("31")
    ear.press("Tab", "Space")
    ear.step()
    yield "done"
    yield from _others(house, ear)


def _beginning(ear: Ear) -> Iterator[str]:
    ear.open()
    yield "consent"
    ear.step()
    yield "level"
    ear.press(" ")
    ear.page.locator('button.primary[aria-disabled="false"]').wait_for()
    ear.step()
    ear.hear_all()
    ear.press("ArrowRight", "Enter")
    ear.page.locator(".verdict:not(:empty)").wait_for()
    yield "practice"


def _others(house: House, ear: Ear) -> Iterator[str]:
    """What not every listener sees."""
    ear.link = house.begun(replace(STUDY, confidence=True, instruments=("guitar",)))
    ear.open()
    ear.press("?")
    ear.hear_all()
    ear.press(" ", "ArrowLeft", "ArrowUp")
    yield "confidence"
    ear.press("?")
    ear.link = house.begun(replace(STUDY, language="ja", instruments=("piano",), focus="timbre"))
    ear.open()
    ear.hear("x", 0)
    yield "japanese"
    ear.link = house.begun(replace(STUDY, headphones="gate"))
    ear.open()
    yield "headphones"
    house.advance(ear.link, 6)
    ear.page.reload()
    ear.wait("headphones-failed")
    yield "headphones-failed"
    ear.link = f"{house.address}/t/nobody"
    ear.open()
    yield "unknown"


def main(folder: Path | None, playwright: Playwright, house: House) -> None:
    """Take them all."""
    if folder is not None:
        screenshots.FOLDER = folder
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=PLAIN)
    for screen, options in SCREENS.items():
        for scheme in ("light", "dark"):
            if folder is None and (screen, scheme) not in KEPT:
                continue
            context = browser.new_context(**options, color_scheme=scheme, reduced_motion="reduce")
            ear = Ear(context.new_page(), "")
            for name in walk(house, ear):
                if screen == "phone":
                    ear.script("window.document.documentElement.classList.remove('has-keys')")
                shoot(ear.page, f"listen-{name}-{screen}-{scheme}")
            context.close()
    browser.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        home = House(Path(name))
        home.start()
        try:
            main(Path(sys.argv[1]) if sys.argv[1:] else None, driver, home)
        finally:
            home.kill()
