"""The sections of the design form: what is asked, what is heard, order and quality, words, end."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final

import streamlit as st

from csn.instruments import INSTRUMENTS
from listening_test.study import CONSENT, PROTOCOLS, Exclusion, Settings
from listening_test.triplets import MIX
from listening_test.wording import question
from pages import libraries
from pages.studies.form import Form
from pages.studies.imported import imported
from pages.studies.questions import questionnaire
from pages.studies.words import CHOICES, LABELS, PROTOCOL_LINES

_WORDS: Final = {MIX: "Mix (everything)"}
_NO_RULE: Final = "{} for no rule."


def draw(form: Form) -> None:
    """Draw all of them."""
    form.text("title", "For you and your colleagues; listeners never see it.")
    sections: tuple[tuple[str, str, Callable[[Form], None]], ...] = (
        ("What is asked", "The question, and about how much.", _asked),
        ("What is heard", "Where the music comes from, and how it is played.", _heard),
        ("Order and quality", "What tells careful answers from careless ones.", _quality),
        ("The listener's words", "What they agree to, and what you ask them at the end.", _said),
        ("End", "How many you want, and where they go afterwards.", _end),
    )
    for title, line, section in sections:
        with _section(title, line):
            section(form)


def shape(settings: Settings) -> tuple[object, ...]:
    """The settings on which it depends what is drawn: when one changes, all is drawn again.

    Not at every change, because that would close what somebody has just opened elsewhere.
    """
    named = (settings.protocol, settings.headphones, settings.completion, settings.language)
    return (*named, settings.focus, settings.instruments, len(settings.triplets))


def _section(title: str, line: str) -> AbstractContextManager[object]:
    box = st.container(border=True)
    box.markdown(f"#### {title}\n:gray[{line}]")
    return box


def _asked(form: Form) -> None:
    settings = form.settings
    words = CHOICES["protocol"]
    form.values["protocol"] = st.radio(
        LABELS["protocol"], PROTOCOLS, PROTOCOLS.index(settings.protocol),
        key=form.key_of("protocol"),
        format_func=lambda value: words[value], captions=PROTOCOL_LINES, disabled=form.frozen,
    )  # fmt: skip
    if settings.protocol == "triplets":
        imported(form)
    else:
        known = INSTRUMENTS if settings.protocol == "track" else (MIX, *INSTRUMENTS)
        form.several("instruments", known, _WORDS)
    form.one(
        "focus",
        "The question: more like x overall, or in timbre, rhythm or melody. With timbre, listeners "
        "agreed most often with the model in the journal version of CSN.",
    )
    _question(settings)
    left, right = st.columns(2)
    with left:
        if settings.protocol != "triplets":
            form.number("per_instrument", 1, 500)
    with right:
        form.maybe(
            "trials", 100_000,
            "0: every listener answers all sets. Otherwise sets are dealt out so that each is "
            "answered equally often.",
        )  # fmt: skip
    if settings.protocol == "track":
        form.several("sets", (1, 2), CHOICES["sets"], "Set 1: x and two other pieces. "
                     "Set 2: x, another part of its own piece (y), and another piece.")  # fmt: skip
    form.switch("confidence", "After every answer: sure, or not sure (IND).")


def _question(settings: Settings) -> None:
    """What the listener will read."""
    rows = settings.triplets if settings.protocol == "triplets" else ()
    names = [*settings.instruments, *(str(row.get("instrument")) for row in rows)]
    known = next((name for name in names if name in (MIX, *INSTRUMENTS)), None)
    if known is not None:
        st.caption(f"Listeners read: “{question(settings, known)}”")


def _heard(form: Form) -> None:
    settings = form.settings
    found = list(libraries.folders())
    names = found if settings.library in found else [settings.library, *found]
    left, right = st.columns(2)
    with left:
        form.values["library"] = st.selectbox(
            LABELS["library"], names, names.index(settings.library),
            key=form.key_of("library"), disabled=form.frozen,
            help="The embedded corpus whose pieces are heard. Its model's hash is recorded.",
        )  # fmt: skip
    with right:
        form.text("split", "Use only this part of the corpus, for instance test; empty for all.",
                  empty="all")  # fmt: skip
    form.one("stimuli")
    form.one(
        "source",
        "The model decides by the distance between these. The mix is the honest case: it never "
        "hears the instrument alone. All distances are recorded either way.",
    )
    columns = st.columns(3)
    with columns[0]:
        form.number("excerpt", 1.0, 30.0, step=0.5)
    with columns[1]:
        form.number(
            "must_hear", 0.0, 30.0,
            "How long each sound must have been heard before an answer counts; 0 for no rule.",
            step=0.5,
        )  # fmt: skip
    with columns[2]:
        form.number("replays", 0, 100, "0 for any number.")
    form.switch(
        "lab",
        "Sound comes out of the computer that runs Stemwise, through a device that you choose, "
        "instead of the listener's browser.",
    )


def _quality(form: Form) -> None:
    settings = form.settings
    form.one("order")
    columns = st.columns(4)
    with columns[0]:
        form.number("practice", 0, 10, "With feedback; not counted. Ours.")
    with columns[1]:
        form.number("break_every", 0, 1000, "After so many trials; 0 for no breaks. Ours.")
    with columns[2]:
        form.number("catch", 0, 50, "One of the two is x itself: whoever listens gets it right.")
    with columns[3]:
        form.number("repeats", 0, 100, "Sets that come again with A and B exchanged.")
    left, right = st.columns(2)
    with left:
        form.one(
            "headphones",
            "Six sounds that are only told apart on headphones. Recorded: everybody goes on. "
            "Must be passed: five of six right, with one more try.",
        )
    with right:
        if settings.headphones != "off":
            form.one("headphone_method")
    _exclusion(form)
    with st.columns(4)[0]:
        form.number("seed", 0, 2**53 - 1, "The same seed makes the same study again.")


def _exclusion(form: Form) -> None:
    """Who is left out, decided before anybody listens."""
    rules = form.settings.exclusion
    st.markdown(
        "**Who is left out** :gray[· decided now, applied in the export and the results, "
        "and always shown]"
    )
    left, right = st.columns(2)
    catch = _percent(form, left, "Catch trials right, at least %", "catch", 0)
    sided = _percent(form, right, "Answers on one side, at most %", "one_sided", 100)
    with left:
        fastest = st.number_input(
            "Median time for an answer, at least s", 0.0, 60.0, rules.fastest or 0.0, step=0.5,
            format="%g", key=form.key_of("fastest"), disabled=form.frozen, help=_NO_RULE.format(0),
        )  # fmt: skip
    with right:
        headphones = st.selectbox(
            "Headphone check passed", [False, True], int(rules.headphones),
            key=form.key_of("passed"),
            format_func=lambda value: "required" if value else "no rule", disabled=form.frozen,
        )  # fmt: skip
    form.values["exclusion"] = replace(
        Exclusion(), catch=catch, one_sided=sided, fastest=fastest or None, headphones=headphones
    )


def _percent(
    form: Form, place: AbstractContextManager[object], label: str, name: str, nothing: int
) -> float | None:
    value: float | None = getattr(form.settings.exclusion, name)
    start = nothing if value is None else round(100 * value)
    with place:
        said = st.number_input(
            label, 0, 100, start, step=5, key=form.key_of(f"rule-{name}"), disabled=form.frozen,
            help=_NO_RULE.format(nothing),
        )  # fmt: skip
    if said == start:
        return value  # a part that is no whole percentage stays what it was
    return None if said == nothing else said / 100


def _said(form: Form) -> None:
    settings = form.settings
    form.one("language", "Of everything that the listener reads.")
    # The key has the language: its own text appears when the language changes.
    key = f"consent-{settings.language}"
    text = st.text_area(
        LABELS["consent"], settings.consent_text, height=170, key=form.key_of(key),
        disabled=form.frozen,
        help="An empty line makes a new paragraph. Delete everything to get Stemwise's text back.",
    )  # fmt: skip
    own = text.strip() in ("", CONSENT[settings.language].strip())
    form.values["consent"] = "" if own else text
    questionnaire(form)


def _end(form: Form) -> None:
    settings = form.settings
    with st.columns(2)[0]:
        form.number("listeners", 0, 1_000_000, "The open link closes after that; 0 for any number.")
    form.one("completion")
    if settings.completion == "code":
        form.text(
            "completion_code", "The same for everybody, as recruitment panels want it.",
            most=80, empty="empty: each listener gets a code of their own",
        )  # fmt: skip
    elif settings.completion == "redirect":
        form.text(
            "redirect", "`{code}` and `{id}` are filled in. Prolific shows you this address when "
            "you make the study there.", most=500,
            empty="https://app.prolific.com/submissions/complete?cc=…",
        )  # fmt: skip
        form.text("completion_code", "Fills in `{code}`; empty: one for each listener.", most=80)
