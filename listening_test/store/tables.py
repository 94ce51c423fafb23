"""What was answered, as tidy tables: one row a thing, the columns of ``columns.py``.

Previews are never in them, and neither is who withdrew. Simulated listeners are, and marked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype
from sqlalchemy import Row

from listening_test.quality import quality
from listening_test.steps import COUNTED
from listening_test.store import Store
from listening_test.store.columns import TABLES, TYPES
from listening_test.store.reading import read
from listening_test.study import Settings
from listening_test.triplets import INPUTS, ROLES

_AWAY: Final = ("leaves", "away", "away_seconds", "away_share")


@dataclass(frozen=True)
class Tables:
    """Everything about some versions; the columns are those of ``columns.TABLES``.

    Attributes:
        answers: one row for each answer.
        listeners: one row for each listener.
        events: one row for each event.
        questionnaire: one row for each answered question.
        settings: of each version, by ``(study_id, version)``.
        withdrawn: how many listeners of each version withdrew.
    """

    answers: pd.DataFrame
    listeners: pd.DataFrame
    events: pd.DataFrame
    questionnaire: pd.DataFrame
    settings: Mapping[tuple[int, int], Settings]
    withdrawn: Mapping[tuple[int, int], int]


def read_tables(
    store: Store,
    version_ids: Sequence[int] | None = None,
    *,
    events: bool = True,
    watched: bool = True,
) -> Tables:
    """Read everything that was answered.

    Args:
        store: the database.
        version_ids: of which versions; None for all.
        events: whether the (long) table of events is wanted too; else it is empty.
        watched: whether it is wanted how often sounds were started and the window was left, which
            takes as long as all else; without it these columns are empty, and nobody is flagged
            for leaving. No rule of exclusion asks for it.

    Raises:
        StudyError: there is no such version.
        StoreError: the database cannot be read.
    """
    raw = read(store, version_ids, events=events, watched=watched)
    settings = {
        row.version_id: Settings.from_json(row.settings, check=False) for row in raw.versions
    }
    versions = pd.DataFrame(
        [row._mapping for row in raw.versions],
        columns=[
            "version_id",
            "study",
            "study_id",
            "version",
            "settings_sha256",
            "model",
            "corpus",
        ],
    )
    listeners = raw.listeners.merge(versions, on="version_id")
    answers = raw.answers.merge(listeners, on="listener_id")
    answers = _described(answers, raw.triplets, raw.sounds, settings)
    answers = _watched(answers, raw.plays, raw.window)
    judged = pd.concat(
        [
            quality(answers[answers["version_id"] == version], own)
            for version, own in (settings or {0: Settings()}).items()
        ]
    )
    answers = answers.join(judged[["headphones_right", "excluded", "exclusion"]], on="listener_id")
    listeners = _progress(listeners, answers, raw.steps, raw.asked)
    listeners = listeners.join(judged.drop(columns="answers"), on="listener_id")
    listeners["excluded"] = listeners["excluded"].eq(True)
    if not watched:  # what nobody looked up is unknown, and not nought
        answers = answers.assign(**dict.fromkeys([*(f"plays_{s}" for s in "xab"), *_AWAY[:2]]))
        listeners = listeners.assign(**dict.fromkeys([_AWAY[0], *_AWAY[2:]]))
    keys = {row.version_id: (row.study_id, row.version) for row in raw.versions}
    return Tables(
        _tidy("answers", answers),
        _tidy("listeners", listeners),
        _tidy("events", _reported(raw.events, listeners)),
        _tidy("questionnaire", _questionnaire(raw.steps, listeners, settings)),
        {keys[version]: own for version, own in settings.items()},
        {keys[version]: count for version, count in raw.withdrawn.items()},
    )


def _described(
    answers: pd.DataFrame,
    triplets: pd.DataFrame,
    sounds: pd.DataFrame,
    settings: Mapping[int, Settings],
) -> pd.DataFrame:
    """What was heard on which side, what was taken, and what the model would have taken."""
    table = answers.merge(triplets, on="triplet_id", how="left")
    for side in "xab":
        table = table.merge(sounds.add_prefix(f"{side}_"), on=f"{side}_id", how="left")
    for name in ("focus", "stimuli", "seed"):
        of = {version: getattr(own, name) for version, own in settings.items()}
        table[name] = table["version_id"].map(of)
    catch = (table["kind"] == "catch").to_numpy()
    # In a catch trial X stands where the first candidate was: its distances are of other sounds.
    elsewhere = [name for name in map(str, triplets) if name.startswith(INPUTS)]
    table.loc[catch, [*elsewhere, "margin", "model_choice"]] = None
    two = table["triplet_id"].notna().to_numpy()
    swapped = table["swapped"].to_numpy(bool)
    taken = table["taken"].to_numpy(int)
    second = (taken == 1) != swapped
    roles = np.full((len(table), 2), None, object)
    for protocol_and_set, both in ROLES.items():
        protocol, which = protocol_and_set
        roles[(table["protocol"].eq(protocol) & table["set"].eq(which)).to_numpy(bool)] = both
    roles[catch, 0] = "x"
    first_role, second_role = roles.T
    table["a_role"] = np.where(swapped, second_role, first_role)
    table["b_role"] = np.where(swapped, first_role, second_role)
    table["choice"] = np.where(two, np.where(taken == 0, "A", "B"), (taken + 1).astype(str))
    table["chosen"] = np.where(second, second_role, first_role)
    table["chosen_first"] = _where(two, ~second)
    right = table["right_one"].to_numpy(float)
    table["right"] = _where(~np.isnan(right), right == taken)
    model = table["model_choice"].to_numpy(float)
    known = ~np.isnan(model)
    table["model_choice"] = _where(known, np.where((model == 1) != swapped, "B", "A"))
    table["model_chosen"] = _where(known, np.where(model == 1, second_role, first_role))
    table["agrees"] = _where(known, (model == 1) == second)
    return _repeated(table)


def _repeated(table: pd.DataFrame) -> pd.DataFrame:
    """For repeats, whether the same candidate was taken as before."""
    repeats = table[table["repeat_of"].notna()]
    keys = zip(table["listener_id"], table["position"], strict=True)
    before = dict(zip(keys, table["chosen_first"], strict=True)) if len(repeats) else {}
    again = zip(repeats["listener_id"], repeats["repeat_of"], strict=True)
    first = [before.get((who, where)) for who, where in again]
    same = [
        None if old is None else old == new
        for old, new in zip(first, repeats["chosen_first"], strict=True)
    ]
    table["repeated_same"] = pd.Series(same, repeats.index, object).reindex(table.index)
    return table


def _where(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The values where they are known, None elsewhere."""
    found = values.astype(object)
    found[~known] = None
    return found


