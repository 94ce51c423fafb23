"""How maps are drawn: method, dimensions, segments or pieces, density, names; the whole view."""

import csv
import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from csn.centroids import centroids
from csn.clusters import find
from csn.library import Library
from tests.browser.conftest import Explorer, until
from tests.browser.test_explore import nearest
from tests.browser.test_map_lasso import picked

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def pixels(explorer: Explorer, count: int) -> np.ndarray:
    """Where the dots are drawn, in pixels of the first map: [count, 2]."""
    explorer.wait(still="true")
    return np.array(explorer.script(f"[...Array({count}).keys()].map(i => e.stage.at(i))"))


def turned(places: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """What is seen of [n, 3] after turning about the upright axis, then about the level one."""
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    return (places @ about_y.T @ about_x.T)[:, :2]


def same_up_to_scale(seen: np.ndarray, truth: np.ndarray) -> bool:
    """Whether pixels are the truth enlarged by one factor, y upside down, and moved."""
    truth = truth * [1, -1]
    scale = np.linalg.norm(seen - seen.mean(0)) / np.linalg.norm(truth - truth.mean(0))
    return bool(np.abs((seen - seen.mean(0)) - scale * (truth - truth.mean(0))).max() < 0.5)


def arrived(explorer: Explorer) -> None:
    """Until the dots have reached a map in three dimensions."""
    explorer.page.wait_for_function(
        "() => { const { stage } = document.querySelector("
        "'[data-testid=stBidiComponentIsolated]').shadowRoot.querySelector('.stemwise').stemwise;"
        " return stage.camera.solid && !stage.gliding && stage.still; }"
    )


def test_a_map_in_three_dimensions_is_turned_by_dragging(visit: Visit, library: Library) -> None:
    explorer = Explorer(visit())
    explorer.find(".view").click()
    choice = explorer.find(".by-first")
    assert choice.evaluate("s => [...s.options].filter(o => !o.disabled).map(o => o.value)") == [
        "pca", "pca3",
    ]  # fmt: skip
    expect(explorer.find(".unmade")).to_contain_text("csn map --method all")
    choice.select_option("pca3")
    expect(explorer.page).to_have_url(re.compile("map=pca3"))
    explorer.page.keyboard.press("Escape")
    truth = library.map("drums", "pca3").astype(float)
    arrived(explorer)
    assert same_up_to_scale(pixels(explorer, len(library)), turned(truth, 0.6, 0.35))
    box = explorer.find(".field").bounding_box()
    assert box
    mouse, x, y = explorer.page.mouse, box["x"] + 30, box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 100, y - 40, steps=6)
    mouse.up()
    yaw, pitch = explorer.script("[e.stage.camera.yaw, e.stage.camera.pitch]")
    assert yaw == pytest.approx(0.6 + 0.8, abs=0.1) and pitch == pytest.approx(0.35 - 0.32, abs=0.1)
    seen = pixels(explorer, len(library))
    assert same_up_to_scale(seen, turned(truth, yaw, pitch))
    # Pointing and hearing are as on a flat map.
    segment = explorer.loner()
    explorer.hover(segment)
    explorer.wait(playing=segment)
    # The address brings the same side back.
    expect(explorer.page).to_have_url(re.compile("camera="))
    again = Explorer(visit(explorer.page.url.split("/")[-1]))
    assert np.abs(pixels(again, len(library)) - seen).max() < 1


def test_the_keyboard_turns_a_solid_and_moves_a_plane(visit: Visit) -> None:
    explorer = Explorer(visit())
    explorer.find(".field").focus()
    keyboard = explorer.page.keyboard
    keyboard.press("+")
    keyboard.press("Shift+ArrowRight")
    assert explorer.script("e.stage.camera.x") > 0
    keyboard.press("y")
    expect(explorer.find(".live")).to_have_text("PCA in 3-D")
    arrived(explorer)
    yaw = explorer.script("e.stage.camera.yaw")
    keyboard.press("Shift+ArrowRight")
    assert explorer.script("e.stage.camera.yaw") < yaw
    keyboard.press("ArrowRight")
    explorer.wait(plays=1)


