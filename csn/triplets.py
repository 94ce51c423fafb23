"""What a training batch is made of: which piece plays which instrument in every mix, and when.

A ``Batch`` says it all with two matrices: the piece id of each instrument in each mix (the
5-vectors of CSN section 3.1.1), and the frame at which each stem is cut. Batches are functions of
a seed and a step number alone, so that training resumes exactly.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from csn.errors import CorpusError
from csn.instruments import INSTRUMENTS
from csn.pseudomix import ABSENT, tempo_groups

_FIVE = len(INSTRUMENTS)


class Windows(Protocol):
    """What a sampler must know of the stems; see ``csn.training.stems.StemStore``."""

    tempos: list[float | None]

    def playing(self, c: int) -> np.ndarray:
        """Ids of the pieces whose instrument c has at least one sounding window: [n] int64."""

    def starts(self, piece: int, c: int) -> np.ndarray:
        """Frames at which a window with instrument c sounding may begin: [n] int64, n ≥ 0."""

    def sounds(self, piece: int, c: int, start: int) -> bool:
        """Whether instrument c sounds enough in the window that begins at this frame."""

    def onset(self, piece: int, c: int) -> int:
        """Frame of the stem's first onset."""

    def last(self, piece: int) -> int:
        """Last frame at which a window fits into the piece."""


@dataclass(frozen=True)
class Batch:
    """Mixes to be made.

    Attributes:
        pieces: [mixes, 5] int64, the piece that each instrument comes from, or ``ABSENT``.
        starts: [mixes, 5] int64, the frame at which each stem's window begins.
        condition: [triplets] int64 for triplet batches, whose mixes stand as all anchors, then
            all positives, then all negatives; None for label matrices.
        swapped: [triplets] int64, the condition of the interchanged triplet, or ``ABSENT``.
    """

    pieces: np.ndarray
    starts: np.ndarray
    condition: np.ndarray | None = None
    swapped: np.ndarray | None = None


