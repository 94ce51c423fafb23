import json

import numpy as np
import pytest

from csn.instruments import INSTRUMENTS, subspace
from csn.search import ExactSearch
from csn.vectors import with_norms
from results import presets
from results.errors import ResultsError
from results.presets import Preset
from results.simulation import Crowd, simulated_answers
from results.weights import fit_counts, fit_weights
from tests.results import made

TRUE = np.array([1.0, 0.1, 0.5, 0.0, 0.25])


@pytest.fixture(scope="module")
def answers():
    crowd = Crowd(listeners=24, triplets=40, weights=tuple(TRUE), slope=2.0, seed=8)
    return simulated_answers(crowd)


@pytest.fixture(scope="module")
def fitted(answers):
    return fit_weights(answers)


def test_known_weights_are_found_again(fitted):
    shares = TRUE / TRUE.sum()
    assert fitted.shares == pytest.approx(shares, abs=0.06)
    assert ((fitted.low <= shares + 1e-9) & (shares <= fitted.high + 1e-9)).all()
    assert fitted.weights.max() == 1
    assert fitted.shares.sum() == pytest.approx(1)
    assert list(fitted.table["space"]) == list(INSTRUMENTS)


def test_held_out_agreement_rises(fitted):
    held = {one.name: one for one in fitted.held}
    assert held["fitted"].share > held["equal"].share + 0.02
    assert held["fitted"].share > held["own"].share + 0.05
    assert fitted.gain.low > 0
    gain = held["fitted"].share - held["equal"].share
    assert (fitted.gain.low + fitted.gain.high) / 2 == pytest.approx(gain)


def test_nothing_is_held_out_in_vain():
    """Listeners who answer at random: what is held out is not agreed with more than by chance."""
    table = simulated_answers(Crowd(listeners=16, triplets=12, slope=0.0, triplet_sd=0.0, seed=2))
    try:
        (one, *_) = fit_weights(table).held
    except ResultsError as error:
        assert "none of the five" in str(error)
    else:
        assert one.interval.low < 0.5 < one.interval.high


def test_a_fit_by_a_grid():
    rng = np.random.default_rng(0)
    pull = rng.normal(size=(40, 2))
    counts = rng.integers(0, 9, (40, 2)).astype(float)
    counts[:, 0] += 6 * (pull[:, 0] > 0)
    found = fit_counts(pull, counts, 0.01)

    def loss(w):
        chance = 1 / (1 + np.exp(-pull @ w))
        fit = (counts * np.log(np.column_stack([chance, 1 - chance]))).sum()
        return -fit / counts.sum() + 0.01 * (w @ w)

    grid = np.arange(0, 3, 0.02)
    best = min(((a, b) for a in grid for b in grid), key=lambda w: loss(np.array(w)))
    assert found == pytest.approx(best, abs=0.02)
    against = fit_counts(-np.abs(pull), np.tile([9.0, 1.0], (40, 1)), 0.01)
    assert not against.any()  # no negative weights, whatever the answers say


def test_search_ranks_by_the_fitted_rule(fitted):
    """The candidate that the fitted rule takes is the one that search finds first."""
    rng = np.random.default_rng(3)
    for _ in range(50):
        x, first, second = rng.normal(size=(3, 640)).astype(np.float32)
        found, _ = ExactSearch(with_norms([first, second])).search(x, tuple(fitted.weights), 2)
        squares = [
            [((x - one)[subspace(name)].astype(float) ** 2).sum() for name in INSTRUMENTS]
            for one in (first, second)
        ]
        pull = fitted.weights @ (np.array(squares[1]) - np.array(squares[0]))
        assert found[0] == (0 if pull > 0 else 1)


def test_too_little_says_so(answers):
    with pytest.raises(ResultsError, match="without the model's distances"):
        fit_weights(made.answers([(1, 1, True)]))
    few = answers[answers["listener_id"] < 4]
    with pytest.raises(ResultsError, match="at least 8 listeners"):
        fit_weights(few)


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    return tmp_path


def test_a_preset_comes_back(own_home, fitted):
    preset = presets.of_weights("My listeners", fitted, "A study", simulated=True, model="m")
    file = presets.save(preset)
    assert file.parent == own_home / "presets"
    assert presets.saved() == (presets.load(file),)
    (found,) = presets.saved()
    assert found.weights == pytest.approx(tuple(fitted.weights), abs=1e-4)
    assert found.about["held_out"]["fitted"] == pytest.approx(fitted.held[0].share, abs=1e-4)
    with pytest.raises(ResultsError, match="already"):
        presets.save(preset)
    presets.save(Preset("My listeners", (0, 0, 0, 0, 1)), replace=True)
    assert presets.saved()[0].weights == (0, 0, 0, 0, 1)


def test_bad_presets_are_refused_or_left_out(own_home):
    for name, weights in (("", (1,) * 5), ("a\nb", (1,) * 5), ("none", (0,) * 5), ("two", (1, 1))):
        with pytest.raises(ResultsError):
            presets.save(Preset(name, weights))
    file = presets.save(Preset("ドラム/../x", (1, 0, 0, 0, 0)))
    assert file.parent == own_home / "presets"
    (own_home / "presets" / "broken.json").write_text("{")
    other = json.loads(file.read_text()) | {"format": "else"}
    (own_home / "presets" / "other.json").write_text(json.dumps(other))
    assert [one.name for one in presets.saved()] == ["ドラム/../x"]
