"""Take the pictures ``docs/screenshots/search-*`` again, with a recording made by formula.

``.venv/bin/python -m tests.browser.search_screenshots``
"""

import tempfile
from pathlib import Path

import soundfile as sf
from playwright.sync_api import Page

from tests.browser.screenshots import shoot, windows
from tests.browser.test_search import RATE, plucked


def show(page: Page, recording: Path, *, answers: bool) -> None:
    """A recording asked for its guitar, and on a phone the answers below."""
    page.locator("input[type=file]").set_input_files(recording)
    page.locator(".found[data-rows]").wait_for()
    before = page.locator(".found").get_attribute("data-rows")
    page.get_by_role("radiogroup", name="Find the same").get_by_text("Guitar").click()
    page.locator(f'.found:not([data-rows="{before}"])').wait_for()
    if answers:
        page.locator(".strip").evaluate("e => e.scrollIntoView()")
        page.get_by_test_id("stMain").evaluate("e => e.scrollBy(0, -60)")
    page.locator(".answer .play").first.click()
    page.locator(".answer.on").wait_for()
    page.wait_for_timeout(500)


def main() -> None:
    """Four pictures."""
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "Plucked strings.mp3"
        sf.write(recording, plucked(30.0), RATE)
        for context, address, name in windows(Path(folder) / "home"):
            page = context.new_page()
            page.goto(f"{address}/search")
            show(page, recording, answers=name.startswith("phone"))
            shoot(page, f"search-{name}")


if __name__ == "__main__":
    main()
