"""What tests of the listener's page share: a house with studies in it, a hand on the page."""

import os
import subprocess
import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sqlalchemy import Row, select

from listening_test import journey
from listening_test.steps import state
from listening_test.store import Store, open_store
from listening_test.store import schema as t
from listening_test.store.answers import Answer
from listening_test.store.listeners import invite, listener_of_token
from listening_test.store.rows import Listener
from listening_test.study import Settings
from tests.browser.conftest import LAPTOP, PATIENCE, free_port, listen, start
from tests.listening_test import small_study

SHORT = replace(small_study.SETTINGS, must_hear=0.1)
ONE = replace(SHORT, instruments=("drums",), per_instrument=1, practice=0)
"""A test of two trials."""


class House:
    """The real app with a home of its own, whose studies and answers the tests reach directly."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.log = folder / "app.log"
        self.port = free_port()
        self.address = f"http://localhost:{self.port}"
        self.database = f"sqlite:///{self.home / 'answers.sqlite3'}"
        self.app: subprocess.Popen[bytes] | None = None

    def start(self, environment: Mapping[str, str] = os.environ) -> None:
        self.app = start(None, self.home, self.log, self.port, environment)

    def kill(self) -> None:
        """As a power cut would."""
        if self.app is not None:
            self.app.kill()
            self.app.wait(20)
            self.app = None

    def link(self, settings: Settings = SHORT, *, preview: bool = False) -> str:
        """The link of the only listener of a new study."""
        with pytest.MonkeyPatch.context() as patch, self.store() as store:
            patch.setenv("STEMWISE_HOME", str(self.home))
            version = small_study.make(store, settings)
            token = invite(store, version.id, preview=preview)[0].token
        return f"{self.address}/t/{token}"

    def begun(self, settings: Settings = SHORT) -> str:
        """The same, for somebody who stands before the first trial."""
        link = self.link(replace(settings, practice=0))
        with self.store() as store:
            for step in ("consent", "level"):
                journey.take(store, self.listener(link), str(uuid.uuid4()), step, {})
        return link

    def advance(self, link: str, count: int) -> None:
        """Answer so many trials without a browser; breaks are taken."""
        with self.store() as store:
            listener = self.listener(link)
            while count:
                here = journey.place(store, listener)
                step = state(here)["step"]
                if step["kind"] == "break":
                    journey.take(store, listener, str(uuid.uuid4()), step["id"], {})
                    continue
                given = Answer(str(uuid.uuid4()), 0, True, (9.0, 9.0, 9.0), 12.0)
                journey.answer(store, listener, step["trial"], given)
                count -= 1

    def store(self) -> closing[Store]:
        """The app's own database, for a with statement."""
        return closing(open_store(self.database))

    def listener(self, link: str) -> Listener:
        with self.store() as store:
            return listener_of_token(store, link.rsplit("/", 1)[1])

    def rows(self, link: str, table: str) -> list[Row[Any]]:
        """What is stored of a listener, oldest first."""
        of = t.metadata.tables[table]
        query = select(of).where(of.c.listener_id == self.listener(link).id)
        with self.store() as store, store.read() as db:
            return list(db.execute(query))

    def answers(self, link: str) -> list[Row[Any]]:
        return self.rows(link, "answers")

    def trials(self, link: str, *kinds: str) -> list[Row[Any]]:
        """The listener's trials in their order."""
        found = sorted(self.rows(link, "trials"), key=lambda row: row.position)
        return [row for row in found if not kinds or row.kind in kinds]


