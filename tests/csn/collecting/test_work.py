"""Embedding as people run it: watched, paused, killed, and gone on with."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile as sf

from csn.collecting import folder as places
from csn.collecting.work import Order, ask_to_pause, embed, read_status
from csn.errors import LibraryError, Paused
from csn.library import Library
from tests.csn.fake_model import RATE, FakeModel, contents, noise

PIECES = 8

# A model that takes its time, in a process that says when each piece begins.
SCRIPT = """
import sys, time
from argparse import Namespace
from pathlib import Path
from csn.collecting.work import Order, embed
from csn.console import run
from tests.csn.fake_model import FakeModel

class Slow(FakeModel):
    def embed(self, *args):
        print("piece", flush=True)
        time.sleep(0.3)
        return super().embed(*args)

def work(_):
    embed(Order(sys.argv[1], maps="pca"), Path(sys.argv[2]), lambda _: Slow(), progress=False)

sys.exit(run(Namespace(run=work), "csn"))
"""


@pytest.fixture
def music(tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    for i in range(PIECES):
        sf.write(tmp_path / "music" / f"{i}.wav", noise(i, 6.0), RATE)
    return tmp_path / "music"


def start(music: Path, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, f"mixes:{music}", str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )  # fmt: skip


def wait_for_piece(process: subprocess.Popen[str], number: int) -> None:
    assert process.stdout is not None
    for _ in range(number):
        assert process.stdout.readline() == "piece\n"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_pauses_after_the_piece_at_hand(
    music: Path, tmp_path: Path, sign: signal.Signals
) -> None:
    folder = tmp_path / "library"
    process = start(music, folder)
    wait_for_piece(process, 3)
    process.send_signal(sign)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert said == f"csn: paused: 3 of {PIECES} pieces done; run the same command to go on.\n"
    status = read_status(folder)
    assert status is not None and not places.at_work(folder)
    assert (status.step, status.progress.done, status.progress.pieces) == ("paused", 3, PIECES)
    assert status.order == Order(f"mixes:{music}", maps="pca")
    model = FakeModel()
    made = embed(status.order, folder, lambda _: model, progress=False)
    assert model.calls == PIECES - 3 and made.info["pieces"] == PIECES
    assert read_status(folder) is None


def test_two_do_not_make_one_library(music: Path, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    process = start(music, folder)
    wait_for_piece(process, 1)
    assert places.at_work(folder)
    with pytest.raises(LibraryError, match="Another program is making the library"):
        embed(Order(f"mixes:{music}"), folder, lambda _: FakeModel(), progress=False)
    process.kill()
    process.communicate()
    assert not places.at_work(folder)


def test_killed_again_and_again(music: Path, tmp_path: Path) -> None:
    """What is done stays done: each run brings it further, and the end is what it should be."""
    folder = tmp_path / "library"
    pieces = 0
    for _ in range(3):
        process = start(music, folder)
        wait_for_piece(process, 3)
        process.kill()
        process.communicate()
        now = len(list((folder / ".partial" / "parts").glob("*.npz")))
        assert now >= pieces + 2  # the third may have been under way
        pieces = now
        if pieces + 3 > PIECES:
            break
        with pytest.raises(LibraryError, match="There is no library"):
            Library.open(folder)
    model = FakeModel()
    embed(Order(f"mixes:{music}", maps="pca"), folder, lambda _: model, progress=False)
    assert model.calls == PIECES - pieces
    other = tmp_path / "other"
    embed(Order(f"mixes:{music}", maps="pca"), other, lambda _: FakeModel(), progress=False)
    assert contents(folder) == contents(other)


def test_a_pause_that_somebody_else_asked_for(music: Path, tmp_path: Path) -> None:
    folder, order = tmp_path / "library", Order(f"mixes:{music}", maps="")

    class Watched(FakeModel):
        def embed(self, *args: object) -> object:
            if self.calls == 1:
                ask_to_pause(folder)
            return super().embed(*args)

    with pytest.raises(Paused, match=f"paused: 2 of {PIECES} pieces done; run the same command"):
        embed(order, folder, lambda _: Watched(), progress=False)
    model = FakeModel()
    embed(order, folder, lambda _: model, progress=False)
    assert model.calls == PIECES - 2


def test_maps_that_were_drawn_are_not_drawn_again(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, order = tmp_path / "library", Order(f"mixes:{music}", maps="pca")
    drawn: list[str] = []

    def stopped(*args: object) -> object:
        if len(drawn) == 2:
            raise KeyboardInterrupt
        drawn.append("map")
        return real(*args)

    from csn import maps

    real = maps._fit
    with monkeypatch.context() as patch:
        patch.setattr(maps, "_fit", stopped)
        with pytest.raises(Paused, match="8 of 8 pieces done, the maps are still to be drawn; run"):
            embed(order, folder, lambda _: FakeModel(), progress=False)
    status = read_status(folder)
    assert status is not None and status.step == "paused"
    monkeypatch.setattr(maps, "_fit", lambda *args: drawn.append("again") or real(*args))
    model = FakeModel()
    embed(order, folder, lambda _: model, progress=False)
    assert model.calls == 0 and drawn == ["map"] * 2 + ["again"] * 4


def test_what_goes_wrong_is_written_down(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    with pytest.raises(Exception, match="does not exist") as raised:
        embed(Order(f"mixes:{tmp_path}/none"), folder, lambda _: FakeModel(), progress=False)
    status = read_status(folder)
    assert status is not None and (status.step, status.problem) == ("failed", str(raised.value))


def test_a_disk_that_is_full(music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("csn.collecting.build.write_part", full)
    with pytest.raises(LibraryError, match=r"No space left on device.* What is done is kept"):
        embed(Order(f"mixes:{music}"), tmp_path / "x", lambda _: FakeModel(), progress=False)


def test_only_one_split(tiny_corpus: object, tmp_path: Path) -> None:
    order = Order(tiny_corpus.uri, split="test", maps="")  # type: ignore[attr-defined]
    made = embed(order, tmp_path / "library", lambda _: FakeModel(), progress=False)
    assert made.info["split"] == "test" and set(made.segments["split"]) == {"test"}
    about = json.loads((tmp_path / "library" / "library.json").read_text())
    assert about["stored"] == "float32"
