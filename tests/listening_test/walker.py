"""A listener without a browser: walks through a test over the routes, as the page does."""

import uuid
from collections.abc import Callable
from typing import Any

from httpx import Client, Response

State = dict[str, Any]
Chooser = Callable[[State], int]


class Walker:
    """One listener at one address; keeps what was said."""

    def __init__(self, client: Client, token: str) -> None:
        self.client, self.token = client, token
        self.state: State = {}
        self.look()

    @property
    def step(self) -> State:
        step: State = self.state["step"]
        return step

    def get(self, what: str) -> Response:
        return self.client.get(f"/t/{self.token}/{what}")

    def post(self, what: str, body: Any) -> Response:
        return self.client.post(f"/t/{self.token}/{what}", json=body)

    def look(self) -> State:
        """Ask where we are."""
        self.state = self.get("state").json()
        return self.state

    def message(self, choice: int = 0, **more: Any) -> State:
        """The answer to the trial that is shown."""
        return {
            "id": str(uuid.uuid4()), "trial": self.step["trial"], "choice": choice, "sure": None,
            "heard": [9.0, 9.0, 9.0], "elapsed": 4.5,
        } | more  # fmt: skip

    def send(self, message: State) -> Response:
        """Send an answer; the state moves on when it was saved."""
        answer = self.post("answer", message)
        if answer.status_code in (200, 409):
            self.state = answer.json()["state"]
        return answer

    def take(self, payload: State | None = None, **more: Any) -> Response:
        """Take the step that is shown, which is no trial."""
        kind = self.step["kind"]
        name = {"headphones-failed": "headphones-retry", "break": self.step.get("id")}
        body = {"id": str(uuid.uuid4()), "step": name.get(kind, kind), "payload": payload or {}}
        answer = self.post("step", body | more)
        if answer.status_code in (200, 409):
            self.state = answer.json()["state"]
        return answer

    def move(self, choose: Chooser = lambda _step: 0) -> Response:
        """Take the step or answer the trial that is shown, whichever it is."""
        if "trial" in self.step:
            return self.send(self.message(choose(self.step), sure=self.step.get("sure") or None))
        return self.take()

    def walk(self, until: str, choose: Chooser = lambda _step: 0) -> int:
        """Go on until a kind of step is shown.

        Returns:
            How many steps were taken.
        """
        taken = 0
        while self.step["kind"] != until:
            answer = self.move(choose)
            assert answer.status_code == 200, (self.step, answer.text)
            taken += 1
        return taken
