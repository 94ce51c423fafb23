"""Which pieces meet in an evaluation by pseudo-mixes: the draws of P2.

Source: CSN sections 3.1.1 and 4.2.2. How the four backings are drawn is not published.
"""

from collections.abc import Sequence

import numpy as np

from csn.pseudomix import tempo_groups

BACKINGS = ("tempo", "shared")
"""The rules by which backings are drawn."""

Pairs = list[tuple[int, int]]
"""(A, B): the piece in focus and the piece behind it."""


def draw(
    focus: Sequence[int],
    backing: Sequence[int],
    tempos: Sequence[float | None],
    rng: np.random.Generator,
    *,
    pieces: int = 10,
    mixes: int = 4,
    backings: str = "tempo",
) -> tuple[Pairs, int]:
    """Draw the pieces of one round and what they are mixed with.

    With ``tempo`` every piece gets its own backings, from its tempo group as in training; where
    that holds too few, the nearest in tempo fill up (unknown tempos last, ties at random). With
    ``shared`` all pieces stand before the same backings, whatever their tempo, so that a
    subspace that hears the backing finds the wrong piece there every time. Shared backings are
    other pieces than those in focus as far as the corpus has them; a piece in focus that is
    itself one of the backings gets one more of the drawn order instead.

    Args:
        focus: pieces that can be in focus; at least ``pieces``.
        backing: pieces that can stand behind; at least ``mixes`` + 1.
        tempos: BPM of every piece, or None.
        rng: where chance comes from.
        pieces: how many to put in focus.
        mixes: backings for each.
        backings: ``tempo`` or ``shared``.

    Returns:
        (A, B) with B never A: ``mixes`` in a row for each A. And how many B came from outside
        A's tempo group (0 for ``shared``).

    Raises:
        ValueError: an unknown rule.
    """
    chosen = sorted(int(piece) for piece in rng.choice(list(focus), size=pieces, replace=False))
    if backings == "shared":
        shuffled = [int(piece) for piece in rng.permutation(list(backing))]
        order = sorted(shuffled, key=lambda piece: piece in chosen)  # stable: outsiders first
        return [(a, b) for a in chosen for b in [x for x in order if x != a][:mixes]], 0
    if backings != "tempo":
        raise ValueError(f"backings {backings!r} is unknown; use tempo or shared")
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
