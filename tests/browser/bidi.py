"""Firefox by WebDriver BiDi (W3C): just enough of it to open a page, press keys and ask.

Playwright drives only a Firefox of its own; this one is the computer's.
"""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

KEYS = {"Enter": "\ue007", "Tab": "\ue004", "ArrowLeft": "\ue012", "ArrowRight": "\ue014"}
STARTS = 60.0  # seconds


class BidiError(Exception):
    """Firefox refused a command, or the page threw."""


def find_firefox() -> str | None:
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """One window."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.number = socket, 0
        self.command("session.new", capabilities={})
        tree = self.command("browsingContext.getTree")
        self.context = tree["contexts"][0]["context"]

    def command(self, method: str, **parameters: Any) -> Any:
        """Send a command and wait for its answer; events in between are dropped."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv(timeout=STARTS))
            if answer.get("id") != self.number:
                continue
            if answer["type"] != "success":
                raise BidiError(f"{method}: {answer.get('message')}")
            return answer["result"]

    def open(self, url: str) -> None:
        self.command("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def press(self, *keys: str) -> None:
        """Press keys as a person does."""
        actions = [
            {"type": kind, "value": KEYS.get(key, key)}
            for key in keys
            for kind in ("keyDown", "keyUp")
        ]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self.command("input.performActions", context=self.context, actions=[source])

    def ask(self, expression: str) -> Any:
        """Evaluate an expression whose value JSON can hold."""
        result = self.command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({expression})) ?? null))()",
            target={"context": self.context},
            awaitPromise=True,
        )
        if result["type"] != "success":
            raise BidiError(str(result["exceptionDetails"]["text"]))
        return json.loads(result["result"]["value"])

    def wait(self, expression: str, seconds: float = 60.0) -> None:
        """Until an expression is true."""
        end = time.monotonic() + seconds
        while not self.ask(f"Boolean({expression})"):
            if time.monotonic() > end:
                raise BidiError(f"this did not come true: {expression}")
            time.sleep(0.05)


@contextmanager
def firefox(program: str, profile: Path, environment: Mapping[str, str]) -> Iterator[Firefox]:
    """Start Firefox without a window.

    Args:
        program: its path.
        profile: an empty folder.
        environment: of the process; it says where sound goes.
    """
    command = [program, "--headless", "--no-remote", "--profile", str(profile)]
    log = profile / "firefox.log"
    with log.open("w") as output:
        running = subprocess.Popen(
            [*command, "--remote-debugging-port=0", "about:blank"],
            env=dict(environment),
            stdout=output,
            stderr=output,
        )
    try:
        with connect(f"{_address(running, log)}/session", max_size=None) as socket:
            yield Firefox(socket)
    finally:
        running.terminate()
        running.wait(30)


def _address(running: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + STARTS
    while time.monotonic() < end and running.poll() is None:
        found = re.search(r"BiDi listening on (ws://\S+)", log.read_text())
        if found:
            return found.group(1)
        time.sleep(0.1)
    raise BidiError(f"Firefox did not start: {log.read_text()[-2000:]}")
