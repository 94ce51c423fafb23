"""Two maps side by side: what is pointed at, selected and near on one is seen on the other."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from csn.library import Library
from tests.browser.conftest import PHONE, Explorer, until
from tests.browser.test_explore import nearest

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


@pytest.fixture
def two(visit: Visit) -> Explorer:
    """Drums and guitar, on a laptop."""
    explorer = Explorer(visit("?second=guitar"))
    explorer.wait(state="ready", map="drums", second="guitar")
    return explorer


def at(explorer: Explorer, pane: int, segment: int) -> tuple[float, float]:
    """Where a dot is in the window, on the first (0) or second map."""
    explorer.wait(still="true")
    x, y = explorer.script(f"e.panes[{pane}].stage.pointOf({segment})")
    return x, y


def marked(explorer: Explorer, pane: int, segment: int) -> float:
    """The part of the pixels around a dot over which something is drawn."""
    return explorer.script(
        f"(() => {{ const p = e.panes[{pane}], r = p.stage.ratio;"
        f" const [x, y] = p.stage.at({segment});"
        " const seen = p.stage.pen.getImageData((x - 20) * r, (y - 20) * r, 40 * r, 40 * r).data;"
        " return seen.filter((v, k) => k % 4 === 3 && v > 60).length / (seen.length / 4); })()"
    )


def test_a_button_opens_a_second_map_and_closes_it(explorer: Explorer, library: Library) -> None:
    assert explorer.find(".map").count() == 1
    explorer.find(".compare").click()
    explorer.wait(second="guitar")
    maps = explorer.find(".map")
    expect(maps).to_have_count(2)
    left, right = (maps.nth(k).bounding_box() for k in (0, 1))
    assert left and right
    assert left["width"] == pytest.approx(right["width"], abs=1) and left["y"] == right["y"]
    assert left["x"] + left["width"] < right["x"]
    assert explorer.page.evaluate("document.querySelector('.stMain').scrollHeight <= innerHeight")
    expect(explorer.page).to_have_url(re.compile("second=guitar"))
    # Each dot is where its own map says, stretched to its half of the window.
    for pane, name in enumerate(("drums", "guitar")):
        seen = np.array([at(explorer, pane, s) for s in range(len(library))])
        truth = library.map(name)
        for axis in (0, 1):
            line = np.polyfit(truth[:, axis], seen[:, axis], 1)
            assert np.abs(np.polyval(line, truth[:, axis]) - seen[:, axis]).max() < 0.5
    explorer.find(".compare").click()
    expect(maps).to_have_count(1)
    expect(explorer.page).not_to_have_url(re.compile("second"))


def test_hovering_one_map_marks_and_sounds_the_same_segment(two: Explorer) -> None:
    segment = two.loner()
    two.wait(still="true")
    assert marked(two, 1, segment) == 0
    two.hover(segment)
    two.wait(playing=segment, part="mix")
    until(lambda: marked(two, 1, segment) > 0.05)
    other = (segment + 20) % 60
    two.page.mouse.move(*at(two, 1, other))
    reached = two.script("e.cursor")  # on the second map another may lie on top
    two.wait(playing=reached)
    assert two.script("e.active.place") == 1
    until(lambda: marked(two, 0, reached) > 0.05)


def test_alone_is_the_instrument_of_the_map_that_is_pointed_at(two: Explorer) -> None:
    two.find('.part [data-part="stem"]').click()
    two.hover(two.loner())
    two.wait(part="drums")
    two.page.mouse.move(*at(two, 1, 30))
    two.wait(part="guitar")
    expect(two.find('.part [data-part="stem"]')).to_have_text("Only the guitar")


def test_neighbours_of_the_first_map_are_drawn_in_both(two: Explorer, library: Library) -> None:
    segment = two.loner()
    two.click(segment)
    rows = two.rows()
    assert rows == nearest(library, segment, "drums", 10)
    two.page.mouse.move(5, 5)
    two.wait(playing="")
    for pane in (0, 1):
        for dot in (segment, *rows[:3]):
            until(lambda p=pane, d=dot: marked(two, p, d) > 0.1)
    # A click on the second map selects, too; the neighbours stay those by drums.
    x, y = at(two, 1, rows[0])
    two.page.mouse.move(x, y)
    reached = two.script("e.cursor")
    two.page.mouse.click(x, y)
    two.wait(selected=reached)
    assert two.rows() == nearest(library, reached, "drums", 10)


def test_the_second_map_has_its_own_instrument_and_camera(two: Explorer) -> None:
    two.find('.picks [data-instrument="bass"]').click()
    two.wait(second="bass", map="drums")
    expect(two.find('.pick[aria-checked="true"]')).to_have_text("Drums")
    assert two.script("e.panes[1].field.ariaLabel").endswith("by bass")
    two.page.mouse.move(*at(two, 1, 3))
    two.page.mouse.wheel(0, -500)
    until(lambda: two.script("e.panes[1].stage.camera.zoom") > 1.2)
    assert two.script("e.panes[0].stage.camera.zoom") == 1


def test_the_keyboard_opens_fills_and_walks_the_second_map(visit: Visit) -> None:
    explorer = Explorer(visit())
    keyboard = explorer.page.keyboard
    explorer.find(".field").focus()
    keyboard.press("d")
    explorer.wait(second="guitar")
    expect(explorer.find(".live")).to_have_text("Two maps: drums and guitar")
    keyboard.press("Shift+Digit3")
    explorer.wait(second="bass", still="true")
    explorer.find(".field").nth(1).focus()
    keyboard.press("ArrowRight")
    explorer.wait(plays=1)
    first = int(explorer["playing"])
    x = at(explorer, 1, first)[0]
    keyboard.press("ArrowRight")
    explorer.wait(plays=2)
    assert at(explorer, 1, int(explorer["playing"]))[0] > x
    keyboard.press("d")
    expect(explorer.find(".map")).to_have_count(1)
    keyboard.press("Shift+Digit2")
    explorer.wait(second="drums")


def test_on_a_phone_the_maps_lie_one_below_the_other(visit: Visit) -> None:
    page = visit(
        "?second=guitar", viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    explorer = Explorer(page)
    upper, lower = (explorer.find(".field").nth(k).bounding_box() for k in (0, 1))
    assert upper and lower and upper["y"] + upper["height"] <= lower["y"]
    assert page.evaluate("document.querySelector('.stMain').scrollWidth <= innerWidth")
    explorer.find(".field").nth(1).scroll_into_view_if_needed()
    page.touchscreen.tap(*at(explorer, 1, 17))
    explorer.wait(plays=1)
    assert explorer["selected"] == explorer["playing"] != ""
