"""The Explore page with the demo in Chromium: to the first map, to a sound, to the neighbours."""

import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from bench.table import table

DOTS = 30


def main() -> dict[str, float]:
    """Print and return seconds to the first map and milliseconds of what follows."""
    # Here, because the tests keep torch to one thread from their import on.
    from tests.browser import conftest as browser_tests  # noqa: PLC0415

    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_tests.find_chromium(), args=browser_tests.ARGUMENTS
        )
        page = browser.new_page(viewport=browser_tests.LAPTOP)
        page.set_default_timeout(browser_tests.PATIENCE)
        begun = time.perf_counter()
        app = browser_tests.serve(None, Path(name), Path(name) / "log")
        page.goto(next(app))
        explorer = browser_tests.Explorer(page)
        explorer.wait(state="ready", still="true")
        figures["streamlit run to the first map, s"] = time.perf_counter() - begun
        size = explorer.script("e.library.size")
        for segment in range(0, size, size // DOTS):
            plays = explorer.script("e.sound.counts.plays")
            explorer.script(f"e.playing.play({segment})")
            explorer.wait(plays=plays + 1)
        figures["hover to sound, first time, ms"] = median(explorer.script("e.sound.latencies"))
        begun = time.perf_counter()
        explorer.script("void e.select(0)")
        explorer.rows()
        figures["click to neighbours, ms"] = 1000 * (time.perf_counter() - begun)
        browser.close()
        app.close()
    print(table(["Explore page, demo", ""], [[k, f"{v:,.1f}"] for k, v in figures.items()]))
    return figures


if __name__ == "__main__":
    main()
