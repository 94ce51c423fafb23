"""Protocols: from a study's settings to its triplets, each with what the model hears in it."""

from collections.abc import Callable

from listening_test.protocols import criterion, imported, practice, track
from listening_test.stimuli import STEP, Stimuli
from listening_test.study import Settings
from listening_test.triplets import Triplet

__all__ = ["make", "step"]


def make(settings: Settings, stimuli: Stimuli, progress: Callable[[float], None]) -> list[Triplet]:
    """The triplets of a study, those for practice last.

    Args:
        settings: checked.
        stimuli: where excerpts come from, made with the protocol's ``step``.
        progress: told the part that is done, 0 to 1.

    Raises:
        StudyError: the corpus is too small, or an imported row cannot be used.
    """
    makers = {"track": track.make, "criterion": criterion.make, "triplets": imported.make}
    triplets = makers[settings.protocol](settings, stimuli, progress)
    return triplets + practice.make(settings, stimuli, triplets)


def step(settings: Settings) -> float:
    """Seconds between the places at which an excerpt may begin.

    Half an excerpt for ``criterion``, whose excerpts are segments with 50 % overlap (IND,
    section 4.1).
    """
    return settings.excerpt / 2 if settings.protocol == "criterion" else STEP
