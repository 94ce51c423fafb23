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

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csn.errors import LibraryError
from csn.instruments import DIMENSIONS, EMBEDDING, INSTRUMENTS, subspace

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

WIDTH = EMBEDDING + len(INSTRUMENTS)
"""645: the embedding and the squared norm of each of its subspaces."""

_QUERIES_AT_ONCE = 32  # scores take this × segments × 4 bytes, twice
_SEGMENTS_PER_GROUP = 64  # the best k groups of 64 bound the k-th best segment from below
_REFINED_AT_ONCE = 8192
_TOO_LARGE = 1e15
_LOWEST = float(np.finfo(np.float32).min)  # above −inf, the score of what is not allowed
# Unit roundoff of float32 times the length of a subspace's sum, with room for the few roundings
# beside it (scaling the query, storing norms, adding subspaces, the bound); Higham's γ_n.
_ROUNDING = (DIMENSIONS + 32) * 2.0**-24


def with_norms(embeddings: ArrayLike) -> Floats:
    """Append the squared norm of every subspace.

    Args:
        embeddings: [n, 640].

    Returns:
        [n, 645] float32; the norms are those of the float32 numbers, summed in float64.
    """
    vectors = np.asarray(embeddings, np.float32).reshape(-1, EMBEDDING)
    parts = vectors.reshape(-1, len(INSTRUMENTS), DIMENSIONS).astype(np.float64)
    norms = np.einsum("ncd,ncd->nc", parts, parts)
    return np.concatenate([vectors, norms.astype(np.float32)], axis=1)


def checked_weights(weights: Sequence[float]) -> NDArray[np.float64]:
    """Five finite weights, at least one of them not 0.

    Raises:
        LibraryError: anything else.
    """
    numbers = np.asarray(weights, np.float64)
    if numbers.shape != (len(INSTRUMENTS),) or not np.isfinite(numbers).all():
        names = ", ".join(INSTRUMENTS)
        raise LibraryError(f"A focus is one finite weight for each of {names}; give five numbers.")
    if not numbers.any():
        raise LibraryError("All five weights are 0; give at least one instrument a weight.")
    return numbers


class ExactSearch:
    """Search over stored vectors, alone in memory but for one copy of each subspace asked for.

    Args:
        vectors: [n, 645] float32, from ``with_norms``; may be memory-mapped.
        pieces: [n] integers, the piece of each segment; equal ones must be neighbours. Needed
            for ``one_per_piece`` only.
    """

    def __init__(self, vectors: Floats, pieces: ArrayLike | None = None) -> None:
        """See the class."""
        if vectors.ndim != 2 or vectors.shape[1] != WIDTH:
            raise ValueError(f"vectors are [segments, {WIDTH}], not {list(vectors.shape)}")
        self.vectors = vectors
        self._blocks: dict[int, tuple[Floats, Floats]] = {}
        self._piece_starts: Integers | None = None
        if pieces is not None:
            codes = np.asarray(pieces)
            starts = np.flatnonzero(np.diff(codes, prepend=codes[:1] - 1))
            if len(starts) != len(np.unique(codes)):
                raise ValueError("the segments of a piece must stand together")
            self._piece_starts = starts

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
        asked = np.asarray(queries, np.float32)
        if asked.ndim not in (1, 2) or asked.shape[-1] != EMBEDDING:
            raise ValueError(f"a query has {EMBEDDING} numbers, not the shape {asked.shape}")
        rows = asked.reshape(-1, EMBEDDING)
        if not (np.abs(rows) < _TOO_LARGE).all():
            raise ValueError("a query holds numbers that are not finite, or far too large")
        if one_per_piece and self._piece_starts is None:
            raise ValueError("one_per_piece needs to know the piece of each segment")
        starts = self._piece_starts if one_per_piece else None
        k = min(max(k, 0), self._available(allowed, starts))
        indices = np.empty((len(rows), k), np.int64)
        distances = np.empty((len(rows), k), np.float32)
        if k:
            for i, (query, scores, error) in enumerate(self._scores(rows, focus, allowed)):
                nominated = _nominate(scores, k, 2 * error, starts)
                indices[i], distances[i] = self._measure(query, focus, nominated, k, starts)
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
        if c not in self._blocks:
            block = np.ascontiguousarray(self.vectors[:, subspace(c)])
            self._blocks[c] = block, np.ascontiguousarray(self.vectors[:, EMBEDDING + c])
        return self._blocks[c]

    def _scores(
        self, rows: Floats, focus: NDArray[np.float64], allowed: Mask | None
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
            lengths = np.linalg.norm(
                batch.reshape(-1, len(INSTRUMENTS), DIMENSIONS).astype(np.float64), axis=2
            )
            errors = _ROUNDING * (np.abs(focus) * (2 * lengths + largest) * largest).sum(axis=1)
            yield from zip(batch, scores, errors.tolist(), strict=True)

    def _measure(
        self,
        query: Floats,
        focus: NDArray[np.float64],
        nominated: Integers,
        k: int,
        starts: Integers | None,
    ) -> tuple[Integers, Floats]:
        """The best k of the nominated segments by their true distance."""
        sums = np.zeros(len(nominated))
        for first in range(0, len(nominated), _REFINED_AT_ONCE):
            some = slice(first, first + _REFINED_AT_ONCE)
            for c in np.flatnonzero(focus).tolist():
                away = self.block(c)[0][nominated[some]].astype(np.float64) - query[subspace(c)]
                sums[some] += focus[c] * np.einsum("nd,nd->n", away, away)
        order = np.lexsort((nominated, sums))
        if starts is not None:
            piece = np.searchsorted(starts, nominated[order], side="right")
            order = order[np.sort(np.unique(piece, return_index=True)[1])]
        order = order[:k]
        return nominated[order], (np.sign(sums) * np.sqrt(np.abs(sums)))[order].astype(np.float32)


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
