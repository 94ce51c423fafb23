"""The pages on which experimenters sign in, as a browser without scripts sees them."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from argon2 import PasswordHasher
from httpx import ASGITransport, AsyncClient, Cookies, Response
from starlette.applications import Starlette

from listening_test import account_routes, accounts
from listening_test.account_routes import COOKIE, Desk
from listening_test.accounts import INVITATION, SET_UP
from listening_test.errors import StoreError
from listening_test.store import Store
from tests.in_loop import wait_for

PASSWORD = "correct horse battery staple"
NEW = "another good sentence"
SAME = {"sec-fetch-site": "same-origin"}
CROSS = [
    {},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://testserver.evil.example"},
    {"origin": "http://testserver", "sec-fetch-site": "cross-site"},
]


@pytest.fixture
def store(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(accounts, "_hasher", cheap)
    monkeypatch.setattr(accounts, "_dummy", cheap.hash("nobody's"))
    monkeypatch.setattr(account_routes, "shared_store", lambda: sqlite_store)
    return sqlite_store


class Browser:
    """A browser that keeps cookies, and does not follow redirects by itself."""

    def __init__(self, base: str = "", address: str = "http://testserver", **options: str) -> None:
        self.app = Starlette(routes=Desk(base, **options).routes())
        self.address, self.cookies = address, Cookies()

    def ask(self, method: str, path: str, **more: Any) -> Response:
        async def ask() -> Response:
            transport = ASGITransport(self.app)
            async with AsyncClient(
                transport=transport, base_url=self.address, cookies=self.cookies, trust_env=False
            ) as client:
                reply = await client.request(method, path, **more)
                self.cookies = client.cookies
                return reply

        return wait_for(ask())

    def get(self, path: str, **more: Any) -> Response:
        return self.ask("GET", path, **more)

    def send(self, path: str, **form: str) -> Response:
        return self.ask("POST", path, data=form, headers=SAME)

    def sign_in(self, name: str = "ada", password: str = PASSWORD, **more: str) -> Response:
        return self.send("/sign-in", name=name, password=password, **more)


@pytest.fixture
def ada(store: Store) -> Browser:
    """The browser of the first experimenter, signed in."""
    browser, secret = Browser(), accounts.set_up(store)
    reply = browser.send(f"/set-up/{secret}", name="Ada", password=PASSWORD, again=PASSWORD)
    assert (reply.status_code, reply.headers["location"]) == (303, "/studies")
    return browser


def test_the_first_account(store: Store, ada: Browser) -> None:
    cookie = ada.cookies[COOKIE]
    me = accounts.who(store, cookie)
    assert me and me.name == "ada"
    assert ada.get("/sign-in").headers["location"] == "/studies"
    assert ada.get("/sign-out").status_code == 200
    assert accounts.who(store, cookie)  # looking at the page does not sign out
    reply = ada.send("/sign-out")
    assert reply.headers["location"] == "/sign-in"
    assert accounts.who(store, cookie) is None
    assert COOKIE not in ada.cookies
    for path in ("/sign-out", "/password", "/invite"):
        assert ada.get(path).headers["location"] == "/sign-in"
        assert ada.send(path).headers["location"] == "/sign-in"


def test_signing_in(store: Store, ada: Browser) -> None:
    browser = Browser()
    wrong = browser.sign_in("<b>ada</b>", 'not "this"')
    assert wrong.status_code == 403
    assert '<p role="alert">The name or the password is wrong.</p>' in wrong.text
    assert "<b>ada" not in wrong.text and 'value="&lt;b&gt;ada' in wrong.text
    assert "not &quot;this" not in wrong.text  # a password is never filled in again
    assert COOKIE not in browser.cookies
    reply = browser.sign_in("ADA ")
    assert (reply.status_code, reply.headers["location"]) == (303, "/studies")
    assert browser.cookies[COOKIE] != ada.cookies[COOKIE]
    assert "signed in as ada" in browser.get("/sign-out").text


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/results", "/results"),
        ("/studies/7-a.b_c", "/studies/7-a.b_c"),
        ("//evil.example", "/studies"),
        ("/\\evil.example", "/studies"),
        ("https://evil.example", "/studies"),
        ("/studies\r\nSet-Cookie: a=b", "/studies"),
        ("/javascript:alert(1)", "/studies"),
        ("results", "/studies"),
        ("/" + "x" * 300, "/studies"),
    ],
)
def test_where_to_go_next(ada: Browser, wanted: str, reached: str) -> None:
    assert Browser().sign_in(next=wanted).headers["location"] == reached
    form = Browser().get("/sign-in", params={"next": wanted}).text
    assert ('name="next"' in form) == (wanted == reached)


@pytest.mark.parametrize(
    ("address", "secure"), [("http://testserver", False), ("https://testserver", True)]
)
def test_the_cookie(ada: Browser, address: str, secure: bool) -> None:
    parts = Browser(address=address).sign_in().headers["set-cookie"].split("; ")
    assert re.fullmatch(rf"{COOKIE}=[\w-]{{43}}", parts[0])
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=1209600"} <= set(parts)
    assert ("Secure" in parts) is secure


def test_below_a_path(store: Store) -> None:
    browser, secret = Browser("/lab"), accounts.set_up(store)
    form = browser.get(f"/lab/set-up/{secret}").text
    assert 'href="/lab/listen/assets/account.css"' in form
    reply = browser.send(f"/lab/set-up/{secret}", name="ada", password=PASSWORD, again=PASSWORD)
    assert reply.headers["location"] == "/lab/studies"
    assert "Path=/lab" in reply.headers["set-cookie"]
    assert browser.get("/lab/sign-in").headers["location"] == "/lab/studies"
    assert browser.get("/sign-in").status_code == 404


@pytest.mark.parametrize("headers", CROSS)
def test_forms_of_other_sites_do_nothing(
    store: Store, ada: Browser, headers: dict[str, str]
) -> None:
    invitation = accounts.invite(store)
    secret = ada.cookies[COOKIE]
    for path, form in {
        "/sign-in": {"name": "ada", "password": PASSWORD},
        "/sign-out": {},
        "/invite": {},
        "/password": {"old": PASSWORD, "password": NEW, "again": NEW},
        f"/invite/{invitation}": {"name": "eve", "password": NEW, "again": NEW},
    }.items():
        reply = ada.ask("POST", path, data=form, headers=headers)
        assert reply.status_code == 403
        assert "came from another site" in reply.text
        assert "set-cookie" not in reply.headers
    assert accounts.who(store, secret)
    assert accounts.usable(store, invitation, INVITATION)
    assert accounts.sign_in(store, "ada", PASSWORD, "192.0.2.1")


def test_a_browser_that_only_says_its_origin(ada: Browser) -> None:
    reply = Browser().ask(
        "POST",
        "/sign-in",
        data={"name": "ada", "password": PASSWORD},
        headers={"origin": "http://testserver"},
    )
    assert reply.status_code == 303


def test_a_colleague_is_invited(store: Store, ada: Browser) -> None:
    assert "Make a link" in ada.get("/invite").text
    shown = re.search(r'value="http://testserver(/invite/[\w-]{43})"', ada.send("/invite").text)
    assert shown
    grace, link = Browser(), shown[1]
    assert "You were invited" in grace.get(link).text
    for given, sentence in (
        ({"password": PASSWORD, "again": "something else"}, "The two passwords differ"),
        ({"password": "short", "again": "short"}, "A password has 12 to 200 characters"),
        ({"name": "ada", "password": PASSWORD, "again": PASSWORD}, "called &#x27;ada&#x27;"),
        ({}, "A password has 12"),
    ):
        reply = grace.send(link, **({"name": "grace"} | given))
        assert reply.status_code == 403 and sentence in reply.text
        assert 'role="alert"' in reply.text
    reply = grace.send(link, name="grace", password=PASSWORD, again=PASSWORD)
    assert reply.headers["location"] == "/studies"
    assert grace.get(link).status_code == 410
    again = Browser().send(link, name="eve", password=PASSWORD, again=PASSWORD)
    assert again.status_code == 403 and "used already" in again.text


def test_a_password_is_changed(store: Store, ada: Browser) -> None:
    other = Browser()
    other.sign_in()
    wrong = ada.send("/password", old="wrong", password=NEW, again=NEW)
    assert wrong.status_code == 403 and "The name or the password is wrong" in wrong.text
    assert ada.send("/password", old=PASSWORD, password=NEW, again="x").status_code == 403
    assert ada.send("/password", old=PASSWORD, password=NEW, again=NEW).status_code == 303
    assert ada.get("/password").status_code == 200
    assert other.get("/password").headers["location"] == "/sign-in"
    assert Browser().sign_in(password=PASSWORD).status_code == 403
    assert Browser().sign_in(password=NEW).status_code == 303


def test_a_forgotten_password(store: Store, ada: Browser) -> None:
    link = f"/recover/{accounts.recover(store, 'ada')}"
    browser = Browser()
    assert "A new password" in browser.get(link).text
    assert browser.send(link, password=NEW, again="x").status_code == 403
    assert browser.send(link, password=NEW, again=NEW).headers["location"] == "/sign-in"
    assert browser.get(link).status_code == 410
    assert ada.get("/password").headers["location"] == "/sign-in"
    assert browser.sign_in(password=NEW).status_code == 303


def test_by_way_of_an_institution(
    store: Store, ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(accounts.ALLOWED, "grace@example.org")
    browser = Browser(institution="/institution")
    assert 'href="/institution"' in browser.get("/sign-in").text
    link = f"/enter/{accounts.vouch(store, 'grace@example.org')}"
    assert "Go on" in browser.get(link).text and COOKIE not in browser.cookies
    assert browser.send(link).headers["location"] == "/studies"
    assert "grace@example.org" in browser.get("/sign-out").text
    assert browser.send(link).status_code == 410
    assert "Your institution signs you in" in browser.get("/password").text
    assert browser.send("/sign-out").headers["location"] == "/auth/logout"
    assert COOKIE not in browser.cookies


def test_guessing_is_slowed_down(ada: Browser) -> None:
    browser = Browser()
    said = [browser.sign_in(password="wrong").text for _ in range(7)]
    assert sum("is wrong" in text for text in said) == 5
    assert "Too many attempts failed; try again in" in said[-1]
    assert browser.sign_in().status_code == 403  # even with the right one


def test_without_any_account(store: Store) -> None:
    said = Browser().get("/sign-in").text
    assert "in that terminal" in said and "<form" not in said


class Reader(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.labels = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))


def test_every_page_is_quiet_and_labelled(store: Store, ada: Browser) -> None:
    visitor = Browser()
    pages = [
        visitor.get("/sign-in"),
        visitor.get(f"/invite/{accounts.invite(store)}"),
        visitor.get("/invite/nonsense"),
        ada.get("/sign-out"),
        ada.get("/password"),
        ada.get("/invite"),
        ada.send("/invite"),
        visitor.sign_in("x", "y"),
    ]
    for page in pages:
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "script-src" not in policy
        read = Reader(page.text)
        names = [tag for tag, _ in read.tags]
        assert "script" not in names and "style" not in names
        assert not any(name.startswith("on") or name == "style" for _, a in read.tags for name in a)
        shown = [a for tag, a in read.tags if tag == "input" and a.get("type") != "hidden"]
        assert names.count("label") == len(shown)
        assert all("autocomplete" in a or "readonly" in a for a in shown)
        assert names.count("h1") == 1 and ("html", {"lang": "en"}) in read.tags
    completions = re.findall(r'autocomplete="([\w-]+)"', pages[0].text + pages[1].text)
    assert completions == [
        "username", "current-password", "username", "new-password", "new-password"
    ]  # fmt: skip


def test_what_is_too_long_or_broken(ada: Browser) -> None:
    assert Browser().sign_in(password="x" * 20_000).status_code == 413
    reply = Browser().ask("POST", "/sign-in", content=b"\xff\xfe&&==%%%", headers=SAME)
    assert reply.status_code == 403
    assert Browser().ask("DELETE", "/sign-in").status_code == 405
    assert Browser().get("/set-up/" + "x" * 5000).status_code == 410


def test_a_database_that_is_away(
    store: Store, ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Store:
        raise StoreError("The database at sqlite:////secret/place is away.")

    monkeypatch.setattr(account_routes, "shared_store", away)
    for reply in (ada.get("/sign-in"), ada.sign_in(), ada.get("/invite")):
        assert reply.status_code == 503
        assert "try again in a moment" in reply.text and "secret" not in reply.text


def test_the_set_up_link_is_of_no_use_later(store: Store) -> None:
    first, second = accounts.set_up(store), accounts.set_up(store)
    assert first and second
    Browser().send(f"/set-up/{first}", name="ada", password=PASSWORD, again=PASSWORD)
    assert Browser().get(f"/set-up/{second}").status_code == 410
    assert not accounts.usable(store, second, SET_UP)
