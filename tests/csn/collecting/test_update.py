"""A library that is brought up to date is the one that is made anew, and no sound is done twice."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from csn.collecting import folder as places
from csn.collecting import pieces
from csn.collecting.build import build
from csn.collecting.pieces import Changes
from csn.corpora import open_corpus
from csn.errors import LibraryError, Paused
from csn.instruments import EMBEDDING
from csn.library import Library
from tests.csn.fake_model import RATE, FakeModel, contents, noise

FILES = (places.TABLE, places.VECTORS, places.PIECES)


def write(file: Path, seed: int, seconds: float = 5.0) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    sf.write(file, noise(seed, seconds), RATE, subtype="PCM_16")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Six pieces, one of them corrupt behind a good header, one too short."""
    music = tmp_path / "music"
    for i in range(4):
        write(music / f"{i}.flac", i)
    write(music / "torn.flac", 9)
    whole = (music / "torn.flac").read_bytes()
    (music / "torn.flac").write_bytes(whole[: len(whole) // 2])
    write(music / "short.wav", 10, 1.0)
    return music


def update(music: Path, folder: Path, **more: object) -> tuple[Library, FakeModel, Changes]:
    model, said = FakeModel(), []
    library = build(
        open_corpus(f"mixes:{music}"), model, folder, progress=False, compared=said.append, **more
    )
    return library, model, said[0]


def assert_as_made_anew(music: Path, folder: Path, **more: object) -> None:
    anew = update(music, folder.with_name("anew"), resume=False, **more)[0]
    for name in FILES:
        assert (folder / name).read_bytes() == (anew.folder / name).read_bytes(), name
    assert Library.open(folder).info["problems"] == anew.info["problems"]
    assert not (folder / ".partial").exists() and not (folder / ".next").exists()


def rename(music: Path) -> None:
    (music / "b").mkdir()
    (music / "2.flac").rename(music / "b" / "other name.flac")


def mend(music: Path) -> None:
    write(music / "torn.flac", 9)


def touch(music: Path) -> None:
    (music / "1.flac").touch()


def swap(music: Path) -> None:
    (music / "0.flac").rename(music / "x")
    (music / "1.flac").rename(music / "0.flac")
    (music / "x").rename(music / "1.flac")


def same_size(music: Path) -> None:
    """Another sound in a WAV file of the same size."""
    write(music / "short.wav", 11, 1.0)


@pytest.mark.parametrize(
    ("change", "words", "calls"),
    [
        (lambda music: None, "0 added, 0 changed, 0 moved, 0 deleted, 6 as they were", 0),
        (lambda music: write(music / "new.wav", 7), "1 added, 0 changed, 0 moved, 0 del", 1),
        (lambda music: write(music / "1.flac", 8), "0 added, 1 changed, 0 moved, 0 del", 1),
        (lambda music: (music / "0.flac").unlink(), "0 added, 0 changed, 0 moved, 1 del", 0),
        (rename, "0 added, 0 changed, 1 moved, 0 deleted, 5 as", 0),
        (lambda music: shutil.copy(music / "3.flac", music / "4.flac"), "1 added, 0 changed", 0),
        (mend, "0 added, 1 changed, 0 moved, 0 deleted, 5 as", 1),
        (touch, "0 added, 0 changed, 0 moved, 0 deleted, 6 as they were", 0),
        (swap, "0 added, 2 changed, 0 moved, 0 deleted, 4 as they were", 0),
        (same_size, "0 added, 1 changed, 0 moved, 0 deleted, 5 as", 0),
    ],
    ids=["nothing", "added", "changed", "deleted", "moved", "copied", "mended", "touched",
         "swapped", "same size"],
)  # fmt: skip
def test_one_change(
    music: Path, tmp_path: Path, change: Callable[[Path], object], words: str, calls: int
) -> None:
    folder = tmp_path / "library"
    assert update(music, folder)[1].calls == 4
    change(music)
    library, model, said = update(music, folder)
    assert words in str(said) and model.calls == calls
    assert len(library.info["problems"]) == (1 if change is mend else 2)
    assert_as_made_anew(music, folder)
    assert update(music, folder)[1].calls == 0


def test_many_changes_in_many_orders(music: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    folder, made = tmp_path / "library", 20
    for _ in range(12):
        known = {pieces.sha256(file) for file in music.rglob("*.*")} if folder.exists() else set()
        for _ in range(rng.integers(1, 5)):
            files = sorted(music.rglob("*.*"))
            one = files[rng.integers(len(files))]
            kind, made = rng.integers(5), made + 1
            if kind == 0:
                write(music / f"{made}.wav", made)
            elif kind == 1:
                write(one, made)
            elif kind == 2 and len(files) > 4:
                one.unlink()
            elif kind == 3:
                (music / str(made)).mkdir()
                one.rename(music / str(made) / one.name)
            else:
                shutil.copy(one, one.with_name(f"{made}{one.suffix}"))
        news = [file for file in music.rglob("*.*") if pieces.sha256(file) not in known]
        model = update(music, folder)[1]
        assert model.calls <= len(news)
        assert_as_made_anew(music, folder)


@pytest.mark.parametrize("gone", ["vectors.npy", "pieces.parquet", "library.json"])
def test_what_cannot_be_gone_on_with_is_made_anew(music: Path, tmp_path: Path, gone: str) -> None:
    folder = tmp_path / "library"
    update(music, folder)
    (folder / gone).unlink()
    assert update(music, folder)[1].calls == 4
    assert_as_made_anew(music, folder)


def test_half_the_size(music: Path, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    full = np.array(update(music, folder)[0].vectors)
    library, model, _ = update(music, folder, half=True)
    assert model.calls == 0 and library.vectors.dtype == np.float16
    np.testing.assert_array_equal(library.vectors, full[:, :EMBEDDING].astype(np.float16))
    write(music / "new.wav", 7)
    library, model, _ = update(music, folder)  # stays as it is
    assert model.calls == 1 and library.vectors.dtype == np.float16
    assert_as_made_anew(music, folder, half=True)
    mine = library.vectors[3, :EMBEDDING]
    assert library.search(mine, (1.0,) * 5, 1)[0].tolist() == [3]
    assert update(music, folder, half=False)[1].calls == 5  # lost digits do not come back


def test_a_pause_loses_nothing(music: Path, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    calls = 0
    for done in (1, 2, 3, 4, 5):
        model = FakeModel()
        with pytest.raises(Paused, match=f"paused: {done} of 6 pieces done; run the same"):
            build(open_corpus(f"mixes:{music}"), model, folder, progress=False,
                  pausing=lambda: True)  # fmt: skip
        calls += model.calls
        with pytest.raises(LibraryError, match="no library"):
            Library.open(folder)
    assert calls + update(music, folder)[1].calls == 4
    assert_as_made_anew(music, folder)


def test_the_old_library_can_be_used_meanwhile(music: Path, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    before = np.array(update(music, folder)[0].vectors)
    write(music / "0.flac", 30)
    write(music / "a.flac", 31)
    with pytest.raises(Paused):
        build(open_corpus(f"mixes:{music}"), FakeModel(), folder, progress=False,
              pausing=lambda: True)  # fmt: skip
    there = Library.open(folder)
    np.testing.assert_array_equal(there.vectors, before)
    assert update(music, folder)[1].calls == 1
    np.testing.assert_array_equal(there.vectors, before)  # who has it open, keeps it
    assert_as_made_anew(music, folder)


class KilledError(BaseException):
    """As if the process had ended here."""


def test_a_kill_at_any_step_leaves_the_old_or_the_new(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every rename, removal and replacement is in turn the last thing that happens."""
    old = tmp_path / "old"
    update(music, old)
    (old / "maps").mkdir()
    (old / "maps" / "umap-drums.npz").write_bytes(b"old")
    write(music / "0.flac", 40)
    write(music / "new.flac", 41)

    def finish(_old: object, new: Library, _origins: object) -> None:
        (new.folder / "maps" / "umap-drums.npz").write_bytes(b"new")

    def go_on(folder: Path) -> Library:
        return update(music, folder, finish=finish)[0]

    new = contents(go_on(Path(shutil.copytree(old, tmp_path / "new"))).folder)
    was = contents(old)
    seen = set()
    for last in range(100):
        folder = Path(shutil.copytree(old, tmp_path / f"at {last}"))
        steps = _count_steps(monkeypatch, last)
        try:
            go_on(folder)
        except KilledError:
            pass
        finally:
            monkeypatch.undo()
        if len(steps) <= last:
            break
        Library.open(folder)  # finishes what can be finished
        now = {k: v for k, v in contents(folder).items() if not k.startswith(".")}
        assert now in (was, new), steps[-1]
        seen.add(now == new)
        go_on(folder)
        assert contents(folder) == new, steps[-1]
    assert last > 10 and seen == {True, False}


def _count_steps(monkeypatch: pytest.MonkeyPatch, last: int) -> list[str]:
    """From here on, the step of this number does not happen, nor anything after it."""
    steps: list[str] = []

    def broken(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **more: object) -> object:
            steps.append(f"{name} {args[0]}")
            if len(steps) > last:
                raise KilledError
            return real(*args, **more)

        return step

    monkeypatch.setattr("os.replace", broken("replace", __import__("os").replace))
    monkeypatch.setattr("shutil.rmtree", broken("rmtree", shutil.rmtree))
    monkeypatch.setattr(Path, "rename", broken("rename", Path.rename))
    return steps
