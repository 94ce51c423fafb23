from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from listening_test.errors import StudyError
from listening_test.store import Store
from listening_test.store import schema as t
from listening_test.store.listeners import invite, list_listeners
from listening_test.store.studies import (
    any_live,
    archive,
    close,
    create_study,
    get_version,
    launch,
    list_studies,
    new_version,
    reopen,
    save_draft,
    sound_rows,
    store_prepared,
    triplet_rows,
)
from listening_test.study import CSN_TABLE_3
from tests.listening_test.small_study import SETTINGS, draft, make, prepared


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path / "home"))


def test_a_study_begins_as_a_draft_that_may_change(store):
    made = create_study(store, CSN_TABLE_3, "ada")
    assert (made.number, made.state, made.prepared_at) == (1, "draft", None)
    changed = save_draft(store, made.id, replace(CSN_TABLE_3, title="Other", instruments=()))
    assert changed.settings.title == "Other"  # a draft need not make sense yet
    assert changed.settings_sha256 != made.settings_sha256
    [(study, [version])] = list_studies(store)
    assert (study.title, study.created_by, version) == ("Other", "ada", changed)
    with pytest.raises(StudyError, match="instrument"):
        launch(store, made.id)


def test_what_is_prepared_is_kept_as_it_was_made(store):
    version = draft(store)
    made = prepared(SETTINGS, version.folder)
    assert version.prepared_at is not None
    assert (version.model, version.corpus, version.refusals) == ("m" * 64, "c" * 64, made.refusals)
    rows = triplet_rows(store, version.id)
    sounds = {row.id: row for row in sound_rows(store, version.id)}
    assert len(rows) == len(made.triplets)
    assert [row.practice for row in rows] == sorted(row.practice for row in rows)
    for row, one in zip(rows, made.triplets, strict=True):
        assert (row.number, row.set, row.instrument) == (one.number, one.set, one.instrument)
        for column, cut in (("x_id", one.x), ("first_id", one.first), ("second_id", one.second)):
            sound = sounds[getattr(row, column)]
            assert (sound.piece, sound.part, sound.start) == (cut.piece, cut.part, cut.start)
        if one.distances is not None:
            near, far = one.distances.values["mix"][one.instrument]
            assert row.margin == pytest.approx(far - near)
            assert row.model_choice == int(far < near)
            assert row.distances["stem"]["whole"] == list(one.distances.values["stem"]["whole"])


def test_a_change_after_preparing_must_be_prepared_again(store):
    version = draft(store)
    same = save_draft(store, version.id, version.settings)
    assert same.prepared_at == version.prepared_at
    other = save_draft(store, version.id, replace(SETTINGS, seed=7))
    assert other.prepared_at is None
    with pytest.raises(StudyError, match="prepare"):
        launch(store, version.id)
    with pytest.raises(StudyError, match="changed while"):
        store_prepared(store, version.id, prepared(SETTINGS, version.folder), SETTINGS)
    again = prepared(other.settings, version.folder)
    assert store_prepared(store, version.id, again, other.settings).prepared_at is not None
    assert launch(store, version.id).state == "live"


def test_preparing_again_replaces_everything_and_forgets_who_looked(store):
    version = draft(store)
    invite(store, version.id, 2, preview=True)
    store_prepared(store, version.id, prepared(SETTINGS, version.folder))
    assert list_listeners(store, version.id, previews=True) == []
    with store.read() as db:
        number = db.execute(select(func.count()).select_from(t.triplets)).scalar_one()
    assert number == len(prepared(SETTINGS, version.folder).triplets)


def test_launch_freezes(store):
    version = make(store)
    for change in (
        lambda: save_draft(store, version.id, SETTINGS),
        lambda: store_prepared(store, version.id, prepared(SETTINGS, version.folder)),
        lambda: launch(store, version.id),
    ):
        with pytest.raises(StudyError, match="launched"):
            change()
    assert get_version(store, version.id) == version


def test_a_change_makes_a_new_version(sqlite_store):
    version = make(sqlite_store)
    second = new_version(sqlite_store, version.id)
    assert (second.number, second.state, second.settings) == (2, "draft", version.settings)
    assert second.join_token != version.join_token
    assert second.folder != version.folder
    with pytest.raises(StudyError, match="draft already"):
        new_version(sqlite_store, version.id)
    [(_, versions)] = list_studies(sqlite_store)
    assert [one.number for one in versions] == [2, 1]


def test_a_study_closes_opens_again_and_is_put_away(sqlite_store):
    version = make(sqlite_store)
    with pytest.raises(StudyError, match="live"):
        archive(sqlite_store, version.study_id)
    closed = close(sqlite_store, version.id)
    assert closed.state == "closed"
    assert closed.closed_at is not None
    with pytest.raises(StudyError, match="live"):
        close(sqlite_store, version.id)
    assert reopen(sqlite_store, version.id).closed_at is None
    close(sqlite_store, version.id)
    archive(sqlite_store, version.study_id)
    assert list_studies(sqlite_store) == []
    assert len(list_studies(sqlite_store, archived=True)) == 1
    archive(sqlite_store, version.study_id, away=False)
    assert len(list_studies(sqlite_store)) == 1


def test_what_is_not_there_is_said(sqlite_store):
    for ask in (get_version, launch, close, new_version):
        with pytest.raises(StudyError):
            ask(sqlite_store, 99)
    with pytest.raises(StudyError, match="no study version"):
        save_draft(sqlite_store, 99, SETTINGS)


def test_only_studies_with_people_close_the_maps(sqlite_store: Store, monkeypatch):
    monkeypatch.setattr("listening_test.store.studies._LIVE_FOR", 0.0)
    make(sqlite_store, simulated=True)
    assert not any_live(sqlite_store)
    version = make(sqlite_store)
    assert any_live(sqlite_store)
    close(sqlite_store, version.id)
    assert not any_live(sqlite_store)
