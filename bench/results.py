"""How long the analysis and the report of a large study take.

    python -m bench.results [--answers 100000] [--figures svg] [--json]

Simulated listeners each answer 100 triplets; the table is in memory, as the store returns it. The
page of an app asks for a part at a time; the report adds figures, tables, the fitted weights and
the export. CPU seconds, the browser's among them, stand beside those of the clock, for machines
that others use, too.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.table import table
from listening_test.store.columns import TABLES, TYPES
from listening_test.store.tables import Tables
from listening_test.study import Settings
from results.agreement import agreement
from results.analysis import Analysis, analyse
from results.ceiling import ceiling
from results.mixed import mixed
from results.report import write_report
from results.simulation import Crowd, simulated_answers
from results.spaces import spaces
from results.weights import fit_weights


def large(answers: int) -> Tables:
    """A study of so many answers, in the types of the store."""
    crowd = Crowd(listeners=answers // 100, triplets=25, weights=(1, 0.4, 0.5, 0.3, 0.1), seed=1)
    made = simulated_answers(crowd)
    whole = {
        name: pd.DataFrame(
            {
                item.name: made.get(item.name, pd.Series([None] * len(made), dtype="object"))
                .astype("object").where(lambda v: v.notna(), None).astype(TYPES[item.kind])
                for item in items
            }
        ).head(len(made) if name == "answers" else 0)
        for name, items in TABLES.items()
    }  # fmt: skip
    return Tables(**whole, settings={(1, 1): Settings()}, withdrawn={(1, 1): 0})


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock and of the processor."""
    clock, processor = time.perf_counter(), sum(os.times()[:4])
    call()
    return time.perf_counter() - clock, sum(os.times()[:4]) - processor


def _everything(found: Analysis) -> None:
    """Ask every question, as a report does."""
    for name in ("notes", "curve", "side", "times", "calibration", "ceiling", "spaces"):
        getattr(found, name)


def measure(answers: int, figures: Sequence[str]) -> list[dict[str, Any]]:
    """One row for each part."""
    whole = large(answers)
    frame = whole.answers
    _everything(analyse(large(1000).answers))  # what is loaded and compiled once
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report"
        parts: dict[str, Callable[[], object]] = {
            "agreement": lambda: agreement(frame),
            "mixed model": lambda: mixed(frame),
            "ceiling": lambda: ceiling(frame),
            "31 spaces": lambda: spaces(frame),
            "analysis, all of it": lambda: _everything(analyse(frame)),
            "weights": lambda: fit_weights(frame),
            "report": lambda: write_report(whole, out, formats=figures),
        }
        rows = []
        for name, call in parts.items():
            clock, processor = timed(call)
            rows.append({"part": name, "seconds": round(clock, 2), "cpu": round(processor, 2)})
    return rows


def main(arguments: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Print a table, or JSON, and return its rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--figures", nargs="*", default=["png", "svg", "pdf"])
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    args = parser.parse_args(arguments)
    rows = measure(args.answers, args.figures)
    if args.json:
        print(json.dumps({"answers": args.answers, "rows": rows}))
        return rows
    cells = [[row["part"], f"{row['seconds']:.2f}", f"{row['cpu']:.2f}"] for row in rows]
    print(table([f"results, {args.answers:,} answers", "seconds", "CPU"], cells))
    return rows


if __name__ == "__main__":
    main(sys.argv[1:])
