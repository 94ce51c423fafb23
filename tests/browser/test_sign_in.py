"""The way to an account and a session in the real app, and the maps that close meanwhile."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from listening_test import accounts
from listening_test.account_routes import COOKIE
from listening_test.store.studies import close, list_studies
from tests.browser.conftest import LAPTOP, PATIENCE, PHONE, until
from tests.browser.listening import House
from tests.small_library import make

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The app as it is started for the first time, with a small library."""
    folder = tmp_path_factory.mktemp("first")
    house = House(folder)
    library = make(folder)
    (house.home / "libraries").mkdir()
    (house.home / "libraries" / "small").symlink_to(library.folder, target_is_directory=True)
    house.start()
    yield house
    house.kill()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh browser."""
    context = chromium.new_context(viewport=LAPTOP)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def set_up_link(house: House) -> str:
    """What stands in the terminal, a moment after the start."""
    link = re.compile(rf"{house.address}/set-up/[\w-]+")
    until(lambda: link.search(house.log.read_text()) is not None)
    return link.findall(house.log.read_text())[-1]


def test_from_the_terminal_to_the_studies_by_keyboard(house: House, page: Page) -> None:
    link = set_up_link(house)
    page.goto(f"{house.address}/sign-in")
    expect(page.get_by_text("finds a link in that terminal")).to_be_visible()
    page.goto(link)
    expect(page.get_by_label("Name")).to_be_focused()
    keys = page.keyboard
    for text in ("Ada", PASSWORD, PASSWORD + "!"):
        keys.type(text)
        keys.press("Tab")
    keys.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(
        "The two passwords differ; type the same one twice."
    )
    expect(page.get_by_label("Name")).to_have_value("Ada")
    expect(page.get_by_label("New password")).to_have_value("")
    page.get_by_label("New password").focus()
    for text in (PASSWORD, PASSWORD):
        keys.type(text)
        keys.press("Tab")
    keys.press("Enter")
    page.wait_for_url(f"{house.address}/studies")
    expect(page.get_by_text("ada · sign out")).to_be_visible()
    expect(page.get_by_role("link", name="Studies")).to_be_visible()
    cookie = next(c for c in page.context.cookies() if c["name"] == COOKIE)
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and not cookie["secure"]
    assert page.evaluate("document.cookie.includes('stemwise')") is False
    page.get_by_text("ada · sign out").click()
    page.get_by_role("button", name="Sign out").press("Enter")
    expect(page.get_by_label("Password")).to_be_visible()
    page.goto(f"{house.address}/studies")
    expect(page.get_by_role("heading", name="For experimenters")).to_be_visible()
    expect(page.get_by_role("link", name="Studies")).to_have_count(0)
    page.goto(link)
    expect(page.get_by_role("heading", name="Too late")).to_be_visible()


def test_the_maps_close_while_a_study_is_live(house: House, page: Page) -> None:
    ready = page.locator('.stemwise[data-state="ready"]')
    page.goto(house.address)
    ready.wait_for()
    house.link()
    page.wait_for_timeout(2100)  # until the app has noticed what another process did
    page.reload()
    expect(page.get_by_role("heading", name="Closed for now")).to_be_visible()
    expect(ready).to_have_count(0)
    clip = f"{house.address}/audio/small/mix?piece=Track00001&length=1"
    assert page.request.get(clip).status == 403
    with house.store() as store:
        if not accounts.any_account(store):
            secret = accounts.set_up(store)
            assert secret
            accounts.make_account(store, secret, accounts.SET_UP, "ada", PASSWORD)
        session = accounts.sign_in(store, "ada", PASSWORD, "192.0.2.1")
    page.context.add_cookies([{"name": COOKIE, "value": session, "url": house.address}])
    assert page.request.get(clip).status == 200
    page.reload()
    ready.wait_for()
    page.context.clear_cookies()
    page.reload()
    expect(page.get_by_role("heading", name="Closed for now")).to_be_visible()
    with house.store() as store:
        for _, versions in list_studies(store):
            close(store, versions[0].id)
    page.wait_for_timeout(2100)
    page.reload()
    ready.wait_for()


def test_the_map_still_needs_no_scrolling(house: House, page: Page) -> None:
    page.goto(house.address)
    page.locator('.stemwise[data-state="ready"]').wait_for()
    corner = page.get_by_text("Sign in")
    expect(corner).to_be_in_viewport()
    box = page.locator(".stMainBlockContainer").bounding_box()
    first = page.locator(".stemwise").bounding_box()
    assert box and first and first["y"] - box["y"] < 80  # nothing was pushed down
    main = page.locator(".stMain")
    assert main.evaluate("main => main.scrollHeight <= main.clientHeight")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390])
def test_the_form_on_a_phone(house: House, chromium: Browser, scheme: str, width: int) -> None:
    context = chromium.new_context(
        viewport=PHONE | {"width": width}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    problems: list[str] = []
    page.on(
        "console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None
    )
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.goto(f"{house.address}/sign-in")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator("input:not([type=hidden]), button").all():
        box = control.bounding_box()
        assert box and box["height"] >= 44
    ink, paper = page.evaluate(
        "['color', 'backgroundColor'].map(name => getComputedStyle(document.body)[name])"
    )
    levels = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
    assert (levels[0] > levels[1]) == (scheme == "dark") and abs(levels[0] - levels[1]) > 500
    assert not problems
    context.close()
