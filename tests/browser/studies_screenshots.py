"""Take the pictures ``docs/screenshots/studies-*`` again, with simulated listeners.

``.venv/bin/python -m tests.browser.studies_screenshots``
"""

import os
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from listening_test import accounts
from listening_test.simulate import Preferences, simulate
from listening_test.store import open_store
from listening_test.store.listeners import invite, withdraw
from listening_test.store.studies import create_study, launch, prepare_version
from listening_test.study import PRESETS, Settings
from tests.browser.conftest import ARGUMENTS, choose_row, find_chromium, serve, settled
from tests.browser.screenshots import SCREENS, shoot

PILOT = replace(
    PRESETS["recommended"], title="Drums and bass, pilot", instruments=("drums", "bass"),
    per_instrument=2, catch=2, repeats=2, listeners=16,
)  # fmt: skip
SMALL = Settings(title="Bass players", instruments=("bass",), per_instrument=2, excerpt=8.0)
NAME, PASSWORD = "ada", "a pass phrase for pictures"


def fill(home: Path) -> str:
    """A draft, a live study and one with simulated listeners; the secret of a signed-in session."""
    os.environ["STEMWISE_HOME"] = str(home)
    with closing(open_store()) as store:
        secret = accounts.set_up(store)
        assert secret
        accounts.make_account(store, secret, accounts.SET_UP, NAME, PASSWORD)
        pilot = prepare_version(store, create_study(store, PILOT, NAME).id)
        launch(store, pilot.id, simulated=True)
        when = Preferences(start=time.time() - 26 * 5400, lapse=0.2)
        made = simulate(store, pilot.id, 14, seed=3, preferences=when)
        withdraw(store, made[5].id, reason="asked for it")
        invite(store, pilot.id, 2, simulated=True)
        live = prepare_version(store, create_study(store, SMALL, NAME).id)
        launch(store, live.id)
        invite(store, live.id, labels=("Room 1, Monday", "Room 1, Tuesday", "Room 2, Monday"))
        create_study(store, replace(PRESETS["recommended"], trials=24), NAME)
        return accounts.sign_in(store, NAME, PASSWORD, "127.0.0.1")


def pick(page: Page) -> None:
    """The second row of the table."""
    choose_row(page, 1)
    page.locator("audio").first.wait_for()
    page.mouse.move(5, 400)


VIEWS = (
    ("list", "", None),
    ("design", "?study=3&part=design", None),
    ("sounds", "?study=1&part=sounds", pick),
    ("links", "?study=2&part=links", None),
    ("listeners", "?study=1&part=listeners", None),
)


def take(browser: Browser, address: str, secret: str) -> None:
    """Every view, light on a laptop and dark on a phone, and the other way round for one."""
    kinds = [("laptop", "light"), ("phone", "dark")]
    for name, query, then in VIEWS:
        for screen, scheme in [*kinds, *([("laptop", "dark")] if name == "listeners" else [])]:
            context = browser.new_context(**SCREENS[screen], color_scheme=scheme)
            context.add_cookies([{"name": "stemwise_session", "value": secret, "url": address}])
            page = context.new_page()
            page.set_default_timeout(120_000)
            page.goto(f"{address}/studies{query}")
            page.locator("h1, h2").first.wait_for()
            settled(page)
            page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")
            if then is not None and screen == "laptop":
                then(page)
            page.wait_for_timeout(2000)  # tables and charts draw themselves
            shoot(page, f"studies-{name}-{screen}-{scheme}")
            context.close()


def main() -> None:
    """All of them."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        secret = fill(Path(name))
        app = serve(None, Path(name), Path(name) / "log")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        take(browser, next(app), secret)
        browser.close()
        app.close()


if __name__ == "__main__":
    main()
