"""The Library page as its code runs it: make, watch, pause, update, rename, delete."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from streamlit.testing.v1 import AppTest

from csn.collecting import shelf
from csn.collecting.build import build
from csn.collecting.work import read_status
from csn.corpora import open_corpus
from csn.library import Library
from csn.model import Model
from csn.training.recipes import STEMWISE, tiny
from pages import libraries
from pages.library import jobs, screen, words
from tests import page_runs
from tests.csn.fake_model import FakeModel
from tests.page_runs import run

show = partial(page_runs.show, "library")
RATE = 16_000


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.untrained(tiny(STEMWISE).model, seed=0)


@pytest.fixture
def home(tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a small model, and an experimenter who is signed in."""
    home = tmp_path / "home"
    (home / "models").mkdir(parents=True)
    model.save(home / "models" / "tiny.safetensors")
    monkeypatch.setenv("STEMWISE_HOME", str(home))
    monkeypatch.delenv("STEMWISE_LIBRARY", raising=False)
    monkeypatch.setattr(screen, "require_experimenter", lambda _: "ada")
    return home


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for i in range(4):
        sound(folder / f"{i}.wav", i)
    (folder / "torn.mp3").write_bytes(b"not music")
    sf.write(folder / "silent.wav", np.zeros(RATE * 4), RATE)
    return folder


def sound(file: Path, seed: int) -> None:
    sf.write(file, np.random.default_rng(seed).normal(0, 0.1, RATE * 6), RATE)


def begin(music: Path, **more: str) -> AppTest:
    """Ask for a library of a folder."""
    page = show()
    run(page.button(key="new").click())
    page.text_input(key="new-folder").set_value(str(music))
    page.text_input(key="new-name").set_value(more.get("name", "mine"))
    box = page.selectbox(key="new-model")
    box.set_value(next(file for file in box.options if "tiny" in str(file)))
    return run(page.button(key="begin").click())


