"""What an experimenter decides about a study: one frozen record, checked, in and out as JSON.

The defaults are those of CSN's listening test (section 4.2.3, table 3); what no paper states is
marked "ours". A study is replicated from its settings and its seed alone.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final

from csn.instruments import INSTRUMENTS
from listening_test.errors import StudyError
from listening_test.triplets import MIX

FORMAT: Final = "stemwise-study-1"

PROTOCOLS: Final = ("track", "criterion", "triplets")
FOCI: Final = ("overall", "timbre", "rhythm", "melody")
HEADPHONES: Final = ("off", "recorded", "gate")
METHODS: Final = ("woods", "huggins")
NEEDED: Final = {"woods": 5, "huggins": 6}
"""Right answers of six with which a headphone check is passed; see ``screening``."""

ORDERS: Final = ("full", "blocks")
LANGUAGES: Final = ("en", "ja")
QUESTION_KINDS: Final = ("choice", "number", "text", "scale")

CONSENT: Final = {
    "en": (
        "You will hear short pieces of music and say which of two sounds more like a third.\n\n"
        "Your answers are stored without your name. You may stop at any time by closing the "
        "page, and come back to where you were with the same link. If you want your answers to "
        "be removed, tell the experimenter the number that is shown at the end."
    ),
    "ja": (
        "短い音楽をいくつか聴き、二つの音のうちどちらが基準の音に似ているかを答えていただきます。\n\n"
        "回答は名前と結びつけずに保存されます。ページを閉じればいつでも中断でき、同じリンクから"
        "続きを再開できます。回答の削除を希望される場合は、最後に表示される番号を実験者に"
        "お知らせください。"
    ),
}
"""The consent text of a new study, by language; a laboratory replaces it by its own."""

_SLACK: Final = 1.35  # part of a trial that is not listening once: comparing again, answering
_ADDRESS: Final = re.compile(r"https?://[^\s]+", re.IGNORECASE)


@dataclass(frozen=True)
class Question:
    """A question of the closing questionnaire.

    Attributes:
        id: name of its column in the export; letters, digits and underscores.
        label: what the listener reads.
        kind: ``choice``, ``number``, ``text`` or ``scale`` (the options are its steps).
        options: for ``choice`` and ``scale``.
        required: whether it must be answered.
    """

    id: str
    label: str
    kind: str = "text"
    options: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class Exclusion:
    """Who is left out of the analysis, decided before anybody listens; None switches a rule off.

    Attributes:
        catch: least part of the catch trials that must be right.
        fastest: least median time for an answer, seconds.
        one_sided: greatest part of the answers on one side.
        headphones: whether a listener must have passed the headphone check.
    """

    catch: float | None = None
    fastest: float | None = None
    one_sided: float | None = None
    headphones: bool = False


@dataclass(frozen=True)
class Settings:
    """A study.

    Attributes:
        title: for experimenters; listeners never see it.
        library: name of the embedded corpus whose pieces are heard (``demo`` comes along).
        protocol: ``track`` (CSN), ``criterion`` (IND) or ``triplets`` (imported).
        instruments: what is asked about; ``mix`` only with ``criterion`` and ``triplets``.
        per_instrument: pieces X (``track``) or sets (``criterion``) for each instrument.
        sets: which of {x, a, b} (1) and {x, y, c} (2) are asked.
        excerpt: length of what is heard, seconds.
        stimuli: ``stem`` (the instrument alone) or ``mix`` (everything, asked about one).
        source: the model's input that decides its choice: ``mix`` or ``stem``.
        focus: which likeness is asked about: overall, timbre, rhythm or melody.
        confidence: whether "are you sure?" is asked (IND).
        must_hear: seconds of each sound that must have been heard; ours.
        replays: most starts of each sound; 0 for any number.
        headphones: ``off``, ``recorded`` or ``gate`` (only who passes goes on).
        headphone_method: ``woods`` (Woods et al. 2017) or ``huggins`` (Milne et al. 2021).
        practice: number of practice trials, with feedback; ours.
        break_every: a break after so many trials; 0 for none; ours.
        catch: catch trials for each listener, where one candidate is x itself.
        repeats: trials for each listener that come again with the sides swapped.
        order: ``full`` (everything mixed) or ``blocks`` (one instrument after the other).
        trials: triplets for each listener; None for all of them.
        listeners: how many are wanted; the open link closes after that; 0 for any number.
        consent: what a listener agrees to; empty takes the language's own text.
        questions: the closing questionnaire.
        exclusion: the rules of exclusion.
        language: of everything a listener reads.
        completion: ``code``, ``redirect`` or ``none``.
        completion_code: shown at the end; empty gives each listener one of their own.
        redirect: where a listener goes at the end; ``{code}`` and ``{id}`` are filled in.
        lab: whether sound comes from this computer's own device rather than the browser.
        split: use only pieces of this split of the corpus; empty for all.
        triplets: for ``triplets``: the imported rows, see ``protocols.imported``.
        seed: of everything random.
    """

    title: str = "Untitled study"
    library: str = "demo"
    protocol: str = "track"
    instruments: tuple[str, ...] = INSTRUMENTS[:4]
    per_instrument: int = 8
    sets: tuple[int, ...] = (1, 2)
    excerpt: float = 10.0
    stimuli: str = "stem"
    source: str = "mix"
    focus: str = "overall"
    confidence: bool = False
    must_hear: float = 3.0
    replays: int = 0
    headphones: str = "off"
    headphone_method: str = "woods"
    practice: int = 2
    break_every: int = 16
    catch: int = 0
    repeats: int = 0
    order: str = "full"
    trials: int | None = None
    listeners: int = 0
    consent: str = ""
    questions: tuple[Question, ...] = ()
    exclusion: Exclusion = field(default_factory=Exclusion)
    language: str = "en"
    completion: str = "code"
    completion_code: str = ""
    redirect: str = ""
    lab: bool = False
    split: str = ""
    triplets: tuple[Mapping[str, Any], ...] = ()
    seed: int = 0

    @property
    def consent_text(self) -> str:
        """What the listener agrees to, in the study's language."""
        return self.consent.strip() or CONSENT[self.language]

    @property
    def asked(self) -> int:
        """Triplets that this study will make."""
        if self.protocol == "triplets":
            return len(self.triplets)
        sets = len(self.sets) if self.protocol == "track" else 1
        return self.per_instrument * len(self.instruments) * sets

    @property
    def shown(self) -> int:
        """Trials that count, of one listener: triplets, catch trials and repeats."""
        own = self.asked if self.trials is None else min(self.trials, self.asked)
        return own + self.catch + self.repeats

    @property
    def minutes(self) -> float:
        """How long one listener will need, estimated: every sound once and some again."""
        trial = 3 * self.excerpt * _SLACK + 3.0
        breaks = (self.shown - 1) // self.break_every if self.break_every else 0
        check = 0.0 if self.headphones == "off" else 90.0
        asked = 12.0 * len(self.questions)
        seconds = (self.shown + self.practice) * trial + breaks * 30.0 + check + asked + 75.0
        return seconds / 60.0

    def check(self) -> "Settings":
        """Make sure that the settings make sense together.

        Returns:
            The settings themselves.

        Raises:
            StudyError: the first thing that does not, and what to do about it.
        """
        for problem in self._problems():
            raise StudyError(problem)
        return self

    def _problems(self) -> list[str]:
        choices = {
            "protocol": PROTOCOLS, "focus": FOCI, "headphones": HEADPHONES, "order": ORDERS,
            "headphone_method": METHODS, "language": LANGUAGES, "stimuli": ("stem", "mix"),
            "source": ("mix", "stem"), "completion": ("code", "redirect", "none"),
        }  # fmt: skip
        found = [
            f"{name} is {getattr(self, name)!r}; choose one of {', '.join(values)}."
            for name, values in choices.items()
            if getattr(self, name) not in values
        ]
        bounds: dict[str, tuple[float, float]] = {
            "per_instrument": (1, 500), "excerpt": (1, 30), "must_hear": (0, self.excerpt),
            "replays": (0, 100), "practice": (0, 10), "break_every": (0, 1000), "catch": (0, 50),
            "repeats": (0, 100), "listeners": (0, 1_000_000), "seed": (0, 2**63 - 1),
        }  # fmt: skip
        found += [
            f"{name} is {getattr(self, name)}; it must lie between {low:g} and {high:g}."
            for name, (low, high) in bounds.items()
            if not low <= getattr(self, name) <= high
        ]
        if not self.title.strip():
            found.append("The study has no title; give it one.")
        known = INSTRUMENTS if self.protocol == "track" else (*INSTRUMENTS, MIX)
        if self.protocol != "triplets":
            if not self.instruments or len({*self.instruments}) < len(self.instruments):
                found.append("Choose at least one instrument, and each only once.")
            found += [
                f"The protocol {self.protocol} cannot ask about {name!r}; it knows: "
                f"{', '.join(known)}."
                for name in self.instruments
                if name not in known
            ]
        elif not self.triplets:
            found.append("No triplets were imported yet; choose a CSV file of triplets.")
        if self.protocol == "track" and (not self.sets or {*self.sets} - {1, 2}):
            found.append("Choose set 1, set 2 or both.")
        if self.trials is not None and self.trials < 1:
            found.append("A listener needs at least one trial.")
        if not found and self.repeats > self.shown - self.catch - self.repeats:
            found.append("There are more repeats than trials that could be repeated.")
        if self.completion == "redirect" and not _ADDRESS.fullmatch(self.redirect):
            found.append("The redirect at the end must be a whole address, https://….")
        return found + self._question_problems()

    def _question_problems(self) -> list[str]:
        found = []
        seen: set[str] = set()
        for question in self.questions:
            if not re.fullmatch(r"[A-Za-z]\w{0,39}", question.id) or question.id in seen:
                found.append(
                    f"The question {question.label!r} needs an id of its own: letters, digits "
                    "and underscores."
                )
            seen.add(question.id)
            if question.kind not in QUESTION_KINDS:
                found.append(f"A question cannot be of the kind {question.kind!r}.")
            if question.kind in ("choice", "scale") and len(question.options) < 2:
                found.append(f"The question {question.label!r} needs at least two options.")
        rules = self.exclusion
        for name in ("catch", "one_sided"):
            value = getattr(rules, name)
            if value is not None and not 0 <= value <= 1:
                found.append(f"The exclusion rule {name} is a part between 0 and 1, not {value}.")
        if rules.catch is not None and self.catch == 0:
            found.append("There is a rule about catch trials, but no catch trials.")
        if rules.headphones and self.headphones == "off":
            found.append("There is a rule about headphones, but no headphone check.")
        return found

    def to_json(self) -> str:
        """The settings as a text that ``from_json`` reads again."""
        return json.dumps({"format": FORMAT} | asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes, *, check: bool = True) -> "Settings":
        """Read settings.

        Args:
            text: what ``to_json`` made, perhaps by another version, on another computer.
            check: whether they must make sense together, as a draft's need not.

        Raises:
            StudyError: it is no study, or has fields that this version does not know.
        """
        try:
            values = json.loads(text)
            if values.pop("format") != FORMAT:
                raise ValueError("it has another format")
        except (ValueError, KeyError, AttributeError, TypeError, UnicodeDecodeError) as error:
            raise StudyError(f"This is not a study file of Stemwise ({error}).") from error
        values.pop("made_with", None)
        unknown = {*values} - {item.name for item in fields(cls)}
        if unknown:
            raise StudyError(
                f"The study file has settings that this version does not know: "
                f"{', '.join(sorted(unknown))}; update Stemwise or remove them."
            )
        try:
            for name in ("instruments", "sets", "triplets"):
                if name in values:
                    values[name] = tuple(values[name])
            values["questions"] = tuple(
                Question(**(row | {"options": tuple(row.get("options", ()))}))
                for row in values.get("questions", ())
            )
            values["exclusion"] = Exclusion(**values.get("exclusion", {}))
            settings = cls(**values)
            return settings.check() if check else settings
        except (TypeError, AttributeError, ValueError) as error:
            raise StudyError(f"The study file cannot be used: {error}.") from error


CSN_TABLE_3: Final = Settings(title="Music similarity by track")
"""CSN, section 4.2.3: 4 instruments × 8 pieces × 2 sets = 64 trials."""

IND_TABLE_4: Final = Settings(
    title="Music similarity by criterion",
    protocol="criterion",
    instruments=(MIX, *INSTRUMENTS[:4]),
    confidence=True,
)
"""IND, section 4.3: 5 criteria × 8 sets = 40 trials, each with "are you sure?"."""

RECOMMENDED: Final = replace(
    CSN_TABLE_3,
    headphones="recorded",
    practice=3,
    catch=4,
    repeats=6,
    exclusion=Exclusion(catch=0.75, fastest=3.0, one_sided=0.9),
    questions=(
        Question("age", "How old are you?", "number"),
        Question("instrument_years", "For how many years have you played an instrument?", "number"),
        Question("remarks", "Is there anything you want to tell us?", "text"),
    ),
)
"""CSN's test with what good practice adds: headphone check, catch trials, swapped repeats."""

PRESETS: Final = {"csn": CSN_TABLE_3, "ind": IND_TABLE_4, "recommended": RECOMMENDED}
