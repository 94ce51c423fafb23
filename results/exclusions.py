"""Results with and without the listeners whom the study's own rules leave out, side by side.

The rules are part of the study and fixed before anybody listened (``listening_test.quality``); the
table of answers carries their verdict. Flags, which are hints, leave nobody out.
"""

from dataclasses import dataclass

import pandas as pd

from results.agreement import TOTAL, Agreement, agreement
from results.data import checked, narrow


@dataclass(frozen=True)
class Exclusions:
    """Agreement both ways.

    Attributes:
        excluded: one row for each listener who is left out: ``listener_id``, ``exclusion`` (the
            rules, in words).
        listeners: how many listeners answered at all.
        everyone: agreement over all of them.
        kept: agreement without those who are left out.
    """

    excluded: pd.DataFrame
    listeners: int
    everyone: Agreement
    kept: Agreement

    @property
    def table(self) -> pd.DataFrame:
        """Totals by instrument, with everyone and without the excluded."""
        return pd.DataFrame(
            [
                {
                    "instrument": row.instrument, "listeners": name, "share": row.share,
                    "low": row.low, "high": row.high, "n": row.n,
                }
                for name, found in (("everyone", self.everyone), ("kept", self.kept))
                for row in found.rows
                if row.set == TOTAL
            ],
            columns=["instrument", "listeners", "share", "low", "high", "n"],
        )  # fmt: skip


def kept(answers: pd.DataFrame) -> pd.DataFrame:
    """The answers of those whom no rule leaves out."""
    out = checked(answers)["excluded"].eq(True)
    return answers[~out] if out.any() else answers


def exclusions(answers: pd.DataFrame) -> Exclusions:
    """Agreement with and without those whom the rules leave out."""
    out = checked(answers)[answers["excluded"].eq(True)].drop_duplicates("listener_id")
    names = [name for name in ("listener_id", "exclusion") if name in out]
    everyone = agreement(answers)
    without = agreement(kept(narrow(answers))) if len(out) else everyone
    return Exclusions(
        out[names].reset_index(drop=True), int(answers["listener_id"].nunique()), everyone, without
    )
