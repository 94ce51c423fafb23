"""Take pictures in ``docs/screenshots`` again: the demo on a laptop and a phone.

``.venv/bin/python -m tests.browser.screenshots``
"""

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, LAPTOP, PHONE, ROOT, Explorer, find_chromium, serve

FOLDER = ROOT / "docs" / "screenshots"
SCREENS: dict[str, dict[str, Any]] = {
    "laptop": {"viewport": LAPTOP},
    "phone": {"viewport": PHONE, "device_scale_factor": 2, "has_touch": True, "is_mobile": True},
}
VIEW = "?instrument=drums&piece=Track00673&at=9"

PAGES = {
    "model": ("model", ".js-plotly-plot .barlayer path"),
    "results-agreement": ("results?part=agreement", ".st-key-chart-agreement .js-plotly-plot"),
    "results-focus": ("results?part=focus", ".st-key-chart-weights .js-plotly-plot"),
}
"""Name of the picture, address, and what is there when the page is."""


def shoot(page: Page, name: str, colours: int = 144) -> None:
    """Save what is seen, in few bytes."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(colours, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


class Window(NamedTuple):
    """An empty browser window before the app.

    Attributes:
        context: where pages are opened.
        address: the app's.
        name: of its screen and scheme, e.g. ``phone-dark``.
    """

    context: BrowserContext
    address: str
    name: str


def windows(home: Path) -> Iterator[Window]:
    """Every screen in light and dark, one after the other, with the app running in ``home``."""
    home.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        app = serve(None, home, home.with_suffix(".log"))
        address = next(app)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        for screen, options in SCREENS.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(**options, color_scheme=scheme)
                context.set_default_timeout(120_000)
                yield Window(context, address, f"{screen}-{scheme}")
                context.close()
        browser.close()
        app.close()


def main() -> None:
    """Every page in every size and scheme."""
    with tempfile.TemporaryDirectory() as folder:
        for context, address, name in windows(Path(folder) / "home"):
            page = context.new_page()
            page.goto(f"{address}/{VIEW}")
            explorer = Explorer(page)
            explorer.wait(state="ready", still="true")
            explorer.rows()
            shoot(page, f"explore-{name}")
            for file, (query, there) in PAGES.items():
                page.goto(f"{address}/{query}")
                page.locator(there).first.wait_for()
                page.wait_for_timeout(1500)  # charts fade in
                shoot(page, f"{file}-{name}")


if __name__ == "__main__":
    main()
