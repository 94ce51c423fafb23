"""Listeners that are no people, to try a study, a plan or an analysis on.

They go the listener's own way, through the schedule and the store, and stay marked as simulated
for ever. What they prefer is known, so an analysis can be asked to find it again.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Row, select

from listening_test import journey
from listening_test.errors import StudyError
from listening_test.steps import ASKED, Place, Trial, due_step, name_of
from listening_test.store import Store
from listening_test.store import schema as t
from listening_test.store.answers import Answer, save_events
from listening_test.store.listeners import invite
from listening_test.store.rows import Listener
from listening_test.store.studies import get_version, triplet_rows
from listening_test.study import Question

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Preferences:
    """How simulated listeners choose.

    The log-odds of taking a triplet's first candidate are (slope + listener) · margin / scale +
    item ± side, where margin is the model's distance of the second candidate less that of the
    first and scale the standard deviation of all margins; a lapse is a guess.

    Attributes:
        slope: log-odds for a margin of one standard deviation; 0 is no agreement.
        listener_sd: standard deviation of the listeners' slopes.
        item_sd: standard deviation of the triplets' own log-odds.
        side: mean log-odds of taking A, whatever it is.
        side_sd: its standard deviation over listeners.
        lapse: part of the answers that are guesses.
        start: when the first one begins, seconds since 1970 (5 January 2026, 09:00 UTC).
    """

    slope: float = 1.2
    listener_sd: float = 0.4
    item_sd: float = 0.7
    side: float = 0.1
    side_sd: float = 0.2
    lapse: float = 0.04
    start: float = 1_767_603_600.0


def simulate(
    store: Store,
    version_id: int,
    listeners: int = 24,
    *,
    seed: int = 0,
    preferences: Preferences | None = None,
    progress: Progress | None = None,
) -> list[Listener]:
    """Let simulated listeners take a whole study.

    Args:
        store: the database.
        version_id: a version that was launched for simulated listeners only.
        listeners: how many.
        seed: of everything they do; the same seed makes the same answers.
        preferences: how they choose.
        progress: called with what happens and the part that is done.

    Returns:
        The listeners.

    Raises:
        StudyError: people take part in this version.
    """
    version = get_version(store, version_id)
    if not version.simulated:
        raise StudyError(
            "Simulated listeners take part only in a study that was launched for them alone."
        )
    wants = preferences or Preferences()
    triplets = {row.id: row for row in triplet_rows(store, version_id)}
    crowd = _Crowd(wants, triplets, seed)
    made = invite(store, version_id, listeners, simulated=True, at=wants.start)
    for done, listener in enumerate(made):
        if progress is not None:
            progress(f"Simulated listener {done + 1} of {listeners}", done / listeners)
        _One(store, listener, crowd).go()
    if progress is not None:
        progress("Done", 1.0)
    return made


class _Crowd:
    """What all simulated listeners of a run share: the triplets and what lies in them."""

    def __init__(self, wants: Preferences, triplets: dict[int, Row[Any]], seed: int) -> None:
        self.wants, self.triplets, self.seed = wants, triplets, seed
        margins = [row.margin for row in triplets.values() if row.margin is not None]
        self.scale = float(np.std(margins)) or 1.0 if margins else 1.0
        rng = np.random.default_rng([seed, 1])
        self.items = dict(zip(triplets, rng.normal(0, wants.item_sd, len(triplets)), strict=True))


class _One:
    """A single simulated listener."""

    def __init__(self, store: Store, listener: Listener, crowd: _Crowd) -> None:
        self.store, self.listener, self.crowd = store, listener, crowd
        wants = crowd.wants
        self.rng = np.random.default_rng([crowd.seed, 2, listener.number])
        self.slope = wants.slope + self.rng.normal(0, wants.listener_sd)
        self.side = wants.side + self.rng.normal(0, wants.side_sd)
        self.pace = float(np.exp(self.rng.normal(0, 0.2)))
        self.now = wants.start + 5400.0 * listener.number

    def go(self) -> None:
        """From consent to the end."""
        here = journey.place(self.store, self.listener)
        while (step := due_step(here)[0])["kind"] not in ("done", "headphones-failed"):
            here = self._trial(here, step) if "trial" in step else self._take(here, step)

    def _take(self, here: Place, step: dict[str, Any]) -> Place:
        self.now += 20.0
        payload = {q.id: self._says(q) for q in here.settings.questions}
        name = name_of(step)
        return journey.take(self.store, self.listener, self._uuid(), name, payload, at=self.now)

    def _trial(self, here: Place, step: dict[str, Any]) -> Place:
        trial = next(one for one in here.trials if one.code == step["trial"])
        length = here.settings.excerpt
        elapsed = self.pace * (3 * min(length, 6.0) + float(self.rng.lognormal(1.2, 0.5)))
        choice, likely = self._choose(trial)
        sure = None if not step.get("sure") else bool(self.rng.random() < likely)
        given = Answer(self._uuid(), choice, sure, (length,) * 3, round(elapsed, 3))
        if trial.kind in ASKED:
            self._plays(trial, elapsed)
        self.now += elapsed
        return journey.answer(self.store, self.listener, trial.code, given, at=self.now)[1]

    def _choose(self, trial: Trial) -> tuple[int, float]:
        """What is taken, and how clear that was: 0.5 (not at all) to 1."""
        wants, rng = self.crowd.wants, self.rng
        if trial.right is not None:  # X itself is there, or a tone stands out
            right = rng.random() < 0.98 - wants.lapse / 2
            others = 2 if trial.kind == "headphones" else 1
            away = 0 if right else 1 + int(rng.integers(others))
            return (trial.right + away) % (others + 1), 0.98
        margin = self.crowd.triplets[trial.triplet_id].margin or 0.0
        odds = self.slope * margin / self.crowd.scale + self.crowd.items[trial.triplet_id]
        odds = (-odds if trial.swapped else odds) + self.side
        chance = 1 / (1 + np.exp(-odds))
        if rng.random() < wants.lapse:
            return int(rng.integers(2)), 0.5
        return int(rng.random() >= chance), float(max(chance, 1 - chance))

    def _plays(self, trial: Trial, elapsed: float) -> None:
        events = [
            {
                "id": self._uuid(), "trial_id": trial.id, "kind": "play", "clip": clip,
                "at": self.now + elapsed * clip / 3, "position": 0.0,
            }
            for clip in range(3)
        ]  # fmt: skip
        save_events(self.store, self.listener, events, at=self.now + elapsed)

    def _says(self, question: Question) -> str:
        if question.options:
            return question.options[int(self.rng.integers(len(question.options)))]
        return str(int(self.rng.integers(18, 70))) if question.kind == "number" else ""

    def _uuid(self) -> str:
        # The database's number of the listener keeps the ids of two studies apart.
        bits = self.rng.integers(0, 2**32, 3)
        mixed = (self.listener.id << 96) | sum(int(b) << (32 * i) for i, b in enumerate(bits))
        return str(uuid.UUID(int=mixed % 2**128, version=4))


def is_simulated(store: Store, version_id: int) -> bool:
    """Whether a version holds no people, by its mark and by those of all its listeners."""
    own = t.listeners.c.version_id == version_id
    with store.read() as db:
        people = db.execute(select(t.listeners.c.id).where(own & ~t.listeners.c.simulated)).first()
    return get_version(store, version_id).simulated and people is None
