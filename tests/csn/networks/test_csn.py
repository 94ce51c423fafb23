"""The encoder's pooling, against hooks on its layers."""

import pytest
import torch
from torch import Tensor, nn

from csn.networks import Encoder, EncoderSettings
from csn.networks.pooling import mean_and_deviation


@pytest.mark.parametrize("pooled", [1, 3])
@pytest.mark.parametrize("pooling", ["mean", "mean+deviation"])
def test_the_head_reads_the_last_layers_summaries(pooled: int, pooling: str) -> None:
    torch.manual_seed(0)
    settings = EncoderSettings((2, 3, 4), time_strides=(2, 2, 1), pooling=pooling, pooled=pooled)
    encoder = Encoder(settings).eval()
    heard: list[Tensor] = []
    for layer in encoder.layers:
        if isinstance(layer, nn.LeakyReLU):
            layer.register_forward_hook(lambda _, __, out: heard.append(out.clone()))
    with torch.no_grad():
        embedding = encoder(torch.randn(2, 1, 128, 50))
        summaries: list[Tensor] = []
        for maps in heard[-pooled:]:
            summaries.append(maps.mean(3).reshape(2, -1))
            if pooling != "mean":
                summaries.append((maps.var(3, correction=0) + 1e-4).sqrt().reshape(2, -1))
        expected = nn.functional.linear(
            torch.hstack(summaries), encoder.head.weight, encoder.head.bias
        )
    torch.testing.assert_close(embedding, expected)


@pytest.mark.parametrize("pooled", [0, 4])
def test_no_more_layers_are_pooled_than_there_are(pooled: int) -> None:
    with pytest.raises(ValueError, match=f"{pooled} of 3 layers"):
        Encoder(EncoderSettings((2, 3, 4), time_strides=(2, 2, 1), pooled=pooled))


def test_mean_and_deviation_go_back_as_numbers_say() -> None:
    maps = torch.randn(2, 3, 4, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(mean_and_deviation, maps)
    mean, deviation = mean_and_deviation(maps)
    torch.testing.assert_close(mean, maps.mean(-1))
    torch.testing.assert_close(deviation, (maps.var(-1, correction=0) + 1e-4).sqrt())
    steady = torch.ones(1, 1, 1, 5, requires_grad=True)
    mean_and_deviation(steady)[1].sum().backward()
    assert steady.grad is not None and bool(steady.grad.isfinite().all())
