"""What listeners do, written down: answers, steps and events; each exactly once.

Whatever is sent twice is written once and confirmed twice. Nothing is ever changed.
"""

import math
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from csn import __version__
from listening_test.errors import StudyError
from listening_test.store import Store
from listening_test.store import schema as t
from listening_test.store.rows import Listener


@dataclass(frozen=True)
class Answer:
    """What a listener's browser sends.

    Attributes:
        id: UUID made by the browser, so that sending again is safe.
        choice: 0 for A, 1 for B; 0 to 2 in the headphone check.
        sure: "are you sure?", where it was asked.
        heard: seconds of X, A and B that were heard.
        elapsed: seconds from the question to the answer.
    """

    id: str
    choice: int
    sure: bool | None
    heard: tuple[float, float, float]
    elapsed: float


class TakenError(StudyError):
    """The trial has another answer already, which stays."""


def save_answer(
    store: Store, listener: Listener, trial_id: int, answer: Answer, *, at: float | None = None
) -> bool:
    """Write an answer down; it is on disk when this returns.

    Args:
        store: the database.
        listener: whose answer it is.
        trial_id: what is answered.
        answer: the answer.
        at: when, by the clock of a simulation; now by default.

    Returns:
        Whether it is new; False where the very same was written before.

    Raises:
        TakenError: this trial was answered before, by another message; that answer stays.
        StoreError: it could not be written now; sending it again is safe.
    """
    row = {
        "id": answer.id, "listener_id": listener.id, "trial_id": trial_id,
        "choice": answer.choice, "sure": answer.sure, "heard_x": answer.heard[0],
        "heard_a": answer.heard[1], "heard_b": answer.heard[2], "elapsed": answer.elapsed,
        "saved_at": time.time() if at is None else at, "app_version": __version__,
    }  # fmt: skip
    same = (t.answers.c.listener_id == listener.id) & (t.answers.c.trial_id == trial_id)
    return _insert(store, t.answers, row, same)


def save_step(
    store: Store,
    listener: Listener,
    step_id: str,
    step: str,
    payload: Mapping[str, Any],
    *,
    at: float | None = None,
) -> bool:
    """Write down that a step was taken, as ``save_answer`` does.

    Raises:
        TakenError: the step was taken before, by another message.
        StoreError: it could not be written now.
    """
    row = {
        "id": step_id, "listener_id": listener.id, "step": step, "payload": dict(payload),
        "saved_at": time.time() if at is None else at,
    }  # fmt: skip
    return _insert(
        store, t.steps, row, (t.steps.c.listener_id == listener.id) & (t.steps.c.step == step)
    )


def save_events(
    store: Store,
    listener: Listener,
    events: Iterable[Mapping[str, Any]],
    *,
    at: float | None = None,
) -> int:
    """Write events down; those that are there already are left as they are.

    Args:
        store: the database.
        listener: whose they are.
        events: columns ``id``, ``trial_id``, ``kind``, ``clip``, ``at`` and ``position``.
        at: as for ``save_answer``.

    Returns:
        How many there were.
    """
    now = time.time() if at is None else at
    rows = [dict(event) | {"listener_id": listener.id, "saved_at": now} for event in events]
    if rows:
        dialect = sqlite if store.is_file else postgresql
        with store.write() as db:
            db.execute(dialect.insert(t.events).on_conflict_do_nothing(), rows)
    return len(rows)


def is_uuid(text: object) -> bool:
    """Whether a text is a UUID in its usual form."""
    try:
        return isinstance(text, str) and str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def seconds(value: object, most: float = 86_400.0) -> float:
    """A number of seconds that came from outside, made sensible."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0.0
    return min(max(float(value), 0.0), most)


def _insert(store: Store, table: Table, row: dict[str, Any], same: Any) -> bool:
    """Insert a row unless it is there; ``same`` finds the row that would stand in its way."""
    try:
        with store.write() as db:
            if _there(db, table, row["id"], same):
                return False
            db.execute(insert(table).values(row))
    except IntegrityError:  # PostgreSQL: another connection wrote it in between
        with store.read() as db:
            if _there(db, table, row["id"], same):
                return False
        raise
    return True


def _there(db: Connection, table: Table, row_id: str, same: Any) -> bool:
    found = db.execute(select(table.c.id).where(same)).scalar()
    if found is None:
        return False
    if found != row_id:
        raise TakenError("This was answered already; the first answer counts.")
    return True
