"""The training loop: seeded, logged, validated, and resumed exactly after a kill."""

import csv
import math
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from csn.features import LogMel
from csn.instruments import INSTRUMENTS
from csn.losses import label_matrix_loss, masked_triplet_loss, split_subspaces
from csn.model import Model, choose_device, lower_precision
from csn.networks import Encoder
from csn.pseudomix import ABSENT
from csn.training.checkpoints import load_checkpoint, save_checkpoint
from csn.training.recipes import Recipe
from csn.training.stems import StemStore
from csn.triplets import Batch, label_matrix, triplets

_VALIDATION_MIXES = 256
_VALIDATION_BATCHES = 2


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

        Raises:
            ModelError: the folder holds a checkpoint of another recipe, seed or corpus.
        """
        self.recipe, self.train_stems, self.validation_stems = recipe, train, validation
        self.folder, self.seed, self.card = folder, seed, dict(card or {})
        self.device = choose_device(device)
        torch.manual_seed(seed)
        self.features = LogMel(recipe.model.features)
        mean, deviation = train.statistics(seed=seed)
        self.features.mean.copy_(mean)
        self.features.deviation.copy_(deviation)
        self.features.to(self.device)
        self.encoder = Encoder(recipe.model.encoder).to(self.device)
        self.average = Encoder(recipe.model.encoder).to(self.device)
        self.average.load_state_dict(self.encoder.state_dict())
        self.optimiser = torch.optim.AdamW(
            self.encoder.parameters(), recipe.rate, weight_decay=recipe.decay, fused=True
        )
        self.step = 0
        self.best: dict[str, float] = {}
        # A run may be made longer or shorter on the way; anything else would be another run.
        self.schedule: list[list[int]] = [[0, recipe.steps]]
        fixed = {**asdict(recipe), "steps": None}
        self.identity = {"recipe": fixed, "seed": seed, "pieces": train.pieces}
        self.stop = threading.Event()
        if (folder / "checkpoint.pt").is_file():
            load_checkpoint(self)
            if self.schedule[-1][1] != recipe.steps:
                self.schedule.append([self.step, recipe.steps])

    def rate(self, step: int) -> float:
        """Learning rate of a step: linear warm-up, then half a cosine to zero."""
        r = self.recipe
        if step < r.warmup:
            return r.rate * (step + 1) / r.warmup
        done = (step - r.warmup) / max(r.steps - r.warmup, 1)
        return r.rate * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))

    def batch(self, stems: StemStore, generator: np.random.Generator, mixes: int) -> Batch:
        """Draw one batch; see ``csn.triplets``."""
        r = self.recipe
        if r.objective == "triplets":
            return triplets(stems, mixes // 3, generator, interchanged=r.interchanged)
        return label_matrix(
            stems,
            mixes,
            generator,
            repeats=r.repeats,
            coherent=r.coherent,
            dropout=r.dropout,
        )

    def _prepare(self, step: int) -> tuple[Batch, Tensor, Tensor]:
        """A step's batch, its stems' magnitudes and the mixes' equaliser, made off the hot path."""
        generator = np.random.default_rng([self.seed, step])
        batch = self.batch(self.train_stems, generator, self.recipe.mixes)
        stems = self.train_stems.power(batch.pieces, batch.starts)
        return batch, stems, self._colour(generator, len(batch.pieces))

    def _colour(self, generator: np.random.Generator, mixes: int) -> Tensor:
        """Random gains: [mixes, 5, bands] factors on power, from levels and an equaliser."""
        r, bands = self.recipe, self.recipe.model.features.bands
        level = generator.uniform(-r.gain, r.gain, (mixes, len(INSTRUMENTS), 1))
        # Five random points over frequency, joined by straight lines.
        points = generator.uniform(-r.equalise, r.equalise, (mixes, 5))
        place = np.linspace(0, 4, bands)
        low = np.minimum(place.astype(int), 3)
        curve = points[:, low] + (points[:, low + 1] - points[:, low]) * (place - low)
        return torch.from_numpy(10 ** ((level + curve[:, None]) / 10)).float()

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

    def loss(self, embedding: Tensor, batch: Batch) -> Tensor:
        """The recipe's objective on embedded mixes: [mixes, 640] → scalar."""
        r = self.recipe
        if r.objective == "label-matrix":
            ids = torch.from_numpy(batch.pieces).to(self.device)
            return label_matrix_loss(embedding, ids, r.temperature)
        assert batch.condition is not None and batch.swapped is not None
        anchor, positive, negative = embedding.chunk(3)
        condition = torch.from_numpy(batch.condition).to(self.device)
        loss = masked_triplet_loss(anchor, positive, negative, condition, r.margin)
        swapped = torch.from_numpy(batch.swapped).to(self.device)
        rows = swapped != ABSENT
        if r.interchanged and bool(rows.any()):
            loss = loss + masked_triplet_loss(
                anchor[rows], negative[rows], positive[rows], swapped[rows], r.margin
            )
        return loss

    def _batches(self) -> Iterator[tuple[Batch, Tensor, Tensor]]:
        """The remaining steps' batches, two of them made ahead in a thread."""
        with ThreadPoolExecutor(1) as thread:
            ahead = [
                thread.submit(self._prepare, step)
                for step in range(self.step, min(self.step + 2, self.recipe.steps))
            ]
            for step in range(self.step, self.recipe.steps):
                ready = ahead.pop(0).result()
                if step + 2 < self.recipe.steps:
                    ahead.append(thread.submit(self._prepare, step + 2))
                yield ready

    def update(self, batch: Batch, stems: Tensor, colour: Tensor) -> float:
        """One step of the optimiser; returns the loss."""
        self.encoder.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(self.step)
        mel = self.mel(stems, colour)
        with lower_precision(self.device):
            embedding = self.encoder(mel)
        loss = self.loss(embedding.float(), batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        self._follow()
        return float(loss.detach())

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the averaged weights towards the current ones."""
        # Early on the average would mostly remember the random start.
        decay = min(self.recipe.average, self.step / (self.step + 10))
        if self.recipe.average == 0:
            decay = 0.0
        current = self.encoder.state_dict()
        for name, kept in self.average.state_dict().items():
            if kept.is_floating_point():
                kept.lerp_(current[name], 1 - decay)
            else:
                kept.copy_(current[name])

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Loss and nearest-neighbour accuracy (%) per subspace on fixed mixes of other pieces.

        The mixes are as in training but without random levels; a row counts when another row of
        its batch shares the instrument's piece. It guides; ``csn evaluate`` judges.
        """
        self.average.eval()
        right, asked, losses = np.zeros(5), np.zeros(5), []
        for number in range(_VALIDATION_BATCHES):
            generator = np.random.default_rng([self.seed, 2**31 + number])
            batch = label_matrix(self.validation_stems, _VALIDATION_MIXES, generator)
            stems = self.validation_stems.power(batch.pieces, batch.starts)
            parts = [self.average(self.mel(part, None)).float() for part in stems.split(64)]
            embedding = torch.cat(parts)
            ids = torch.from_numpy(batch.pieces).to(self.device)
            losses.append(float(label_matrix_loss(embedding, ids, self.recipe.temperature)))
            for c, space in enumerate(split_subspaces(embedding).unbind(1)):
                distance = torch.cdist(space, space).fill_diagonal_(torch.inf)
                own = ids[:, c]
                distance[:, own == ABSENT] = torch.inf
                nearest = own[distance.argmin(1)]
                same = (own[:, None] == own[None]).sum(1) > 1
                counted = same & (own != ABSENT)
                right[c] += int((nearest[counted] == own[counted]).sum())
                asked[c] += int(counted.sum())
        accuracy = 100 * right / np.maximum(asked, 1)
        figures = dict(zip(INSTRUMENTS, accuracy.round(2).tolist(), strict=True))
        return {"loss": float(np.mean(losses)), "mean": float(accuracy.mean()), **figures}

    def model(self) -> Model:
        """The averaged weights as a model, with a card that says where they come from."""
        features = LogMel(self.recipe.model.features)
        features.load_state_dict(self.features.state_dict())
        encoder = Encoder(self.recipe.model.encoder)
        encoder.load_state_dict(self.average.state_dict())
        card = {
            **self.card,
            "trained": True,
            "recipe": asdict(self.recipe),
            "seed": self.seed,
            "steps": self.step,
            "schedule": self.schedule,  # [from step, steps in all], more than one if changed
            "mixes_seen": self.step * self.recipe.mixes,
            "pieces": len(self.train_stems.pieces),
            "validation": self.best,
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
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if threading.current_thread() is threading.main_thread():
            for sign in (signal.SIGINT, signal.SIGTERM):
                signal.signal(sign, lambda *_: self.stop.set())
        writer = SummaryWriter(str(self.folder / "tensorboard"), purge_step=self.step)
        bar = tqdm(total=self.recipe.steps, initial=self.step, unit="step", disable=not progress)
        losses: list[float] = []
        since = time.perf_counter()
        for batch, stems, colour in self._batches():
            losses.append(self.update(batch, stems, colour))
            bar.update()
            last = self.step == self.recipe.steps
            if self.step % log_every == 0 or last:
                speed = len(losses) * self.recipe.mixes / (time.perf_counter() - since)
                figures = {"loss": float(np.mean(losses)), "mixes/s": speed}
                self._log(writer, "train", figures)
                bar.set_postfix({name: f"{value:.3g}" for name, value in figures.items()})
                losses, since = [], time.perf_counter()
            if self.step % validate_every == 0 or last or self.stop.is_set():
                self.best = self.validate()
                self._log(writer, "validation", self.best)
                save_checkpoint(self)
                self.model().save(self.folder / "model.safetensors")
                since = time.perf_counter()
            if self.stop.is_set():
                break
        bar.close()
        writer.close()
        return self.model()

    def _log(self, writer: SummaryWriter, what: str, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            writer.add_scalar(f"{what}/{name}", value, self.step)
        with (self.folder / f"{what}.csv").open("a", newline="") as file:
            row = csv.writer(file)
            if file.tell() == 0:
                row.writerow(["step", *figures])
            row.writerow([self.step, *(f"{value:.5g}" for value in figures.values())])
