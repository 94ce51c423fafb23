"""Search time against faiss-cpu's flat index and against reading the same bytes from memory.

    python -m bench.search [--segments 300000] [--repeats 9] [--threads 2] [--json]

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


def main(arguments: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Print a table, or JSON, and return its rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--segments", type=int, default=300_000)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    args = parser.parse_args(arguments)
    with threadpool_limits(args.threads):
        rows = measure(random_vectors(args.segments), args.threads, args.repeats)
    if args.json:
        print(json.dumps({"segments": args.segments, "threads": args.threads, "rows": rows}))
        return rows
    heads = [
        f"search, {args.segments:,} segments, top {K}, {args.threads} threads",
        *("queries", "ours ms", "faiss ms", "bytes ms", "faiss/ours", "ours/bytes", "same top"),
    ]
    cells = [[f"{v:.2f}" if isinstance(v, float) else str(v) for v in r.values()] for r in rows]
    print(table(heads, cells))
    return rows


if __name__ == "__main__":
    main(sys.argv[1:])
