"""A small study in the database, row by row: what other functions read is known here."""

import itertools
import json
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, insert

from csn.instruments import INSTRUMENTS
from listening_test.store import Store, schema
from listening_test.study import Settings

LAUNCHED = 1_790_000_000.0
"""When every study of the tests was launched: seconds since 1970."""

_codes = itertools.count()


def add(connection: Connection, table: Table, **values: Any) -> int:
    """Insert a row; returns its number, where it has one."""
    key = connection.execute(insert(table).values(**values)).inserted_primary_key
    return key[0] if key and isinstance(key[0], int) else 0


def version(
    store: Store, settings: Settings | None = None, *, simulated: bool = False, number: int = 1
) -> int:
    """A live version with as many triplets and sounds as its settings ask for."""
    settings = (settings or Settings(title="A study")).check()
    rng = np.random.default_rng(settings.seed)
    with store.write() as write:
        study = add(
            write, schema.studies, title=settings.title, created_at=LAUNCHED - 100, created_by="ada"
        )
        made = add(
            write, schema.versions, study_id=study, number=number, state="live",
            settings=settings.to_json(), settings_sha256="5" * 64, join_token=code(),
            folder=f"{study:04d}-1", simulated=simulated, model="a" * 64, corpus="c" * 64,
            target=-23.0, refusals=[], app_version="0.1", created_at=LAUNCHED - 90,
            prepared_at=LAUNCHED - 50, launched_at=LAUNCHED,
        )  # fmt: skip
        for index in range(settings.asked):
            instrument = settings.instruments[index % len(settings.instruments)]
            set_ = settings.sets[index % len(settings.sets)] if settings.protocol == "track" else 0
            sounds = [
                add(
                    write, schema.sounds, version_id=made, kind="excerpt",
                    file=f"{index}-{role}.flac", sha256="0" * 64, bytes=1000, seconds=10.0,
                    loudness=-23.0, true_peak=-3.0, piece=f"Track{3 * index + role:05d}",
                    part=instrument, start=float(role), method="",
                )
                for role in range(3)
            ]  # fmt: skip
            pairs = {
                source: {
                    space: rng.uniform(0.2, 1.4, 2).round(6).tolist()
                    for space in (*INSTRUMENTS, "whole")
                }
                for source in ("mix", "stem")
            }
            first, second = pairs[settings.source][instrument]
            add(
                write, schema.triplets, version_id=made, number=index + 1,
                protocol=settings.protocol, set=set_, instrument=instrument, practice=False,
                x_id=sounds[0], first_id=sounds[1], second_id=sounds[2], space=instrument,
                source=settings.source, distances=pairs, margin=second - first,
                model_choice=int(second < first), notes={},
            )  # fmt: skip
    return made


def listener(
    store: Store,
    version_id: int,
    number: int = 0,
    *,
    answered: int | None = None,
    catch: int = 0,
    **values: Any,
) -> int:
    """A listener with every triplet as a trial, sides by chance, answered by chance.

    Args:
        store: where.
        version_id: of which version.
        number: place in the schedule, and seed of everything random here.
        answered: how many of the trials; None for all.
        catch: catch trials after the others; they are answered rightly.
        values: columns that are not as usual.
    """
    rng = np.random.default_rng([number, 7])
    with store.write() as write:
        made = add(
            write, schema.listeners,
            **({
                "version_id": version_id, "number": number, "token": code(), "seed": 100 + number,
                "label": "", "external_id": None, "preview": False, "simulated": False,
                "created_at": LAUNCHED + number,
            } | values),
        )  # fmt: skip
        t = schema.triplets.c
        rows = write.execute(
            schema.triplets.select().where(t.version_id == version_id, ~t.practice).order_by(t.id)
        ).all()
        ways = [("trial", row) for row in rows] + [("catch", rows[0])] * catch
        for position, (kind, row) in enumerate(ways):
            swapped = bool(rng.integers(2))
            pair = (row.second_id, row.first_id) if swapped else (row.first_id, row.second_id)
            right = None
            if kind == "catch":
                right = int(swapped)
                pair = (row.second_id, row.x_id) if swapped else (row.x_id, row.second_id)
            trial = add(
                write, schema.trials, listener_id=made, position=position, kind=kind, attempt=0,
                code=code(), triplet_id=row.id, swapped=swapped, x_id=row.x_id, a_id=pair[0],
                b_id=pair[1], x_clip=code(), a_clip=code(), b_clip=code(), right=right,
                block=position // 16, repeat_of=None,
            )  # fmt: skip
            if answered is None or position < answered:
                add(
                    write, schema.answers, id=f"answer-{made}-{position}", listener_id=made,
                    trial_id=trial, choice=int(rng.integers(2)) if right is None else right,
                    sure=None, heard_x=3.5, heard_a=4.0, heard_b=5.0,
                    elapsed=round(float(rng.uniform(12, 40)), 3),
                    saved_at=LAUNCHED + 1000.5 + 30 * position, app_version="0.1",
                )  # fmt: skip
    return made


def event(
    store: Store, listener_id: int, kind: str, at: float, trial_id: int | None = None, **more: Any
) -> None:
    """Something that a browser reported, ``at`` seconds after the launch by its own clock."""
    with store.write() as write:
        add(
            write, schema.events, id=f"event-{code()}", listener_id=listener_id, trial_id=trial_id,
            kind=kind, at=LAUNCHED + at, saved_at=LAUNCHED + at + 2,
            **({"clip": None, "position": None} | more),
        )  # fmt: skip


def step(store: Store, listener_id: int, name: str, payload: Any = None) -> None:
    """A step that a listener has taken."""
    with store.write() as write:
        add(
            write, schema.steps, id=f"step-{code()}", listener_id=listener_id, step=name,
            payload=json.loads(json.dumps(payload or {})), saved_at=LAUNCHED + 5,
        )  # fmt: skip


def code() -> str:
    """A text that is used once."""
    return f"code-{next(_codes):012d}"
