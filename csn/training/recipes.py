"""Recipes: everything that decides what a training run does, the paper's and ours."""

from dataclasses import dataclass, field, replace
from typing import Final

from csn.features import FeatureSettings
from csn.losses import MARGIN
from csn.model import ModelSettings
from csn.networks import EncoderSettings


@dataclass(frozen=True)
class Recipe:
    """One way to train.

    Attributes:
        name: for logs and cards.
        model: features and network.
        objective: ``triplets`` (CSN), ``targets`` (CSN's pre-training), ``individual`` (IND) or
            ``label-matrix`` (supervised contrast in each subspace); see ``objectives``.
        batch: triplets (three mixes each) in a step, or mixes where there are no triplets.
        steps: optimiser steps in the whole run.
        rate: peak learning rate of AdamW; unpublished.
        warmup: steps of linear warm-up, at most a tenth of all; then the rate falls along a half
            cosine to zero.
        decay: weight decay.
        margin: of the triplet loss.
        interchanged: whether to add the interchanged triplets.
        temperature: of the label matrix's softmax.
        repeats: rows of a label matrix that share one piece's instrument.
        dropout: probability that a stem is left out of a mix of a label matrix.
        gain: stems are made louder or quieter by up to so many dB.
        equalise: greatest boost or cut (dB) of a smooth random equaliser over the mix.
        windows: use the first so many segments of a piece (the paper's 40); None uses all.
        sounding: the least part of a window in which a drawn stem must sound.
        average: decay of the weights' moving average that is validated and kept; 0 for none.
        auxiliary: lambda, the weight of the auxiliary loss on the anchors of triplets.
        single: part of the pre-training's inputs that are single instruments; unpublished.
        most: train on at most so many pieces, drawn once; None takes all.
    """

    name: str
    model: ModelSettings = field(default_factory=ModelSettings)
    objective: str = "triplets"
    batch: int = 64
    steps: int = 125_000
    rate: float = 1e-3
    warmup: int = 500
    decay: float = 1e-4
    margin: float = MARGIN
    interchanged: bool = True
    temperature: float = 0.1
    repeats: int = 4
    dropout: float = 0.05
    gain: float = 0.0
    equalise: float = 0.0
    windows: int | None = 40
    sounding: float = 0.3
    average: float = 0.0
    auxiliary: float = 0.0
    single: float = 0.5
    most: int | None = None

    @property
    def mixes(self) -> int:
        """Mixes that go through the network in a step."""
        return self.batch * (3 if self.objective in ("triplets", "individual") else 1)


PAPER: Final = Recipe("paper", auxiliary=0.1, most=1200)
"""CSN section 4.1.4: 400 epochs of 20,000 triplets in batches of 64 are 125,000 steps."""

PRETRAINING: Final = Recipe("paper-pretraining", objective="targets", steps=12_500, most=200)
"""CSN section 4.1.3: 200 pieces; how long is unpublished: here 100 epochs of 40 segments each."""

INDIVIDUAL: Final = Recipe(
    "individual",
    # Width and output are unpublished: half the CSN's channels, for one stem tells less than a
    # mix; unit length, so that in CSN's targets every instrument weighs the same.
    ModelSettings(encoder=EncoderSettings(channels=(8, 16, 32, 64, 128, 256), normalise=True)),
    objective="individual",
    steps=150 * 200 * 40 // 64,
    most=200,
)
"""IND section 4.1: 150 epochs in batches of 64; 200 pieces x 40 segments as CSN has (IND: 180)."""

STEMWISE: Final = Recipe(
    "stemwise",
    ModelSettings(
        # Half the sample rate doubles the resolution of the bass and halves the network's work.
        features=FeatureSettings(sample_rate=22050, lowest=20.0, gain=1000.0),
        encoder=EncoderSettings(
            time_strides=(2, 2, 2, 2, 2, 1), pooling="mean+deviation", pooled=6, normalise=True
        ),
    ),
    objective="label-matrix",
    batch=128,
    steps=8_000,
    gain=6.0,
    equalise=3.0,
    windows=None,
    average=0.999,
)
"""Ours: a label matrix in every batch, unit-length subspaces, levels that tell nothing."""


def individual(recipe: Recipe, criterion: str) -> Recipe:
    """The recipe of one individual network, e.g. that of the drums."""
    return replace(recipe, model=replace(recipe.model, instruments=(criterion,)))


def seen_as(recipe: Recipe, features: FeatureSettings) -> Recipe:
    """The same recipe on other spectrograms."""
    encoder = replace(recipe.model.encoder, bands=features.bands)
    return replace(recipe, model=replace(recipe.model, features=features, encoder=encoder))


def tiny(recipe: Recipe) -> Recipe:
    """The same recipe with a network and batches small enough for a test."""
    encoder = replace(recipe.model.encoder, channels=(4, 8, 8, 16, 16, 32))
    features = replace(recipe.model.features, sample_rate=11025)
    model = replace(recipe.model, encoder=encoder, features=features)
    return replace(recipe, model=model, batch=32, steps=60, warmup=5, average=0.0)
