"""The Results page of a study of 100,000 answers in Chromium: opened for the first time, and again.

    python -m bench.results_page [--listeners 1563]

The study lies in SQLite with a million events, made row by row, which takes two minutes.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import insert, select

from bench.table import table
from listening_test import accounts
from listening_test.account_routes import COOKIE
from listening_test.store import Store, open_store, schema
from listening_test.store.database import ADDRESS
from listening_test.study import Settings
from listening_test.tickets import SET_UP
from tests.browser.conftest import PATIENCE, PLAIN, find_chromium, serve
from tests.listening_test.store import sample

_PASSWORD = "only for this bench, and then gone"
_SEEN = [
    ("shown", None), *(pair for clip in range(3) for pair in (("play", clip), ("pause", clip))),
    ("blur", None), ("focus", None), ("play", 0),
]  # fmt: skip
_PARTS = {"Margins": "curve", "Subspaces": "radar", "Habits": "behaviour", "Focus": "weights"}


def make(store: Store, listeners: int) -> int:
    """Fill the database; returns how many answers there are."""
    version = sample.version(store, Settings(title="Large"))
    for number in range(listeners):
        sample.listener(store, version, number)
    trials = schema.trials.c
    with store.write() as write:
        found = write.execute(select(trials.id, trials.listener_id, trials.position)).all()
        for start in range(0, len(found), 10_000):
            rows = [
                {
                    "id": f"e{row.id}-{n}", "listener_id": row.listener_id, "trial_id": row.id,
                    "kind": kind, "clip": clip, "position": 0.5,
                    "at": sample.LAUNCHED + 30 * row.position + n,
                    "saved_at": sample.LAUNCHED + 30 * row.position + n,
                }
                for row in found[start : start + 10_000]
                for n, (kind, clip) in enumerate(_SEEN)
            ]  # fmt: skip
            write.execute(insert(schema.events), rows)
    return len(found)


def main(arguments: Sequence[str] = ()) -> dict[str, float]:
    """Print and return seconds until figures are drawn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--listeners", type=int, default=1563, help="64 answers each")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        url = f"sqlite:///{home / 'large.sqlite3'}"
        with closing(open_store(url)) as store:
            answers = make(store, args.listeners)
            accounts.make_account(store, accounts.set_up(store) or "", SET_UP, "ada", _PASSWORD)
            session = accounts.sign_in(store, "ada", _PASSWORD, "127.0.0.1")
        with patch.dict(os.environ, {ADDRESS: url}), sync_playwright() as playwright:
            app = serve(None, home, home / "log")
            address = next(app)
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=PLAIN)
            context = browser.new_context()
            context.add_cookies([{"name": COOKIE, "value": session, "url": address}])
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            figures = _opened(page, address)
            browser.close()
            app.close()
    heads = [f"Results page, {answers:,} answers", "seconds"]
    print(table(heads, [[name, f"{value:.2f}"] for name, value in figures.items()]))
    return figures


def _opened(page: Page, address: str) -> dict[str, float]:
    """Seconds to the headline and the first figure, then to each further part."""
    page.goto(f"{address}/results?study=demo")  # what every process does once
    page.locator(".st-key-chart-agreement .js-plotly-plot").wait_for()
    figures = {}
    for which in ("first time", "again"):
        begun = time.perf_counter()
        page.goto(f"{address}/results?study=1.1")
        page.get_by_role("heading", name="Listeners chose").wait_for()
        figures[f"opened, {which}: what came out"] = time.perf_counter() - begun
        page.locator(".st-key-chart-agreement .js-plotly-plot").wait_for()
        figures[f"opened, {which}: first figure"] = time.perf_counter() - begun
    for part, chart in _PARTS.items():
        begun = time.perf_counter()
        page.get_by_role("radio", name=part, exact=True).click()
        page.locator(f".st-key-chart-{chart} .js-plotly-plot").first.wait_for()
        figures[part] = time.perf_counter() - begun
    return figures


if __name__ == "__main__":
    main(sys.argv[1:])
