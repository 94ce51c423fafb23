"""The exported tables, recomputed from the database row by row."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import select

from csn.instruments import INSTRUMENTS
from listening_test.errors import StoreError, StudyError
from listening_test.simulate import simulate
from listening_test.store import Store, loading, open_store, schema
from listening_test.store.columns import ANSWERS, TABLES, TYPES
from listening_test.store.export import codebook, export, export_zip
from listening_test.store.listeners import invite, withdraw
from listening_test.store.loading import load_answers, load_table, load_tables
from listening_test.store.tables import Tables, read_tables
from listening_test.study import Exclusion, Question, Settings
from tests.listening_test import small_study
from tests.listening_test.store import sample

NAUGHTY = '=HYPERLINK("http://evil.example","a"), "b"\r\nsecond line; 100 % & ümläut 音'
RICH = replace(
    small_study.SETTINGS,
    title="-1+1",
    headphones="recorded",
    practice=2,
    catch=2,
    repeats=4,
    confidence=True,
    source="stem",
    seed=2**62 + 1,
    exclusion=Exclusion(catch=0.75, fastest=1.0),
    questions=(Question("age", "How old?", "number"), Question("remarks", "=Anything?", "text")),
)
LISTENERS = 3
SHOWN = 16 + 2 + 4
EACH = 6 + 2 + SHOWN


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("STEMWISE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def store(home: Path) -> Iterator[Store]:
    """Three simulated listeners who did everything."""
    with closing(open_store(f"sqlite:///{home}/answers.sqlite3")) as opened:
        version = small_study.make(opened, RICH, simulated=True)
        simulate(opened, version.id, LISTENERS, seed=3)
        yield opened


@pytest.fixture(scope="module")
def tables(store: Store) -> Tables:
    return read_tables(store)


@pytest.fixture(scope="module")
def folder(tables: Tables, home: Path) -> Path:
    export(tables, home / "export")
    return home / "export"


def rows(store: Store, name: str) -> dict[Any, Any]:
    table = schema.metadata.tables[name]
    with store.read() as read:
        return {row.id: row for row in read.execute(select(table))}


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), UTC)


def test_every_answer_by_hand(store: Store, tables: Tables) -> None:
    table = tables.answers
    trials, triplets, sounds = (rows(store, name) for name in ("trials", "triplets", "sounds"))
    listeners, given = rows(store, "listeners"), rows(store, "answers")
    assert len(table) == len(given) == LISTENERS * EACH
    assert [*table] == [item.name for item in ANSWERS]
    by_place = {
        (trials[a.trial_id].listener_id, trials[a.trial_id].position): a for a in given.values()
    }
    for row in table.to_dict("records"):
        answer = given[row["answer_id"]]
        trial, listener = trials[answer.trial_id], listeners[answer.listener_id]
        want: dict[str, Any] = {
            "study": "-1+1", "study_id": 1, "version": 1, "listener_id": listener.id,
            "listener": listener.number + 1, "external_id": None, "simulated": True,
            "seed": 2**62 + 1, "position": trial.position, "kind": trial.kind,
            "block": trial.block, "attempt": trial.attempt, "swapped": trial.swapped,
            "focus": "overall", "stimuli": "stem", "sure": answer.sure,
            "elapsed": answer.elapsed, "heard_x": answer.heard_x, "heard_a": answer.heard_a,
            "heard_b": answer.heard_b, "saved_at": moment(answer.saved_at), "excluded": False,
            "exclusion": None, "model": "m" * 64, "corpus": "c" * 64,
            "app_version": answer.app_version, "leaves": 0, "away": 0.0,
            "right": None if trial.right is None else answer.choice == trial.right,
            "x_piece": sounds[trial.x_id].piece, "x_start": sounds[trial.x_id].start,
            "repeat_of": trial.repeat_of, "plays_x": 0 if trial.kind == "headphones" else 1,
        }  # fmt: skip
        triplet = triplets.get(trial.triplet_id)
        if triplet is None:
            nothing = ("a_piece", "b_piece", "a_role", "chosen", "chosen_first", "margin",
                       "model_choice", "agrees", "instrument", "set", "plays_a")  # fmt: skip
            want |= {"choice": str(answer.choice + 1)} | dict.fromkeys(nothing)
        else:
            sides = "AB"
            names = {1: ("a", "b"), 2: ("y", "c")}[triplet.set]
            names = ("x", names[1]) if trial.kind == "catch" else names
            placed = names[::-1] if trial.swapped else names
            candidates = {triplet.first_id: 0, triplet.second_id: 1, triplet.x_id: 0}
            taken = candidates[(trial.a_id, trial.b_id)[answer.choice]]
            want |= {
                "choice": sides[answer.choice], "chosen": names[taken],
                "chosen_first": taken == 0, "a_role": placed[0], "b_role": placed[1],
                "a_piece": sounds[trial.a_id].piece, "b_piece": sounds[trial.b_id].piece,
                "b_start": sounds[trial.b_id].start, "triplet": triplet.number,
                "triplet_id": triplet.id, "instrument": triplet.instrument, "set": triplet.set,
                "protocol": "track", "space": triplet.space, "source": triplet.source,
                "plays_a": 1, "plays_b": 1,
            }  # fmt: skip
            model = None if trial.kind in ("catch", "practice") else triplet.model_choice
            want |= {
                "margin": None if model is None else triplet.margin,
                "model_chosen": None if model is None else names[model],
                "model_choice": None if model is None else sides[placed.index(names[model])],
                "agrees": None if model is None else model == taken,
            }
            for source in ("mix", "stem"):
                for space in (*INSTRUMENTS, "whole"):
                    for i, which in enumerate(("first", "second")):
                        known = model is not None
                        want[f"{source}_{space}_{which}"] = (
                            triplet.distances[source][space][i] if known else None
                        )
            if trial.repeat_of is not None:
                old = by_place[listener.id, trial.repeat_of]
                before = trials[old.trial_id]
                sound = (before.a_id, before.b_id)[old.choice]
                now = (trial.a_id, trial.b_id)[answer.choice]
                want |= {"repeated_same": sound == now, "swapped": not before.swapped}
        for name, value in want.items():
            if value is None:
                assert pd.isna(row[name]), name
            else:
                assert row[name] == value, (name, row[name], value)
    kinds = table.groupby("kind").size()
    assert kinds.to_dict() == {
        "headphones": 18, "practice": 6, "trial": 48, "catch": 6, "repeat": 12
    }  # fmt: skip
    assert table["agrees"].notna().sum() == 60
    assert table["repeated_same"].notna().sum() == 12


def test_every_listener_by_hand(store: Store, tables: Tables) -> None:
    for row in tables.listeners.to_dict("records"):
        own = tables.answers[tables.answers["listener_id"] == row["listener_id"]]
        counted = own[own["kind"].isin(["trial", "catch", "repeat"])]
        checks = own[own["kind"] == "headphones"]
        assert (row["answers"], row["asked"]) == (SHOWN, SHOWN)
        assert row["headphones_right"] == checks["right"].sum()
        assert (own["headphones_right"] == row["headphones_right"]).all()
        assert row["catch_right"] == own.loc[own["kind"] == "catch", "right"].sum()
        assert row["median_seconds"] == pytest.approx(counted["elapsed"].median())
        assert row["last_at"] == own["saved_at"].max()
        assert row["started_at"] < own["saved_at"].min()
    assert len(tables.listeners) == LISTENERS


def test_every_kind_of_column(tables: Tables, folder: Path) -> None:
    for name, items in TABLES.items():
        for table in (getattr(tables, name), load_table(folder, name)):
            assert {column: str(dtype) for column, dtype in table.dtypes.items()} == {
                item.name: TYPES[item.kind] for item in items
            }


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_is_written_is_read_again(tables: Tables, tmp_path: Path, kind: str) -> None:
    export(tables, tmp_path / "out", [kind])
    for name in TABLES:
        want, got = getattr(tables, name), load_table(tmp_path / "out", name)
        for item in TABLES[name]:
            if kind == "csv" and item.free:
                guarded = got[item.name].str.removeprefix("'")
                assert guarded.fillna("").tolist() == want[item.name].fillna("").tolist()
            else:
                pd.testing.assert_series_equal(got[item.name], want[item.name])
    assert load_answers(tmp_path / "out")["seed"].eq(2**62 + 1).all()


def test_settings_replicate_the_study(folder: Path) -> None:
    assert Settings.from_json((folder / "study-1-version-1.json").read_text()) == RICH


def test_every_column_is_in_the_codebook(folder: Path) -> None:
    said = (folder / "codebook.md").read_text()
    assert said == codebook()
    machine = json.loads((folder / "codebook.json").read_text())
    for name in TABLES:
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            columns = next(csv.reader(file))
        section = said.partition(f"## {name}\n")[2].partition("\n## ")[0]
        documented = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        assert columns == documented == [item["name"] for item in machine["tables"][name]]
        assert all(len(item["meaning"]) > 10 for item in machine["tables"][name])
        assert len({*columns}) == len(columns)


def test_csv_as_rfc_4180_wants_it(sqlite_store: Store, tmp_path: Path) -> None:
    store = sqlite_store
    settings = Settings(title=NAUGHTY, per_instrument=1, questions=RICH.questions)
    one = sample.listener(store, sample.version(store, settings), external_id="@SUM(A1)")
    sample.step(store, one, "questionnaire", {"remarks": NAUGHTY, "age": "-3", "other": "x"})
    export(read_tables(store), tmp_path / "out", ["csv"])
    raw = (tmp_path / "out" / "questionnaire.csv").read_bytes()
    assert raw.decode("utf-8") and not raw.startswith(b"\xef\xbb\xbf")
    assert raw.endswith(b"\r\n") and b"\n" not in raw.replace(b"\r\n", b"")
    read = list(csv.DictReader(io.StringIO(raw.decode("utf-8"), newline=""), strict=True))
    assert [(row["question"], row["value"]) for row in read] == [
        ("age", "'-3"), ("remarks", "'" + NAUGHTY)
    ]  # fmt: skip
    assert read[0]["study"] == "'" + NAUGHTY and read[1]["label"] == "'=Anything?"
    assert read[0]["external_id"] == "'@SUM(A1)"
    with (tmp_path / "out" / "answers.csv").open(newline="", encoding="utf-8") as file:
        answers = list(csv.DictReader(file, strict=True))
    assert len(answers) == 8
    assert any(float(row["margin"]) < 0 for row in answers)  # numbers are not text
    assert {row["swapped"] for row in answers} <= {"true", "false"}
    assert answers[0]["saved_at"] == "2026-09-21T14:30:00.500Z"


def test_who_is_left_out(sqlite_store: Store) -> None:
    store = sqlite_store
    settings = Settings(title="Who", per_instrument=1, exclusion=Exclusion(one_sided=0.5))
    version = sample.version(store, settings)
    kept, gone, erased, late = (sample.listener(store, version, k) for k in range(4))
    sample.listener(store, version, 0, preview=True)
    silent = sample.listener(store, version, 9, answered=0)
    withdraw(store, gone)
    withdraw(store, erased, erase=True)
    for listener in (kept, gone, late):
        sample.event(store, listener, "play", 1)
    tables = read_tables(store)
    assert {*tables.answers["listener_id"]} == {kept, late}
    assert {*tables.events["listener_id"]} == {kept, late}
    assert tables.listeners["listener_id"].tolist() == [kept, late, silent]
    assert tables.withdrawn == {(1, 1): 2}
    quiet = tables.listeners.set_index("listener_id").loc[silent]
    assert (quiet["answers"], quiet["asked"], quiet["excluded"]) == (0, 8, False)
    for who, own in tables.answers.groupby("listener_id"):
        share = (own["choice"] == "A").mean()
        assert own["excluded"].eq(max(share, 1 - share) > 0.5).all(), who
        assert own["exclusion"].notna().eq(own["excluded"]).all()
    assert tables.answers["excluded"].any()  # and yet they are there


def test_looking_away_by_hand(sqlite_store: Store) -> None:
    store = sqlite_store
    one = sample.listener(store, sample.version(store, Settings(title="x", per_instrument=1)))
    other = sample.listener(store, 1, 1)
    with store.read() as read:
        ids = select(schema.trials.c.id).where(schema.trials.c.listener_id == one)
        first, second, third, *_ = read.execute(ids.order_by(schema.trials.c.position)).scalars()
    for at, kind, trial in (
        (0, "shown", first), (1, "blur", first), (2, "hidden", first), (4, "visible", first),
        (5, "focus", first), (6, "play", first), (8, "blur", first), (9.5, "focus", first),
        (10, "shown", second), (12, "hidden", second), (20, "shown", third),
        (22, "hidden", third), (23, "visible", third), (30, "blur", third),
    ):  # fmt: skip
        sample.event(store, one, kind, at, trial, clip=0 if kind == "play" else None)
        sample.event(store, other, "focus", at)
    table = read_tables(store).answers
    own = table[table["listener_id"] == one].set_index("position")
    assert own["leaves"].tolist()[:4] == [2, 1, 2, 0]
    assert own["away"].tolist()[:4] == pytest.approx([4 + 1.5, 8, 1, 0], abs=1e-4)
    assert own["plays_x"].tolist()[:2] == [1, 0] and own["plays_b"].sum() == 0
    assert not table.loc[table["listener_id"] == other, "away"].any()


def test_versions_are_chosen(store: Store, sqlite_store: Store) -> None:
    first, second = (sample.version(sqlite_store, Settings(title=t)) for t in "ab")
    sample.listener(sqlite_store, first)
    sample.listener(sqlite_store, second, 1)
    assert read_tables(sqlite_store, [second]).answers["study"].unique().tolist() == ["b"]
    assert read_tables(sqlite_store).answers["study"].unique().tolist() == ["a", "b"]
    assert read_tables(sqlite_store, events=False).events.empty
    with pytest.raises(StudyError, match="no study version 99"):
        read_tables(sqlite_store, [second, 99])


def test_an_empty_database_has_empty_tables(sqlite_store: Store, tmp_path: Path) -> None:
    tables = read_tables(sqlite_store)
    export(tables, tmp_path / "out")
    assert load_answers(tmp_path / "out").empty
    sample.version(sqlite_store)
    assert read_tables(sqlite_store).listeners.empty


def test_both_databases_give_the_same(database: str, tmp_path: Path) -> None:
    with closing(open_store(database)) as store:
        one = sample.listener(store, sample.version(store, RICH), catch=2)
        sample.event(store, one, "play", 3, None)
        sample.step(store, one, "questionnaire", {"age": 30})
        tables = read_tables(store)
    file = open_store(f"sqlite:///{tmp_path}/twin.sqlite3")
    with closing(file) as store:
        one = sample.listener(store, sample.version(store, RICH), catch=2)
        sample.event(store, one, "play", 3, None)
        sample.step(store, one, "questionnaire", {"age": 30})
        twin = read_tables(store)
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(tables, name), getattr(twin, name))


def test_nothing_is_overwritten(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    (tmp_path / "file").write_text("precious")
    for place in (tmp_path / "full", tmp_path / "file"):
        with pytest.raises(StoreError, match="has something in it already"):
            export(tables, place)
    with pytest.raises(StoreError, match="cannot be written"):
        export(tables, tmp_path / "file" / "out")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "full", "thesis.txt"]
    (tmp_path / "empty").mkdir()
    assert len(export(tables, tmp_path / "empty", ["csv"])) == len(TABLES) + 3


def test_as_one_file(tables: Tables) -> None:
    with zipfile.ZipFile(io.BytesIO(export_zip(tables))) as archive:
        assert archive.testzip() is None
        names = {name.removeprefix("answers/") for name in archive.namelist()}
    assert names == {
        *(f"{name}.{kind}" for name in TABLES for kind in ("csv", "parquet")),
        "codebook.md", "codebook.json", "study-1-version-1.json",
    }  # fmt: skip


def test_what_is_no_export(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(StoreError, match="holds no table 'answers'"):
        load_answers(tmp_path)
    (tmp_path / "answers.csv").write_text("a,b\r\n1,2\r\n")
    with pytest.raises(StoreError, match="lacks the column 'study'"):
        load_answers(tmp_path)
    (tmp_path / "answers.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(StoreError, match="holds no table 'answers'"):
        load_answers(tmp_path)


def same(one: Tables, two: Tables) -> bool:
    return one.settings == two.settings and all(
        getattr(one, name).equals(getattr(two, name)) for name in TABLES
    )


def test_an_export_is_read_whole(tables: Tables, tmp_path: Path) -> None:
    """From its folder, its zip, and its zip in memory, CSV and Parquet alike."""
    for formats in (["csv"], ["parquet"]):
        folder = tmp_path / formats[0]
        export(tables, folder, formats)
        file = tmp_path / f"{formats[0]}.zip"
        file.write_bytes(export_zip(tables, formats))
        for place in (folder, file, io.BytesIO(file.read_bytes())):
            got = load_tables(place)
            assert got.settings == tables.settings
            for name in TABLES:
                want, have = getattr(tables, name), getattr(got, name)
                assert list(have) == list(want) and len(have) == len(want)
                assert have.dtypes.equals(want.dtypes)
    assert same(load_tables(tmp_path / "parquet"), load_tables(tmp_path / "parquet.zip"))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_table_of_answers_alone_is_enough(tables: Tables, tmp_path: Path, kind: str) -> None:
    export(tables, tmp_path / "out", [kind])
    alone = io.BytesIO((tmp_path / "out" / f"answers.{kind}").read_bytes())
    got = load_tables(alone)
    assert got.answers.equals(load_answers(tmp_path / "out"))
    assert all(getattr(got, name).empty for name in TABLES if name != "answers")
    [(key, own)] = got.settings.items()
    [(wanted_key, wanted)] = tables.settings.items()
    assert (key, own.protocol) == (wanted_key, wanted.protocol)
    assert own.title.removeprefix("'") == wanted.title


def test_uploads_that_are_no_export(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = export_zip(tables)
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    sneaky = io.BytesIO()
    with zipfile.ZipFile(sneaky, "w") as archive:
        archive.writestr("../../answers.csv", "study\r\n1\r\n")
    whole = (tmp_path / "out", export(tables, tmp_path / "out", ["csv"]))[0]
    text = (whole / "answers.csv").read_bytes().decode()
    head, first = text.split("\r\n")[:2]
    wrong = head.replace("listener_id", "listener")
    for content, sentence in (
        (b"", "holds no table"),
        (b"hello, world", "lacks the column"),
        (b"PAR1 not really", "holds no table"),
        (bytes(range(256)) * 9, "holds no table|lacks the column"),
        (packed[:-200], "holds no table|lacks the column"),
        (packed[:2000] + b"!" * 2000 + packed[4000:], "cannot be read|holds no table"),
        (empty.getvalue(), "holds no table"),
        (sneaky.getvalue(), "lacks the column"),
        (f"{wrong}\r\n{first}".encode(), "lacks the column 'listener_id'"),
    ):
        with pytest.raises(StoreError, match=sentence):
            load_tables(io.BytesIO(content))
    assert not (tmp_path.parent / "answers.csv").exists()
    monkeypatch.setattr(loading, "LARGEST", 1000)
    with pytest.raises(StoreError, match="more than"):
        load_tables(io.BytesIO(packed))
    with pytest.raises(StoreError, match="cannot be read"):
        load_tables(tmp_path / "nothing.zip")


def test_a_cell_that_is_no_number(tables: Tables, tmp_path: Path) -> None:
    export(tables, tmp_path / "out", ["csv"])
    file = tmp_path / "out" / "answers.csv"
    rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"))))
    rows[1][rows[0].index("listener_id")] = "seven"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows(rows)
    with pytest.raises(StoreError, match=r"'listener_id'.*is no integer"):
        load_tables(tmp_path / "out")


def test_an_invited_listener_is_in_the_table(store: Store, sqlite_store: Store) -> None:
    version = small_study.make(sqlite_store, small_study.SETTINGS)
    invite(sqlite_store, version.id, labels=["room 1"])
    row = read_tables(sqlite_store).listeners.iloc[0]
    assert (row["label"], row["answers"], row["asked"]) == ("room 1", 0, 16)
    assert pd.isna(row["started_at"]) and pd.isna(row["flags"])


def test_what_was_not_looked_up_is_unknown_and_changes_nothing_else(
    tables: Tables, store: Store
) -> None:
    brief = read_tables(store, events=False, watched=False)
    for name, unknown in (
        ("answers", {"plays_x", "plays_a", "plays_b", "leaves", "away"}),
        ("listeners", {"leaves", "away_seconds", "away_share"}),
    ):
        want, have = getattr(tables, name), getattr(brief, name)
        assert have.dtypes.equals(want.dtypes)
        assert have[[*unknown]].isna().all(axis=None) and not want[[*unknown]].isna().all(axis=None)
        same = [one for one in want if one not in unknown | {"left_window", "flags"}]
        pd.testing.assert_frame_equal(have[same], want[same])
