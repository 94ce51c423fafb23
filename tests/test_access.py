"""What each role gets from every page and route of the real app."""

import os
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from httpx import ASGITransport, AsyncClient, Response
from starlette.applications import Starlette
from streamlit.runtime import Runtime
from streamlit.testing.v1 import AppTest

import app
from listening_test import accounts
from listening_test.account_routes import COOKIE
from listening_test.errors import StoreError
from listening_test.store import Store, shared_store
from listening_test.store.listeners import invite
from listening_test.store.rows import Version
from listening_test.store.studies import close, list_studies
from pages import access, libraries
from tests.access_table import OURS, PAGE, PAGES, ROLES, STREAMLIT, markdown
from tests.in_loop import wait_for
from tests.listening_test import small_study

SCRIPT = str(Path(app.__file__).parent / "pages" / "navigation.py")
WAY_IN = "Go to the sign-in of your institution"
PASSWORD = "correct horse battery staple"
SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def store(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The app's own database on the shelf, with an account and a study that is live."""
    for name in ("STEMWISE_DATABASE_URL", access.PUBLIC):
        monkeypatch.delenv(name, raising=False)
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(accounts, "_hasher", cheap)
    monkeypatch.setattr(accounts, "_dummy", cheap.hash("nobody's"))
    with closing(shared_store()) as opened:
        secret = accounts.set_up(opened)
        assert secret
        accounts.make_account(opened, secret, accounts.SET_UP, "ada", PASSWORD)
        small_study.make(opened)
        yield opened
        live(opened, False)  # the answer to "is a study live" is kept for two seconds


def live(store: Store, wanted: bool) -> None:
    """Close the study (and let everybody know at once), or make another."""
    for _, versions in list_studies(store):
        for version in versions:
            if version.state == "live":
                close(store, version.id)
    if wanted:
        small_study.make(store)


def version(store: Store) -> Version:
    return next(v for _, vs in list_studies(store) for v in vs if v.state == "live")


class Asker:
    """Somebody who asks the app's routes; keeps no cookies but the session."""

    def __init__(self, session: str | None = None) -> None:
        self.cookies = {COOKIE: session} if session else {}

    def ask(self, method: str, path: str, **more: Any) -> Response:
        async def ask() -> Response:
            transport = ASGITransport(Starlette(routes=app.ROUTES))
            async with AsyncClient(
                transport=transport, base_url="http://app", cookies=self.cookies, trust_env=False
            ) as client:
                return await client.request(method, path, **more)

        return wait_for(ask())


def someone(store: Store, role: str) -> Asker:
    if role != "experimenter":
        return Asker()
    return Asker(accounts.sign_in(store, "ada", PASSWORD, "192.0.2.1"))


# ---- measuring ------------------------------------------------------------------------------


def measure_routes(store: Store, role: str) -> dict[tuple[str, str], str]:
    """The status of every route for one role; listeners walk a little way into their test."""
    live(store, role != "visitor")
    known = role in ("listener", "foreign")
    token = invite(store, version(store).id)[0].token if known else "x" * 22
    join = version(store).join_token if role != "visitor" else "x" * 22
    got: dict[tuple[str, str], str] = {}

    def note(method: str, route: str, path: str = "", **more: Any) -> Any:
        reply = someone(store, role).ask(method, path or route, **more)
        got[method, route] = str(reply.status_code)
        return reply.json() if "json" in reply.headers.get("content-type", "") else {}

    own = f"/t/{token}"
    if role == "foreign":
        other = invite(store, version(store).id)[0].token
        theirs = walk(store, other)
        mine = walk(store, token)
        answer = message(mine) | {"trial": theirs["step"]["trial"]}
        note("POST", "/t/{token}/answer", f"{own}/answer", json=answer)
        note("GET", "/t/{token}/clip/{clip}", f"{own}/clip/{theirs['step']['clips'][0]}")
        return got
    note("GET", "/audio/{library}/{part}", "/audio/small/mix?piece=Track00001")
    note("GET", "/points/{library}/{what}", "/points/small/about")
    note("GET", "/near/{library}", "/near/small?segment=0")
    note("GET", "/listen/assets/{name:path}", "/listen/assets/account.css")
    note("GET", "/t/{token}", own)
    note("GET", "/t/{token}/state", f"{own}/state")
    consent = {"id": str(uuid.uuid4()), "step": "consent", "payload": {}}
    note("POST", "/t/{token}/step", f"{own}/step", json=consent)
    state = walk(store, token) if known else {}
    clip = state["step"]["clips"][1] if known else "x"
    note("GET", "/t/{token}/clip/{clip}", f"{own}/clip/{clip}")
    note("POST", "/t/{token}/answer", f"{own}/answer", json=message(state))
    note("POST", "/t/{token}/events", f"{own}/events", json={"events": []})
    for method in ("GET", "POST"):
        note(method, "/t/{token}/lab", f"{own}/lab", **({"json": {}} if method == "POST" else {}))
        note(method, "/join/{token}", f"/join/{join}")
    for (method, route), line in OURS.items():
        if (method, route) in got:
            continue
        assert line.about
        form = {"data": {"name": "x"}, "headers": SAME} if method == "POST" else {}
        note(method, route, route.replace("{secret}", "x" * 43), **form)
    return got


def walk(store: Store, token: str) -> dict[str, Any]:
    """Go on to the first trial; the state there."""
    while True:
        state: dict[str, Any] = Asker().ask("GET", f"/t/{token}/state").json()
        kind = state["step"]["kind"]
        if kind == "trial":
            return state
        step = {"id": str(uuid.uuid4()), "step": kind, "payload": {}}
        assert Asker().ask("POST", f"/t/{token}/step", json=step).status_code == 200


def message(state: dict[str, Any]) -> dict[str, Any]:
    trial = state["step"]["trial"] if state else "x"
    heard = {"heard": [9.0] * 3, "elapsed": 4.5, "sure": None}
    return {"id": str(uuid.uuid4()), "trial": trial, "choice": 0} | heard


def measure_pages(
    store: Store, role: str, monkeypatch: pytest.MonkeyPatch
) -> dict[tuple[str, str], str]:
    """What each page shows to a role."""
    live(store, role != "visitor")
    session = someone(store, role).cookies.get(COOKIE)
    monkeypatch.setattr(access, "_cookie", lambda: session)
    found = {}
    for name in ("explore", "search", "model", "results"):
        page = visit(name)
        assert not page.exception
        titles = [title.value for title in page.title]
        found["page", name] = "closed" if "Closed for now" in titles else "open"
    for name, script in (("studies", _studies), ("library", _library)):
        page = AppTest.from_function(script, default_timeout=60).run()
        assert not page.exception
        titles = [title.value for title in page.title]
        found["page", name] = "asks to sign in" if "For experimenters" in titles else "open"
    institution = AppTest.from_function(_institution, default_timeout=60).run()
    assert not institution.exception
    buttons = [button.label for button in institution.button]
    found["page", "institution"] = "asks to sign in" if WAY_IN in buttons else "open"
    return found


def visit(name: str) -> AppTest:
    """A page of the app, through its navigation."""
    page = AppTest.from_file(SCRIPT, default_timeout=60).run()
    known = page._registered_pages
    page._page_hash = next(key for key in known if known[key]["page_name"] == name.capitalize())
    return page.run()


def _institution() -> None:
    from pages.institution import page

    page()


def _studies() -> None:
    from pages.studies import page

    page()


def _library() -> None:
    from pages.library import page

    page()


# ---- tests ----------------------------------------------------------------------------------


def test_the_table_is_what_the_app_does(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: dict[tuple[str, str], dict[str, str]] = {}
    for role in ROLES:
        found = measure_routes(store, role)
        if role != "foreign":
            found |= measure_pages(store, role, monkeypatch)
        for key, status in found.items():
            measured.setdefault(key, {})[role] = status
    if os.environ.get("STEMWISE_WRITE_ACCESS"):
        PAGE.write_text(markdown(measured), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == markdown(measured)


def test_the_table_says_what_has_to_be(store: Store) -> None:
    """The rules themselves, so that a wrong answer cannot simply be written down."""
    for role in ("visitor", "meanwhile", "listener", "experimenter"):
        got = measure_routes(store, role)
        for key in ("/audio/{library}/{part}", "/points/{library}/{what}", "/near/{library}"):
            assert got["GET", key] == ("403" if role in ("meanwhile", "listener") else "200")
        for method, route in OURS:
            if route.startswith("/t/{token}/") and "lab" not in route:
                assert got[method, route] == ("200" if role == "listener" else "404")
            if route in ("/password", "/invite"):
                signed_in = role == "experimenter"
                want = {"GET": "200", "POST": "403" if route == "/password" else "200"}
                assert got[method, route] == (want[method] if signed_in else "303")
            if "{secret}" in route:
                assert got[method, route] in ("403", "410")
    assert measure_routes(store, "foreign") == {
        ("POST", "/t/{token}/answer"): "422",
        ("GET", "/t/{token}/clip/{clip}"): "404",
    }


def test_every_route_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "_instance", None)
    monkeypatch.setattr(app.app, "_starlette_app", None)
    monkeypatch.setattr(app.app, "_runtime", None)
    served = app.app._build_starlette_app().routes
    monkeypatch.setattr(Runtime, "_instance", None)
    base = libraries.base()
    ours = {
        (method, route.path.removeprefix(base))
        for route in app.ROUTES
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert ours == {*OURS}
    rest = [getattr(route, "path", "") for route in served if route not in app.ROUTES]
    assert {path or "(static files)" for path in rest} == {*STREAMLIT}


def test_every_page_has_its_line() -> None:
    script = Path(SCRIPT).read_text()
    assert script.count("st.Page(") == len(PAGES)
    assert access.INSTITUTION in PAGES
    assert all(f'url_path="{name}"' in script for name in PAGES if name != access.INSTITUTION)


def test_closing_and_opening_takes_effect_at_once(store: Store) -> None:
    visitor = Asker()
    clip = "/audio/small/mix?piece=Track00001&length=1"
    assert visitor.ask("GET", clip).status_code == 403
    said = visitor.ask("GET", clip)
    assert said.text == access.CLOSED and said.headers["cache-control"] == "no-store"
    live(store, False)
    assert visitor.ask("GET", clip).status_code == 200


def test_maps_stay_open_where_that_is_wanted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(access.PUBLIC, "1")
    assert Asker().ask("GET", "/points/small/about").status_code == 200
    monkeypatch.setenv(access.PUBLIC, "0")
    assert Asker().ask("GET", "/points/small/about").status_code == 403


def test_a_session_ends_everywhere(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = someone(store, "experimenter")
    assert ada.ask("GET", "/points/small/about").status_code == 200
    monkeypatch.setattr(access, "_cookie", lambda: ada.cookies[COOKIE])
    assert access.experimenter() == "ada"
    accounts.sign_out(store, ada.cookies[COOKIE])
    assert ada.ask("GET", "/points/small/about").status_code == 403
    assert access.experimenter() is None
    assert not access.may_explore()


@pytest.mark.parametrize("cookie", ["", "x", "x" * 43, "'; DROP TABLE tickets; --", "é"])
def test_invented_sessions_are_none(
    store: Store, monkeypatch: pytest.MonkeyPatch, cookie: str
) -> None:
    monkeypatch.setattr(access, "_cookie", lambda: cookie)
    assert access.experimenter() is None
    assert not access.may_explore()


def test_without_the_database_everything_is_closed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Store:
        raise StoreError("The database at /secret/place is away.")

    session = someone(store, "experimenter").cookies[COOKIE]
    monkeypatch.setattr(access, "shared_store", away)
    monkeypatch.setattr(access, "_cookie", lambda: session)
    assert access.experimenter() is None
    reply = Asker(session).ask("GET", "/points/small/about")
    assert reply.status_code == 403 and "secret" not in reply.text
    page = AppTest.from_file(SCRIPT, default_timeout=60).run()
    assert not page.exception
    assert page.markdown[0].value == access.AWAY


class User(dict[str, Any]):
    """Stands for ``st.user``."""


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"email": "grace@example.org", "email_verified": True}, ""),
        ({"email": "GRACE@example.org"}, ""),
        ({"email": "grace@example.org", "email_verified": False}, "does not vouch"),
        ({}, "does not vouch"),
        ({"email": "eve@example.org"}, "eve@example.org may not sign in here"),
    ],
)
def test_who_comes_by_way_of_an_institution(
    store: Store, monkeypatch: pytest.MonkeyPatch, claims: dict[str, Any], sentence: str
) -> None:
    monkeypatch.setenv(accounts.ALLOWED, "grace@example.org")
    monkeypatch.setattr("streamlit.user", User(claims | {"is_logged_in": True}))
    page = AppTest.from_function(_institution, default_timeout=60).run()
    assert not page.exception
    links = [element.proto.body for element in page.get("html")]
    if sentence:
        assert sentence in page.warning[0].value and not links
        return
    path = links[0].split('"')[1]
    reply = Asker().ask("POST", path, headers=SAME)
    assert reply.status_code == 303
    me = accounts.who(store, reply.cookies[COOKIE])
    assert me and me.name == "grace@example.org"
    assert Asker().ask("POST", path, headers=SAME).status_code == 410


