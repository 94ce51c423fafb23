"""From a recording that no renderer of ours has made to what a library has like it, in Chromium."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from playwright.sync_api import Browser, Page, expect

from csn import audio
from csn.instruments import INSTRUMENTS
from csn.library import Library
from csn.model import Model
from tests.browser.conftest import LAPTOP, PATIENCE, PHONE, listen, serve
from tests.csn.test_query import write_m4a

pytestmark = pytest.mark.browser
RATE = 44_100


def plucked(seconds: float, seed: int = 0) -> np.ndarray:
    """Strings after Karplus and Strong over a drum kit of noise and falling sines.

    Returns:
        [samples] float32 at 44,100 Hz.
    """
    rng = np.random.default_rng(seed)
    sound = np.zeros(int(seconds * RATE))
    notes = []
    for hertz in (110.0, 164.8, 220.0, 261.6, 329.6):
        period = round(RATE / hertz)
        turns = [rng.uniform(-1, 1, period)]
        while len(turns) * period < RATE:  # every turn is the last one, softened
            turns.append(0.498 * (turns[-1] + np.roll(turns[-1], -1)))
        notes.append(np.concatenate(turns)[:RATE])
    t = np.arange(RATE // 5) / RATE
    kick = np.sin(2 * np.pi * (50 + 80 * np.exp(-30 * t)) * t) * np.exp(-18 * t)
    snare, hat = (rng.standard_normal(len(t)) * np.exp(-d * t) for d in (20, 60))
    for k, begin in enumerate(range(0, len(sound) - RATE, RATE // 4)):
        sound[begin : begin + RATE] += 0.3 * notes[(3 * k + k // 7) % 5]
        for drum, when in ((kick, k % 8 in (0, 5)), (snare, k % 8 == 4), (hat, k % 2)):
            sound[begin : begin + len(t)] += 0.25 * when * drum
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same twenty seconds as MP3 and M4A; and text that is called music."""
    folder = tmp_path_factory.mktemp("recordings")
    sound = plucked(20.0)
    sf.write(folder / "plucked.mp3", sound, RATE)
    write_m4a(folder / "plucked.m4a", sound[:, None], RATE)
    (folder / "words.wav").write_bytes(b"These are words and no sound.\n" * 100)
    return folder


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with the demo, whose model is the real one."""
    home = tmp_path_factory.mktemp("search")
    yield from serve(None, home, home / "app.log")


@pytest.fixture
def search(plain_chromium: Browser, app: str) -> Iterator[Callable[..., Page]]:
    """A function that opens the page; afterwards nothing may have gone wrong."""
    troubles: list[str] = []
    contexts = []

    def visit(**options: object) -> Page:
        context = plain_chromium.new_context(**({"viewport": LAPTOP} | options))  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        listen(page, troubles)
        page.goto(f"{app}/search")
        page.get_by_text("Drop in a recording").wait_for()
        return page

    yield visit
    for context in contexts:
        context.close()
    # Streamlit asks at the page's own path first where it is served.
    assert not [t for t in troubles if "/search/_stcore/" not in t and "404 (Not Found)" not in t]


def give(page: Page, file: Path) -> None:
    page.locator("input[type=file]").set_input_files(file)


def rows(page: Page, but: str = "") -> list[int]:
    """The answers' segments, once they are others than they were."""
    page.locator(f'.found[data-rows]:not([data-rows="{but}"])').wait_for()
    return [int(row) for row in said(page).split()]


def said(page: Page) -> str:
    return page.locator(".found").get_attribute("data-rows") or ""


class Truth:
    """The answers by brute force: every segment of the demo, in float64."""

    def __init__(self, file: Path) -> None:
        self.library, self.model = Library.open("demo"), Model.load("demo")
        self.sound = audio.read(file, self.model.settings.sample_rate)

    def __call__(self, start: float, length: float, weights: tuple[float, ...]) -> list[int]:
        rate, table = self.model.settings.sample_rate, self.library.segments
        part = self.sound[round(start * rate) : round((start + length) * rate)]
        starts = np.arange(0, length - 3 + 1e-6, 1.5)
        parts = self.model.embed(part, starts, 3.0).reshape(-1, 5, 128).astype(np.float64)
        mean = parts.mean(axis=0)
        mean *= (np.linalg.norm(parts, axis=2).mean(axis=0) / np.linalg.norm(mean, axis=1))[:, None]
        away = self.library.vectors[:, :640].reshape(-1, 5, 128) - mean.astype(np.float32)
        far = (np.square(away.astype(np.float64)).sum(axis=2) * weights).sum(axis=1)
        leading = [c for c in range(5) if weights[c] == max(weights)]
        found: list[int] = []
        for row in np.argsort(far, kind="stable").tolist():
            plays = all(table[f"activity_{INSTRUMENTS[c]}"][row] >= 0.3 for c in leading)
            if (plays or len(leading) == 5) and table["piece"][row] not in [
                table["piece"][other] for other in found
            ]:
                found.append(row)
        return found[:10]


