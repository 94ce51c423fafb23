"""What a listener's browser talks to: one page, the state of the test, answers, sounds.

Every address holds the listener's own secret and reaches that listener's test alone. Whatever is
posted may be sent again. Errors are JSON with one sentence; 503 asks to send again later.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from listening_test import joining, journey
from listening_test.disguise import disguise
from listening_test.errors import LabError, StoreError, StudyError
from listening_test.lab_desk import shared_player
from listening_test.steps import Place, audible, next_step, state
from listening_test.store import Store, shared_store
from listening_test.store import schema as t
from listening_test.store.answers import Answer, TakenError, is_uuid, save_events, seconds
from listening_test.store.listeners import listener_of_token
from listening_test.store.rows import Listener

WEB: Final = Path(__file__).parent / "web"
TEXTS: Final = Path(__file__).parent / "texts"
KINDS: Final = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "media-src 'self' blob:; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
STATUS: Final = {journey.NotYetError: 422, LabError: 409}
_MOST_BYTES: Final = 1 << 18  # of one message
_MOST_EVENTS: Final = 500  # in one message
_EVENT_KIND: Final = 20  # characters

Handler = Callable[[Store, Request, Mapping[str, Any]], Response]


def routes(base: str = "") -> list[Route]:
    """Every route of the listener.

    Args:
        base: path before them all: empty, or ``/path``.
    """
    own = f"{base}/t/{{token}}"
    return [
        Route(f"{base}/listen/assets/{{name:path}}", asset),
        Route(f"{own}/state", _handled(_state)),
        Route(f"{own}/answer", _handled(_answer), methods=["POST"]),
        Route(f"{own}/step", _handled(_take), methods=["POST"]),
        Route(f"{own}/events", _handled(_events), methods=["POST"]),
        Route(f"{own}/clip/{{clip}}", _handled(_clip)),
        Route(f"{own}/lab", _handled(_lab), methods=["GET", "POST"]),
        Route(own, page),
        *joining.routes(base),
    ]


def page(_request: Request) -> Response:
    """The listener's page: the same bytes for everybody."""
    headers = HEADERS | {"Content-Security-Policy": POLICY}
    return Response((WEB / "listen.html").read_bytes(), media_type="text/html", headers=headers)


def asset(request: Request) -> Response:
    """A script, the style or the words of the page; looked up among the files there are."""
    name = request.path_params["name"]
    file = _assets().get(name)
    if file is None:
        return _problem("There is no such file.", 404)
    headers = HEADERS | {"Cache-Control": "no-cache"}
    return Response(file.read_bytes(), media_type=KINDS[file.suffix], headers=headers)


def _assets() -> dict[str, Path]:
    """The page's files by the name under which they are fetched."""
    scripts = {str(file.relative_to(WEB).as_posix()): file for file in WEB.rglob("*.*")}
    words = {f"texts/{file.name}": file for file in TEXTS.glob("*.json")}
    return {name: file for name, file in (scripts | words).items() if file.suffix in KINDS}


