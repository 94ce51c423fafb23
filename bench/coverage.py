"""How often intervals hold the truth, over simulated studies.

    python -m bench.coverage [--studies 2000] [--seed 0] [--json]

Every listener of a simulated study answers every triplet; listeners and triplets differ in their
log-odds of agreeing with the model (`results.simulation`). The truth is the share over all
listeners and triplets. "one-way" clusters by listener alone; "plain" is the papers' interval.
Nominal is 95 %; ± is the standard error of the simulation.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from bench.table import table
from results.intervals import Parts
from results.simulation import Effects, crossed

DESIGNS = {
    "CSN, one set": (15, 8),
    "CSN, both sets": (15, 16),
    "CSN, all instruments": (15, 64),
    "IND, one criterion": (13, 8),
    "larger": (40, 32),
}
EFFECTS = {
    "0.70 agree": Effects(0.70, 0.4, 0.9),
    "0.60, alike": Effects(0.60, 0.3, 0.6),
    "0.75, triplets differ": Effects(0.75, 0.5, 1.3),
    "0.70, listeners differ": Effects(0.70, 0.9, 0.6),
    "0.90 agree": Effects(0.90, 0.5, 1.0),
}
_AT_ONCE = 250


def measure(studies: int, seed: int) -> list[dict[str, Any]]:
    """One row for each design and each kind of effects; coverage in percent."""
    rows = []
    for design, (listeners, triplets) in DESIGNS.items():
        for kind, effects in EFFECTS.items():
            rng = np.random.default_rng([seed, listeners, triplets, round(100 * effects.share)])
            counts = np.zeros(3)
            wide = 0.0
            for start in range(0, studies, _AT_ONCE):
                made = crossed(rng, min(_AT_ONCE, studies - start), listeners, triplets, effects)
                held, half = _held(made, effects.share)
                counts += held
                wide += half
            share = counts / studies
            rows.append(
                {
                    "design": f"{design} ({listeners} × {triplets})", "effects": kind,
                    "two_way": 100 * share[0], "one_way": 100 * share[1], "plain": 100 * share[2],
                    "error": 100 * float(np.sqrt(share[0] * (1 - share[0]) / studies)),
                    "half_width": 100 * wide / studies,
                }
            )  # fmt: skip
    return rows


def _held(made: np.ndarray, truth: float) -> tuple[np.ndarray, float]:
    """How many intervals of each kind hold the truth, and the sum of the two-way half widths."""
    listeners = made.shape[1]
    parts = Parts.of_grids(made)
    low, high = parts.limits()
    away = np.abs(parts.share - truth)
    one = stats.t.ppf(0.975, listeners - 1) * np.sqrt(parts.by_listener)
    plain = stats.norm.ppf(0.975) * np.sqrt(parts.by_answer)
    both = (low <= truth) & (truth <= high)
    held = np.array([both.sum(), (away <= one).sum(), (away <= plain).sum()], float)
    return held, float((high - low).sum() / 2)


def main(arguments: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Print a table, or JSON, and return its rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    args = parser.parse_args(arguments)
    rows = measure(args.studies, args.seed)
    if args.json:
        print(json.dumps({"studies": args.studies, "rows": rows}))
        return rows
    heads = [f"coverage of 95 % intervals, {args.studies:,} studies each", "effects",
             "two-way", "one-way", "plain", "±", "half width"]  # fmt: skip
    cells = [[f"{v:.1f}" if isinstance(v, float) else str(v) for v in r.values()] for r in rows]
    print(table(heads, cells))
    return rows


if __name__ == "__main__":
    main(sys.argv[1:])
