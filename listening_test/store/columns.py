"""Every column of the exported tables: its name, its kind and what it means, said in one place."""

from dataclasses import dataclass
from typing import Final

from listening_test.triplets import INPUTS, SPACES

TYPES: Final = {
    "text": "str",
    "integer": "Int64",
    "number": "float64",
    "yes/no": "boolean",
    "time": "datetime64[ms, UTC]",
}
"""Kinds of columns, and how pandas stores them."""


@dataclass(frozen=True)
class Item:
    """A column.

    Attributes:
        name: in CSV and Parquet.
        kind: one of ``TYPES``.
        meaning: for the codebook; an empty cell means "does not apply" or "not known".
        unit: of numbers.
        free: whether people typed it: a spreadsheet might take it for a formula.
    """

    name: str
    kind: str
    meaning: str
    unit: str = ""
    free: bool = False


_WHOSE: Final = (
    Item("study", "text", "Title of the study.", free=True),
    Item("study_id", "integer", "Number of the study in its database."),
    Item("version", "integer", "Version of the study; a launched version never changes."),
    Item("listener_id", "integer", "Number of the listener in the database, over all studies."),
    Item("listener", "integer", "Number of the listener in this version, from 1."),
    Item("external_id", "text", "Number that a recruitment panel gave the listener.", free=True),
    Item("simulated", "yes/no", "Whether the listener is a simulation and no person."),
)

_EXCLUDED: Final = (
    Item("excluded", "yes/no", "Whether a rule stated before the study leaves the listener out."),
    Item("exclusion", "text", "Words of those rules."),
)


def _distances() -> tuple[Item, ...]:
    heard = {"mix": "the mix", "stem": "the sound that is asked about, alone"}
    return tuple(
        Item(
            f"{source}_{space}_{which}",
            "number",
            f"Model's distance of X and the {which} candidate, given {heard[source]}, in "
            + ("all five subspaces together." if space == "whole" else f"the {space} subspace."),
        )
        for source in INPUTS
        for space in SPACES
        for which in ("first", "second")
    )


ANSWERS: Final = (
    *_WHOSE,
    Item("settings_sha256", "text", "Hash of the version's settings."),
    Item("seed", "integer", "Seed of the study's triplets and schedules."),
    Item("answer_id", "text", "UUID of the answer, made by the listener's browser."),
    Item("position", "integer", "Place in all that this listener heard, from 0."),
    Item("kind", "text", "trial; catch (one candidate is X itself); repeat (a trial again with "
         "sides exchanged); practice; headphones (three intervals, one is right)."),
    Item("block", "integer", "Block of the schedule, from 0."),
    Item("attempt", "integer", "Attempt at the headphone check, from 1; 0 elsewhere."),
    Item("instrument", "text", "What was asked about: an instrument, or mix."),
    Item("focus", "text", "Likeness that was asked about: overall, timbre, rhythm or melody."),
    Item("stimuli", "text", "What was heard: stem (the instrument alone) or mix."),
    Item("protocol", "text", "track (CSN), criterion (IND) or triplets (imported)."),
    Item("set", "integer", "1 for {x, a, b}, 2 for {x, y, c}; 0 where there are no sets."),
    Item("triplet", "integer", "Number of the triplet in this version."),
    Item("triplet_id", "integer", "Number of the triplet in the database, over all studies."),
    Item("x_piece", "text", "Piece of X.", free=True),
    Item("x_start", "number", "Where X begins in its piece.", "s"),
    Item("a_piece", "text", "Piece heard as A.", free=True),
    Item("a_start", "number", "Where A begins in its piece.", "s"),
    Item("b_piece", "text", "Piece heard as B.", free=True),
    Item("b_start", "number", "Where B begins in its piece.", "s"),
    Item("a_role", "text", "Role of A in the protocol: a or b; y or c; positive or negative; "
         "x where it is X itself."),
    Item("b_role", "text", "Role of B in the protocol."),
    Item("swapped", "yes/no", "Whether A was the triplet's second candidate."),
    Item("choice", "text", "What the listener took: A or B; 1, 2 or 3 in the headphone check."),
    Item("chosen", "text", "Role of what the listener took."),
    Item("chosen_first", "yes/no", "Whether that is the triplet's first candidate."),
    Item("right", "yes/no", "Whether it is right, where there is a right answer."),
    Item("sure", "yes/no", "Answer to: are you sure?"),
    Item("space", "text", "Space whose distances decide what the model takes."),
    Item("source", "text", "Model's input whose distances decide: mix or stem."),
    Item("margin", "number", "Distance of the second candidate minus that of the first there; "
         "above 0 the model takes the first."),
    Item("model_choice", "text", "What the model would have taken: A or B; empty if it cannot "
         "tell."),
    Item("model_chosen", "text", "Role of what the model would have taken."),
    Item("agrees", "yes/no", "Whether listener and model took the same."),
    *_distances(),
    Item("repeat_of", "integer", "For a repeat: position of the trial that came again."),
    Item("repeated_same", "yes/no", "For a repeat: whether the same candidate was taken again."),
    Item("elapsed", "number", "From the question to the answer, by the browser's clock.", "s"),
    Item("heard_x", "number", "How much of X was heard.", "s"),
    Item("heard_a", "number", "How much of A was heard.", "s"),
    Item("heard_b", "number", "How much of B was heard.", "s"),
    Item("plays_x", "integer", "How often X was started."),
    Item("plays_a", "integer", "How often A was started."),
    Item("plays_b", "integer", "How often B was started."),
    Item("leaves", "integer", "How often the window was left during the trial."),
    Item("away", "number", "For how long it was left.", "s"),
    Item("saved_at", "time", "When the answer was saved, by the server's clock (UTC)."),
    Item("headphones_right", "integer", "Listener's right answers in the last headphone check."),
    *_EXCLUDED,
    Item("model", "text", "Hash of the model."),
    Item("corpus", "text", "Fingerprint of the corpus."),
    Item("app_version", "text", "Version of Stemwise that saved the answer."),
)  # fmt: skip

