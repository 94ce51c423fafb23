"""A quick look at other pieces while a network is trained."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from csn.losses import label_matrix_loss, split_subspaces
from csn.pseudomix import ABSENT
from csn.training.objectives import Objective
from csn.training.stems import StemStore

_MIXES = 256
_BATCHES = 2


@torch.inference_mode()
def validate(
    embed: Callable[[Tensor], Tensor], objective: Objective, stems: StemStore, seed: int
) -> dict[str, float]:
    """Loss and nearest-neighbour accuracy (%) per subspace on fixed mixes of other pieces.

    The loss is the contrast of ``csn.losses.label_matrix_loss``, whatever is trained, on mixes
    without random levels; a row counts when another row of its batch shares the instrument's
    piece. It guides; ``csn evaluate`` judges.

    Args:
        embed: [mixes, 5, frames, bands] roots of mel power to [mixes, 128 * subspaces] float32.
        objective: says what to mix.
        stems: those of the other pieces.
        seed: of the mixes.
    """
    names = objective.recipe.model.instruments
    right, asked, losses = np.zeros(len(names)), np.zeros(len(names)), []
    for number in range(_BATCHES):
        generator = np.random.default_rng([seed, 2**31 + number])
        batch, known = objective.check(stems, generator, _MIXES)
        roots = stems.power(batch.pieces, batch.starts)
        embedding = torch.cat([embed(part) for part in roots.split(64)])
        ids = torch.from_numpy(known).to(embedding.device)
        losses.append(float(label_matrix_loss(embedding, ids, objective.recipe.temperature)))
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
    figures = dict(zip(names, accuracy.round(2).tolist(), strict=True))
    return {"loss": float(np.mean(losses)), "mean": float(accuracy.mean()), **figures}
