"""Two processes make the step that one makes."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributed.run import get_args_parser

from csn.corpora import open_corpus
from csn.corpora.base import Corpus
from csn.errors import StemwiseError
from csn.model import Model
from csn.networks import individual as networks
from csn.training import loop
from csn.training.distributed import World, join
from csn.training.recipes import INDIVIDUAL, PAPER, PRETRAINING, STEMWISE, individual, tiny
from csn.training.stages import Workshop

RECIPES = (tiny(STEMWISE), replace(tiny(PAPER), batch=12), tiny(PRETRAINING))


def steps(uri: str, folder: Path) -> None:
    """Three steps of each recipe; writes their losses and the weights that they lead to."""
    torch.set_num_threads(1)
    for module in (loop, networks):  # sums in bf16 depend on who adds up what
        module.lower_precision = lambda device: torch.autocast(device.type, enabled=False)
    world = join()
    shop = Workshop(open_corpus(uri), "all", "all", "cpu", 1, progress=False, world=world)
    alone = networks.Individual(
        {
            name: Model.untrained(individual(tiny(INDIVIDUAL), name).model)
            for name in networks.CRITERIA
        }
    )
    made = {}
    for recipe in RECIPES:
        aided = None if recipe.objective == "label-matrix" else alone
        trainer = shop.trainer(recipe, folder / recipe.name, 0, individual=aided)
        made[recipe.name] = [trainer.update(ready) for ready in trainer.steps.ahead(0, 3)]
        state = trainer.encoder.state_dict().values()
        made[f"{recipe.name} weights"] = [float(value.double().square().sum()) for value in state]
    np.savez(folder / f"{world.rank}-of-{world.size}.npz", **made)


def test_two_processes_make_the_steps_of_one(tiny_corpus: Corpus, tmp_path: Path) -> None:
    words = [__file__, tiny_corpus.uri, str(tmp_path)]
    together = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", *words]
    for arguments, home in ((words, "one"), (together, "two")):  # each reads the corpus anew
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "STEMWISE_HOME": str(tmp_path / home)}
        subprocess.run([sys.executable, *arguments], check=True, env=environment)
    one, *two = (np.load(tmp_path / f"{name}.npz") for name in ("0-of-1", "0-of-2", "1-of-2"))
    assert len(one.files) == 2 * len(RECIPES)
    for name in one.files:
        for process in two:
            np.testing.assert_allclose(process[name], one[name], rtol=1e-4, atol=1e-7)


def test_an_uneven_batch_is_refused() -> None:
    with pytest.raises(StemwiseError, match="cannot be shared by 2"):
        World(0, 2).rows(33)


if __name__ == "__main__":
    steps(sys.argv[1], Path(sys.argv[2]))


def test_torchrun_passes_our_options_on() -> None:
    """As the documents say it: without ``--`` torchrun takes ``--start`` for one of its own."""
    ours = ["csn.cli", "train", "--start", "demo", "--out", "runs/second"]
    told = get_args_parser().parse_args(["--nproc-per-node", "2", "-m", "--", *ours])
    assert told.module and told.nproc_per_node == "2"
    assert [told.training_script, *told.training_script_args] == ours
