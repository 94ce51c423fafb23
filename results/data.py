"""Which answers count, and to whom and what they belong."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csn.instruments import INSTRUMENTS
from listening_test.triplets import MIX
from results.errors import ResultsError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ORDER: Final = (MIX, *INSTRUMENTS)
"""The order in which instruments stand in tables and figures."""

NEEDED: Final = (
    "listener_id", "triplet_id", "kind", "instrument", "set", "simulated", "swapped", "choice",
    "chosen_first", "agrees", "margin", "right", "repeated_same", "sure", "elapsed", "excluded",
)  # fmt: skip
"""Columns without which nothing can be said; see the codebook."""


def checked(answers: pd.DataFrame) -> pd.DataFrame:
    """The answers themselves, if they may be analysed together.

    Args:
        answers: the table of answers.

    Raises:
        ResultsError: a column is missing, or people and simulated listeners are in one table.
    """
    missing = [name for name in NEEDED if name not in answers]
    if missing:
        raise ResultsError(
            f"The table of answers has no column {missing[0]!r}; take it from an export."
        )
    if answers["simulated"].nunique() > 1:
        raise ResultsError(
            "People and simulated listeners are in one table; analyse them apart from each other."
        )
    return answers


def trials(answers: pd.DataFrame) -> pd.DataFrame:
    """Answers to the triplets themselves: no practice, no catch trials, no repeats.

    A repeat is the same listener on the same triplet, so it says nothing new about agreement.
    """
    table = checked(answers)
    return table[table["kind"].eq("trial") & table["triplet_id"].notna()]


def narrow(answers: pd.DataFrame) -> pd.DataFrame:
    """The answers with the columns ``NEEDED`` alone: to choose rows of few columns is quick."""
    return checked(answers)[list(NEEDED)]


def judged(answers: pd.DataFrame) -> pd.DataFrame:
    """Those trials in which the model takes one of the two, with the columns ``NEEDED``."""
    table = trials(narrow(answers))
    return table[table["agrees"].notna()]


def agreeing(table: pd.DataFrame) -> Floats:
    """[answers] 1.0 where listener and model took the same, else 0.0."""
    return table["agrees"].to_numpy(float)


def instruments_of(table: pd.DataFrame) -> list[str]:
    """The instruments that were asked about, in the order of tables."""
    there = set(table["instrument"].dropna())
    return [name for name in ORDER if name in there]


@dataclass(frozen=True)
class Clusters:
    """Who answered and what was asked, as codes from 0.

    Attributes:
        listener: [answers].
        triplet: [answers].
        pair: [answers] code of listener and triplet together; None where each occurs once.
        listeners: how many there are.
        triplets: how many there are.
    """

    listener: Integers
    triplet: Integers
    pair: Integers | None
    listeners: int
    triplets: int

    @classmethod
    def of(cls, table: pd.DataFrame) -> "Clusters":
        """The clusters of a table of answers."""
        who, people = pd.factorize(table["listener_id"].to_numpy(np.int64))
        what, things = pd.factorize(table["triplet_id"].to_numpy(np.int64))
        both = who.astype(np.int64) * max(len(things), 1) + what
        pair = None if len(pd.unique(both)) == len(both) else pd.factorize(both)[0]
        return cls(
            who.astype(np.int64), what.astype(np.int64), pair, len(people), len(things),
        )  # fmt: skip
