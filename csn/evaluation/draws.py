"""Which pieces meet in an evaluation by pseudo-mixes: the draws of P2.

Source: CSN sections 3.1.1 and 4.2.2. How the four backings are drawn is not published.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csn.errors import StemwiseError
from csn.pseudomix import tempo_groups

BACKINGS = ("tempo", "shared")
"""The rules by which backings are drawn."""

Pairs = list[tuple[int, int]]
"""(A, B): the piece in focus and the piece behind it."""


@dataclass(frozen=True)
class PseudoMixSettings:
    """How P2 is carried out; the defaults are CSN's where it states them.

    Attributes:
        draws: rounds, each with other pieces and backings (CSN: one; ours, for a spread).
        pieces: in focus in each round.
        mixes: backings for each piece.
        length: of a segment, seconds.
        overlap: of neighbouring segments, as a fraction.
        k: neighbours that vote.
        seed: of everything that is drawn.
        backings: ``tempo`` or ``shared``, see ``draw``; our guess.
        levels: the focused stem of each pseudo-mix is turned up or down by up to so many dB;
            0 keeps the loudness on disk.
    """

    draws: int = 10
    pieces: int = 10
    mixes: int = 4
    length: float = 10.0
    overlap: float = 0.5
    k: int = 5
    seed: int = 0
    backings: str = "tempo"
    levels: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be carried out.

        Raises:
            StemwiseError: a number that is too small, or an unknown rule for the backings.
        """
        for name, least in (("draws", 1), ("pieces", 2), ("mixes", 2), ("k", 1)):
            if getattr(self, name) < least:
                raise StemwiseError(
                    f"Pseudo-mixes need {name} of at least {least}, not {getattr(self, name)}."
                )
        if self.backings not in BACKINGS:
            raise StemwiseError(
                f"Backings cannot be drawn by {self.backings!r}; use {' or '.join(BACKINGS)}."
            )


def draw(
    focus: Sequence[int],
    backing: Sequence[int],
    tempos: Sequence[float | None],
    rng: np.random.Generator,
    settings: PseudoMixSettings,
) -> tuple[Pairs, int]:
    """Draw the pieces of one round and what they are mixed with.

    With ``tempo`` every piece gets its own backings, from its tempo group as in training; where
    that holds too few, the nearest in tempo fill up (unknown tempos last, ties at random). With
    ``shared`` all pieces stand before the same backings, whatever their tempo, so that a
    subspace that hears the backing finds the wrong piece there every time. Shared backings are
    other pieces than those in focus as far as the corpus has them; a piece in focus that is
    itself one of the backings gets one more of the drawn order instead.

    Args:
        focus: pieces that can be in focus; at least ``settings.pieces``.
        backing: pieces that can stand behind; at least ``settings.mixes`` + 1.
        tempos: BPM of every piece, or None.
        rng: where chance comes from.
        settings: ``pieces``, ``mixes`` and ``backings`` are used.

    Returns:
        (A, B) with B never A: ``mixes`` in a row for each A. And how many B came from outside
        A's tempo group (0 for ``shared``).
    """
    mixes = settings.mixes
    drawn = rng.choice(list(focus), size=settings.pieces, replace=False)
    chosen = sorted(int(piece) for piece in drawn)
    if settings.backings == "shared":
        shuffled = [int(piece) for piece in rng.permutation(list(backing))]
        order = sorted(shuffled, key=lambda piece: piece in chosen)  # stable: outsiders first
        return [(a, b) for a in chosen for b in [x for x in order if x != a][:mixes]], 0
    group_of = {
        index: group for group, members in enumerate(tempo_groups(tempos)) for index in members
    }
    pairs, filled = [], 0
    for a in chosen:
        shuffled = [int(piece) for piece in rng.permutation(list(backing)) if piece != a]
        near = [b for b in shuffled if group_of[b] == group_of[a]]
        rest = [b for b in shuffled if group_of[b] != group_of[a]]
        rest.sort(key=lambda b: _apart(tempos[a], tempos[b]))
        pairs += [(a, b) for b in (near + rest)[:mixes]]
        filled += max(mixes - len(near), 0)
    return pairs, filled


def _apart(one: float | None, other: float | None) -> float:
    """Distance of two tempos in BPM; infinite where one is unknown."""
    return float("inf") if one is None or other is None else abs(one - other)
