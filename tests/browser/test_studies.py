"""An experimenter's way in the real app: sign in, design, make sounds, launch, send, watch."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from csn.model import Model
from csn.training.recipes import STEMWISE, tiny
from listening_test import accounts
from listening_test.store.listeners import invite
from listening_test.store.progress import progress
from listening_test.store.rows import Version
from listening_test.store.studies import create_study, list_studies, sound_rows, triplet_rows
from listening_test.study import PRESETS
from tests.browser.conftest import LAPTOP, PATIENCE, PHONE, choose_row, listen, settled, until
from tests.browser.listening import House, Listeners
from tests.listening_test import small_study
from tests.small_library import make

pytestmark = pytest.mark.browser

NAME, PASSWORD = "ada", "correct horse battery staple"


class Desk:
    """An experimenter's window, as the tests speak of it."""

    def __init__(self, page: Page, house: House) -> None:
        self.page, self.house = page, house

    def open(self, query: str = "") -> "Desk":
        self.page.goto(f"{self.house.address}/studies{query}")
        self.settled()
        return self

    def settled(self) -> None:
        """Until the server has nothing more to say."""
        settled(self.page)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def click(self, name: str) -> None:
        self.settled()
        self.button(name).click()

    def choose(self, name: str, option: str) -> None:
        """Choose from a list."""
        self.settled()
        field = self.page.get_by_role("combobox", name=name)
        field.scroll_into_view_if_needed()
        self.page.wait_for_timeout(300)  # a page that still scrolls closes the list
        field.click()
        self.page.get_by_role("option", name=option).click()

    def part(self, name: str) -> None:
        self.page.get_by_role("radio", name=name, exact=True).click()
        self.page.wait_for_url(re.compile(f"part={name.lower()}"))

    def number(self, name: str, value: float) -> None:
        field = self.page.get_by_label(re.compile(f"^{name}"))
        field.fill(str(value))
        field.press("Enter")

    def version(self, number: int = 1) -> Version:
        """What the database has."""
        with self.house.store() as store:
            return list_studies(store, archived=True)[0][1][-number]

    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The app with a small library, its model, and an experimenter's account."""
    folder = tmp_path_factory.mktemp("studio")
    house = House(folder)
    model = Model.untrained(tiny(STEMWISE).model, seed=0)
    (house.home / "models").mkdir()
    model.save(house.home / "models" / "tiny.safetensors")
    library = make(folder, model)
    (house.home / "libraries").mkdir()
    (house.home / "libraries" / "small").symlink_to(library.folder, target_is_directory=True)
    with house.store() as store:
        secret = accounts.set_up(store)
        assert secret
        accounts.make_account(store, secret, accounts.SET_UP, NAME, PASSWORD)
    house.start()
    yield house
    house.kill()


@pytest.fixture(scope="module")
def signed_in(studio: House, chromium: Browser) -> Iterator[BrowserContext]:
    """A browser in which the experimenter has signed in, by the form."""
    context = chromium.new_context(viewport=LAPTOP)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{studio.address}/studies")
    page.get_by_role("link", name="Sign in").last.click()
    page.locator("input[name=name]").fill(NAME)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{studio.address}/studies")
    page.close()
    yield context
    context.close()


@pytest.fixture
def desk(studio: House, signed_in: BrowserContext) -> Iterator[Desk]:
    """A window; afterwards nothing may have gone wrong on it."""
    troubles: list[str] = []
    page = signed_in.new_page()
    listen(page, troubles)
    yield Desk(page, studio)
    page.close()
    # Below a page's own path Streamlit looks for itself, before it looks at the root.
    expected = re.compile(r"/studies/_stcore/|404 \(Not Found\)")
    assert [trouble for trouble in troubles if not expected.search(trouble)] == []


def test_from_a_preset_to_the_first_listener(desk: Desk, browser: Listeners) -> None:
    page = desk.open().page
    expect(page.get_by_role("heading", level=1)).to_have_text("Your first study")
    page.locator(".st-key-start-csn").get_by_role("button").click()
    page.wait_for_url(re.compile("study=1"))
    design(desk)
    make_sounds(desk)
    look(desk, browser)
    launch(desk)
    link = links(desk)
    listen_and_watch(desk, browser, link)


