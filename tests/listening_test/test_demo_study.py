"""The study that a fresh clone has answers of: simulated, complete, and of the shipped model."""

import json

import pandas as pd

from csn.home import demo
from listening_test.store.loading import load_answers
from listening_test.study import RECOMMENDED, Settings

FOLDER = demo() / "study"


def test_every_listener_is_simulated_and_finished():
    answers = load_answers(FOLDER)
    assert answers["simulated"].all()
    assert pd.read_parquet(FOLDER / "listeners.parquet")["simulated"].all()
    counted = answers[answers["kind"].isin(["trial", "catch", "repeat"])]
    assert {*counted.groupby("listener")["position"].count()} == {RECOMMENDED.shown}
    assert counted["listener"].nunique() == 24


def test_it_is_of_the_shipped_model_and_can_be_repeated():
    library = json.loads((demo() / "library" / "library.json").read_text("utf-8"))
    answers = load_answers(FOLDER)
    assert {*answers["model"]} == {library["model"]}
    assert {*answers["corpus"]} == {library["corpus_fingerprint"]}
    [study] = FOLDER.glob("study-*.json")
    settings = Settings.from_json(study.read_bytes())
    assert settings.shown == RECOMMENDED.shown
    assert "simulated" in settings.title


def test_no_secret_is_shipped():
    for name in ("answers", "listeners", "events", "questionnaire"):
        columns = {*pd.read_parquet(FOLDER / f"{name}.parquet").columns}
        assert not {"token", "join_token", "code", "password"} & columns
