"""Triplets with votes that others gathered, as dim-sim has them (Lee et al. 2020; MULTI).

One row a triplet: an anchor, two candidates, and how many people found each of them nearer. The
columns are found by their names, in any order and with other columns between them:

- ids: ``anchor_id``, ``song1_id``, ``song2_id`` (also ``x_piece``, ``a_piece``, ``b_piece``);
- votes: ``song1_vote``, ``song2_vote`` (also ``a_votes``, ``b_votes``);
- distances, where a model's are known: as in the table of answers, ``mix_drums_first`` ….
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from csn.instruments import INSTRUMENTS
from listening_test.triplets import INPUTS, WHOLE
from results.data import Floats
from results.errors import ResultsError
from results.intervals import Interval
from results.spaces import SUBSETS, taken_right

MULTI_LEAST: Final = 0.9
"""Part of the votes that one candidate must have to count, as in MULTI, section 4.1."""

_NAMES: Final = {
    "anchor": ("anchor_id", "anchor", "x_piece", "x"),
    "first": ("song1_id", "song1", "a_piece", "a"),
    "second": ("song2_id", "song2", "b_piece", "b"),
    "first_votes": ("song1_vote", "song1_votes", "a_votes", "a_vote", "votes_a"),
    "second_votes": ("song2_vote", "song2_votes", "b_votes", "b_vote", "votes_b"),
}


def read_votes(content: str | bytes | Path) -> pd.DataFrame:
    """Read triplets with votes.

    Args:
        content: of a CSV file, or its path.

    Returns:
        ``anchor``, ``first``, ``second`` (text), ``first_votes``, ``second_votes`` (numbers), and
        every other column under its own name.

    Raises:
        ResultsError: it cannot be read, a column is missing, or a row has no usable votes.
    """
    try:
        if isinstance(content, Path):
            content = content.read_bytes()
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        header = text.partition("\n")[0]
        raw = pd.read_csv(io.StringIO(text), sep=max(",;\t", key=header.count))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ResultsError(f"The file of votes cannot be read as CSV in UTF-8: {error}.") from error
    raw.columns = [str(name).strip().lower() for name in raw.columns]
    renamed = {}
    for name, known in _NAMES.items():
        there = [column for column in known if column in raw]
        if not there:
            raise ResultsError(
                f"The file of votes has no column {known[0]!r}; it needs "
                f"{', '.join(names[0] for names in _NAMES.values())}."
            )
        renamed[there[0]] = name
    table = raw.rename(columns=renamed)
    for name in ("first_votes", "second_votes"):
        table[name] = pd.to_numeric(table[name], errors="coerce")
    bad = ~(table["first_votes"].ge(0) & table["second_votes"].ge(0))
    bad |= table["first_votes"] + table["second_votes"] <= 0
    if bad.any():
        line = int(np.flatnonzero(bad)[0]) + 2
        raise ResultsError(
            f"Line {line} of the file of votes has no votes that can be counted; mend or remove it."
        )
    for name in ("anchor", "first", "second"):
        table[name] = table[name].astype("str")
    return table


@dataclass(frozen=True)
class VoteScore:
    """The triplet score of one space.

    Attributes:
        source: ``mix`` or ``stem``.
        space: names of the subspaces that are switched on, joined by +; or ``whole``.
        size: how many they are; 0 for ``whole``.
        score: part of the triplets whose nearer candidate the majority took.
        interval: Wilson's, 95 %, over triplets; listeners are not known one by one.
        n: triplets.
    """

    source: str
    space: str
    size: int
    score: float
    interval: Interval
    n: int


def score_votes(votes: pd.DataFrame, least: float = MULTI_LEAST) -> tuple[VoteScore, ...]:
    """The triplet score of all sets of subspaces of which the table holds distances.

    Args:
        votes: from ``read_votes``, with columns of distances.
        least: part of the votes that one candidate must have; other triplets are left out, as
            are ties.

    Raises:
        ResultsError: the table holds no distances.
    """
    total = votes["first_votes"] + votes["second_votes"]
    top = votes[["first_votes", "second_votes"]].max(axis=1) / total
    kept = votes[(top >= least - 1e-9) & (votes["first_votes"] != votes["second_votes"])]
    chosen = (kept["first_votes"] > kept["second_votes"]).to_numpy().astype(float)
    found = []
    for source in INPUTS:
        sets = [names for names in SUBSETS if _has(kept, source, names)]
        for names in [*sets, *([(WHOLE,)] if _has(kept, source, (WHOLE,)) else [])]:
            first, second = (
                sum(kept[f"{source}_{name}_{which}"].to_numpy(float) ** 2 for name in names)
                for which in ("first", "second")
            )
            found.append(_score(source, names, np.asarray(first), np.asarray(second), chosen))
    if not found:
        raise ResultsError(
            "The votes come without distances; add columns such as mix_drums_first and "
            f"mix_drums_second, for {', '.join(INSTRUMENTS)}."
        )
    return tuple(found)


def _has(table: pd.DataFrame, source: str, names: tuple[str, ...]) -> bool:
    needed = [f"{source}_{name}_{which}" for name in names for which in ("first", "second")]
    return all(name in table and table[name].notna().all() for name in needed)


def _score(
    source: str, names: tuple[str, ...], first: Floats, second: Floats, chosen: Floats
) -> VoteScore:
    right = taken_right(first, second, chosen)
    score = float(right.mean()) if len(right) else np.nan
    low, high = (
        proportion_confint(right.sum(), len(right), method="wilson")
        if len(right)
        else (np.nan,) * 2
    )
    size = 0 if names == (WHOLE,) else len(names)
    interval = Interval(float(low), float(high), np.nan, np.inf)
    return VoteScore(source, "+".join(names), size, score, interval, len(right))
