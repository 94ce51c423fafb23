"""Runs that build on one another: individual networks, then pre-training, then triplets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from csn.corpora.base import Corpus
from csn.instruments import INSTRUMENTS
from csn.model import Model
from csn.networks.individual import CRITERIA, Individual
from csn.training.distributed import World
from csn.training.loop import Trainer
from csn.training.preparing import prepare_stems
from csn.training.recipes import INDIVIDUAL, PAPER, PRETRAINING, Recipe, individual
from csn.training.stems import StemStore


@dataclass(frozen=True)
class Workshop:
    """Where runs find their stems, and how they are carried out.

    Attributes:
        corpus: with the splits below.
        train_split: to learn from.
        validation_split: to check on.
        device: ``auto``, ``cpu`` or ``cuda``.
        workers: processes that read the corpus; all cores by default.
        validate_every: steps between validations, each with a checkpoint.
        progress: show bars.
        card: what to write into models' cards besides what a run knows.
        world: the processes that share each run.
    """

    corpus: Corpus
    train_split: str = "train"
    validation_split: str = "validation"
    device: str = "auto"
    workers: int | None = None
    validate_every: int = 500
    progress: bool = True
    card: dict[str, Any] = field(default_factory=dict)
    world: World = field(default_factory=World)

    def stems(self, recipe: Recipe, split: str, most: int | None = None) -> StemStore:
        """The stems of a split as a recipe wants them."""
        if self.world.rank:
            self.world.wait()  # until the first process has written them
        folder = prepare_stems(
            self.corpus.only(split),
            recipe.model.features,
            workers=self.workers,
            progress=self.progress,
        )
        if self.world.rank == 0:
            self.world.wait()
        return StemStore(
            folder,
            recipe.model.segment,
            sounding=recipe.sounding,
            limit=recipe.windows,
            most=most,
        )

    def trainer(
        self,
        recipe: Recipe,
        folder: Path,
        seed: int,
        *,
        individual: Individual | None = None,
        start: Model | None = None,
    ) -> Trainer:
        """A run, set up; from its newest checkpoint where there is one."""
        return Trainer(
            recipe,
            self.stems(recipe, self.train_split, recipe.most),
            self.stems(recipe, self.validation_split),
            folder,
            seed=seed,
            device=self.device,
            card=self.card,
            individual=individual,
            start=start,
            world=self.world,
        )

    def run(
        self,
        recipe: Recipe,
        folder: Path,
        seed: int,
        *,
        individual: Individual | None = None,
        start: Model | None = None,
    ) -> Model:
        """Train to the end; a run that is at its end already costs nothing.

        Raises:
            KeyboardInterrupt: it was stopped before; the same call goes on from there.
        """
        trainer = self.trainer(recipe, folder, seed, individual=individual, start=start)
        model = trainer.run(validate_every=self.validate_every, progress=self.progress)
        if trainer.step < recipe.steps:
            raise KeyboardInterrupt
        return model


def train_individual(
    shop: Workshop,
    folder: Path,
    seed: int,
    recipe: Recipe = INDIVIDUAL,
    criteria: Sequence[str] = CRITERIA,
) -> Individual:
    """Train one network for each criterion (IND section 3).

    Args:
        shop: stems and machine.
        folder: gets a folder for each criterion.
        seed: of weights and batches.
        recipe: without its criterion.
        criteria: instruments and ``mix``.
    """
    models = {}
    for criterion in criteria:
        if shop.progress:
            print(f"individual network: {criterion}, seed {seed}")
        models[criterion] = shop.run(individual(recipe, criterion), folder / criterion, seed)
    return Individual(models)


@dataclass(frozen=True)
class Stages:
    """CSN's schedule from nothing to the model (sections 4.1.3 and 4.1.4).

    Attributes:
        individual: of the networks that make the targets.
        pretraining: with the auxiliary loss alone; None begins with random weights.
        training: with triplets and the auxiliary loss.
    """

    individual: Recipe = INDIVIDUAL
    pretraining: Recipe | None = PRETRAINING
    training: Recipe = PAPER


def train_paper(shop: Workshop, folder: Path, seed: int, stages: Stages | None = None) -> Model:
    """Carry out all stages; run again to resume wherever it was stopped.

    Args:
        shop: stems and machine.
        folder: gets ``individual/``, ``pretraining/`` and the model.
        seed: of all stages.
        stages: the published ones by default.
    """
    stages = stages or Stages()
    networks = train_individual(shop, folder / "individual", seed, stages.individual, INSTRUMENTS)
    start = None
    if stages.pretraining is not None:
        start = shop.run(stages.pretraining, folder / "pretraining", seed, individual=networks)
    return shop.run(stages.training, folder, seed, individual=networks, start=start)
