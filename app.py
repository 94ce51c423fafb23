"""The entry point: ``streamlit run app.py``. Pages, and what their scripts fetch by themselves.

A clip is ``/audio/LIBRARY/PART?piece=ID&start=SECONDS&length=SECONDS``, with ``&level=1`` at the
loudness of all such clips; a map or the segments themselves are ``/points/LIBRARY/WHAT``, with
``?method=`` for another map than the usual. Both run in threads, so that they never hold up a page.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from threading import Thread

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from streamlit.starlette import App

from csn.errors import StemwiseError
from csn.maps import focus_of
from csn.playback import clip
from listening_test.account_routes import Desk
from listening_test.routes import routes as listener_routes
from pages import access, libraries
from pages.components.explorer.points import SUBSPACES, about, groups, matrix
from pages.components.explorer.view import from_browser
from pages.explore import answer
from pages.sound import levelled_wav

# Addresses carry the library's version, so that what a browser has kept is never out of date.
KEEP = {"Cache-Control": "private, max-age=604800, immutable"}
NOT_FOUND, BAD_REQUEST = 404, 400


def audio(request: Request) -> Response:
    """A clip of the mix or of one instrument, as a WAV file."""
    ask = request.query_params
    try:
        start, length = float(ask.get("start", "0")), float(ask.get("length", "3"))
    except ValueError:
        return PlainTextResponse("start and length are numbers of seconds.", BAD_REQUEST)
    names = request.path_params
    try:
        corpus = libraries.find(names["library"]).corpus
        wav = clip(corpus, ask.get("piece", ""), names["part"], start, length)
        wav = levelled_wav(wav) if ask.get("level") else wav
    except StemwiseError as error:
        return PlainTextResponse(str(error), NOT_FOUND)
    return Response(wav, media_type="audio/wav", headers=KEEP)


def points(request: Request) -> Response:
    """What the explorer draws: ``about`` and clusters (JSON), ``segments`` or a map (float32)."""
    name, what = request.path_params["library"], request.path_params["what"]
    method = request.query_params.get("method") or None
    try:
        opened = libraries.find(name)
        if what == "about" or what.startswith("clusters-"):
            body = about(opened.library) if what == "about" else clusters(opened, what[9:], method)
            return Response(body, media_type="application/json", headers=KEEP)
        body = matrix(opened.library, what, method)
        if what in SUBSPACES:
            ready(opened, what)
    except KeyError as error:
        return PlainTextResponse(f"A library has no {error.args[0]!r}.", NOT_FOUND)
    except StemwiseError as error:
        return PlainTextResponse(str(error), NOT_FOUND)
    return Response(body, media_type="application/octet-stream", headers=KEEP)


@lru_cache(maxsize=32)
def ready(opened: libraries.Opened, name: str) -> None:
    """Search once in a subspace whose map is looked at: the first click finds everything loaded."""

    def search() -> None:
        with suppress(StemwiseError):  # said to whoever clicks
            opened.library.neighbours(0, focus_of(name), 1)

    Thread(target=search, daemon=True).start()


@lru_cache(maxsize=32)
def clusters(opened: libraries.Opened, name: str, method: str | None) -> bytes:
    """The clusters of a map, found once for all visitors; another version is another library."""
    return groups(opened.library, name, method)


def near(request: Request) -> Response:
    """The neighbours of a segment, as the explorer's view asks for them (JSON)."""
    ask = request.query_params
    asked: dict[str, str | int] = {
        name: ask[name] for name in ("instrument", "among", "by") if name in ask
    }
    try:
        asked |= {name: int(ask[name]) for name in ("segment", "count") if name in ask}
    except ValueError:
        return PlainTextResponse("segment and count are whole numbers.", BAD_REQUEST)
    try:
        opened = libraries.find(request.path_params["library"])
        found = answer(opened, from_browser(asked, opened))
    except StemwiseError as error:
        return PlainTextResponse(str(error), NOT_FOUND)
    if found is None:
        return PlainTextResponse("This library has no such segment.", NOT_FOUND)
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


@asynccontextmanager
async def lifespan(_app: App) -> AsyncIterator[None]:
    """Get ready while the first visitor's browser still loads."""
    for work in (access.announce, libraries.warm):
        Thread(target=work, daemon=True).start()
    yield


ROUTES = [
    Route(libraries.base() + "/audio/{library}/{part}", access.guarded(audio)),
    Route(libraries.base() + "/points/{library}/{what}", access.guarded(points)),
    Route(libraries.base() + "/near/{library}", access.guarded(near)),
    *listener_routes(libraries.base()),
    *Desk(libraries.base(), access.institution()).routes(),
]

app = App("pages/navigation.py", routes=ROUTES, lifespan=lifespan)
