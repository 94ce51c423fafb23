"""Faults on purpose, while people listen: no answer may be lost, written twice or changed."""

import random
import resource
import shutil
import sqlite3
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest
from playwright.sync_api import Error, TimeoutError, sync_playwright

from bench.table import table
from listening_test.study import Settings
from soak.cable import Cable
from soak.ledger import Ledger
from soak.virtual import Virtual
from tests.browser.conftest import ARGUMENTS, find_chromium, free_port
from tests.browser.listening import Ear, House
from tests.listening_test import small_study

STUDY: Settings = replace(
    small_study.SETTINGS, per_instrument=4, practice=0, confidence=True, break_every=8
)
KINDS = ("server killed", "network cut", "database locked", "disk takes nothing")


def main(faults: int = 220, listeners: int = 16, pages: int = 2, longest: float = 60.0) -> bool:
    """Make faults, print what came of it.

    Args:
        faults: how many of ``KINDS`` together.
        listeners: how many without a browser listen at any time.
        pages: how many real pages.
        longest: seconds of the longest cut of the network.

    Returns:
        Whether nothing was lost, written twice or changed.
    """
    folder = Path(tempfile.mkdtemp())
    house, ledger, stop = House(folder), Ledger(), Event()
    house.start()
    cable = Cable(free_port(), house.port)
    with house.store() as store, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEMWISE_HOME", str(house.home))
        join = small_study.make(store, STUDY).join_token
    address = f"http://localhost:{cable.port}"
    crowd: list[Thread] = [Virtual(n, address, join, ledger, stop) for n in range(listeners)]
    crowd += [_Page(n, house, cable.port, ledger, stop) for n in range(pages)]
    for one in crowd:
        one.start()
    begun = time.monotonic()
    cuts = Thread(target=_cut, args=(cable, ledger, faults // 4, longest))
    cuts.start()
    _break_server(house, ledger, faults - faults // 4)
    cuts.join()
    stop.set()
    for one in crowd:
        one.join(600)
        if one.is_alive():
            ledger.complain(f"{one.name} did not come to an end")
    with house.store() as store:
        verdict = ledger.verdict(store)
    house.kill()
    shutil.rmtree(folder, ignore_errors=True)
    _report(ledger, verdict, time.monotonic() - begun, crowd)
    return not any(verdict[name] for name in ("lost", "duplicated", "altered", "other trouble"))


def _report(ledger: Ledger, verdict: dict[str, int], seconds: float, crowd: list[Thread]) -> None:
    made = sum(ledger.faults[kind] for kind in KINDS)
    rows = [[kind, str(number)] for kind, number in sorted(ledger.faults.items())]
    rows += [["faults of server, network and disk", str(made)]]
    rows += [["tests finished", str(sum(getattr(one, "finished", 0) for one in crowd))]]
    rows += [[name, str(number)] for name, number in verdict.items()]
    print(table([f"Faults ({seconds:.0f} s)", ""], rows))
    for sentence in ledger.wrong[:10]:
        print(" ", sentence[:300])


def _cut(cable: Cable, ledger: Ledger, count: int, longest: float) -> None:
    """Cut the network, mostly for moments, thrice for as long as is asked."""
    rng = random.Random(1)
    long = {rng.randrange(count) for _ in range(3)} if count > 10 else {0}
    for number in range(count):
        time.sleep(rng.uniform(0.5, 4.0))
        seconds = longest if number in long else rng.expovariate(1 / 1.0)
        cable.cut(seconds)
        ledger.fault("network cut")
        time.sleep(seconds)


def _break_server(house: House, ledger: Ledger, count: int) -> None:
    """Kill the server, lock the database, fill the disk; in turns that are drawn."""
    rng = random.Random(2)
    for number in range(count):
        time.sleep(rng.uniform(0.2, 2.0))
        kind = number % 3 if number % 5 else 0
        if kind == 0:
            house.kill()
            ledger.fault("server killed")
            house.start()
        elif kind == 1:
            _lock(house, rng.uniform(0.5, 2.0) if number % 9 else 12.0)
            ledger.fault("database locked")
        else:
            _fill(house, rng.uniform(0.5, 3.0))
            ledger.fault("disk takes nothing")


def _lock(house: House, seconds: float) -> None:
    """Hold the database's only writing lock."""
    path = house.database.removeprefix("sqlite:///")
    other = sqlite3.connect(path, timeout=30, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    time.sleep(seconds)
    other.execute("ROLLBACK")
    other.close()


def _fill(house: House, seconds: float) -> None:
    """Let the server write nothing beyond the first kilobytes of any file."""
    assert house.app is not None
    pid, limit = house.app.pid, resource.RLIMIT_FSIZE
    _, hard = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, (8192, hard))
    time.sleep(seconds)
    resource.prlimit(pid, limit, (hard, hard))


class _Page(Thread):
    """A real page in Chromium, driven by keys, whose server and network come and go."""

    def __init__(self, number: int, house: House, port: int, ledger: Ledger, stop: Event) -> None:
        super().__init__(daemon=True, name=f"page {number}")
        self.house, self.port, self.ledger, self.stopping = house, port, ledger, stop
        self.random = random.Random(100 + number)
        self.finished = 0

    def run(self) -> None:
        """One test after the other."""
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=find_chromium(), args=ARGUMENTS
                )
                while not self.stopping.is_set():
                    link = self.house.link(STUDY).replace(str(self.house.port), str(self.port))
                    page = browser.new_context().new_page()
                    page.set_default_timeout(240_000)
                    self._listen(Ear(page, link))
                    page.context.close()
                    self.finished += 1
                browser.close()
        except Exception as error:
            self.ledger.complain(f"{self.name}: {type(error).__name__} {error}")

    def _listen(self, ear: Ear) -> None:
        self._reach(ear)
        while ear.kind in ("trial", "break"):
            if ear.kind == "break":
                ear.step()
                continue
            side, trial = self.random.choice("AB"), ear.trial
            self._hear_all(ear)
            ear.press("ArrowLeft" if side == "A" else "ArrowRight")
            ear.press(self.random.choice(["ArrowUp", "ArrowDown"]), "Enter")
            ear.moved(trial)
            with self.ledger.lock:
                self.ledger.pressed[str(trial)] = "AB".index(side)
        ear.wait("done")

    def _hear_all(self, ear: Ear) -> None:
        """As a patient person would: a sound that did not come is asked for again."""
        for clip, key in enumerate("xab"):
            for _ in range(60):
                ear.press(key)
                try:
                    heard = ear.card(clip).and_(ear.page.locator('[data-heard="enough"]'))
                    heard.wait_for(timeout=5_000)
                    break
                except TimeoutError:
                    ear.press("r")
            else:
                raise AssertionError(f"sound {clip} never came")

    def _reach(self, ear: Ear) -> None:
        """Load the page until it shows a trial: without a network, scripts and sounds stay away."""
        ear.page.set_default_timeout(15_000)
        while True:
            try:
                ear.open().until_trial()
                break
            except Error:  # a timeout among them
                time.sleep(0.5)
        ear.page.set_default_timeout(240_000)
