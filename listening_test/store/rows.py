"""What comes out of the store: frozen records of studies, their versions and listeners."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, insert

from csn.home import home
from listening_test.study import Settings


@dataclass(frozen=True)
class Study:
    """A study; what is asked stands in its versions."""

    id: int
    title: str
    created_at: float
    created_by: str
    archived_at: float | None


@dataclass(frozen=True)
class Version:
    """One version of a study: a draft that may change, or one that is frozen for ever.

    Attributes:
        state: ``draft``, ``live`` or ``closed``.
        join_token: secret of the open link.
        simulated: whether all its listeners are simulated.
        model: hash of the model; empty until it is prepared.
        corpus: fingerprint of the corpus; empty until it is prepared.
        target: common loudness of the excerpts, LUFS.
        refusals: what was drawn and not taken, and why.
        prepared_at: when its sounds were made from exactly these settings; else None.
    """

    id: int
    study_id: int
    number: int
    state: str
    settings: Settings
    settings_sha256: str
    join_token: str
    folder_name: str
    simulated: bool
    model: str
    corpus: str
    target: float | None
    refusals: tuple[str, ...]
    app_version: str
    created_at: float
    prepared_at: float | None
    launched_at: float | None
    closed_at: float | None

    @property
    def folder(self) -> Path:
        """Where its sounds lie."""
        return sounds_folder() / self.folder_name


@dataclass(frozen=True)
class Listener:
    """Somebody who listens, known by a secret address alone.

    Attributes:
        number: place in the schedule, from 0; previews count for themselves.
        token: the secret.
        label: the experimenter's own words.
        external_id: of a recruitment panel.
        preview: an experimenter who looks; never counted.
        simulated: no person; for ever.
    """

    id: int
    version_id: int
    number: int
    token: str
    seed: int
    label: str
    external_id: str | None
    preview: bool
    simulated: bool
    created_at: float


def sounds_folder() -> Path:
    """Where the sounds of all studies lie."""
    return home() / "studies"


def record(kind: type, row: Any) -> Any:
    """A row of the database as a record of this kind."""
    return kind(**row._mapping)


def insert_one(db: Connection, table: Table, values: dict[str, Any]) -> int:
    """Insert a row and return the id that the database gave it."""
    return int(db.execute(insert(table).values(values).returning(table.c.id)).scalar_one())
