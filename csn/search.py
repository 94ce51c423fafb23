"""Exact search under any weighting of the five subspaces.

One vector serves every focus: with ``[x_drums … x_others, ‖x_drums‖² … ‖x_others‖²]`` stored for
every segment, the score ``Σ_c w_c (2 q_c·x_c − ‖x_c‖²)`` ranks as ``−Σ_c w_c ‖q_c − x_c‖²`` does,
because the two differ by a constant of the query. So every mask and every weighting, negative
weights included, is one inner product.

Two things make it fast and exact at once:

- Each subspace that has been asked for is kept once more as one contiguous block. A row of the
  stored matrix is 645 numbers wide, and reading 128 of every 645 costs about twice the time of
  reading 128 neighbouring ones (``python -m bench.search``).
- The fast score is float32 and loses digits for near-identical vectors, so it only nominates:
  every segment whose score could belong to the answer, given a bound on the rounding error, is
  measured again directly in float64. A segment's distance to itself is exactly 0.
"""

from collections.abc import Iterator, Sequence
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike

from csn.instruments import EMBEDDING, subspace
from csn.vectors import (
    WIDTH,
    Floats,
    Integers,
    Mask,
    Stored,
    Weights,
    checked_query,
    checked_weights,
    lengths_of,
    measure,
    piece_starts,
    rounding,
    squared_norms,
    well_shaped,
)

_QUERIES_AT_ONCE = 32  # scores take this × segments × 4 bytes, twice
_SEGMENTS_PER_GROUP = 64  # the best k groups of 64 bound the k-th best segment from below
_LOWEST = float(np.finfo(np.float32).min)  # above −inf, the score of what is not allowed


