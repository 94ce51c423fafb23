"""Clusters and their names, against counting by hand."""

import itertools
from math import comb
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from csn import clusters
from csn.clusters import MIXED, find, pieces_tags


def library(places: np.ndarray, pieces: list[str], **tags: list[object]) -> SimpleNamespace:
    """What ``find`` looks at: places, and one value a piece for each tag."""
    order = list(dict.fromkeys(pieces))
    table = pd.DataFrame({"piece": pieces})
    for tag, values in tags.items():
        table[tag] = [values[order.index(piece)] for piece in pieces]
    return SimpleNamespace(segments=table, map=lambda name, method: places.astype(np.float32))


def heaps(sizes: list[int], seed: int = 0) -> np.ndarray:
    """Tight heaps of dots, far apart on a circle."""
    rng = np.random.default_rng(seed)
    turn = 2 * np.pi * np.arange(len(sizes)) / len(sizes)
    centres = 0.8 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return centres.repeat(sizes, axis=0) + 0.02 * rng.standard_normal((sum(sizes), 2))


PIECES = [f"p{k:02d}" for k in range(20) for _ in range(10)]
FOUR = heaps([80, 50, 40, 30])  # of 8, 5, 4 and 3 pieces
GROOVES = (
    ["Bossa"] * 8 + ["Waltz", "Bossa", "Funk", "Rock", "Samba"] + ["Waltz"] * 4 + ["", "", "a"]
)


def test_heaps_are_found_largest_first_and_named_in_their_middle():
    found = find(library(FOUR, PIECES, groove=GROOVES), "whole")
    truth = np.repeat([0, 1, 2, 3], [80, 50, 40, 30])
    assert [c.segments for c in found.clusters] == [
        int((found.members == k).sum()) for k in range(4)
    ]
    inside = found.members >= 0
    assert inside.mean() > 0.9 and (found.members[inside] == truth[inside]).all()
    assert [c.pieces for c in found.clusters] == [8, 5, 4, 3]
    for k, cluster in enumerate(found.clusters):
        away = np.linalg.norm(FOUR.astype(np.float32) - np.float32(cluster.at), axis=1)
        assert away.min() == 0 and truth[away.argmin()] == k
        assert np.linalg.norm(np.array(cluster.at) - FOUR[truth == k].mean(axis=0)) < 0.02


def test_a_name_is_what_stands_out_and_else_there_is_none():
    found = find(library(FOUR, PIECES, groove=GROOVES), "whole").clusters
    assert [c.label for c in found] == ["Bossa", MIXED, "Waltz", MIXED]
    # By hand: 18 pieces have a known groove; 9 are bossas, 8 of which are the cluster's 8.
    assert (found[0].share, found[0].lift, found[0].tag) == (1.0, 18 / 9, "groove")
    assert (found[2].share, found[2].lift) == (1.0, pytest.approx(18 / 5))
    assert found[1].tag == "" and found[1].lift == 0


def test_a_chance_is_the_share_of_all_draws_that_have_as_many():
    words = ["x", "x", "x", "y", "", "x", "y", "y", "y", "z"]
    inside = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0], bool)
    got = {word: chance for chance, word, *_ in clusters._candidates({"groove": words}, inside)}
    known = [word for word in words if word]
    draws = list(itertools.combinations(known, 4))
    assert len(draws) == comb(9, 4)
    for word, seen in (("x", 3), ("y", 1)):
        as_many = sum(draw.count(word) >= seen for draw in draws)
        assert got[word] == pytest.approx(as_many / len(draws))


def test_random_tags_name_few_clusters():
    rng = np.random.default_rng(0)
    named = 0
    for _ in range(60):
        grooves = rng.choice(["a", "b", "c", "d"], 20).tolist()
        keys = rng.choice(["C", "D", "E"], 20).tolist()
        found = find(library(FOUR, PIECES, groove=grooves, key=keys), "whole").clusters
        named += sum(c.label != MIXED for c in found)
    assert named <= 0.05 * 60 * 4


def test_beyond_the_sample_the_rest_go_with_their_nearest(monkeypatch):
    whole = find(library(FOUR, PIECES), "whole")
    monkeypatch.setattr(clusters, "_SAMPLE", 100)
    found = find(library(FOUR, PIECES), "whole")
    assert len(found.clusters) == 4
    both = (whole.members >= 0) & (found.members >= 0)
    assert both.mean() > 0.8
    assert (whole.members[both] == found.members[both]).all()


@pytest.mark.parametrize("count", [0, 1, 9])
def test_too_few_dots_have_no_clusters(count):
    found = find(library(FOUR[:count], PIECES[:count]), "whole")
    assert found.clusters == () and (found.members == -1).all() and len(found.members) == count


def test_three_dimensions():
    solid = np.column_stack([FOUR, np.zeros(len(FOUR))])
    assert len(find(library(solid, PIECES), "whole").clusters[0].at) == 3


def test_the_tags_of_a_piece():
    made = library(
        FOUR[:40], PIECES[:40], tempo=[100.0, 119.9, 120.0, np.nan], key=["C", None, "", "D"],
        program_guitar=["25", "27", "300", ""], program_drums=["8", "0", "", ""],
        soundfont_guitar=["FluidR3", "", "", ""], activity_guitar=[1.0, 0.0, 0.5, 0.01],
        activity_drums=[1.0] * 4,
    )  # fmt: skip
    tags = pieces_tags(made, "guitar")
    assert tags["tempo"] == ["100–120 BPM", "100–120 BPM", "120–140 BPM", ""]
    assert tags["key"] == ["C", "", "", "D"]
    assert tags["program"] == ["Acoustic Guitar (steel)", "Electric Guitar (clean)", "300", ""]
    assert tags["soundfont"] == ["guitar of FluidR3", "", "", ""]
    assert tags["absent"] == ["", "no guitar", "", "no guitar"]
    assert pieces_tags(made, "drums")["program"] == ["drum kit 8", "drum kit 0", "", ""]
    assert set(pieces_tags(made, "whole")) == {"tempo", "key"}
