"""The first tables, and the triggers that keep answers as they were given."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("answers", "steps", "events")
WORDS = "answers are kept as they were given"


def upgrade() -> None:
    """Make everything."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("password", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
    )
    op.create_table(
        "failures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failures")),
    )
    op.create_index(op.f("ix_failures_name"), "failures", ["name"], unique=False)
    op.create_table(
        "studies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("archived_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
    )
    op.create_table(
        "tickets",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_tickets_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_tickets")),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("study_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("settings_sha256", sa.String(length=64), nullable=False),
        sa.Column("join_token", sa.String(length=40), nullable=False),
        sa.Column("folder", sa.String(length=80), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("corpus", sa.String(length=64), nullable=False),
        sa.Column("target", sa.Float(), nullable=True),
        sa.Column("refusals", sa.JSON(), nullable=False),
        sa.Column("app_version", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("prepared_at", sa.Float(), nullable=True),
        sa.Column("launched_at", sa.Float(), nullable=True),
        sa.Column("closed_at", sa.Float(), nullable=True),
        sa.CheckConstraint("state IN ('draft', 'live', 'closed')", name=op.f("ck_versions_state")),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name=op.f("fk_versions_study_id_studies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_versions")),
        sa.UniqueConstraint("folder", name=op.f("uq_versions_folder")),
        sa.UniqueConstraint("join_token", name=op.f("uq_versions_join_token")),
        sa.UniqueConstraint("study_id", "number", name=op.f("uq_versions_study_id_number")),
    )
    op.create_table(
        "listeners",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("preview", sa.Boolean(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["versions.id"], name=op.f("fk_listeners_version_id_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listeners")),
        sa.UniqueConstraint("token", name=op.f("uq_listeners_token")),
        sa.UniqueConstraint(
            "version_id", "external_id", name=op.f("uq_listeners_version_id_external_id")
        ),
        sa.UniqueConstraint(
            "version_id", "preview", "number", name=op.f("uq_listeners_version_id_preview_number")
        ),
    )
    op.create_table(
        "sounds",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("file", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("loudness", sa.Float(), nullable=False),
        sa.Column("true_peak", sa.Float(), nullable=False),
        sa.Column("piece", sa.String(length=200), nullable=True),
        sa.Column("part", sa.String(length=20), nullable=True),
        sa.Column("start", sa.Float(), nullable=True),
        sa.Column("answer", sa.Integer(), nullable=True),
        sa.Column("method", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["versions.id"], name=op.f("fk_sounds_version_id_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sounds")),
        sa.UniqueConstraint("version_id", "file", name=op.f("uq_sounds_version_id_file")),
    )
    op.create_index(op.f("ix_sounds_version_id"), "sounds", ["version_id"], unique=False)
    op.create_table(
        "steps",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column(
            "listener_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("saved_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["listener_id"], ["listeners.id"], name=op.f("fk_steps_listener_id_listeners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_steps")),
        sa.UniqueConstraint("listener_id", "step", name=op.f("uq_steps_listener_id_step")),
    )
    op.create_table(
        "triplets",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.String(length=12), nullable=False),
        sa.Column("set", sa.Integer(), nullable=False),
        sa.Column("instrument", sa.String(length=12), nullable=False),
        sa.Column("practice", sa.Boolean(), nullable=False),
        sa.Column("x_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("first_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "second_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("space", sa.String(length=12), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("distances", sa.JSON(), nullable=True),
        sa.Column("margin", sa.Float(), nullable=True),
        sa.Column("model_choice", sa.Integer(), nullable=True),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["first_id"], ["sounds.id"], name=op.f("fk_triplets_first_id_sounds")
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["sounds.id"], name=op.f("fk_triplets_second_id_sounds")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["versions.id"], name=op.f("fk_triplets_version_id_versions")
        ),
        sa.ForeignKeyConstraint(["x_id"], ["sounds.id"], name=op.f("fk_triplets_x_id_sounds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triplets")),
        sa.UniqueConstraint(
            "version_id", "practice", "number", name=op.f("uq_triplets_version_id_practice_number")
        ),
    )
    op.create_index(op.f("ix_triplets_version_id"), "triplets", ["version_id"], unique=False)
    op.create_table(
        "withdrawals",
        sa.Column(
            "listener_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("erased", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(
            ["listener_id"], ["listeners.id"], name=op.f("fk_withdrawals_listener_id_listeners")
        ),
        sa.PrimaryKeyConstraint("listener_id", name=op.f("pk_withdrawals")),
    )
    op.create_table(
        "trials",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "listener_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column(
            "triplet_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("swapped", sa.Boolean(), nullable=False),
        sa.Column("x_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("a_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("b_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("x_clip", sa.String(length=40), nullable=False),
        sa.Column("a_clip", sa.String(length=40), nullable=True),
        sa.Column("b_clip", sa.String(length=40), nullable=True),
        sa.Column("right", sa.Integer(), nullable=True),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("repeat_of", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["a_id"], ["sounds.id"], name=op.f("fk_trials_a_id_sounds")),
        sa.ForeignKeyConstraint(["b_id"], ["sounds.id"], name=op.f("fk_trials_b_id_sounds")),
        sa.ForeignKeyConstraint(
            ["listener_id"], ["listeners.id"], name=op.f("fk_trials_listener_id_listeners")
        ),
        sa.ForeignKeyConstraint(
            ["triplet_id"], ["triplets.id"], name=op.f("fk_trials_triplet_id_triplets")
        ),
        sa.ForeignKeyConstraint(["x_id"], ["sounds.id"], name=op.f("fk_trials_x_id_sounds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trials")),
        sa.UniqueConstraint("a_clip", name=op.f("uq_trials_a_clip")),
        sa.UniqueConstraint("b_clip", name=op.f("uq_trials_b_clip")),
        sa.UniqueConstraint("code", name=op.f("uq_trials_code")),
        sa.UniqueConstraint("listener_id", "position", name=op.f("uq_trials_listener_id_position")),
        sa.UniqueConstraint("x_clip", name=op.f("uq_trials_x_clip")),
    )
    op.create_table(
        "answers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column(
            "listener_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("trial_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("choice", sa.Integer(), nullable=False),
        sa.Column("sure", sa.Boolean(), nullable=True),
        sa.Column("heard_x", sa.Float(), nullable=False),
        sa.Column("heard_a", sa.Float(), nullable=False),
        sa.Column("heard_b", sa.Float(), nullable=False),
        sa.Column("elapsed", sa.Float(), nullable=False),
        sa.Column("saved_at", sa.Float(), nullable=False),
        sa.Column("app_version", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["listener_id"], ["listeners.id"], name=op.f("fk_answers_listener_id_listeners")
        ),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["trials.id"], name=op.f("fk_answers_trial_id_trials")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
        sa.UniqueConstraint(
            "listener_id", "trial_id", name=op.f("uq_answers_listener_id_trial_id")
        ),
    )
    op.create_index(op.f("ix_answers_listener_id"), "answers", ["listener_id"], unique=False)
    op.create_table(
        "events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column(
            "listener_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("trial_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("clip", sa.Integer(), nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("position", sa.Float(), nullable=True),
        sa.Column("saved_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["listener_id"], ["listeners.id"], name=op.f("fk_events_listener_id_listeners")
        ),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["trials.id"], name=op.f("fk_events_trial_id_trials")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_listener_at", "events", ["listener_id", "at"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_stay BEFORE UPDATE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
        )
        op.execute(
            f"CREATE TRIGGER {table}_remain BEFORE DELETE ON {table} WHEN NOT EXISTS "
            "(SELECT 1 FROM withdrawals w WHERE w.listener_id = OLD.listener_id) "
            f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
        )
    op.execute(
        "CREATE TRIGGER listeners_stay BEFORE UPDATE OF simulated, preview, seed, version_id "
        "ON listeners BEGIN SELECT RAISE(ABORT, 'a listener stays what it was'); END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION keep_answers() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'DELETE' AND EXISTS "
        "(SELECT 1 FROM withdrawals w WHERE w.listener_id = OLD.listener_id) "
        f"THEN RETURN OLD; END IF; RAISE EXCEPTION '{WORDS}'; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_stay BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION keep_answers()"
        )
    op.execute(
        "CREATE FUNCTION keep_listener() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'a listener stays what it was'; END $$"
    )
    op.execute(
        "CREATE TRIGGER listeners_stay BEFORE UPDATE OF simulated, preview, seed, version_id "
        "ON listeners FOR EACH ROW EXECUTE FUNCTION keep_listener()"
    )
