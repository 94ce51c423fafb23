"""Studies and their versions: drafts, what was made from them, launch and close."""

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Row, delete, insert, select, update

from csn import __version__
from listening_test.errors import StudyError
from listening_test.store import Store
from listening_test.store import schema as t
from listening_test.store.rows import Study, Version, insert_one, record
from listening_test.study import Settings
from listening_test.triplets import Excerpt, Prepared, Sound, Triplet

Progress = Callable[[str, float], None]
_LIVE_FOR: Final = 2.0  # seconds for which the answer of any_live is good


def create_study(store: Store, settings: Settings, by: str) -> Version:
    """A new study with its first draft.

    Args:
        store: the database.
        settings: need not make sense yet.
        by: name of the experimenter.
    """
    with store.write() as db:
        row = {"title": settings.title, "created_at": time.time(), "created_by": by}
        study_id = insert_one(db, t.studies, row)
        version_id = _insert_version(db, study_id, 1, settings)
    return get_version(store, version_id)


def new_version(store: Store, version_id: int) -> Version:
    """A new draft of the same study, with the settings of one of its versions.

    Raises:
        StudyError: there is no such version, or the study has a draft already.
    """
    old = get_version(store, version_id)
    with store.write() as db:
        same = t.versions.c.study_id == old.study_id
        states = db.execute(select(t.versions.c.number, t.versions.c.state).where(same)).all()
        if any(row.state == "draft" for row in states):
            raise StudyError("This study has a draft already; change that one.")
        number = 1 + max(row.number for row in states)
        made = _insert_version(db, old.study_id, number, old.settings)
    return get_version(store, made)


def save_draft(store: Store, version_id: int, settings: Settings) -> Version:
    """Keep the settings of a draft; what was prepared from other settings does not count any more.

    Raises:
        StudyError: it was launched already.
    """
    with store.write() as db:
        _draft(db, version_id)
        old = db.execute(select(t.versions).where(t.versions.c.id == version_id)).one()
        values: dict[str, Any] = dict(_settings(settings))
        if old.settings_sha256 != values["settings_sha256"]:
            values["prepared_at"] = None
        db.execute(update(t.versions).where(t.versions.c.id == version_id).values(values))
        title = update(t.studies).where(t.studies.c.id == old.study_id)
        db.execute(title.values(title=settings.title))
    return get_version(store, version_id)


def list_studies(store: Store, *, archived: bool = False) -> list[tuple[Study, list[Version]]]:
    """Every study with its versions, the newest first."""
    with store.read() as db:
        studies = [record(Study, row) for row in db.execute(select(t.studies))]
        versions = [_version(row) for row in db.execute(select(t.versions))]
    found = []
    for study in sorted(studies, key=lambda study: -study.id):
        if archived or study.archived_at is None:
            own = [version for version in versions if version.study_id == study.id]
            found.append((study, sorted(own, key=lambda version: -version.number)))
    return found


def get_version(store: Store, version_id: int) -> Version:
    """One version.

    Raises:
        StudyError: there is none with this id.
    """
    return _one(store, t.versions.c.id == version_id, f"There is no study version {version_id}.")


def version_of_join_token(store: Store, token: str) -> Version:
    """The version that an open link belongs to.

    Raises:
        StudyError: the link is not known.
    """
    return _one(store, t.versions.c.join_token == token, "This link belongs to no study.")


def prepare_version(
    store: Store, version_id: int, progress: Progress | None = None, **given: Any
) -> Version:
    """Make the triplets and sounds of a draft.

    Args:
        store: the database.
        version_id: of a draft.
        progress: called with what happens and the part that is done, 0 to 1.
        given: library, model and corpus where they are open already; see ``prepare``.

    Raises:
        StudyError: it is no draft, or its settings do not make sense.
        StemwiseError: what else went wrong in making them.
    """
    from listening_test.prepare import prepare  # noqa: PLC0415 - loads torch

    version = get_version(store, version_id)
    if version.state != "draft":
        raise StudyError("Only a draft can be prepared; make a new version.")
    prepared = prepare(version.settings, version.folder, progress=progress, **given)
    return store_prepared(store, version_id, prepared, version.settings)


