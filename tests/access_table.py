"""Every page and route of the app, and what each role gets from it: measured, then written down.

``python -m tests.access_table`` writes ``docs/access.md``; ``test_access`` compares it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[1] / "docs" / "access.md"

ROLES: Final = {
    "visitor": "visitor, no study live",
    "meanwhile": "visitor, a study live",
    "listener": "listener",
    "foreign": "listener, another's things",
    "experimenter": "experimenter",
}
"""Who asks. A listener has one link and no account, and is otherwise a visitor while a study is
live; "another's things" are another listener's trials and sounds, asked for with one's own link."""


@dataclass(frozen=True)
class Line:
    """What a route is for, and what it refuses."""

    about: str
    refuses: str = "nothing"


LISTENER = "a secret that is nobody's; "

OURS: Final[Mapping[tuple[str, str], Line]] = {
    ("GET", "/audio/{library}/{part}"): Line(
        "a clip for the maps", "visitors while a study is live; names that are no library's"
    ),
    ("GET", "/points/{library}/{what}"): Line(
        "the dots of the maps", "visitors while a study is live; names that are no library's"
    ),
    ("GET", "/near/{library}"): Line(
        "the neighbours of a dot", "visitors while a study is live; names that are no library's"
    ),
    ("GET", "/listen/assets/{name:path}"): Line(
        "scripts, style and words of the listener's page", "names that are no file of the page"
    ),
    ("GET", "/t/{token}"): Line("the listener's page: the same bytes for everybody"),
    ("GET", "/t/{token}/state"): Line(
        "what comes next in this listener's test", LISTENER + "tells nothing of roles or distances"
    ),
    ("POST", "/t/{token}/step"): Line(
        "consent, level, breaks, questionnaire", LISTENER + "steps whose turn it is not"
    ),
    ("POST", "/t/{token}/answer"): Line(
        "an answer", LISTENER + "trials of others, a second answer, too little heard"
    ),
    ("POST", "/t/{token}/events"): Line(
        "what the browser saw", LISTENER + "trials of others count as none"
    ),
    ("GET", "/t/{token}/clip/{clip}"): Line(
        "a sound", LISTENER + "all but the sounds of this and the next trial"
    ),
    ("GET", "/t/{token}/lab"): Line("what this computer plays", LISTENER + "tests in a browser"),
    ("POST", "/t/{token}/lab"): Line("plays a sound here", LISTENER + "tests in a browser"),
    ("GET", "/join/{token}"): Line("the open link: a page with a button", "unknown links"),
    ("POST", "/join/{token}"): Line(
        "makes a listener", "unknown links, studies that are closed or full"
    ),
    ("GET", "/sign-in"): Line("the form"),
    ("POST", "/sign-in"): Line(
        "begins a session", "wrong passwords, too many attempts, forms of other sites"
    ),
    ("GET", "/sign-out"): Line("asks; goes to sign-in without a session"),
    ("POST", "/sign-out"): Line("ends the session", "forms of other sites"),
    ("GET", "/password"): Line("the form; goes to sign-in without a session"),
    ("POST", "/password"): Line(
        "a new password, ends all other sessions", "a wrong old one, forms of other sites"
    ),
    ("GET", "/invite"): Line("asks; goes to sign-in without a session"),
    ("POST", "/invite"): Line("a colleague's link, shown once", "forms of other sites"),
    ("GET", "/set-up/{secret}"): Line("the first account", "links that are used, old or invented"),
    ("POST", "/set-up/{secret}"): Line(
        "the first account", "the same, forms of other sites, whenever there is an account"
    ),
    ("GET", "/invite/{secret}"): Line("an account", "links that are used, old or invented"),
    ("POST", "/invite/{secret}"): Line("an account", "the same, forms of other sites"),
    ("GET", "/recover/{secret}"): Line("a new password", "links that are used, old or invented"),
    ("POST", "/recover/{secret}"): Line("a new password", "the same, forms of other sites"),
    ("GET", "/enter/{secret}"): Line(
        "from an institution's sign-in to a session", "links that are used, old or invented"
    ),
    ("POST", "/enter/{secret}"): Line("the same", "the same, forms of other sites"),
}
"""The app's own routes."""

