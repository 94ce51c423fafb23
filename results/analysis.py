"""The front door: a table of answers in, everything that is known about it out.

    analysis = analyse(answers)
    analysis.agreement.table, analysis.mixed, analysis.ceiling, …

Whatever cannot be said of these answers is None or NaN, and ``analysis.notes`` says why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd

from results.agreement import Agreement, Sureness, sureness
from results.behaviour import Calibration, SideBias, Times, calibration, side_bias, times
from results.ceiling import Ceiling, ceiling
from results.data import checked, judged, narrow, trials
from results.errors import ResultsError
from results.exclusions import Exclusions, exclusions, kept
from results.mixed import Curve, Mixed, curve, mixed
from results.spaces import Spaces, spaces

T = TypeVar("T")


@dataclass(frozen=True)
class Analysis:
    """Everything that is known about some answers.

    Attributes:
        answers: those that were analysed: without the excluded, unless they were asked for.
        simulated: whether the listeners are simulated.
        n: answers to triplets.
        listeners: who gave them.
        triplets: to how many triplets.
        exclusions: agreement with and without those whom the study's rules leave out.
        agreement: with the model, by instrument and set.
        sureness: IND's stacked bars; empty where nobody was asked.
        mixed: the mixed logistic model; None where it cannot be fitted.
        curve: agreement against the model's margin.
        side: whether one side is preferred.
        times: how long answers take.
        calibration: confidence against agreement; None where nobody was asked.
        ceiling: how far listeners agree with each other and themselves.
        spaces: triplet scores of all sets of subspaces.
        notes: a sentence for everything that could not be said, and why.
    """

    answers: pd.DataFrame
    simulated: bool
    n: int
    listeners: int
    triplets: int
    exclusions: Exclusions
    agreement: Agreement
    sureness: tuple[Sureness, ...]
    mixed: Mixed | None
    curve: Curve
    side: SideBias
    times: Times
    calibration: Calibration | None
    ceiling: Ceiling
    spaces: Spaces
    notes: tuple[str, ...]


def analyse(
    answers: pd.DataFrame,
    *,
    everyone: bool = False,
    baselines: Mapping[str, pd.DataFrame] | None = None,
) -> Analysis:
    """Ask every question of a table of answers.

    Args:
        answers: the table of answers (``listening_test.store.columns.ANSWERS``), of people or of
            simulated listeners, never of both; even an empty one.
        everyone: whether those whom the study's rules leave out are analysed, too.
        baselines: distances of other systems, for ``spaces``.

    Raises:
        ResultsError: a column is missing, or people and simulated listeners are in one table.
    """
    notes: list[str] = []
    used = checked(answers) if everyone else kept(answers)
    asked, known = trials(narrow(used)), judged(used)
    both = exclusions(answers)
    fitted = _or_note(lambda: mixed(used), notes) if len(known) else None
    if fitted is not None and not fitted.converged:
        notes.append("The mixed model did not settle on a best fit; read it with care.")
    found = Analysis(
        used, bool(answers["simulated"].eq(True).any()), len(asked),
        int(asked["listener_id"].nunique()), int(asked["triplet_id"].nunique()), both,
        both.everyone if everyone else both.kept, sureness(used), fitted, curve(used, fitted),
        side_bias(used), times(used), calibration(used), ceiling(used), spaces(used, baselines), (),
    )  # fmt: skip
    said = (*_sentences(found, len(known)), *notes)
    return Analysis(**vars(found) | {"notes": said})


def _or_note(question: Callable[[], T], notes: list[str]) -> T | None:
    try:
        return question()
    except ResultsError as error:
        notes.append(str(error))
        return None


def _sentences(found: Analysis, judged_answers: int) -> list[str]:
    """What a reader has to know before looking at the numbers."""
    said = []
    if found.simulated:
        said.append("These listeners are simulated; nothing here says anything about people.")
    if not found.n:
        return [*said, "Nobody has answered yet; come back when somebody has."]
    if not judged_answers:
        said.append("The model takes neither candidate in any triplet, so nothing agrees with it.")
    if found.listeners < 2:
        said.append("Only one listener has answered; there is no interval that speaks for others.")
    elif found.triplets < 2:
        said.append("Only one triplet was answered; there is no interval that speaks for others.")
    elif min(found.listeners, found.triplets) < 8:
        said.append(
            f"There are {found.listeners} listeners and {found.triplets} triplets; below 8 of "
            "either, intervals are rough."
        )
    if left := len(found.exclusions.excluded):
        said.append(
            f"The study's rules leave out {left} of {found.exclusions.listeners} listeners; the "
            "table of exclusions shows both ways."
        )
    return said
