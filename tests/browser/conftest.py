"""The real app on a free port, with a small library, in the Chromium of this computer."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Error, Locator, Page, Playwright, expect, sync_playwright

from csn.library import Library
from tests.small_library import make

if TYPE_CHECKING:
    from tests.browser.listening import House, Listeners

ROOT = Path(__file__).resolve().parents[2]
LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
ARGUMENTS = [
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
PLAIN = [*ARGUMENTS[:2], "--disable-gpu"]
PATIENCE = 60_000  # milliseconds; a busy machine is slow, not wrong
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The library that the app under test shows."""
    return make(tmp_path_factory.mktemp("small"))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return int(free.getsockname()[1])


def start(
    library: Path | None,
    home: Path,
    log: Path,
    port: int,
    given: Mapping[str, str] = os.environ,
) -> subprocess.Popen[bytes]:
    """Start the app, and wait until it answers."""
    environment = {**given, "STEMWISE_HOME": str(home), "OMP_NUM_THREADS": "1"}
    if library is not None:
        environment["STEMWISE_LIBRARY"] = str(library)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    with log.open("a") as output:
        app = subprocess.Popen(
            [*command, f"--server.port={port}"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    _wait(f"http://localhost:{port}/_stcore/health", app, log)
    return app


def serve(library: Path | None, home: Path, log: Path) -> Iterator[str]:
    """Run the app until the caller is done with it; yields its address."""
    port = free_port()
    app = start(library, home, log, port)
    try:
        yield f"http://localhost:{port}"
    finally:
        app.terminate()
        app.wait(20)


def _wait(address: str, app: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if app.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"the app did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def address(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running app."""
    folder = tmp_path_factory.mktemp("home")
    yield from serve(library.folder, folder, folder / "app.log")


def find_chromium() -> str | None:
    """``STEMWISE_CHROMIUM``, or the one that is installed; None stands for Playwright's own."""
    return os.environ.get("STEMWISE_CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What drives the browsers; there can be only one."""
    with sync_playwright() as driver:
        yield driver


def launch(playwright: Playwright, arguments: list[str]) -> Browser:
    """Start Chromium, or skip the test where there is none."""
    try:
        return playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
    except Error as error:
        pytest.skip(f"no Chromium (install it or set STEMWISE_CHROMIUM): {error}")


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The browser, with WebGL."""
    browser = launch(playwright, ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def plain_chromium(playwright: Playwright) -> Iterator[Browser]:
    """The browser as a listener has it, where drawing costs little."""
    browser = launch(playwright, PLAIN)
    yield browser
    browser.close()


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """A function that opens the app in a fresh window; afterwards nothing may have gone wrong.

    Its arguments are the query of the address, a script to run before the page's own, whether
    trouble is expected, and whatever ``new_context`` takes.
    """
    contexts = []
    troubles: list[str] = []

    def open_page(
        query: str = "", *, script: str = "", lenient: bool = False, **options: Any
    ) -> Page:
        context = chromium.new_context(**({"viewport": LAPTOP} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        if script:
            page.add_init_script(script)
        if not lenient:
            listen(page, troubles)
        page.goto(f"{address}/{query}")
        page.locator('.stemwise[data-state="ready"]').wait_for()
        return page

    yield open_page
    assert not troubles
    for context in contexts:
        context.close()


_QUIET = """() => {
  const state = document.querySelector('.stApp')?.dataset.testScriptState;
  const quiet = state === 'notRunning' && document.querySelector('.stMainBlockContainer');
  window.quietSince = quiet ? (window.quietSince ?? performance.now()) : null;
  return quiet && performance.now() - window.quietSince > 250;
}"""


def settled(page: Page) -> None:
    """Until the server has had nothing to say for a while: between a choice and its run, and
    between a run and the page that it leads to, it says nothing either."""
    page.evaluate("window.quietSince = null")
    page.wait_for_function(_QUIET, polling=25)


def choose_row(page: Page, row: int) -> None:
    """Press the box at the beginning of a table's row, once the table stands where it stays."""
    settled(page)
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + 15, box["y"] + 53 + 35 * row)


def until(true: Callable[[], bool], seconds: float = PATIENCE / 1000) -> None:
    """Wait for what no page tells by itself."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def listen(page: Page, troubles: list[str]) -> None:
    """Collect every error on the console, failed request and bad status."""
    page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda r: troubles.append(f"{r.url} {r.failure}"))
    page.on(
        "response", lambda r: troubles.append(f"{r.status} {r.url}") if r.status > 399 else None
    )


class Explorer:
    """The explorer on a page, as the tests speak of it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".stemwise")

    def __getitem__(self, name: str) -> str:
        """A ``data-`` attribute of the root."""
        return self.root.get_attribute(f"data-{name}") or ""

    def wait(self, **attributes: object) -> None:
        """Until the root has these ``data-`` attributes."""
        wanted = "".join(f'[data-{name}="{value}"]' for name, value in attributes.items())
        self.page.locator(f".stemwise{wanted}").wait_for()

    def script(self, expression: str) -> Any:
        """Evaluate JavaScript with ``e`` being the script's own explorer."""
        return self.root.evaluate(f"root => {{ const e = root.stemwise; return {expression}; }}")

    def point(self, segment: int) -> tuple[float, float]:
        """Where a dot is in the window, once nothing moves any more."""
        self.wait(still="true")
        x, y = self.script(f"e.stage.pointOf({segment})")
        return x, y

    def loner(self) -> int:
        """A dot that no other hides, far from every control."""
        return self.script(
            "[...Array(e.library.size).keys()].map(s => [s, e.stage.at(s)]).filter(([s, [x, y]]) =>"
            " x > 60 && y > 80 && x < e.stage.camera.width - 60 && y < e.stage.camera.height - 90"
            " && e.stage.near([x, y], 18, 9).length === 1)[0][0]"
        )

    def hover(self, segment: int) -> None:
        x, y = self.point(segment)
        self.page.mouse.move(x - 60, y - 60)
        self.page.mouse.move(x, y, steps=4)

    def click(self, segment: int) -> None:
        self.hover(segment)
        self.page.mouse.click(*self.point(segment))

    def rows(self) -> list[int]:
        """The neighbours that are listed, nearest first, once they have come."""
        self.page.locator(".list:not(.waiting) .neighbour").first.wait_for()
        return self.script("[...e.side.rows.keys()]")

    def find(self, selector: str) -> Locator:
        return self.page.locator(f".stemwise {selector}")


@pytest.fixture
def explorer(visit: Callable[..., Page]) -> Explorer:
    """The explorer, on a laptop, just opened."""
    return Explorer(visit())


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[House]":
    """The app with a home of its own, for listeners."""
    from tests.browser.listening import House

    made = House(tmp_path_factory.mktemp("listening"))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def browser(plain_chromium: Browser) -> "Iterator[Listeners]":
    """Pages for listeners; afterwards nothing may have gone wrong."""
    from tests.browser.listening import Listeners

    made = Listeners(plain_chromium)
    yield made
    for context in made.contexts:
        context.close()
    assert not made.troubles
