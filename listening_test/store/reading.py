"""What the database holds about some versions, asked in few questions, as it is."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, select

from listening_test.errors import StudyError
from listening_test.steps import COUNTED
from listening_test.store import Store
from listening_test.store import schema as t
from listening_test.triplets import INPUTS, SPACES

WINDOW: Final = ("blur", "focus", "hidden", "visible", "shown")
"""Events that tell whether the listener's window was in front."""


@dataclass(frozen=True)
class Raw:
    """Rows of some versions; without previews, and without who withdrew.

    Attributes:
        versions: with the titles of their studies.
        listeners: one row for each.
        answers: with their trials, in the listeners' own order.
        triplets: with every distance in a column of its own.
        sounds: their pieces and starts.
        plays: how often each sound was started, by trial.
        window: events of the kinds ``WINDOW``, in their order.
        events: all of them, where they were wanted.
        steps: that were taken.
        asked: how many trials count, by listener.
        withdrawn: how many withdrew, by version.
    """

    versions: Sequence[Row[Any]]
    listeners: pd.DataFrame
    answers: pd.DataFrame
    triplets: pd.DataFrame
    sounds: pd.DataFrame
    plays: pd.DataFrame
    window: pd.DataFrame
    events: pd.DataFrame
    steps: Sequence[Row[Any]]
    asked: pd.DataFrame
    withdrawn: dict[int, int]


