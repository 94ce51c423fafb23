"""The Results page as somebody sees it and takes things away from it."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from csn.home import demo
from csn.library import Library
from listening_test.store.loading import load_tables
from results import presets
from results.agreement import agreement
from results.exclusions import kept
from results.figure_style import CHALK, INK
from results.tables import percent
from tests.browser.conftest import LAPTOP, PATIENCE, PHONE, Explorer, serve

pytestmark = pytest.mark.browser
Look = Callable[..., Page]
PROBES = re.compile(r"/results/_stcore/(health|host-config)$")  # Streamlit looks for its base path


@pytest.fixture
def look(plain_chromium: Browser, address: str) -> Iterator[Look]:
    """A function that opens the page; afterwards nothing may have gone wrong."""
    contexts = []
    troubles: list[str] = []

    def open_page(query: str = "", **options: Any) -> Page:
        context = plain_chromium.new_context(**({"viewport": LAPTOP} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "response",
            lambda r: (
                troubles.append(f"{r.status} {r.url}")
                if r.status > 399 and not PROBES.search(r.url)
                else None
            ),
        )
        page.goto(f"{address}/results{query}")
        expect(page.get_by_role("radio", name="Agreement")).to_be_visible()
        return page

    yield open_page
    assert not troubles
    for context in contexts:
        context.close()


def choose(page: Page, part: str) -> None:
    page.get_by_role("radio", name=part, exact=True).click()


def saved(page: Page, exhibit: str, label: str) -> bytes:
    """What a button of a Save menu gives."""
    page.locator(f".st-key-exhibit-{exhibit}").get_by_role("button", name="Save").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=label).click()
    page.keyboard.press("Escape")
    return download.value.path().read_bytes()


def test_a_visitor_reads_walks_and_takes_away(look: Look) -> None:
    page = look()
    found = agreement(kept(load_tables(demo() / "study").answers))
    total = found.overall
    assert total is not None
    headline = page.get_by_role("heading", name="Listeners chose")
    expect(headline).to_contain_text(f"{percent(total.share)} % of their answers")
    expect(page.locator(".st-key-chart-agreement .js-plotly-plot")).to_be_visible()
    rows = list(csv.DictReader(io.StringIO(saved(page, "agreement", "Table, CSV").decode())))
    assert [int(row["agreeing"]) for row in rows] == [row.agreeing for row in found.rows]
    cells = page.locator(".st-key-exhibit-agreement tbody tr").last.locator("td")
    assert cells.nth(2).inner_text() == percent(total.share)
    assert saved(page, "agreement", "Figure, SVG").lstrip().startswith(b"<svg")
    choose(page, "Margins")
    expect(page.locator(".st-key-chart-curve .js-plotly-plot")).to_be_visible()
    expect(page).to_have_url(re.compile("part=margins"))
    page.reload()
    expect(page.locator(".st-key-chart-mixed-model .js-plotly-plot")).to_be_visible()


def test_explore_offers_a_saved_focus(
    chromium: Browser, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    weights = np.array([0.0, 1.0, 0.3, 0.0, 0.0])
    presets.save(presets.Preset("My listeners", tuple(weights)))
    app = serve(library.folder, tmp_path, tmp_path / "log")
    page = chromium.new_page(viewport=LAPTOP)
    page.set_default_timeout(PATIENCE)
    page.goto(f"{next(app)}/")
    explorer = Explorer(page)
    explorer.wait(state="ready", still="true")
    explorer.script("void e.select(7)")
    explorer.rows()
    explorer.find(".by").select_option("My listeners")
    expect(page.get_by_role("heading", name="Nearest by My listeners")).to_be_visible()
    vectors = np.asarray(library.vectors[:, :640], np.float64).reshape(-1, 5, 128)
    away = np.sqrt((((vectors - vectors[7]) ** 2).sum(2) * weights).sum(1))
    pieces = library.segments["piece"].to_numpy()
    away[pieces == pieces[7]] = np.inf
    expect(explorer.find(".number").first).to_have_text(f"{away.min():.2f}")
    expect(page).to_have_url(re.compile("by=My(%20|[+])listeners"))
    page.close()
    app.close()


def test_by_keyboard(look: Look) -> None:
    page = look()
    page.get_by_role("radio", name="Agreement").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name="How far listeners agree")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_cut_off(look: Look, scheme: str) -> None:
    page = look("?part=subspaces", viewport=PHONE, color_scheme=scheme)
    expect(page.locator(".st-key-chart-spaces .js-plotly-plot")).to_be_visible()
    for part in ("Subspaces", "Focus"):
        choose(page, part)
        expect(page.get_by_role("radio", name=part, exact=True)).to_be_checked()
        main = page.locator(".stMain")
        assert main.evaluate("m => m.scrollWidth <= m.clientWidth")
    choose(page, "Agreement")
    label = page.locator(".st-key-chart-agreement .ytick text").first
    ink = INK if scheme == "light" else CHALK
    expect(label).to_have_css("fill", f"rgb({', '.join(str(v) for v in bytes.fromhex(ink[1:]))})")
