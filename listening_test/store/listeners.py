"""Listeners: invited or joined, each with a whole schedule from the start."""

import secrets
import time
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from listening_test.errors import StudyError
from listening_test.schedule import Asked, Check, Planned, plan
from listening_test.store import Store
from listening_test.store import schema as t
from listening_test.store.rows import Listener, Version, insert_one, record
from listening_test.store.studies import get_version, version_of_join_token

FULL: Final = "This study has all the listeners it needs. Thank you for coming."
_MOST: Final = 10_000  # invitations at once
_LONGEST: Final = 200  # characters of a panel's own id


def invite(
    store: Store,
    version_id: int,
    count: int = 1,
    *,
    labels: Sequence[str] = (),
    external_id: str | None = None,
    preview: bool = False,
    simulated: bool = False,
    limited: bool = False,
    at: float | None = None,
) -> list[Listener]:
    """Make listeners, with everything they will hear.

    Args:
        store: the database.
        version_id: a live version; for previews also a draft that is prepared.
        count: how many; the number of labels where those are given.
        labels: the experimenter's own words for each.
        external_id: of a recruitment panel, for one listener.
        preview: somebody who only looks; never counted.
        simulated: no person; stays marked for ever.
        limited: whether the number of listeners that the study wants is a limit.
        at: when, by the clock of a simulation; now by default.

    Raises:
        StudyError: the version takes no listeners, or has all that it wanted.
    """
    version = get_version(store, version_id)
    names = list(labels) or [""] * count
    if not 0 < len(names) <= _MOST:
        raise StudyError(f"Between 1 and {_MOST:,} listeners can be invited at once.")
    material = _Material.of(store, version)
    made = []
    with store.write() as db:
        row = db.execute(
            select(t.versions).where(t.versions.c.id == version_id).with_for_update()
        ).one()
        _admit(row, preview=preview, simulated=simulated)
        if limited and 0 < version.settings.listeners <= _counted(db, version_id):
            raise StudyError(FULL)
        same = (t.listeners.c.version_id == version_id) & (t.listeners.c.preview == preview)
        first = db.execute(select(func.coalesce(func.max(t.listeners.c.number), -1)).where(same))
        number = int(first.scalar_one()) + 1
        for offset, label in enumerate(names):
            values: dict[str, Any] = {
                "version_id": version_id, "number": number + offset, "label": label[:_LONGEST],
                "token": secrets.token_urlsafe(16), "seed": version.settings.seed,
                "external_id": external_id, "preview": preview, "simulated": simulated,
                "created_at": time.time() if at is None else at,
            }  # fmt: skip
            listener = Listener(insert_one(db, t.listeners, values), **values)
            _schedule(db, material.plan(version, listener.number), listener.id)
            made.append(listener)
    return made


def join(store: Store, join_token: str, external_id: str | None = None) -> Listener:
    """Somebody came by the open link: a new listener, or the one who came by this id before.

    Args:
        store: the database.
        join_token: of the version.
        external_id: what a recruitment panel calls the person.

    Raises:
        StudyError: no such link, or no more listeners are wanted.
    """
    version = version_of_join_token(store, join_token)
    external_id = (external_id or "").strip()[:_LONGEST] or None
    if external_id is not None:
        known = _known(store, version, external_id)
        if known is not None:
            return known
    try:
        return invite(store, version.id, external_id=external_id, limited=True)[0]
    except IntegrityError:  # the same person came twice at once, and the other one was first
        known = None if external_id is None else _known(store, version, external_id)
        if known is None:
            raise
        return known


def listener_of_token(store: Store, token: str) -> Listener:
    """The listener whose address holds this secret.

    Raises:
        StudyError: nobody's does.
    """
    with store.read() as db:
        row = db.execute(select(t.listeners).where(t.listeners.c.token == token)).first()
    if row is None:
        raise StudyError("This link belongs to no listening test.")
    found: Listener = record(Listener, row)
    return found


def list_listeners(store: Store, version_id: int, *, previews: bool = False) -> list[Listener]:
    """The listeners of a version in the order in which they came."""
    where = t.listeners.c.version_id == version_id
    if not previews:
        where &= ~t.listeners.c.preview
    with store.read() as db:
        rows = db.execute(select(t.listeners).where(where).order_by(t.listeners.c.id))
        return [record(Listener, row) for row in rows]


