"""What a listener answers is saved once, whatever happens on the way; in the real app."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import until
from tests.browser.listening import ONE, Ear, House, Listeners, saved

pytestmark = pytest.mark.browser


def same_place(ear: Ear, house: House, number: int) -> str:
    """The trial that is shown is the one that is due, with its sounds in their order."""
    row = house.trials(ear.link, "trial")[number]
    assert ear.trial == row.code
    assert ear.script("listen.screen.step.clips") == [row.x_clip, row.a_clip, row.b_clip]
    expect(ear.page.locator(".where")).to_have_text(f"Question {number + 1} of 16")
    return str(row.code)


def test_reload_second_tab_other_browser_and_restart_come_back(
    house: House, browser: Listeners
) -> None:
    link = house.begun()
    ear = browser.ear(link, lenient=True).open()  # the server goes away in between
    ear.answer("A")
    ear.hear("x", 0)
    ear.hear("b", 2)
    ear.press(" ")
    heard = ear.script("[0, 1, 2].map(i => listen.player.heardSeconds(i))")
    shown = same_place(ear, house, 1)

    ear.page.reload()
    ear.wait("trial")
    assert same_place(ear, house, 1) == shown
    again = ear.script("[0, 1, 2].map(i => listen.player.heardSeconds(i))")
    assert again[1] == 0
    assert again == pytest.approx(heard, abs=0.01)  # what was heard need not be heard again
    assert ear.card(0).get_attribute("data-heard") == "enough"

    tab = browser.ear(link, within=ear.page.context, lenient=True).open()
    assert same_place(tab, house, 1) == shown
    elsewhere = browser.ear(link, lenient=True, viewport={"width": 390, "height": 844}).open()
    assert same_place(elsewhere, house, 1) == shown

    house.kill()
    ear.page.bring_to_front()
    ear.hear_all()
    ear.press("ArrowRight", "Enter")
    expect(ear.page.locator(".banner")).to_contain_text("kept on this device")
    assert ear.trial == shown  # not before it is saved
    house.start()
    ear.moved(shown)
    assert same_place(ear, house, 2) != shown
    expect(ear.page.locator(".banner")).to_be_hidden()
    until(lambda: tab.trial != shown)  # the other tab of this browser goes along by itself
    elsewhere.page.bring_to_front()
    elsewhere.page.evaluate("dispatchEvent(new Event('focus'))")
    until(lambda: elsewhere.trial == ear.trial)
    assert len(house.answers(link)) == 2


def test_an_answer_outlives_its_page(house: House, browser: Listeners) -> None:
    """There is no network, and the page is closed before the answer could be sent."""
    link = house.begun()
    ear = browser.ear(link, lenient=True).open()
    trial, context = ear.trial, ear.page.context
    ear.hear_all()
    context.set_offline(True)
    ear.press("ArrowRight", "Enter")
    expect(ear.page.locator(".banner")).to_contain_text("no connection")
    ear.page.close()
    assert house.answers(link) == []
    context.set_offline(False)
    again = browser.ear(link, within=context).open()
    again.moved(trial)
    assert [row.choice for row in house.answers(link)] == [1]
    assert again.script("listen.outbox.empty")


def test_a_page_that_is_closed_sends_with_its_last_breath(house: House, browser: Listeners) -> None:
    link = house.begun()
    ear = browser.ear(link, lenient=True).open()
    ear.hear_all()
    ear.page.context.route("**/answer", lambda route: route.abort())  # beacons are not caught
    ear.press("ArrowRight", "Enter")
    expect(ear.page.locator(".banner")).to_contain_text("no connection")
    ear.page.close()
    until(lambda: [row.choice for row in house.answers(link)] == [1])


def test_offline_for_a_while(house: House, browser: Listeners) -> None:
    link = house.begun()
    ear = browser.ear(link, lenient=True).open()
    before = ear.trial
    ear.hear_all()
    ear.page.context.set_offline(True)
    ear.press("ArrowLeft", "Enter")
    time.sleep(3)
    assert ear.trial == before
    expect(ear.page.locator(".saved")).to_have_text("Saving…")
    ear.page.context.set_offline(False)
    saved(ear.page)
    ear.answer("B")  # the sounds of the next trial come although they were asked for in vain
    assert [row.choice for row in house.answers(link)] == [0, 1]


ODD: dict[str, Callable[[Route], Any]] = {
    "busy": lambda r: r.fulfill(status=503, json={"error": "The disk is full; please wait."}),
    "a hotel's page": lambda r: r.fulfill(status=200, content_type="text/html", body="<p>Pay!</p>"),
    "another id": lambda r: r.fulfill(status=200, json={"saved": "x", "state": {}}),
    "a gateway": lambda r: r.fulfill(status=502, body=""),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_reply_is_no_confirmation(house: House, browser: Listeners, kind: str) -> None:
    link = house.begun()
    ear = browser.ear(link, lenient=True).open()
    before, stored = ear.trial, len(house.answers(link))
    bodies: list[str] = []

    def reply(route: Route) -> None:
        bodies.append(route.request.post_data or "")
        if len(bodies) < 4:
            ODD[kind](route)
        else:
            route.continue_()

    ear.page.route("**/answer", reply)
    ear.hear_all()
    ear.press("ArrowLeft", "Enter")
    if kind == "busy":
        expect(ear.page.locator(".banner")).to_contain_text("The disk is full; please wait.")
    ear.moved(before)
    assert len(bodies) == 4
    assert len({*bodies}) == 1  # the same answer with the same id each time
    assert len(house.answers(link)) == stored + 1


def test_the_reply_is_lost_but_not_the_answer(house: House, browser: Listeners) -> None:
    link = house.begun()
    ear = browser.ear(link, lenient=True).open()
    before, stored = ear.trial, len(house.answers(link))
    lost: list[int] = []

    def lose(route: Route) -> None:
        if len(lost) < 3:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    ear.page.route("**/answer", lose)
    ear.hear_all()
    ear.press("ArrowRight", "Enter")
    ear.moved(before)
    assert lost == [200, 200, 200]
    assert [row.choice for row in house.answers(link)][stored:] == [1]


@pytest.mark.parametrize("times", [2, 3])
def test_double_and_triple_clicks_give_one_answer(
    house: House, browser: Listeners, times: int
) -> None:
    link = house.begun()
    ear = browser.ear(link).open()
    bodies: list[str] = []
    ear.page.on(
        "request", lambda r: bodies.append(r.post_data or "") if "answer" in r.url else None
    )
    stored = len(house.answers(link))
    for number in range(4):
        before = ear.trial
        ear.hear_all()
        ear.page.get_by_text("A is more like X").click(click_count=times)
        ear.page.get_by_role("button", name="Next").click(click_count=times, delay=5)
        ear.moved(before)
        assert len({*bodies}) == number + 1
    assert len(house.answers(link)) == stored + 4
    assert same_place(ear, house, 4)


def test_two_tabs_answer_the_same_trial(house: House, browser: Listeners) -> None:
    link = house.begun()
    first = browser.ear(link, lenient=True).open()  # 409 is what is asked for
    second = browser.ear(link, lenient=True).open()  # a browser of its own: it is told nothing
    stored = len(house.answers(link))
    for ear in (first, second):
        ear.hear_all()
        ear.press("ArrowLeft" if ear is first else "ArrowRight")
    first.press("Enter")
    saved(first.page)
    second.press("Enter")
    until(lambda: second.trial == first.trial)
    assert [row.choice for row in house.answers(link)][stored:] == [0]
    assert same_place(second, house, 1)


def test_nobody_is_sent_away_before_everything_is_saved(house: House, browser: Listeners) -> None:
    back = "https://panel.invalid/back?code={code}"
    link = house.begun(replace(ONE, completion="redirect", redirect=back))
    ear = browser.ear(link, lenient=True).open()
    gone: list[str] = []
    ear.page.route(
        "https://panel.invalid/**", lambda r: (gone.append(r.request.url), r.fulfill())[1]
    )
    ear.page.route("**/events", lambda route: route.abort())
    ear.finish()
    ear.wait("done")
    expect(ear.page.locator("main")).to_contain_text("the last details are being saved")
    time.sleep(5)
    assert gone == []
    ear.page.unroute("**/events")
    ear.page.wait_for_url("https://panel.invalid/**")
    assert len(gone) == 1
    kinds = {row.kind for row in house.rows(link, "events")}
    assert {"shown", "play", "pause"} <= kinds


def test_what_happens_is_written_down(house: House, browser: Listeners) -> None:
    link = house.begun(ONE)
    ear = browser.ear(link).open()
    ear.hear("x", 0)
    ear.hear("a", 1)
    ear.page.evaluate("dispatchEvent(new Event('blur'))")
    ear.page.reload()  # the page is left before the batch is due
    ear.wait("trial")
    until(lambda: {"blur", "hidden"} & {row.kind for row in house.rows(link, "events")} != set())
    trial = house.trials(link, "trial")[0].id
    events = [row for row in house.rows(link, "events") if row.trial_id == trial]
    kinds = [(row.kind, row.clip) for row in sorted(events, key=lambda row: row.at)]
    assert kinds[0] == ("shown", None)
    assert kinds.index(("play", 0)) < kinds.index(("pause", 0)) <= kinds.index(("play", 1)) + 1
    assert all(abs(row.at - time.time()) < 120 for row in events)


def test_without_any_storage_of_the_browser(house: House, browser: Listeners) -> None:
    """Private windows of some browsers, and full disks, refuse to keep anything."""
    link = house.begun(ONE)
    ear = browser.ear(link)
    ear.page.add_init_script(
        "for (const name of ['getItem', 'setItem', 'removeItem']) Storage.prototype[name] ="
        " () => { throw new DOMException('full', 'QuotaExceededError'); };"
    )
    ear.open()
    ear.answer("B")
    ear.answer("A")
    ear.wait("done")
    assert [row.choice for row in house.answers(link)] == [1, 0]


def test_a_page_that_is_older_than_the_server_loads_itself_anew_once(
    house: House, browser: Listeners
) -> None:
    ear = browser.ear(house.begun(ONE))
    loaded: list[str] = []
    ear.page.on("load", lambda page: loaded.append(page.url))

    def newer(route: Route) -> None:
        reply = route.fetch()
        route.fulfill(response=reply, json=reply.json() | {"version": 99})

    ear.page.route("**/state", newer)
    ear.open()
    ear.wait("trial")
    ear.answer("A")
    assert len(loaded) == 2
