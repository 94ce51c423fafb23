"""How far every listener has come: what an experimenter watches while people listen."""

import json
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import and_, func, select

from listening_test.steps import COUNTED
from listening_test.store import Store
from listening_test.store import schema as t
from listening_test.store.rows import Listener, Version, record


@dataclass(frozen=True)
class Progress:
    """How far one listener has come; times are seconds since 1970.

    Attributes:
        listener: who it is; never a preview.
        answered: trials that count and are answered, catch trials and repeats among them.
        total: trials that count.
        started_at: when the listener agreed to take part.
        last_at: when the last answer or step was saved.
        finished_at: when the last thing that was asked was answered; None before.
        withdrawn_at: when the listener withdrew; None for everybody else.
        erased: answers that were removed for good on withdrawal.
    """

    listener: Listener
    answered: int
    total: int
    started_at: float | None
    last_at: float | None
    finished_at: float | None
    withdrawn_at: float | None
    erased: int

    @property
    def state(self) -> str:
        """Where the listener is, in a word or two."""
        if self.withdrawn_at is not None:
            return "withdrawn, erased" if self.erased else "withdrawn"
        if self.finished_at is not None:
            return "finished"
        return "invited" if self.started_at is None else "under way"


def progress(store: Store, version: Version | None = None) -> list[Progress]:
    """How far the listeners have come, in the order in which they were invited.

    Args:
        store: the database.
        version: whose listeners; None takes those of every version.
    """
    who = ~t.listeners.c.preview
    if version is not None:
        who &= t.listeners.c.version_id == version.id
    ours = select(t.listeners.c.id).where(who)
    answered = and_(
        t.answers.c.listener_id == t.trials.c.listener_id, t.answers.c.trial_id == t.trials.c.id
    )
    counts = (
        select(
            t.trials.c.listener_id, func.count(t.trials.c.id), func.count(t.answers.c.id),
            func.max(t.answers.c.saved_at),
        )
        .select_from(t.trials.outerjoin(t.answers, answered))
        .where(t.trials.c.kind.in_(COUNTED) & t.trials.c.listener_id.in_(ours))
        .group_by(t.trials.c.listener_id)
    )  # fmt: skip
    taken = select(t.steps.c.listener_id, t.steps.c.step, t.steps.c.saved_at)
    with store.read() as db:
        listeners = db.execute(select(t.listeners).where(who).order_by(t.listeners.c.id)).all()
        found = {row[0]: tuple(row)[1:] for row in db.execute(counts)}
        steps: dict[int, dict[str, float]] = defaultdict(dict)
        for row in db.execute(taken.where(t.steps.c.listener_id.in_(ours))):
            steps[row.listener_id][row.step] = row.saved_at
        gone = {row.listener_id: row for row in db.execute(select(t.withdrawals))}
        asked = {
            row.id: bool(json.loads(row.settings).get("questions"))
            for row in db.execute(select(t.versions.c.id, t.versions.c.settings))
        }
    answer = []
    for row in listeners:
        total, done, last = found.get(row.id, (0, 0, None))
        own = steps[row.id]
        end = own.get("questionnaire") if asked[row.version_id] else last
        away = gone.get(row.id)
        answer.append(
            Progress(
                listener=record(Listener, row),
                answered=done,
                total=total,
                started_at=own.get("consent"),
                last_at=max([*own.values(), *([] if last is None else [last])], default=None),
                finished_at=end if total and done == total else None,
                withdrawn_at=None if away is None else away.at,
                erased=0 if away is None else away.erased,
            )
        )
    return answer


def stamps(store: Store) -> dict[int, str]:
    """By version a word that changes whenever its answers do: given, withdrawn or erased."""
    who = t.listeners.c.version_id
    given = select(who, func.count(), func.max(t.answers.c.saved_at)).join_from(
        t.answers, t.listeners, t.answers.c.listener_id == t.listeners.c.id
    )
    gone = select(who, func.count(), func.max(t.withdrawals.c.at)).join_from(
        t.withdrawals, t.listeners, t.withdrawals.c.listener_id == t.listeners.c.id
    )
    found: dict[int, list[str]] = defaultdict(list)
    with store.read() as db:
        for name, query in (("given", given), ("gone", gone)):
            for version, count, last in db.execute(query.group_by(who)):
                found[version].append(f"{name} {count} {last}")
    return {version: ", ".join(said) for version, said in found.items()}
