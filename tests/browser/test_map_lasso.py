"""Many dots at once: encircled, heard in a row, taken away as a table and as a playlist."""

import csv
import io
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from csn.library import Library
from tests.browser.conftest import PHONE, Explorer

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
Corners = list[tuple[float, float]]


def points(explorer: Explorer, library: Library, pane: int = 0) -> list[tuple[float, float]]:
    """Where every dot is in the window."""
    explorer.wait(still="true")
    found = explorer.script(
        f"[...Array({len(library)}).keys()].map(s => e.panes[{pane}].stage.pointOf(s))"
    )
    return [(x, y) for x, y in found]


def within(corners: Corners, x: float, y: float) -> bool:
    """Whether a ray to the right crosses the polygon's edges an odd number of times."""
    crossed = 0
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if (ay > y) != (by > y):
            crossed += x < ax + (y - ay) * (bx - ax) / (by - ay)
    return crossed % 2 == 1


def triangle(explorer: Explorer, pane: int = 0) -> Corners:
    """A lasso over about a third of a map, away from its controls."""
    box = explorer.find(".field").nth(pane).bounding_box()
    assert box
    x, y, wide, tall = box["x"], box["y"], box["width"], box["height"]
    return [(x + 0.1 * wide, y + 0.16 * tall), (x + 0.7 * wide, y + 0.2 * tall),
            (x + 0.3 * wide, y + 0.8 * tall)]  # fmt: skip


def draw(explorer: Explorer, corners: Corners) -> None:
    mouse = explorer.page.mouse
    mouse.move(*corners[0])
    mouse.down()
    for corner in [*corners[1:], corners[0]]:
        mouse.move(*corner, steps=12)
    mouse.up()


def picked(explorer: Explorer) -> list[int]:
    return explorer.script("e.picked.list")


def test_shift_drag_selects_what_lies_within(explorer: Explorer, library: Library) -> None:
    corners = triangle(explorer)
    inside = [s for s, (x, y) in enumerate(points(explorer, library)) if within(corners, x, y)]
    assert 5 < len(inside) < len(library) - 5
    explorer.page.keyboard.down("Shift")
    draw(explorer, corners)
    explorer.page.keyboard.up("Shift")
    assert picked(explorer) == inside
    pieces = library.segments["piece"][inside].nunique()
    expect(explorer.find(".tray-words")).to_have_text(f"{len(inside)} dots, {pieces} pieces")
    expect(explorer.find(".live")).to_have_text(f"{len(inside)} dots, {pieces} pieces selected")
    # What was left out is faint, and the map has not moved.
    alphas = explorer.script("Array.from(e.stage.dots.colours).filter((v, k) => k % 4 === 3)")
    assert {alphas[s] for s in range(len(library)) if s not in inside} == {20}
    assert min(alphas[s] for s in inside) >= 60
    assert explorer.script("[e.stage.camera.x, e.stage.camera.y]") == [0, 0]
    explorer.find(".tray-clear").click()
    assert picked(explorer) == []
    expect(explorer.find(".tray")).to_be_hidden()


def test_the_tool_draws_on_either_map_and_ctrl_adds(visit: Visit, library: Library) -> None:
    explorer = Explorer(visit("?second=guitar"))
    explorer.wait(second="guitar")
    explorer.find(".lasso").click()
    draw(explorer, triangle(explorer, 1))
    first = picked(explorer)
    corners = triangle(explorer, 1)
    dots = points(explorer, library, 1)
    assert first == [s for s, (x, y) in enumerate(dots) if within(corners, x, y)]
    for pane in (0, 1):  # seen on both
        alpha = explorer.script(f"e.panes[{pane}].stage.dots.colours[4 * {first[0]} + 3]")
        assert alpha >= 60
    explorer.page.keyboard.down("Control")
    draw(explorer, triangle(explorer, 0))
    explorer.page.keyboard.up("Control")
    corners = triangle(explorer, 0)
    dots = points(explorer, library, 0)
    more = {s for s, (x, y) in enumerate(dots) if within(corners, x, y)}
    assert picked(explorer) == sorted({*first} | more) != first