def store_prepared(
    store: Store, version_id: int, prepared: Prepared, settings: Settings | None = None
) -> Version:
    """Keep what was made for a draft, in the place of what was made before.

    Args:
        store: the database.
        version_id: of a draft.
        prepared: the triplets and sounds.
        settings: from which they were made; the draft's own by default.

    Raises:
        StudyError: it is no draft, or its settings have changed since.
    """
    with store.write() as db:
        _draft(db, version_id)
        here = t.versions.c.id == version_id
        digest = db.execute(select(t.versions.c.settings_sha256).where(here)).scalar_one()
        if settings is not None and _settings(settings)["settings_sha256"] != digest:
            raise StudyError("The draft has changed while its sounds were made; prepare it again.")
        _clear(db, version_id)
        ids = {}
        for sound in prepared.sounds:
            row = _sound(sound) | {"version_id": version_id}
            ids[sound.file] = insert_one(db, t.sounds, row)
        by_excerpt = {s.excerpt: ids[s.file] for s in prepared.sounds if s.excerpt is not None}
        rows = [_triplet(one, by_excerpt) | {"version_id": version_id} for one in prepared.triplets]
        db.execute(insert(t.triplets), rows)
        values = {
            "model": prepared.model, "corpus": prepared.corpus, "target": prepared.target,
            "refusals": list(prepared.refusals), "prepared_at": time.time(),
            "app_version": __version__,
        }  # fmt: skip
        db.execute(update(t.versions).where(here).values(values))
    return get_version(store, version_id)


def launch(store: Store, version_id: int, *, simulated: bool = False) -> Version:
    """Freeze a draft and open it for listeners.

    Args:
        store: the database.
        version_id: of a draft that is prepared.
        simulated: whether only simulated listeners will ever take part.

    Raises:
        StudyError: it is no draft, does not make sense, or is not prepared from these settings.
    """
    version = get_version(store, version_id)
    version.settings.check()
    with store.write() as db:
        _draft(db, version_id)
        here = t.versions.c.id == version_id
        if db.execute(select(t.versions.c.prepared_at).where(here)).scalar_one() is None:
            raise StudyError("The sounds of this study are not made yet; prepare it first.")
        values = {"state": "live", "launched_at": time.time(), "simulated": simulated}
        db.execute(update(t.versions).where(here).values(values))
    _live.pop(store, None)
    return get_version(store, version_id)


def close(store: Store, version_id: int) -> Version:
    """Let nobody in any more; answers stay.

    Raises:
        StudyError: it is not live.
    """
    return _move(store, version_id, "live", "closed", time.time())


def reopen(store: Store, version_id: int) -> Version:
    """Open a closed version again, as it was.

    Raises:
        StudyError: it is not closed.
    """
    return _move(store, version_id, "closed", "live", None)


def archive(store: Store, study_id: int, *, away: bool = True) -> None:
    """Put a study out of sight, or fetch it back; nothing is lost.

    Raises:
        StudyError: a version of it is live.
    """
    with store.write() as db:
        states = select(t.versions.c.state).where(t.versions.c.study_id == study_id)
        if away and "live" in db.execute(states).scalars().all():
            raise StudyError("The study is live; close it before you archive it.")
        when = time.time() if away else None
        here = t.studies.c.id == study_id
        db.execute(update(t.studies).where(here).values(archived_at=when))


def triplet_rows(store: Store, version_id: int) -> Sequence[Row[Any]]:
    """The triplets of a version, practice last."""
    order = (t.triplets.c.practice, t.triplets.c.number)
    with store.read() as db:
        here = t.triplets.c.version_id == version_id
        return db.execute(select(t.triplets).where(here).order_by(*order)).all()


def sound_rows(store: Store, version_id: int) -> Sequence[Row[Any]]:
    """The sounds of a version."""
    with store.read() as db:
        here = t.sounds.c.version_id == version_id
        return db.execute(select(t.sounds).where(here).order_by(t.sounds.c.id)).all()


_live: Final[WeakKeyDictionary[Store, tuple[float, bool]]] = WeakKeyDictionary()
"""When it was asked last whether a study is live, and the answer: every route asks."""


