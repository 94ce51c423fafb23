"""What training makes small: the papers' losses, and in-batch contrast in every subspace."""

import torch
from torch import Tensor, nn

from csn.instruments import DIMENSIONS
from csn.pseudomix import ABSENT

MARGIN = 0.2
"""The margin delta of CSN section 4.1.2."""


def split_subspaces(embedding: Tensor) -> Tensor:
    """View an embedding by subspace.

    Args:
        embedding: [..., 640], or [..., 128] of an individual network.

    Returns:
        [..., 5, 128], or [..., 1, 128].
    """
    return embedding.unflatten(-1, (-1, DIMENSIONS))


def masked_distance(x: Tensor, y: Tensor, condition: Tensor) -> Tensor:
    """D(x, y; m_c) = ||(f(x) - f(y)) m_c||, in one subspace per row (eq. 2 and 4 of CSN).

    Args:
        x: [batch, 640] float32.
        y: [batch, 640] float32.
        condition: [batch] int64, the condition c of each row.

    Returns:
        [batch] float32.
    """
    difference = split_subspaces(x - y)
    rows = torch.arange(len(condition), device=condition.device)
    # The small constant keeps the gradient finite where two embeddings are equal.
    return (difference[rows, condition].square().sum(-1) + 1e-12).sqrt()


def masked_triplet_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, condition: Tensor, margin: float = MARGIN
) -> Tensor:
    """max(0, D(a, p; m_c) - D(a, n; m_c) + margin), averaged (eq. 3 of CSN).

    Args:
        anchor: [batch, 640] float32.
        positive: [batch, 640] float32.
        negative: [batch, 640] float32.
        condition: [batch] int64.
        margin: delta.

    Returns:
        A scalar.
    """
    near = masked_distance(anchor, positive, condition)
    far = masked_distance(anchor, negative, condition)
    return nn.functional.relu(near - far + margin).mean()


def cosine_triplet_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = MARGIN
) -> Tensor:
    """max(0, d(a, p) - d(a, n) + margin) with the cosine distance, averaged (IND eq. 1).

    Args:
        anchor: [batch, 128] float32.
        positive: [batch, 128] float32.
        negative: [batch, 128] float32.
        margin: Delta.

    Returns:
        A scalar.
    """
    near = 1 - nn.functional.cosine_similarity(anchor, positive)
    far = 1 - nn.functional.cosine_similarity(anchor, negative)
    return nn.functional.relu(near - far + margin).mean()


def auxiliary_loss(embedding: Tensor, targets: Tensor) -> Tensor:
    """L_M = ||f(x) - y / ||y|| ||, averaged (eq. 5 of CSN).

    Args:
        embedding: [batch, 640] float32, f(x).
        targets: [batch, 640] float32, y: the individual networks' embeddings of the stems in x,
            zeros for instruments that x lacks.

    Returns:
        A scalar.
    """
    difference = embedding - nn.functional.normalize(targets, dim=-1)
    # The small constant keeps the gradient finite where a target is met.
    return (difference.square().sum(-1) + 1e-12).sqrt().mean()


def label_matrix_loss(embedding: Tensor, ids: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrast in every subspace at once, over a batch of mixes with their id matrix.

    Under condition c, rows that share piece id c are positives of each other, and all other rows
    negatives; rows without instrument c take no part. The loss of an anchor is the mean over its
    positives of -log softmax(cosine / temperature) (Khosla et al. 2020, L_out).

    Args:
        embedding: [batch, 128 * subspaces] float32; each subspace is L2-normalised here.
        ids: [batch, subspaces] int64, the piece each instrument comes from; ``ABSENT`` for none.
        temperature: of the softmax.

    Returns:
        A scalar: the mean over conditions of the mean over anchors that have a positive.
    """
    unit = nn.functional.normalize(split_subspaces(embedding), dim=-1).transpose(0, 1)
    similarity = unit @ unit.transpose(1, 2) / temperature  # [5, batch, batch]
    labels = ids.T  # [5, batch]
    present = labels != ABSENT
    itself = torch.eye(ids.shape[0], dtype=torch.bool, device=ids.device)
    candidate = present[:, None, :] & present[:, :, None] & ~itself
    positive = candidate & (labels[:, None, :] == labels[:, :, None])
    # A finite floor: a row without candidates would otherwise send NaN through its gradient.
    floored = similarity.masked_fill(~candidate, -1e4)
    log_softmax = similarity - floored.logsumexp(-1, keepdim=True)
    count = positive.sum(-1)  # [5, batch]
    per_anchor = -log_softmax.masked_fill(~positive, 0.0).sum(-1) / count.clamp(min=1)
    anchors = count > 0
    per_condition = per_anchor.masked_fill(~anchors, 0.0).sum(1) / anchors.sum(1).clamp(min=1)
    return per_condition.sum() / anchors.any(1).sum().clamp(min=1)
