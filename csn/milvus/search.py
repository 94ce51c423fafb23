"""Search in a collection, with the exact answers of a search in memory."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from csn.errors import LibraryError
from csn.instruments import DIMENSIONS, EMBEDDING
from csn.milvus.client import client
from csn.milvus.index import Index, address, read
from csn.vectors import (
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
)

_MOST: Final = 16_384  # results of one search that Milvus gives at most
_SPARE: Final = 64  # nominated beyond k at first


class MilvusSearch:
    """Search in a collection that ``send`` made, as ``csn.search.ExactSearch`` searches memory.

    Args:
        folder: of the library.
        index: what its ``index.json`` says.
        vectors: the library's own, to measure the nominated with; memory-mapped.
        pieces: [n] integers, the piece of each segment, equal ones being neighbours.
    """

    def __init__(self, folder: Path, index: Index, vectors: Stored, pieces: ArrayLike) -> None:
        """See the class; nothing is connected yet."""
        self._index, self._vectors = index, vectors
        self._uri = address(folder, index)
        self._starts = piece_starts(pieces)
        self._codes = np.asarray(pieces, np.int64)

    def search(
        self,
        queries: ArrayLike,
        weights: Sequence[float],
        k: int = 10,
        *,
        allowed: Mask | None = None,
        one_per_piece: bool = False,
    ) -> tuple[Integers, Floats]:
        """The k nearest segments of each query; all as ``ExactSearch.search`` has it.

        Raises:
            LibraryError: bad weights, or Milvus does not answer.
            ValueError: bad queries.
        """
        focus = checked_weights(weights)
        asked = checked_query(queries)
        there = np.ones(len(self._codes), np.bool_) if allowed is None else allowed
        number = len(np.unique(self._codes[there])) if one_per_piece else int(there.sum())
        k = min(max(k, 0), number)
        rows = asked.reshape(-1, EMBEDDING)
        found = np.empty((len(rows), k), np.int64)
        distances = np.empty((len(rows), k), np.float32)
        if k:
            with client(self._uri, "searching") as milvus:
                for i, query in enumerate(rows):
                    found[i], distances[i] = self._one(
                        milvus, query, focus, k, there=there, once=one_per_piece
                    )
        shape = (*asked.shape[:-1], k)
        return found.reshape(shape), distances.reshape(shape)

    def _one(
        self, milvus: Any, query: Floats, focus: Weights, k: int, *, there: Mask, once: bool
    ) -> tuple[Integers, Floats]:
        """Fetch more and more until nothing unseen can be among the k best."""
        lengths = lengths_of(query)
        error = rounding(focus, lengths, np.asarray(self._index.largest))
        constant = float((focus * lengths**2).sum())
        scaled = np.concatenate([2 * np.repeat(focus, DIMENSIONS) * query, -focus])
        starts = self._starts if once else None
        nominated = np.empty(0, np.int64)
        limit = k + _SPARE
        while True:
            left = int(there.sum()) - len(nominated)
            limit = min(limit, _MOST, left)
            rows, worst = self._fetch(milvus, scaled.astype(np.float32), limit, there, nominated)
            nominated = np.concatenate([nominated, rows])
            found, away = measure(self._vectors, query, focus, nominated, k=k, starts=starts)
            if limit == left:
                return found, away
            if len(found) == k:
                # A score s belongs to the squared distance `constant - s`.
                farthest = float(np.sign(away[-1]) * away[-1].astype(np.float64) ** 2)
                if farthest < constant - worst - 2 * error:
                    return found, away
            limit *= 4

    def _fetch(
        self, milvus: Any, scaled: Floats, limit: int, there: Mask, known: Integers
    ) -> tuple[Integers, float]:
        """The best rows that are not known yet, and the score of the last."""
        wanted = there.copy()
        wanted[known] = False
        hits = milvus.search(
            self._index.collection,
            [scaled],
            limit=limit,
            filter=expression(wanted),
            output_fields=["row"],
            search_params={"metric_type": "IP"},
        )[0]
        if len(hits) < limit:
            raise LibraryError(
                f"The Milvus collection {self._index.collection!r} holds fewer segments than the "
                "library; send them again with `csn index`."
            )
        return np.array([hit["row"] for hit in hits], np.int64), float(hits[-1]["distance"])


def searcher(
    folder: Path, vectors: Stored, pieces: ArrayLike, vectors_sha256: str
) -> MilvusSearch | None:
    """The search that a library's ``index.json`` asks for; None without one, or with an old one.

    Raises:
        LibraryError: ``index.json`` is damaged.
    """
    index = read(folder)
    if index is None:
        return None
    if index.vectors_sha256 != vectors_sha256 or index.segments != len(vectors):
        logging.getLogger(__name__).warning(
            "The Milvus index of %s is of other vectors and is not used; send them again with "
            "`csn index`.", folder,
        )  # fmt: skip
        return None
    return MilvusSearch(folder, index, vectors, pieces)


def expression(wanted: Mask) -> str:
    """A mask over rows in Milvus's words: its runs, so that a piece's segments are one of them."""
    if wanted.all():
        return ""
    edges = np.flatnonzero(np.diff(wanted.astype(np.int8), prepend=0, append=0))
    first, last = edges[::2], edges[1::2] - 1
    alone = first[first == last].tolist()
    said = [f"(row >= {a} and row <= {b})" for a, b in zip(first, last, strict=True) if a < b]
    if alone:
        said.append(f"row in {alone}")
    return " or ".join(said) or "row < 0"
