"""The commands, one after the other, as somebody types them."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from csn.cli import main
from csn.corpora.base import Corpus
from csn.instruments import INSTRUMENTS
from csn.library import Library
from csn.model import Model
from csn.training.recipes import STEMWISE, tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model file of a few channels."""
    file = tmp_path_factory.mktemp("model") / "model.safetensors"
    Model.untrained(tiny(STEMWISE).model, seed=0).save(file)
    return str(file)


def test_evaluating_prints_the_promised_json(
    model: str, tiny_corpus: Corpus, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--model", model, "--corpus", tiny_corpus.uri, "--split", "all", "--json"]
    small = ["--draws", "2", "--pieces", "3", "--mixes", "2", "--length", "3"]
    assert main(["evaluate", "pseudo-mixes", *common, *small]) == 0
    mixed = json.loads(capsys.readouterr().out)
    assert main(["evaluate", "identity", *common]) == 0
    identity = json.loads(capsys.readouterr().out)
    for report in (mixed, identity):
        for part in ("instruments", "floor", "untrained"):
            assert set(INSTRUMENTS) <= set(report[part])
        drums = report["instruments"]["drums"]
        assert 0 <= drums["strict_mean"] <= 100 and 0 <= drums["mean"] <= 100 and drums["sd"] >= 0
    means = [mixed["instruments"][name]["mean"] for name in INSTRUMENTS]
    assert mixed["mean"] == pytest.approx(np.mean(means), abs=0.01)


def test_evaluating_quietly_draws_no_bars(
    model: str, tiny_corpus: Corpus, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", "identity", "--model", model, "--corpus", tiny_corpus.uri]
    assert main([*command, "--split", "all"]) == 0
    usual = capsys.readouterr()
    assert main([*command, "--split", "all", "--quiet"]) == 0
    quiet = capsys.readouterr()
    assert usual.err and not quiet.err
    assert usual.out == quiet.out


def test_an_exported_model_is_half_the_size_and_the_same(model: str, tmp_path: Path) -> None:
    (tmp_path / "identity.json").write_text('{"mean": 41.5}')
    out = tmp_path / "small.safetensors"
    reports = ["--reports", str(tmp_path / "identity.json")]
    assert main(["export", "--model", model, "--out", str(out), *reports]) == 0
    small, large = Model.load(out), Model.load(model)
    assert small.hash == large.hash
    assert small.card["evaluation"] == {"identity": {"mean": 41.5}}
    assert out.stat().st_size < 0.6 * Path(model).stat().st_size


def test_a_folder_of_odd_files_is_embedded_and_searched(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    music, out = tmp_path / "music", tmp_path / "library"
    music.mkdir()
    rng = np.random.default_rng(0)
    sf.write(music / "eight channels.wav", rng.normal(0, 0.1, (8 * 16_000, 8)), 16_000)
    sf.write(music / "odd rate.flac", rng.normal(0, 0.1, 9 * 11_127), 11_127)
    sf.write(music / "silent.wav", np.zeros(8 * 16_000), 16_000)
    (music / "empty.mp3").touch()
    (music / "torn.ogg").write_bytes(rng.bytes(4000))
    assert main(["embed", "--corpus", f"mixes:{music}", "--model", model, "--out", str(out)]) == 0
    said = capsys.readouterr()
    # (8 - 3) / 1.5 + 1 and (9 - 3) / 1.5 + 1, rounded down.
    assert f"9 segments of 2 pieces in {out}; 3 things left out or odd" in said.out
    for wrong in ("empty.mp3 is empty", "torn.ogg is not audio", "silent was left out"):
        assert wrong in said.err
    assert len(list((out / "maps").iterdir())) == 6
    ask = ["search", "--library", str(out), "--piece", "odd rate", "--at", "2", "-k", "1"]
    assert main(ask) == 0
    assert "eight channels" in capsys.readouterr().out


def test_libraries_are_listed(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    music = tmp_path / "music"
    music.mkdir()
    for i in range(2):
        sf.write(music / f"{i}.wav", np.random.default_rng(i).normal(0, 0.1, 5 * 16_000), 16_000)
    out = tmp_path / "libraries" / "mine"
    embed = ["embed", "--corpus", str(music), "--model", model, "--out", str(out), "--half"]
    assert main(embed) == 0
    assert main(["libraries", "--model", model]) == 0
    demo, mine = capsys.readouterr().out.splitlines()[-2:]
    assert demo.startswith("demo: 32 pieces, 928 segments, ") and "by another model" in demo
    assert mine.startswith("mine: 2 pieces, 4 segments, ") and f"mixes:{music}" in mine
    assert "fits the model" in mine
    sf.write(music / "2.wav", np.random.default_rng(2).normal(0, 0.1, 5 * 16_000), 16_000)
    assert main(embed[:-1]) == 0  # 16 bit stay 16 bit
    said = capsys.readouterr().out
    assert "music: 1 added, 0 changed, 0 moved, 0 deleted, 2 as they were." in said
    assert "The maps were drawn again, since 2 segments have come or gone." in said
    assert Library.open(out).vectors.dtype == np.float16


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("evaluate identity --model {here}/none", "There is no model file at"),
        ("evaluate identity --model {here}/text", "is not a readable model file"),
        ("embed --corpus slakh:{here}/none --out {here}/x", "does not exist; give the folder"),
        ("export --model demo --out {here}/x --reports {here}/text", "text is no JSON; give"),
        ("map --library {here}", "There is no library at"),
        ("search --library demo --piece none", "holds no segment of 'none'"),
        ("render --midi {here} --out {here}/x", "holds no MIDI files"),
    ],
)
def test_a_mistake_is_one_sentence(
    command: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text").write_text("not a model")
    assert main([word.format(here=tmp_path) for word in command.split()]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("csn: ") and sentence in said and "\n" not in said
