from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from listening_test.errors import StudyError
from listening_test.simulate import Preferences, is_simulated, simulate
from listening_test.store import Store
from listening_test.store import schema as t
from listening_test.study import RECOMMENDED
from tests.listening_test import small_study

SETTINGS = replace(
    small_study.SETTINGS, per_instrument=4, catch=2, repeats=2, headphones="recorded",
    questions=RECOMMENDED.questions, confidence=True,
)  # fmt: skip
TRIALS = 32 + 2 + 2


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path / "home"))


def rows(store: Store):
    joined = t.answers.join(t.trials, t.answers.c.trial_id == t.trials.c.id).outerjoin(
        t.triplets, t.trials.c.triplet_id == t.triplets.c.id
    )
    with store.read() as db:
        query = select(t.answers, t.trials, t.triplets.c.margin, t.triplets.c.number.label("nr"))
        return db.execute(query.select_from(joined)).all()


def test_they_go_through_everything_and_stay_simulated(sqlite_store):
    version = small_study.make(sqlite_store, SETTINGS, simulated=True)
    steps = []
    made = simulate(sqlite_store, version.id, 3, progress=lambda what, part: steps.append(part))
    assert steps == sorted(steps)
    assert steps[-1] == 1
    kinds: defaultdict[str, int] = defaultdict(int)
    for row in rows(sqlite_store):
        kinds[row.kind] += 1
    assert kinds == {"headphones": 18, "practice": 3, "trial": 96, "catch": 6, "repeat": 6}
    assert is_simulated(sqlite_store, version.id)
    with pytest.raises(DBAPIError, match="stays what it was"), sqlite_store.write() as db:
        db.execute(
            update(t.listeners).where(t.listeners.c.id == made[0].id).values(simulated=False)
        )
    assert is_simulated(sqlite_store, version.id)


def test_the_same_seed_makes_the_same_answers(sqlite_store):
    def answers(seed):
        version = small_study.make(sqlite_store, SETTINGS, simulated=True)
        made = {one.id for one in simulate(sqlite_store, version.id, 2, seed=seed)}
        return [
            (r.position, r.choice, r.sure, r.elapsed, r.saved_at)
            for r in sorted(rows(sqlite_store), key=lambda r: (r.listener_id, r.position))
            if r.listener_id in made
        ]

    first = answers(5)
    assert first == answers(5)
    assert first != answers(6)


def test_people_and_simulations_are_kept_apart(sqlite_store):
    version = small_study.make(sqlite_store, SETTINGS)
    with pytest.raises(StudyError, match="alone"):
        simulate(sqlite_store, version.id)
    assert not is_simulated(sqlite_store, version.id)


def test_they_choose_as_they_are_told(sqlite_store):
    """A steep slope agrees with the model, none does not, and a side leans."""

    def agreement(**wants):
        version = small_study.make(sqlite_store, SETTINGS, simulated=True)
        preferences = Preferences(listener_sd=0, item_sd=0, lapse=0, side_sd=0, **wants)
        made = simulate(sqlite_store, version.id, 6, seed=1, preferences=preferences)
        mine = [
            r
            for r in rows(sqlite_store)
            if r.listener_id in {one.id for one in made} and r.kind == "trial"
        ]
        agree = [(r.choice ^ r.swapped) == int(r.margin < 0) for r in mine]
        return np.mean(agree), np.mean([r.choice == 0 for r in mine]), mine

    agree, side, mine = agreement(slope=2.0, side=0.0)
    margins = np.array([r.margin for r in mine])
    expected = np.mean(1 / (1 + np.exp(-2.0 * np.abs(margins) / margins.std())))
    assert agree == pytest.approx(expected, abs=4 * np.sqrt(0.25 / len(mine)))
    assert agreement(slope=0.0, side=0.0)[0] == pytest.approx(0.5, abs=0.15)
    assert agreement(slope=0.0, side=3.0)[1] == pytest.approx(1 / (1 + np.exp(-3)), abs=0.08)
    assert 0.35 < side < 0.65


def test_what_they_say_cannot_be_changed_afterwards(sqlite_store):
    version = small_study.make(sqlite_store, SETTINGS, simulated=True)
    simulate(sqlite_store, version.id, 1)
    with pytest.raises(DBAPIError, match="as they were given"), sqlite_store.write() as db:
        db.execute(update(t.answers).values(choice=0))
