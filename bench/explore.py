"""Explore and Search in Chromium, with the demo and with libraries of any size.

    python -m bench.explore [--segments 20000 100000 500000]

Everything is as a visitor has it, but that Chromium draws in software here: no GPU. "Heard for the
first time" is a dot that was never played; its piece may have been decoded ahead (``csn.decoded``)
or not, and both are shown.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles

import numpy as np
import soundfile
from playwright.sync_api import Page, sync_playwright

from bench.large import make
from bench.table import table
from csn.library import Library
from tests.browser.conftest import ARGUMENTS, LAPTOP, PATIENCE, Explorer, find_chromium, serve

DOTS = 30
_RATE = 44_100
_AHEAD = 45.0  # seconds for the app to decode the demo's pieces ahead
_FRAMES = """async () => {
  const times = [];
  for (let last = performance.now(), i = 0; i < 40; i++) {
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - last);
    last = performance.now();
  }
  return times;
}"""


def main(arguments: Sequence[str] = ()) -> dict[int, dict[str, float]]:
    """Print a table, and return its figures by number of segments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--segments", type=int, nargs="*", default=[20_000, 100_000, 500_000])
    args = parser.parse_args(arguments)
    found = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        sound = _recording(root / "recording.wav")
        for size in (0, *args.segments):
            library = make(root / f"library-{size}", size) if size else None
            count = size or len(Library.open("demo"))
            found[count] = _measure(library, root / f"home-{size}", sound)
    heads = ["Explore and Search in Chromium; segments", *(f"{size:,}" for size in found)]
    names = list(next(iter(found.values())))
    print(table(heads, [[n, *(f"{by[n]:,.1f}" for by in found.values())] for n in names]))
    return found


def _measure(library: Path | None, home: Path, sound: Path) -> dict[str, float]:
    home.mkdir()
    figures: dict[str, float] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport=LAPTOP)
        page.set_default_timeout(PATIENCE)
        begun = time.perf_counter()
        app = serve(library, home, home / "log")
        address = next(app)
        page.goto(address)
        explorer = Explorer(page)
        explorer.wait(state="ready", still="true")
        figures["streamlit run to the first map, s"] = time.perf_counter() - begun
        begun = time.perf_counter()
        page.goto(address)
        explorer.wait(state="ready", still="true")
        figures["opened again, to the map, s"] = time.perf_counter() - begun
        size = explorer.script("e.library.size")
        dots = np.linspace(0, size - 1, 3 * DOTS).astype(int).tolist()
        figures["heard for the first time, piece not decoded yet, ms"] = _heard(explorer, dots[::3])
        time.sleep(_AHEAD)
        figures["heard for the first time, piece decoded ahead, ms"] = _heard(explorer, dots[1::3])
        figures["heard again, ms"] = _heard(explorer, dots[1::3])
        figures |= _clicks(explorer, dots[2::3])
        figures["frame while the map is dragged, ms"] = _dragged(page, explorer)
        figures["30 s recording to answers, first, s"] = _asked(page, address, sound)
        figures["30 s recording to answers, again, s"] = _asked(page, address, sound)
        browser.close()
        app.close()
    return figures


def _heard(explorer: Explorer, dots: Sequence[int]) -> float:
    """Median milliseconds from the wish to the sound."""
    latencies = []
    for segment in dots:
        plays = explorer.script("e.sound.counts.plays")
        explorer.script(f"e.playing.play({segment})")
        explorer.wait(plays=plays + 1)
        latencies.append(explorer.script("e.sound.latencies.at(-1)"))
    return median(latencies)


_CLICK = """(root, segment) => new Promise((done) => {
  const { port1, port2 } = new MessageChannel();
  const explorer = root.stemwise;
  const begun = performance.now();
  port1.onmessage = () => {
    const listed = explorer.near.fits && root.querySelector(".list:not(.waiting) .neighbour");
    if (listed) done(performance.now() - begun);
    else port2.postMessage(0);
  };
  explorer.select(segment);
  port2.postMessage(0);
})"""


def _clicks(explorer: Explorer, dots: Sequence[int]) -> dict[str, float]:
    """Milliseconds from a dot being selected to the list of its neighbours, by the page's clock."""
    times = []
    for segment in dots:
        times.append(explorer.root.evaluate(_CLICK, segment))
        explorer.wait(still="true")
    return {
        "click to neighbours, median, ms": median(times),
        "click to neighbours, 95 %, ms": quantiles(times, n=20)[-1],
    }


def _dragged(page: Page, explorer: Explorer) -> float:
    """Median milliseconds of a frame while the map is dragged."""
    box = explorer.find("canvas").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    explorer.script("void e.stage.camera.zoomAt(2)")
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(f"window.frames_ = ({_FRAMES})()")
    for step in range(60):
        page.mouse.move(x + step, y + step / 2)
    times = page.evaluate("window.frames_")
    page.mouse.up()
    return median(times)


def _asked(page: Page, address: str, sound: Path) -> float:
    """Seconds from the file being chosen to its answers."""
    page.goto(f"{address}/search")
    page.get_by_text("Drop in a recording").wait_for()
    begun = time.perf_counter()
    page.locator("input[type=file]").set_input_files(sound)
    page.locator(".found[data-rows]").wait_for()
    return time.perf_counter() - begun


def _recording(file: Path) -> Path:
    """Half a minute of a pulse under a chord that falls away; not made by our renderer."""
    t = np.arange(30 * _RATE) / _RATE
    beat = np.exp(-12 * (t % 0.5)) * np.sin(2 * np.pi * 80 * t)
    chord = sum(np.sin(2 * np.pi * hertz * t) for hertz in (220.0, 277.2, 329.6))
    soundfile.write(
        file, (0.4 * beat + 0.1 * chord * np.exp(-2 * (t % 2))).astype(np.float32), _RATE
    )
    return file


if __name__ == "__main__":
    main(sys.argv[1:])