def any_live(store: Store) -> bool:
    """Whether a study is live in which people listen; up to two seconds old."""
    asked_at, answer = _live.get(store, (float("-inf"), False))
    now = time.monotonic()
    if now - asked_at > _LIVE_FOR:
        live = (t.versions.c.state == "live") & ~t.versions.c.simulated
        with store.read() as db:
            answer = db.execute(select(t.versions.c.id).where(live).limit(1)).first() is not None
        _live[store] = now, answer
    return answer


def _one(store: Store, condition: Any, problem: str) -> Version:
    with store.read() as db:
        row = db.execute(select(t.versions).where(condition)).first()
    if row is None:
        raise StudyError(problem)
    return _version(row)


def _version(row: Row[Any]) -> Version:
    values = dict(row._mapping)
    values["settings"] = _read_settings(values["settings"])
    values["refusals"] = tuple(values["refusals"])
    values["folder_name"] = values.pop("folder")
    return Version(**values)


@lru_cache(maxsize=64)
def _read_settings(text: str) -> Settings:
    return Settings.from_json(text, check=False)


def _settings(settings: Settings) -> dict[str, str]:
    text = settings.to_json()
    return {"settings": text, "settings_sha256": hashlib.sha256(text.encode()).hexdigest()}


def _insert_version(db: Connection, study_id: int, number: int, settings: Settings) -> int:
    row = {
        "study_id": study_id, "number": number, "state": "draft", "simulated": False,
        "join_token": secrets.token_urlsafe(16), "folder": secrets.token_hex(8),
        "model": "", "corpus": "", "refusals": [], "app_version": __version__,
        "created_at": time.time(),
    }  # fmt: skip
    return insert_one(db, t.versions, row | _settings(settings))


def _draft(db: Connection, version_id: int) -> None:
    """Make sure that a version may still change, and that nobody launches it meanwhile."""
    here = t.versions.c.id == version_id
    state = db.execute(select(t.versions.c.state).where(here).with_for_update()).scalar()
    if state != "draft":
        raise StudyError(
            f"There is no study version {version_id}."
            if state is None
            else "This version was launched and stays as it is; make a new version to change it."
        )


def _move(store: Store, version_id: int, old: str, new: str, closed_at: float | None) -> Version:
    here = (t.versions.c.id == version_id) & (t.versions.c.state == old)
    with store.write() as db:
        change = update(t.versions).where(here).values(state=new, closed_at=closed_at)
        if db.execute(change).rowcount == 0:
            raise StudyError(f"Only a study that is {old} can become {new}.")
    _live.pop(store, None)
    return get_version(store, version_id)


def _clear(db: Connection, version_id: int) -> None:
    """Remove an earlier preparation of a draft and those who only had a look at it."""
    own = select(t.listeners.c.id).where(t.listeners.c.version_id == version_id)
    looked = {"at": time.time(), "erased": 0, "reason": "preview of a draft"}
    gone = select(t.withdrawals.c.listener_id)
    for listener in db.execute(own.where(t.listeners.c.id.not_in(gone))).scalars().all():
        db.execute(insert(t.withdrawals).values(looked | {"listener_id": listener}))
    for table in (t.answers, t.steps, t.events, t.trials, t.withdrawals):
        db.execute(delete(table).where(table.c.listener_id.in_(own)))
    for table in (t.listeners, t.triplets, t.sounds):
        db.execute(delete(table).where(table.c.version_id == version_id))


def _sound(sound: Sound) -> dict[str, Any]:
    row = {
        name: getattr(sound, name)
        for name in ("kind", "file", "sha256", "bytes", "seconds", "loudness", "true_peak")
    } | {"answer": sound.answer, "method": sound.method}
    cut = sound.excerpt
    if cut is not None:
        row |= {"piece": cut.piece, "part": cut.part, "start": cut.start}
    return row


def _triplet(one: Triplet, sounds: dict[Excerpt, int]) -> dict[str, Any]:
    return {
        "number": one.number, "protocol": one.protocol, "set": one.set, "practice": one.practice,
        "instrument": one.instrument, "space": one.space, "source": one.source,
        "x_id": sounds[one.x], "first_id": sounds[one.first], "second_id": sounds[one.second],
        "distances": None if one.distances is None else one.distances.values,
        "margin": one.margin, "model_choice": one.model_choice, "notes": dict(one.notes),
    }  # fmt: skip
