"""The training loop: seeded, logged, validated, and resumed exactly after a kill."""

import csv
import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from csn.errors import ModelError
from csn.features import LogMel
from csn.instruments import EMBEDDING
from csn.model import Model, choose_device, lower_precision
from csn.networks import Encoder
from csn.networks.individual import Individual
from csn.training.checkpoints import load_checkpoint, save_checkpoint
from csn.training.distributed import World
from csn.training.objectives import OBJECTIVES, heard_alone
from csn.training.recipes import Recipe
from csn.training.stems import StemStore
from csn.training.steps import Ready, Steps
from csn.training.validation import validate


class Trainer:
    """One run: a recipe, the stems it learns from and those it is checked on.

    Everything random in step t comes from generators seeded by (seed, t), so a run that is
    killed and resumed makes the same weights as one that is not.
    """

    def __init__(
        self,
        recipe: Recipe,
        train: StemStore,
        validation: StemStore,
        folder: Path,
        *,
        seed: int = 0,
        device: str = "auto",
        card: dict[str, Any] | None = None,
        individual: Individual | None = None,
        start: Model | None = None,
        world: World | None = None,
    ) -> None:
        """Set up the run, from its newest checkpoint where there is one.

        Args:
            recipe: what to do.
            train: stems to learn from.
            validation: stems of other pieces.
            folder: for the checkpoint, the logs and the model.
            seed: of weights and batches.
            device: ``auto``, ``cpu`` or ``cuda``.
            card: what to write into the model's card besides what the run knows.
            individual: the networks that make the targets of the auxiliary loss.
            start: a pre-trained model to begin with, instead of random weights.
            world: the processes that share the run.

        Raises:
            ModelError: the folder holds a checkpoint of another recipe, seed or corpus; the
                recipe wants individual networks and has none that fit, or a start of another
                shape.
        """
        self.recipe, self.train_stems, self.validation_stems = recipe, train, validation
        self.folder, self.seed, self.card = folder, seed, dict(card or {})
        self.device = choose_device(device)
        self.world = world or World()
        self.objective = OBJECTIVES[recipe.objective](recipe)
        self.individual = individual
        if recipe.objective == "targets" or recipe.auxiliary:
            if individual is None:
                raise ModelError(
                    f"The recipe {recipe.name!r} needs individual networks; train them with "
                    "`csn train individual`."
                )
            individual.fit(recipe.model.features)
        if self.device.type == "cuda":
            for stems in (train, validation):
                stems.keep_on(self.device)
        torch.manual_seed(seed)
        self.features = LogMel(recipe.model.features)
        begun = (folder / "checkpoint.pt").is_file()
        if start is None and not begun:  # else they come with the weights
            mean, deviation = train.statistics(seed=seed, instruments=heard_alone(recipe))
            self.features.mean.copy_(mean)
            self.features.deviation.copy_(deviation)
        self.features.to(self.device)
        self.encoder = self._network().to(self.device)
        if start is not None:
            if start.settings != recipe.model:
                raise ModelError("The model to start from has other settings than the recipe.")
            self.encoder.load_state_dict(start.encoder.state_dict())
            self.features.load_state_dict(start.features.state_dict())
        self.average = self._network().to(self.device)
        self.average.load_state_dict(self.encoder.state_dict())
        self.shared = self.world.share(self.encoder)
        self.steps = Steps(recipe, train, seed, self.world)
        self.optimiser = torch.optim.AdamW(
            self.encoder.parameters(), recipe.rate, weight_decay=recipe.decay, fused=True
        )
        self.step = 0
        self.best: dict[str, float] = {}
        # A run may be made longer or shorter on the way; anything else would be another run.
        self.schedule: list[list[int]] = [[0, recipe.steps]]
        fixed = {**asdict(recipe), "model": recipe.model.to_json(), "steps": None}
        self.identity: dict[str, Any] = {"recipe": fixed, "seed": seed, "pieces": train.pieces}
        if individual is not None:
            self.identity["individual"] = individual.hashes
        self.before = None if start is None else earlier(start)
        if start is not None:
            self.identity["start"] = start.hash
        self.seconds = 0.0
        self.stop = threading.Event()
        if begun:
            load_checkpoint(self)
            if self.schedule[-1][1] != recipe.steps:
                self.schedule.append([self.step, recipe.steps])

    def rate(self, step: int) -> float:
        """Learning rate of a step: linear warm-up, then half a cosine to zero."""
        r = self.recipe
        warmup = min(r.warmup, r.steps // 10)  # a short run would never be warm
        if step < warmup:
            return r.rate * (step + 1) / warmup
        done = (step - warmup) / max(r.steps - warmup, 1)
        return r.rate * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))

    def _network(self) -> Encoder:
        return Encoder(self.recipe.model.encoder, len(self.recipe.model.instruments))

    def mel(self, stems: Tensor, colour: Tensor | None) -> Tensor:
        """Sum stems to mixes, compress and normalise.

        Args:
            stems: [mixes, 5, frames, bands] float16 roots of mel power.
            colour: [mixes, 5, bands] factors on power, or None.

        Returns:
            [mixes, 1, bands, frames] float32, channels last.
        """
        power = stems.to(self.device).float().square_()
        if colour is not None:
            power *= colour.to(self.device)[:, :, None]
        mel = self.features.compress(power.sum(1)).transpose(1, 2).unsqueeze(1)
        return mel.contiguous(memory_format=torch.channels_last)

    def _targets(self, ready: Ready) -> Tensor | None:
        """[rows, 640] float32 targets where the objective wants them, zeros elsewhere."""
        if self.individual is None or not bool(ready.aimed.any()):
            return None
        targets = torch.zeros(len(ready.roots), EMBEDDING, device=self.device)
        targets[ready.aimed] = self.individual.targets(
            ready.roots[ready.aimed], ready.heard[ready.aimed]
        )
        return targets

    def loss(self, ready: Ready) -> Tensor:
        """The recipe's objective on a step's mixes, those of all processes: a scalar."""
        mel = self.mel(ready.roots, ready.colour)
        with lower_precision(self.device):
            embedding = self.shared(mel)
        targets = self._targets(ready)
        if self.world.size > 1 and self.individual is not None:
            rows = torch.zeros(len(mel), EMBEDDING, device=self.device)
            targets = self.world.gather(rows if targets is None else targets)
        return self.objective.loss(self.world.gather(embedding.float()), ready.batch, targets)

    def update(self, ready: Ready) -> Tensor:
        """One step of the optimiser; returns the loss, which nobody has waited for yet."""
        self.encoder.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(self.step)
        loss = self.loss(ready)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        self._follow()
        return loss.detach()

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the averaged weights towards the current ones."""
        # Early on the average would mostly remember the random start.
        decay = min(self.recipe.average, self.step / (self.step + 10))
        if self.recipe.average == 0:
            decay = 0.0
        current, kept = self.encoder.state_dict(), self.average.state_dict()
        numbers = [name for name, value in kept.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [kept[name] for name in numbers], [current[name] for name in numbers], 1 - decay
        )
        for name in kept.keys() - numbers:
            kept[name].copy_(current[name])

    def validate(self) -> dict[str, float]:
        """How well the averaged weights do on other pieces; see ``validation.validate``."""
        self.average.eval()
        return validate(
            lambda stems: self.average(self.mel(stems, None)).float(),
            self.objective,
            self.validation_stems,
            self.seed,
        )

    def model(self) -> Model:
        """The averaged weights as a model, with a card that says where they come from."""
        features = LogMel(self.recipe.model.features)
        features.load_state_dict(self.features.state_dict())
        encoder = self._network()
        encoder.load_state_dict(self.average.state_dict())
        card = {
            **self.card,
            "trained": True,
            "recipe": asdict(self.recipe),
            "seed": self.seed,
            "steps": self.step,
            "schedule": self.schedule,  # [from step, steps in all], more than one if changed
            "mixes_seen": self.step * self.recipe.mixes,
            "seconds": round(self.seconds, 1),
            "pieces": len(self.train_stems.pieces),
            "validation": self.best,
            "individual": self.identity.get("individual"),
            "start": self.identity.get("start"),
            "before": self.before,
        }
        return Model(self.recipe.model, features, encoder, card)

    def run(
        self,
        *,
        validate_every: int = 500,
        log_every: int = 20,
        progress: bool = True,
    ) -> Model:
        """Train to the end, or to the first SIGINT or SIGTERM, after which it can be resumed.

        Args:
            validate_every: steps between validations; a checkpoint is written after each.
            log_every: steps between lines of the log.
            progress: show a bar.

        Returns:
            The model, which is also in ``folder/model.safetensors``.

        Raises:
            ModelError: the loss is no number any more; the last checkpoint stays as it was.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        first = self.world.rank == 0
        folder = str(self.folder / "tensorboard")
        board = SummaryWriter(folder, purge_step=self.step) if first else nullcontext()
        bar = tqdm(
            total=self.recipe.steps, initial=self.step, unit="step",
            disable=not progress or not first,
        )  # fmt: skip
        losses: list[Tensor] = []
        since = begun = time.perf_counter()
        with self._listening(), bar, board as writer:
            for ready in self.steps.ahead(self.step, self.recipe.steps):
                losses.append(self.update(ready))
                bar.update()
                last = self.step == self.recipe.steps
                stop = self.world.any(self.stop.is_set(), self.device)
                due = self.step % validate_every == 0 or last or stop
                if self.step % log_every == 0 or due:
                    mean = float(torch.stack(losses).mean())  # waits for a device that lags behind
                    self._sure(mean)
                    speed = len(losses) * self.recipe.mixes / (time.perf_counter() - since)
                    figures = {"loss": mean, "mixes/s": speed}
                    self._log(writer, "train", figures)
                    bar.set_postfix({name: f"{value:.3g}" for name, value in figures.items()})
                    losses, since = [], time.perf_counter()
                if due and first:
                    self.seconds += time.perf_counter() - begun
                    self.best = self.validate()
                    self._log(writer, "validation", self.best)
                    save_checkpoint(self)
                    self.model().save(self.folder / "model.safetensors")
                    since = begun = time.perf_counter()
                if stop:
                    break
        return self.model()

    def _sure(self, loss: float) -> None:
        """Stop before a run that is lost overwrites what it had."""
        if not math.isfinite(loss):
            kept = "its last checkpoint is kept" if self.seconds else "nothing was written"
            raise ModelError(
                f"The loss is no number any more at step {self.step:,}; {kept} in {self.folder}. "
                "Train again into another --out with a lower --rate."
            )

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Stop at the end of a step when asked to; then the handlers that were there before."""
        signs = (signal.SIGINT, signal.SIGTERM)
        main = threading.current_thread() is threading.main_thread()
        before = {s: signal.signal(s, lambda *_: self.stop.set()) for s in signs if main}
        try:
            yield
        finally:
            for sign, handler in before.items():
                signal.signal(sign, handler)

    def _log(self, writer: SummaryWriter | None, what: str, figures: dict[str, float]) -> None:
        if writer is None:
            return
        for name, value in figures.items():
            writer.add_scalar(f"{what}/{name}", value, self.step)
        with (self.folder / f"{what}.csv").open("a", newline="") as file:
            row = csv.writer(file)
            if file.tell() == 0:
                row.writerow(["step", *figures])
            row.writerow([self.step, *(f"{value:.5g}" for value in figures.values())])


def earlier(start: Model) -> dict[str, Any]:
    """What a card keeps of the run that another went on from, and of those before it."""
    kept = ("recipe", "seed", "steps", "mixes_seen", "seconds", "commit", "before")
    told = {name: start.card.get(name) for name in kept}
    recipe = told["recipe"]
    return told | {"model": start.hash, "recipe": recipe and recipe["name"]}
