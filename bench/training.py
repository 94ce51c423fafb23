"""A training step against plain fp32 in NCHW, and the whole loop against its network alone."""

import itertools
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import torch

from bench.table import median, table
from csn.corpora import open_corpus
from csn.features import LogMel
from csn.losses import label_matrix_loss
from csn.model import has_bf16, lower_precision
from csn.networks import Encoder
from csn.training.distributed import World
from csn.training.preparing import prepare_stems
from csn.training.recipes import PAPER, STEMWISE, Recipe
from csn.training.stems import StemStore
from csn.training.steps import Draws

BATCH = 128


def _network(recipe: Recipe, *, fast: bool) -> Callable[[], None]:
    """One forward and backward pass with an optimiser step on ready spectrograms."""
    encoder = Encoder(recipe.model.encoder)
    mel = torch.randn(BATCH, 1, 128, recipe.model.features.frames(3.0))
    layout = torch.channels_last if fast else torch.contiguous_format
    mel = mel.contiguous(memory_format=layout)
    for weight in encoder.layers.parameters():
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=layout)
    optimiser = torch.optim.AdamW(encoder.parameters(), fused=fast)
    ids = torch.arange(BATCH).div(4, rounding_mode="floor")[:, None].expand(-1, 5)

    def step() -> None:
        with lower_precision(torch.device("cpu")) if fast else nullcontext():
            embedding = encoder(mel)
        loss = label_matrix_loss(embedding.float(), ids)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    return step


def _mixing_audio(recipe: Recipe) -> Callable[[], None]:
    """What a plain loop does before the network: sum five stems' sound, transform it."""
    s = recipe.model.features
    features = LogMel(s)
    stems = torch.randn(BATCH, 5, int(3.0 * s.sample_rate))

    def step() -> None:
        with torch.inference_mode():
            features(stems.sum(1))

    return step


def _mixing_mel(recipe: Recipe) -> Callable[[], None]:
    """What ours does: sum five stems' mel power."""
    features = LogMel(recipe.model.features)
    frames = recipe.model.features.frames(3.0)
    stems = torch.rand(BATCH, 5, frames, 128).half()

    def step() -> None:
        features.compress(stems.float().square_().sum(1))

    return step


def _drawing() -> dict[str, float]:
    """Seconds to draw a step, sound apart, from the demo's stems: what a GPU may wait for."""
    with tempfile.TemporaryDirectory() as home, patch.dict(os.environ, {"STEMWISE_HOME": home}):
        corpus = open_corpus("demo")
        folder = prepare_stems(corpus, STEMWISE.model.features, progress=False)
        found = {}
        for name, recipe in {"64 triplets": PAPER, "a label matrix of 128": STEMWISE}.items():
            store = StemStore(folder, 3.0, limit=recipe.windows)
            draws = Draws(recipe, store, 0, World())
            step = itertools.count()
            found[name] = median(lambda d=draws, n=step: d.draw(next(n)), repeats=21)
    return found


def main() -> dict[str, float]:
    """Print the table; return its figures."""
    # The same network on the same input, so that only how it is computed differs …
    same = replace(PAPER, model=replace(PAPER.model, encoder=STEMWISE.model.encoder))
    precision = "bf16" if has_bf16(torch.device("cpu")) else "fp32"
    steps = {
        "network, 259 frames, plain fp32 NCHW": _network(same, fast=False),
        f"network, 259 frames, {precision} channels_last": _network(same, fast=True),
        # … and what the shipped recipe makes of it.
        f"network, 130 frames, {precision} channels_last": _network(STEMWISE, fast=True),
        "mixing sound, 44.1 kHz": _mixing_audio(same),
        "mixing mel, 44.1 kHz": _mixing_mel(same),
        "mixing mel, 22.05 kHz": _mixing_mel(STEMWISE),
    }
    seconds = {name: median(step, repeats=5) for name, step in steps.items()}
    s = list(seconds.values())
    plain, same_work, shipped = s[0] + s[3], s[1] + s[4], s[2] + s[5]
    rows = [[name, f"{BATCH / value:,.0f}"] for name, value in seconds.items()]
    print(table(["part of a training step", "mixes/s"], rows))
    print(f"step, same input, ours against plain:        {plain / same_work:.1f}×")
    print(f"step, as shipped, against plain:             {plain / shipped:.1f}×")
    for name, value in _drawing().items():
        print(f"drawing {name}, one process: {1000 * value:.1f} ms a step")
    return {"same_input": plain / same_work, "as_shipped": plain / shipped}


if __name__ == "__main__":
    np.random.default_rng(0)
    started = time.perf_counter()
    main()
    print(f"({time.perf_counter() - started:.0f} s)")
