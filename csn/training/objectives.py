"""Objectives: which mixes a step draws, and what it makes small on their embeddings."""

from abc import ABC, abstractmethod
from typing import Final

import numpy as np
import torch
from torch import Tensor

from csn.instruments import INSTRUMENTS
from csn.losses import (
    auxiliary_loss,
    cosine_triplet_loss,
    label_matrix_loss,
    masked_triplet_loss,
)
from csn.networks.individual import MIX
from csn.pseudomix import ABSENT
from csn.training.recipes import Recipe
from csn.training.stems import StemStore
from csn.triplets import Batch, label_matrix, same_stem, triplets, whole_mixes


class Objective(ABC):
    """One way to draw batches and to judge them; the rest of training is the same for all."""

    def __init__(self, recipe: Recipe) -> None:
        """Take the recipe's settings."""
        self.recipe = recipe

    @abstractmethod
    def batch(self, stems: StemStore, generator: np.random.Generator) -> Batch:
        """Draw a step's mixes, ``recipe.mixes`` of them."""

    @abstractmethod
    def loss(self, embedding: Tensor, batch: Batch, targets: Tensor | None) -> Tensor:
        """What the step makes small.

        Args:
            embedding: [mixes, 128 * subspaces] float32.
            batch: the mixes.
            targets: [mixes, 640] float32, the individual networks' word on them, where
                ``aimed`` says that it is wanted.

        Returns:
            A scalar.
        """

    def aimed(self, rows: np.ndarray) -> np.ndarray:
        """Which rows of a batch need targets: [rows] bool for [rows] int64."""
        return np.zeros(len(rows), bool)

    def check(
        self, stems: StemStore, generator: np.random.Generator, mixes: int
    ) -> tuple[Batch, np.ndarray]:
        """Mixes to validate on, and the piece each subspace should know: [mixes, subspaces]."""
        batch = label_matrix(stems, mixes, generator)
        return batch, batch.pieces


class LabelMatrix(Objective):
    """Supervised contrast in every subspace at once."""

    def batch(self, stems: StemStore, generator: np.random.Generator) -> Batch:
        """Mixes recombined so that pieces come back in every instrument."""
        r = self.recipe
        return label_matrix(stems, r.batch, generator, repeats=r.repeats, dropout=r.dropout)

    def loss(self, embedding: Tensor, batch: Batch, targets: Tensor | None) -> Tensor:
        """Contrast per subspace."""
        ids = torch.from_numpy(batch.pieces).to(embedding.device)
        return label_matrix_loss(embedding, ids, self.recipe.temperature)


class Triplets(Objective):
    """L = L_T + lambda L_M, the latter on the anchors (CSN eq. 6 and section 4.1.4)."""

    def batch(self, stems: StemStore, generator: np.random.Generator) -> Batch:
        """Basic triplets, and interchanged ones with the same sounds."""
        return triplets(stems, self.recipe.batch, generator, interchanged=self.recipe.interchanged)

    def aimed(self, rows: np.ndarray) -> np.ndarray:
        """The anchors, which stand first in a batch."""
        wanted: np.ndarray = (rows < self.recipe.batch) & (self.recipe.auxiliary > 0)
        return wanted

    def loss(self, embedding: Tensor, batch: Batch, targets: Tensor | None) -> Tensor:
        """Masked triplets and, with targets, the auxiliary loss."""
        r = self.recipe
        assert batch.condition is not None and batch.swapped is not None
        anchor, positive, negative = embedding.chunk(3)
        condition = torch.from_numpy(batch.condition).to(embedding.device)
        loss = masked_triplet_loss(anchor, positive, negative, condition, r.margin)
        swapped = torch.from_numpy(batch.swapped).to(embedding.device)
        rows = swapped != ABSENT
        if r.interchanged and bool(rows.any()):
            loss = loss + masked_triplet_loss(
                anchor[rows], negative[rows], positive[rows], swapped[rows], r.margin
            )
        if r.auxiliary and targets is not None:
            loss = loss + r.auxiliary * auxiliary_loss(anchor, targets[: len(anchor)])
        return loss


class Targets(Objective):
    """L_M alone: CSN's pre-training, on mixes and on single instruments."""

    def batch(self, stems: StemStore, generator: np.random.Generator) -> Batch:
        """Pieces as they are, and instruments alone."""
        return whole_mixes(stems, self.recipe.batch, generator, single=self.recipe.single)

    def aimed(self, rows: np.ndarray) -> np.ndarray:
        """Every row."""
        return np.ones(len(rows), bool)

    def loss(self, embedding: Tensor, batch: Batch, targets: Tensor | None) -> Tensor:
        """Distance from the targets."""
        assert targets is not None
        return auxiliary_loss(embedding, targets)


class SameStem(Objective):
    """An individual network's: segments of one piece are alike (IND section 3)."""

    @property
    def criterion(self) -> str:
        """What is heard: an instrument alone, or the mix."""
        return self.recipe.model.instruments[0]

    def batch(self, stems: StemStore, generator: np.random.Generator) -> Batch:
        """Triplets of clean sound."""
        return same_stem(stems, self.criterion, self.recipe.batch, generator)

    def loss(self, embedding: Tensor, batch: Batch, targets: Tensor | None) -> Tensor:
        """Triplets with the cosine distance."""
        anchor, positive, negative = embedding.chunk(3)
        return cosine_triplet_loss(anchor, positive, negative, self.recipe.margin)

    def check(
        self, stems: StemStore, generator: np.random.Generator, mixes: int
    ) -> tuple[Batch, np.ndarray]:
        """Clean sound of other pieces."""
        batch = same_stem(stems, self.criterion, mixes // 3, generator)
        return batch, batch.pieces.max(axis=1, keepdims=True)


OBJECTIVES: Final[dict[str, type[Objective]]] = {
    "label-matrix": LabelMatrix,
    "triplets": Triplets,
    "targets": Targets,
    "individual": SameStem,
}


def heard_alone(recipe: Recipe) -> list[int] | None:
    """The conditions that a recipe's network hears; None where it hears whole mixes."""
    name = recipe.model.instruments[0]
    return None if recipe.objective != "individual" or name == MIX else [INSTRUMENTS.index(name)]
