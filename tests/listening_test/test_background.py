"""Sounds made in another process: what it says arrives, and its end is told however it ends."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from csn.model import Model
from csn.training.recipes import STEMWISE, tiny
from listening_test import background
from listening_test.store import Store, open_store
from listening_test.store.studies import create_study, get_version, triplet_rows
from listening_test.study import Settings
from tests.small_library import make

SETTINGS = Settings(
    library="small", instruments=("bass",), per_instrument=1, excerpt=2.0, must_hear=0.5
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    monkeypatch.delenv("STEMWISE_DATABASE_URL", raising=False)
    with closing(open_store()) as opened:
        yield opened


def ended(job: background.Job, seconds: float = 240.0) -> background.Job:
    end = time.monotonic() + seconds
    while not job.done:
        assert time.monotonic() < end, f"it stands at {job.words!r}"
        time.sleep(0.02)
    return job


def test_sounds_are_made_while_this_process_goes_on(store: Store, tmp_path: Path) -> None:
    model = Model.untrained(tiny(STEMWISE).model, seed=0)
    (tmp_path / "models").mkdir()
    model.save(tmp_path / "models" / "tiny.safetensors")
    folder = make(tmp_path, model).folder
    version = create_study(store, SETTINGS, "ada")
    job = background.prepare(version.id, folder)
    assert background.prepare(version.id, folder) is job  # once is enough
    assert background.job(version.id) is job
    assert ended(job).problem == ""
    assert job.part == 1.0
    made = get_version(store, version.id)
    assert made.prepared_at is not None and made.model == model.hash
    assert len([row for row in triplet_rows(store, version.id) if not row.practice]) == 2
    assert list(made.folder.glob("*.flac"))
    background.forget(version.id)
    assert background.job(version.id) is None


def test_what_went_wrong_is_one_sentence(store: Store) -> None:
    version = create_study(store, SETTINGS, "ada")
    assert "no library 'small'" in ended(background.prepare(version.id)).problem


def test_a_process_that_dies_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_COMMAND", [sys.executable, "-c", "print('Hello'); exit(7)"])
    version = create_study(store, SETTINGS, "ada")
    problem = ended(background.prepare(version.id)).problem
    assert problem.startswith("The work ended before it was done (exit code 7);")


@pytest.mark.parametrize(
    ("part", "gone", "left"),
    [(0.05, 10, ""), (0.5, 5, "a few seconds left"), (0.5, 60, "about 60 s left"),
     (0.25, 100, "about 5 min left")],
)  # fmt: skip
def test_the_time_that_is_left(part: float, gone: float, left: str) -> None:
    assert background.Job(part=part, begun=time.monotonic() - gone).left == left
