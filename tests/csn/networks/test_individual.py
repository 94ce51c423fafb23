"""Targets made of individual networks, against the networks asked one by one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from csn.errors import ModelError
from csn.instruments import INSTRUMENTS
from csn.model import Model
from csn.networks.individual import CRITERIA, Individual
from csn.training.recipes import INDIVIDUAL, PAPER, individual, tiny


@pytest.fixture(scope="module")
def networks() -> Individual:
    made = {}
    for seed, name in enumerate(CRITERIA):
        made[name] = Model.untrained(individual(tiny(INDIVIDUAL), name).model, seed)
    return Individual(made)


def test_targets_are_each_networks_word_on_its_stem(networks: Individual) -> None:
    generator = torch.Generator().manual_seed(0)
    roots = torch.rand(3, 5, 65, 128, generator=generator).half()
    heard = torch.tensor([[True] * 5, [False, True, False, False, True], [False] * 5])
    targets = networks.targets(roots, heard)
    for row in range(3):
        for c, name in enumerate(INSTRUMENTS):
            part = targets[row, 128 * c : 128 * (c + 1)]
            if not heard[row, c]:
                assert not part.any()
                continue
            model = networks.models[name]
            mel = torch.log10(1 + 10 * roots[row, c].float() ** 2).T[None, None]
            with torch.no_grad():
                expected = model.encoder(mel)[0]
            np.testing.assert_allclose(part, expected, atol=0.02)  # bf16
            assert float(part.norm()) == pytest.approx(1, abs=1e-4)


def test_networks_are_written_and_read(networks: Individual, tmp_path: Path) -> None:
    for name, model in networks.models.items():
        if name != "mix":
            model.save(tmp_path / name / "model.safetensors")
    again = Individual.load(tmp_path, "cpu")
    assert set(again.models) == set(INSTRUMENTS)
    assert all(again.hashes[name] == networks.hashes[name] for name in INSTRUMENTS)
    with pytest.raises(ModelError, match="subspaces"):
        Model.load(tmp_path / "drums" / "model.safetensors")
    with pytest.raises(ModelError, match="see sound as"):
        again.fit(replace(PAPER.model.features, bands=64))