def withdraw(store: Store, listener_id: int, *, reason: str = "", erase: bool = False) -> int:
    """Somebody does not want to take part any more.

    Args:
        store: the database.
        listener_id: of the listener.
        reason: for the record.
        erase: remove the answers, events and questionnaire for good, instead of leaving them
            out of everything from now on.

    Returns:
        How many answers were removed for good.

    Raises:
        StudyError: there is no such listener.
    """
    own = t.answers.c.listener_id == listener_id
    with store.write() as db:
        if (
            db.execute(select(t.listeners.c.id).where(t.listeners.c.id == listener_id)).first()
            is None
        ):
            raise StudyError(f"There is no listener {listener_id}.")
        count = int(db.execute(select(func.count()).select_from(t.answers).where(own)).scalar_one())
        removed = count if erase else 0
        before = t.withdrawals.c.listener_id == listener_id
        old = db.execute(select(t.withdrawals).where(before)).first()
        db.execute(delete(t.withdrawals).where(before))
        row = {
            "listener_id": listener_id, "at": time.time() if old is None else old.at,
            "erased": removed + (0 if old is None else old.erased), "reason": reason[:400],
        }  # fmt: skip
        db.execute(insert(t.withdrawals).values(row))
        if erase:
            for table in (t.answers, t.steps, t.events):
                db.execute(delete(table).where(table.c.listener_id == listener_id))
    return removed


class _Material:
    """What the schedules of a version are made of."""

    def __init__(self, triplets: list[Asked], practice: list[Asked], sounds: Sequence[Any]) -> None:
        self.triplets, self.practice = triplets, practice
        self.sounds = sounds

    @classmethod
    def of(cls, store: Store, version: Version) -> "_Material":
        here = t.triplets.c.version_id == version.id
        with store.read() as db:
            rows = db.execute(select(t.triplets).where(here).order_by(t.triplets.c.number)).all()
            sounds = db.execute(
                select(t.sounds.c.id, t.sounds.c.kind, t.sounds.c.method, t.sounds.c.answer)
                .where((t.sounds.c.version_id == version.id) & (t.sounds.c.kind != "excerpt"))
                .order_by(t.sounds.c.id)
            ).all()
        asked: dict[bool, list[Asked]] = {False: [], True: []}
        for r in rows:
            item = Asked(r.id, r.instrument, r.set, r.x_id, r.first_id, r.second_id)
            asked[r.practice].append(item)
        return cls(asked[False], asked[True], sounds)

    def plan(self, version: Version, number: int) -> list[Planned]:
        method = version.settings.headphone_method
        checks = [
            Check(sound.id, sound.answer)
            for sound in self.sounds
            if sound.kind == "headphones" and sound.method == method
        ]
        level = next((sound.id for sound in self.sounds if sound.kind == "level"), None)
        return plan(version.settings, self.triplets, self.practice, checks, level, number=number)


def _admit(version: Any, *, preview: bool, simulated: bool) -> None:
    if version.prepared_at is None:
        raise StudyError("The sounds of this study are not made yet; prepare it first.")
    if preview:
        return
    if version.state != "live":
        raise StudyError(
            "This study has ended. Thank you for coming."
            if version.state == "closed"
            else "This study has not begun yet."
        )
    if simulated != version.simulated:
        raise StudyError(
            "Simulated listeners and real ones never take part in the same study version."
        )


def _schedule(db: Connection, planned: Sequence[Planned], listener_id: int) -> None:
    rows = [
        {
            "listener_id": listener_id, "position": position, "kind": trial.kind,
            "attempt": trial.attempt, "code": secrets.token_urlsafe(12),
            "triplet_id": trial.triplet, "swapped": trial.swapped,
            "x_id": trial.x, "a_id": trial.a, "b_id": trial.b,
            "x_clip": secrets.token_urlsafe(12),
            "a_clip": None if trial.a is None else secrets.token_urlsafe(12),
            "b_clip": None if trial.b is None else secrets.token_urlsafe(12),
            "right": trial.right, "block": trial.block, "repeat_of": trial.repeat_of,
        }
        for position, trial in enumerate(planned)
    ]  # fmt: skip
    db.execute(insert(t.trials), rows)


def _known(store: Store, version: Version, external_id: str) -> Listener | None:
    here = (t.listeners.c.version_id == version.id) & (t.listeners.c.external_id == external_id)
    with store.read() as db:
        row = db.execute(select(t.listeners).where(here)).first()
    return None if row is None else record(Listener, row)


def _counted(db: Connection, version_id: int) -> int:
    """Listeners who take part and have not withdrawn."""
    gone = select(t.withdrawals.c.listener_id)
    where = (t.listeners.c.version_id == version_id) & ~t.listeners.c.preview
    query = select(func.count()).select_from(t.listeners)
    return int(db.execute(query.where(where & t.listeners.c.id.not_in(gone))).scalar_one())
