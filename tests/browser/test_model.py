"""The Model page in Chromium: it opens, its parts can be chosen, and its files are whole."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from csn.home import demo
from csn.measure_files import read_measures
from tests.browser.conftest import LAPTOP, PATIENCE, PHONE, listen, settled

# Streamlit asks beside the page's own address first, and then where the app lies.
EXPECTED = re.compile(r"/model/_stcore/|404 \(Not Found\)")


@pytest.fixture
def opened(plain_chromium: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Opens the page; afterwards nothing may have gone wrong."""
    contexts, troubles = [], list[str]()

    def go(query: str = "", **options: object) -> Page:
        context = plain_chromium.new_context(**{"viewport": LAPTOP, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        listen(page, troubles)
        page.goto(f"{address}/model{query}")
        expect(page.get_by_role("heading", name="Model", exact=True)).to_be_visible()
        return page

    yield go
    for context in contexts:
        context.close()
    assert not [trouble for trouble in troubles if not EXPECTED.search(trouble)]


def drawn(page: Page) -> None:
    """The first chart is there, with its marks."""
    expect(page.get_by_role("figure").first.locator("svg").first).to_be_visible()


def test_parts_and_files(opened: Callable[..., Page]) -> None:
    page = opened()
    drawn(page)
    expect(page.get_by_text("Not on Slakh.")).to_be_visible()
    page.get_by_role("radio", name="Same backing").click()
    expect(page.get_by_text("among the wrong answers")).to_be_visible()
    for part, words in (("Leakage", "others exchanged"), ("What it knows", "classifiers"),
                        ("Recipes", "on equal terms")):  # fmt: skip
        page.get_by_role("radio", name=part).click()
        expect(page.get_by_text(words).first).to_be_visible()
    expect(page).to_have_url(re.compile("part=recipes"))
    expect(page).to_have_url(re.compile("test=shared-backings"))
    settled(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Everything (ZIP)").click()
    archive = zipfile.ZipFile(io.BytesIO(waiting.value.path().read_bytes()))
    table = pd.read_csv(io.BytesIO(archive.read("tables/pseudo-mixes.csv")))
    mine = table[(table.test == "shared-backings") & (table.system == "model")]
    told = read_measures(demo() / "measures").pseudo_mixes["shared-backings"].scores["model"]
    assert mine["mean"].tolist() == [score.mean for score in told.values() if score]


def test_a_phone(opened: Callable[..., Page]) -> None:
    wide = "document.scrollingElement.scrollWidth, document.querySelector('.stMain').scrollWidth"
    page = opened(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme="dark")
    drawn(page)
    seen = {"All tests": "Every test", "Individual networks": "Music ID", "Card": "In the header"}
    for part, words in seen.items():
        page.get_by_role("radio", name=part).click()
        expect(page.get_by_text(words).first).to_be_visible()
        assert page.evaluate(f"Math.max({wide}) <= innerWidth"), part
