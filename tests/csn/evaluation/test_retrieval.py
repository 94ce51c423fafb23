"""Is the piece whose instrument was heard found? Recomputed by loops."""

import math
from pathlib import Path

import numpy as np
import pytest

from csn.audio import activity
from csn.corpora.base import Corpus
from csn.errors import CorpusError, StemwiseError
from csn.evaluation.draws import PseudoMixSettings, draw
from csn.evaluation.retrieval import Retrieval, ranks, retrieval
from csn.instruments import INSTRUMENTS

from .conftest import RATE, Formula, bands, frequency, only_backing, oracle, write_piece
from .slow import onset, stem

QUIET = {"progress": False, "baselines": False}


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Six pieces of 9 to 12 s with late entries, a rest and an absent instrument."""
    folder = tmp_path_factory.mktemp("long")
    rng = np.random.default_rng(8)
    pieces = []
    for p in range(6):
        samples = int(rng.integers(9 * RATE, 12 * RATE))
        stems = {}
        for c, name in enumerate(INSTRUMENTS):
            if (p, name) == (2, "guitar"):
                continue
            t = np.arange(samples) / RATE
            sound = 0.1 * np.sin(2 * np.pi * frequency(p, c) * t)
            sound += 0.03 * rng.standard_normal(samples)
            sound[: int(rng.integers(0, RATE))] = 0
            rest = int(rng.integers(RATE, 6 * RATE))
            sound[rest : rest + int(2.5 * RATE)] = 0
            stems[name] = sound
        pieces.append(write_piece(folder, p, stems, 90.0 + 2 * p, "test"))
    return Corpus("long", "long", tuple(pieces))


def cut(sound: list[float], start: float, length: float) -> np.ndarray:
    return np.array(sound[round(start * RATE) : round((start + length) * RATE)])


def grid(samples: int, length: float) -> list[float]:
    found, k = [], 0
    while k * length / 2 + length <= samples / RATE + 1e-9:
        found.append(k * length / 2)
        k += 1
    return found


def loud_enough(sound: list[float], start: float, length: float) -> bool:
    return bool(activity(np.array(sound), RATE, np.array([start]), length)[0] >= 0.3)


def by_loops(corpus: Corpus, length: float, mixes: int, c: int, whole: bool) -> list[list[int]]:
    """[rank among pieces, rank among segments] of every query that has an answer."""
    name = INSTRUMENTS[c]
    part = slice(None) if whole else slice(128 * c, 128 * c + 128)
    stems = [{n: stem(piece, n) for n in INSTRUMENTS} for piece in corpus.pieces]
    library = []
    for p, own in enumerate(stems):
        mix = [sum(values) for values in zip(*own.values(), strict=True)]
        for start in grid(len(mix), 3.0):
            if loud_enough(own[name], start, 3.0):
                library.append((p, start, bands(cut(mix, start, 3.0))[part]))
    focus = sorted({p for p, _, _ in library})
    settings = PseudoMixSettings(pieces=len(focus), mixes=mixes, length=length)
    rng = np.random.default_rng([0, c])
    pairs, _ = draw(focus, range(6), [piece.tempo for piece in corpus.pieces], rng, settings)
    answer = []
    for a, b in pairs:
        heard = stems[a][name]
        back = [sum(x) for x in zip(*(s for n, s in stems[b].items() if n != name), strict=True)]
        shift = onset(heard) - onset(back)
        heard, back = heard[max(shift, 0) :], back[max(-shift, 0) :]
        mix = [x + y for x, y in zip(heard, back, strict=False)]
        for start in grid(len(mix), length):
            if not loud_enough(heard[: len(mix)], start, length):
                continue
            segments = []
            for inner in grid(round(length * RATE), 3.0):
                segments.append(bands(cut(mix, start + inner, 3.0)))
            query = []
            for k in range(5):
                rows = [s[128 * k : 128 * k + 128] for s in segments]
                mean = np.mean(rows, axis=0)
                size = np.mean([math.sqrt((row**2).sum()) for row in rows])
                query.append(mean / math.sqrt((mean**2).sum()) * size)
            vector = np.concatenate(query)[part]
            place = start + max(shift, 0) / RATE
            far = {}
            for i, (p, at, other) in enumerate(library):
                if p == a and at < place + length and place < at + 3.0:
                    continue
                far[i] = math.sqrt(((vector - other) ** 2).sum())
            own = [d for i, d in far.items() if library[i][0] == a]
            if own:
                nearer = [library[i][0] for i, d in far.items() if d < min(own)]
                answer.append([1 + len(set(nearer)), 1 + len(nearer)])
    return answer


def check(found: Retrieval, system: str, c: int, expected: list[list[int]]) -> None:
    one = found.found[system][INSTRUMENTS[c]]
    assert one is not None and one.queries == len(expected) > 10
    for kind, numbers in enumerate((one.pieces, one.segments)):
        rank = [pair[kind] for pair in expected]
        for k in (1, 5, 10):
            assert numbers[f"r{k}"] == pytest.approx(100 * np.mean([r <= k for r in rank]))
        assert numbers["mrr"] == pytest.approx(100 * np.mean([1 / r for r in rank]))


@pytest.mark.parametrize("c", [0, 3])
def test_ranks_by_loops(long: Corpus, c: int) -> None:
    found = retrieval(Formula(bands), long, length=4.5, mixes=2, **QUIET)
    for system in ("focus", "whole"):
        expected = by_loops(long, 4.5, 2, c, system == "whole")
        assert len({tuple(pair) for pair in expected}) > 3  # neither all right nor all wrong
        check(found, system, c, expected)


def test_who_hears_the_instrument_finds_it_and_the_whole_finds_the_backing(long: Corpus) -> None:
    right = retrieval(Formula(oracle), long, length=3.0, **QUIET)
    wrong = retrieval(Formula(only_backing), long, length=3.0, **QUIET)
    for name in INSTRUMENTS:
        assert right.found["focus"][name].pieces["r1"] > 80
        # The backing stands before it, but for the piece that has no guitar to be found by.
        over_none = right.found["whole"][name].pieces["r1"]
        assert 0 < over_none < 30 if name == "guitar" else over_none == 0
        assert wrong.found["focus"][name].pieces["r1"] == 0
        chance = right.found["chance"][name]
        count = 5 if name == "guitar" else 6
        assert chance.pieces["r1"] == pytest.approx(100 / count)
        assert chance.pieces["r5"] == 100 * min(5 / count, 1)
        assert chance.pieces["mrr"] == pytest.approx(
            100 * sum(1 / k for k in range(1, count + 1)) / count
        )
    again = retrieval(Formula(oracle), long, length=3.0, **QUIET)
    assert again.to_json() == right.to_json()
    assert "drums: focus on the instrument" in right.table()


def test_baselines_stand_beside_it(long: Corpus) -> None:
    found = retrieval(Formula(bands), long, length=6.0, mixes=2, progress=False)
    assert set(found.found) == {"focus", "whole", "untrained", "floor", "chance"}
    for each in found.found.values():
        assert each["bass"] is not None and 0 <= each["bass"].pieces["mrr"] <= 100


def test_ties_count_against() -> None:
    distances = np.array([[1.0, 1.0, 0.5, 2.0], [1.0, 3.0, 0.5, 2.0], [9.0, 9.0, 9.0, 0.0]])
    pieces = np.array([0, 0, 1, 2])
    usable = np.ones((3, 4), bool)
    usable[2, 2] = False
    by_piece, by_segment = ranks(distances, pieces, np.array([0, 2, 1]), usable)
    assert by_piece.tolist() == [2, 3, 0]  # the last one has nothing that could be found
    assert by_segment.tolist() == [2, 3, 0]
    tied = np.array([[1.0, 1.0, 1.0, 1.0]])
    by_piece, by_segment = ranks(tied, pieces, np.array([2]), np.ones((1, 4), bool))
    assert (by_piece.tolist(), by_segment.tolist()) == ([3], [4])


def test_what_cannot_be_asked(long: Corpus, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="has 2 pieces with stems"):
        retrieval(Formula(bands), Corpus("x", "x", long.pieces[:2]), mixes=2, **QUIET)
    with pytest.raises(StemwiseError, match="--length 3 or more"):
        retrieval(Formula(bands), long, length=2.0, **QUIET)
