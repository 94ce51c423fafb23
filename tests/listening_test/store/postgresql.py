"""A real PostgreSQL server of our own, in a temporary folder, reached by a socket in it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from listening_test.store import open_store

SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "16MB",
    "max_connections": "120",
    "fsync": "off",  # the tests' data may go with the machine
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "1GB",
}
_numbers = count(1)


def programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``; None when they are not installed."""
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda f: int(f.parent.name))
    return Path(found).parent if found else (folders[-1] if folders else None)


class Server:
    """One server; ``make`` gives every test a database of its own."""

    def __init__(self) -> None:
        folder = programs()
        if folder is None:
            if os.environ.get("CI"):
                pytest.fail("PostgreSQL is not installed, and here it has to be tested.")
            pytest.skip("no PostgreSQL here (Debian: postgresql)")
        self.programs = folder
        self.folder = Path(tempfile.mkdtemp(prefix="stemwise-pg-"))  # a socket's path is short
        self.rights: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self.rights = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(self.folder, "postgres", "postgres")
        self.log = (self.folder.parent / f"{self.folder.name}.log").open("w+")
        self._run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--no-sync", "--locale=C.UTF-8")  # fmt: skip
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        self.process = subprocess.Popen(
            [self.programs / "postgres", "-D", "data", "-k", str(self.folder), *options],
            cwd=self.folder, stdout=self.log, stderr=self.log, **self.rights,
        )  # fmt: skip
        for _ in range(300):
            try:
                psycopg.connect(self.words("postgres")).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start:\n{self._said()}")

    def stop(self) -> None:
        """Stop it in the middle of everything; what was committed comes back with ``start``."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)

    def remove(self) -> None:
        """Stop it and remove everything."""
        self.process.send_signal(signal.SIGINT)  # whoever is still connected is sent away
        self.process.wait(20)
        self.log.close()
        Path(self.log.name).unlink()
        shutil.rmtree(self.folder)

    def words(self, database: str) -> str:
        """How psycopg reaches a database."""
        return f"host={self.folder} user=postgres dbname={database}"

    def make(self, template: str = "template1") -> str:
        """The address of a new database: empty, or with what a database of that name has."""
        name = f"test_{next(_numbers)}"
        with psycopg.connect(self.words("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"postgresql://postgres@/{name}?host={self.folder}"

    @cached_property
    def tables(self) -> str:
        """The name of a database with all tables and nothing in them."""
        address = self.make()
        open_store(address).close()
        return _name(address)

    def drop(self, address: str) -> None:
        """Remove a database, whoever is still connected."""
        name = _name(address)
        with psycopg.connect(self.words("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.folder, stdout=self.log, stderr=self.log, check=False, **self.rights,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{self._said()}")

    def _said(self) -> str:
        return Path(self.log.name).read_text()


def _name(address: str) -> str:
    return address.rpartition("?")[0].rpartition("/")[2]
