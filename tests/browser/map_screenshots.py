"""Take the pictures of two maps, a lasso and three dimensions in ``docs/screenshots`` again.

``.venv/bin/python -m tests.browser.map_screenshots``
"""

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, Explorer, find_chromium, serve
from tests.browser.screenshots import SCREENS, VIEW, shoot

LASSO = "[[60, 330], [210, 280], [330, 420], [300, 620], [90, 600]]"
PICTURES = {
    "two": (f"{VIEW}&second=guitar", ""),
    "lasso": ("?second=bass&names=true", f"e.picked.choose(e.panes[0].inside({LASSO}))"),
    "solid": ("?map=umap3&colour=tempo&names=true", "e.controls.panel('view')"),
}
"""Name of the picture, address, and what is done there."""


def main() -> None:
    """Every picture in every size and scheme."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        app = serve(None, Path(name), Path(name) / "log")
        address = next(app)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        for screen, options in SCREENS.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(**options, color_scheme=scheme)
                for file, (query, done) in PICTURES.items():
                    page = context.new_page()
                    page.goto(f"{address}/{query}")
                    explorer = Explorer(page)
                    explorer.wait(state="ready", still="true")
                    page.wait_for_timeout(2500)  # names and neighbours come after the dots
                    if done:
                        explorer.script(done)
                        page.wait_for_timeout(800)
                    shoot(page, f"maps-{file}-{screen}-{scheme}", 112)
                    page.close()
                context.close()
        browser.close()
        app.close()


if __name__ == "__main__":
    main()