PAGES: Final[Mapping[str, Line]] = {
    "explore": Line("the maps", "visitors while a study is live"),
    "search": Line("asking with a recording", "visitors while a study is live"),
    "model": Line("what the model was measured to do", "visitors while a study is live"),
    "studies": Line("studies, links, listeners, exports", "everybody without a session"),
    "results": Line(
        "what answers mean: the demo's; to experimenters, every study's",
        "visitors while a study is live",
    ),
    "library": Line(
        "makes, updates, renames and deletes libraries of folders on the app's computer",
        "everybody without a session",
    ),
    "institution": Line(
        "sign-in by OIDC, where it is set up", "addresses that are not in STEMWISE_EXPERIMENTERS"
    ),
}
"""Pages, all of them behind ``/_stcore/stream``; each asks who is there every time it runs."""

STREAMLIT: Final[Mapping[str, str]] = {
    "/_stcore/health": "says that the app runs",
    "/_stcore/metrics": "numbers of sessions and sizes of caches; no names, nothing of a study",
    "/_stcore/host-config": "settings of Streamlit's own page",
    "/_stcore/stream": "the pages' connection; refuses other sites; each page asks who is there",
    "/_stcore/upload_file/{session_id}/{file_id}": "files for a page that is open; refuses "
    "sessions that are none",
    "/_stcore/bidi-components/{path:path}": "scripts of the map",
    "/_stcore/agent/interact": "off (`server.enableAgentApi`)",
    "/_stcore/agent/openapi.json": "says that the agent interface is off",
    "/_stcore/agent/mcp": "off (`server.enableAgentApi`)",
    "/media/{file_id:path}": "files that a page made for its visitor, under names that cannot be "
    "guessed, while that visitor is there",
    "/component/{path:path}": "no such components here",
    "/auth/login": "to an institution's sign-in, where OIDC is set up",
    "/auth/logout": "and back",
    "/oauth2callback": "and back",
    "(static files)": "Streamlit's own page, the same for everybody",
}
"""What Streamlit serves by itself, the same for every role."""


def markdown(measured: Mapping[tuple[str, str], Mapping[str, str]]) -> str:
    """The page, from what each role got: HTTP status, or words, by route and role."""
    lines = [
        "# Who may do what",
        "",
        "Written by `python -m tests.access_table` from the app's own routes and what they "
        "answered; `tests/test_access.py` fails when a route is missing here or answers "
        "otherwise. Numbers are HTTP statuses; 303 leads to `/sign-in` or, after a form, on. Links "
        "that work once (`{secret}`) were invented for this, forms sent with a wrong password.",
        "",
        "Roles: " + "; ".join(f"**{words}**" for words in ROLES.values()) + ". A listener has a "
        "link and no account. *Another's things* are another listener's trials and sounds, asked "
        "for with one's own link; to whoever has no link at all, every listener's address is a "
        "404.",
        "",
        "## Routes",
        "",
        "| route | " + " | ".join(ROLES.values()) + " | what it is for | what it refuses |",
        "|---|" + "---|" * (len(ROLES) + 2),
    ]
    for key, line in OURS.items():
        got = " | ".join(measured[key].get(role, "–") for role in ROLES)
        lines.append(f"| {key[0]} `{key[1]}` | {got} | {line.about} | {line.refuses} |")
    lines += ["", "## Pages", ""]
    lines += ["| page | " + " | ".join(ROLES.values()) + " | what it is for | what it refuses |"]
    lines += ["|---|" + "---|" * (len(ROLES) + 2)]
    for name, line in PAGES.items():
        got = " | ".join(measured["page", name].get(role, "–") for role in ROLES)
        lines.append(f"| `/{name}` | {got} | {line.about} | {line.refuses} |")
    lines += ["", "## What Streamlit serves by itself, to every role alike", ""]
    lines += ["| route | what it is |", "|---|---|"]
    lines += [f"| `{path}` | {about} |" for path, about in STREAMLIT.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import os
    import sys

    import pytest

    os.environ["STEMWISE_WRITE_ACCESS"] = "1"
    sys.exit(pytest.main(["tests/test_access.py", "-k", "table"]))
