import numpy as np
import torch

from csn.evaluation.baselines import systems
from csn.model import Model

from .conftest import RATE, SETTINGS, Formula, oracle

STARTS = np.array([0.0, 0.5, 1.25])


def sound(seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(3 * RATE)).astype(np.float32)


def test_the_floor_is_mean_and_deviation_of_each_band():
    _, _, floor = systems(Formula(oracle))
    found = floor.embed(sound(), STARTS, 1.0)
    mel = Model.untrained(SETTINGS).log_mel(sound()).numpy()
    hop, frames = SETTINGS.features.hop, SETTINGS.features.frames(1.0)
    for i, start in enumerate(STARTS):
        first = round(start * RATE / hop)
        for band in range(16):
            values = [float(x) for x in mel[band, first : first + frames]]
            mean = sum(values) / len(values)
            deviation = (sum((x - mean) ** 2 for x in values) / len(values)) ** 0.5
            assert np.isclose(found[i, band], mean, atol=1e-5)
            assert np.isclose(found[i, 16 + band], deviation, atol=1e-5)


def test_statistics_are_standardised_and_embeddings_are_not():
    model, _, floor = systems(Formula(oracle))
    values = np.array([[1.0, 5.0, 2.0], [3.0, 5.0, 4.0]])
    assert floor.comparable(values).tolist() == [[-1, 0, -1], [1, 0, 1]]
    assert model.comparable(values).tolist() == values.tolist()
    whole = np.arange(640.0)[None]
    assert model.part(whole, "bass").tolist() == [list(range(128, 256))]
    assert floor.part(values, "bass").tolist() == values.tolist()


def test_a_shared_spectrogram_changes_nothing_and_is_computed_once(monkeypatch):
    model = Model.untrained(SETTINGS, seed=7)
    model.features.mean.fill_(0.3)
    expected = [model.embed(sound(s), STARTS, 1.0) for s in (0, 1)]
    calls = []
    compute = Model.log_mel

    def counted(self, audio):
        calls.append(len(audio))
        return compute(self, audio)

    monkeypatch.setattr(Model, "log_mel", counted)
    judged, untrained, floor = systems(model, seed=3)
    for s in (0, 1):
        audio = sound(s)
        assert np.array_equal(judged.embed(audio, STARTS, 1.0), expected[s])
        random = untrained.embed(audio, STARTS, 1.0)
        floor.embed(audio, STARTS, 1.0)
        assert not np.allclose(random, expected[s])
    assert len(calls) == 2

    # The untrained encoder hears the spectrogram normalised as the model does.
    other = Model.untrained(SETTINGS, seed=3)
    other.features.mean.fill_(0.3)
    assert np.array_equal(other.embed(sound(1), STARTS, 1.0), random)


def test_baselines_can_be_left_out_and_leave_the_model_alone():
    model = Model.untrained(SETTINGS, seed=7)
    before = {name: value.clone() for name, value in model.encoder.state_dict().items()}
    assert [system.name for system in systems(model, baselines=False)] == ["model"]
    assert [system.name for system in systems(model)] == ["model", "untrained", "floor"]
    after = model.encoder.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
