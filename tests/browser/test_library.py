"""An experimenter brings a folder of recordings, in the real app."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from playwright.sync_api import Browser, BrowserContext, Page, expect

from csn.library import Library
from listening_test import accounts
from tests.browser.conftest import LAPTOP, PATIENCE, listen, settled
from tests.browser.listening import House

pytestmark = pytest.mark.browser

NAME, PASSWORD = "ada", "correct horse battery staple"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The app with the demo, and an experimenter's account."""
    house = House(tmp_path_factory.mktemp("studio"))
    with house.store() as store:
        secret = accounts.set_up(store)
        assert secret
        accounts.make_account(store, secret, accounts.SET_UP, NAME, PASSWORD)
    house.start()
    yield house
    house.kill()


@pytest.fixture
def signed_in(studio: House, chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=LAPTOP)
    context.set_default_timeout(PATIENCE)
    with studio.store() as store:
        secret = accounts.sign_in(store, NAME, PASSWORD, "127.0.0.1")
    cookie = {"name": "stemwise_session", "value": secret, "url": studio.address}
    context.add_cookies([cookie])  # type: ignore[list-item]
    yield context
    context.close()


def noise(file: Path, seconds: float, rate: int, channels: int = 1) -> None:
    rng = np.random.default_rng(rate)
    sf.write(file, rng.normal(0, 0.1, (int(seconds * rate), channels)), rate)


def begin(page: Page, folder: Path, name: str) -> None:
    page.get_by_role("button", name="New library").click()
    page.get_by_role("textbox", name="Folder of recordings").fill(str(folder))
    page.get_by_role("textbox", name="Folder of recordings").press("Tab")
    settled(page)
    page.get_by_role("textbox", name="Name", exact=True).first.fill(name)
    page.get_by_role("textbox", name="Name", exact=True).first.press("Tab")
    settled(page)
    page.get_by_role("button", name="Begin").click()


def test_from_a_folder_to_the_map(studio: House, signed_in: BrowserContext, tmp_path: Path) -> None:
    page, troubles = signed_in.new_page(), list[str]()
    listen(page, troubles)
    page.goto(f"{studio.address}/library")
    expect(page.get_by_role("heading", name="Libraries")).to_be_visible()
    readable(page)
    paused(page, studio, tmp_path)
    made(page, studio, tmp_path)
    # Chromium says of a file that is saved, and of what a page left behind was still loading, that
    # it gave up on it; what the app refuses or fails to send has a status or another name.
    expected = re.compile(r"/(library|search)/_stcore/|404 \(Not Found\)|net::ERR_ABORTED$")
    assert [trouble for trouble in troubles if not expected.search(trouble)] == []


def readable(page: Page) -> None:
    """The words on a primary button stand out in both themes (WCAG: 4.5 : 1)."""
    button = page.get_by_role("button", name="New library")
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        shown = f"getComputedStyle(document.querySelector('.stApp')).colorScheme === '{theme}'"
        page.wait_for_function(shown)
        look = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
        words, ground = (luminance(colour) for colour in button.evaluate(look))
        assert (max(words, ground) + 0.05) / (min(words, ground) + 0.05) >= 4.5, theme


def luminance(colour: str) -> float:
    """Relative luminance of ``rgb(0, 114, 178)``, 0 to 1 (WCAG 2)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def paused(page: Page, studio: House, tmp_path: Path) -> None:
    """A large folder: begin, pause, come back, remove."""
    large = tmp_path / "large"
    large.mkdir()
    noise(large / "0.wav", 60, 22_050)
    for i in range(1, 200):
        os.link(large / "0.wav", large / f"{i}.wav")
    begin(page, large, "Many")
    card = page.locator(".st-key-card-Many")
    expect(card.get_by_text(re.compile(r"\d+ of 200 pieces .* real time .* left"))).to_be_visible()
    page.goto(f"{studio.address}/search")  # the page may be left
    settled(page)
    page.goto(f"{studio.address}/library")
    card.get_by_role("button", name="Pause").click()
    expect(card.get_by_text(re.compile(r"Paused: \d+ of 200 pieces done"))).to_be_visible()
    assert not (studio.home / "libraries" / "Many" / "library.json").exists()
    card.get_by_role("button", name="Remove").click()
    expect(card).to_have_count(0)
    assert not (studio.home / "libraries" / "Many").exists()


def made(page: Page, studio: House, tmp_path: Path) -> None:
    """A folder of odd files becomes a library; one more comes, and it is on the map."""
    music = tmp_path / "odd music"
    music.mkdir()
    noise(music / "eight channels.wav", 5, 16_000, 8)
    noise(music / "8 kHz.flac", 6, 8_000)
    noise(music / "96 kHz.wav", 4, 96_000)
    (music / "torn.ogg").write_bytes(b"OggS, but no more")
    begin(page, music, "Odd music")
    card = page.locator(".st-key-card-Odd-music")
    expect(card.get_by_text(re.compile("3 pieces · 6 segments"))).to_be_visible()
    expect(card.get_by_text("Left out: 1")).to_be_visible()
    noise(music / "new one.wav", 5, 44_100)
    card.get_by_role("button", name="Look for changes").click()
    expect(card.get_by_text("1 added; 3 as they were. 1 piece to embed.")).to_be_visible()
    card.get_by_role("button", name="Update").click()
    expect(card.get_by_text(re.compile("4 pieces · 8 segments"))).to_be_visible()
    assert Library.open(studio.home / "libraries" / "Odd music").map("drums").shape == (8, 2)
    there = card.get_by_role("link", name="Explore").get_attribute("href")
    assert there == "/?library=Odd%20music"
    page.goto(f"{studio.address}{there}")
    expect(page.locator("select.library option")).to_have_text(["demo", "Odd music"])
    expect(page.locator("select.library")).to_have_value("Odd music")
