"""The open link of a study: a page with one button, behind which a listener begins.

A listener is made by pressing the button, never by opening the page: chat programs open every
link that they show.
"""

from collections.abc import Callable
from html import escape
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from listening_test import journey
from listening_test.errors import StoreError, StudyError
from listening_test.steps import state
from listening_test.store import Store, shared_store
from listening_test.store.listeners import join, listener_of_token
from listening_test.store.studies import version_of_join_token

WORDS: Final = {
    "en": ("Listening test", "You will hear short sounds. Headphones are best.", "Begin"),
    "ja": (
        "聴取実験",
        "短い音を聴いていただきます。ヘッドホンをおすすめします。",
        "はじめる",
    ),
}
PANEL_IDS: Final = ("id", "PROLIFIC_PID", "workerId", "participant")
"""Names under which recruitment panels send their own number of a person."""

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'self'"
    ),
}
_YEAR: Final = 365 * 86_400  # seconds


def routes(base: str) -> list[Route]:
    """The page and its button."""
    return [
        Route(f"{base}/join/{{token}}", _page(base), methods=["GET"]),
        Route(f"{base}/join/{{token}}", _begin(base), methods=["POST"]),
    ]


def _page(base: str) -> Callable[[Request], Response]:
    def show(request: Request) -> Response:
        try:
            store = shared_store()
            version = version_of_join_token(store, request.path_params["token"])
        except (StudyError, StoreError) as error:
            return _sentence(base, str(error))
        back = _unfinished(store, request, version.id)
        if back:
            return RedirectResponse(f"{base}/t/{back}", 303, HEADERS)
        title, text, button = WORDS[version.settings.language]
        panel = _panel_id(request)
        query = "?" + urlencode({"id": panel}) if panel else ""
        form = (
            f'<p>{escape(text)}</p><form method="post" action="{escape(query)}">'
            f'<button class="primary" autofocus>{escape(button)}</button></form>'
        )
        return _html(base, version.settings.language, title, form)

    return show


def _begin(base: str) -> Callable[[Request], Response]:
    def begin(request: Request) -> Response:
        try:
            store = shared_store()
            version = version_of_join_token(store, request.path_params["token"])
            back = _unfinished(store, request, version.id)
            token = back or join(store, version.join_token, _panel_id(request)).token
        except (StudyError, StoreError) as error:
            return _sentence(base, str(error))
        answer = RedirectResponse(f"{base}/t/{token}", 303, HEADERS)
        answer.set_cookie(
            _cookie(version.id), token, max_age=_YEAR, path=f"{base}/join", httponly=True,
            samesite="lax", secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    return begin


def _cookie(version_id: int) -> str:
    return f"stemwise_listener_{version_id}"


def _panel_id(request: Request) -> str | None:
    found = (request.query_params.get(name, "") for name in PANEL_IDS)
    return next((value for value in found if value), None)


def _unfinished(store: Store, request: Request, version_id: int) -> str | None:
    """The secret of the test that this browser began and did not finish."""
    token = request.cookies.get(_cookie(version_id))
    if not token or _panel_id(request):
        return None
    try:
        listener = listener_of_token(store, token)
        kind = state(journey.place(store, listener))["step"]["kind"]
    except StudyError:
        return None
    own = listener.version_id == version_id and kind not in ("done", "closed")
    return token if own else None


def _sentence(base: str, text: str) -> Response:
    return _html(base, "en", "Listening test", f"<p>{escape(text)}</p>", 404)


def _html(base: str, language: str, title: str, body: str, status: int = 200) -> Response:
    page = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" '
        f'href="{escape(base)}/listen/assets/listen.css">'
        f'<main class="screen"><h1>{escape(title)}</h1>{body}</main></html>'
    )
    return Response(page, status, media_type="text/html", headers=HEADERS)
