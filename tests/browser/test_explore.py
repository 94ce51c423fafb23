"""The first screen, as somebody sees, hears and touches it."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from csn.instruments import INSTRUMENTS
from csn.library import Library
from tests.browser.conftest import PHONE, Explorer, serve, until
from tests.small_library import NAUGHTY, NO_GUITAR

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
SHADOW = "document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"


def nearest(library: Library, segment: int, instrument: str, count: int) -> list[int]:
    """The best segment of each other piece, nearest first: every distance, one by one."""
    c = INSTRUMENTS.index(instrument)
    vectors = np.asarray(library.vectors[:, 128 * c : 128 * c + 128], np.float64)
    pieces = library.segments["piece"].tolist()
    best: dict[str, tuple[float, int]] = {}
    for row, piece in enumerate(pieces):
        away = float(np.sqrt(((vectors[row] - vectors[segment]) ** 2).sum()))
        if piece != pieces[segment] and (away, row) < best.get(piece, (np.inf, 0)):
            best[piece] = (away, row)
    return [row for _, row in sorted(best.values())[:count]]


def pixels(explorer: Explorer) -> np.ndarray:
    """The map as it is seen, [height, width, 3]."""
    shot = explorer.find(".map").screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def coloured(image: np.ndarray) -> float:
    """The part of an image that is neither grey nor nearly so."""
    return float(np.mean(image.max(axis=2) - image.min(axis=2) > 40))


def test_the_map_is_there_and_nothing_scrolls(explorer: Explorer) -> None:
    assert coloured(pixels(explorer)) > 0.002
    assert explorer.script("e.stage.dots.kind") == "webgl"
    page = explorer.page
    assert page.evaluate("document.querySelector('.stMain').scrollHeight <= innerHeight")
    names = [name.strip() for name in explorer.find(".pick").all_text_contents()]
    assert names == ["Whole", "Drums", "Bass", "Piano", "Guitar", "Others"]
    expect(explorer.find('.pick[aria-checked="true"]')).to_have_text("Drums")
    expect(explorer.find(".words")).to_contain_text("similar drums")
    expect(page).to_have_title("Stemwise")


def test_hovering_sounds_and_leaving_silences(explorer: Explorer, library: Library) -> None:
    segment = explorer.loner()
    explorer.hover(segment)
    explorer.wait(playing=segment, part="mix", audio="running", plays=1)
    heard = explorer.script(
        "new Promise(done => { let most = 0; const look = () => {"
        " most = Math.max(most, e.sound.level);"
        " e.sound.progress > 0.4 ? done(most) : requestAnimationFrame(look); }; look(); })"
    )
    assert heard > 0.003
    buffer = explorer.script("[e.sound.now.buffer.duration, e.sound.now.buffer.numberOfChannels]")
    assert buffer == [pytest.approx(3.0, abs=1e-3), 1]
    title = library.segments["title"][segment]
    expect(explorer.find(".now-title")).to_have_text(title)
    expect(explorer.find(".tip-title")).to_have_text(title)
    explorer.page.mouse.move(5, 5)
    explorer.wait(playing="")


def test_only_one_sound_at_a_time(explorer: Explorer) -> None:
    for segment in (3, 11, 25, 40):
        explorer.script(f"e.playing.play({segment})")
    explorer.wait(playing=40)
    started = explorer.script("e.sound.counts.plays")
    explorer.script("e.playing.play(3)")
    explorer.wait(playing=3, plays=started + 1)


def test_click_lists_the_true_neighbours_and_plays_a_stem(
    explorer: Explorer, library: Library
) -> None:
    segment = explorer.loner()
    explorer.click(segment)
    rows = explorer.rows()
    assert rows == nearest(library, segment, "drums", 10)
    titles = explorer.find(".neighbour .name-title").all_text_contents()
    assert titles == library.segments["title"][rows].tolist()
    c = INSTRUMENTS.index("drums")
    away = (
        library.vectors[rows[0], 128 * c : 128 * c + 128]
        - (library.vectors[segment, 128 * c : 128 * c + 128])
    )
    expect(explorer.find(".number").first).to_have_text(f"{np.linalg.norm(away):.2f}")

    explorer.page.mouse.move(5, 5)
    explorer.find(".neighbour .stem").nth(1).click()
    explorer.wait(playing=rows[1], part="drums")
    explorer.find(".neighbour .stem").nth(1).click()
    explorer.wait(playing="")
    explorer.find(".neighbour [data-part='mix']").nth(2).click()
    explorer.wait(playing=rows[2], part="mix")


def test_switching_the_instrument_rearranges_the_same_pieces(
    explorer: Explorer, library: Library
) -> None:
    segment = explorer.loner()
    explorer.click(segment)
    explorer.rows()
    before = np.array([explorer.point(s) for s in range(len(library))])
    explorer.find('.pick[data-instrument="bass"]').click()
    explorer.wait(map="bass", still="true")
    expect(explorer.find(".near-title")).to_have_text("Nearest by bass")
    explorer.page.wait_for_function(
        f"want => JSON.stringify([...{SHADOW}.querySelector('.stemwise').stemwise"
        ".side.rows.keys()]) === want",
        arg=str(nearest(library, segment, "bass", 10)).replace(" ", ""),
    )
    after = np.array([explorer.point(s) for s in range(len(library))])
    assert np.median(np.linalg.norm(after - before, axis=1)) > 20
    # Where the dots are is where the map says, stretched to the window: x right, y up.
    truth = library.map("bass")
    for axis, sign in ((0, 1), (1, -1)):
        slope = np.polyfit(truth[:, axis], after[:, axis], 1)
        assert np.sign(slope[0]) == sign
        assert np.abs(np.polyval(slope, truth[:, axis]) - after[:, axis]).max() < 0.5
    expect(explorer.page).to_have_url(re.compile("instrument=bass.*piece=Track"))


def test_dots_glide_and_stand_still_where_less_motion_is_wanted(visit: Visit) -> None:
    explorer = Explorer(visit())
    explorer.script("e.library.map('guitar')")
    path = explorer.script(
        "(async () => { const seen = []; await e.choose('guitar'); while (e.stage.gliding) {"
        " seen.push(e.stage.t); await new Promise(requestAnimationFrame); } return seen; })()"
    )
    assert len(path) > 2
    assert path == sorted(path)
    calm = Explorer(visit(reduced_motion="reduce"))
    assert calm.script("(async () => { await e.choose('guitar'); return e.stage.t; })()") == 1


def test_the_keyboard_alone(explorer: Explorer, library: Library) -> None:
    page = explorer.page
    explorer.find(".field").focus()
    label = explorer.find(".field").get_attribute("aria-label")
    assert label == f"Map of {len(library)} short clips by drums"
    page.keyboard.press("ArrowRight")
    explorer.wait(plays=1)
    first = int(explorer["playing"])
    x = explorer.point(first)[0]
    page.keyboard.press("ArrowRight")
    explorer.wait(plays=2)
    second = int(explorer["playing"])
    assert explorer.point(second)[0] > x
    start = int(library.segments["start"][second])
    said = explorer.find(".live").text_content()
    assert said == f"{library.segments['title'][second]}, {start} s, the mix"
    page.keyboard.press("Enter")
    assert explorer.rows() == nearest(library, second, "drums", 10)
    page.keyboard.press(" ")
    explorer.wait(playing="")
    page.keyboard.press(" ")
    explorer.wait(playing=second)
    page.keyboard.press("t")
    explorer.wait(playing=second, part="drums")
    page.keyboard.press("m")
    assert explorer.script("e.sound.muted")
    page.keyboard.press("h")
    expect(explorer.find(".hover-sound")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("+")
    assert explorer.script("e.stage.camera.zoom") == pytest.approx(1.5)
    page.keyboard.press("0")
    page.keyboard.press("5")
    explorer.wait(map="guitar")
    page.keyboard.press("?")
    expect(explorer.find(".keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(explorer.find(".keys")).to_be_hidden()


def test_tab_reaches_the_instruments_and_then_the_map(explorer: Explorer) -> None:
    explorer.find('.pick[aria-checked="true"]').focus()
    explorer.page.keyboard.press("ArrowRight")
    explorer.wait(map="bass")
    focused = (
        "document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot.activeElement"
    )
    assert explorer.page.evaluate(f"{focused}.dataset.instrument") == "bass"
    explorer.page.keyboard.press("Tab")
    assert explorer.page.evaluate(f"{focused}.className") == "field"
    ring = explorer.find(".field").evaluate("e => getComputedStyle(e).outlineStyle")
    assert ring == "solid"


def test_wheel_zooms_where_the_pointer_is_and_a_drag_moves(explorer: Explorer) -> None:
    page, segment = explorer.page, explorer.loner()
    x, y = explorer.point(segment)
    explorer.hover(segment)
    page.mouse.wheel(0, -500)
    until(lambda: explorer.script("e.stage.camera.zoom") > 1.2)
    assert explorer.point(segment) == pytest.approx((x, y), abs=1)
    page.mouse.down()
    page.mouse.move(x + 40, y - 30, steps=5)
    page.mouse.up()
    assert explorer.point(segment) == pytest.approx((x + 40, y - 30), abs=1)
    assert explorer["selected"] == ""
    explorer.find(".reset").click()
    until(lambda: explorer.point(segment) == pytest.approx((x, y), abs=1))


def test_only_the_instrument_and_where_it_is_missing(visit: Visit, library: Library) -> None:
    silent = library.segments.index[library.segments["piece"] == NO_GUITAR][0]
    explorer = Explorer(visit("?instrument=guitar"))
    explorer.find('.part [data-part="stem"]').click()
    explorer.script(f"e.select({silent})")
    explorer.wait(playing=silent, part="guitar")
    expect(explorer.find(".now-line")).to_have_text("There is no guitar in these seconds.")
    other = Explorer(visit("?instrument=guitar&piece=Track00001&at=0&count=20"))
    rows = other.rows()
    missing = [k for k, row in enumerate(rows) if library.segments["piece"][row] == NO_GUITAR]
    assert len(missing) == 1
    expect(other.find(".neighbour .stem").nth(missing[0])).to_be_disabled()


def test_in_a_row_goes_from_the_dot_to_its_neighbours(explorer: Explorer) -> None:
    explorer.click(explorer.loner())
    rows = explorer.rows()
    explorer.page.mouse.move(5, 5)
    explorer.wait(playing="")
    explorer.find(".row-play").click()
    explorer.wait(playing=explorer["selected"])
    explorer.wait(playing=rows[0])
    explorer.find(".row-play").click()
    explorer.wait(playing="")


def test_options_change_the_neighbours(explorer: Explorer, library: Library) -> None:
    segment = explorer.loner()
    explorer.click(segment)
    explorer.rows()
    explorer.find(".count").select_option("5")
    explorer.wait(neighbours=5)
    explorer.find(".among").select_option("all")
    own = library.segments["piece"][segment]
    expect(explorer.find(".near-line")).to_contain_text(library.segments["title"][segment])
    explorer.page.wait_for_timeout(300)
    explorer.wait(neighbours=5)
    assert own in library.segments["piece"][explorer.rows()].tolist()
    expect(explorer.page).to_have_url(re.compile("count=5&among=all"))


def test_colours_have_a_legend(explorer: Explorer) -> None:
    explorer.find(".colour-by").select_option("tempo")
    expect(explorer.find(".legend")).to_contain_text("BPM")
    explorer.find(".colour-by").select_option("key")
    keys = explorer.find(".legend .key").all_text_contents()
    assert sorted(keys) == list("ABCDEFG")
    shown = explorer.script("Array.from(e.stage.dots.colours.subarray(0, 3))")
    code = explorer.script("e.panes[0].colouring.code(0)")
    swatch = explorer.find(".legend .swatch").nth(code).evaluate("s => s.style.background")
    assert swatch == f"rgb({shown[0]}, {shown[1]}, {shown[2]})"


def test_titles_are_text_and_never_html(visit: Visit, library: Library) -> None:
    row = int(library.segments.index[library.segments["title"] == NAUGHTY][0])
    explorer = Explorer(visit())
    explorer.script(f"e.select({row})")
    expect(explorer.find(".now-title")).to_have_text(NAUGHTY)
    expect(explorer.find(".near-line")).to_contain_text(NAUGHTY)
    assert explorer.find("img").count() == 0


def test_an_address_brings_back_the_view(visit: Visit, library: Library) -> None:
    first = Explorer(visit("?instrument=piano&colour=key&piece=Track00004&at=4.5&count=5"))
    first.wait(map="piano", neighbours=5)
    row = int(first["selected"])
    assert library.segments.loc[row, ["piece", "start"]].tolist() == ["Track00004", 4.5]
    expect(first.find(".colour-by")).to_have_value("key")
    expect(first.find(".notice")).to_be_hidden()


def test_an_address_that_makes_no_sense_says_so(visit: Visit) -> None:
    explorer = Explorer(visit("?instrument=%3Cb%3Ezither&count=-1&piece=../../etc&at=x&library=no"))
    notice = explorer.find(".notice")
    expect(notice).to_be_visible()
    for word in ("instrument", "count", "dot", "library called 'no'"):
        expect(notice).to_contain_text(word)
    explorer.wait(map="drums", selected="")
    notice.get_by_role("button").click()
    explorer.script("e.select(0)")
    explorer.rows()
    expect(notice).to_be_hidden()


def test_a_phone(visit: Visit) -> None:
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    explorer = Explorer(page)
    wide = "document.scrollingElement.scrollWidth, document.querySelector('.stMain').scrollWidth"
    assert page.evaluate(f"Math.max({wide}) <= innerWidth")
    expect(explorer.find(".words")).to_contain_text("tap the dots")
    boxes = [explorer.find(name).bounding_box() for name in (".picker", ".map", ".now", ".near")]
    tops = [box["y"] for box in boxes if box]
    assert tops == sorted(tops)
    segment = explorer.loner()
    page.touchscreen.tap(*explorer.point(segment))
    explorer.wait(selected=segment, plays=1)
    assert len(explorer.rows()) == 10
    assert page.evaluate(f"Math.max({wide}) <= innerWidth")
    for button in explorer.find(".pick").all():
        box = button.bounding_box()
        assert box and box["width"] >= 44 and box["height"] >= 44


# Browsers that hold sound back until the first click look like this to a page.
LOCKED = """
const resume = AudioContext.prototype.resume;
const state = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, "state").get;
Object.defineProperty(BaseAudioContext.prototype, "state", {
  get() {
    const real = state.call(this);
    return real === "closed" || this.allowed ? real : "suspended";
  },
});
AudioContext.prototype.resume = function () {
  if (navigator.userActivation.hasBeenActive) this.allowed = true;
  this.onstatechange?.();
  return resume.call(this);
};
"""


def test_a_silent_browser_is_asked_for_a_click(visit: Visit) -> None:
    explorer = Explorer(visit(script=LOCKED))
    button = explorer.find(".unlock")
    expect(button).to_be_visible()
    expect(button).to_contain_text("Click to turn sound on", use_inner_text=True)
    explorer.page.wait_for_timeout(200)
    assert explorer["plays"] == "0"
    press(button)
    expect(button).to_be_hidden()
    explorer.hover(explorer.loner())
    explorer.wait(plays=1, audio="running")


def press(button: Locator) -> None:
    """A click that takes its time. What it is for happens at its end and not before: were the
    button gone by then, the click would end on the map beneath it."""
    box = button.bounding_box()
    assert box
    mouse = button.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    button.page.wait_for_timeout(300)
    expect(button).to_be_visible()
    mouse.up()


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_silent_browser_takes_a_key_as_well(visit: Visit, key: str) -> None:
    explorer = Explorer(visit(script=LOCKED))
    button = explorer.find(".unlock")
    button.focus()
    explorer.page.keyboard.press(key)
    expect(button).to_be_hidden()
    expect(explorer.find(".field").first).to_be_focused()
    explorer.wait(audio="running")


def test_without_webgl_the_same_map_is_drawn_flat(visit: Visit) -> None:
    script = """
    const get = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
      return kind.startsWith("webgl") ? null : get.call(this, kind, ...rest);
    };"""
    flat, gl = Explorer(visit(script=script)), Explorer(visit())
    assert flat.script("e.stage.dots.kind") == "2d"
    one, other = pixels(flat), pixels(gl)
    assert coloured(one) > 0.002
    assert np.mean(np.abs(one - other).max(axis=2) > 90) < 0.002
    flat.hover(flat.loner())
    flat.wait(plays=1)


def test_a_clip_that_fails_is_said_and_the_next_one_plays(visit: Visit) -> None:
    explorer = Explorer(visit(lenient=True))
    explorer.page.route("**/audio/**Track00001**", lambda route: route.abort())
    explorer.script("e.playing.play(0)")
    expect(explorer.find(".now-line.warn")).to_be_visible()
    explorer.script("e.playing.play(12)")
    explorer.wait(playing=12)


def test_a_map_that_fails_can_be_asked_for_again(
    chromium: Browser, address: str, library: Library
) -> None:
    page = chromium.new_page()
    page.route("**/points/**", lambda route: route.abort())
    page.goto(address)
    explorer = Explorer(page)
    expect(explorer.find(".problem")).to_be_visible(timeout=60_000)
    page.unroute("**/points/**")
    explorer.find(".problem button").click()
    explorer.wait(state="ready")
    page.close()


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The app with a library that is not there."""
    yield from serve(tmp_path / "missing", tmp_path, tmp_path / "app.log")


def test_without_a_library_the_page_says_what_to_do(chromium: Browser, bare: str) -> None:
    page: Any = chromium.new_page()
    page.goto(bare)
    expect(page.get_by_role("heading")).to_have_text("Nothing to explore yet", timeout=60_000)
    expect(page.get_by_text("make demo")).to_be_visible()
    page.close()
