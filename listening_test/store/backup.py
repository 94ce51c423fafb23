"""Everything in one file: all rows and the studies' sounds, with a checksum of each part.

A backup is a ZIP file made while the app runs, from one moment of the database. It holds rows as
JSON, so what was kept in SQLite can be restored into PostgreSQL and the other way round. Sessions
and links are left out: nobody is signed in after a restore.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import Connection, Table, func, insert, select, text

from csn import __version__
from listening_test.errors import StoreError
from listening_test.store.database import Store
from listening_test.store.rows import sounds_folder
from listening_test.store.schema import failures, metadata, tickets

FORMAT: Final = "stemwise-backup-1"
TABLES: Final = tuple(each for each in metadata.sorted_tables if each not in (tickets, failures))
"""What is kept, in an order in which it can be written again."""

Progress = Callable[[str, float], None]

_MANIFEST: Final = "manifest.json"
_NAME: Final = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9._\-]*")  # of a folder or a file; no way out
_ROWS: Final = 2_000  # at a time


@dataclass(frozen=True)
class Contents:
    """What a backup holds.

    Attributes:
        format: of the file.
        made_with: version of Stemwise.
        revision: of the tables.
        made_at: seconds since 1970.
        rows: of each table.
        tables: SHA-256 of each table's part.
        files: SHA-256 of each sound, by ``FOLDER/FILE``.
        missing: sounds that the database knows and that were not on disk.
    """

    format: str
    made_with: str
    revision: str
    made_at: float
    rows: dict[str, int]
    tables: dict[str, str]
    files: dict[str, str]
    missing: list[str]


def backup(store: Store, file: Path, progress: Progress | None = None) -> Contents:
    """Write a backup.

    Args:
        store: the database; it may be in use.
        file: a new file; it appears when it is complete.
        progress: called with what happens and the part that is done.

    Raises:
        StoreError: the file exists already, or something cannot be read or written.
    """
    if file.exists():
        raise StoreError(f"{file} exists already; choose another name.")
    said = progress or (lambda _words, _part: None)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(unfinished, "w") as archive:
            unfinished.chmod(0o600)  # passwords' hashes and listeners' links are in it
            rows, tables, folders, known = _dump(store, archive, said)
            files = {}
            paths = [p for f in folders for p in sorted((sounds_folder() / f).glob("*.*"))]
            for done, path in enumerate(paths):
                said("Sounds", 0.5 + 0.5 * done / len(paths))
                name = f"{path.parent.name}/{path.name}"
                with path.open("rb") as source:
                    files[name] = _pack(archive, f"studies/{name}", source, zipfile.ZIP_STORED)
            contents = Contents(
                FORMAT, __version__, _revision(store), time.time(), rows, tables, files,
                sorted(known - {*files}),
            )  # fmt: skip
            archive.writestr(_MANIFEST, json.dumps(asdict(contents), indent=1))
        with unfinished.open("rb+") as written:
            os.fsync(written.fileno())
        unfinished.rename(file)
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            unfinished.unlink()
    said("Done", 1.0)
    return contents


def verify(file: Path) -> Contents:
    """Read a whole backup and compare every checksum.

    Raises:
        StoreError: it is no backup, or damaged; says where.
    """
    with _opened(file) as archive:
        contents = _contents(file, archive)
        parts = {f"tables/{name}.jsonl": digest for name, digest in contents.tables.items()}
        parts |= {f"studies/{name}": digest for name, digest in contents.files.items()}
        for name, digest in parts.items():
            try:
                with archive.open(name) as part:
                    good = _digest(part) == digest
            except (KeyError, OSError, zipfile.BadZipFile, EOFError):
                good = False
            if not good:
                raise StoreError(f"{file} is damaged: {name} is not as it was written.")
    return contents


def restore(file: Path, store: Store, progress: Progress | None = None) -> Contents:
    """Put everything back into an empty database and an empty place for sounds.

    Args:
        file: that ``backup`` wrote, from either kind of database.
        store: an open, empty database.
        progress: called with what happens and the part that is done.

    Raises:
        StoreError: the file is damaged or of another version, or there is something already;
            nothing was changed then.
    """
    said = progress or (lambda _words, _part: None)
    said("Comparing checksums", 0.0)
    contents = verify(file)
    if contents.revision != _revision(store):
        raise StoreError(
            f"{file} was made with Stemwise {contents.made_with}, whose tables differ; restore it "
            "with that version, and update afterwards."
        )
    place = sounds_folder()
    folders = sorted({name.partition("/")[0] for name in contents.files})
    there = [name for name in folders if (place / name).exists()]
    if there:
        raise StoreError(f"{place / there[0]} exists already; restore into an empty STEMWISE_HOME.")
    place.mkdir(parents=True, exist_ok=True)
    moved: list[Path] = []
    with (
        tempfile.TemporaryDirectory(prefix=".restore-", dir=place) as aside,
        _opened(file) as zipped,
    ):
        try:
            for done, name in enumerate(contents.files):
                said("Sounds", 0.1 + 0.4 * done / len(contents.files))
                _unpack(zipped, f"studies/{name}", Path(aside) / name)
            with store.write() as write:
                _fill(write, zipped, contents, said)
                for name in folders:
                    (Path(aside) / name).rename(place / name)
                    moved.append(place / name)
        except BaseException as error:
            for folder in moved:
                shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, OSError):
                raise StoreError(f"{place} cannot be written: {error.strerror}.") from error
            raise
    said("Done", 1.0)
    return contents


# ---- out ------------------------------------------------------------------------------------


def _dump(
    store: Store, archive: zipfile.ZipFile, said: Progress
) -> tuple[dict[str, int], dict[str, str], list[str], set[str]]:
    """Write all rows of one moment; also tells which folders and sounds they speak of."""
    rows, digests = {}, {}
    with store.read() as read:
        if not store.is_file:  # SQLite's transactions see one moment anyway
            read.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        for done, table in enumerate(TABLES):
            said(table.name.capitalize(), 0.5 * done / len(TABLES))
            rows[table.name], digests[table.name] = _dump_table(read, archive, table)
        versions, sounds = metadata.tables["versions"].c, metadata.tables["sounds"].c
        folders = list(read.execute(select(versions.folder).order_by(versions.id)).scalars())
        known = select(versions.folder, sounds.file).where(versions.id == sounds.version_id)
        names = {f"{row.folder}/{row.file}" for row in read.execute(known)}
    return rows, digests, folders, names


def _dump_table(read: Connection, archive: zipfile.ZipFile, table: Table) -> tuple[int, str]:
    query = select(table).order_by(*table.primary_key.columns)
    count, digest = 0, hashlib.sha256()
    info = zipfile.ZipInfo(f"tables/{table.name}.jsonl", time.localtime()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as part:
        result = read.execution_options(yield_per=_ROWS).execute(query)
        for chunk in result.mappings().partitions(_ROWS):
            lines = "".join(json.dumps(dict(row), ensure_ascii=False) + "\n" for row in chunk)
            digest.update(lines.encode())
            part.write(lines.encode())
            count += len(chunk)
    return count, digest.hexdigest()


def _pack(archive: zipfile.ZipFile, name: str, source: IO[bytes], how: int) -> str:
    info = zipfile.ZipInfo(name, time.localtime()[:6])
    info.compress_type = how
    with archive.open(info, "w", force_zip64=True) as part:
        return _digest(source, part.write)


def _digest(source: IO[bytes], each: Callable[[bytes], object] = lambda _chunk: None) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(1 << 20):
        digest.update(chunk)
        each(chunk)
    return digest.hexdigest()


def _revision(store: Store) -> str:
    with store.read() as read:
        return str(read.execute(text("SELECT version_num FROM alembic_version")).scalar())


# ---- in -------------------------------------------------------------------------------------


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror or error}.") from error
    except zipfile.BadZipFile as error:
        raise StoreError(f"{file} is no backup of Stemwise, or only a part of one.") from error


def _contents(file: Path, archive: zipfile.ZipFile) -> Contents:
    try:
        contents = Contents(**json.loads(archive.read(_MANIFEST)))
        if contents.format != FORMAT or {*contents.tables} != {each.name for each in TABLES}:
            raise ValueError("another format")
        names = [name.split("/") for name in contents.files]
        if not all(len(name) == 2 and all(map(_NAME.fullmatch, name)) for name in names):
            raise ValueError("a name that leads elsewhere")
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise StoreError(f"{file} is no backup that this Stemwise can read ({error}).") from error
    return contents


def _unpack(zipped: zipfile.ZipFile, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipped.open(name) as source, target.open("wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)


def _fill(write: Connection, zipped: zipfile.ZipFile, contents: Contents, said: Progress) -> None:
    """Insert all rows; in one transaction with whatever the caller does."""
    for table in TABLES:
        if write.execute(select(func.count()).select_from(table)).scalar():
            raise StoreError(f"The database has {table.name} already; restore into an empty one.")
    for done, table in enumerate(TABLES):
        said(table.name.capitalize(), 0.5 + 0.5 * done / len(TABLES))
        with zipped.open(f"tables/{table.name}.jsonl") as part:
            for rows in _chunks(part):
                write.execute(insert(table), rows)
        if write.dialect.name == "postgresql" and table.autoincrement_column is not None:
            _count_on(write, table)
    if sum(contents.rows.values()) != sum(
        write.execute(select(func.count()).select_from(table)).scalar_one() for table in TABLES
    ):
        raise StoreError("The backup does not hold as many rows as it says.")


def _chunks(part: IO[bytes]) -> Iterator[list[dict[str, Any]]]:
    chunk = []
    for line in part:
        chunk.append(json.loads(line))
        if len(chunk) == _ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _count_on(write: Connection, table: Table) -> None:
    """Let PostgreSQL count on from the greatest number that was restored."""
    write.execute(
        text(
            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
            f"(SELECT max(id) FROM {table.name})) WHERE EXISTS (SELECT 1 FROM {table.name})"
        )
    )
