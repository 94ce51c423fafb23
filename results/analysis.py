"""The front door: a table of answers in, everything that is known about it out.

    analysis = analyse(answers)
    analysis.agreement.table, analysis.mixed, analysis.ceiling, …

Each question is asked when somebody first looks at its answer, so that a page shows the first
figures of a large study while nobody has asked for the others. Whatever cannot be said of these
answers is None or NaN, and ``analysis.notes`` says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from results.agreement import Agreement, Sureness, sureness
from results.behaviour import Calibration, SideBias, Times, calibration, side_bias, times
from results.ceiling import Ceiling, ceiling
from results.data import checked, judged, narrow, trials
from results.errors import ResultsError
from results.exclusions import Exclusions, exclusions, kept
from results.mixed import Curve, Mixed, curve, mixed
from results.spaces import Spaces, spaces


@dataclass(frozen=True)
class Analysis:
    """Everything that is known about some answers.

    Attributes:
        answers: those that are analysed: without the excluded, unless they were asked for.
        simulated: whether the listeners are simulated.
        n: answers to triplets.
        listeners: who gave them.
        triplets: to how many triplets.
        exclusions: agreement with and without those whom the study's rules leave out.
        everyone: whether those are analysed, too.
        baselines: distances of other systems, for ``spaces``.
    """

    answers: pd.DataFrame
    simulated: bool
    n: int
    listeners: int
    triplets: int
    exclusions: Exclusions
    everyone: bool
    baselines: Mapping[str, pd.DataFrame] | None

    @property
    def agreement(self) -> Agreement:
        """With the model, by instrument and set."""
        return self.exclusions.everyone if self.everyone else self.exclusions.kept

    @cached_property
    def sureness(self) -> tuple[Sureness, ...]:
        """IND's stacked bars; empty where nobody was asked."""
        return sureness(self.answers)

    @property
    def mixed(self) -> Mixed | None:
        """The mixed logistic model; None where it cannot be fitted."""
        return self._fitted[0]

    @cached_property
    def curve(self) -> Curve:
        """Agreement against the model's margin."""
        return curve(self.answers, self.mixed)

    @cached_property
    def side(self) -> SideBias:
        """Whether one side is preferred."""
        return side_bias(self.answers)

    @cached_property
    def times(self) -> Times:
        """How long answers take."""
        return times(self.answers)

    @cached_property
    def calibration(self) -> Calibration | None:
        """Confidence against agreement; None where nobody was asked."""
        return calibration(self.answers)

    @cached_property
    def ceiling(self) -> Ceiling:
        """How far listeners agree with each other and themselves."""
        return ceiling(self.answers)

    @cached_property
    def spaces(self) -> Spaces:
        """Triplet scores of all sets of subspaces."""
        return spaces(self.answers, self.baselines)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a reader has to know before looking at any number."""
        return tuple(_sentences(self))

    @property
    def notes(self) -> tuple[str, ...]:
        """The warnings, and a sentence for everything that could not be said, and why."""
        return (*self.warnings, *self._fitted[1])

    @cached_property
    def judged(self) -> int:
        """Answers to triplets of which the model takes a side."""
        return len(judged(self.answers))

    @cached_property
    def _fitted(self) -> tuple[Mixed | None, tuple[str, ...]]:
        """The mixed model, and what there is to say about it."""
        if not self.judged:
            return None, ()
        try:
            found = mixed(self.answers)
        except ResultsError as error:
            return None, (str(error),)
        if found.converged:
            return found, ()
        return found, ("The mixed model did not settle on a best fit; read it with care.",)


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
    used = checked(answers) if everyone else kept(answers)
    asked = trials(narrow(used))
    return Analysis(
        used, bool(answers["simulated"].eq(True).any()), len(asked),
        int(asked["listener_id"].nunique()), int(asked["triplet_id"].nunique()),
        exclusions(answers), everyone, baselines,
    )  # fmt: skip


def _sentences(found: Analysis) -> list[str]:
    said = []
    if found.simulated:
        said.append("These listeners are simulated; nothing here says anything about people.")
    if not found.n:
        return [*said, "Nobody has answered yet; come back when somebody has."]
    if not found.judged:
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
