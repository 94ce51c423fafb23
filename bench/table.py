"""What every bench needs: a median of timings, and a table."""

import time
from collections.abc import Callable, Sequence
from statistics import median as middle


def median(call: Callable[[], object], repeats: int = 7, warm: int = 2) -> float:
    """Median seconds of a call, after some that do not count."""
    for _ in range(warm):
        call()
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return middle(seconds)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A plain-text table, first column to the left and the others to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [head, *rows]
    )
