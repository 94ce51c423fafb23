"""Which space explains listeners best: MULTI's multi-dimensional analysis on the same answers.

With a set of subspaces switched on, the distance is the Euclidean one over their dimensions,
√(Σ_c d_c²), and the triplet score is the part of the answers that take the nearer candidate
(MULTI, section 4.1). All 31 sets are judged, for mix and stem input.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd

from csn.instruments import INSTRUMENTS
from listening_test.triplets import INPUTS, WHOLE
from results.agreement import ALL
from results.data import Clusters, Floats, instruments_of, trials
from results.intervals import shares_of

SUBSETS: Final = tuple(chosen for size in range(1, 6) for chosen in combinations(INSTRUMENTS, size))
"""The 31 sets of subspaces, the single ones first."""

_SWITCHES: Final = np.array([[float(name in names) for name in INSTRUMENTS] for names in SUBSETS])


@dataclass(frozen=True)
class Spaces:
    """Triplet scores.

    Attributes:
        table: one row for each asked instrument (``all`` for everything), input and space:
            ``asked``, ``source`` (mix, stem or a baseline's name), ``space`` (names joined by
            +), ``size`` (subspaces), ``score``, ``low``, ``high`` (two-way clustered, 95 %),
            ``n`` (answers).
    """

    table: pd.DataFrame

    def of(self, asked: str = ALL, source: str = "mix") -> pd.DataFrame:
        """The rows about one asked instrument and input, best first."""
        own = self.table[(self.table["asked"] == asked) & (self.table["source"] == source)]
        return own.sort_values("score", ascending=False, kind="stable")

    def radar(self, source: str = "mix") -> pd.DataFrame:
        """Data of the Kiviat chart: asked instruments as rows, single subspaces as columns."""
        single = self.table[(self.table["size"] == 1) & (self.table["source"] == source)]
        wide = single.pivot_table(index="asked", columns="space", values="score", sort=False)
        return wide.reindex(columns=[name for name in INSTRUMENTS if name in wide])


def spaces(answers: pd.DataFrame, baselines: Mapping[str, pd.DataFrame] | None = None) -> Spaces:
    """Judge every set of subspaces by the same answers.

    Args:
        answers: the table of answers, with its columns of distances.
        baselines: other systems by name, each a table of ``triplet_id``, ``first`` and ``second``
            (the distances from X of both candidates); see ``baselines``.
    """
    table = trials(answers)
    rows: list[tuple[str, str, str, int, float, float, float, int]] = []
    parts = {ALL: table} | {
        name: table[table["instrument"] == name] for name in instruments_of(table)
    }
    for asked, part in parts.items():
        for source in INPUTS:
            squares = _squares(part, source)
            known = np.asarray(~np.isnan(squares).any(axis=(0, 2)), bool)
            if not known.any():
                continue
            chosen = part["chosen_first"].to_numpy(float)[known]
            clusters = Clusters.of(part.iloc[np.flatnonzero(known)])
            first, second = (squares[:, known, k].T @ _SWITCHES.T for k in (0, 1))
            judged = _judge(first, second, chosen, clusters)
            rows += [
                (asked, source, "+".join(names), len(names), *row)
                for names, row in zip(SUBSETS, judged, strict=True)
            ]
        for name, distances in (baselines or {}).items():
            pair = part[["triplet_id"]].merge(distances, on="triplet_id", how="left")
            first, second = (pair[which].to_numpy(float) for which in ("first", "second"))
            known = ~np.isnan(first + second)
            if known.any():
                chosen = part["chosen_first"].to_numpy(float)[known]
                clusters = Clusters.of(part.iloc[np.flatnonzero(known)])
                one, two = first[known][:, None], second[known][:, None]
                (row,) = _judge(one, two, chosen, clusters)
                rows.append((asked, name, WHOLE, 0, *row))
    columns = ["asked", "source", "space", "size", "score", "low", "high", "n"]
    return Spaces(pd.DataFrame.from_records(rows, columns=columns))


def _squares(table: pd.DataFrame, source: str) -> Floats:
    """[5, answers, 2] squared distances of both candidates in each subspace."""
    found = np.full((len(INSTRUMENTS), len(table), 2), np.nan)
    for c, space in enumerate(INSTRUMENTS):
        for k, which in enumerate(("first", "second")):
            name = f"{source}_{space}_{which}"
            if name in table:
                found[c, :, k] = table[name].to_numpy(float)
    return found**2


def taken_right(first: Floats, second: Floats, chosen_first: Floats) -> Floats:
    """[answers] 1 where the nearer one was taken, 0 where not, 1/2 where both are as near."""
    return np.where(first == second, 0.5, ((first < second) == (chosen_first > 0.5)).astype(float))


def _judge(
    first: Floats, second: Floats, chosen: Floats, clusters: Clusters
) -> list[tuple[float, float, float, int]]:
    """Score, limits and answers of each column of distances, [answers, k]."""
    values = taken_right(first, second, chosen[:, None])
    found = shares_of(values, clusters)
    return [
        (float(score), float(low), float(high), len(values))
        for score, low, high in zip(*found, strict=True)
    ]