class Ear:
    """A listener's page, as the tests speak of it."""

    def __init__(self, page: Page, link: str) -> None:
        self.page, self.link = page, link

    def open(self) -> "Ear":
        self.page.goto(self.link)
        self.page.locator("h1").wait_for()
        return self

    def wait(self, kind: str) -> None:
        """Until a kind of step is shown."""
        self.page.locator(f"main.{kind} h1").wait_for()

    @property
    def kind(self) -> str:
        return self.page.locator("main").get_attribute("class") or ""

    @property
    def trial(self) -> str | None:
        """The trial that is shown."""
        found = self.script("listen.screen?.step?.trial ?? null")
        return None if found is None else str(found)

    def script(self, expression: str) -> Any:
        """Evaluate JavaScript with ``listen`` being the page's own."""
        return self.page.evaluate(
            f"() => {{ const listen = document.listen; return {expression}; }}"
        )

    def card(self, index: int) -> Locator:
        return self.page.locator(f'.sound[data-clip="{index}"]')

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def hear(self, key: str, index: int) -> None:
        """Play a sound by its key until enough of it was heard."""
        self.press(key)
        self.page.locator(f'.sound[data-clip="{index}"][data-heard="enough"]').wait_for()

    def hear_all(self) -> None:
        for index, key in enumerate("xab"):
            self.hear(key, index)

    def answer(self, side: str = "A", *, sure: bool | None = None) -> None:
        """By keys alone; the next screen is there afterwards."""
        before = self.trial
        self.hear_all()
        self.press("ArrowLeft" if side == "A" else "ArrowRight")
        if sure is not None:
            self.press("ArrowUp" if sure else "ArrowDown")
        self.press("Enter")
        practice = self.script("listen.screen?.step?.practice === true")
        if practice:
            self.page.locator(".verdict:not(:empty)").wait_for()
            self.press("Enter")
        self.moved(before)

    def begin(self) -> "Ear":
        """Open the link and go on to the first trial that counts, by keys."""
        self.open()
        self.until_trial()
        return self

    def until_trial(self) -> None:
        """Consent, level and practice, from wherever it stands."""
        for _ in range(20):
            kind = self.kind
            if kind == "trial" and not self.script("listen.screen.step.practice"):
                return
            if kind == "trial":
                self.answer()
            elif kind in ("level", "headphones"):
                self.press(" ")
                ready = '.primary[aria-disabled="false"], .choice:not(.waiting)'
                self.page.locator(ready).first.wait_for()
                self.press("2")
                self.step()
            else:
                self.step()
        pytest.fail(f"no trial came: {self.kind}")

    def finish(self) -> None:
        """Answer everything that is left."""
        while self.kind in ("trial", "break"):
            if self.kind == "trial":
                self.answer()
            else:
                self.step()

    def moved(self, trial: str | None) -> None:
        """Until another trial is shown than this one."""
        self.page.wait_for_function(
            "trial => document.listen.screen?.step?.trial !== trial", arg=trial
        )

    def step(self) -> None:
        """Press Enter until the screen has changed."""
        before = self.script("listen.shown")
        self.press("Enter")
        self.page.wait_for_function("before => document.listen.shown !== before", arg=before)


class Listeners:
    """Makes pages of a browser; afterwards nothing on them may have gone wrong."""

    def __init__(self, chromium: Browser) -> None:
        self.chromium = chromium
        self.troubles: list[str] = []
        self.contexts: list[BrowserContext] = []

    def context(self, **options: Any) -> BrowserContext:
        made = self.chromium.new_context(**({"viewport": LAPTOP} | options))
        made.set_default_timeout(PATIENCE)
        self.contexts.append(made)
        return made

    def ear(
        self,
        link: str,
        *,
        lenient: bool = False,
        within: BrowserContext | None = None,
        **options: Any,
    ) -> Ear:
        """A page for a link, in a browser context of its own or in one that is there.

        Args:
            link: of the listener.
            lenient: whether trouble is expected.
            within: the context, for a second tab.
            options: what ``new_context`` takes.
        """
        page = (within or self.context(**options)).new_page()
        if not lenient:
            listen(page, self.troubles)
        return Ear(page, link)


def saved(page: Page) -> None:
    """Until the page says that the answer is saved."""
    expect(page.locator('.saved[data-state="saved"]')).to_be_visible()