def test_each_dot_a_piece(visit: Visit, library: Library) -> None:
    explorer = Explorer(visit("?dots=pieces&second=guitar"))
    explorer.wait(second="guitar", still="true")
    places, rows = centroids(library, "drums")
    seen = pixels(explorer, len(places))
    for axis in (0, 1):
        line = np.polyfit(places[:, axis], seen[:, axis], 1)
        assert np.abs(np.polyval(line, places[:, axis]) - seen[:, axis]).max() < 0.5
    expect(explorer.find(".words")).to_contain_text("Each dot is a whole piece")
    assert explorer.script("e.field.ariaLabel") == f"Map of {len(places)} pieces by drums"
    piece = explorer.script(
        "[...Array(e.stage.size).keys()].find(i => { const [x, y] = e.stage.at(i);"
        " return x > 60 && y > 80 && y < e.stage.camera.height - 90"
        " && x < e.stage.camera.width - 60 && e.stage.near([x, y], 20, 9).length === 1; })"
    )
    explorer.click(piece)
    segment = int(rows[piece])
    explorer.wait(playing=segment, selected=segment)
    assert explorer.rows() == nearest(library, segment, "drums", 10)
    # The neighbours' pieces are marked on both maps, at their pieces' dots.
    other = explorer.script(f"e.panes[1].dotOf({explorer.rows()[0]})")
    assert (
        library.segments["piece"].unique()[other] == library.segments["piece"][explorer.rows()[0]]
    )
    explorer.page.keyboard.press("a")
    assert picked(explorer) == sorted(rows.tolist())
    explorer.find(".part button").nth(1).click()
    expect(explorer.find(".part button").nth(1)).to_have_attribute("aria-checked", "true")
    expect(explorer.find(".dots-are button").nth(1)).to_have_attribute("aria-checked", "true")
    explorer.page.keyboard.press("u")
    expect(explorer.find(".words")).to_contain_text("Each dot is three seconds")
    expect(explorer.find(".dots-are button").nth(0)).to_have_attribute("aria-checked", "true")
    assert explorer.script("e.stage.size") == len(library)


def test_density_lies_where_the_dots_are(explorer: Explorer, library: Library) -> None:
    explorer.find(".field").focus()
    explorer.page.keyboard.press("g")
    expect(explorer.page).to_have_url(re.compile("density=true"))
    explorer.wait(still="true")
    alpha = (
        "(() => { const c = e.stage.under.canvas;"
        " const d = e.stage.under.getImageData(0, 0, c.width, c.height).data;"
        f" return [...Array({len(library)}).keys()].map(i => {{ const [x, y] = e.stage.at(i);"
        " return d[4 * (Math.round(x) + c.width * Math.round(y)) + 3]; }); })()"
    )
    until(lambda: bool((np.array(explorer.script(alpha)) > 0).mean() > 0.95))
    share = explorer.script(
        "(() => { const c = e.stage.under.canvas;"
        " const d = e.stage.under.getImageData(0, 0, c.width, c.height).data;"
        " let n = 0; for (let k = 3; k < d.length; k += 4) n += d[k] > 0;"
        " return n / (d.length / 4); })()"
    )
    assert 0.01 < share < 0.7