def until(true: Callable[[], bool], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def said(page: AppTest) -> str:
    kinds = ("markdown", "caption", "error", "warning", "info", "title")
    return "\n".join(str(item.value) for kind in kinds for item in page.get(kind))


def made(home: Path, music: Path, model: object, name: str = "mine") -> Path:
    folder = home / "libraries" / name
    build(open_corpus(f"mixes:{music}"), model, folder, progress=False)  # type: ignore[arg-type]
    return folder


def test_an_empty_shelf(home: Path) -> None:
    page = show()
    assert page.title[0].value == "Libraries"
    assert "0 of your own" in said(page) and "#### demo" in said(page)
    assert "32 pieces · 928 segments of 3 s" in said(page)


def test_a_folder_becomes_a_library(home: Path, music: Path, model: Model) -> None:
    begin(music)
    folder = home / "libraries" / "mine"
    assert jobs.alive(folder)
    until(lambda: not jobs.alive(folder))
    library = Library.open(folder)
    assert library.info["pieces"] == 4 and library.info["model"] == model.hash
    assert "mine" in libraries.folders()
    page = show()
    assert "4 pieces · 12 segments of 3 s" in said(page)
    assert f"recordings in {music}".replace("-", "\\-") in said(page).replace("\\_", "_")
    problems = page.dataframe[0].value["What is wrong"].tolist()
    assert len(problems) == 2
    assert "torn.mp3 is not audio" in problems[0] and "silent was left out" in problems[1]


def test_what_cannot_become_one_is_said_at_once(home: Path, music: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    inside = made(home, music, FakeModel(), "there")
    wrong = {
        "": "Give the folder",
        str(tmp_path / "none"): "does not exist",
        str(music / "0.wav"): "is a file",
        str(tmp_path / "empty"): "holds no recording",
        str(inside): "is a library, or lies in one",
        str(home / "libraries"): "is where libraries stand",
    }
    page = show()
    run(page.button(key="new").click())
    for place, sentence in wrong.items():
        page.text_input(key="new-folder").set_value(place)
        run(page.button(key="begin").click())
        assert sentence in page.error[0].value.replace("\\", ""), place
        assert page.error[0].value.count("\n") == 0
    page.text_input(key="new-folder").set_value(str(music))
    names = {"there": "already", "a/b": "signs", ".x": "begins with", "x" * 61: "too long",
             "demo": "already", "THERE": "already", "..": "begins with"}  # fmt: skip
    for name, sentence in names.items():
        page.text_input(key="new-name").set_value(name)
        run(page.button(key="begin").click())
        assert sentence in page.error[0].value.replace("\\", ""), name
    assert [entry.name for entry in shelf.entries()] == ["there"]


def test_what_fails_later_is_shown_and_can_be_removed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "noise.wav").write_bytes(b"no sound")
    begin(tmp_path / "bad")
    folder = home / "libraries" / "mine"
    until(lambda: not jobs.alive(folder))
    page = show()
    assert "holds no piece that can be used" in page.error[0].value
    run(page.button(key="cancel-mine").click())
    assert not folder.exists()
    assert "0 of your own" in said(show())


def test_work_is_paused_and_gone_on_with(home: Path, music: Path) -> None:
    page = begin(music)
    folder = home / "libraries" / "mine"
    run(page.button(key="pause-mine").click())
    until(lambda: not jobs.alive(folder))
    status = read_status(folder)
    assert status is not None and status.step == "paused"
    page = show()
    assert "Paused: " in said(page)
    run(page.button(key="go-mine").click())
    until(lambda: not jobs.alive(folder))
    assert Library.open(folder).info["pieces"] == 4


def test_cancelled_work_leaves_nothing_new(home: Path, music: Path, model: Model) -> None:
    page = begin(music)
    run(page.button(key="cancel-mine").click())
    assert not (home / "libraries" / "mine").exists()
    folder = made(home, music, model)
    before = sorted(str(file) for file in folder.rglob("*"))
    sound(music / "9.wav", 9)
    page = show()
    run(page.button(key="look-mine").click())
    until(lambda: jobs.looked(folder).done)  # type: ignore[union-attr]
    run(page)
    run(page.button(key="update-mine").click())
    run(page.button(key="cancel-mine").click())
    assert sorted(str(file) for file in folder.rglob("*")) == before
    assert Library.open(folder).info["pieces"] == 4


def test_a_process_that_dies_is_told(
    home: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_COMMAND", ["python", "-c", "exit(7)"])
    begin(music)
    folder = home / "libraries" / "mine"
    until(lambda: not jobs.alive(folder))
    assert "It ended before it was done" in said(show())


def test_an_update_says_first_what_it_will_do(home: Path, music: Path, model: Model) -> None:
    folder = made(home, music, model)
    page = show()
    run(page.button(key="look-mine").click())
    until(lambda: jobs.looked(folder).done)  # type: ignore[union-attr]
    run(page)
    assert "Nothing has changed: all 5 pieces are as they were." in said(page)
    sound(music / "9.wav", 9)
    sound(music / "1.wav", 10)
    (music / "2.wav").rename(music / "two.wav")
    (music / "3.wav").unlink()
    run(page.button(key="look-mine").click())
    until(lambda: jobs.looked(folder).done)  # type: ignore[union-attr]
    run(page)
    assert (
        "**1** added, **1** changed, **1** moved, **1** deleted; 2 as they were. "
        "2 pieces to embed." in said(page)
    )
    run(page.button(key="update-mine").click())
    until(lambda: not jobs.alive(folder))
    pieces = set(Library.open(folder).segments["piece"])
    assert pieces == {"0", "1", "9", "two"}


def test_a_link_to_a_library_elsewhere(
    home: Path, music: Path, model: Model, tmp_path: Path
) -> None:
    real = tmp_path / "real"
    build(open_corpus(f"mixes:{music}"), model, real, progress=False)  # "../music", as it says
    (home / "libraries").mkdir()
    (home / "libraries" / "mine").symlink_to(real)
    page = show()
    run(page.button(key="look-mine").click())
    until(lambda: jobs.looked(home / "libraries" / "mine").done)  # type: ignore[union-attr]
    run(page)
    assert "Nothing has changed" in said(page)
    run(page.checkbox(key="sure-mine").check())
    run(page.button(key="delete-mine").click())
    assert (real / "library.json").exists() and not (home / "libraries" / "mine").exists()


def test_a_folder_that_is_gone(home: Path, music: Path, model: Model) -> None:
    folder = made(home, music, model)
    music.rename(music.with_name("elsewhere"))
    page = show()
    run(page.button(key="look-mine").click())
    until(lambda: jobs.looked(folder).done)  # type: ignore[union-attr]
    run(page)
    assert "does not exist" in page.error[0].value
    assert "If the recordings have moved" in said(page)
    page.text_input(key="folder-mine").set_value(str(folder))
    run(page.button(key="there-mine").click())
    assert "is a library" in said(page)

    def here(piece: str, place: str) -> None:
        page.text_input(key="folder-mine").set_value(place)
        run(page.button(key="there-mine").click())
        until(lambda: jobs.looked(folder).done)  # type: ignore[union-attr]
        run(page)
        assert f"In {place}:" in said(page).replace("\\", "") and piece in said(page)

    stranger = music.with_name("stranger")
    stranger.mkdir()
    sound(stranger / "other.wav", 7)
    here("**1** added, **5** deleted; 0 as they were.", str(stranger))  # told before it is done
    assert page.button(key="update-mine").label == "Use this folder"
    vectors = (folder / "vectors.npy").read_bytes()
    here("Nothing has changed: all 5 pieces are as they were.", str(music.with_name("elsewhere")))
    run(page.button(key="update-mine").click())
    until(lambda: not jobs.alive(folder))
    assert Library.open(folder).corpus().uri == f"mixes:{music.with_name('elsewhere')}"
    assert (folder / "vectors.npy").read_bytes() == vectors
    run(page)
    assert not page.error and "elsewhere" in said(page)


def test_rename_and_delete(home: Path, music: Path, model: Model) -> None:
    made(home, music, model, "taken")
    made(home, music, model)
    page = show()
    page.text_input(key="name-mine").set_value("taken")
    run(page.button(key="rename-mine").click())
    assert "already" in page.error[0].value
    page.text_input(key="name-mine").set_value("Söhne & Co")
    run(page.button(key="rename-mine").click())
    assert "signs" in page.error[0].value
    page.text_input(key="name-mine").set_value("Söhne 2")
    run(page.button(key="rename-mine").click())
    assert [entry.name for entry in shelf.entries()] == ["Söhne 2", "taken"]
    page = show()
    run(page.checkbox(key="sure-taken").check())
    assert (home / "libraries" / "taken").exists()
    run(page.button(key="delete-taken").click())
    assert [entry.name for entry in shelf.entries()] == ["Söhne 2"]
    assert len(list(music.iterdir())) == 6


def test_another_models_library_is_shown_as_such(home: Path, music: Path) -> None:
    made(home, music, FakeModel())
    page = show()
    assert "was made by another model" in page.warning[0].value.replace("\\", "")
    folder = home / "libraries" / "mine"
    sound(music / "9.wav", 9)
    run(page.button(key="look-mine").click())
    until(lambda: jobs.looked(folder).done)  # type: ignore[union-attr]
    run(page)
    run(page.button(key="update-mine").click())
    assert "is not on this computer" in page.error[0].value
    assert not jobs.alive(folder)


def test_the_demo_can_only_be_looked_at(home: Path) -> None:
    page = show()
    assert [button.key for button in page.button] == ["new"]


@pytest.mark.parametrize(
    ("count", "words_"), [(10, "1 kB"), (4_200_000, "4 MB"), (1_290_000_000, "1.3 GB")]
)
def test_sizes(count: float, words_: str) -> None:
    assert words.size(count) == words_


def test_folders_are_shown_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert words.kind("mixes:/home/ada/Music/Tapes") == "recordings in ~/Music/Tapes"
    assert words.kind("stems:/home/adam/Music") == "stems in /home/adam/Music"
    assert Path(words.short("/home/ada/Music")).expanduser() == Path("/home/ada/Music")
    monkeypatch.setenv("HOME", "/")
    assert words.short("/music") == "/music"
