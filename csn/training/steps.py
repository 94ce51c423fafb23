"""The steps of a run: each a function of (seed, step) alone, made ready while others compute."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from csn.instruments import INSTRUMENTS
from csn.training.distributed import World
from csn.training.objectives import Objective
from csn.training.recipes import Recipe
from csn.training.stems import StemStore
from csn.triplets import Batch


class Ready(NamedTuple):
    """What a step needs; of its mixes only this process's rows."""

    batch: Batch
    """The whole batch."""
    roots: Tensor
    """[rows, 5, frames, bands] float16 square roots of the stems' mel power."""
    colour: Tensor
    """[rows, 5, bands] factors on power."""
    aimed: Tensor
    """[rows] bool, which rows need targets."""
    heard: Tensor
    """[rows, 5] bool, which of their stems sound; of no meaning in the other rows."""


class Steps:
    """Draws the steps of a run."""

    def __init__(
        self, recipe: Recipe, objective: Objective, stems: StemStore, seed: int, world: World
    ) -> None:
        """Take what all steps have in common."""
        self._recipe, self._objective, self._stems = recipe, objective, stems
        self._seed, self._world = seed, world

    def ready(self, step: int) -> Ready:
        """Draw one step."""
        generator = np.random.default_rng([self._seed, step])
        batch = self._objective.batch(self._stems, generator)
        colour = self._colour(generator, len(batch.pieces))
        rows = self._world.rows(len(batch.pieces))
        pieces, starts = batch.pieces[rows], batch.starts[rows]
        aimed = self._objective.aimed(np.arange(len(batch.pieces))[rows])
        heard = np.zeros(pieces.shape, bool)
        heard[aimed] = self._stems.heard(pieces[aimed], starts[aimed])
        return Ready(
            batch,
            self._stems.power(pieces, starts),
            colour[rows],
            torch.from_numpy(aimed),
            torch.from_numpy(heard),
        )

    def ahead(self, first: int, last: int) -> Iterator[Ready]:
        """Steps ``first`` to ``last`` - 1 in order, two of them made ahead in a thread."""
        with ThreadPoolExecutor(1) as thread:
            ahead = [thread.submit(self.ready, step) for step in range(first, min(first + 2, last))]
            for step in range(first, last):
                ready = ahead.pop(0).result()
                if step + 2 < last:
                    ahead.append(thread.submit(self.ready, step + 2))
                yield ready

    def _colour(self, generator: np.random.Generator, mixes: int) -> Tensor:
        """Random gains: [mixes, 5, bands] factors on power, from levels and an equaliser."""
        r, bands = self._recipe, self._recipe.model.features.bands
        level = generator.uniform(-r.gain, r.gain, (mixes, len(INSTRUMENTS), 1))
        # Five random points over frequency, joined by straight lines.
        points = generator.uniform(-r.equalise, r.equalise, (mixes, 5))
        place = np.linspace(0, 4, bands)
        low = np.minimum(place.astype(int), 3)
        curve = points[:, low] + (points[:, low + 1] - points[:, low]) * (place - low)
        return torch.from_numpy(10 ** ((level + curve[:, None]) / 10)).float()
