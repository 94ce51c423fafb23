"""Pooling over time by mean and deviation, in as few passes over memory as there can be."""

from typing import Any

import torch
from torch import Tensor

_LEAST = 1e-4
"""Added to the variance: keeps the gradient of its root finite on steady sounds."""


class _MeanAndDeviation(torch.autograd.Function):
    """Written by hand, for torch's own way back takes more passes over the largest tensors.

    And ``torch.var`` is slow on channels_last.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor) -> tuple[Tensor, Tensor]:
        mean = maps.mean(-1)
        variance = (maps - mean.unsqueeze(-1)).square_().mean(-1)
        deviation = variance.add_(_LEAST).sqrt_()
        ctx.save_for_backward(maps, mean, deviation)
        return mean, deviation

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        maps, mean, deviation = ctx.saved_tensors
        of_mean, of_deviation = gradients
        steps = maps.shape[-1]
        # d deviation / d x = (x - mean) / (steps * deviation), d mean / d x = 1 / steps
        slope = of_deviation / (steps * deviation)
        constant = of_mean / steps - mean * slope
        return torch.addcmul(constant.unsqueeze(-1), maps, slope.unsqueeze(-1))


def mean_and_deviation(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over the last dimension, differentiable once.

    Args:
        maps: [..., steps] float32.

    Returns:
        The mean and sqrt(population variance + 1e-4), [...] each.
    """
    mean, deviation = _MeanAndDeviation.apply(maps)
    return mean, deviation
