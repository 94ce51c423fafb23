"""A backup holds everything, says when it does not, and comes back in either kind of database."""

import hashlib
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from listening_test import accounts
from listening_test.errors import StoreError
from listening_test.store import Store, open_store, schema
from listening_test.store.backup import TABLES, backup, restore, verify
from listening_test.store.listeners import invite, withdraw
from listening_test.store.rows import Version, sounds_folder
from listening_test.store.studies import create_study, triplet_rows
from listening_test.study import Settings
from tests.listening_test import small_study
from tests.listening_test.store import sample

SMALL = replace(small_study.SETTINGS, instruments=("drums",), headphones="recorded", title="音 & é")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """A function that moves house: what it returns is empty, and from now on the home."""

    def move() -> Path:
        monkeypatch.setenv("STEMWISE_HOME", str(tmp_path / "other"))
        return tmp_path / "other"

    return move


def fill(store: Store) -> Version:
    """A bit of everything."""
    secret = accounts.set_up(store)
    assert secret
    accounts.make_account(store, secret, accounts.SET_UP, "ada", "correct horse battery")
    accounts.sign_in(store, "ada", "correct horse battery", "192.0.2.1")
    create_study(store, Settings(title="A draft"), "ada")
    version = small_study.make(store, SMALL)
    with store.read() as read:
        any_trial = select(schema.trials.c.id, schema.trials.c.listener_id)
        for listener in invite(store, version.id, 3, labels=["a", "b\n'c'", "=d"]):
            sample.step(store, listener.id, "consent", {"nested": [1, None, {"x": 0.1}]})
            rows = read.execute(any_trial.where(schema.trials.c.listener_id == listener.id)).all()
            with store.write() as write:
                for k, row in enumerate(rows[: 3 + listener.number]):
                    sample.add(
                        write, schema.answers, id=f"{listener.id}-{k}", listener_id=listener.id,
                        trial_id=row.id, choice=k % 2, sure=[None, True, False][k % 3],
                        heard_x=0.1 + 0.2, heard_a=1e-9, heard_b=123456.789, elapsed=1 / 3,
                        saved_at=1_790_000_000.123456, app_version="0.1",
                    )  # fmt: skip
            sample.event(store, listener.id, "play", 1.5, rows[0].id, clip=1, position=None)
    withdraw(store, 2, reason="asked to", erase=True)
    return version


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store.read() as read:
        return {
            each.name: [
                tuple(row) for row in read.execute(select(each).order_by(*each.primary_key))
            ]
            for each in TABLES
        }


def sounds(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*.*")
    }


@pytest.mark.parametrize("old", ["sqlite", "postgresql"])
@pytest.mark.parametrize("new", ["sqlite", "postgresql"])
def test_there_and_back(
    old: str,
    new: str,
    new_address: Callable[[str], str],
    tmp_path: Path,
    elsewhere: Callable[[], Path],
) -> None:
    file = tmp_path / "all.zip"
    with closing(open_store(new_address(old))) as store:
        version = fill(store)
        made = backup(store, file)
        before, heard = everything(store), sounds(sounds_folder())
    assert made.rows == {name: len(rows) for name, rows in before.items()}
    assert made.rows["answers"] == 3 + 5 and made.rows["accounts"] == 1
    assert file.stat().st_mode & 0o077 == 0
    assert len(made.files) == len(heard) > 10 and not made.missing
    assert verify(file) == made
    elsewhere()
    with closing(open_store(new_address(new))) as store:
        assert restore(file, store) == made
        assert everything(store) == before
        assert sounds(sounds_folder()) == heard
        # Life goes on: numbers are counted on, rules hold, people sign in, but nobody is.
        fresh = invite(store, version.id)[0]
        assert fresh.id == 4 and fresh.number == 3
        assert create_study(store, SMALL, "ada").study_id == 3
        assert accounts.sign_in(store, "ada", "correct horse battery", "192.0.2.1")
        with pytest.raises(Exception, match="kept as they were given"), store.write() as write:
            write.execute(schema.answers.delete())
        with pytest.raises(StoreError, match="restore into an empty"):
            restore(file, store)
        again = everything(store)
        assert again["answers"] == before["answers"] and len(again["listeners"]) == 4


