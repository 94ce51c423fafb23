"""Who may see what: experimenters everything, visitors the maps while no study is live.

Somebody who takes part in a study must not look up its sounds on the map. So the maps, their
points and their clips close to visitors when a study is launched and open when it ends; every
page and every route asks here, on the server, each time.
"""

import logging
import os
from collections.abc import Callable
from html import escape
from typing import Final

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from listening_test import accounts
from listening_test.account_routes import COOKIE
from listening_test.errors import StoreError
from listening_test.store import shared_store
from listening_test.store.studies import any_live
from pages import libraries

PUBLIC: Final = "STEMWISE_PUBLIC_EXPLORE"
"""Environment variable: 1 leaves the maps open to everybody while studies are live."""

INSTITUTION: Final = "institution"
"""Path of the page on which Streamlit's own login (OIDC) begins."""

CLOSED: Final = (
    "A listening test is running. Until it ends, the maps and their sounds are open to "
    "experimenters alone, so that listeners judge with nothing but their ears."
)
AWAY: Final = "The database of answers cannot be reached just now; please try again in a moment."

_log: Final = logging.getLogger(__name__)

Handler = Callable[[Request], Response]


def experimenter() -> str | None:
    """The name of the experimenter who looks at this page; None for anybody else."""
    return _name(_cookie())


def require_experimenter(
    purpose: str = "to design listening tests and to see their answers",
) -> str:
    """The name of the experimenter; for anybody else the page ends here, with a way to sign in.

    Args:
        purpose: why somebody would sign in, a phrase.
    """
    name = experimenter()
    if name is None:
        st.title("For experimenters")
        st.write(f"Sign in {purpose}.")
        here = escape(libraries.base())
        st.html(f'<a href="{here}/sign-in" style="color: inherit">Sign in</a>')
        st.stop()
    return name


def may_explore() -> bool:
    """Whether whoever looks at this page may see the maps now."""
    return _open_to(_cookie())


def closed() -> None:
    """The page that stands where the maps would be."""
    st.title("Closed for now")
    try:
        any_live(shared_store())
        st.write(CLOSED)
    except StoreError:
        st.write(AWAY)


def guarded(handler: Handler) -> Handler:
    """A route that visitors reach only while the maps are open."""

    def run(request: Request) -> Response:
        if not _open_to(request.cookies.get(COOKIE)):
            return PlainTextResponse(CLOSED, 403, {"Cache-Control": "no-store"})
        return handler(request)

    return run


def institution() -> str:
    """Address of the page for OIDC; empty unless ``secrets.toml`` has a section ``[auth]``."""
    there = st.secrets.load_if_toml_exists() and "auth" in st.secrets
    return f"{libraries.base()}/{INSTITUTION}" if there else ""


def announce() -> None:
    """While there is no account, print the link with which the first one is made."""
    try:
        secret = accounts.set_up(shared_store())
    except StoreError as error:
        print(f"\n  {error}\n", flush=True)
        return
    if secret:
        scheme = "https" if st.get_option("server.sslCertFile") else "http"
        host, port = st.get_option("browser.serverAddress"), st.get_option("server.port")
        link = f"{scheme}://{host}:{port}{libraries.base()}/set-up/{secret}"
        print(
            "\n  To design listening tests, make the first account (works once, for a day):"
            f"\n  {link}\n",
            flush=True,
        )


def _cookie() -> str | None:
    secret = st.context.cookies.get(COOKIE)
    return secret if isinstance(secret, str) else None  # in Streamlit's own tests it is anything


def _name(secret: str | None) -> str | None:
    try:
        account = accounts.who(shared_store(), secret) if secret else None
    except StoreError as error:
        _log.warning("%s", error)
        return None
    return account.name if account else None


def _open_to(secret: str | None) -> bool:
    if os.environ.get(PUBLIC) == "1":
        return True
    try:
        if not any_live(shared_store()):
            return True
    except StoreError as error:  # nobody can know: closed
        _log.warning("%s", error)
        return False
    return _name(secret) is not None
