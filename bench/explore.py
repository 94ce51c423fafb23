"""The Explore page with the demo in Chromium: to the first map, to a sound, to the neighbours."""

import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from bench.table import table
from tests.browser.conftest import ARGUMENTS, LAPTOP, PATIENCE, Explorer, find_chromium, serve

DOTS = 30


def main() -> dict[str, float]:
    """Print and return seconds to the first map and milliseconds of what follows."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport=LAPTOP)
        page.set_default_timeout(PATIENCE)
        begun = time.perf_counter()
        app = serve(None, Path(name), Path(name) / "log")
        page.goto(next(app))
        explorer = Explorer(page)
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
