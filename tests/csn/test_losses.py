import math

import numpy as np
import pytest
import torch

from csn.losses import (
    auxiliary_loss,
    cosine_triplet_loss,
    label_matrix_loss,
    masked_distance,
    masked_triplet_loss,
)
from csn.pseudomix import ABSENT


def _mask(c: int) -> np.ndarray:
    """m_c of eq. 4, written out."""
    return np.array([1.0 if c * 128 <= d < (c + 1) * 128 else 0.0 for d in range(640)])


def test_masked_distance_multiplies_by_the_mask() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(10, 640, generator=generator) for _ in range(2))
    condition = torch.arange(10) % 5
    expected = [
        math.sqrt(float((((x[i] - y[i]).double().numpy() * _mask(i % 5)) ** 2).sum()))
        for i in range(10)
    ]
    np.testing.assert_allclose(masked_distance(x, y, condition), expected, rtol=1e-5)


def test_triplet_loss_by_hand() -> None:
    generator = torch.Generator().manual_seed(1)
    a, p, n = (torch.randn(20, 640, generator=generator) for _ in range(3))
    condition = torch.arange(20) % 5
    total = 0.0
    for i in range(20):
        m = _mask(i % 5)
        near = np.linalg.norm((a[i] - p[i]).numpy() * m)
        far = np.linalg.norm((a[i] - n[i]).numpy() * m)
        total += max(0.0, near - far + 0.2)
    assert float(masked_triplet_loss(a, p, n, condition)) == pytest.approx(total / 20, rel=1e-5)


def test_triplet_gradient_stays_in_the_condition_and_is_finite_at_zero() -> None:
    a = torch.ones(1, 640, requires_grad=True)
    loss = masked_triplet_loss(a, torch.ones(1, 640), torch.zeros(1, 640), torch.tensor([3]), 20.0)
    loss.backward()
    assert a.grad is not None and torch.isfinite(a.grad).all()
    touched = a.grad[0].nonzero().ravel().tolist()
    assert touched and set(touched) <= set(range(384, 512))


def test_label_matrix_loss_by_enumeration() -> None:
    generator = np.random.default_rng(2)
    x = generator.normal(size=(12, 640))
    ids = generator.integers(-1, 4, (12, 5))
    ids[:, 4] = ABSENT  # an instrument that nobody plays
    ids[:, 3] = np.arange(12)  # one without a single positive pair
    conditions = []
    for c in range(5):
        v = x[:, 128 * c : 128 * (c + 1)]
        v = v / np.linalg.norm(v, axis=1, keepdims=True)
        anchors = []
        for i in range(12):
            if ids[i, c] == ABSENT:
                continue
            others = [j for j in range(12) if j != i and ids[j, c] != ABSENT]
            positives = [j for j in others if ids[j, c] == ids[i, c]]
            if not positives:
                continue
            z = sum(math.exp(v[i] @ v[j] / 0.1) for j in others)
            anchors.append(
                -sum(math.log(math.exp(v[i] @ v[j] / 0.1) / z) for j in positives) / len(positives)
            )
        if anchors:
            conditions.append(sum(anchors) / len(anchors))
    assert len(conditions) == 3
    embedding = torch.tensor(x, requires_grad=True)
    loss = label_matrix_loss(embedding, torch.from_numpy(ids))
    assert float(loss.detach()) == pytest.approx(sum(conditions) / 3, rel=1e-6)
    loss.backward()
    assert embedding.grad is not None and torch.isfinite(embedding.grad).all()
    assert float(embedding.grad[:, 512:].abs().max()) == 0.0


def test_cosine_triplet_loss_by_hand() -> None:
    generator = torch.Generator().manual_seed(5)
    a, p, n = (torch.randn(20, 128, generator=generator) for _ in range(3))
    total = 0.0
    for i in range(20):
        angles = [
            float((a[i] @ x[i]) / math.sqrt(float(a[i] @ a[i]) * float(x[i] @ x[i])))
            for x in (p, n)
        ]
        total += max(0.0, (1 - angles[0]) - (1 - angles[1]) + 0.2)
    assert float(cosine_triplet_loss(a, p, n)) == pytest.approx(total / 20, rel=1e-5)


def test_auxiliary_loss_by_hand_and_where_the_target_is_met() -> None:
    generator = torch.Generator().manual_seed(6)
    x, y = (torch.randn(7, 640, generator=generator) for _ in range(2))
    y[:, 128:256] = 0  # an instrument that is absent
    expected = [
        np.linalg.norm(x[i].numpy() - y[i].numpy() / np.linalg.norm(y[i].numpy())) for i in range(7)
    ]
    assert float(auxiliary_loss(x, y)) == pytest.approx(np.mean(expected), rel=1e-5)
    met = (y / y.norm(dim=1, keepdim=True)).requires_grad_()
    loss = auxiliary_loss(met, y)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0, abs=1e-5)
    assert met.grad is not None and torch.isfinite(met.grad).all()
    assert torch.isfinite(auxiliary_loss(x, torch.zeros_like(y)))  # silence has no direction
