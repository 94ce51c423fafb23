"""The commands of listening tests as somebody types them; the database says what came of it."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import soundfile as sf

from listening_test.cli import main
from listening_test.cli_study import changed
from listening_test.errors import StudyError
from listening_test.store import Store, open_store
from listening_test.store.listeners import list_listeners
from listening_test.store.studies import get_version, list_studies, sound_rows
from listening_test.study import PRESETS, Exclusion, Question, Settings
from tests.listening_test import small_study

Say = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The database that the commands use."""
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STEMWISE_DATABASE_URL", raising=False)
    with closing(open_store()) as opened:
        yield opened


@pytest.fixture
def say(store: Store, capsys: pytest.CaptureFixture[str]) -> Say:
    """Type a command that works; what it prints, read as JSON where that was asked for."""

    def typed(words: str, *more: str) -> Any:
        assert main([*words.split(), *more]) == 0
        out = capsys.readouterr().out
        return json.loads(out) if "--json" in words else out

    return typed


# ---- studies --------------------------------------------------------------------------------


def test_a_study_from_a_preset_to_its_end(store: Store, say: Say, tmp_path: Path) -> None:
    made = say("study new --preset recommended --json --set per_instrument=2", "--set", "title=A b")
    want = replace(PRESETS["recommended"], per_instrument=2, title="A b")
    assert made["study"] == "1.1" and made["state"] == "draft" and made["trials"] == want.shown
    assert get_version(store, made["id"]).settings == want

    say("study set 1 per_instrument=1 instruments=drums,bass catch=0 exclusion.catch= repeats=0")
    settings = get_version(store, made["id"]).settings
    assert (settings.instruments, settings.asked, settings.catch) == (("drums", "bass"), 4, 0)

    small_study.store_prepared(
        store, made["id"], small_study.prepared(settings, get_version(store, made["id"]).folder)
    )
    token = get_version(store, made["id"]).join_token
    assert f"/join/{token}" in say("study launch 1")
    assert say("study list --json")[0]["state"] == "live"
    assert main(["study", "set", "1", "catch=3"]) == 2  # it is frozen
    assert get_version(store, made["id"]).settings == settings
    say("study close 1.1")
    assert get_version(store, made["id"]).state == "closed"
    say("study reopen 1")
    second = say("study version 1 --json")
    assert second["study"] == "1.2" and second["state"] == "draft"
    assert say("study show 1 --json")["study"] == "1.2"  # the newest is meant
    assert say("study show 1.1 --json")["state"] == "live"
    lines = say("study list").splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["1.2", "draft"], ["1.1", "live"]]


def test_a_study_file_makes_the_same_study_again(store: Store, say: Say, tmp_path: Path) -> None:
    say("study new --preset ind --set seed=5", "--set", "title=音楽 “x”")
    file = tmp_path / "deep" / "study.json"
    say(f"study export 1 --out {file}")
    assert file.read_text("utf-8") == say("study export 1")
    again = say(f"study import {file} --json")
    assert get_version(store, again["id"]).settings == get_version(store, 1).settings
    other = say(f"study import {file} --set seed=6 --json")
    assert get_version(store, other["id"]).settings.seed == 6


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        (["catch=3", "catch=4"], {"catch": 4}),
        (["instruments=bass, drums"], {"instruments": ("bass", "drums")}),
        (["sets=2"], {"sets": (2,)}),
        (["must-hear=1.5"], {"must_hear": 1.5}),
        (["confidence=yes", "lab=0"], {"confidence": True, "lab": False}),
        (["trials=12"], {"trials": 12}),
        (["trials=all"], {"trials": None}),
        (["title=a=b"], {"title": "a=b"}),
        (["exclusion.catch=0.5", "exclusion.headphones=true"],
         {"exclusion": Exclusion(catch=0.5, headphones=True)}),
        (['questions=[{"id": "q", "label": "Q?", "kind": "choice", "options": ["a", "b"]}]'],
         {"questions": (Question("q", "Q?", "choice", ("a", "b")),)}),
    ],
)  # fmt: skip
def test_settings_are_changed_by_words(changes: list[str], want: dict[str, Any]) -> None:
    start = Settings(trials=9)
    assert changed(start, changes) == replace(start, **want)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("catch", "write KEY=VALUE"),
        ("catches=4", "no setting 'catches'"),
        ("catch=many", "catch cannot be 'many'"),
        ("sets=one", "sets cannot be 'one'"),
        ("confidence=perhaps", "confidence cannot be 'perhaps'"),
        ("questions=[", "questions cannot be"),
        ('questions=[{"word": 1}]', "cannot be used"),
        ("exclusion.luck=1", "no rule of exclusion 'luck'"),
        ("exclusion.catch=x", "exclusion.catch cannot be 'x'"),
        ("exclusion=1", "no setting 'exclusion'"),
    ],
)
def test_wrong_changes_are_said(change: str, sentence: str) -> None:
    with pytest.raises(StudyError, match=sentence.replace(".", r"\.").replace("(", r"\(")):
        changed(Settings(), [change])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("study show 7", "There is no study 7"),
        ("study show first", "'first' names no study"),
        ("study show 1.9", "Study 1 has no version 9; it has 1."),
        ("study new --set catch=-1", "catch is -1; it must lie between 0 and 50."),
        ("study import nowhere.json", "nowhere.json cannot be read"),
        ("study import {here}/bad.json", "not a study file"),
        ("study launch 1", "not made yet"),
        ("study close 1", "Only a study that is live"),
        ("study export 1 --out {here}/bad.json/x", "cannot be written"),
        ("listeners invite 1", "not made yet"),
        ("listeners invite 1 --labels-from nowhere.txt", "nowhere.txt cannot be read"),
        ("listeners withdraw 1 3", "has no listener 3"),
        ("simulate 1", "launched for them alone"),
        ("report loudness 1", "has no sounds yet"),
        ("export 9 --out {here}/new", "There is no study 9"),
        ("export --out {here}", "something in it already"),
    ],
)
def test_errors_are_one_sentence_and_nothing_changes(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, sentence: str
) -> None:
    (tmp_path / "bad.json").write_text("{}")
    small_study.create_study(store, small_study.SETTINGS, "ada")
    before = list_studies(store)
    assert main(words.format(here=tmp_path).split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("listening-test: ") and said.err.count("\n") == 1
    assert sentence in said.err
    assert list_studies(store) == before


def test_unknown_words_end_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["studies"])
    assert end.value.code == 2


