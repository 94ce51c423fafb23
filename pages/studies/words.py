"""What experimenters read about a study: names of its settings, and how it differs from a paper."""

import time
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from listening_test.study import CSN_TABLE_3, IND_TABLE_4, PRESETS, Settings
from listening_test.triplets import MIX

PRESET_NAMES: Final = {
    "csn": "As published: CSN, table 3",
    "ind": "As published: IND, table 4",
    "recommended": "Recommended",
}
PRESET_LINES: Final = {
    "csn": "“Which of A and B is more like X?” for drums, bass, piano and guitar.",
    "ind": "Is the model's criterion the listeners' own? With “are you sure?”, mixes included.",
    "recommended": "CSN's test with headphone check, catch trials, repeats and rules of exclusion.",
}

STATES: Final = {"draft": "gray", "live": "green", "closed": "blue"}
"""A version's state and the colour of its badge."""

LABELS: Final = {
    "title": "Title", "library": "Library", "protocol": "Protocol", "instruments": "Instruments",
    "per_instrument": "Pieces x per instrument", "sets": "Kinds of set",
    "excerpt": "Excerpt, seconds", "stimuli": "What is played",
    "source": "What the model hears", "focus": "Focus",
    "confidence": "Ask “are you sure?”", "must_hear": "Must be heard, seconds",
    "replays": "Most plays of a sound", "headphones": "Headphone check",
    "headphone_method": "Method", "practice": "Practice trials", "break_every": "Break every",
    "catch": "Catch trials", "repeats": "Swapped repeats", "order": "Order",
    "trials": "Sets per listener", "listeners": "Listeners wanted", "consent": "Consent text",
    "questions": "Questionnaire", "exclusion": "Rules of exclusion", "language": "Language",
    "completion": "At the end", "completion_code": "Code", "redirect": "Address to go on to",
    "lab": "Play on this computer", "split": "Split", "triplets": "Triplets", "seed": "Seed",
}  # fmt: skip
"""The name of every setting, as it stands beside its control."""

CHOICES: Final[Mapping[str, Mapping[Any, str]]] = {
    "protocol": {
        "track": "By track", "criterion": "By criterion", "triplets": "My own triplets",
    },
    "sets": {1: "Set 1: x, a, b", 2: "Set 2: x, y, c"},
    "stimuli": {"stem": "The instrument alone", "mix": "The whole mix"},
    "source": {"mix": "The mix", "stem": "The instrument alone"},
    "focus": {"overall": "Overall", "timbre": "Timbre", "rhythm": "Rhythm", "melody": "Melody"},
    "headphones": {"off": "Off", "recorded": "Recorded", "gate": "Must be passed"},
    "headphone_method": {"woods": "Woods et al. 2017", "huggins": "Huggins pitch"},
    "order": {"full": "Everything mixed", "blocks": "One instrument after the other"},
    "language": {"en": "English", "ja": "日本語"},
    "completion": {"code": "Show a code", "redirect": "Go on to an address", "none": "Thanks only"},
}  # fmt: skip
"""Settings that are chosen from a few, with the words for each."""

PROTOCOL_LINES: Final = (
    "CSN, table 3: x against two other pieces, or against its own piece and another.",
    "IND, table 4: near x for the instrument asked about, against near x for another criterion.",
    "A CSV file that names the pieces and times.",
)

_PAPERS: Final = {"track": ("CSN", CSN_TABLE_3), "criterion": ("IND", IND_TABLE_4)}
STATED: Final = {
    "track": ("instruments", "per_instrument", "sets", "excerpt", "stimuli", "order", "confidence"),
    "criterion": ("instruments", "per_instrument", "excerpt", "stimuli", "confidence"),
}
"""What the papers state; everything else is our choice of a default."""

_OWN: Final = (
    "title", "library", "protocol", "listeners", "consent", "questions", "language", "completion",
    "completion_code", "redirect", "split", "triplets", "seed", "headphone_method",
)  # fmt: skip  # settings without influence on what is asked: no paper to differ from


def paper(settings: Settings) -> tuple[str, Settings] | None:
    """The short name of the paper whose protocol it is, and the settings as published."""
    return _PAPERS.get(settings.protocol)


def said(name: str, value: Any) -> str:  # noqa: PLR0911 - one line for each kind of value
    """A value of a setting in words."""
    if name == "exclusion":
        count = sum(rule not in (None, False) for rule in vars(value).values())
        return f"{count} rule{'' if count == 1 else 's'}" if count else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value) or "none"
    if name in CHOICES:
        return CHOICES[name].get(value, str(value)).lower()
    if value is None:
        return "all"
    if name in ("break_every", "catch", "repeats", "practice") and value == 0:
        return "none"
    if name == "replays" and value == 0:
        return "any number"
    return f"{value:g}" if isinstance(value, float) else str(value)


def label(settings: Settings, name: str) -> str:
    """The name of a setting, as it stands beside its control."""
    if name == "per_instrument" and settings.protocol != "track":
        return "Sets per instrument"
    return LABELS[name]


def hint(settings: Settings, name: str) -> str:
    """What the paper has for a setting, to stand beside its label; empty where it says nothing."""
    found = paper(settings)
    if found is None or name not in STATED[settings.protocol]:
        return ""
    short, published = found
    return f" :gray[· {short}: {said(name, getattr(published, name))}]"


def differences(settings: Settings) -> list[str]:
    """A line for every setting in which a study differs from the paper whose protocol it has."""
    found = paper(settings)
    if found is None:
        return []
    short, published = found
    return [
        f"{label(settings, item.name)}: {said(item.name, getattr(settings, item.name))} "
        f"({short}: {said(item.name, getattr(published, item.name))})"
        for item in fields(Settings)
        if item.name not in _OWN and getattr(settings, item.name) != getattr(published, item.name)
    ]


def settle(settings: Settings, before: Settings) -> Settings:
    """What follows by itself when a setting changes.

    The protocol ``track`` never asks about the mix; ``criterion`` starts as IND has it.
    """
    names = tuple(name for name in settings.instruments if name != MIX)
    if settings.protocol == "track":
        return replace(settings, instruments=names)
    if settings.protocol == "criterion" != before.protocol:
        return replace(settings, instruments=(MIX, *names), confidence=True)
    return settings


def arithmetic(settings: Settings) -> str:
    """How the number of trials comes about."""
    if settings.protocol == "triplets":
        text = f"{settings.asked} imported"
    else:
        text = f"{len(settings.instruments)} × {settings.per_instrument}"
        if settings.protocol == "track":
            text += f" × {len(settings.sets)}"
    if settings.trials is not None and settings.trials < settings.asked:
        text = f"{settings.trials} of {text}"
    for count, one, many in (
        (settings.catch, "catch trial", "catch trials"),
        (settings.repeats, "repeat", "repeats"),
    ):
        if count:
            text += f" + {count} {one if count == 1 else many}"
    return text


def preset_facts(name: str) -> str:
    """Trials and minutes of a preset."""
    settings = PRESETS[name]
    return f"{settings.shown} trials · about {settings.minutes:.0f} minutes"


def day(seconds: float | None) -> str:
    """A moment as its day, by the server's clock."""
    return "" if seconds is None else time.strftime("%-d %b %Y", time.localtime(seconds))


def ago(seconds: float | None, now: float | None = None) -> str:
    """How long a moment is past, in one or two words."""
    if seconds is None:
        return "not yet"
    gone = max((time.time() if now is None else now) - seconds, 0.0)
    for size, word in ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute")):
        if gone >= size:
            count = int(gone // size)
            return f"{count} {word}{'' if count == 1 else 's'} ago"
    return "just now"
