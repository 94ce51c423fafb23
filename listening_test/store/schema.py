"""The tables. Times are seconds since 1970 (UTC); JSON columns hold plain JSON text's values.

``answers``, ``steps`` and ``events`` are append-only: triggers in the database itself refuse any
change, and any removal but that of a listener who withdrew (``migrations``).
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

NAMING: Final = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: Final = MetaData(naming_convention=NAMING)


def _number() -> Column[int]:
    # SQLite counts up by itself only for the type INTEGER.
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def _of(table: str, name: str = "", *, null: bool = False, index: bool = False) -> Column[int]:
    key = f"{table}.id"
    return Column(
        name or f"{table.removesuffix('s')}_id",
        ForeignKey(key),
        nullable=null,
        index=index,
    )


accounts = Table(
    "accounts",
    metadata,
    _number(),
    Column("name", String(80), nullable=False, unique=True),
    Column("password", String(200), nullable=False),  # argon2
    Column("created_at", Float, nullable=False),
)

# Set-up and invitation links, and signed-in browsers: only hashes of their secrets are kept.
tickets = Table(
    "tickets",
    metadata,
    Column("hash", String(64), primary_key=True),  # SHA-256 of the secret
    Column("kind", String(20), nullable=False),  # setup, invitation, session
    Column("account_id", ForeignKey("accounts.id"), nullable=True),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)

failures = Table(
    "failures",
    metadata,
    _number(),
    Column("name", String(80), nullable=False, index=True),
    Column("at", Float, nullable=False),
)

studies = Table(
    "studies",
    metadata,
    _number(),
    Column("title", String(200), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("created_by", String(80), nullable=False),
    Column("archived_at", Float, nullable=True),
)

versions = Table(
    "versions",
    metadata,
    _number(),
    _of("studies", "study_id"),
    Column("number", Integer, nullable=False),
    Column("state", String(10), nullable=False),  # draft, live, closed
    Column("settings", Text, nullable=False),  # Settings.to_json
    Column("settings_sha256", String(64), nullable=False),
    Column("join_token", String(40), nullable=False, unique=True),  # of the open link
    Column("folder", String(80), nullable=False, unique=True),  # of its sounds, in STEMWISE_HOME
    Column("simulated", Boolean, nullable=False),
    Column("model", String(64), nullable=False),
    Column("corpus", String(64), nullable=False),
    Column("target", Float, nullable=True),  # LUFS
    Column("refusals", JSON, nullable=False),
    Column("app_version", String(40), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("prepared_at", Float, nullable=True),
    Column("launched_at", Float, nullable=True),
    Column("closed_at", Float, nullable=True),
    UniqueConstraint("study_id", "number"),
    CheckConstraint("state IN ('draft', 'live', 'closed')", name="state"),
)

sounds = Table(
    "sounds",
    metadata,
    _number(),
    _of("versions", index=True),
    Column("kind", String(12), nullable=False),
    Column("file", String(120), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("loudness", Float, nullable=False),  # LUFS
    Column("true_peak", Float, nullable=False),  # dBTP
    Column("piece", String(200), nullable=True),
    Column("part", String(20), nullable=True),
    Column("start", Float, nullable=True),  # seconds
    Column("answer", Integer, nullable=True),
    Column("method", String(12), nullable=False),
    UniqueConstraint("version_id", "file"),
)

triplets = Table(
    "triplets",
    metadata,
    _number(),
    _of("versions", index=True),
    Column("number", Integer, nullable=False),
    Column("protocol", String(12), nullable=False),
    Column("set", Integer, nullable=False),
    Column("instrument", String(12), nullable=False),
    Column("practice", Boolean, nullable=False),
    _of("sounds", "x_id"),
    _of("sounds", "first_id"),
    _of("sounds", "second_id"),
    Column("space", String(12), nullable=False),
    Column("source", String(8), nullable=False),
    Column("distances", JSON, nullable=True),
    Column("margin", Float, nullable=True),
    Column("model_choice", Integer, nullable=True),
    Column("notes", JSON, nullable=False),
    UniqueConstraint("version_id", "practice", "number"),
)

listeners = Table(
    "listeners",
    metadata,
    _number(),
    _of("versions"),
    Column("number", Integer, nullable=False),  # place in the schedule, from 0
    Column("token", String(40), nullable=False, unique=True),
    Column("seed", BigInteger, nullable=False),
    Column("label", String(200), nullable=False),  # the experimenter's own words
    Column("external_id", String(200), nullable=True),  # of a recruitment panel
    Column("preview", Boolean, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("version_id", "preview", "number"),
    UniqueConstraint("version_id", "external_id"),
)

trials = Table(
    "trials",
    metadata,
    _number(),
    _of("listeners"),
    Column("position", Integer, nullable=False),  # from 0, headphone check and practice included
    Column("kind", String(12), nullable=False),  # headphones, practice, trial, catch, repeat
    Column("attempt", Integer, nullable=False),  # of the headphone check; else 0
    Column("code", String(40), nullable=False, unique=True),
    _of("triplets", null=True),
    Column("swapped", Boolean, nullable=False),  # A is the triplet's second candidate
    _of("sounds", "x_id"),
    _of("sounds", "a_id", null=True),
    _of("sounds", "b_id", null=True),
    Column("x_clip", String(40), nullable=False, unique=True),
    Column("a_clip", String(40), nullable=True, unique=True),
    Column("b_clip", String(40), nullable=True, unique=True),
    Column("right", Integer, nullable=True),  # where there is a right answer
    Column("block", Integer, nullable=False),
    Column("repeat_of", Integer, nullable=True),  # position of the trial that comes again
    UniqueConstraint("listener_id", "position"),
)

answers = Table(
    "answers",
    metadata,
    Column("id", String(36), primary_key=True),  # UUID made by the browser
    _of("listeners", index=True),
    _of("trials"),
    Column("choice", Integer, nullable=False),  # 0 = A, 1 = B; headphones 0 to 2
    Column("sure", Boolean, nullable=True),
    Column("heard_x", Float, nullable=False),  # seconds
    Column("heard_a", Float, nullable=False),
    Column("heard_b", Float, nullable=False),
    Column("elapsed", Float, nullable=False),  # seconds from the question to the answer
    Column("saved_at", Float, nullable=False),
    Column("app_version", String(40), nullable=False),
    UniqueConstraint("listener_id", "trial_id"),
)

steps = Table(
    "steps",
    metadata,
    Column("id", String(36), primary_key=True),
    _of("listeners"),
    Column("step", String(40), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("saved_at", Float, nullable=False),
    UniqueConstraint("listener_id", "step"),
)

events = Table(
    "events",
    metadata,
    Column("id", String(36), primary_key=True),
    _of("listeners"),
    Column("trial_id", ForeignKey("trials.id"), nullable=True),
    Column("kind", String(20), nullable=False),
    Column("clip", Integer, nullable=True),
    Column("at", Float, nullable=False),  # by the browser's clock
    Column("position", Float, nullable=True),  # seconds into the clip
    Column("saved_at", Float, nullable=False),
    Index("ix_events_listener_at", "listener_id", "at"),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("listener_id", ForeignKey("listeners.id"), primary_key=True),
    Column("at", Float, nullable=False),
    Column("erased", Integer, nullable=False),  # answers that were removed for good
    Column("reason", String(400), nullable=False),
)

APPEND_ONLY: Final = ("answers", "steps", "events")
"""Tables of which the database changes nothing, and removes only what a listener withdrew."""
