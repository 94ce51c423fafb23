"""How far listeners have come, against what is counted by hand from the tables."""

import uuid
from dataclasses import replace

from sqlalchemy import select

from listening_test import journey
from listening_test.simulate import simulate
from listening_test.steps import COUNTED
from listening_test.store import Store
from listening_test.store import schema as t
from listening_test.store.listeners import invite, withdraw
from listening_test.store.progress import progress, stamps
from listening_test.study import Question
from tests.listening_test import small_study

SETTINGS = replace(
    small_study.SETTINGS, catch=1, repeats=2, questions=(Question("age", "How old?", "number"),)
)


def test_progress_is_what_the_tables_say(store: Store) -> None:
    version = small_study.make(store, SETTINGS, simulated=True)
    made = simulate(store, version.id, 3, seed=3)
    invite(store, version.id, preview=True)
    waiting = invite(store, version.id, simulated=True)[0]
    begun = invite(store, version.id, simulated=True)[0]
    journey.take(store, begun, str(uuid.uuid4()), "consent", {}, at=1000.0)
    withdraw(store, made[1].id)
    withdraw(store, made[2].id, erase=True)
    rows = progress(store, version)
    assert [row.listener for row in rows] == [*made, waiting, begun]
    with store.read() as db:
        answers = db.execute(select(t.answers)).all()
        trials = {row.id: row for row in db.execute(select(t.trials))}
        steps = db.execute(select(t.steps)).all()
    for row in rows:
        own = [a for a in answers if a.listener_id == row.listener.id]
        counted = [a for a in own if trials[a.trial_id].kind in COUNTED]
        taken = {s.step: s.saved_at for s in steps if s.listener_id == row.listener.id}
        assert row.answered == len(counted)
        assert row.total == 16 + 1 + 2
        assert row.started_at == taken.get("consent")
        assert row.finished_at == taken.get("questionnaire")
        times = [*taken.values(), *(a.saved_at for a in own)]
        assert row.last_at == (max(times) if times else None)
    assert rows[0].finished_at is not None
    assert [row.withdrawn_at is not None for row in rows] == [False, True, True, False, False]
    assert rows[2].erased == 19 + 1 and rows[2].answered == 0
    assert (rows[4].started_at, rows[4].last_at, rows[4].finished_at) == (1000.0, 1000.0, None)


def test_without_a_questionnaire_the_last_answer_is_the_end(sqlite_store: Store) -> None:
    version = small_study.make(sqlite_store, simulated=True)
    other = small_study.make(sqlite_store, SETTINGS, simulated=True)
    simulate(sqlite_store, version.id, 1)
    simulate(sqlite_store, other.id, 1)
    [one] = progress(sqlite_store, version)
    assert one.finished_at == one.last_at is not None
    everybody = progress(sqlite_store)
    assert [row.listener.version_id for row in everybody] == [version.id, other.id]
    assert everybody[0] == one


def test_a_version_s_stamp_changes_with_its_answers_alone(store: Store) -> None:
    one = small_study.make(store, SETTINGS, simulated=True)
    two = small_study.make(store, SETTINGS, simulated=True)
    assert stamps(store) == {}
    seen = []
    first, second = simulate(store, one.id, 2, seed=3)
    seen.append(stamps(store)[one.id])
    simulate(store, one.id, 1, seed=4)
    seen.append(stamps(store)[one.id])
    withdraw(store, first.id)
    seen.append(stamps(store)[one.id])
    withdraw(store, second.id, erase=True)
    seen.append(stamps(store)[one.id])
    assert len({*seen}) == 4
    simulate(store, two.id, 1)
    invite(store, one.id, simulated=True)
    assert stamps(store)[one.id] == seen[-1] != stamps(store)[two.id]
