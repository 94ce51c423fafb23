"""Training from files to a model, on a corpus of tones with a network of a few channels."""

import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from csn.card import total
from csn.cli import main
from csn.corpora.base import Corpus
from csn.errors import CorpusError, ModelError
from csn.features import LogMel
from csn.instruments import INSTRUMENTS
from csn.model import Model
from csn.pseudomix import ABSENT
from csn.training.checkpoints import save_checkpoint
from csn.training.distributed import World
from csn.training.loop import Trainer
from csn.training.preparing import prepare_stems
from csn.training.recipes import PAPER, STEMWISE, Recipe, tiny
from csn.training.stems import StemStore
from csn.training.steps import Steps

# Triplets teach a subspace a fifth as much a step, so theirs are larger and more.
OURS = tiny(STEMWISE)
PAPERS = replace(tiny(PAPER), rate=3e-3, steps=200, auxiliary=0.0)


@pytest.fixture(scope="module")
def stores(tiny_corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    os.environ["STEMWISE_HOME"] = str(home)
    return prepare_stems(tiny_corpus, OURS.model.features, workers=1, progress=False)


def _store(folder: Path, recipe: Recipe = OURS) -> StemStore:
    return StemStore(folder, recipe.model.segment, limit=recipe.windows)


def test_the_papers_schedule() -> None:
    assert PAPER.steps * PAPER.batch == 400 * 20_000
    assert (PAPER.batch, PAPER.margin, PAPER.windows, PAPER.interchanged) == (64, 0.2, 40, True)
    assert PAPER.model.encoder.channels == (16, 32, 64, 128, 256, 512)


def test_stems_add_up_to_the_mix(stores: Path, tiny_corpus: Corpus) -> None:
    store = _store(stores)
    piece = tiny_corpus.pieces[0]
    number = store.pieces.index(piece.id)
    one = np.full((1, 5), number)
    roots = store.power(one, np.zeros((1, 5), np.int64))[0].float()
    for c, name in enumerate(INSTRUMENTS):
        sound = torch.from_numpy(piece.audio(name, 11025))
        expected = LogMel(OURS.model.features).power(sound[None])[0, : store.width].sqrt()
        np.testing.assert_allclose(roots[c], expected, rtol=2e-3, atol=2e-3)
    absent = store.power(np.full((1, 5), ABSENT), np.zeros((1, 5), np.int64))
    assert not absent.any()
    again = prepare_stems(tiny_corpus, OURS.model.features, workers=1, progress=False)
    assert again == stores


def test_windows_sound(stores: Path, tiny_corpus: Corpus) -> None:
    """A window may be drawn just where the stem's own sound is loud enough for long enough."""
    store = _store(stores)
    piece = tiny_corpus.pieces[1]
    number = store.pieces.index(piece.id)
    sound = piece.audio("piano", 11025)
    for start in store.starts(number, 2)[:5]:
        cut = sound[int(start) * 512 : (int(start) + store.width) * 512]
        blocks = cut[: len(cut) // 512 * 512].reshape(-1, 512)
        assert (np.sqrt((blocks**2).mean(1)) > 1e-3).mean() > 0.25
        assert store.sounds(number, 2, int(start))


@pytest.mark.parametrize("recipe", [OURS, PAPERS], ids=lambda recipe: recipe.name)
def test_training_learns_and_beats_chance(recipe: Recipe, stores: Path, tmp_path: Path) -> None:
    store = _store(stores, recipe)
    trainer = Trainer(recipe, store, store, tmp_path / "run", device="cpu")
    before = trainer.validate()
    model = trainer.run(validate_every=30, log_every=10, progress=False)
    after = trainer.best
    with (tmp_path / "run" / "train.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses[-1] < losses[0]
    # Twelve pieces, so guessing is right once in twelve.
    assert after["mean"] > max(before["mean"] + 3, 2 * 100 / 12)
    again = Model.load(tmp_path / "run" / "model.safetensors", device="cpu")
    assert again.hash == model.hash
    assert again.card["recipe"]["name"] == recipe.name
    assert again.card["mixes_seen"] == recipe.steps * recipe.mixes
    assert list((tmp_path / "run" / "tensorboard").iterdir())


def test_resuming_gives_the_same_weights(stores: Path, tmp_path: Path) -> None:
    recipe = replace(OURS, steps=12)
    store = _store(stores)
    whole = Trainer(recipe, store, store, tmp_path / "whole", device="cpu")
    expected = whole.run(progress=False).hash
    first = Trainer(recipe, store, store, tmp_path / "cut", device="cpu")
    for ready in first.steps.ahead(0, 12):
        first.update(ready)
        if first.step == 5:
            break
    save_checkpoint(first)
    second = Trainer(recipe, store, store, tmp_path / "cut", device="cpu")
    assert second.step == 5
    assert second.run(progress=False).hash == expected


def test_the_rate_rises_and_falls(stores: Path, tmp_path: Path) -> None:
    store = _store(stores)
    short = replace(OURS, steps=100, warmup=500)
    trainer = Trainer(short, store, store, tmp_path, device="cpu")
    rates = [trainer.rate(step) for step in range(100)]
    assert rates.index(max(rates)) in (9, 10) and max(rates) == pytest.approx(short.rate)
    assert rates[0] == pytest.approx(short.rate / 10) and rates[-1] < 0.01 * short.rate
    expected = [short.rate * (1 + np.cos(np.pi * (s - 10) / 90)) / 2 for s in range(10, 100)]
    assert rates[10:] == pytest.approx(expected)


def test_a_resumed_run_may_change_its_length(stores: Path, tmp_path: Path) -> None:
    store = _store(stores)
    first = Trainer(replace(OURS, steps=40), store, store, tmp_path, device="cpu")
    first.step = 20
    save_checkpoint(first)
    second = Trainer(replace(OURS, steps=21), store, store, tmp_path, device="cpu")
    assert second.run(progress=False).card["schedule"] == [[0, 40], [20, 21]]
    assert second.step == 21


def test_another_runs_checkpoint_is_refused(stores: Path, tmp_path: Path) -> None:
    store = _store(stores)
    save_checkpoint(Trainer(OURS, store, store, tmp_path, device="cpu"))
    with pytest.raises(ModelError, match="another recipe, seed or corpus"):
        Trainer(OURS, store, store, tmp_path, seed=1, device="cpu")
    (tmp_path / "checkpoint.pt").write_bytes(b"\x80\x02oops")
    with pytest.raises(ModelError, match="not a readable checkpoint"):
        Trainer(OURS, store, store, tmp_path, device="cpu")


def test_kept_on_a_device_windows_are_the_same(stores: Path) -> None:
    store, kept = _store(stores), _store(stores)
    kept.keep_on(torch.device("cpu"))
    assert kept.resident and not store.resident
    generator = np.random.default_rng(0)
    pieces = generator.integers(-1, len(store.pieces), (40, 5))
    starts = generator.integers(0, 2 * store.last(0), (40, 5))  # many reach beyond the end
    assert (pieces == ABSENT).any()
    assert torch.equal(kept.power(pieces, starts), store.power(pieces, starts))
    for one, other in zip(kept.statistics(50), store.statistics(50), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("recipe", [OURS, PAPERS])
def test_processes_draw_the_same_steps(stores: Path, recipe: Recipe) -> None:
    store = _store(stores, recipe)
    steps = Steps(recipe, store, 3, World())
    for one, other in zip(steps.ahead(2, 14), steps.ahead(2, 14, drawers=2), strict=True):
        np.testing.assert_array_equal(one.batch.pieces, other.batch.pieces)
        np.testing.assert_array_equal(one.batch.starts, other.batch.starts)
        assert torch.equal(one.roots, other.roots) and torch.equal(one.heard, other.heard)
        assert (one.colour is None) == (recipe is PAPERS)
        if one.colour is not None and other.colour is not None:
            assert torch.equal(one.colour, other.colour)


def test_a_corpus_without_stems_cannot_train(tiny_corpus: Corpus) -> None:
    bare = replace(tiny_corpus, pieces=tuple(replace(p, stems={}) for p in tiny_corpus.pieces))
    with pytest.raises(CorpusError, match="holds no stems"):
        prepare_stems(bare, OURS.model.features, progress=False)


def test_a_run_goes_on_from_a_model(tiny_corpus: Corpus, stores: Path, tmp_path: Path) -> None:
    common = ["train", "--corpus", tiny_corpus.uri, "--device", "cpu", "--quiet", "--steps", "3"]
    assert main([*common, "--recipe", "tiny", "--out", str(tmp_path / "first")]) == 0
    first = tmp_path / "first" / "model.safetensors"
    again = [*common, "--recipe", "tiny", "--seed", "1", "--start", str(first)]
    assert main([*again, "--out", str(tmp_path / "second")]) == 0
    begun, done = Model.load(first), Model.load(tmp_path / "second" / "model.safetensors")
    assert done.card["start"] == done.card["before"]["model"] == begun.hash != done.hash
    assert done.card["before"]["steps"] == 3 and done.card["before"]["seed"] == 0
    assert total(done.card, "mixes_seen") == 2 * 3 * OURS.mixes
    for name, value in begun.encoder.state_dict().items():
        if name.endswith("weight"):  # three steps do not go far
            assert torch.allclose(done.encoder.state_dict()[name], value, atol=0.02)


def test_a_run_goes_on_with_the_network_of_the_model(
    tiny_corpus: Corpus, stores: Path, tmp_path: Path
) -> None:
    older = replace(OURS.model, encoder=replace(OURS.model.encoder, pooled=1))
    assert older != OURS.model
    Model.untrained(older, seed=5).save(tmp_path / "older.safetensors")
    given = ["--corpus", tiny_corpus.uri, "--start", str(tmp_path / "older.safetensors")]
    options = ["--recipe", "tiny", "--device", "cpu", "--quiet", "--steps", "3"]
    assert main(["train", *given, *options, "--out", str(tmp_path / "newer")]) == 0
    done = Model.load(tmp_path / "newer" / "model.safetensors")
    assert done.settings == older and done.card["recipe"]["model"]["encoder"]["pooled"] == 1


def test_a_run_that_is_lost_keeps_what_it_had(
    stores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, folder = _store(stores), tmp_path / "run"
    trainer = Trainer(replace(OURS, steps=20), store, store, folder, device="cpu")
    loss, handlers = trainer.loss, [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    monkeypatch.setattr(
        trainer, "loss", lambda ready: loss(ready) * (np.nan if trainer.step == 7 else 1)
    )
    with pytest.raises(ModelError, match=r"at step 10; its last checkpoint is kept .* --rate"):
        trainer.run(validate_every=5, log_every=100, progress=False)
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == handlers
    kept = Model.load(folder / "model.safetensors", "cpu")
    assert kept.card["steps"] == 5
    assert all(bool(v.isfinite().all()) for v in kept.encoder.state_dict().values())
    again = Trainer(replace(OURS, steps=20), store, store, folder, device="cpu")
    assert again.step == 5


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_training_on_a_gpu(stores: Path, tmp_path: Path) -> None:
    store = _store(stores)
    trainer = Trainer(replace(OURS, steps=20), store, store, tmp_path, device="cuda")
    assert store.resident
    before = trainer.validate()["loss"]
    trainer.run(progress=False)
    assert trainer.best["loss"] < before


def test_a_killed_command_resumes(tiny_corpus: Corpus, stores: Path, tmp_path: Path) -> None:
    """SIGKILL at a random moment, then the same command again: the weights of an unkilled run."""
    command = [
        sys.executable, "-m", "csn.cli", "train", "--recipe", "tiny", "--corpus", tiny_corpus.uri,
        "--steps", "30", "--validate-every", "5", "--device", "cpu", "--quiet", "--out",
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, str(tmp_path / "whole")], check=True, env=environment)
    victim = subprocess.Popen([*command, str(tmp_path / "cut")], env=environment)
    deadline = time.monotonic() + 120
    while not (tmp_path / "cut" / "checkpoint.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    subprocess.run([*command, str(tmp_path / "cut")], check=True, env=environment)
    hashes = {Model.load(tmp_path / name / "model.safetensors").hash for name in ("whole", "cut")}
    assert len(hashes) == 1
