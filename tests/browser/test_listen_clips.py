"""How a listener's page gets its sounds: ahead of time, again when it fails; in the real app."""

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import until
from tests.browser.listening import ONE, SHORT, House, Listeners

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("problem", ["network", "decode"])
def test_a_sound_that_fails_is_tried_again_then_explained(
    house: House, browser: Listeners, problem: str
) -> None:
    link = house.begun(ONE)
    ear = browser.ear(link, lenient=True)
    asked: dict[str, int] = {}
    broken = True

    def reply(route: Route) -> Any:
        asked[route.request.url] = asked.get(route.request.url, 0) + 1
        if not broken:
            return route.continue_()
        return route.abort() if problem == "network" else route.fulfill(status=200, body="no sound")

    ear.page.route("**/clip/*", reply)
    ear.open()
    words = {"network": "could not be loaded", "decode": "could not be opened"}[problem]
    expect(ear.page.locator(".reason")).to_contain_text(words)
    urls = [f"{link}/clip/{clip}" for clip in ear.script("listen.screen.step.clips")]
    until(lambda: [asked.get(url) for url in urls] == [3, 3, 3])
    broken = False
    expect(ear.page.get_by_role("button", name="Try again")).to_be_visible()
    ear.press("r")
    ear.answer("A")
    until(lambda: any(r.kind == f"{problem}-error" for r in house.rows(link, "events")))


def test_sounds_come_ahead_and_memory_stays_bounded(house: House, browser: Listeners) -> None:
    link = house.begun(replace(SHORT, per_instrument=2))
    ear = browser.ear(link).open()
    asked: list[str] = []
    ear.page.on("request", lambda r: asked.append(r.url) if "/clip/" in r.url else None)
    for _ in range(6):
        following = ear.script("listen.state.next")
        ear.page.wait_for_function(
            "names => names.every((name) => document.listen.player.clips.buffer(name))",
            arg=following,
        )
        ear.answer("A")
        assert ear.script("listen.screen.step.clips") == following
        assert all(ear.script(f"listen.player.ready({i})") for i in range(3))
        assert ear.script("listen.player.clips.known.size") <= 8
    assert len(asked) == len({*asked})  # and none is fetched twice
