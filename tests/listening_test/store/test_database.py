"""The database keeps what it was given, whichever it is, and says in a sentence when it cannot."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, delete, event, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from csn.instruments import INSTRUMENTS
from listening_test.errors import StoreError
from listening_test.store import Store, address, open_store
from listening_test.store import database as database_module
from listening_test.store.schema import APPEND_ONLY, answers, failures, listeners, metadata
from listening_test.store.schema import withdrawals as withdrawn
from listening_test.study import Settings
from tests.listening_test.store import sample
from tests.listening_test.store.postgresql import Server

SMALL = Settings(title="Small", instruments=INSTRUMENTS[:2], per_instrument=2)
ANSWERS = 8


@pytest.fixture
def listener(store: Store) -> int:
    """Somebody who answered everything, took a step and left an event."""
    made = sample.listener(store, sample.version(store, SMALL))
    sample.step(store, made, "consent")
    sample.event(store, made, "play", 3)
    return made


def count(store: Store, name: str) -> int:
    with store.read() as read:
        return int(read.execute(select(func.count()).select_from(metadata.tables[name])).scalar())


# ---- the tables -----------------------------------------------------------------------------


def test_the_migrations_make_the_schema(store: Store) -> None:
    with store.read() as read:
        context = MigrationContext.configure(read, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_opening_again_changes_nothing(store: Store, database: str, listener: int) -> None:
    with closing(open_store(database)) as again:
        assert count(again, "answers") == ANSWERS


@pytest.mark.parametrize("name", APPEND_ONLY)
def test_what_was_given_stays(store: Store, listener: int, name: str) -> None:
    table = metadata.tables[name]
    before = count(store, name)
    for change in (update(table).values(saved_at=0.0), delete(table)):
        with (
            pytest.raises((DBAPIError, StoreError), match="kept as they were given"),
            store.write() as write,
        ):
            write.execute(change)
    assert count(store, name) == before > 0
    with store.read() as read:
        assert read.execute(select(func.min(table.c.saved_at))).scalar() > 0


def test_a_listener_stays_what_it_was(store: Store, listener: int) -> None:
    for column in ("simulated", "preview"):
        with (
            pytest.raises((DBAPIError, StoreError), match="a listener stays what it was"),
            store.write() as write,
        ):
            write.execute(update(listeners).values({column: True}))
    with store.write() as write:
        write.execute(update(listeners).values(label="the experimenter's own word"))


def test_only_who_withdrew_is_removed(store: Store, listener: int) -> None:
    other = sample.listener(store, 1, number=1)
    with store.write() as write:
        write.execute(insert(withdrawn).values(listener_id=listener, at=1.0, erased=0, reason=""))
    with (
        pytest.raises((DBAPIError, StoreError), match="kept as they were given"),
        store.write() as write,
    ):
        write.execute(delete(answers))  # the other's too: none of it happens
    assert count(store, "answers") == 2 * ANSWERS
    with store.write() as write:
        write.execute(delete(answers).where(answers.c.listener_id == listener))
    with store.read() as read:
        assert set(read.execute(select(answers.c.listener_id)).scalars()) == {other}


def test_one_answer_to_a_trial(store: Store, listener: int) -> None:
    with store.read() as read:
        row = read.execute(select(answers).limit(1)).mappings().one()
    for again in (dict(row), dict(row) | {"id": "another"}):
        with pytest.raises(IntegrityError), store.write() as write:
            write.execute(insert(answers).values(again))
    with pytest.raises(IntegrityError), store.write() as write:
        write.execute(insert(answers).values(dict(row) | {"id": "third", "trial_id": 999}))
    assert count(store, "answers") == ANSWERS


# ---- several at once ------------------------------------------------------------------------

_OPEN = """
import sys
from listening_test.store import open_store
print("ready", flush=True)
sys.stdin.readline()
store = open_store(sys.argv[1])
with store.write() as write:
    write.exec_driver_sql("INSERT INTO failures (name, at) VALUES ('somebody', 1.0)")
store.close()
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_open_a_new_database_at_the_same_time(
    kind: str, new_address: Callable[..., str]
) -> None:
    database = new_address(kind)
    command = [sys.executable, "-c", _OPEN, database]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    racers = [subprocess.Popen(command, text=True, **pipes) for _ in range(4)]
    for racer in racers:
        assert racer.stdout and racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("\n")
        racer.stdin.flush()
    for racer in racers:
        _, said = racer.communicate(timeout=60)
        assert racer.returncode == 0, said
    with closing(open_store(database)) as store:
        assert count(store, "failures") == len(racers)


