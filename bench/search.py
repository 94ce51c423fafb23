"""Search time against faiss-cpu's flat index and against reading the same bytes from memory.

    python -m bench.search [--segments 300000] [--repeats 9] [--threads 2] [--json]

Vectors are random with unit subspaces, as a normalised model makes them. All methods take turns
within every repeat, so a busy machine slows them alike; the table shows medians. "bytes" is the
time torch takes to sum the blocks that a search must read: no exact search of one query can be
faster, a batch must besides multiply.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import faiss
import numpy as np
import torch
from threadpoolctl import threadpool_limits

from csn.instruments import DIMENSIONS, EMBEDDING, INSTRUMENTS
from csn.search import WIDTH, ExactSearch, Floats, with_norms

K = 10
BATCH = 32
ONE = (1.0, 0.0, 0.0, 0.0, 0.0)
ALL = (1.0,) * len(INSTRUMENTS)
MIXED = (1.0, 0.5, 0.25, 0.0, -0.5)  # "like this, but with different sounds beside it"


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


def in_turn(methods: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median milliseconds of each method, after one call of each that does not count."""
    times: dict[str, list[float]] = {name: [] for name in methods}
    for repeat in range(repeats + 1):
        for name, method in methods.items():
            begin = time.perf_counter()
            method()
            if repeat:
                times[name].append(1000 * (time.perf_counter() - begin))
    return {name: median(values) for name, values in times.items()}


def measure(vectors: Floats, threads: int, repeats: int) -> list[dict[str, Any]]:
    """One row for each focus and number of queries."""
    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)
    queries = random_vectors(BATCH, seed=1)[:, :EMBEDDING]
    search = ExactSearch(vectors)
    rows = []
    for focus, weights in (("one subspace", ONE), ("all five", ALL), ("mixed weights", MIXED)):
        active = np.flatnonzero(weights)
        blocks = [torch.from_numpy(search.block(int(c))[0]) for c in active]
        if focus == "mixed weights":  # faiss can do this only by an inner product over all 645
            index, scale = faiss.IndexFlatIP(WIDTH), np.repeat(weights, DIMENSIONS)
            asked = np.concatenate(
                [2 * scale * queries, np.tile(np.negative(weights), (BATCH, 1))], axis=1
            ).astype(np.float32)
            index.add(vectors)
        else:
            columns = DIMENSIONS * len(active)
            index, asked = faiss.IndexFlatL2(columns), np.ascontiguousarray(queries[:, :columns])
            index.add(np.ascontiguousarray(vectors[:, :columns]))
        for count in (1, BATCH):
            wanted = queries[0] if count == 1 else queries
            methods: dict[str, Callable[[], object]] = {
                "ours": lambda: search.search(wanted, weights, K),  # noqa: B023 used at once
                "faiss": lambda: index.search(asked[:count], K),  # noqa: B023
                "bytes": lambda: [block.sum() for block in blocks],  # noqa: B023
            }
            same = np.array_equal(
                np.atleast_2d(search.search(wanted, weights, K)[0]), index.search(asked[:count], K)[1]
            )
            times = in_turn(methods, repeats)
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
        del index
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--segments", type=int, default=300_000)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    args = parser.parse_args()
    with threadpool_limits(args.threads):
        rows = measure(random_vectors(args.segments), args.threads, args.repeats)
    if args.json:
        print(json.dumps({"segments": args.segments, "threads": args.threads, "rows": rows}))
        return
    print(f"{args.segments:,} segments, top {K}, {args.threads} threads, {platform.machine()}")
    print(f"{'focus':14} {'queries':>7} {'ours ms':>9} {'faiss ms':>9} {'bytes ms':>9}", end="")
    print(f" {'faiss/ours':>11} {'ours/bytes':>11}  same answers")
    for r in rows:
        print(
            f"{r['focus']:14} {r['queries']:7} {r['ours_ms']:9.1f} {r['faiss_ms']:9.1f} "
            f"{r['bytes_ms']:9.1f} {r['faiss_over_ours']:11.2f} {r['ours_over_bytes']:11.2f}  "
            f"{'yes' if r['same_answers'] else 'no'}"
        )


if __name__ == "__main__":
    main()
