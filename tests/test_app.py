"""What the app does in Python: libraries, routes, the page that runs. Nothing here draws."""

import io
import json
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from streamlit.testing.v1 import AppTest

import app
from csn.centroids import centroids
from csn.clusters import find as find_clusters
from csn.errors import LibraryError
from csn.instruments import INSTRUMENTS
from csn.library import Library
from pages import libraries
from pages.components.explorer.points import SUBSPACES
from pages.components.explorer.view import View
from pages.explore import answer
from pages.libraries import Opened
from tests.page_runs import Client
from tests.small_library import NO_GUITAR, PIECES

SCRIPT = str(Path(app.__file__).parent / "pages" / "navigation.py")


@pytest.fixture
def client(shelf: Path) -> Client:
    return Client()


# ---- libraries ------------------------------------------------------------------------------


def test_libraries_are_found_by_name_and_by_choice(
    shelf: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(libraries.folders()) == ["small"]
    assert libraries.default() == "small"
    assert len(libraries.find("small").library) == len(library)
    assert libraries.find("small") is libraries.find("small")
    monkeypatch.setenv(libraries.CHOICE, str(library.folder))
    assert libraries.default() == "small"  # the same folder under the name it has
    shutil.copytree(library.folder, shelf / "elsewhere")
    monkeypatch.setenv(libraries.CHOICE, str(shelf / "elsewhere"))
    assert libraries.default() == "elsewhere"
    assert set(libraries.folders()) == {"small", "elsewhere"}


@pytest.mark.parametrize("name", ["", ".", "..", "../small", "small/../small", "/etc", "SMALL\0"])
def test_a_name_is_never_a_path(shelf: Path, name: str) -> None:
    with pytest.raises(LibraryError, match="no library called"):
        libraries.find(name)


def test_a_choice_that_is_not_there_is_said(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(libraries.CHOICE, str(shelf / "gone"))
    with pytest.raises(LibraryError, match=r"STEMWISE_LIBRARY is .*gone"):
        libraries.default()


def test_a_changed_library_is_opened_again(shelf: Path, library: Library) -> None:
    folder = shelf / "libraries" / "two"
    shutil.copytree(library.folder, folder)
    first = libraries.find("two")
    info = json.loads((folder / "library.json").read_text())
    (folder / "library.json").write_text(json.dumps(info | {"name": "another name"}))
    assert libraries.find("two").version != first.version
    assert libraries.find("two").library.info["name"] == "another name"


# ---- routes ---------------------------------------------------------------------------------


def test_neighbours_come_over_http(client: Client, opened: Opened) -> None:
    asked = "segment=7&instrument=guitar&among=others&count=5"
    got = client.get(f"/near/small?{asked}")
    assert got.headers["cache-control"] == "no-store"
    view = View("small", instrument="guitar", segment=7, count=5, among="others")
    assert got.json() == answer(opened, view)
    bent = client.get("/near/small?segment=7&instrument=lute&among=none&count=7&by=nobody")
    assert bent.json() == answer(opened, View("small", segment=7))  # what it does not know is usual


def samples(body: bytes) -> tuple[np.ndarray, int]:
    with wave.open(io.BytesIO(body)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        raw = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return raw / 32767.0, file.getframerate()


@pytest.mark.parametrize("part", ["mix", "drums", "others"])
def test_a_clip_is_the_sound_of_the_files(client: Client, library: Library, part: str) -> None:
    reply = client.get(f"/audio/small/{part}?piece=Track00005&start=4.5&length=2")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "audio/wav"
    assert "immutable" in reply.headers["cache-control"]
    heard, rate = samples(reply.content)
    stems = sorted((library.folder.parent / "corpus/test/Track00005/stems").iterdir())
    if part != "mix":
        stems = [stems[INSTRUMENTS.index(part)]]
    want = sum(sf.read(stem)[0] for stem in stems)[round(4.5 * rate) : round(6.5 * rate)]
    size = round(0.005 * rate)
    assert len(heard) == len(want) == 2 * rate
    assert np.abs(heard - want)[size:-size].max() < 2 / 32767
    assert np.abs(heard[:size]).sum() <= np.abs(want[:size]).sum()
    assert abs(heard[0]) < 0.001 and abs(heard[-1]) < 0.001


def test_a_missing_instrument_is_silence(client: Client) -> None:
    heard, rate = samples(client.get(f"/audio/small/guitar?piece={NO_GUITAR}&length=1").content)
    assert len(heard) == rate and not heard.any()


def test_a_clip_ends_with_its_piece(client: Client) -> None:
    heard, rate = samples(client.get("/audio/small/mix?piece=Track00001&start=9&length=3").content)
    assert len(heard) == rate


@pytest.mark.parametrize(
    ("address", "status", "sentence"),
    [
        ("/audio/other/mix?piece=Track00001", 404, "no library called 'other'"),
        ("/audio/..%2Fsmall/mix?piece=Track00001", 404, ""),
        ("/audio/small/violin?piece=Track00001", 404, "no part 'violin'"),
        ("/audio/small/mix?piece=Track99999", 404, "holds no piece 'Track99999'"),
        ("/audio/small/mix?piece=..%2F..%2Fcorpus", 404, "holds no piece"),
        ("/audio/small/mix", 404, "holds no piece ''"),
        ("/audio/small/mix?piece=Track00001&start=soon", 400, "numbers of seconds"),
        ("/audio/small/mix?piece=Track00001&start=-1", 404, "0 or more"),
        ("/audio/small/mix?piece=Track00001&start=nan", 404, "0 or more"),
        ("/audio/small/mix?piece=Track00001&start=99", 404, "ends at 10.00 s"),
        ("/audio/small/mix?piece=Track00001&length=0", 404, "above 0"),
        ("/audio/small/mix?piece=Track00001&length=1e9", 404, "at most 30"),
        ("/audio/small/mix?piece=Track00001&length=inf", 404, "at most 30"),
        ("/points/small/secrets", 404, "no 'secrets'"),
        ("/near/other?segment=0", 404, "no library called"),
        ("/near/small", 404, "no such segment"),
        ("/near/small?segment=100000", 404, "no such segment"),
        ("/near/small?segment=-1", 404, "no such segment"),
        ("/near/small?segment=x", 400, "whole numbers"),
        ("/near/small?segment=1&count=ten", 400, "whole numbers"),
        ("/points/other/about", 404, "no library called"),
        ("/points/small/bass?method=umap", 404, "no umap map of 'bass'"),
        ("/points/small/bass?method=..%2Fmaps%2Fpca", 404, "has no '../maps/pca'"),
        ("/points/small/pieces-violin", 404, "has no 'violin'"),
        ("/points/small/clusters-violin", 404, "has no 'violin'"),
        ("/points/small/clusters-bass?method=x", 404, "has no 'x'"),
    ],
)
def test_wrong_requests_get_one_sentence(
    client: Client, address: str, status: int, sentence: str
) -> None:
    reply = client.get(address)
    assert reply.status_code == status
    assert sentence in reply.text
    assert "cache-control" not in reply.headers


def test_what_is_broken_is_a_sentence_without_a_path(
    client: Client, shelf: Path, library: Library
) -> None:
    shutil.copytree(library.folder, shelf / "libraries" / "cracked")
    reply = client.get("/audio/cracked/mix?piece=Track00002")
    assert reply.status_code == 404 and "corpus" in reply.text
    assert str(shelf) not in reply.text
    shutil.copytree(library.folder.parent / "corpus", shelf / "libraries" / "corpus")
    for stem in (shelf / "libraries/corpus/test/Track00002/stems").iterdir():
        stem.write_bytes(stem.read_bytes()[:3000])
    reply = client.get("/audio/cracked/mix?piece=Track00002&start=5&length=3")
    assert reply.status_code == 404
    assert str(shelf) not in reply.text


def test_points_are_the_library(client: Client, library: Library) -> None:
    about = client.get("/points/small/about").json()
    assert about["segments"] == len(library)
    assert [piece["id"] for piece in about["pieces"]] == [f"Track{k:05d}" for k in range(1, 13)]
    assert about["pieces"][0]["title"] == "Tones number 1, 102 BPM"
    fields = {(field["key"], field.get("instrument")): field for field in about["fields"]}
    assert fields["tempo", None]["numbers"][0] == 102.0
    key = fields["key", None]
    assert [key["values"][code] for code in key["codes"]][:3] == list("DEF")
    font = fields["soundfont", "guitar"]
    assert font["codes"][int(NO_GUITAR[-5:]) - 1] == -1
    assert ("source", None) not in fields  # the same everywhere

    rows = np.frombuffer(client.get("/points/small/segments").content, "<f4").reshape(-1, 7)
    pieces = [about["pieces"][int(row)]["id"] for row in rows[:, 0]]
    assert pieces == library.segments["piece"].tolist()
    assert rows[:, 1].tolist() == library.segments["start"].tolist()
    for c, name in enumerate(INSTRUMENTS):
        assert rows[:, 2 + c] == pytest.approx(library.segments[f"activity_{name}"].to_numpy())
    assert not rows[np.array(pieces) == NO_GUITAR, 5].any()
    for subspace in SUBSPACES:
        drawn = np.frombuffer(client.get(f"/points/small/{subspace}").content, "<f4")
        assert drawn.reshape(-1, 2).tolist() == library.map(subspace).tolist()
    assert about["maps"] == ["pca", "pca3"]


def test_every_way_of_drawing_has_an_address(client: Client, library: Library) -> None:
    def rows(what: str, width: int) -> np.ndarray:
        reply = client.get(f"/points/small/{what}")
        assert "immutable" in reply.headers["cache-control"]
        return np.frombuffer(reply.content, "<f4").reshape(-1, width)

    assert rows("bass?method=pca3", 3).tolist() == library.map("bass", "pca3").tolist()
    places, played = centroids(library, "bass", "pca3")
    pieces = rows("pieces-bass?method=pca3", 4)
    assert pieces[:, :3].tolist() == places.tolist() and pieces[:, 3].tolist() == played.tolist()
    found = find_clusters(library, "bass", "pca")
    reply = client.get("/points/small/clusters-bass?method=pca").json()
    assert reply["members"] == found.members.tolist()
    assert [cluster["label"] for cluster in reply["clusters"]] == [
        cluster.label for cluster in found.clusters
    ]


# ---- the page -------------------------------------------------------------------------------


def test_the_page_runs_and_keeps_the_address(shelf: Path) -> None:
    page = AppTest.from_file(SCRIPT, default_timeout=60)
    page.query_params["instrument"] = "guitar"
    page.query_params["colour"] = "nonsense"
    page.run()
    assert not page.exception
    assert page.query_params == {"instrument": "guitar"}
    assert page.session_state["explore_view"]["instrument"] == "guitar"
    assert "unknown colour" in page.session_state["explore_notice"]
    page.run()
    assert page.session_state["explore_view"]["instrument"] == "guitar"


def test_the_page_without_a_library_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    monkeypatch.delenv(libraries.CHOICE, raising=False)
    monkeypatch.setattr(libraries, "demo", lambda: tmp_path / "no demo")
    page = AppTest.from_file(SCRIPT, default_timeout=60).run()
    assert not page.exception
    assert page.title[0].value == "Nothing to explore yet"
    assert page.code[0].value == "make demo"
    assert PIECES == 12
