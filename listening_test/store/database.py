"""The database itself: SQLite (WAL) by default, PostgreSQL by address, the same code for both."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from csn.home import home
from listening_test.errors import StoreError

ADDRESS: Final = "STEMWISE_DATABASE_URL"
"""Environment variable: where answers are kept; empty for a file in ``STEMWISE_HOME``."""

HEAD: Final = "0001"
"""Newest step of ``migrations``."""

PATIENCE: Final = 10.0
"""Seconds to wait for another writer before giving up."""

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x57E3  # any number, the same in every process


def address() -> str:
    """Where answers are kept: ``STEMWISE_DATABASE_URL``, else ``answers.sqlite3`` at home."""
    return os.environ.get(ADDRESS, "") or f"sqlite:///{home() / 'answers.sqlite3'}"


class Store:
    """An open database of studies and answers; safe to use from many threads.

    Attributes:
        url: its address, with the password hidden.
        engine: SQLAlchemy's.
    """

    def __init__(self, url: str) -> None:
        """Connect, and bring the tables up to date; use ``open_store``."""
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed.render_as_string(hide_password=True)
        options: dict[str, Any] = {"pool_size": 8, "max_overflow": 24}
        if parsed.get_backend_name() == "sqlite":
            options["connect_args"] = {"timeout": PATIENCE, "check_same_thread": False}
        else:
            options["pool_pre_ping"] = True
        self.engine = create_engine(parsed, **options)
        if self.is_file:
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._upgrade()

    @property
    def is_file(self) -> bool:
        """Whether it is SQLite."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that only reads.

        Raises:
            StoreError: the database cannot be reached or read.
        """
        with _explained(self.url), self.engine.connect() as connection:
            yield connection.execution_options(reading=True)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: all of it is on disk when the block ends, or nothing.

        Raises:
            StoreError: the database is locked, full, or cannot be reached; nothing was written.
        """
        with _explained(self.url), self.engine.begin() as connection:
            yield connection

    def keep_out(self, write: Connection, table: Table) -> None:
        """Let nobody else write to a table until this transaction ends; call it first in there.

        Where several rows are read, judged and then written, locks on single rows would be taken
        in another order by each writer, and stand in each other's way for ever.
        """
        if not self.is_file:  # SQLite's writers stand in line anyway
            write.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    def _upgrade(self) -> None:
        """Bring the tables up to date, one process at a time."""
        with suppress(DBAPIError), self.engine.connect() as new:
            connection = new.execution_options(reading=True)
            if connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD:
                return
        from alembic import command  # noqa: PLC0415 - half a second of every start
        from alembic.config import Config  # noqa: PLC0415
        from alembic.util import CommandError  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        try:
            with _explained(self.url), self.engine.begin() as connection:
                if not self.is_file:  # SQLite's transaction has locked the file already
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"The database of answers at {self.url} was made by another version of Stemwise "
                f"({_reason(error)}); update this one."
            ) from error


def open_store(url: str | None = None) -> Store:
    """Open the database, making it on first use.

    Args:
        url: an SQLAlchemy address; by default ``address()``.

    Raises:
        StoreError: it cannot be opened, or was made by a newer Stemwise.
    """
    try:
        return Store(url or address())
    except SQLAlchemyError as error:
        raise StoreError(f"{ADDRESS} is no address of a database: {_reason(error)}.") from error


def shared_store() -> Store:
    """The database at ``address()``, opened once and kept open.

    Raises:
        StoreError: as ``open_store``.
    """
    return _opened(address())


@lru_cache(maxsize=4)
def _opened(url: str) -> Store:
    return open_store(url)


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where this file says, see below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that writes takes its lock at once: taken later, it could not wait for it.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn the database's errors into sentences; broken rules of the tables stay as they are."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.IntegrityError) or "Integrity" in type(error).__name__:
            raise
        raise StoreError(
            f"The database of answers at {url} would not take that just now: {_reason(error)}. "
            "Nothing of it was written."
        ) from error


def _reason(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0].rstrip(".") if str(cause).strip() else "no reason"