def read(
    store: Store, version_ids: Sequence[int] | None, *, events: bool, watched: bool = True
) -> Raw:
    """Ask for everything about some versions, as it is at one moment.

    Args:
        store: the database.
        version_ids: which; None for all.
        events: whether all events are wanted.
        watched: whether those are wanted from which ``plays`` and ``window`` come.

    Raises:
        StudyError: there is no such version.
        StoreError: the database cannot be read.
    """
    with store.read() as db, _uncollected():
        versions = db.execute(_versions(version_ids)).all()
        there = [row.version_id for row in versions]
        missing = set(version_ids or ()) - set(there)
        if missing:
            raise StudyError(f"There is no study version {min(missing)}.")
        ours = t.listeners.c.version_id.in_(there) & ~t.listeners.c.preview
        here = ours & ~_withdrew()
        gone = db.execute(select(t.listeners.c.version_id).where(ours & _withdrew())).scalars()
        left = list(gone)
        nothing = t.events.c.id == ""
        told = here if watched else here & nothing
        window = told & t.events.c.kind.in_(WINDOW)
        return Raw(
            versions,
            _frame(db, _whose().where(here)),
            _frame(db, _answered().where(here)),
            _triplets(db, there),
            _frame(db, _sounds().where(t.sounds.c.version_id.in_(there))),
            _frame(db, _played().where(told)),
            _frame(db, _left().where(window)),
            _frame(db, _seen().where(here if events else here & nothing)),
            db.execute(_taken().where(here)).all(),
            _frame(db, _to_answer().where(here)),
            {version: left.count(version) for version in there},
        )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for cyclic garbage, which would go through millions of rows for nothing.

    That takes a quarter off the time of a large study.
    """
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _frame(db: Connection, query: Select[Any]) -> pd.DataFrame:
    """The answer of the database, column by column: a row object for each row takes far longer."""
    result = db.execute(query)
    assert result.cursor is not None
    found = result.cursor.fetchall()
    kinds = [one[1] for one in result.cursor.description]
    result.close()
    values = zip(*found, strict=True) if found else [()] * len(kinds)
    columns = {}
    for column, kind, given in zip(query.selected_columns, kinds, values, strict=True):
        stored = column.type.dialect_impl(db.dialect)
        process = stored.result_processor(db.dialect, kind)
        columns[column.key] = list(given if process is None else map(process, given))
    return pd.DataFrame(columns, dtype=None if found else object)


def _withdrew() -> ColumnElement[bool]:
    return t.listeners.c.id.in_(select(t.withdrawals.c.listener_id))


def _versions(version_ids: Sequence[int] | None) -> Select[Any]:
    v, s = t.versions.c, t.studies.c
    query = select(
        v.id.label("version_id"), s.title.label("study"), s.id.label("study_id"),
        v.number.label("version"), v.settings, v.settings_sha256, v.model, v.corpus,
    ).join_from(t.versions, t.studies)  # fmt: skip
    return query if version_ids is None else query.where(v.id.in_(version_ids))


def _whose() -> Select[Any]:
    c = t.listeners.c
    return select(
        c.id.label("listener_id"), c.version_id, (c.number + 1).label("listener"), c.external_id,
        c.simulated, c.label, c.created_at.label("invited_at"),
    ).order_by(c.id)  # fmt: skip


def _answered() -> Select[Any]:
    a, r = t.answers.c, t.trials.c
    return (
        select(
            a.id.label("answer_id"), a.listener_id, a.trial_id, r.position, r.kind, r.block,
            r.attempt, r.triplet_id, r.swapped, r.x_id, r.a_id, r.b_id, r.right.label("right_one"),
            r.repeat_of, a.choice.label("taken"), a.sure, a.heard_x, a.heard_a, a.heard_b,
            a.elapsed, a.saved_at, a.app_version,
        )
        .join_from(t.answers, t.trials, a.trial_id == r.id)
        .join(t.listeners, a.listener_id == t.listeners.c.id)
        .order_by(a.listener_id, r.position)
    )  # fmt: skip


def _to_answer() -> Select[Any]:
    who, of = t.trials.c.listener_id, t.trials.c.kind.in_(COUNTED)
    mine = and_(who == t.listeners.c.id, of)
    counted = select(who, func.count().label("asked"))
    return counted.join_from(t.trials, t.listeners, mine).group_by(who)


def _sounds() -> Select[Any]:
    return select(t.sounds.c.id, t.sounds.c.piece, t.sounds.c.start)


def _played() -> Select[Any]:
    e = t.events.c
    counts = [
        func.sum(case((e.clip == clip, 1), else_=0)).label(f"plays_{side}")
        for clip, side in enumerate("xab")
    ]
    mine = and_(e.listener_id == t.listeners.c.id, e.kind == "play", e.trial_id.is_not(None))
    return select(e.trial_id, *counts).join_from(t.events, t.listeners, mine).group_by(e.trial_id)


def _seen() -> Select[Any]:
    e = t.events.c
    return (
        select(e.listener_id, t.trials.c.position, t.trials.c.kind.label("trial_kind"), e.trial_id,
               e.kind.label("event"), e.clip, e.position.label("seconds"), e.at, e.saved_at)
        .join_from(t.events, t.listeners, e.listener_id == t.listeners.c.id)
        .join(t.trials, e.trial_id == t.trials.c.id, isouter=True)
        .order_by(e.listener_id, e.at)
    )  # fmt: skip


def _left() -> Select[Any]:
    e = t.events.c
    return (
        select(e.listener_id, e.trial_id, e.kind.label("event"), e.at)
        .join_from(t.events, t.listeners, e.listener_id == t.listeners.c.id)
        .order_by(e.listener_id, e.at)
    )


def _taken() -> Select[Any]:
    s = t.steps.c
    return select(s.listener_id, s.step, s.payload, s.saved_at).join_from(
        t.steps, t.listeners, s.listener_id == t.listeners.c.id
    )


def _triplets(db: Connection, wanted: Any) -> pd.DataFrame:
    """The triplets, with every distance in a column of its own."""
    c = t.triplets.c
    found = _frame(
        db,
        select(
            c.id.label("triplet_id"), c.number.label("triplet"), c.protocol, c.set, c.instrument,
            c.space, c.source, c.margin, c.model_choice, c.distances,
        ).where(c.version_id.in_(wanted)),
    )  # fmt: skip
    nothing = (None, None)
    for source in INPUTS:
        for space in SPACES:
            pairs = [
                ((row or {}).get(source) or {}).get(space) or nothing for row in found["distances"]
            ]
            for i, which in enumerate(("first", "second")):
                found[f"{source}_{space}_{which}"] = [pair[i] for pair in pairs]
    return found.drop(columns="distances")