def test_clusters_are_listed_selected_and_in_the_table(visit: Visit, library: Library) -> None:
    explorer = Explorer(visit("?instrument=bass"))
    found = find(library, "bass")
    assert found.clusters
    explorer.find(".view").click()
    explorer.find(".names").check()
    listed = explorer.find(".cluster strong")
    expect(listed).to_have_count(len(found.clusters))
    assert listed.all_text_contents() == [cluster.label for cluster in found.clusters]
    assert explorer.script("e.panes[0].scene().names") == []  # "mixed" is no name
    explorer.script("e.panes[0].groups.clusters.forEach((c, k) => { if (k % 2) c.tag = 'key'; })")
    names = explorer.script("e.panes[0].scene().names")
    named = found.clusters[1::2]
    assert [name["label"] for name in names] == [cluster.label for cluster in named] != []
    for (x, y), cluster in zip([name["at"] for name in names], named, strict=True):
        row = int(np.abs(library.map("bass") - np.array(cluster.at)).sum(axis=1).argmin())
        assert explorer.script(f"e.stage.at({row})") == pytest.approx([x, y], abs=0.1)
    explorer.find(".cluster").first.click()
    assert picked(explorer) == np.flatnonzero(found.members == 0).tolist()
    with explorer.page.expect_download() as download:
        explorer.find(".tray-table").click()
    table = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert {row["bass_cluster"] for row in table} == {"1"}
    assert {row["bass_cluster_name"] for row in table} == {found.clusters[0].label}
    explorer.page.keyboard.press("Escape")
    explorer.find(".field").focus()
    explorer.page.keyboard.press("x")
    segment = int(np.flatnonzero(found.members == len(found.clusters) - 1)[0])
    explorer.script(f"e.select({segment})")
    explorer.page.keyboard.press("c")
    rows = np.flatnonzero(found.members == len(found.clusters) - 1).tolist()
    until(lambda: picked(explorer) == rows)


def test_an_address_holds_the_whole_view(visit: Visit) -> None:
    first = Explorer(visit("?second=bass&map2=pca3&density=true&names=true&colour=tempo"))
    first.wait(second="bass", still="true")
    first.script("e.stage.camera.zoomAt(3, 200, 300)")
    first.script("e.picked.choose([3, 4, 5, 9])")
    first.click(first.script("e.stage.near([200, 300], 400)[0]"))
    expect(first.page).to_have_url(re.compile(r"camera=.*lasso=.*(piece|at)="))
    first.page.wait_for_timeout(800)
    again = Explorer(visit("?" + first.page.url.split("?")[1]))
    again.wait(second="bass", still="true", picked=4)
    for expression in (
        "e.view", "e.picked.list", "e.panes.map(p => p.stage.camera.said)",
        "e.panes.map(p => [p.instrument, p.method])",
    ):  # fmt: skip
        assert again.script(expression) == first.script(expression), expression
    assert again.script("e.stage.camera.zoom") == pytest.approx(3, abs=1e-3)


def test_an_address_from_another_state_of_the_library_says_so(visit: Visit) -> None:
    explorer = Explorer(visit("?lasso=00000000:1-3&map=tsne&camera=x&dots=atoms"))
    for words in ("does not have", "unknown map", "makes no sense", "unknown dots"):
        expect(explorer.find(".notice")).to_contain_text(words)
    assert picked(explorer) == [] and explorer.script("e.stage.camera.solid") is False


def drawn(explorer: Explorer) -> list[int]:
    """How many dots each picture had that was drawn within a third of a second, or before it."""
    explorer.page.wait_for_timeout(300)
    return explorer.script("e.counted.splice(0)")


def test_dots_are_drawn_when_they_move_and_fewer_on_the_way(
    explorer: Explorer, library: Library
) -> None:
    explorer.wait(still="true")
    explorer.script(
        "(() => { const gl = e.stage.dots.gl; const draw = gl.drawArrays.bind(gl); e.counted = [];"
        " gl.drawArrays = (kind, first, n) => { e.counted.push(n); draw(kind, first, n); }; })()"
    )
    until(lambda: drawn(explorer) == [])
    explorer.hover(explorer.loner())
    explorer.wait(plays=1)
    assert drawn(explorer) == []  # only the marks over them
    # As long as it is being moved, one in seven.
    explorer.script(
        "(() => { e.stage.thin = 7; e.stage.camera.pan(5, 5); e.stage.stirred = Infinity; })()"
    )
    wait = explorer.page.wait_for_function
    root = explorer.root.element_handle()
    wait("root => root.stemwise.counted.length", arg=root)
    assert {*explorer.script("e.counted")} == {-(-len(library) // 7)}
    explorer.script("void (e.stage.stirred = 0)")
    wait(f"root => root.stemwise.counted.includes({len(library)})", arg=root)
