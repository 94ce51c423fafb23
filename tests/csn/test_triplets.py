import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csn.errors import CorpusError
from csn.instruments import INSTRUMENTS
from csn.pseudomix import ABSENT
from csn.triplets import label_matrix, same_stem, triplets, whole_mixes


class Grid:
    """Nine pieces in two tempo groups; piece 4 has no guitar, piece 2 rests in its first half."""

    def __init__(self) -> None:
        self.tempos: list[float | None] = [100, 101, 102, 103, 104, 121, 122, 123, 124]

    def playing(self, c: int) -> np.ndarray:
        return np.array([p for p in range(9) if not (p == 4 and c == 3)])

    def starts(self, piece: int, c: int) -> np.ndarray:
        if piece == 4 and c == 3:
            return np.empty(0, np.int64)
        return np.arange(400 if piece == 2 else 0, 800, 4)

    def sounds(self, piece: int, c: int, start: int) -> bool:
        return not (piece == 4 and c == 3) and (piece != 2 or start >= 400)

    def onset(self, piece: int, c: int) -> int:
        return 400 if piece == 2 else 3 * piece

    def last(self, piece: int) -> int:
        return 800


@given(st.integers(0, 2**32))
@settings(max_examples=30)
def test_triplets_are_those_of_the_paper(seed: int) -> None:
    grid = Grid()
    batch = triplets(grid, 16, np.random.default_rng(seed))
    anchors, positives, negatives = batch.pieces.reshape(3, 16, 5)
    starts = batch.starts.reshape(3, 16, 5)
    assert batch.condition is not None and batch.swapped is not None
    for t in range(16):
        c, swapped = int(batch.condition[t]), int(batch.swapped[t])
        a = anchors[t, c]
        b = next(p for i, p in enumerate(anchors[t]) if i != c and p != ABSENT)
        other = negatives[t, c]
        assert len({a, b, other}) == 3
        for row, (focus, backing) in zip(
            (anchors[t], positives[t], negatives[t]), ((a, b), (a, other), (other, b)), strict=True
        ):
            expected = [focus if i == c else backing for i in range(5)]
            for i in range(5):
                assert row[i] == (ABSENT if expected[i] == 4 and i == 3 else expected[i])
        groups = {int(p > 4) for p in (a, b, other)}
        assert len(groups) == 1  # one tempo group
        # Under c the positive agrees with the anchor and the negative does not; under the
        # interchanged condition it is the other way round: the two never conflict.
        assert positives[t, c] == a != negatives[t, c]
        assert swapped != c
        assert negatives[t, swapped] == anchors[t, swapped] == b
        assert positives[t, swapped] == other
        for role in range(3):  # stems of a mix are aligned onset to onset
            row, at = batch.pieces.reshape(3, 16, 5)[role, t], starts[role, t]
            since = at[c] - grid.onset(row[c], c)
            backing = int(next(p for i, p in enumerate(row) if i != c and p != ABSENT))
            assert at[(c + 1) % 5] in (
                np.clip(grid.onset(backing, 0) + since, 0, 800),
                0 if row[(c + 1) % 5] == ABSENT else -1,
            )


def test_without_three_pieces_at_a_tempo_there_are_no_triplets() -> None:
    grid = Grid()
    grid.tempos = [60.0 + 10 * i for i in range(9)]
    with pytest.raises(CorpusError, match="tempo group"):
        triplets(grid, 4, np.random.default_rng(0))


@given(st.integers(0, 2**32), st.sampled_from([2, 4, 8]))
@settings(max_examples=30)
def test_label_matrices_hold_only_what_sounds(seed: int, repeats: int) -> None:
    grid = Grid()
    batch = label_matrix(grid, 24, np.random.default_rng(seed), repeats=repeats, dropout=0.0)
    assert batch.pieces.shape == batch.starts.shape == (24, 5)
    for pieces, starts in zip(batch.pieces, batch.starts, strict=True):
        for c in range(5):
            assert grid.sounds(int(pieces[c]), c, int(starts[c]))
    for c in range(5):
        counts = np.bincount(batch.pieces[:, c], minlength=9)
        assert (counts % repeats == 0).all()


def test_mixes_that_share_an_instrument_share_no_more_than_chance() -> None:
    grid = Grid()
    shared = pairs = 0
    for seed in range(200):
        ids = label_matrix(grid, 24, np.random.default_rng(seed), dropout=0.0).pieces
        alike = (ids[:, None] == ids[None]) & ~np.eye(24, dtype=bool)[..., None]
        both = alike[..., 0] & alike[..., 1]
        pairs, shared = pairs + int(alike[..., 0].sum()), shared + int(both.sum())
    # Four rows of 24 share a piece: of the 23 others 3 share the second instrument by chance.
    assert shared / pairs == pytest.approx(3 / 23, abs=0.02)


def test_batches_depend_on_the_seed_alone() -> None:
    first, again, other = (
        label_matrix(Grid(), 24, np.random.default_rng([seed, 5])) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.pieces, again.pieces)
    np.testing.assert_array_equal(first.starts, again.starts)
    assert (first.pieces != other.pieces).any()


@pytest.mark.parametrize("criterion", ["drums", "guitar", "mix"])
def test_segments_of_clean_sound(criterion: str) -> None:
    grid = Grid()
    batch = same_stem(grid, criterion, 60, np.random.default_rng(0))
    columns = range(5) if criterion == "mix" else [INSTRUMENTS.index(criterion)]
    for anchor, positive, negative in zip(*batch.pieces.reshape(3, 60, 5), strict=True):
        ids = [{int(p) for p in row if p != ABSENT} for row in (anchor, positive, negative)]
        assert ids[0] == ids[1] != ids[2] and len(ids[0]) == len(ids[2]) == 1
        for row in (anchor, positive, negative):
            there = {c for c in columns if not (max(row) == 4 and c == 3)}
            assert {c for c in range(5) if row[c] != ABSENT} == there
    starts = batch.starts.max(axis=1).reshape(3, 60)
    assert (starts[0] != starts[1]).all()


def test_whole_mixes_and_single_instruments() -> None:
    grid = Grid()
    batch = whole_mixes(grid, 300, np.random.default_rng(1), single=0.4)
    alone = (batch.pieces != ABSENT).sum(axis=1) == 1
    assert 0.3 < alone.mean() < 0.5
    for row, start, single in zip(batch.pieces, batch.starts, alone, strict=True):
        there = row != ABSENT
        assert len(set(row[there])) == len(set(start[there])) == 1
        if not single:
            assert there.sum() == (4 if row.max() == 4 else 5)
