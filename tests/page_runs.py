"""Pages and routes as their code runs them, without a browser or a server."""

from typing import Any

from httpx import ASGITransport, AsyncClient, Response
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

import app
from tests.in_loop import wait_for


def show(name: str, **query: object) -> AppTest:
    """The page of ``pages/NAME``, run once with the query of its address."""

    def script(name: str) -> None:
        from importlib import import_module

        import_module(f"pages.{name}").page()

    test = AppTest.from_function(script, default_timeout=60, args=(name,))
    for key, value in query.items():
        test.query_params[key] = str(value)
    return run(test)


def run(thing: Any) -> AppTest:
    """Run the page after a click or a change, or as it is; nothing may go wrong."""
    test: AppTest = thing.run()
    assert not test.exception, test.exception
    return test


class Client:
    """Asks the app's own routes, without a server."""

    def get(self, address: str) -> Response:
        async def ask() -> Response:
            transport = ASGITransport(Starlette(routes=app.ROUTES))
            async with AsyncClient(transport=transport, base_url="http://app") as client:
                return await client.get(address)

        return wait_for(ask())
