"""Take the pictures of two maps, a lasso and three dimensions in ``docs/screenshots`` again.

``.venv/bin/python -m tests.browser.map_screenshots``
"""

import tempfile
from pathlib import Path

from tests.browser.conftest import Explorer
from tests.browser.screenshots import VIEW, shoot, windows

LASSO = "[[60, 330], [210, 280], [330, 420], [300, 620], [90, 600]]"
PICTURES = {
    "two": (f"{VIEW}&second=guitar", ""),
    "lasso": ("?second=bass&names=true", f"e.picked.choose(e.panes[0].inside({LASSO}))"),
    "solid": ("?map=umap3&colour=tempo&names=true", "e.controls.panel('view')"),
}
"""Name of the picture, address, and what is done there."""


def main() -> None:
    """Every picture in every size and scheme."""
    with tempfile.TemporaryDirectory() as folder:
        for context, address, name in windows(Path(folder) / "home"):
            for file, (query, done) in PICTURES.items():
                page = context.new_page()
                page.goto(f"{address}/{query}")
                explorer = Explorer(page)
                explorer.wait(state="ready", still="true")
                page.wait_for_timeout(2500)  # names and neighbours come after the dots
                if done:
                    explorer.script(done)
                    page.wait_for_timeout(800)
                shoot(page, f"maps-{file}-{name}", 112)
                page.close()


if __name__ == "__main__":
    main()
