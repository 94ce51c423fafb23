"""IND's measures from one command, on networks of a few channels."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from csn.audio import activity, segment_starts
from csn.cli import main
from csn.corpora.base import Corpus
from csn.evaluation import figures
from csn.evaluation.individual import Heard, music_id
from csn.instruments import INSTRUMENTS
from csn.model import Model
from csn.networks.individual import CRITERIA, Individual
from csn.training.recipes import INDIVIDUAL, STEMWISE, individual, seen_as, tiny

from .slow import majority


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained networks of two seeds: they are different, and they are networks."""
    place = tmp_path_factory.mktemp("individual")
    ours = tiny(STEMWISE).model
    recipe = seen_as(tiny(INDIVIDUAL), ours.features)
    for seed in (0, 1):
        for number, name in enumerate(CRITERIA):
            model = Model.untrained(individual(recipe, name).model, 10 * seed + number)
            model.save(place / f"seed-{seed}" / name / "model.safetensors")
    Model.untrained(ours, 5).save(place / "csn.safetensors")
    return place


def test_music_id_by_enumeration() -> None:
    rng = np.random.default_rng(3)
    pieces = np.repeat(np.arange(4), 6)
    centres = rng.normal(size=(4, 5))
    vectors = (
        centres[pieces] * rng.uniform(0.2, 5, (24, 1))
        + rng.normal(0, 1.5, (24, 5))
        + np.repeat(rng.normal(0, 2, (12, 5)), 2, axis=0)
    )
    heard = Heard(pieces, np.tile(np.arange(6) * 50, 4), vectors)
    right = []
    for strict in (False, True):
        hits = 0
        for i in range(24):
            neighbours = []
            for j in range(24):
                near = pieces[i] == pieces[j] and abs(heard.times[i] - heard.times[j]) < 100
                if i == j or (strict and near):
                    continue
                cosine = vectors[i] @ vectors[j]
                cosine /= np.linalg.norm(vectors[i]) * np.linalg.norm(vectors[j])
                neighbours.append((1 - cosine, j, int(pieces[j])))
            hits += majority(neighbours, 3) == pieces[i]
        right.append(100 * hits / 24)
    assert music_id(heard, 100, 3) == pytest.approx(right)
    assert right[1] < right[0] < 100


def test_the_plane_keeps_groups_apart() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], 20)
    vectors = rng.normal(size=(40, 8)) + 20 * groups[:, None]
    laid = {method: figures.plane(vectors, method) for method in figures.METHODS}
    for points in laid.values():
        apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
        nearest = np.where(np.eye(40), np.inf, apart).argmin(axis=1)
        assert (groups[nearest] == groups).all()
    assert not np.allclose(laid["t-SNE"], laid["UMAP"])


def test_one_command_measures_and_draws(
    folder: Path,
    tiny_corpus: Corpus,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # How points are laid out is tested above; here it would take half a minute.
    monkeypatch.setattr(figures, "plane", lambda vectors, method, seed: vectors[:, :2])
    command = [
        "evaluate", "individual", "--individual", str(folder), "--corpus", tiny_corpus.uri,
        "--split", "all", "--pieces", "6", "--model", str(folder / "csn.safetensors"),
        "--out", str(tmp_path), "--device", "cpu",
    ]  # fmt: skip
    assert main(command) == 0
    assert "Spearman" in capsys.readouterr().out
    found = json.loads((tmp_path / "individual.json").read_text())
    assert len(found["pieces"]) == 6 == len(found["individual"]["distances"]["mix"])
    drums = found["individual"]["accuracy"]["drums"]
    assert drums["mean"] == pytest.approx(np.mean(drums["runs"])) and len(drums["runs"]) == 2
    assert drums["variance"] == pytest.approx(
        np.var(np.array(drums["runs"]) / 100, ddof=1), abs=1e-6
    )
    assert set(found["subspaces"]["accuracy"]) == {"whole", *INSTRUMENTS}
    assert len(found["individual"]["reciprocal_ranks"]["others"]) == 3
    with (tmp_path / "individual-distances.csv").open() as file:
        assert len(list(csv.reader(file))) == 1 + 6 * len(CRITERIA)
    drawn = {path.stem for path in tmp_path.glob("*.html")}
    assert drawn == {
        f"{family}-{what}"
        for family in ("individual", "subspaces")
        for what in ("distances", "t-sne", "umap")
    } | {"pseudo-mixes-t-sne", "pseudo-mixes-umap"}
    figure = json.loads((tmp_path / "individual-t-sne.json").read_text())
    assert len(figure["data"]) == 6 * len(CRITERIA)  # a colour for each piece
    assert [dots["hovertext"] for dots in figure["data"][:6]] == found["pieces"]

    # One piece's distance to another, by hand: mean of each, over both seeds.
    titles = {piece.title: piece for piece in tiny_corpus}
    centres: dict[int, list[np.ndarray]] = {0: [], 1: []}
    for title in found["pieces"][:2]:
        sound = titles[title].audio("bass", 11025)
        starts = segment_starts(len(sound) / 11025)
        starts = starts[activity(sound, 11025, starts, 3.0) >= 0.3]
        for seed, seeds in centres.items():
            bank = Individual.load(folder / f"seed-{seed}", "cpu")
            seeds.append(bank.models["bass"].embed(sound, starts, 3.0).mean(axis=0))
    apart = [1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in centres.values()]
    assert found["individual"]["distances"]["bass"][0][1] == pytest.approx(np.mean(apart), abs=1e-4)


def test_a_folder_without_networks_is_named(
    tmp_path: Path, tiny_corpus: Corpus, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", "individual", "--corpus", tiny_corpus.uri]
    assert main([*command, "--individual", str(tmp_path)]) == 2
    assert "csn train individual" in capsys.readouterr().err
    assert main(command) == 2


def test_clean_stems_are_the_upper_reference_of_table_1(
    folder: Path, tiny_corpus: Corpus, tmp_path: Path
) -> None:
    command = [
        "evaluate", "identity", "--individual", str(folder), "--corpus", tiny_corpus.uri,
        "--split", "test", "--length", "3", "5", "--model", str(folder / "csn.safetensors"),
        "--out", str(tmp_path), "--device", "cpu",
    ]  # fmt: skip
    assert main(command) == 0
    found = json.loads((tmp_path / "identity.json").read_text())
    assert set(found["lengths"]) == {"3", "5"} == set(found["individual_clean"])
    scores = []
    for seed in (0, 1):
        model = Individual.load(folder / f"seed-{seed}", "cpu").models["guitar"]
        parts = []
        for number, piece in enumerate(tiny_corpus.only("test")):
            sound = piece.audio("guitar", 11025)
            starts = segment_starts(len(sound) / 11025, 5.0)
            starts = starts[activity(sound, 11025, starts, 5.0) >= 0.3]
            parts += [
                (number, start, model.embed(sound, np.array([start]), 5.0)[0]) for start in starts
            ]
        pieces, times, vectors = zip(*parts, strict=True)
        heard = Heard(np.array(pieces), np.rint(np.array(times) * 11025), np.stack(vectors))
        scores.append(music_id(heard, 5 * 11025, 5))
    guitar = found["individual_clean"]["5"]["guitar"]
    assert guitar["segments"] == len(pieces)
    expected = np.mean(scores, axis=0)
    # One at a time in bf16, a segment or two may change sides.
    near = pytest.approx(expected, abs=200 / len(pieces))
    assert [guitar["mean"], guitar["strict_mean"]] == near
