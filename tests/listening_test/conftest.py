"""Databases for the tests of listening tests: SQLite, and a real PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from listening_test.store import Store, open_store
from tests.listening_test.store.postgresql import Server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """The server that this process's tests share."""
    server = Server()
    yield server
    server.remove()


@pytest.fixture
def new_address(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """A function from ``sqlite`` or ``postgresql`` to the address of a new database.

    It is empty, or has all ``tables``: copied, for to make them takes a test's time.
    """
    made: list[str] = []

    def new(kind: str, *, tables: bool = False) -> str:
        if kind == "sqlite":
            made.append("")
            file = tmp_path / f"answers-{len(made)}.sqlite3"
            if tables:
                shutil.copy(request.getfixturevalue("empty_file"), file)
            return f"sqlite:///{file}"
        server = request.getfixturevalue("postgresql")
        made.append(server.make(server.tables) if tables else server.make())
        return made[-1]

    yield new
    for address in filter(None, made):
        request.getfixturevalue("postgresql").drop(address)


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in a file with all its tables and nothing in them: for copies, which are quick."""
    file = tmp_path_factory.mktemp("empty") / "answers.sqlite3"
    open_store(f"sqlite:///{file}").close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, new_address: Callable[..., str]) -> str:
    """The address of a database of either kind, with all tables and nothing in them."""
    return new_address(request.param, tables=True)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """An open store on a new database of either kind."""
    with closing(open_store(database)) as opened:
        yield opened


@pytest.fixture
def sqlite_store(empty_file: Path, tmp_path: Path) -> Iterator[Store]:
    """An open store in a file, for tests to which the kind of database does not matter."""
    file = shutil.copy(empty_file, tmp_path / "answers.sqlite3")
    with closing(open_store(f"sqlite:///{file}")) as opened:
        yield opened
