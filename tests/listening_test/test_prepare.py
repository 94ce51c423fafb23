"""From settings to files: matched, faded, the same every time, whatever came in between."""

import errno
import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from csn import home
from csn.collecting.build import build
from csn.corpora import Corpus
from csn.errors import LibraryError
from csn.model import Model
from listening_test.errors import StudyError
from listening_test.loudness import loudness, true_peak
from listening_test.prepare import find_library, find_model, prepare
from listening_test.study import Settings
from listening_test.triplets import Prepared
from listening_test.writing import summary
from tests.listening_test.sounds import SMALL
from tests.small_library import Fingerprints

CHECKED = replace(SMALL, headphones="gate")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_corpus: Corpus) -> tuple[Prepared, Path]:
    folder = tmp_path_factory.mktemp("sounds")
    return prepare(CHECKED, folder, model=Fingerprints(), corpus=tiny_corpus), folder


def samples(prepared: Prepared, folder: Path) -> dict[object, np.ndarray]:
    return {
        (s.excerpt, s.kind, s.file): sf.read(folder / s.file, dtype="int16")[0]
        for s in prepared.sounds
    }


def test_every_excerpt_has_one_file_and_is_what_it_says(made: tuple[Prepared, Path]) -> None:
    prepared, folder = made
    heard = {e for t in prepared.triplets for e in (t.x, t.first, t.second)}
    excerpts = [s for s in prepared.sounds if s.kind == "excerpt"]
    assert {s.excerpt for s in excerpts} == heard and len(excerpts) == len(heard)
    assert {s.file for s in prepared.sounds} == {file.name for file in folder.iterdir()}
    for sound in excerpts:
        content = (folder / sound.file).read_bytes()
        decoded, rate = sf.read(folder / sound.file, dtype="float64")
        header = sf.info(folder / sound.file)
        assert hashlib.sha256(content).hexdigest() == sound.sha256 and len(content) == sound.bytes
        assert (header.format, header.subtype, header.channels) == ("FLAC", "PCM_16", 1)
        assert rate >= 22_050 and len(decoded) == round(3.0 * rate) and sound.seconds == 3.0
        assert np.abs(decoded[[0, -1]]).max() < 0.002  # faded
        assert loudness(decoded, rate) == pytest.approx(prepared.target, abs=0.05)
        assert sound.loudness == pytest.approx(prepared.target, abs=0.05)
        assert sound.true_peak == pytest.approx(true_peak(decoded, rate), abs=0.01)
        assert sound.true_peak <= -1.0
    found = summary(prepared)
    assert found.excerpts == len(heard)
    levels = [s.loudness for s in excerpts]
    assert found.spread == pytest.approx(max(levels) - min(levels)) and found.spread < 0.1
    assert found.true_peak == max(s.true_peak for s in excerpts)


def test_names_of_files_tell_nothing(made: tuple[Prepared, Path]) -> None:
    prepared, folder = made
    for sound in prepared.sounds:
        assert re.fullmatch(r"[0-9a-f]{24}\.flac", sound.file)
        assert b"Track" not in (folder / sound.file).read_bytes()[:4096]
    names = [s.file for s in prepared.sounds]
    assert names != sorted(names)


def test_sounds_of_the_headphone_check_and_the_level(made: tuple[Prepared, Path]) -> None:
    prepared, folder = made
    check = [s for s in prepared.sounds if s.kind == "headphones"]
    level = [s for s in prepared.sounds if s.kind == "level"]
    assert sorted(s.answer or 0 for s in check) == [0, 0, 1, 1, 2, 2]
    assert {s.method for s in check} == {"woods"}
    assert all(sf.info(folder / s.file).channels == 2 and s.seconds == 4.0 for s in check)
    assert len(level) == 1 and level[0].loudness == pytest.approx(prepared.target, abs=0.05)


def test_the_same_settings_give_the_same_samples(
    made: tuple[Prepared, Path], tmp_path: Path, tiny_corpus: Corpus
) -> None:
    prepared, folder = made
    again = prepare(CHECKED, tmp_path / "a", model=Fingerprints(), corpus=tiny_corpus)
    assert again == prepared
    first, second = samples(prepared, folder), samples(again, tmp_path / "a")
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[key], second[key]) for key in first)
    other = replace(CHECKED, seed=1)
    other_made = prepare(other, tmp_path / "b", model=Fingerprints(), corpus=tiny_corpus)
    assert other_made.triplets != prepared.triplets