def test_many_threads_write_and_nothing_is_lost(store: Store) -> None:
    troubles: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(10):
                with store.write() as write:
                    write.execute(insert(failures).values(name=f"{number}", at=float(turn)))
                count(store, "failures")
        except Exception as error:
            troubles.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles
    assert count(store, "failures") == 80


# ---- trouble --------------------------------------------------------------------------------


def test_a_failing_block_writes_nothing(store: Store, listener: int) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as write:
        write.execute(insert(failures).values(name="half", at=1.0))
        _ = 1 / 0
    assert count(store, "failures") == 0


def test_a_newer_database_is_refused(store: Store, database: str, listener: int) -> None:
    with store.write() as write:
        write.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"made by another version .* update this one\.$"):
        open_store(database)
    assert count(store, "answers") == ANSWERS


def test_a_locked_database_is_said(
    store: Store, listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store.is_file:
        monkeypatch.setattr(database_module, "PATIENCE", 0.2)
    with closing(open_store(store.engine.url.render_as_string(hide_password=False))) as other:
        if not other.is_file:
            event.listen(
                other.engine, "begin", lambda c: c.exec_driver_sql("SET LOCAL lock_timeout = 200")
            )
        with store.write() as write:
            write.execute(insert(failures).values(name="first", at=1.0))
            if not store.is_file:
                write.execute(text("LOCK TABLE failures IN ACCESS EXCLUSIVE MODE"))
            started = time.monotonic()
            with (
                pytest.raises(StoreError, match=r"lock.*Nothing of it was written\.$"),
                other.write() as late,
            ):
                late.execute(insert(failures).values(name="late", at=1.0))
            assert time.monotonic() - started < 5
        with other.write() as late:
            late.execute(insert(failures).values(name="again", at=1.0))
        assert count(other, "failures") == 2
        assert count(other, "answers") == ANSWERS


def test_a_full_disk_is_said(sqlite_store: Store) -> None:
    store = sqlite_store
    sample.listener(store, sample.version(store, SMALL))
    with store.read() as read:
        pages = read.exec_driver_sql("PRAGMA page_count").scalar()

    @event.listens_for(store.engine, "begin")
    def no_more(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    rows = [{"name": "x" * 80, "at": float(k)} for k in range(20_000)]
    with (
        pytest.raises(StoreError, match=r"full.*Nothing of it was written\.$"),
        store.write() as write,
    ):
        write.execute(insert(failures), rows)
    event.remove(store.engine, "begin", no_more)
    assert count(store, "failures") == 0
    assert count(store, "answers") == ANSWERS
    with store.write() as write:
        write.exec_driver_sql("PRAGMA max_page_count = 1000000")
        write.execute(insert(failures), rows)


def test_a_server_that_dies_and_comes_back(
    new_address: Callable[[str], str], postgresql: Server
) -> None:
    with closing(open_store(new_address("postgresql"))) as store:
        sample.listener(store, sample.version(store, SMALL))
        with (
            pytest.raises(StoreError, match=r"Nothing of it was written\.$"),
            store.write() as write,
        ):
            write.execute(insert(failures).values(name="half", at=1.0))
            postgresql.stop()
            write.execute(insert(failures).values(name="whole", at=1.0))
        with pytest.raises(StoreError, match="would not take that"):
            count(store, "answers")
        postgresql.start()
        assert count(store, "answers") == ANSWERS
        assert count(store, "failures") == 0


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "is no address of a database"),
        ("oracle7://somewhere/x", "is no address of a database"),
        ("sqlite:////no/such/folder/at/all.sqlite3", "would not take that"),
        ("postgresql://ada:s3cret@localhost:1/stemwise", r"ada:\*\*\*@localhost"),
    ],
)
def test_an_address_that_is_none(url: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence) as caught:
        open_store(url)
    assert "s3cret" not in str(caught.value)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite3"
    file.write_bytes(b"something else entirely" * 500)
    with pytest.raises(StoreError, match="not a database"):
        open_store(f"sqlite:///{file}")
    assert file.read_bytes() == b"something else entirely" * 500


def test_where_answers_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    monkeypatch.delenv("STEMWISE_DATABASE_URL", raising=False)
    assert address() == f"sqlite:///{tmp_path}/answers.sqlite3"
    monkeypatch.setenv("STEMWISE_DATABASE_URL", "postgresql://db/answers")
    assert address() == "postgresql://db/answers"


def test_sqlite_is_as_safe_as_it_can_be(sqlite_store: Store) -> None:
    with sqlite_store.read() as read:
        said = [
            read.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert said == ["wal", 2, 1]  # 2 is FULL


def test_the_newest_migration_is_the_one_that_a_start_looks_for():
    scripts = ScriptDirectory(str(database_module._MIGRATIONS))
    assert scripts.get_heads() == [database_module.HEAD]
