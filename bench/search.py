"""Search time against faiss-cpu's flat index and against reading the same bytes from memory.

    python -m bench.search [--segments 100000 500000] [--repeats 9] [--threads 2] [--json]

Vectors are random with unit subspaces, as a normalised model makes them. All methods take turns
within every repeat, so a busy machine slows them alike; the table shows medians. "bytes" is the
time torch takes to sum the blocks that a search must read: no exact search of one query can be
faster. A batch reads the same bytes once, but must multiply besides.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any

import faiss
import numpy as np
import torch
from threadpoolctl import threadpool_limits

from bench.table import table
from csn.instruments import DIMENSIONS, EMBEDDING, INSTRUMENTS
from csn.library import Library
from csn.search import ExactSearch
from csn.vectors import WIDTH, Floats, with_norms

K = 10
BATCH = 32
FOCUSES = {
    "one subspace": (1.0, 0.0, 0.0, 0.0, 0.0),
    "all five": (1.0,) * len(INSTRUMENTS),
    "mixed weights": (1.0, 0.5, 0.25, 0.0, -0.5),
}


def random_vectors(n: int, seed: int = 0) -> Floats:
    """[n, 645] float32 with unit subspaces and their norms."""
    rng = np.random.default_rng(seed)
    vectors = np.empty((n, WIDTH), np.float32)
    for first in range(0, n, 10_000):
        count = min(10_000, n - first)
        raw = rng.standard_normal((count, len(INSTRUMENTS), DIMENSIONS), dtype=np.float32)
        raw /= np.linalg.norm(raw, axis=2, keepdims=True)
        vectors[first : first + count] = with_norms(raw.reshape(count, EMBEDDING))
    return vectors


def faiss_index(vectors: Floats, queries: Floats, weights: Sequence[float]) -> tuple[Any, Floats]:
    """A flat index that answers this focus, and the queries in its terms.

    Squared distances where the weights are 0 or 1; other weights leave faiss only the inner
    product over all 645 numbers.
    """
    if set(weights) <= {0.0, 1.0}:
        columns = np.flatnonzero(np.repeat(weights, DIMENSIONS))
        index: Any = faiss.IndexFlatL2(len(columns))
        index.add(np.ascontiguousarray(vectors[:, columns]))
        return index, np.ascontiguousarray(queries[:, columns])
    scaled = 2 * np.repeat(weights, DIMENSIONS) * queries
    norms = np.tile(np.negative(weights), (len(queries), 1))
    index = faiss.IndexFlatIP(WIDTH)
    index.add(vectors)
    return index, np.concatenate([scaled, norms], axis=1).astype(np.float32)


def sum_all(blocks: Sequence[torch.Tensor]) -> None:
    """Touch every byte once."""
    for block in blocks:
        block.sum()


def in_turn(methods: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median milliseconds of each method, after one call of each that does not count."""
    times: dict[str, list[float]] = {name: [] for name in methods}
    for repeat in range(repeats + 1):
        for name, method in methods.items():
            begun = time.perf_counter()
            method()
            if repeat:
                times[name].append(1000 * (time.perf_counter() - begun))
    return {name: median(values) for name, values in times.items()}


def measure(vectors: Floats, threads: int = 2, repeats: int = 9) -> list[dict[str, Any]]:
    """One row for each focus and number of queries; times in milliseconds."""
    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)
    search = ExactSearch(vectors)
    queries = np.ascontiguousarray(random_vectors(BATCH, seed=1)[:, :EMBEDDING])
    rows = []
    for focus, weights in FOCUSES.items():
        active = np.flatnonzero(weights).tolist()
        blocks = [torch.from_numpy(search.block(c)[0]) for c in active]
        index, asked = faiss_index(vectors, queries, weights)
        for count in (1, BATCH):
            ours = partial(search.search, queries[:count], weights, K)
            theirs = partial(index.search, asked[:count], K)
            same = np.array_equal(ours()[0], theirs()[1])
            times = in_turn(
                {"ours": ours, "faiss": theirs, "bytes": partial(sum_all, blocks)}, repeats
            )
            rows.append(
                {
                    "focus": focus,
                    "queries": count,
                    **{f"{name}_ms": round(value, 2) for name, value in times.items()},
                    "faiss_over_ours": round(times["faiss"] / times["ours"], 2),
                    "ours_over_bytes": round(times["ours"] / times["bytes"], 2),
                    "same_answers": same,
                }
            )
    return rows


def half_precision(k: int = K) -> dict[str, float]:
    """What storing float16 changes: the demo's own segments ask, under each subspace and all five.

    Returns:
        ``same_order`` and ``same_set``: % of answers with the same first k, in order or as a set;
        ``moved``: the largest change of a distance that was found, in % of it.
    """
    vectors = np.asarray(Library.open("demo").vectors)
    half = vectors[:, :EMBEDDING].astype(np.float16)
    queries = vectors[:, :EMBEDDING]
    foci = [tuple(float(i == c) for i in range(len(INSTRUMENTS))) for c in range(len(INSTRUMENTS))]
    order, sets, moved = [], [], 0.0
    for weights in [*foci, (1.0,) * len(INSTRUMENTS)]:
        # One more than asked for: the first is the segment itself.
        first, away = ExactSearch(vectors).search(queries, weights, k + 1)
        second, other = ExactSearch(half).search(half.astype(np.float32), weights, k + 1)
        order += (first == second).all(axis=1).tolist()
        sets += (np.sort(first, axis=1) == np.sort(second, axis=1)).all(axis=1).tolist()
        there = away > 0
        moved = max(moved, float((np.abs(away - other)[there] / away[there]).max()))
    return {
        "same_order": 100 * float(np.mean(order)),
        "same_set": 100 * float(np.mean(sets)),
        "moved": 100 * moved,
    }


def main(arguments: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Print tables, or JSON, and return their rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--segments", type=int, nargs="+", default=[100_000, 500_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    args = parser.parse_args(arguments)
    everything = []
    for segments in args.segments:
        with threadpool_limits(args.threads):
            rows = measure(random_vectors(segments), args.threads, args.repeats)
        everything += [{"segments": segments, **row} for row in rows]
        heads = [
            f"search, {segments:,} segments, top {K}, {args.threads} threads",
            *("queries", "ours ms", "faiss ms", "bytes ms", "faiss/ours", "ours/bytes", "same top"),
        ]
        cells = [[f"{v:.2f}" if isinstance(v, float) else str(v) for v in r.values()] for r in rows]
        if not args.json:
            print(table(heads, cells) + "\n")
    changed = half_precision()
    if args.json:
        print(json.dumps({"threads": args.threads, "rows": everything, "half": changed}))
        return everything
    print(f"bytes a segment on disk: {4 * WIDTH:,} in float32, {2 * EMBEDDING:,} in float16")
    print(f"bytes a segment in memory for each subspace that is asked: {4 * (DIMENSIONS + 1):,}")
    print(
        f"float16, first {K} of the demo's own segments: same order {changed['same_order']:.2f} %, "
        f"same set {changed['same_set']:.2f} %, distances moved by at most {changed['moved']:.2f} %"
    )
    return everything


if __name__ == "__main__":
    main(sys.argv[1:])