def test_a_recording_finds_what_it_should(search: Callable[..., Page], recordings: Path) -> None:
    page = search()
    give(page, recordings / "plucked.mp3")
    truth = Truth(recordings / "plucked.mp3")
    assert rows(page) == truth(0.0, 10.0, (1, 0, 0, 0, 0))
    before = said(page)
    page.get_by_role("radiogroup", name="Find the same").get_by_text("Guitar").click()
    assert rows(page, before) == truth(0.0, 10.0, (0, 0, 0, 1, 0))
    before = said(page)  # another part: the middle goes to where the pointer is
    page.locator(".wave .length").select_option("5")
    rows(page, before)
    before = said(page)
    reach = page.locator(".reach")
    reach.focus()
    for _ in range(2):
        reach.press("PageUp")
    expect(page.locator(".query-play")).to_contain_text("plucked.mp3")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        start = float(reach.input_value()) - 2.5
        if rows(page) == truth(round(start, 2), 5.0, (0, 0, 0, 1, 0)):
            break
        time.sleep(0.2)
    else:
        pytest.fail("the answers are not those of the part that was chosen")


def test_answers_are_heard_beside_the_query(search: Callable[..., Page], recordings: Path) -> None:
    page = search()
    give(page, recordings / "plucked.m4a")
    truth = Truth(recordings / "plucked.m4a")
    first, second, *_ = found_rows = rows(page)
    assert found_rows == truth(0.0, 10.0, (1, 0, 0, 0, 0))
    found = page.locator(".found")
    bar = page.get_by_role("img", name="Of the distance: drums 100 %").first
    expect(bar).to_be_visible()
    page.locator(".answer .play").first.click()
    expect(found).to_have_attribute("data-heard", str(first))
    loud = "window.stemwiseSearch.sound.level"
    page.wait_for_function(f"{loud} > 0.01")
    page.keyboard.press("x")  # to the query and back
    expect(found).to_have_attribute("data-heard", "A")
    page.wait_for_function(f"{loud} > 0.01")
    page.keyboard.press("x")
    expect(found).to_have_attribute("data-heard", str(first))
    parts = page.get_by_role("radiogroup", name="Hear the answers as")
    parts.get_by_role("radio", name="Drums").click()  # its drums alone
    page.wait_for_function("window.stemwiseSearch.sound.now?.part.includes('/drums?')")
    page.locator(".answer .play").first.click()
    expect(found).to_have_attribute("data-heard", "")
    page.get_by_role("button", name="Play the chosen part").click()
    expect(page.get_by_role("button", name="Stop the chosen part")).to_be_visible()
    before = said(page)
    page.locator(".answer").nth(1).get_by_role("button", name="Ask with").click()
    others = rows(page, before)
    pieces = truth.library.segments["piece"]
    assert pieces[second] not in [pieces[row] for row in others]
    expect(page.get_by_role("combobox", name="Piece")).to_be_visible()
    page.goto(
        page.url.split("/search")[0] + (page.locator("a.small").first.get_attribute("href") or "")
    )
    page.locator(f'.stemwise[data-selected="{others[0]}"]').wait_for()  # the same on the map
    back = page.locator(".stemwise .ask").get_attribute("href") or ""
    facts = truth.library.segments.iloc[others[0]]
    assert back == f"/search?piece={facts['piece']}&at={facts['start']:g}&library=demo"


def test_what_is_no_sound_is_said_and_a_phone_has_room(
    search: Callable[..., Page], recordings: Path
) -> None:
    page = search(viewport=PHONE, has_touch=True, is_mobile=True)
    give(page, recordings / "words.wav")
    said_so = page.get_by_test_id("stAlert").filter(has_text="words.wav is not audio")
    expect(said_so).to_be_visible()  # the invitation may stand beside it for a moment
    page.get_by_role("button", name="Remove").first.click()
    expect(said_so).to_have_count(0)
    give(page, recordings / "plucked.mp3")
    rows(page)
    page.locator(".where canvas").scroll_into_view_if_needed()
    for element in ("document.documentElement", 'document.querySelector("[data-testid=stMain]")'):
        wide, room = page.evaluate(f"[{element}.scrollWidth, {element}.clientWidth]")
        assert wide <= room <= 390
    small = page.locator(".found button, .found a.small").evaluate_all(
        "all => all.filter(e => e.offsetHeight < 36).map(e => e.textContent)"
    )
    assert small == []
    clip = page.locator(".found").evaluate("root => root.results.data.query.clips.mix")
    assert page.request.get(page.url.split("/search")[0] + clip).ok
    page.get_by_role("button", name="Remove").first.click()  # nothing of it is left
    page.get_by_text("Drop in a recording").wait_for()
    expect(page.locator(".found")).to_have_count(0)
    assert page.request.get(page.url.split("/search")[0] + clip).status == 404