# ---- listeners ------------------------------------------------------------------------------


def test_listeners_are_invited_listed_and_withdrawn(store: Store, say: Say, tmp_path: Path) -> None:
    version = small_study.make(store)
    (tmp_path / "names.txt").write_text("\ufeffAda\n\n  こずえ \n", encoding="utf-8")
    made = say(
        f"listeners invite 1 --labels-from {tmp_path}/names.txt --json --address http://h/x/"
    )
    tokens = [one.token for one in list_listeners(store, version.id)]
    assert [row["link"] for row in made] == [f"http://h/x/t/{token}" for token in tokens]
    assert [row["label"] for row in made] == ["Ada", "こずえ"]
    assert say("listeners invite 1 --count 2").count("http://localhost:8501/t/") == 2
    assert len(say("listeners invite 1 --preview --json")) == 1
    rows = say("listeners list 1 --json")
    assert [row["number"] for row in rows] == [1, 2, 3, 4]
    assert {(row["state"], row["answered"], row["total"]) for row in rows} == {("invited", 0, 16)}
    assert "has withdrawn" in say("listeners withdraw 1 2", "--reason", "asked by letter")
    assert say("listeners list 1 --json")[1]["state"] == "withdrawn"
    with sqlite3.connect(tmp_path / "home" / "answers.sqlite3") as file:
        assert file.execute("SELECT reason FROM withdrawals").fetchall() == [("asked by letter",)]


# ---- answers --------------------------------------------------------------------------------


@pytest.fixture
def simulated(store: Store, say: Say) -> int:
    """A study that three simulated listeners took."""
    settings = replace(small_study.SETTINGS, catch=2, exclusion=Exclusion(one_sided=0.5))
    version = small_study.make(store, settings, simulated=True)
    assert say("simulate 1 --listeners 3 --seed 4 --json") == {"listeners": [1, 2, 3]}
    return version.id


def test_simulated_listeners_and_their_export(
    store: Store, say: Say, simulated: int, tmp_path: Path
) -> None:
    rows = say("listeners list 1 --json")
    assert [row["state"] for row in rows] == ["finished"] * 3
    assert {(row["answered"], row["total"], row["simulated"]) for row in rows} == {(18, 18, True)}
    say("listeners withdraw 1 3 --erase")
    printed = say(f"export 1 --out {tmp_path / 'out'}")
    assert "of 2 listeners" in printed
    table = pd.read_parquet(tmp_path / "out" / "answers.parquet")
    assert set(table["kind"]) == {"practice", "trial", "catch"}
    assert len(table) == 2 * (18 + 1) and table["simulated"].all()
    lopsided = {
        number for number, own in table[table["kind"] != "practice"].groupby("listener")
        if (own["choice"] == "A").mean() != 0.5
    }  # fmt: skip
    said = {row["number"] for row in say("listeners list 1 --json") if row["exclusion"]}
    assert len(said) == len(lopsided)
    only = say(f"export 1 --out {tmp_path / 'csv'} --format csv")
    assert "answers.csv" in only and "parquet" not in only


def test_loudness_is_measured_in_the_files(store: Store, say: Say, simulated: int) -> None:
    version = get_version(store, simulated)
    loud = next(row for row in sound_rows(store, simulated) if row.kind == "excerpt")
    sound, rate = sf.read(version.folder / loud.file)
    sf.write(version.folder / loud.file, 2 * sound, rate)
    found = say("report loudness 1 --json")
    levels = [row["lufs"] for row in found["sounds"]]
    assert found["excerpts"] == len(levels)
    # Sines of 0.1: their peaks are known, and twice as much is 6.02 dB more.
    assert found["highest_dbtp"] == pytest.approx(-13.98, abs=0.05)
    assert found["sounds"][0]["dbtp"] == pytest.approx(-13.98, abs=0.05)
    assert sorted(row["dbtp"] for row in found["sounds"])[0] == pytest.approx(-20, abs=0.05)
    assert found["spread_lu"] == pytest.approx(max(levels) - min(levels), abs=0.002)
    assert "spread_lu" in say("report loudness 1")