def test_an_interrupted_run_is_begun_again(
    made: tuple[Prepared, Path], tmp_path: Path, tiny_corpus: Corpus
) -> None:
    prepared, folder = made

    def stop(what: str, part: float) -> None:
        if what == "Writing sounds" and part > 0.8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(CHECKED, tmp_path, model=Fingerprints(), corpus=tiny_corpus, progress=stop)
    left = sorted(tmp_path.iterdir())
    assert 0 < len(left) < len(prepared.sounds)
    left[0].write_bytes(b"half a file")  # as a power cut may leave it
    (tmp_path / ("0" * 24 + ".flac")).write_bytes(b"of other settings")
    (tmp_path / ("1" * 24 + ".flac.part")).write_bytes(b"cut off")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "song.flac").write_bytes(b"mine too")
    again = prepare(CHECKED, tmp_path, model=Fingerprints(), corpus=tiny_corpus)
    assert again == prepared
    assert {f.name for f in tmp_path.iterdir()} == {
        *(s.file for s in prepared.sounds), "notes.txt", "song.flac",
    }  # fmt: skip
    assert all(
        np.array_equal(sf.read(tmp_path / s.file)[0], sf.read(folder / s.file)[0])
        for s in prepared.sounds
    )


def test_progress_goes_from_nothing_to_everything(tmp_path: Path, tiny_corpus: Corpus) -> None:
    told: list[tuple[str, float]] = []
    prepare(
        replace(SMALL, practice=0), tmp_path, model=Fingerprints(), corpus=tiny_corpus,
        progress=lambda what, part: told.append((what, part)),
    )  # fmt: skip
    parts = [part for _, part in told]
    assert parts == sorted(parts) and parts[0] == 0.0 and parts[-1] == 1.0
    assert [*dict.fromkeys(what for what, _ in told)] == [
        "Opening the library", "Choosing excerpts", "Writing sounds", "Ready",
    ]  # fmt: skip
    assert max(np.diff(parts)) < 0.2


def test_the_library_and_its_model_are_found_by_name(
    tmp_path: Path, tiny_corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    model = Model.untrained(seed=3)
    small = replace(tiny_corpus, pieces=tiny_corpus.only("test").pieces)
    library = build(small, model, tmp_path / "libraries" / "mine", progress=False)
    assert find_library("mine").info == library.info
    assert find_library("demo").info["name"] == "demo"
    with pytest.raises(StudyError, match=r"There is no library '\.\./mine'.*demo, mine"):
        find_library("../mine")
    with pytest.raises(StudyError, match=f"{model.hash[:12]}.*models"):
        find_model(model.hash)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "broken.safetensors").write_bytes(b"no model")
    Model.untrained(seed=4).save(tmp_path / "models" / "a.safetensors")
    model.save(tmp_path / "models" / "b.safetensors")
    assert find_model(model.hash).hash == model.hash
    wanted = replace(SMALL, library="mine", per_instrument=1, practice=1)
    prepared = prepare(wanted, tmp_path / "study")
    assert prepared.model == model.hash
    # Pieces that were left out of the library are not heard, whatever the corpus holds.
    embedded = {piece.id for piece in small}
    assert {e.piece for t in prepared.triplets for e in (t.x, t.first, t.second)} <= embedded
    with pytest.raises(LibraryError, match="another model"):
        prepare(wanted, tmp_path / "study", model=Fingerprints())


def test_only_pieces_of_the_split_are_heard(tmp_path: Path, tiny_corpus: Corpus) -> None:
    settings = replace(SMALL, split="validation", practice=1)
    prepared = prepare(settings, tmp_path, model=Fingerprints(), corpus=tiny_corpus)
    split = {piece.id for piece in tiny_corpus if piece.split == "validation"}
    assert {e.piece for t in prepared.triplets for e in (t.x, t.first, t.second)} <= split


def test_settings_that_make_no_sense_are_refused_first(tmp_path: Path, tiny_corpus: Corpus) -> None:
    with pytest.raises(StudyError, match="title"):
        prepare(Settings(title=" "), tmp_path / "a", model=Fingerprints(), corpus=tiny_corpus)
    assert not (tmp_path / "a").exists()


def test_a_full_disk_is_one_sentence(
    tmp_path: Path, tiny_corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("listening_test.writing.write_whole", full)
    three = replace(SMALL, per_instrument=1, practice=0, instruments=("piano",))
    with pytest.raises(StudyError, match=r"cannot be written to .* \(No space left on device\)"):
        prepare(three, tmp_path, model=Fingerprints(), corpus=tiny_corpus)


def test_the_demo_lies_where_home_says() -> None:
    assert os.path.isfile(home.demo() / "model.safetensors")
    assert find_model(find_library("demo").info["model"]).hash