def label_matrix(
    windows: Windows,
    mixes: int,
    generator: np.random.Generator,
    *,
    repeats: int = 4,
    dropout: float = 0.05,
) -> Batch:
    """Mixes recombined so that every subspace gets many positives and negatives at once.

    Every instrument of every mix is drawn for itself, each piece's for ``repeats`` mixes, so that
    two mixes that share one instrument hardly ever share another: whatever else they had in
    common a network would learn to hear instead.

    Args:
        windows: the stems.
        mixes: rows of the batch.
        generator: of random numbers.
        repeats: rows that share a piece's instrument.
        dropout: probability that a stem is left out of a mix.

    Returns:
        ``pieces`` and ``starts`` of [mixes, 5].
    """
    ids = np.empty((mixes, _FIVE), np.int64)
    starts = np.empty((mixes, _FIVE), np.int64)
    for c in range(_FIVE):
        choice = generator.choice(
            windows.playing(c),
            -(-mixes // repeats),
            replace=len(windows.playing(c)) * repeats < mixes,
        )
        ids[:, c] = generator.permutation(np.repeat(choice, repeats)[:mixes])
        starts[:, c] = [_draw(windows, int(piece), c, generator) for piece in ids[:, c]]
    if dropout:
        ids[generator.random(ids.shape) < dropout] = ABSENT
    return Batch(ids, starts)


def triplets(
    windows: Windows, count: int, generator: np.random.Generator, *, interchanged: bool = True
) -> Batch:
    """Basic triplets {A_B, A_C, C_B} and, with the same sounds, interchanged ones.

    A, B and C are three pieces of one tempo group. Under condition c the anchor A_B shares its
    stem with A_C; under any other condition c' it shares B's accompaniment with C_B, and positive
    and negative change places (CSN sections 3.1.1 and 3.1.2). Stems of one mix are aligned onset
    to onset. Which c' is used is unpublished: one is drawn at random.

    Args:
        windows: the stems.
        count: triplets.
        generator: of random numbers.
        interchanged: whether to name a c' as well.

    Returns:
        ``pieces`` and ``starts`` of [3 · count, 5]: anchors, positives, negatives.

    Raises:
        CorpusError: no tempo group holds three pieces.
    """
    groups = [np.array(g) for g in tempo_groups(windows.tempos) if len(g) >= 3]
    if not groups:
        raise CorpusError(
            "No tempo group holds three pieces, so there are no triplets; give a larger corpus."
        )
    sizes = np.array([len(group) for group in groups], float)
    playing = [set(windows.playing(c).tolist()) for c in range(_FIVE)]
    pieces = np.full((3, count, _FIVE), ABSENT, np.int64)
    starts = np.zeros((3, count, _FIVE), np.int64)
    condition = np.empty(count, np.int64)
    swapped = np.full(count, ABSENT, np.int64)
    for t in range(count):
        while True:
            c = int(generator.integers(_FIVE))
            group = groups[generator.choice(len(groups), p=sizes / sizes.sum())]
            a, b, other = (int(p) for p in generator.choice(group, 3, replace=False))
            if a in playing[c] and other in playing[c]:
                break
        condition[t] = c
        for role, (focus, backing) in enumerate(((a, b), (a, other), (other, b))):
            start = _draw(windows, focus, c, generator)
            since = start - windows.onset(focus, c)
            begins = min(
                (windows.onset(backing, i) for i in range(_FIVE) if backing in playing[i]),
                default=0,
            )
            # The backing runs as one recording: its first onset stands where the focus's does.
            together = int(np.clip(begins + since, 0, windows.last(backing)))
            for i in range(_FIVE):
                source = focus if i == c else backing
                if source in playing[i]:
                    pieces[role, t, i] = source
                    starts[role, t, i] = start if i == c else together
        if interchanged:
            shared = [i for i in range(_FIVE) if i != c and b in playing[i] and other in playing[i]]
            if shared:
                swapped[t] = generator.choice(shared)
    return Batch(pieces.reshape(-1, _FIVE), starts.reshape(-1, _FIVE), condition, swapped)


def same_stem(
    windows: Windows, criterion: str, count: int, generator: np.random.Generator
) -> Batch:
    """Triplets of clean sound: two segments of one piece, and one of another (IND section 3).

    Args:
        windows: the stems.
        criterion: one instrument, heard alone, or ``mix``: all stems of a piece together.
        count: triplets.
        generator: of random numbers.

    Returns:
        ``pieces`` and ``starts`` of [3 · count, 5]: anchors, positives, negatives.
    """
    heard = range(_FIVE) if criterion == "mix" else [INSTRUMENTS.index(criterion)]
    usable = np.unique(np.concatenate([windows.playing(c) for c in heard]))
    pieces = np.full((3, count, _FIVE), ABSENT, np.int64)
    starts = np.zeros((3, count, _FIVE), np.int64)
    for t in range(count):
        own, other = (int(p) for p in generator.choice(usable, 2, replace=False))
        for role, piece in enumerate((own, own, other)):
            playing = [c for c in heard if len(windows.starts(piece, c))]
            choice = windows.starts(piece, playing[int(generator.integers(len(playing)))])
            if role == 1 and len(choice) > 1:  # another segment than the anchor's
                choice = choice[choice != starts[0, t, playing[0]]]
            pieces[role, t, playing] = piece
            starts[role, t, playing] = choice[int(generator.integers(len(choice)))]
    return Batch(pieces.reshape(-1, _FIVE), starts.reshape(-1, _FIVE))


def whole_mixes(
    windows: Windows, mixes: int, generator: np.random.Generator, *, single: float = 0.5
) -> Batch:
    """Segments of pieces as they are, and of single instruments (CSN section 3.2 and fig. 3).

    Args:
        windows: the stems.
        mixes: rows of the batch.
        generator: of random numbers.
        single: probability that a row is one instrument alone.

    Returns:
        ``pieces`` and ``starts`` of [mixes, 5].
    """
    pieces = np.full((mixes, _FIVE), ABSENT, np.int64)
    starts = np.zeros((mixes, _FIVE), np.int64)
    for row in range(mixes):
        c = int(generator.integers(_FIVE))
        piece = int(generator.choice(windows.playing(c)))
        alone = generator.random() < single
        there = [c] if alone else [i for i in range(_FIVE) if len(windows.starts(piece, i))]
        pieces[row, there] = piece
        starts[row, there] = _draw(windows, piece, c, generator)
    return Batch(pieces, starts)


def _draw(windows: Windows, piece: int, c: int, generator: np.random.Generator) -> int:
    """A random window of a stem in which it sounds."""
    starts = windows.starts(piece, c)
    return int(starts[generator.integers(len(starts))])
