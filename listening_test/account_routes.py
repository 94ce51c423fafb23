"""Where experimenters sign in and out: small pages of our own, because only they can set cookies.

Every form is shown by GET and sent by POST; a POST has to come from a page of this app.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from listening_test import accounts
from listening_test.account_pages import AGAIN, HEADERS, NAME, NEW, OLD, PASSWORD, Screen
from listening_test.accounts import Account
from listening_test.errors import AccessError, StoreError
from listening_test.store import Store, shared_store
from listening_test.tickets import (
    ENTRY,
    INVITATION,
    LIFETIMES,
    RECOVERY,
    SESSION,
    SET_UP,
    STALE,
)

COOKIE: Final = "stemwise_session"
HOME: Final = "/studies"
"""Where experimenters go when they have signed in."""

_log: Final = logging.getLogger(__name__)
_MOST_BYTES: Final = 1 << 14  # of a form
_LOCAL: Final = re.compile(r"/(?![/\\])[\w\-./]*")

Form = dict[str, str]


class Desk:
    """What all of these pages share.

    Args:
        base: path before them all: empty, or ``/path``.
        institution: address of another way to sign in (OIDC); empty where there is none.
    """

    def __init__(self, base: str, institution: str = "") -> None:
        """Remember where everything is."""
        self.base, self.institution = base, institution

    def routes(self) -> list[Route]:
        """Every page."""
        pages: list[tuple[str, Callable[[Request], Response], Callable[..., Response]]] = [
            ("/sign-in", self._sign_in, self._signed_in),
            ("/sign-out", self._sign_out, self._signed_out),
            ("/password", self._password, self._password_changed),
            ("/invite", self._invite, self._invited),
            ("/set-up/{secret}", self._link(SET_UP), self._made(SET_UP)),
            ("/invite/{secret}", self._link(INVITATION), self._made(INVITATION)),
            ("/recover/{secret}", self._link(RECOVERY), self._recovered),
            ("/enter/{secret}", self._link(ENTRY), self._entered),
        ]
        return [
            Route(self.base + path, _handled(self.base, show, send), methods=["GET", "POST"])
            for path, show, send in pages
        ]

    # ---- signing in and out -----------------------------------------------------------------

    def _sign_in(self, request: Request) -> Response:
        if _me(request):
            return self._go(_after(request.query_params.get("next", "")))
        return self._door(_after(request.query_params.get("next", ""))).response(self.base)

    def _door(self, after: str = "") -> Screen:
        if not accounts.any_account(shared_store()):
            lead = (
                "There is no account yet. Whoever started the app finds a link in that terminal "
                "with which the first one is made."
            )
            return Screen("Sign in", lead, links=self._ways())
        return Screen(
            "Sign in", "For experimenters. Listeners need no account: their link is enough.",
            (NAME, PASSWORD), "Sign in", self._ways(), after=after,
        )  # fmt: skip

    def _ways(self) -> tuple[tuple[str, str], ...]:
        other = ((self.institution, "Sign in with your institution"),) if self.institution else ()
        return (*other, (f"{self.base}/", "Back to the app"))

    def _signed_in(self, request: Request, form: Form) -> Response:
        name, after = form.get("name", ""), _after(form.get("next", ""))
        try:
            secret = accounts.sign_in(
                shared_store(), name, form.get("password", ""), _address(request)
            )
        except AccessError as error:
            return self._door(after).response(self.base, str(error), 403, form)
        return self._begin(request, secret, after)

    def _sign_out(self, request: Request) -> Response:
        me = _me(request)
        if me is None:
            return self._go("/sign-in")
        links = (
            *self._back(),
            (f"{self.base}/invite", "Invite a colleague"),
            (f"{self.base}/password", "Change your password"),
        )
        lead = f"You are signed in as {me.name}."
        return Screen("Sign out", lead, (), "Sign out", links).response(self.base)

    def _signed_out(self, request: Request, _form: Form) -> Response:
        me = _me(request)
        accounts.sign_out(shared_store(), request.cookies.get(COOKIE, ""))
        # Streamlit remembers who came by OIDC; the next person at this computer must not go on.
        answer = self._go("/auth/logout" if me and me.external else "/sign-in")
        answer.delete_cookie(COOKIE, self.base or "/", httponly=True, samesite="lax")
        return answer

    # ---- one's own password, and a colleague's invitation -----------------------------------

    def _password(self, request: Request) -> Response:
        me = _me(request)
        if me is None:
            return self._go("/sign-in")
        if me.external:
            lead = "Your institution signs you in; there is no password here."
            return Screen("Password", lead, links=self._back()).response(self.base)
        return Screen(
            "Change your password", f"For {me.name}. You will be signed out everywhere else.",
            (OLD, NEW, AGAIN), "Change", self._back(),
        ).response(self.base)  # fmt: skip

    def _password_changed(self, request: Request, form: Form) -> Response:
        me = _me(request)
        if me is None:
            return self._go("/sign-in")
        try:
            new = _twice(form)
            secret = accounts.change_password(
                shared_store(), me, form.get("old", ""), new, _address(request)
            )
        except AccessError as error:
            page = Screen("Change your password", "", (OLD, NEW, AGAIN), "Change", self._back())
            return page.response(self.base, str(error), 403)
        return self._begin(request, secret)

    def _invite(self, request: Request) -> Response:
        if _me(request) is None:
            return self._go("/sign-in")
        lead = (
            "A link with which one colleague makes an account. It works once, for seven days; "
            "whoever has an account sees every study."
        )
        return Screen("Invite a colleague", lead, (), "Make a link", self._back()).response(
            self.base
        )

    def _invited(self, request: Request, _form: Form) -> Response:
        if _me(request) is None:
            return self._go("/sign-in")
        secret = accounts.invite(shared_store())
        address = f"{request.url.scheme}://{request.url.netloc}{self.base}/invite/{secret}"
        lead = "Send this link to your colleague. It is shown only now."
        page = Screen("Invite a colleague", lead, links=self._back(), shown=address)
        return page.response(self.base)

    def _back(self) -> tuple[tuple[str, str], ...]:
        return ((self.base + HOME, "Back to the studies"),)

    # ---- links that work once ---------------------------------------------------------------

    def _screen(self, kind: str) -> Screen:
        if kind == RECOVERY:
            return Screen("A new password", "", (NEW, AGAIN), "Keep it")
        if kind == ENTRY:
            return Screen("Welcome", "Your institution knows you.", (), "Go on")
        lead = (
            "This makes the first account: whoever has one designs studies and sees all answers."
            if kind == SET_UP
            else "You were invited to design studies and to see their answers."
        )
        return Screen("Make an account", lead, (NAME, NEW, AGAIN), "Make the account")

    def _link(self, kind: str) -> Callable[[Request], Response]:
        def show(request: Request) -> Response:
            if not accounts.usable(shared_store(), request.path_params["secret"], kind):
                return Screen("Too late", STALE, links=self._ways()).response(self.base, "", 410)
            return self._screen(kind).response(self.base)

        return show

    def _made(self, kind: str) -> Callable[[Request, Form], Response]:
        def send(request: Request, form: Form) -> Response:
            store, name = shared_store(), form.get("name", "")
            try:
                accounts.make_account(
                    store, request.path_params["secret"], kind, name, _twice(form)
                )
                secret = accounts.sign_in(store, name, form["password"], _address(request))
            except AccessError as error:
                return self._screen(kind).response(self.base, str(error), 403, form)
            return self._begin(request, secret)

        return send

    def _recovered(self, request: Request, form: Form) -> Response:
        store = shared_store()
        try:
            accounts.new_password(store, request.path_params["secret"], _twice(form))
        except AccessError as error:
            return self._screen(RECOVERY).response(self.base, str(error), 403)
        return self._go("/sign-in")

    def _entered(self, request: Request, _form: Form) -> Response:
        try:
            secret = accounts.enter(shared_store(), request.path_params["secret"])
        except AccessError as error:
            return Screen("Too late", str(error), links=self._ways()).response(self.base, "", 410)
        return self._begin(request, secret)

    # ---- answers ----------------------------------------------------------------------------

    def _begin(self, request: Request, secret: str, after: str = "") -> Response:
        answer = self._go(after or HOME)
        answer.set_cookie(
            COOKIE, secret, int(LIFETIMES[SESSION]), path=self.base or "/",
            secure=request.url.scheme == "https", httponly=True, samesite="lax",
        )  # fmt: skip
        return answer

    def _go(self, path: str) -> Response:
        return RedirectResponse(self.base + (path or HOME), 303, HEADERS)


def who(request: Request, store: Store) -> Account | None:
    """Who is signed in, of those who ask a route."""
    return accounts.who(store, request.cookies.get(COOKIE))


def _me(request: Request) -> Account | None:
    return who(request, shared_store())


def _handled(
    base: str,
    show: Callable[[Request], Response],
    send: Callable[[Request, Form], Response],
) -> Callable[[Request], Awaitable[Response]]:
    """Run a page in a thread; refuse forms of other sites and of unreasonable length."""

    async def run(request: Request) -> Response:
        trouble = Screen("Something went wrong", links=((f"{base}/", "Back to the app"),))
        try:
            if request.method != "POST":
                return await run_in_threadpool(show, request)
            if not ours(request):
                return trouble.response(base, "This form came from another site.", 403)
            body = bytearray()
            async for part in request.stream():
                body += part
                if len(body) > _MOST_BYTES:
                    return trouble.response(base, "This is too long.", 413)
            form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
            return await run_in_threadpool(send, request, form)
        except ClientDisconnect:
            return trouble.response(base, "The message broke off.", 400)
        except StoreError as error:
            _log.warning("%s", error)  # names a folder: for the person who runs the app
            problem = "The database cannot be reached just now; please try again in a moment."
            return trouble.response(base, problem, 503)

    return run


def ours(request: Request) -> bool:
    """Whether a form was sent by a page of this app, as the browser itself says."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host")


def _after(path: str) -> str:
    """Where to go next, if it is a page of this app; else empty."""
    return path if _LOCAL.fullmatch(path) and len(path) < 200 else ""


def _twice(form: Form) -> str:
    """The new password, if it was typed the same twice."""
    password = form.get("password", "")
    if password != form.get("again", ""):
        raise AccessError("The two passwords differ; type the same one twice.")
    return password


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
