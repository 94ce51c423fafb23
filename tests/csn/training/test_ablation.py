"""The papers' whole schedule and table 2, from files to tables, at a test's size."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from csn.cli import main
from csn.corpora.base import Corpus
from csn.instruments import INSTRUMENTS
from csn.model import Model
from csn.networks.individual import CRITERIA
from csn.training.ablation import AblationSettings, plan
from csn.training.recipes import INDIVIDUAL, PAPER, PRETRAINING, STEMWISE

SPLITS = ["--train-split", "all", "--validation-split", "all", "--device", "cpu", "--quiet"]


@pytest.fixture(scope="module", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    pytest.MonkeyPatch().setenv("STEMWISE_HOME", str(tmp_path_factory.mktemp("home")))


def test_the_published_settings() -> None:
    assert PAPER.auxiliary == 0.1 and PAPER.most == 1200
    assert INDIVIDUAL.steps * INDIVIDUAL.batch == 150 * 200 * 40
    assert (INDIVIDUAL.margin, INDIVIDUAL.windows, INDIVIDUAL.most) == (0.2, 40, 200)
    assert (PRETRAINING.objective, PRETRAINING.most) == ("targets", 200)


def test_every_row_sees_as_many_mixes() -> None:
    settings = AblationSettings(mixes=100_000, pieces=134)
    planned = plan(settings)
    before = planned.pretraining.steps * planned.pretraining.mixes
    assert before == pytest.approx(20_000, abs=64)
    for row in planned.rows.values():
        seen = row.recipe.steps * row.recipe.mixes + (before if row.pretrained else 0)
        assert seen == pytest.approx(100_000, abs=192)
        assert row.recipe.model.features == STEMWISE.model.features
    rows = {name: row.recipe for name, row in planned.rows.items()}
    assert [r.auxiliary for r in rows.values()] == [0.0, 0.1, 0.1, 0.1, 0.0]
    assert [r.interchanged for r in rows.values()][:4] == [False, False, True, True]
    assert [r.most for r in rows.values()] == [134, 134, 134, 804, 804]
    assert [row.pretrained for row in planned.rows.values()] == [False, True, True, True, False]
    slower = plan(AblationSettings(mixes=100_000, pieces=134, rate=3e-4))
    assert [r.recipe.rate for r in slower.rows.values()] == [3e-4] * 4 + [STEMWISE.rate]
    assert slower.pretraining == planned.pretraining
    published = plan(AblationSettings(own_features=True)).rows["basic"].recipe
    assert published.model == PAPER.model


def test_the_papers_recipe_from_nothing_to_a_model(tiny_corpus: Corpus, tmp_path: Path) -> None:
    command = [
        "train", "--recipe", "tiny-paper", "--corpus", tiny_corpus.uri, "--out", str(tmp_path),
        *SPLITS, "--individual-steps", "4", "--pretraining-steps", "4", "--steps", "4",
    ]  # fmt: skip
    assert main(command) == 0
    model = Model.load(tmp_path / "model.safetensors")
    before = Model.load(tmp_path / "pretraining" / "model.safetensors")
    alone = {
        name: Model.load(tmp_path / "individual" / name / "model.safetensors", "cpu", (name,))
        for name in INSTRUMENTS
    }
    assert model.card["start"] == before.hash != model.hash
    assert model.card["individual"] == {name: network.hash for name, network in alone.items()}
    assert model.card["recipe"]["auxiliary"] == 0.1


def test_individual_networks_of_several_seeds(tiny_corpus: Corpus, tmp_path: Path) -> None:
    command = [
        "train", "individual", "--recipe", "tiny", "--corpus", tiny_corpus.uri,
        "--out", str(tmp_path), *SPLITS, "--steps", "3", "--seeds", "2",
    ]  # fmt: skip
    assert main(command) == 0
    networks = [
        Model.load(tmp_path / f"seed-{seed}" / name / "model.safetensors", "cpu", (name,))
        for seed in (0, 1)
        for name in CRITERIA
    ]
    assert len({network.hash for network in networks}) == 12
    sound = np.random.default_rng(0).normal(0, 0.1, 4 * 11025).astype(np.float32)
    embedding = networks[0].embed(sound, np.array([0.0, 1.0]), 3.0)
    assert embedding.shape == (2, 128)
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=1), 1, rtol=1e-5)


def test_table_2_is_filled_and_resumed(
    tiny_corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "ablate", "--tiny", "--corpus", tiny_corpus.uri, "--out", str(tmp_path), *SPLITS,
        "--test-split", "all", "--mixes", "400", "--pieces", "6", "--individual-steps", "2",
        "--draws", "1", "--draw-pieces", "3", "--length", "3", "--first-seeds", "1",
    ]  # fmt: skip
    assert main([*command, "--seeds", "1"]) == 0
    results = {path: path.read_bytes() for path in tmp_path.glob("*/seed-*/result.json")}
    assert len(results) == 5
    kept = json.loads((tmp_path / "settings.json").read_text())
    del kept["rate"]  # as a version wrote it that did not have it yet
    (tmp_path / "settings.json").write_text(json.dumps(kept))
    assert main([*command, "--seeds", "2"]) == 0  # two runs more, and none again
    assert all(path.read_bytes() == before for path, before in results.items())
    table = json.loads((tmp_path / "table.json").read_text())
    assert [row["runs"] for row in table["rows"]] == [1, 1, 1, 2, 2]
    assert [row["pieces"] for row in table["rows"]] == [6, 6, 6, 12, 12]
    for row in table["rows"]:
        runs = [
            json.loads((tmp_path / row["row"] / f"seed-{seed}" / "result.json").read_text())
            for seed in range(row["runs"])
        ]
        drums = [run["p2"]["instruments"]["drums"]["mean"] for run in runs]
        expected = [np.mean(drums), np.std(drums, ddof=1) if len(drums) > 1 else 0]
        assert row["scores"]["drums"] == pytest.approx(expected, abs=0.01)
        assert row["mixes_seen"] == pytest.approx(400, abs=96)
        assert row["seconds"] > 0
    with (tmp_path / "table.csv").open() as file:
        assert [line["row"] for line in csv.DictReader(file)] == [r["row"] for r in table["rows"]]
    floor = json.loads((tmp_path / "floor.json").read_text())["floor"]["bass"]["mean"]
    assert table["floors"]["mix statistics"]["scores"]["bass"] == floor
    assert "CSN, Slakh: basic" in capsys.readouterr().out
    command[command.index("400")] = "300"
    assert main(command) == 2
    assert "other settings" in capsys.readouterr().err
