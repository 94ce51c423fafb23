"""Take the pictures of the README again: the demo on a laptop and a phone, light and dark.

``.venv/bin/python docs/screenshots/take.py ADDRESS``, where the app runs at ADDRESS.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent
SCREENS = {
    "laptop": {"viewport": {"width": 1366, "height": 768}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
}
QUERY = "?instrument={}&piece={}&at={}"
GL = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def shoot(page: Page, name: str) -> None:
    """Save what is seen, in few bytes."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(160, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


def main(address: str) -> None:
    """Four pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=GL)
        for screen, options in SCREENS.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(**options, color_scheme=scheme)
                page = context.new_page()
                page.goto(address + QUERY.format("drums", "Track00673", "9"))
                page.locator('.stemwise[data-state="ready"][data-still="true"]').wait_for()
                page.locator(".neighbour").first.wait_for()
                page.wait_for_timeout(1500)
                shoot(page, f"explore-{screen}-{scheme}")
                context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
