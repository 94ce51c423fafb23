"""The steps of a run: each a function of (seed, step) alone, made ready while others compute."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from csn.instruments import INSTRUMENTS
from csn.training.distributed import World
from csn.training.objectives import OBJECTIVES
from csn.training.recipes import Recipe
from csn.training.stems import StemStore
from csn.triplets import Batch

T = TypeVar("T")

_DRAWERS = 6
"""Processes that draw for a GPU at most: a step takes it 2 ms and its drawing 5 (docs/gpu.md)."""


class Drawn(NamedTuple):
    """A step without any sound: small, and made without a device."""

    batch: Batch
    """The whole batch."""
    colour: np.ndarray | None
    """[rows, 5, bands] float32 factors on power; None for none."""
    aimed: np.ndarray
    """[rows] bool, which rows need targets."""
    heard: np.ndarray
    """[rows, 5] bool, which of their stems sound; of no meaning in the other rows."""


class Ready(NamedTuple):
    """What a step needs; of its mixes only this process's rows."""

    batch: Batch
    """The whole batch."""
    roots: Tensor
    """[rows, 5, frames, bands] float16 square roots of the stems' mel power."""
    colour: Tensor | None
    """[rows, 5, bands] factors on power; None for none."""
    aimed: Tensor
    """[rows] bool, which rows need targets."""
    heard: Tensor
    """[rows, 5] bool, which of their stems sound; of no meaning in the other rows."""


class Draws:
    """Draws the steps of a run. It can be sent to another process, which then opens the stems."""

    def __init__(self, recipe: Recipe, stems: StemStore, seed: int, world: World) -> None:
        """Take what all steps have in common."""
        self._recipe, self._stems, self._seed, self._world = recipe, stems, seed, world
        self._objective = OBJECTIVES[recipe.objective](recipe)

    def draw(self, step: int) -> Drawn:
        """The mixes of one step; of what belongs to rows only this process's."""
        generator = np.random.default_rng([self._seed, step])
        batch = self._objective.batch(self._stems, generator)
        colour = self._colour(generator, len(batch.pieces))
        rows = self._world.rows(len(batch.pieces))
        pieces, starts = batch.pieces[rows], batch.starts[rows]
        aimed = self._objective.aimed(np.arange(len(batch.pieces))[rows])
        heard = np.zeros(pieces.shape, bool)
        heard[aimed] = self._stems.heard(pieces[aimed], starts[aimed])
        return Drawn(batch, None if colour is None else colour[rows], aimed, heard)

    def _colour(self, generator: np.random.Generator, mixes: int) -> np.ndarray | None:
        """Random gains: [mixes, 5, bands] factors on power, from levels and an equaliser."""
        r, bands = self._recipe, self._recipe.model.features.bands
        if not r.gain and not r.equalise:
            return None
        level = generator.uniform(-r.gain, r.gain, (mixes, len(INSTRUMENTS), 1))
        # Five random points over frequency, joined by straight lines.
        points = generator.uniform(-r.equalise, r.equalise, (mixes, 5))
        place = np.linspace(0, 4, bands)
        low = np.minimum(place.astype(int), 3)
        curve = points[:, low] + (points[:, low + 1] - points[:, low]) * (place - low)
        factors: np.ndarray = (10 ** ((level + curve[:, None]) / 10)).astype(np.float32)
        return factors


class Steps:
    """Makes the steps of a run ready, some of them ahead."""

    def __init__(self, recipe: Recipe, stems: StemStore, seed: int, world: World) -> None:
        """Take what all steps have in common."""
        self._draws = Draws(recipe, stems, seed, world)
        self._stems, self._world = stems, world

    def ready(self, step: int) -> Ready:
        """Draw one step, and cut its sound."""
        return self._cut(self._draws.draw(step))

    def _cut(self, drawn: Drawn) -> Ready:
        rows = self._world.rows(len(drawn.batch.pieces))
        return Ready(
            drawn.batch,
            self._stems.power(drawn.batch.pieces[rows], drawn.batch.starts[rows]),
            None if drawn.colour is None else torch.from_numpy(drawn.colour),
            torch.from_numpy(drawn.aimed),
            torch.from_numpy(drawn.heard),
        )

    def ahead(self, first: int, last: int, drawers: int | None = None) -> Iterator[Ready]:
        """Steps ``first`` to ``last`` - 1 in order, some of them made ahead.

        Where the stems lie in main memory a thread cuts their sound, too. On a GPU that is no
        work, and drawing would be what it waits for: so several processes draw.

        Args:
            first: step.
            last: step.
            drawers: processes; None decides by where the stems are.
        """
        if drawers is None:
            spare = (os.cpu_count() or 1) // self._world.size - 2
            drawers = min(spare, _DRAWERS) if self._stems.resident else 0
        if drawers < 1:
            with ThreadPoolExecutor(1) as thread:
                yield from _in_order(thread, self.ready, range(first, last), 2)
            return
        context = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
        with ProcessPoolExecutor(drawers, context, _take, (self._draws,)) as pool:
            for drawn in _in_order(pool, _draw, range(first, last), 4 * drawers):
                yield self._cut(drawn)


def _in_order(pool: Executor, make: Callable[[int], T], steps: range, ahead: int) -> Iterator[T]:
    """Results in the order of the steps, so many of them asked for ahead."""
    waiting = [pool.submit(make, step) for step in steps[:ahead]]
    for step in steps:
        result = waiting.pop(0).result()
        if step + ahead < steps.stop:
            waiting.append(pool.submit(make, step + ahead))
        yield result


_taken: Draws | None = None


def _take(draws: Draws) -> None:
    """What a drawing process begins with."""
    global _taken  # noqa: PLW0603 a process has no other place to keep it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run itself decides when to stop
    _taken = draws


def _draw(step: int) -> Drawn:
    assert _taken is not None
    return _taken.draw(step)
