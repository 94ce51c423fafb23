"""Take pictures in ``docs/screenshots`` again: the demo on a laptop and a phone.

``.venv/bin/python -m tests.browser.screenshots``
"""

import io
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

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


def shoot(page: Page, name: str, colours: int = 160) -> None:
    """Save what is seen, in few bytes."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(colours, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    """Every page in every size and scheme."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        app = serve(None, Path(name), Path(name) / "log")
        address = next(app)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        for screen, options in SCREENS.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(**options, color_scheme=scheme)
                page = context.new_page()
                page.goto(f"{address}/{VIEW}")
                explorer = Explorer(page)
                explorer.wait(state="ready", still="true")
                explorer.rows()
                shoot(page, f"explore-{screen}-{scheme}")
                for file, (query, there) in PAGES.items():
                    page.goto(f"{address}/{query}")
                    page.locator(there).first.wait_for()
                    page.wait_for_timeout(1500)  # charts fade in
                    shoot(page, f"{file}-{screen}-{scheme}")
                context.close()
        browser.close()
        app.close()


if __name__ == "__main__":
    main()