def design(desk: Desk) -> None:
    """Every change is in the database without a word about saving."""
    page = desk.page
    desk.number("Pieces x per instrument", 1)
    until(lambda: desk.version().settings.per_instrument == 1)
    desk.number("Excerpt, seconds", 2)
    until(lambda: desk.version().settings.excerpt == 2.0)
    for name in ("Piano", "Guitar"):
        page.get_by_role("button", name=name, exact=True).click()
        until(lambda name=name: name.lower() not in desk.version().settings.instruments)
    title = page.get_by_role("textbox", name="Title")
    title.fill("Drums & <b>bass</b>")  # and no Enter: a pause is enough
    until(lambda: desk.version().settings.title == "Drums & <b>bass</b>")
    expect(page.get_by_role("heading", level=2)).to_contain_text("Drums & <b>bass</b>")
    desk.choose("Library", "small")
    until(lambda: desk.version().settings.library == "small")
    desk.number("Must be heard, seconds", 0.1)
    until(lambda: desk.version().settings.must_hear == 0.1)
    page.reload()
    expect(page.get_by_role("textbox", name="Title")).to_have_value("Drums & <b>bass</b>")
    expect(page.get_by_role("heading", level=2)).to_contain_text("Drums & <b>bass</b>")
    expect(page.get_by_text("2 × 1 × 2")).to_be_visible()


def make_sounds(desk: Desk) -> None:
    """They are made while the page shows how far it is."""
    page = desk.page
    desk.click("Next: make the sounds")
    desk.click("Make the sounds of 4 sets")
    expect(page.get_by_text("Spread, LU")).to_be_visible(timeout=240_000)
    version = desk.version()
    with desk.house.store() as store:
        triplets = [row for row in triplet_rows(store, version.id) if not row.practice]
        sounds = [row for row in sound_rows(store, version.id) if row.kind == "excerpt"]
    assert len(triplets) == 4 and version.prepared_at is not None
    spread = max(row.loudness for row in sounds) - min(row.loudness for row in sounds)
    assert spread < 0.1
    expect(page.get_by_test_id("stMetricValue").nth(3)).to_have_text(f"{spread:.2f}")
    choose_row(page, 0)
    players = page.locator("audio")
    expect(players).to_have_count(3)
    for player in players.all():
        reply = page.request.get(player.evaluate("player => player.src"))
        assert reply.ok and reply.body()[:4] == b"fLaC"


def look(desk: Desk, browser: Listeners) -> None:
    """The listener's own page, to its end; it counts for nothing."""
    page = desk.page
    preview = page.get_by_role("link", name="Preview as a listener").get_attribute("href")
    ear = browser.ear(preview or "").begin()
    ear.finish()
    ear.wait("done")
    assert len(desk.house.answers(preview or "")) == 2 + 4  # practice, and what would count


def launch(desk: Desk) -> None:
    """It asks first; then the open link works."""
    page = desk.page
    desk.click("Launch…")
    expect(desk.dialog()).to_contain_text("nothing about this version can be changed")
    assert desk.version().state == "draft"
    desk.click("Launch and freeze")
    page.wait_for_url(re.compile("part=links"))
    assert desk.version().state == "live"
    link = page.locator("code", has_text="/join/").first.inner_text()
    assert link == f"{desk.house.address}/join/{desk.version().join_token}"
    assert page.request.get(link).status == 200
    expect(page.get_by_role("img", name="QR code of the open link")).to_be_visible()


def links(desk: Desk) -> str:
    """Made, downloaded, safe in a spreadsheet; returns the first."""
    page = desk.page
    page.get_by_label("Your own words for them, one a line").fill("Ada\n=SUM(A1)")
    desk.click("Make the links")
    with page.expect_download() as download:
        desk.click("All links as CSV")
    rows = download.value.path().read_text("utf-8").splitlines()
    assert len(rows) == 3 and rows[2].split(",")[1] == "'=SUM(A1)"
    return rows[1].rsplit(",")[-1]


def listen_and_watch(desk: Desk, browser: Listeners, link: str) -> None:
    """What a listener does is seen without touching the page."""
    page = desk.page
    ear = browser.ear(link).begin()
    desk.part("Listeners")
    answered = page.get_by_test_id("stMetric").filter(has_text="Answers")
    expect(answered).to_contain_text("0")
    ear.finish()
    ear.wait("done")
    expect(answered).to_contain_text("4")
    expect(page.get_by_test_id("stMetric").filter(has_text="Finished")).to_contain_text("1")
    with page.expect_download() as download:
        desk.click("CSV only")
    assert download.value.suggested_filename.startswith("study-1-version-1-")
    assert download.value.path().read_bytes()[:2] == b"PK"