def test_neither_sessions_nor_links_are_in_it(sqlite_store: Store, tmp_path: Path) -> None:
    fill(sqlite_store)
    backup(sqlite_store, tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        names = archive.namelist()
    assert not [name for name in names if "tickets" in name or "failures" in name]


@pytest.fixture
def made(sqlite_store: Store, tmp_path: Path) -> Path:
    """A backup."""
    fill(sqlite_store)
    backup(sqlite_store, tmp_path / "all.zip")
    return tmp_path / "all.zip"


@pytest.fixture
def empty(new_address: Callable[[str], str], elsewhere: Callable[[], Path]) -> Iterator[Store]:
    elsewhere()
    with closing(open_store(new_address("sqlite"))) as opened:
        yield opened


def changed(file: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A copy of which some parts are otherwise, or gone."""
    copy = file.with_name("changed.zip")
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            content = change(name, source.read(name))
            if content is not None:
                target.writestr(name, content)
    return copy


def nothing_happened(store: Store) -> None:
    assert not any(everything(store).values())
    assert not sounds_folder().exists() or not list(sounds_folder().iterdir())


def test_damage_is_found_and_nothing_is_restored(made: Path, empty: Store) -> None:
    def answer(name: str, content: bytes) -> bytes:
        return content.replace(b'"choice": 1', b'"choice": 0', 1) if "answers" in name else content

    def sound(name: str, content: bytes) -> bytes:
        return content[:-1] + b"x" if name.endswith("0003.flac") else content

    def gone(name: str, content: bytes) -> bytes | None:
        return None if name.endswith("0003.flac") else content

    for change, where in ((answer, "answers.jsonl"), (sound, "0003.flac"), (gone, "0003.flac")):
        broken = changed(made, change)
        for act in (verify, lambda file: restore(file, empty)):
            with pytest.raises(StoreError, match=rf"is damaged: \S+{where} is not as it was"):
                act(broken)
    whole = made.read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 10):
        made.with_name("part.zip").write_bytes(whole[:size])
        with pytest.raises(StoreError, match="no backup"):
            restore(made.with_name("part.zip"), empty)
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 1
    made.with_name("flipped.zip").write_bytes(flipped)
    with pytest.raises(StoreError, match="is damaged"):
        verify(made.with_name("flipped.zip"))
    with pytest.raises(StoreError, match="cannot be read"):
        verify(made.with_name("none.zip"))
    nothing_happened(empty)


def manifest(**values: Any) -> Callable[[str, bytes], bytes]:
    def change(name: str, content: bytes) -> bytes:
        if name != "manifest.json":
            return content
        return json.dumps(json.loads(content) | values).encode()

    return change


def test_no_way_out_of_the_folder(made: Path, empty: Store) -> None:
    for name in ("../evil.sh", "a/../../b", "/etc/passwd", "a/b/c", "..", "a/..", "a\\b", "x/"):
        with pytest.raises(StoreError, match="no backup that this Stemwise can read"):
            restore(changed(made, manifest(files={name: "0" * 64})), empty)
    nothing_happened(empty)


def test_other_versions_are_refused(made: Path, empty: Store) -> None:
    with pytest.raises(StoreError, match=r"made with Stemwise .* whose tables differ"):
        restore(changed(made, manifest(revision="0000")), empty)
    with pytest.raises(StoreError, match="another format"):
        restore(changed(made, manifest(format="stemwise-backup-9")), empty)
    nothing_happened(empty)


def test_nothing_is_overwritten(sqlite_store: Store, made: Path, empty: Store) -> None:
    before = made.read_bytes()
    with pytest.raises(StoreError, match="exists already; choose another name"):
        backup(sqlite_store, made)
    assert made.read_bytes() == before
    with zipfile.ZipFile(made) as archive:
        folder = next(n for n in archive.namelist() if n.startswith("studies/")).split("/")[1]
    (sounds_folder() / folder).mkdir(parents=True)
    with pytest.raises(StoreError, match="restore into an empty STEMWISE_HOME"):
        restore(made, empty)
    (sounds_folder() / folder).rmdir()
    with empty.write() as write:
        write.execute(insert(schema.accounts).values(name="eve", password="x", created_at=1.0))
    with pytest.raises(StoreError, match="has accounts already"):
        restore(made, empty)
    assert not list(sounds_folder().iterdir())
    with empty.write() as write:
        write.execute(schema.accounts.delete())
    restore(made, empty)


def test_a_sound_that_is_gone_is_said(sqlite_store: Store, tmp_path: Path) -> None:
    version = fill(sqlite_store)
    (version.folder / "0003.flac").unlink()
    contents = backup(sqlite_store, tmp_path / "all.zip")
    assert contents.missing == [f"{version.folder_name}/0003.flac"]
    assert verify(tmp_path / "all.zip").missing == contents.missing


def test_what_cannot_be_written(sqlite_store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be written"):
        backup(sqlite_store, tmp_path / "file" / "all.zip")
    assert [p.name for p in tmp_path.glob("*.zip")] == []


def test_a_backup_is_of_one_moment(store: Store, tmp_path: Path) -> None:
    """Rows that belong together are written together, while backups are made; never one alone."""
    version = small_study.make(store, SMALL)
    one = triplet_rows(store, version.id)[0]
    stop = threading.Event()

    def write_pairs() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with store.write() as write:
                sample.add(write, schema.accounts, name=f"n{number}", password="x", created_at=1.0)
                values = {"title": f"n{number}", "created_by": "x", "created_at": 1.0}
                sample.add(write, schema.studies, **values)
            time.sleep(0.001)

    writer = threading.Thread(target=write_pairs)
    writer.start()
    try:
        counts = [backup(store, tmp_path / f"{k}.zip").rows for k in range(5)]
    finally:
        stop.set()
        writer.join()
    assert one.number == 1
    assert all(rows["accounts"] == rows["studies"] - 1 for rows in counts)
    assert counts[-1]["accounts"] > counts[0]["accounts"]
