"""The listener's way through a test, one message at a time, from the database alone.

Nothing is kept in memory, so a reload, another browser or a server that was started again all
come back to the same place.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select

from listening_test.errors import StudyError
from listening_test.steps import Place, Trial, due_step, name_of
from listening_test.store import Store
from listening_test.store import schema as t
from listening_test.store.answers import Answer, save_answer, save_step
from listening_test.store.rows import Listener
from listening_test.store.studies import get_version
from listening_test.study import Question

_SLACK: Final = 0.1  # part by which clocks may differ in what was heard
_LONGEST_TEXT: Final = 5_000  # characters of an answer in the questionnaire


class NotYetError(StudyError):
    """The answer cannot be taken, for a reason that the listener can mend."""


def place(store: Store, listener: Listener) -> Place:
    """Read where a listener is."""
    own = listener.id
    columns = (*t.trials.c, t.triplets.c.instrument)
    joined = t.trials.outerjoin(t.triplets, t.trials.c.triplet_id == t.triplets.c.id)
    trials = select(*columns).select_from(joined).where(t.trials.c.listener_id == own)
    answers = select(t.answers.c.trial_id, t.answers.c.choice)
    steps = select(t.steps.c.step, t.steps.c.payload)
    gone = select(t.withdrawals.c.listener_id).where(t.withdrawals.c.listener_id == own)
    version = get_version(store, listener.version_id)
    with store.read() as db:
        return Place(
            listener,
            version,
            db.execute(trials.order_by(t.trials.c.position)).all(),
            {
                r.trial_id: r.choice
                for r in db.execute(answers.where(t.answers.c.listener_id == own))
            },
            {r.step: r.payload for r in db.execute(steps.where(t.steps.c.listener_id == own))},
            db.execute(gone).first() is not None,
        )


def answer(
    store: Store, listener: Listener, code: str, given: Answer, *, at: float | None = None
) -> tuple[bool | None, Place]:
    """Take an answer.

    Args:
        store: the database.
        listener: whose answer it is.
        code: of the trial.
        given: the answer.
        at: when, by the clock of a simulation; now by default.

    Returns:
        Whether it was right (for practice; else None), and where the listener is now.

    Raises:
        TakenError: the trial was answered before.
        NotYetError: too little was heard, or it is not this trial's turn.
        StoreError: it could not be written now.
    """
    here = _open(place(store, listener))
    trial = next((trial for trial in here.trials if trial.code == code), None)
    if trial is None or trial.kind == "level":
        raise NotYetError("This trial is not part of your test.")
    if trial.id not in here.answers:
        _may_answer(here, trial, given)
    save_answer(store, listener, trial.id, given, at=at)
    here = place(store, listener)
    right = here.answers[trial.id] == trial.right if trial.kind == "practice" else None
    return right, here


def take(
    store: Store,
    listener: Listener,
    step_id: str,
    step: str,
    payload: Mapping[str, Any],
    *,
    at: float | None = None,
) -> Place:
    """Take a step that is no answer: consent, level, a break, the questionnaire.

    Args:
        store: the database.
        listener: who takes it.
        step_id: UUID of the message.
        step: its name.
        payload: the questionnaire's answers.
        at: as for ``answer``.

    Returns:
        Where the listener is now.

    Raises:
        TakenError: it was taken before.
        NotYetError: it is not its turn, or the questionnaire is not complete.
        StoreError: it could not be written now.
    """
    here = _open(place(store, listener))
    if step not in here.steps:
        if step != name_of(due_step(here)[0]):
            raise NotYetError("This step is not the next one.")
        asked = here.settings.questions if step == "questionnaire" else ()
        payload = _checked(asked, payload)
    save_step(store, listener, step_id, step, payload, at=at)
    return place(store, listener)


def _open(here: Place) -> Place:
    """Make sure that the listener still takes part."""
    if here.withdrawn:
        raise NotYetError("You do not take part in this test any more.")
    return here


def _may_answer(here: Place, trial: Trial, given: Answer) -> None:
    step, _ = due_step(here)
    if step.get("trial") != trial.code:
        raise NotYetError("It is not this trial's turn.")
    choices = 3 if trial.kind == "headphones" else 2
    if not 0 <= given.choice < choices:
        raise NotYetError("Please choose one of the answers.")
    if trial.kind == "headphones":
        return
    if here.settings.confidence and given.sure is None:
        raise NotYetError("Please say whether you are sure.")
    least = here.settings.must_hear * (1 - _SLACK)
    if min(given.heard) < least:
        raise NotYetError(
            f"Please listen to at least {here.settings.must_hear:g} s of each sound first."
        )


def _checked(questions: Sequence[Question], payload: Mapping[str, Any]) -> dict[str, Any]:
    """The questionnaire's answers, each as its question wants it."""
    answers: dict[str, str | float] = {}
    for question in questions:
        value = payload.get(question.id)
        if value is None or value == "":
            if question.required:
                raise NotYetError(f"Please answer: {question.label}")
            continue
        text = str(value)[:_LONGEST_TEXT]
        if question.kind in ("choice", "scale") and text not in question.options:
            raise NotYetError(f"Please choose one of the answers: {question.label}")
        if question.kind == "number":
            try:
                answers[question.id] = float(text)
            except ValueError:
                raise NotYetError(f"Please answer with a number: {question.label}") from None
        else:
            answers[question.id] = text
    return answers
