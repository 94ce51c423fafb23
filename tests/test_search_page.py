"""The Search page: from a recording or a piece, over the focus, to answers in the right order."""

import io
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from streamlit.testing.v1 import AppTest

from csn import query
from csn.errors import LibraryError
from csn.instruments import INSTRUMENTS
from csn.library import Library
from listening_test.loudness import loudness
from pages.libraries import Opened
from pages.search import models
from pages.search.answers import answers, on_map, subspace
from pages.search.asking import Asked
from pages.search.filters import options
from pages.search.focus import key
from pages.sound import levelled
from results.presets import Preset, save
from tests.csn.test_query import by_hand, tune
from tests.page_runs import Client
from tests.small_library import NAUGHTY, NO_GUITAR, Fingerprints

RATE = 22_050
FOCUSES = [(1, 0, 0, 0, 0), (1, 1, 1, 1, 1), (0.3, 0, 0, 1, -0.4), (1, -1, 0, 0, 0)]


@pytest.fixture
def shelf(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with the model that made the library."""
    monkeypatch.setattr(models, "of", lambda _: Fingerprints())
    return shelf


def brute(
    library: Library, asked: np.ndarray, weights: tuple[float, ...], allowed: list[bool]
) -> list[int]:
    """Every allowed segment by its weighted squared distance, in float64."""
    sums = {}
    for row in range(len(library)):
        if allowed[row]:
            away = library.vectors[row, :640].astype(np.float64) - asked.astype(np.float64)
            sums[row] = sum(
                w * (away[128 * c : 128 * c + 128] ** 2).sum() for c, w in enumerate(weights)
            )
    return sorted(sums, key=lambda row: (sums[row], row))


def once(library: Library, rows: list[int]) -> list[int]:
    """The first of each piece."""
    pieces = library.segments["piece"].tolist()
    return [row for i, row in enumerate(rows) if pieces[row] not in {pieces[r] for r in rows[:i]}]


# ---- answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", FOCUSES)
@pytest.mark.parametrize("pieces", [True, False])
def test_answers_are_ranked_exactly(
    opened: Opened, weights: tuple[float, ...], pieces: bool
) -> None:
    library = opened.library
    vector = query.pool(library.vectors[[3, 40], :640])
    allowed = [piece not in ("Track00002", "Track00005") for piece in library.segments["piece"]]
    where = (library.segments["piece"] != "Track00005").to_numpy()
    asked = Asked("x", vector, {}, 0.0, 10.0, piece="Track00002")
    found = answers(opened, asked, weights, count=7, pieces=pieces, where=where)
    rows = brute(library, vector, weights, allowed)
    rows = (once(library, rows) if pieces else rows)[:7]
    assert [one["row"] for one in found] == rows
    for one in found:
        facts = library.segments.iloc[one["row"]]
        assert sum(one["shares"]) == pytest.approx(
            np.sign(one["distance"]) * one["distance"] ** 2, abs=1e-4
        )
        assert one["title"] == facts["title"] and one["piece"] == facts["piece"]
        length = "10" if pieces else "3"
        for part, address in one["clips"].items():
            assert address == (
                f"/audio/small/{part}?piece={facts['piece']}&start={facts['start']:g}"
                f"&length={length}&level=1&v=1"
            )
        assert one["explore"] == (
            f"/?instrument={subspace(weights)}&library=small"
            f"&piece={facts['piece']}&at={facts['start']}"
        )
        assert one["silent"] == [
            name for name, weight in zip(INSTRUMENTS, weights, strict=True)
            if weight and facts[f"activity_{name}"] < 0.3
        ]  # fmt: skip
    json.dumps(found, allow_nan=False)


def test_the_query_lies_on_the_map_of_its_focus(opened: Opened) -> None:
    assert [subspace(weights) for weights in FOCUSES] == ["drums", "whole", "guitar", "drums"]
    assert subspace((1, 1, 0, 0, 0)) == "whole"
    row = 17
    asked = Asked("x", opened.library.vectors[row, :640], {}, 0.0, 3.0)
    said = on_map(opened, asked, (0, 1, 0, 0, 0))
    assert said["points"] == "/points/small/bass?v=1"
    np.testing.assert_allclose(said["at"], opened.library.map("bass")[row], atol=1e-4)


def test_tags_that_are_the_same_everywhere_filter_nothing(library: Library) -> None:
    found = options(library.segments)
    assert list(found) == ["key", "groove", "groove_file"]
    assert found["key"] == sorted("CDEFGAB")


# ---- sound ----------------------------------------------------------------------------------


def test_all_clips_have_one_loudness(shelf: Path) -> None:
    rng = np.random.default_rng(0)
    for level in (0.005, 0.05, 0.5):
        wav = levelled((level * rng.standard_normal(3 * RATE)).astype(np.float32), RATE)
        sound, rate = sf.read(io.BytesIO(wav))
        assert loudness(sound, rate) == pytest.approx(-23, abs=0.3)
    faint = levelled((1e-4 * rng.standard_normal(3 * RATE)).astype(np.float32), RATE)
    assert loudness(*sf.read(io.BytesIO(faint))) < -40  # noise is not blown up
    assert not np.frombuffer(levelled(np.zeros(RATE, np.float32), RATE)[44:], "<i2").any()
    assert len(levelled(np.ones(100, np.float32), RATE)) == 244  # too short to be measured
    client = Client()
    heard = []
    for part in ("mix", "drums", "bass"):
        address = f"/audio/small/{part}?piece=Track00004&start=1.5&length=6"
        plain, level = client.get(address), client.get(address + "&level=1")
        assert plain.status_code == level.status_code == 200
        assert len(plain.content) == len(level.content)
        heard.append([loudness(*sf.read(io.BytesIO(x.content))) for x in (plain, level)])
    assert np.ptp([before for before, _ in heard]) > 1
    for _, after in heard:
        assert after == pytest.approx(-23, abs=0.3)


# ---- models ---------------------------------------------------------------------------------


def test_the_model_of_a_library_is_found_by_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from csn.model import Model, ModelSettings
    from csn.networks import EncoderSettings

    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    monkeypatch.setattr(models, "demo", lambda: tmp_path)
    tiny = ModelSettings(encoder=EncoderSettings(channels=(4, 4), time_strides=(2, 2)))
    made = [Model.untrained(tiny, seed) for seed in range(3)]
    made[0].save(tmp_path / "model.safetensors")
    made[1].save(tmp_path / "models" / "mine.safetensors")
    (tmp_path / "models" / "broken.safetensors").write_bytes(b"none")
    made[2].save(tmp_path / "chosen.safetensors")

    class Wanting:
        info: dict[str, Any]

    library = Wanting()
    for number, model in enumerate(made):
        library.info = {"name": "x", "model": model.hash}
        if number == 2:
            with pytest.raises(LibraryError, match=f"{model.hash[:12]}, which is not on this"):
                models.of(library)  # type: ignore[arg-type]
            monkeypatch.setenv(models.CHOICE, str(tmp_path / "chosen.safetensors"))
        assert models.of(library).hash == model.hash  # type: ignore[arg-type]


# ---- the page -------------------------------------------------------------------------------


def _page() -> None:
    from pages.search import page

    page()


def run() -> AppTest:
    return AppTest.from_function(_page, default_timeout=60).run()


def shown(page: AppTest, name: str) -> dict[str, Any]:
    """What a component was given last."""
    found = [
        element.proto for element in page.get("bidi_component")
        if element.proto.component_name.endswith(name)
    ]  # fmt: skip
    assert found, [element.type for element in page.main]
    data: dict[str, Any] = json.loads(found[-1].json)
    return data


def recording(sound: np.ndarray, rate: int = RATE) -> bytes:
    memory = io.BytesIO()
    sf.write(memory, sound, rate, format="WAV", subtype="FLOAT")
    return memory.getvalue()


def weights_of(page: AppTest) -> tuple[float, ...]:
    return tuple(page.slider(key=key(name)).value for name in INSTRUMENTS)


def test_from_a_recording_to_answers(shelf: Path, library: Library, tmp_path: Path) -> None:
    page = run()
    assert not page.exception and weights_of(page) == (1, 0, 0, 0, 0)
    assert any("never saved" in caption.value for caption in page.caption)
    sound = tune(20.0, seed=4)
    page.file_uploader[0].upload("mine.wav", recording(sound), "audio/wav").run()
    assert not page.exception
    allowed = (library.segments["activity_drums"] >= 0.3).tolist()
    data = shown(page, "results")
    vector = by_hand(sound[: 10 * RATE])
    assert [one["row"] for one in data["found"]] == once(
        library, brute(library, vector, (1, 0, 0, 0, 0), allowed)
    )[:10]
    assert data["query"]["title"] == "mine.wav, 0:00 – 0:10"
    # Another part of it, every segment, another focus, only one key.
    file_id = page.file_uploader[0].value.file_id
    page.session_state["search_part"] = ("file", file_id, 7.5, 5.0)
    page.segmented_control(key="search_kind").set_value("Segments")
    for name, weight in zip(INSTRUMENTS, (0.2, 1, 0, -0.5, 0), strict=True):
        page.slider(key=key(name)).set_value(weight)
    page.run()
    page.multiselect(key="search_tag_key").set_value(["C", "F"]).run()
    assert not page.exception
    chosen = library.segments["key"].isin(["C", "F"]) & (library.segments["activity_bass"] >= 0.3)
    vector = by_hand(sound[round(7.5 * RATE) : round(12.5 * RATE)])
    assert [one["row"] for one in shown(page, "results")["found"]] == brute(
        library, vector, (0.2, 1, 0, -0.5, 0), chosen.tolist()
    )[:10]
    assert shown(page, "waveform")["start"] == 7.5
    # Nothing of it was written anywhere that lasts.
    assert {file.name for file in shelf.iterdir()} <= {"libraries"}


def test_a_microphone_is_a_recording_like_any_other(shelf: Path, library: Library) -> None:
    page = run()
    page.segmented_control(key="search_source").set_value("Microphone").run()
    sound = tune(4.0, seed=9)
    page.audio_input[0].upload("mine.wav", recording(sound)).run()
    assert not page.exception
    data = shown(page, "results")
    assert data["query"]["title"] == "Your recording, 0:00 – 0:04"
    allowed = (library.segments["activity_drums"] >= 0.3).tolist()
    vector = by_hand(sound)  # one segment of 3 s
    assert [one["row"] for one in data["found"]] == once(
        library, brute(library, vector, (1, 0, 0, 0, 0), allowed)
    )[:10]


def test_buttons_and_sliders_say_the_same(shelf: Path) -> None:
    page = run()
    page.pills(key="search_alike").set_value("guitar").run()
    assert weights_of(page) == (0, 0, 0, 1, 0)
    page.pills(key="search_different").set_value(["drums"]).run()
    assert weights_of(page) == (-1, 0, 0, 1, 0)
    page.pills(key="search_alike").set_value("drums").run()  # both at once makes no sense
    assert weights_of(page) == (-1, 1, 1, 1, 1)
    assert page.pills(key="search_alike").value == "everything"
    for name in INSTRUMENTS[1:4]:
        page.slider(key=key(name)).set_value(0.0)
    page.run()
    assert page.pills(key="search_alike").value == "others"
    assert page.pills(key="search_different").value == ["drums"]
    page.slider(key=key("piano")).set_value(0.4).run()
    assert page.pills(key="search_alike").value is None
    assert page.pills(key="search_different").value == []
    assert weights_of(page) == (-1, 0, 0.4, 0, 1)


def test_a_saved_focus_is_offered(shelf: Path) -> None:
    save(Preset("Ear of *many*", (0.1, 0.0, 0.2, -0.05, 0.0)))
    page = run()
    page.selectbox(key="search_saved").set_value("Ear of *many*").run()
    assert not page.exception
    assert weights_of(page) == pytest.approx((0.5, 0, 1, -0.25, 0))
    page.slider(key=key("bass")).set_value(1.0).run()
    assert page.selectbox(key="search_saved").value is None


def test_from_a_piece_of_the_library(shelf: Path, library: Library) -> None:
    page = AppTest.from_function(_page, default_timeout=60)
    page.query_params["piece"], page.query_params["at"] = NO_GUITAR, "1.5"
    page.run()
    assert not page.exception and not page.query_params
    rows = [row for row in range(len(library)) if library.segments["piece"][row] == NO_GUITAR]
    data = shown(page, "results")
    inside = [row for row in rows if library.segments["start"][row] >= 0]
    vector = query.pool(library.vectors[inside, :640])
    others = (
        (library.segments["piece"] != NO_GUITAR) & (library.segments["activity_drums"] >= 0.3)
    ).tolist()
    assert [one["row"] for one in data["found"]] == once(
        library, brute(library, vector, (1, 0, 0, 0, 0), others)
    )[:10]
    page.pills(key="search_alike").set_value("guitar").run()
    assert any("No guitar can be heard" in caption.value for caption in page.caption)
    page.selectbox(key="search_piece").set_value("Track00002").run()
    assert shown(page, "results")["query"]["title"].startswith(NAUGHTY)
    page.query_params["piece"] = "nonsense"
    page.run()
    assert not page.exception and "not in this library" in page.warning[0].value


def test_what_cannot_be_asked_gets_a_sentence(shelf: Path) -> None:
    cases = {
        "text.wav": (b"not a sound at all\n" * 50, "is not audio"),
        "silent.wav": (recording(np.zeros(5 * RATE, np.float32)), "silent; choose another"),
        "nan.wav": (recording(np.full(5 * RATE, np.nan, np.float32)), "not numbers"),
        "short.wav": (recording(tune(1.0)[: RATE // 4]), "needs at least 1 s"),
        "empty.wav": (b"", "is empty"),
        "cut.flac": (b"fLaC" + bytes(60), "is not audio"),
    }
    for name, (content, words) in cases.items():
        page = run()
        page.file_uploader[0].upload(name, content, "audio/wav").run()
        assert not page.exception
        said = page.error[0].value.replace("\\", "")
        assert words in said and name in said and "/tmp" not in said
        assert not [e for e in page.get("bidi_component") if "results" in e.proto.component_name]
    page = run()
    page.file_uploader[0].upload("fine.wav", recording(tune(5.0)), "audio/wav").run()
    page.slider(key=key("drums")).set_value(0.0).run()
    assert "nothing counts" in page.info[0].value
    page.pills(key="search_alike").set_value("drums").run()
    page.slider(key="search_tempo").set_value((102.0, 102.0)).run()
    page.multiselect(key="search_tag_key").set_value(["A"]).run()
    assert "Nothing in the library passes" in page.info[0].value


def test_a_library_of_another_model_says_so(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(library: Library) -> None:
        raise LibraryError("The model is not on this computer.")

    monkeypatch.setattr(models, "of", none)
    page = run()
    page.file_uploader[0].upload("fine.wav", recording(tune(5.0)), "audio/wav").run()
    assert page.error[0].value.replace("\\", "") == "The model is not on this computer."


def test_wav_files_of_clips_are_plain() -> None:
    with wave.open(io.BytesIO(levelled(tune(1.0), RATE))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