def test_controls_that_are_drawn_late_keep_their_values(desk: Desk) -> None:
    """When a run begins, Streamlit throws away what it has not yet sent of the one before: somebody
    quick has changed the first controls when the others come."""
    with desk.house.store() as store:
        version = create_study(store, replace(PRESETS["recommended"], trials=24), NAME)
    page = desk.page
    lost: list[ForwardMsg] = []
    losing = None

    def between(line: WebSocketRoute) -> None:
        def bring(message: str | bytes) -> None:
            nonlocal losing
            assert isinstance(message, bytes)
            said = ForwardMsg.FromString(message)
            if losing is None and b"-trials" in message:
                losing = True
            elif losing and said.WhichOneof("type") == "new_session":
                losing = False
            if losing and said.WhichOneof("type") == "delta":
                lost.append(said)
            else:
                line.send(message)

        line.connect_to_server().on_message(bring)

    def soon(true: Callable[[], bool]) -> None:
        """The line carries something only while the browser is asked for something."""
        until(lambda: page.wait_for_timeout(50) is None and true())

    page.route_web_socket(re.compile("/_stcore/stream"), between)
    page.goto(f"{desk.house.address}/studies?study={version.study_id}&part=design")
    soon(lambda: len(lost) > 50)
    for count in (3, 4):
        desk.number("Pieces x per instrument", count)
        soon(lambda count=count: desk.version().settings.per_instrument == count)
    expect(page.get_by_role("textbox", name="Consent text")).to_be_visible()
    desk.number("Seed", 5)
    soon(lambda: desk.version().settings.seed == 5)
    assert desk.version().settings == replace(version.settings, per_instrument=4, seed=5)


def test_dialogs_do_what_they_say(
    desk: Desk, studio: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMWISE_HOME", str(studio.home))
    with studio.store() as store:
        version = small_study.make(store)
        invite(store, version.id, 2)
    page = desk.open(f"?study={version.study_id}&part=listeners").page

    def gone() -> list[bool]:
        with studio.store() as store:
            return [row.withdrawn_at is not None for row in progress(store, version)]

    choose_row(page, 1)
    desk.click("Withdraw…")
    expect(desk.dialog()).to_contain_text("Listener 2 has given 0 answers")
    desk.dialog().get_by_role("button", name="Cancel").click()
    expect(desk.dialog()).to_have_count(0)
    assert gone() == [False, False]
    desk.click("Withdraw…")
    desk.dialog().get_by_text("Also erase").click()
    confirm = desk.dialog().get_by_role("button", name="Withdraw and erase")
    expect(confirm).to_be_disabled()
    desk.dialog().get_by_label("Type ERASE to go on").fill("ERASE")
    desk.dialog().get_by_label("Type ERASE to go on").press("Enter")
    confirm.click()
    until(lambda: gone() == [False, True])

    desk.click("Close…")
    desk.click("Close the study")
    until(lambda: desk.version().state == "closed")
    expect(desk.button("Reopen")).to_be_visible()
    desk.click("More")
    desk.click("New version")
    page.wait_for_url(re.compile("version=2"))
    expect(desk.button("Launch…")).to_be_visible()  # the address is new before the page is
    desk.click("More")
    desk.click("Archive…")
    desk.dialog().get_by_role("button", name="Archive", exact=True).click()
    page.wait_for_url(f"{studio.address}/studies")
    expect(page.get_by_text("Archived (1)")).to_be_visible()


def test_a_phone_has_everything_within_its_width(
    studio: House, signed_in: BrowserContext, chromium: Browser
) -> None:
    context = chromium.new_context(
        viewport=PHONE, has_touch=True, is_mobile=True, storage_state=signed_in.storage_state()
    )
    context.set_default_timeout(PATIENCE)
    desk = Desk(context.new_page(), studio)
    with studio.store() as store:
        study = list_studies(store, archived=True)[-1][0].id
    for part in ("", *(f"?study={study}&part={name}" for name in
                       ("design", "sounds", "links", "listeners"))):  # fmt: skip
        page = desk.open(part).page
        assert page.evaluate("document.querySelector('.stMain').scrollWidth <= innerWidth"), part
    glance = desk.open(f"?study={study}&part=design").page.locator(".st-key-at-a-glance")
    title = desk.page.get_by_role("textbox", name="Title")
    assert glance.bounding_box()["y"] < title.bounding_box()["y"]  # type: ignore[index]
    context.close()


def test_who_is_not_signed_in_sees_no_study(studio: House, chromium: Browser) -> None:
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE)
    desk = Desk(context.new_page(), studio).open("?study=1")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("For experimenters")
    assert "Drums" not in desk.page.content()
    context.close()
