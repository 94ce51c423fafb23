import json

import numpy as np
import pytest

from csn.corpora.base import Corpus
from csn.errors import CorpusError
from csn.evaluation import leakage
from csn.evaluation.baselines import System
from csn.evaluation.leakage import _moves
from csn.instruments import DIMENSIONS, INSTRUMENTS

from .conftest import PIECES, Formula, amplitudes, only_backing, oracle
from .slow import distance

QUICK = {"samples": 20, "length": 1.0, "progress": False}


def everything(sound: np.ndarray) -> np.ndarray:
    """Every subspace hears all five instruments alike: a full leak."""
    answer = np.zeros((5, DIMENSIONS))
    answer[:, : 5 * PIECES] = amplitudes(sound).reshape(-1)
    return answer.reshape(-1)


def test_a_separated_model_does_not_move_with_the_others(sines):
    found = leakage(Formula(oracle), sines, baselines=False, **QUICK)
    for moves in found.moves["model"].values():
        assert moves.others < 0.01
        # All pieces lie equally far apart, and exchanging the own stem goes all the way.
        assert moves.own == pytest.approx(1.0, abs=0.01)
        assert moves.ratio < 0.01
        assert moves.segments == 20
    assert found.mean_ratio() < 0.01


def test_a_model_of_the_backing_moves_with_nothing_else(sines):
    found = leakage(Formula(only_backing), sines, baselines=False, **QUICK)
    for moves in found.moves["model"].values():
        assert moves.own < 0.01
        assert moves.others == pytest.approx(1.0, abs=0.01)
        assert moves.ratio > 100


def test_a_leaking_model_moves_by_the_share_of_what_was_exchanged(sines):
    found = leakage(Formula(everything), sines, baselines=False, **QUICK)
    for moves in found.moves["model"].values():
        # Two of ten amplitudes differ against eight, in root of squares: sqrt(8 / 2).
        assert moves.ratio == pytest.approx(2.0, abs=0.02)


def test_moves_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    vectors, pieces = rng.standard_normal((6, 3, 4)), np.array([0, 0, 1, 1, 2, 2])
    apart = [
        distance(vectors[i, 0], vectors[j, 0])
        for i in range(6)
        for j in range(6)
        if pieces[i] != pieces[j]
    ]
    unit = sum(apart) / len(apart)
    moves = _moves(System("model", lambda audio, starts, length: starts), vectors, pieces)
    others = sum(distance(v[0], v[1]) for v in vectors) / 6
    own = sum(distance(v[0], v[2]) for v in vectors) / 6
    assert moves.others == pytest.approx(others / unit)
    assert moves.own == pytest.approx(own / unit)
    assert moves.ratio == pytest.approx(others / own)


def test_a_model_that_never_moves_has_no_ratio_and_no_nan(sines):
    found = leakage(Formula(lambda sound: np.ones(640)), sines, baselines=False, **QUICK)
    values = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert values["instruments"]["bass"] == {
        "others": 0.0, "own": 0.0, "segments": 20, "ratio": None,
    }  # fmt: skip
    assert values["mean"] is None
    assert "–" in found.table()


def test_baselines_stand_beside_and_repeat(uneven):
    quick = {**QUICK, "samples": 4}
    found = leakage(Formula(oracle), uneven, **quick)
    values = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert set(values) == {"instruments", "floor", "untrained", "mean", "settings", "problems"}
    assert set(values["floor"]) == set(values["untrained"]) == set(INSTRUMENTS)
    assert values["floor"]["bass"]["ratio"] > 0.3
    assert leakage(Formula(oracle), uneven, **quick).to_json() == values
    assert "mix statistics" in found.table()


def test_too_small_a_corpus_is_refused(sines):
    one = Corpus("one", "one", sines.pieces[:1])
    with pytest.raises(CorpusError, match="one is too small to measure leakage"):
        leakage(Formula(oracle), one, baselines=False, **QUICK)
