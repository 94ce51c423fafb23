"""Many people at once: how long it takes from an answer to the next trial."""

import asyncio
import random
import shutil
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, async_playwright

from bench.table import table
from listening_test.store.listeners import invite
from listening_test.study import Settings
from tests.browser.conftest import ARGUMENTS, find_chromium
from tests.browser.listening import House
from tests.listening_test import small_study

STUDY: Settings = replace(small_study.SETTINGS, per_instrument=8, practice=0, excerpt=10.0)
SHORT: Settings = replace(STUDY, excerpt=1.0, must_hear=0.2)
_FASTEST_SECONDS = 10.0  # nobody hears three sounds of 10 s in less, so answers come no faster
_EACH = 5  # trials of each listener without a browser
_PAGE_EACH = 8  # and of each on a page


def main(listeners: int = 200, pages: int = 20) -> bool:
    """Print how long answers and sounds take, for listeners without and with a browser.

    Returns:
        Whether everybody came to the end.
    """
    folder = Path(tempfile.mkdtemp())
    house = House(folder)
    house.start()
    try:
        without = asyncio.run(_without_browsers(house, _tokens(house, STUDY, listeners)))
        within = asyncio.run(_on_pages(house, _tokens(house, SHORT, pages)))
    finally:
        house.kill()
        shutil.rmtree(folder, ignore_errors=True)
    head = ["Milliseconds", "median", "95 %", "most", "of"]
    rows = [
        _row(f"{listeners} listeners: answer to next trial", without["answer"]),
        _row(f"{listeners} listeners: a sound of 10 s", without["clip"]),
        _row(f"{pages} pages in Chromium: Enter to next trial", within),
    ]
    print(table(head, rows))
    wanted = (listeners * _EACH, pages * _PAGE_EACH)
    return (len(without["answer"]), len(within)) == wanted


def _row(name: str, seconds: list[float]) -> list[str]:
    high = quantiles(seconds, n=20, method="inclusive")[-1]
    cells = (median(seconds), high, max(seconds))
    return [name, *(f"{1000 * cell:.0f}" for cell in cells), str(len(seconds))]


def _tokens(house: House, settings: Settings, count: int) -> list[str]:
    with pytest.MonkeyPatch.context() as patch, house.store() as store:
        patch.setenv("STEMWISE_HOME", str(house.home))
        version = small_study.make(store, settings)
        return [one.token for one in invite(store, version.id, count)]


async def _without_browsers(house: House, tokens: list[str]) -> dict[str, list[float]]:
    """Everybody answers as fast as anybody could who hears the sounds once."""
    taken: dict[str, list[float]] = {"answer": [], "clip": []}
    # An idle connection is given up before the server does so (after 5 s), or a request may meet
    # a connection that is just being closed; a browser would send it again.
    limits = httpx.Limits(max_connections=len(tokens), keepalive_expiry=2.0)
    async with httpx.AsyncClient(base_url=house.address, timeout=60, limits=limits) as client:
        await asyncio.gather(*(_listen(client, token, taken) for token in tokens))
    return taken


async def _listen(client: httpx.AsyncClient, token: str, taken: dict[str, list[float]]) -> None:
    own, rng = f"/t/{token}", random.Random(token)

    async def post(what: str, body: dict[str, Any]) -> dict[str, Any]:
        reply = await client.post(f"{own}/{what}", json=body | {"id": str(uuid.uuid4())})
        reply.raise_for_status()
        state: dict[str, Any] = reply.json()["state"]
        return state

    await asyncio.sleep(rng.uniform(0, _FASTEST_SECONDS))  # they do not come all at once
    state = (await client.get(f"{own}/state")).json()
    while state["step"]["kind"] != "trial":
        state = await post("step", {"step": state["step"]["kind"], "payload": {}})
    for clip in state["step"]["clips"]:
        (await client.get(f"{own}/clip/{clip}")).raise_for_status()
    for _ in range(_EACH):
        for clip in state["next"]:  # fetched ahead, as the page does
            begun = time.perf_counter()
            (await client.get(f"{own}/clip/{clip}")).raise_for_status()
            taken["clip"].append(time.perf_counter() - begun)
        await asyncio.sleep(_FASTEST_SECONDS * rng.uniform(1.0, 1.6))
        message = {"trial": state["step"]["trial"], "choice": rng.randrange(2), "heard": [10] * 3}
        begun = time.perf_counter()
        state = await post("answer", message | {"elapsed": 14.0, "sure": None})
        taken["answer"].append(time.perf_counter() - begun)


async def _on_pages(house: House, tokens: list[str]) -> list[float]:
    """Real pages, each in a browser context of its own, all at once."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        links = [f"{house.address}/t/{token}" for token in tokens]
        taken = await asyncio.gather(*(_use(browser, link) for link in links))
        await browser.close()
    return [one for page in taken for one in page]


async def _use(browser: Browser, link: str) -> list[float]:
    """One page, by keys: seconds from Enter to the next trial, measured inside the page."""
    page = await (await browser.new_context()).new_page()
    page.set_default_timeout(240_000)
    await page.goto(link)
    for kind in ("consent", "level"):
        await page.locator(f"main.{kind} h1").wait_for()
        if kind == "level":
            await page.keyboard.press(" ")
            await page.locator('.primary[aria-disabled="false"]').wait_for()
        await page.keyboard.press("Enter")
    await page.locator("main.trial h1").wait_for()
    taken = []
    for _ in range(_PAGE_EACH):
        for clip, key in enumerate("xab"):
            await page.keyboard.press(key)
            await page.locator(f'.sound[data-clip="{clip}"][data-heard="enough"]').wait_for()
        await page.keyboard.press("ArrowLeft")
        await page.evaluate(_WATCH)
        await page.keyboard.press("Enter")
        taken.append(await page.evaluate("() => window.moved"))
    await page.context.close()
    return taken


_WATCH = """() => {
  const shown = document.listen.shown;
  window.moved = new Promise((done) => {
    addEventListener("keydown", () => {
      const begun = performance.now();
      const look = () => {
        if (document.listen.shown !== shown) done((performance.now() - begun) / 1000);
        else setTimeout(look, 2);
      };
      look();
    }, { once: true, capture: true });
  });
}"""