LISTENERS: Final = (
    *_WHOSE,
    Item("label", "text", "The experimenter's own words.", free=True),
    Item("invited_at", "time", "When the listener was invited or came by the open link (UTC)."),
    Item("started_at", "time", "When the listener agreed to take part (UTC)."),
    Item("last_at", "time", "When the last answer was saved (UTC)."),
    Item("answers", "integer", "Answered trials, catch trials and repeats."),
    Item("asked", "integer", "Those that were to be answered."),
    Item("catch_trials", "integer", "Answered catch trials."),
    Item("catch_right", "integer", "Right ones among them."),
    Item("median_seconds", "number", "Median time for an answer.", "s"),
    Item("fast_share", "number", "Part of the answers faster than the limit: that of the rule of "
         "exclusion, else 3 s."),
    Item("a_share", "number", "Part of the answers that are A."),
    Item("side_p", "number", "Two-sided p of the exact binomial test of that part against 1/2."),
    Item("longest_run", "integer", "Longest run of answers on one side."),
    Item("longest_alternation", "integer", "Longest run of answers that alternate."),
    Item("repeats", "integer", "Repeats of which both answers are there."),
    Item("repeats_same", "integer", "Those with the same candidate taken."),
    Item("headphones_right", "integer", "Right answers in the last headphone check."),
    Item("headphones_passed", "yes/no", "Whether they suffice."),
    Item("leaves", "integer", "How often the window was left during trials."),
    Item("away_seconds", "number", "For how long it was left.", "s"),
    Item("away_share", "number", "The same as part of the time for all answers."),
    Item("flags", "text", "What looks careless; a hint, which leaves nobody out."),
    *_EXCLUDED,
)  # fmt: skip

EVENTS: Final = (
    *_WHOSE,
    Item("position", "integer", "Place of the trial in all that this listener heard, from 0."),
    Item("event", "text", "play, pause, ended, dropout (the laboratory's device ran dry), shown, "
         "blur, focus, hidden, visible, …"),
    Item("clip", "text", "X, A or B; or the number of the only sound."),
    Item("seconds", "number", "Where in the sound.", "s"),
    Item("at", "time", "When, by the browser's clock (UTC)."),
    Item("saved_at", "time", "When it was saved, by the server's clock (UTC)."),
)  # fmt: skip

QUESTIONNAIRE: Final = (
    *_WHOSE,
    Item("question", "text", "Id of the question."),
    Item("label", "text", "What the listener read.", free=True),
    Item("kind", "text", "choice, number, text or scale."),
    Item("value", "text", "What the listener answered.", free=True),
    Item("saved_at", "time", "When it was saved, by the server's clock (UTC)."),
)

TABLES: Final = {
    "answers": ANSWERS,
    "listeners": LISTENERS,
    "events": EVENTS,
    "questionnaire": QUESTIONNAIRE,
}
"""Every table that is exported."""

ABOUT: Final = {
    "answers": "One row for each answer, in the order in which each listener gave them.",
    "listeners": "One row for each listener, also for those who have not answered yet.",
    "events": "What each listener's browser reported.",
    "questionnaire": "One row for each answered question of the closing questionnaire.",
}
"""What a row of each table is."""
