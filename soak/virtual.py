"""Listeners without a browser who keep answers until these are confirmed, as the page does."""

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from time import sleep
from typing import Any

import httpx

from soak.ledger import Ledger

_FINAL = frozenset({200, 400, 404, 409, 422})
_TWICE, _TWO_TABS = 0.06, 0.06  # parts of the answers
_THINK = (0.05, 0.6)  # seconds


class Virtual(Thread):
    """One person after the other, until it is time to stop; then the last one finishes."""

    def __init__(self, number: int, address: str, join: str, ledger: Ledger, stop: Event) -> None:
        super().__init__(daemon=True, name=f"listener {number}")
        self.address, self.join_token, self.ledger, self.stopping = address, join, ledger, stop
        self.random = random.Random(number)
        self.client = httpx.Client(base_url=address, timeout=20.0)
        self.finished = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        """Go on until there is nothing left to do."""
        try:
            while not self.stopping.is_set():
                self._listen()
                self.finished += 1
        except Exception as error:
            self.failure = error
            self.ledger.complain(f"{self.name}: {type(error).__name__} {error}")

    def _listen(self) -> None:
        panel = str(uuid.uuid4())
        where = f"/join/{self.join_token}"
        reply = self._until_done("POST", where, params={"id": panel}, good={303})
        self.own = "/t/" + reply.headers["location"].rsplit("/", 1)[1]
        state = self._until_done("GET", f"{self.own}/state").json()
        while state["step"]["kind"] != "done":
            sleep(self.random.uniform(*_THINK))
            step = state["step"]
            if "trial" in step:
                for clip in step["clips"]:
                    self._until_done("GET", f"{self.own}/clip/{clip}", good={200, 404})
                state = self._answer(step)
            else:
                name = step.get("id", step["kind"])
                body = {"id": str(uuid.uuid4()), "step": name, "payload": {}}
                state = self._until_done("POST", f"{self.own}/step", json=body).json()["state"]

    def _answer(self, step: dict[str, Any]) -> dict[str, Any]:
        message = self._message(step, self.random.randrange(2))
        chance = self.random.random()
        if chance < _TWICE:
            self.ledger.fault("answer sent three times at once")
            replies = self._at_once([message] * 3)
            if {reply.status_code for reply in replies} != {200}:
                self.ledger.complain(f"a repeated message got {[r.text for r in replies]}")
        elif chance < _TWICE + _TWO_TABS:
            self.ledger.fault("two tabs answered differently at once")
            messages = [message, self._message(step, 1 - message["choice"])]
            replies = self._at_once(messages)
            if sorted(reply.status_code for reply in replies) != [200, 409]:
                self.ledger.complain(f"two tabs got {[r.text for r in replies]}")
            message = messages[[reply.status_code for reply in replies].index(200)]
        else:
            replies = self._at_once([message])
            if replies[0].status_code != 200:
                self.ledger.complain(f"an answer got {replies[0].text}")
        self.ledger.confirmed(message)
        state: dict[str, Any] = replies[0].json()["state"]
        return state

    def _message(self, step: dict[str, Any], choice: int) -> dict[str, Any]:
        return {
            "id": str(uuid.uuid4()), "trial": step["trial"], "choice": choice,
            "sure": self.random.choice([True, False]) if step["sure"] else None,
            "heard": [round(self.random.uniform(1, 9), 3) for _ in range(3)],
            "elapsed": round(self.random.uniform(1, 60), 3),
        }  # fmt: skip

    def _at_once(self, messages: list[dict[str, Any]]) -> list[httpx.Response]:
        with ThreadPoolExecutor(len(messages)) as pool:
            send = [
                pool.submit(self._until_done, "POST", f"{self.own}/answer", json=message)
                for message in messages
            ]
            return [sent.result() for sent in send]

    def _until_done(
        self, method: str, path: str, good: set[int] | frozenset[int] = _FINAL, **more: Any
    ) -> httpx.Response:
        """Send until the server has said something final."""
        wait = 0.1
        for _ in range(400):
            try:
                reply = self.client.request(method, path, **more)
            except httpx.HTTPError:
                reply = None
            if reply is not None and reply.status_code in good:
                return reply
            sleep(wait)
            wait = min(wait * 1.6, 2.0)
        raise TimeoutError(f"no answer for {path}")