def _watched(answers: pd.DataFrame, plays: pd.DataFrame, window: pd.DataFrame) -> pd.DataFrame:
    """How often each sound was started, and how often and long the window was left."""
    found = plays.set_index("trial_id").join(time_away(window), how="outer").fillna(0.0)
    answers = answers.join(found, on="trial_id")
    answers[found.columns] = answers[found.columns].fillna(0.0)
    for side in "ab":
        answers[f"plays_{side}"] = answers[f"plays_{side}"].where(answers[f"{side}_id"].notna())
    return answers


def time_away(window: pd.DataFrame) -> pd.DataFrame:
    """How often and for how long the window was left in each trial.

    Args:
        window: events of the kinds ``WINDOW`` with ``listener_id``, ``trial_id``, ``event`` and
            ``at`` (seconds), in the order in which they happened.

    Returns:
        ``leaves`` and ``away`` (seconds) by ``trial_id``, for trials in which that happened. A
        page that is shown again (after a reload) counts as being looked at.
    """
    who, kind = window["listener_id"], window["event"]
    state = pd.DataFrame(index=window.index)
    for name, gone, back in (("blurred", "blur", "focus"), ("hidden", "hidden", "visible")):
        known = kind.map({gone: 1.0, back: 0.0, "shown": 0.0}).astype(float)
        state[name] = known.groupby(who).ffill().fillna(0.0)
    away = state.max(axis=1) > 0
    until = window["at"].astype(float).groupby(who).shift(-1)
    lasted = (until - window["at"].astype(float)).clip(lower=0).fillna(0.0)
    was = away.astype(float).groupby(who).shift(1, fill_value=0.0) > 0
    found = pd.DataFrame(
        {
            "trial_id": window["trial_id"],
            "leaves": (away & ~was).astype(int),
            "away": lasted.where(away, 0.0),
        }
    )
    return found.groupby("trial_id").sum()


def _progress(
    listeners: pd.DataFrame, answers: pd.DataFrame, steps: Sequence[Row[Any]], asked: pd.DataFrame
) -> pd.DataFrame:
    started = {row.listener_id: row.saved_at for row in steps if row.step == "consent"}
    counted = answers[answers["kind"].isin(COUNTED)]
    who = listeners["listener_id"]
    return listeners.assign(
        started_at=who.map(started),
        last_at=who.map(answers.groupby("listener_id")["saved_at"].max()),
        answers=who.map(counted.groupby("listener_id").size()).fillna(0),
        asked=who.map(asked.set_index("listener_id")["asked"]).fillna(0),
    )


def _reported(events: pd.DataFrame, listeners: pd.DataFrame) -> pd.DataFrame:
    table = events.merge(listeners, on="listener_id")
    one = table["trial_kind"].isin(["headphones", "level"])
    letter = table["clip"].map({0: "X", 1: "A", 2: "B"}).astype(object)
    return table.assign(clip=letter.where(~one, table["clip"].map({0: "1", 1: "2", 2: "3"})))


def _questionnaire(
    steps: Sequence[Row[Any]], listeners: pd.DataFrame, settings: Mapping[int, Settings]
) -> pd.DataFrame:
    version = dict(zip(listeners["listener_id"], listeners["version_id"], strict=True))
    rows = [
        (row.listener_id, question.id, question.label, question.kind,
         str(row.payload[question.id]), row.saved_at)
        for row in steps
        if row.step == "questionnaire"
        for question in settings[version[row.listener_id]].questions
        if row.payload.get(question.id) not in (None, "")
    ]  # fmt: skip
    names = ["listener_id", "question", "label", "kind", "value", "saved_at"]
    found = pd.DataFrame.from_records(rows, columns=names).astype({"listener_id": "int64"})
    return found.merge(listeners.drop(columns="label"), on="listener_id")


def _tidy(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The columns of the codebook in its order, each stored as its kind wants it."""
    columns = {}
    for item in TABLES[name]:
        values = table[item.name]
        dtype: Any = TYPES[item.kind]
        if item.kind == "time":
            since = (values.astype("float64") * 1000).round().astype("Int64")
            columns[item.name] = pd.to_datetime(since, unit="ms", utc=True).astype(dtype)
        elif item.kind == "yes/no":
            columns[item.name] = pd.Series(pd.array(values.to_numpy(object), dtype=dtype))
        elif item.kind == "text":
            text = values.astype(dtype)
            columns[item.name] = text.mask(text == "")
        elif is_integer_dtype(values):  # by way of a float, large seeds would change
            columns[item.name] = values.astype(dtype)
        else:
            columns[item.name] = values.astype("float64").astype(dtype)
    return pd.DataFrame({key: column.reset_index(drop=True) for key, column in columns.items()})