def test_the_menu(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for role, words in (("meanwhile", "Sign in"), ("experimenter", "ada · sign out")):
        session = someone(store, role).cookies.get(COOKIE)
        monkeypatch.setattr(access, "_cookie", lambda session=session: session)
        page = AppTest.from_file(SCRIPT, default_timeout=60).run()
        corners = [element.proto.body for element in page.get("html")]
        assert [text for text in corners if f">{words}</a>" in text]
    monkeypatch.setattr(access, "_cookie", lambda: None)
    monkeypatch.setattr("streamlit.user", User(is_logged_in=True))
    page = AppTest.from_file(SCRIPT, default_timeout=60).run()
    corners = [element.proto.body for element in page.get("html")]
    assert [text for text in corners if '/institution">Go on to sign in</a>' in text]


def test_the_link_for_the_first_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    monkeypatch.delenv("STEMWISE_DATABASE_URL", raising=False)
    access.announce()
    link = capsys.readouterr().out.split()[-1]
    path = "/set-up/" + link.rpartition("/")[2]
    assert link.startswith("http://localhost:") and Asker().ask("GET", path).status_code == 200
    form = {"name": "ada", "password": PASSWORD, "again": PASSWORD}
    assert Asker().ask("POST", path, data=form, headers=SAME).status_code == 303
    access.announce()
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("STEMWISE_DATABASE_URL", "sqlite:////no/such/folder/x.sqlite3")
    access.announce()
    assert "would not take that" in capsys.readouterr().out