class ExactSearch:
    """Search over stored vectors, alone in memory but for one copy of each subspace asked for.

    Args:
        vectors: [n, 645] float32, from ``with_norms``, or [n, 640] float16, half the disk and
            searched as exactly; may be memory-mapped.
        pieces: [n] integers, the piece of each segment; equal ones must be neighbours. Needed
            for ``one_per_piece`` only.
    """

    def __init__(self, vectors: Stored, pieces: ArrayLike | None = None) -> None:
        """See the class."""
        if not well_shaped(vectors):
            raise ValueError(
                f"vectors are float32 [segments, {WIDTH}] or float16 [segments, {EMBEDDING}], "
                f"not {vectors.dtype} {list(vectors.shape)}"
            )
        self.vectors = vectors
        self._blocks: dict[int, tuple[Floats, Floats]] = {}
        self._making = Lock()
        self._piece_starts = None if pieces is None else piece_starts(pieces)

    def search(
        self,
        queries: ArrayLike,
        weights: Sequence[float],
        k: int = 10,
        *,
        allowed: Mask | None = None,
        one_per_piece: bool = False,
    ) -> tuple[Integers, Floats]:
        """The k nearest segments of each query.

        Args:
            queries: [640] or [q, 640].
            weights: five, one per subspace: 0 = off, negative = the farther the better.
            k: how many; fewer come back when there are fewer to choose from.
            allowed: [n], False for segments that must not be found.
            one_per_piece: only the best segment of each piece.

        Returns:
            Indices int64 and distances float32, each [≤ k] or [q, ≤ k], best first; equal
            distances in the order of the index. The distance is ``√(Σ w_c ‖q_c − x_c‖²)``, and
            ``−√|Σ …|`` where negative weights make the sum negative.

        Raises:
            LibraryError: weights that are not five finite numbers, or are all 0.
            ValueError: queries of another shape, or too large to be squared in float32.
        """
        focus = checked_weights(weights)
        asked = checked_query(queries)
        rows = asked.reshape(-1, EMBEDDING)
        if one_per_piece and self._piece_starts is None:
            raise ValueError("one_per_piece needs to know the piece of each segment")
        starts = self._piece_starts if one_per_piece else None
        k = min(max(k, 0), self._available(allowed, starts))
        indices = np.empty((len(rows), k), np.int64)
        distances = np.empty((len(rows), k), np.float32)
        if k:
            for i, (query, scores, error) in enumerate(self._scores(rows, focus, allowed)):
                nominated = _nominate(scores, k, 2 * error, starts)
                found, away = measure(self.vectors, query, focus, nominated, k=k, starts=starts)
                indices[i], distances[i] = found, away
        shape = (*asked.shape[:-1], k)
        return indices.reshape(shape), distances.reshape(shape)

    def _available(self, allowed: Mask | None, starts: Integers | None) -> int:
        """How many segments, or pieces, can be found at all."""
        if allowed is None:
            return len(self.vectors) if starts is None else len(starts)
        if starts is None:
            return int(np.count_nonzero(allowed))
        return int(np.count_nonzero(np.logical_or.reduceat(allowed, starts))) if len(starts) else 0

    def block(self, c: int) -> tuple[Floats, Floats]:
        """Subspace c as a contiguous [n, 128], and its squared norms [n]."""
        with self._making:
            if c not in self._blocks:
                block = np.ascontiguousarray(self.vectors[:, subspace(c)], np.float32)
                if self.vectors.shape[1] == WIDTH:
                    norms = np.ascontiguousarray(self.vectors[:, EMBEDDING + c], np.float32)
                else:
                    norms = squared_norms(block)
                self._blocks[c] = block, norms
            return self._blocks[c]

    def _scores(
        self, rows: Floats, focus: Weights, allowed: Mask | None
    ) -> Iterator[tuple[Floats, Floats, float]]:
        """Each query with its float32 scores [n] (−inf where not allowed) and their error bound."""
        n = len(self.vectors)
        active = np.flatnonzero(focus).tolist()
        penalty = np.zeros(n, np.float32)
        if allowed is not None:
            penalty[~allowed] = np.inf  # makes the score −inf
        largest = np.zeros(len(focus))
        for c in active:
            norms = self.block(c)[1]
            penalty += np.float32(focus[c]) * norms
            largest[c] = np.sqrt(norms.max())
        for first in range(0, len(rows), _QUERIES_AT_ONCE):
            batch = rows[first : first + _QUERIES_AT_ONCE]
            scores = np.empty((len(batch), n), np.float32)
            part = scores if len(active) == 1 else np.empty_like(scores)
            for c in active:
                # The product goes into `scores` for the first subspace and is added for others.
                target = scores if c == active[0] else part
                scaled = (2 * focus[c] * batch[:, subspace(c)]).astype(np.float32)
                _product(scaled, self.block(c)[0], target)
                if target is not scores:
                    scores += part
            scores -= penalty
            errors = [rounding(focus, lengths, largest) for lengths in lengths_of(batch)]
            yield from zip(batch, scores, errors, strict=True)


def _product(scaled: Floats, block: Floats, out: Floats) -> None:
    """``scaled @ block.T`` into ``out``; one query goes as a matrix-vector product."""
    if len(scaled) == 1:
        np.matmul(block, scaled[0], out=out[0])
    else:
        np.matmul(scaled, block.T, out=out)


def _nominate(scores: Floats, k: int, slack: float, piece_starts: Integers | None) -> Integers:
    """Every segment that could be among the k best, given that scores err by ``slack / 2``.

    The k-th largest of the maxima of disjoint groups is a lower bound on the k-th best score, so
    nothing needs sorting; with the groups being the pieces it bounds the k-th best piece.
    """
    starts = piece_starts
    if starts is None:
        starts = np.arange(0, len(scores), _SEGMENTS_PER_GROUP)
    maxima = np.maximum.reduceat(scores, starts)
    bound = _kth_largest(maxima, k) if k <= len(maxima) else -np.inf
    if piece_starts is None and (bound == -np.inf or 4 * k > len(maxima)):
        bound = _kth_largest(scores, k)  # so many are wanted that the groups bound nothing
    nominated = np.flatnonzero(scores >= np.float32(max(bound - slack, _LOWEST)))
    if piece_starts is not None:
        # Of each piece only those that could be its best: keeps a far-reaching k cheap.
        own = maxima[np.searchsorted(starts, nominated, side="right") - 1]
        nominated = nominated[scores[nominated] >= own - np.float32(slack)]
    return nominated


def _kth_largest(values: Floats, k: int) -> float:
    return float(np.partition(values, len(values) - k)[len(values) - k])
