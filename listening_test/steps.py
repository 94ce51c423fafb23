"""What comes next for a listener, and what the browser may know of it.

Of a trial the browser learns three addresses of sounds, in the order X, A, B, and nothing that
tells which is which. Catch trials and repetitions look like every other trial.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from listening_test.store.rows import Listener, Version
from listening_test.study import NEEDED, Question, Settings

Step = dict[str, Any]
Trial = Row[Any]

ASKED: Final = ("practice", "trial", "catch", "repeat")
COUNTED: Final = ("trial", "catch", "repeat")
_BREAK_SECONDS: Final = 30


@dataclass(frozen=True)
class Place:
    """Where a listener is.

    Attributes:
        listener: who it is.
        version: of the study.
        trials: everything the listener will hear, in order.
        answers: choice by trial id.
        steps: payload by name of the steps that were taken.
        withdrawn: whether the listener does not take part any more.
    """

    listener: Listener
    version: Version
    trials: Sequence[Trial]
    answers: Mapping[int, int]
    steps: Mapping[str, Any]
    withdrawn: bool

    @property
    def settings(self) -> Settings:
        """Of the study."""
        return self.version.settings

    def of_kind(self, *kinds: str) -> list[Trial]:
        """The listener's trials of these kinds, in order."""
        return [trial for trial in self.trials if trial.kind in kinds]

    @property
    def done(self) -> int:
        """Trials that count and are answered."""
        return sum(trial.id in self.answers for trial in self.of_kind(*COUNTED))


def state(here: Place) -> dict[str, Any]:
    """What the browser may know: the step that comes next, and how far it is to the end."""
    settings, total = here.settings, len(here.of_kind(*COUNTED))
    step, following = next_step(here)
    left = settings.minutes * (1 - here.done / max(total, 1))
    return {
        "version": 1,
        "language": settings.language,
        "lab": settings.lab,
        "preview": here.listener.preview,
        "progress": {"done": here.done, "total": total, "minutes_left": max(round(left), 1)},
        "step": step,
        "next": _clips(following) if following is not None else [],
    }


def next_step(here: Place) -> tuple[Step, Trial | None]:
    """The step that is shown next, and the trial after it, whose sounds may be fetched ahead."""
    if here.withdrawn:
        return {"kind": "closed", "reason": "withdrawn"}, None
    step, following = due_step(here)
    if here.version.state == "closed" and step["kind"] != "done":
        return {"kind": "closed", "reason": "closed"}, None
    return step, following


def due_step(here: Place) -> tuple[Step, Trial | None]:
    """The next step of a test that is open; what was on its way when it closed is taken still."""
    for part in (_beginning, _headphones, _trials):
        found = part(here)
        if found is not None:
            return found
    questions = here.settings.questions
    if questions and "questionnaire" not in here.steps:
        return {"kind": "questionnaire", "questions": [_question(q) for q in questions]}, None
    return _done(here), None


def _beginning(here: Place) -> tuple[Step, Trial | None] | None:
    """Consent and level."""
    if "consent" not in here.steps:
        minutes = max(round(here.settings.minutes), 1)
        return {"kind": "consent", "text": here.settings.consent_text, "minutes": minutes}, None
    level = here.of_kind("level")
    if level and "level" not in here.steps:
        return {"kind": "level", "clips": _clips(level[0])}, None
    return None


@dataclass(frozen=True)
class Audible:
    """A sound that the browser may fetch now.

    Attributes:
        sound: id of the sound.
        disguised: whether it is X again, which its bytes must not show.
    """

    sound: int
    disguised: bool


def audible(here: Place) -> dict[str, Audible]:
    """The sounds that the browser may fetch now, by their addresses."""
    step, following = next_step(here)
    codes = {step.get("trial")} | ({following.code} if following is not None else set())
    open_now = [trial for trial in here.trials if trial.code in codes]
    if step["kind"] == "level":
        open_now += here.of_kind("level")
    return {
        clip: Audible(sound, clip != trial.x_clip and sound == trial.x_id)
        for trial in open_now
        for clip, sound in (
            (trial.x_clip, trial.x_id), (trial.a_clip, trial.a_id), (trial.b_clip, trial.b_id),
        )
        if clip is not None
    }  # fmt: skip