def _handled(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Run a handler in a thread, and turn whatever goes wrong into an answer for the browser."""

    @wraps(handler)
    async def run(request: Request) -> Response:
        try:
            body = await _message(request) if request.method == "POST" else {}
        except ClientDisconnect:
            return _problem("The message broke off.", 400)
        except ValueError as error:
            return _problem(str(error), 400)
        return await run_in_threadpool(_safely, handler, request, body)

    return run


def _safely(handler: Handler, request: Request, body: Mapping[str, Any]) -> Response:
    try:
        return handler(shared_store(), request, body)
    except TakenError as error:
        store = shared_store()
        here = journey.place(store, _listener(store, request))
        return _problem(str(error), 409, state=state(here))
    except (StudyError, LabError) as error:
        return _problem(str(error), STATUS.get(type(error), 404))
    except IntegrityError:
        return _problem("This message carries the number of another one.", 422)
    except (StoreError, OSError):
        return _problem("This could not be saved just now; it will be sent again.", 503)


async def _message(request: Request) -> dict[str, Any]:
    """The JSON object that was posted.

    Raises:
        ValueError: it is none, or too long.
    """
    read = bytearray()
    async for part in request.stream():
        read += part
        if len(read) > _MOST_BYTES:
            raise ValueError("The message is too long.")
    try:
        body = json.loads(read)
    except (ValueError, RecursionError) as error:
        raise ValueError("The message is no JSON.") from error
    if not isinstance(body, dict):
        raise ValueError("The message is no JSON object.")
    return body


def _state(store: Store, request: Request, _body: Mapping[str, Any]) -> Response:
    return _json(state(journey.place(store, _listener(store, request))))


def _answer(store: Store, request: Request, body: Mapping[str, Any]) -> Response:
    listener = _listener(store, request)
    choice, sure, heard = body.get("choice"), body.get("sure"), body.get("heard")
    if not is_uuid(body.get("id")) or not isinstance(choice, int) or isinstance(choice, bool):
        return _problem("The answer has no id, or no choice.", 400)
    parts = [seconds(part) for part in heard[:3]] if isinstance(heard, list) else []
    x, a, b = (*parts, 0.0, 0.0, 0.0)[:3]
    given = Answer(
        id=body["id"].lower(),
        choice=choice,
        sure=sure if isinstance(sure, bool) else None,
        heard=(x, a, b),
        elapsed=seconds(body.get("elapsed")),
    )
    right, here = journey.answer(store, listener, str(body.get("trial")), given)
    said = {} if right is None else {"correct": right}
    return _json({"saved": body["id"], "state": state(here)} | said)


def _take(store: Store, request: Request, body: Mapping[str, Any]) -> Response:
    listener = _listener(store, request)
    payload = body.get("payload")
    if not is_uuid(body.get("id")) or not isinstance(body.get("step"), str):
        return _problem("The step has no id, or no name.", 400)
    answers = payload if isinstance(payload, dict) else {}
    here = journey.take(store, listener, body["id"].lower(), body["step"], answers)
    return _json({"saved": body["id"], "state": state(here)})


def _events(store: Store, request: Request, body: Mapping[str, Any]) -> Response:
    listener = _listener(store, request)
    sent = body.get("events")
    if not isinstance(sent, list) or len(sent) > _MOST_EVENTS:
        return _problem(f"A message holds a list of at most {_MOST_EVENTS} events.", 400)
    with store.read() as db:
        own = select(t.trials.c.code, t.trials.c.id).where(t.trials.c.listener_id == listener.id)
        trials = {row.code: row.id for row in db.execute(own)}
    rows = [
        {
            "id": event["id"].lower(),
            "trial_id": trials.get(event.get("trial")),
            "kind": str(event.get("kind"))[:_EVENT_KIND],
            "clip": event.get("clip") if event.get("clip") in (0, 1, 2) else None,
            "at": seconds(event.get("at"), 1e15) / 1000,
            "position": None if event.get("position") is None else seconds(event["position"]),
        }
        for event in sent
        if isinstance(event, dict) and is_uuid(event.get("id"))
    ]
    return _json({"saved": save_events(store, listener, rows)})


def _clip(store: Store, request: Request, _body: Mapping[str, Any]) -> Response:
    clip = request.path_params["clip"]
    file, disguised = _sound(store, journey.place(store, _listener(store, request)), clip)
    content = file.read_bytes()
    content = disguise(content, clip) if disguised else content
    return Response(content, media_type="audio/flac", headers=HEADERS)


def _lab(store: Store, request: Request, body: Mapping[str, Any]) -> Response:
    here = journey.place(store, _listener(store, request))
    if not here.settings.lab:
        return _problem("This test plays in the browser.", 404)
    player = shared_player()
    clips = audible(here)
    if request.method == "POST" and body.get("clip") is None:
        player.stop()
    elif request.method == "POST":
        clip = str(body["clip"])
        player.play(_sound(store, here, clip)[0], clip)
    answer = player.state()
    if answer["playing"] not in clips:  # another listener's, or an experimenter's
        answer |= {"playing": None, "position": 0.0}
    own = next_step(here)[0].get("clips", ())
    heard = {"heard": [*map(player.heard, own)], "dropouts": [*map(player.dropouts, own)]}
    return _json(answer | heard)


def _sound(store: Store, here: Place, clip: str) -> tuple[Path, bool]:
    """The file behind the address of a sound that may be heard now, and whether it is X again.

    Raises:
        StudyError: it may not, or there is none.
    """
    found = audible(here).get(clip)
    if found is None:
        raise StudyError("This sound cannot be heard now.")
    with store.read() as db:
        own = t.sounds.c.id == found.sound
        name = db.execute(select(t.sounds.c.file).where(own)).scalar_one()
    return here.version.folder / str(name), found.disguised


def _listener(store: Store, request: Request) -> Listener:
    return listener_of_token(store, request.path_params["token"])


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    return JSONResponse(body, status, HEADERS)


def _problem(sentence: str, status: int, **more: Any) -> Response:
    return _json({"error": sentence} | more, status)