def test_a_selection_is_heard_in_a_row(explorer: Explorer) -> None:
    explorer.script("e.picked.choose([9, 3, 21])")
    assert picked(explorer) == [3, 9, 21]
    explorer.find(".tray-play").click()
    explorer.wait(playing=3)
    expect(explorer.find(".tray-words")).to_have_text("1 of 3")
    explorer.find(".tray-next").click()
    explorer.wait(playing=9)
    explorer.wait(playing=21)  # by itself, three seconds later
    expect(explorer.find(".tray-words")).to_have_text("3 of 3")
    explorer.find(".tray-back").click()
    explorer.wait(playing=9)
    explorer.find(".tray-play").click()
    explorer.wait(playing="")
    expect(explorer.find(".tray-words")).to_have_text("3 dots, 3 pieces")


def test_the_table_and_the_playlist(visit: Visit, library: Library) -> None:
    explorer = Explorer(visit("?second=bass"))
    explorer.wait(second="bass")
    explorer.script("e.picked.choose([2, 8, 40])")
    with explorer.page.expect_download() as download:
        explorer.find(".tray-table").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert download.value.suggested_filename == "stemwise-library-3.csv"
    for row, s in zip(rows, (2, 8, 40), strict=True):
        truth = library.segments.iloc[s]
        assert (row["piece"], row["title"], row["key"]) == (truth.piece, truth.title, truth.key)
        assert float(row["start"]) == truth.start and float(row["length"]) == truth.length
        assert float(row["tempo"]) == truth.tempo
        assert float(row["activity_guitar"]) == pytest.approx(truth.activity_guitar, abs=1e-3)
        for name in ("drums", "bass"):
            place = [float(row[f"{name}_{axis}"]) for axis in "xy"]
            assert place == pytest.approx(library.map(name)[s].tolist(), abs=1e-4)

    with explorer.page.expect_download() as download:
        explorer.find(".tray-playlist").click()
    lines = download.value.path().read_text("utf-8").splitlines()
    assert lines[0] == "#EXTM3U" and len(lines) == 7
    for (about, address), s in zip(
        zip(lines[1::2], lines[2::2], strict=True), (2, 8, 40), strict=True
    ):
        truth = library.segments.iloc[s]
        assert about.startswith(f"#EXTINF:3,{truth.title} (")
        ask = parse_qs(urlsplit(address).query)
        assert ask["piece"] == [truth.piece] and float(ask["start"][0]) == truth.start
        answer = explorer.page.request.get(address)
        assert answer.ok and answer.headers["content-type"] == "audio/wav"


def test_without_a_mouse(explorer: Explorer, library: Library) -> None:
    keyboard = explorer.page.keyboard
    explorer.find(".field").focus()
    keyboard.press("a")
    assert picked(explorer) == list(range(len(library)))
    keyboard.press("p")
    explorer.wait(playing=0)
    keyboard.press("n")
    explorer.wait(playing=1)
    keyboard.press("b")
    explorer.wait(playing=0)
    keyboard.press("p")
    explorer.wait(playing="")
    keyboard.press("+")
    keyboard.press("+")
    keyboard.press("a")
    box = explorer.find(".field").bounding_box()
    assert box
    seen = [
        s for s, (x, y) in enumerate(points(explorer, library))
        if box["x"] <= x <= box["x"] + box["width"] and box["y"] <= y <= box["y"] + box["height"]
    ]  # fmt: skip
    assert picked(explorer) == seen != list(range(len(library)))
    keyboard.press("x")
    assert picked(explorer) == []
    keyboard.press("l")
    expect(explorer.find(".lasso")).to_have_attribute("aria-pressed", "true")
    keyboard.press("Escape")
    expect(explorer.find(".lasso")).to_have_attribute("aria-pressed", "false")


def test_a_finger_draws_with_the_tool(visit: Visit) -> None:
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    explorer = Explorer(page)
    explorer.find(".lasso").tap()
    corners = triangle(explorer)
    touch = page.context.new_cdp_session(page)

    def finger(kind: str, place: tuple[float, float] | None) -> None:
        where = [{"x": place[0], "y": place[1]}] if place else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})

    finger("touchStart", corners[0])
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        for k in range(1, 9):
            finger("touchMove", (ax + (bx - ax) * k / 8, ay + (by - ay) * k / 8))
    finger("touchEnd", None)
    expect(explorer.find(".tray")).to_be_visible()
    assert len(picked(explorer)) > 5
    assert page.evaluate("document.querySelector('.stMain').scrollWidth <= innerWidth")
