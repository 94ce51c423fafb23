import json
import statistics
from dataclasses import replace

import numpy as np
import pytest

from csn.corpora.base import Corpus, Piece
from csn.errors import CorpusError
from csn.evaluation import PseudoMixSettings, pseudo_mixes
from csn.evaluation.baselines import System
from csn.evaluation.draws import draw
from csn.evaluation.mixed import Mixer
from csn.evaluation.pseudo_mixes import forbidden
from csn.evaluation.stems import Stems
from csn.instruments import INSTRUMENTS

from .conftest import RATE, Formula, bands, only_backing, oracle
from .slow import accuracy, overlap, pseudo_segments

SMALL = PseudoMixSettings(draws=2, pieces=3, mixes=3, length=1.0, seed=3)


@pytest.fixture(scope="module")
def quick() -> dict:
    return {"progress": False, "baselines": False}


def test_p2_is_that_of_a_loop_over_mixes_made_by_hand(uneven, quick):
    model = Formula(bands)
    found = pseudo_mixes(model, uneven, SMALL, **quick)
    size = round(SMALL.length * RATE)
    for c, instrument in enumerate(INSTRUMENTS):
        usable = [i for i, piece in enumerate(uneven.pieces) if instrument in piece.stems]
        everyone = range(len(uneven.pieces))
        tempos = [piece.tempo for piece in uneven.pieces]
        paper, strict, total = [], [], 0
        for number in range(SMALL.draws):
            rng = np.random.default_rng([SMALL.seed, c, number])
            pairs, _ = draw(usable, everyone, tempos, rng, SMALL)
            segments = pseudo_segments(model, uneven, c, pairs, SMALL.length)
            total += len(segments)

            def same_mix(x, y):
                return x["mix"] == y["mix"]

            def same_sound(x, y):
                return same_mix(x, y) or (x["piece"] == y["piece"] and overlap(x, y, size))

            for rule, values in ((same_mix, paper), (same_sound, strict)):
                values.append(100 * statistics.mean(accuracy(segments, c, SMALL.k, rule)))
        score = found.scores["model"][instrument]
        assert score.segments == total > 60
        assert score.mean == pytest.approx(statistics.mean(paper))
        assert score.sd == pytest.approx(statistics.stdev(paper))
        assert score.strict_mean == pytest.approx(statistics.mean(strict))
        assert score.strict_sd == pytest.approx(statistics.stdev(strict))
        assert 0 < score.strict_mean < score.mean < 100
        assert score.chance == pytest.approx(100 / 3)


def test_masks_are_those_of_an_enumeration():
    rng = np.random.default_rng(0)
    pieces, mixes, times = (rng.integers(0, high, 40) for high in (3, 6, 60))
    paper, strict = forbidden(pieces, mixes, times, 10)
    for i in range(40):
        for j in range(40):
            mine = set(range(times[i], times[i] + 10))
            shared = mine & set(range(times[j], times[j] + 10))
            assert paper[i, j] == (mixes[i] == mixes[j])
            barred = paper[i, j] or (pieces[i] == pieces[j] and len(shared) > 0)
            assert strict[i, j] == barred


def test_segments_that_only_touch_are_allowed():
    _, strict = forbidden(np.array([1, 1, 1]), np.array([0, 1, 2]), np.array([0, 10, 9]), 10)
    assert not strict[0, 1] and strict[0, 2] and strict[1, 2]


@pytest.mark.parametrize("backings", ["tempo", "shared"])
def test_who_hears_the_true_stem_is_always_right(sines, quick, backings):
    settings = PseudoMixSettings(draws=2, pieces=5, length=1.0, backings=backings)
    found = pseudo_mixes(Formula(oracle), sines, settings, **quick)
    for score in found.scores["model"].values():
        assert (score.mean, score.sd, score.strict_mean) == (100.0, 0.0, 100.0)


def test_who_hears_only_the_backing_is_never_above_chance(sines, quick):
    settings = PseudoMixSettings(draws=2, pieces=5, length=1.0, backings="shared")
    found = pseudo_mixes(Formula(only_backing), sines, settings, **quick)
    for score in found.scores["model"].values():
        assert score.mean <= score.chance == 20.0
        assert score.strict_mean <= score.chance


def test_every_pair_is_made_once_and_rounds_repeat_exactly(sines):
    first, second = Formula(oracle), Formula(oracle)
    stems = Stems(sines, RATE, progress=False)
    s = PseudoMixSettings(draws=3, pieces=8, length=1.0)
    kept = {"baselines": False, "progress": False, "stems": stems}
    one = pseudo_mixes(first, sines, s, **kept)
    two = pseudo_mixes(second, sines, s, **kept)
    assert one.to_json() == two.to_json()
    tempos = [piece.tempo for piece in sines.pieces]
    made = {
        (c, *pair)
        for c in range(5)
        for number in range(3)
        for pair in draw(range(12), range(12), tempos, np.random.default_rng([0, c, number]), s)[0]
    }
    assert first.calls == second.calls == len(made) < 5 * 3 * 8 * 4


