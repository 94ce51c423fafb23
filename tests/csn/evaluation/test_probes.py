"""Probes: what is there is found, what is not there is at chance, and families stay together."""

import json
from pathlib import Path

import numpy as np
import pytest

from csn.cli import main
from csn.corpora.base import Corpus
from csn.evaluation.probes import PROPERTIES, held_out, thirds
from csn.instruments import INSTRUMENTS
from csn.model import Model
from csn.training.recipes import STEMWISE, tiny


def test_what_is_there_is_found_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 6)
    labels = groups % 4
    noise = rng.normal(size=(240, 10))
    told = noise.copy()
    told[np.arange(240), labels] += 6
    assert held_out(told, labels, groups) > 95
    assert held_out(noise, labels, groups) == pytest.approx(25, abs=10)


def test_a_family_is_never_on_both_sides() -> None:
    """Vectors that name their group alone tell nothing of a group that was not met."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), 6)
    labels = rng.permutation(np.arange(40) % 2)[groups]
    own = 5 * np.eye(40)[groups] + 0.1 * rng.normal(size=(240, 40))
    assert held_out(own, labels, groups) < 75
    mixed_up = rng.permutation(groups)  # rows of a group on both sides: now it is easy
    assert held_out(own, labels, mixed_up) > 95


def test_thirds_by_sorting() -> None:
    values = np.random.default_rng(2).normal(size=300)
    found = thirds(values)
    order = np.argsort(values)
    for third in range(3):
        assert (found[order[100 * third : 100 * (third + 1)]] == third).mean() > 0.98


def test_the_command_prints_a_table_and_json(
    tiny_corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.safetensors"
    Model.untrained(tiny(STEMWISE).model).save(model)
    command = [
        "evaluate", "probes", "--model", str(model), "--corpus", tiny_corpus.uri, "--split", "all",
        "--length", "3", "--out", str(tmp_path), "--device", "cpu",
    ]  # fmt: skip
    assert main(command) == 0
    assert "tempo" in capsys.readouterr().out
    found = json.loads((tmp_path / "probes.json").read_text())["instruments"]
    for name in INSTRUMENTS:
        assert list(found[name]) == list(PROPERTIES)
        # Every groove file has one piece, every font four and so has every third of tempo: too few.
        assert [found[name][what] for what in ("groove file", "soundfont", "tempo")] == [None] * 3
        level = found[name]["level"]
        assert level["classes"] in (2, 3) and level["pieces"] >= 5
        assert set(level["right"]) == {"model", "untrained", "floor"}
        assert all(0 <= right <= 100 for right in level["right"].values())