def _headphones(here: Place) -> tuple[Step, Trial | None] | None:
    """The headphone check, while it is not over."""
    settings = here.settings
    trials = here.of_kind("headphones")
    for attempt in (1, 2):
        own = [trial for trial in trials if trial.attempt == attempt]
        todo = [trial for trial in own if trial.id not in here.answers]
        if todo:
            if attempt == 2 and "headphones-retry" not in here.steps:
                return {"kind": "headphones-failed", "can_retry": True}, None
            step = {
                "kind": "headphones", "trial": todo[0].code, "clips": _clips(todo[0]),
                "number": len(own) - len(todo) + 1, "of": len(own), "attempt": attempt,
                "choices": 3, "method": settings.headphone_method,
            }  # fmt: skip
            return step, todo[1] if len(todo) > 1 else None
        if settings.headphones != "gate" or not own:
            return None
        right = sum(here.answers[trial.id] == trial.right for trial in own)
        if right >= NEEDED[settings.headphone_method]:
            return None
    return {"kind": "headphones-failed", "can_retry": False}, None


def _trials(here: Place) -> tuple[Step, Trial | None] | None:
    """The next trial, or the break before it, while there are trials."""
    asked = [trial for trial in here.of_kind(*ASKED) if trial.id not in here.answers]
    if not asked:
        return None
    settings, trial = here.settings, asked[0]
    following = asked[1] if len(asked) > 1 else None
    total = len(here.of_kind(*COUNTED))
    if trial.kind != "practice" and settings.break_every and here.done:
        number, over = divmod(here.done, settings.break_every)
        if over == 0 and f"break-{number}" not in here.steps:
            pause = {
                "kind": "break", "id": f"break-{number}", "done": here.done, "total": total,
                "seconds": _BREAK_SECONDS,
            }  # fmt: skip
            return pause, trial
    practice = trial.kind == "practice"
    own = here.of_kind("practice")
    left = sum(one.kind == "practice" for one in asked)
    return {
        "kind": "trial", "practice": practice, "trial": trial.code, "clips": _clips(trial),
        "instrument": trial.instrument, "focus": settings.focus,
        "sure": settings.confidence, "must_hear": settings.must_hear,
        "replays": settings.replays, "length": settings.excerpt,
        "number": len(own) - left + 1 if practice else here.done + 1,
        "of": len(own) if practice else total,
    }, following  # fmt: skip


def _done(here: Place) -> Step:
    settings = here.settings
    secret = hashlib.sha256(here.listener.token.encode()).hexdigest()[:6]
    own = f"{secret}-{here.listener.number + 1:04d}".upper()
    code = settings.completion_code or own
    redirect = settings.redirect.replace("{code}", code)
    redirect = redirect.replace("{id}", here.listener.external_id or "")
    return {
        "kind": "done",
        "number": here.listener.number + 1,
        "code": code if settings.completion == "code" else None,
        "redirect": redirect if settings.completion == "redirect" else None,
    }


def _clips(trial: Trial) -> list[str]:
    return [clip for clip in (trial.x_clip, trial.a_clip, trial.b_clip) if clip is not None]


def _question(question: Question) -> dict[str, Any]:
    return {
        "id": question.id, "label": question.label, "kind": question.kind,
        "options": list(question.options), "required": question.required,
    }  # fmt: skip


def name_of(step: Mapping[str, Any]) -> str:
    """What the step that comes next is called when it is taken; empty where none can be."""
    kind = step["kind"]
    if kind == "headphones-failed":
        return "headphones-retry" if step["can_retry"] else ""
    if kind == "break":
        return str(step["id"])
    return kind if kind in ("consent", "level", "questionnaire") else ""