def test_baselines_are_judged_on_the_same_segments(sines):
    settings = PseudoMixSettings(draws=1, pieces=4, mixes=2, length=1.0)
    found = pseudo_mixes(Formula(oracle), sines, settings, progress=False)
    assert list(found.scores) == ["model", "untrained", "floor"]
    for name in INSTRUMENTS:
        counts = {scores[name].segments for scores in found.scores.values()}
        assert len(counts) == 1
        assert found.scores["floor"][name].mean < 100
    values = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert values["instruments"]["drums"] == {
        "mean": 100.0, "sd": 0.0, "strict_mean": 100.0, "strict_sd": 0.0, "chance": 25.0,
        "segments": found.scores["model"]["drums"].segments,
    }  # fmt: skip
    assert set(values) == {
        "instruments", "floor", "untrained", "mean", "strict_mean", "floor_mean",
        "floor_strict_mean", "untrained_mean", "untrained_strict_mean", "settings", "problems",
    }  # fmt: skip
    assert values["mean"] == 100.0
    assert set(values["floor"]) == set(values["untrained"]) == set(INSTRUMENTS)
    assert values["settings"]["corpus"] == "sines" and values["settings"]["model"] == "formula"
    assert values["settings"]["fingerprint"] == sines.fingerprint()
    table = found.table().splitlines()
    assert "4 pieces over 2 backings (tempo)" in table[0]
    assert [line.split()[0] for line in table[2:8]] == [*INSTRUMENTS, "mean"]
    assert "100.0 ± 0.0" in table[2]


def test_one_thin_instrument_is_null_and_the_rest_are_judged(sines, quick):
    pieces = [
        replace(p, stems={n: f for n, f in p.stems.items() if n != "bass"}) if i > 2 else p
        for i, p in enumerate(sines.pieces)
    ]
    corpus = Corpus("thin", "thin", tuple(pieces))
    found = pseudo_mixes(Formula(oracle), corpus, draws=1, pieces=5, length=1.0, **quick)
    assert found.to_json()["instruments"]["bass"] is None
    assert found.to_json()["mean"] == 100.0
    assert "bass sounds in 3 pieces and 5 are needed, so it has no score." in found.problems
    assert "too few pieces" in found.table()


def test_a_corpus_that_is_too_small_is_refused_in_one_sentence(uneven, quick):
    with pytest.raises(CorpusError) as caught:
        pseudo_mixes(Formula(oracle), uneven, length=1.0, **quick)
    words = str(caught.value)
    assert "uneven is too small for pseudo-mixes (drums sounds in 6 pieces and 10 are" in words
    assert "--pieces" in words and "\n" not in words
    three = Corpus("three", "three", uneven.pieces[1:4])
    with pytest.raises(CorpusError, match="has 3 pieces to be mixed with and 5 are needed"):
        pseudo_mixes(Formula(oracle), three, pieces=2, length=1.0, **quick)
    with pytest.raises(CorpusError, match="no piece with readable stems"):
        pseudo_mixes(Formula(oracle), Corpus("empty", "empty", ()), **quick)


def test_a_damaged_piece_is_left_out_and_told(sines, quick, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFFnothing")
    broken = Piece("Broken", "Broken", "test", 5.0, 60.0, stems={"drums": (bad,)})
    corpus = Corpus("some", "some", (broken, *sines.pieces))
    found = pseudo_mixes(Formula(oracle), corpus, draws=1, pieces=3, length=1.0, **quick)
    assert found.problems[0].startswith("Broken was left out: ")
    assert found.settings["corpus_pieces"] == 12


def test_levels_turn_the_focused_stem_alone(sines):
    heard = []

    def listen(sound: np.ndarray) -> np.ndarray:
        answer = oracle(sound)
        heard.append(answer)
        return answer

    stems = Stems(sines, RATE, progress=False)
    settings = PseudoMixSettings(length=1.0, levels=6.0)
    judges = (System("model", Formula(listen).embed),)
    mixer = Mixer(stems, judges, "bass", settings)
    mixer.mix(2, 5)
    gain = float(mixer.gain(2, 5))
    assert 10 ** (-6 / 20) <= gain <= 10 ** (6 / 20) and gain == float(mixer.gain(2, 5))
    whole = heard[0].reshape(5, 128)
    assert whole[1, 2] == pytest.approx(0.1 * gain, rel=1e-3)
    assert whole[0, 5] == pytest.approx(0.1, rel=1e-3)
    decibels = [20 * np.log10(mixer.gain(a, b)) for a in range(12) for b in range(12)]
    assert min(decibels) < -5 and max(decibels) > 5 and abs(np.mean(decibels)) < 1
    assert float(Mixer(stems, judges, "bass", PseudoMixSettings()).gain(2, 5)) == 1.0
