"""CSN's listening test (section 4.2.3, table 3): pieces X, and what sounds more like a part of X.

For each instrument, pieces X are drawn at random; x is an excerpt of X in which the instrument
sounds, a, b and c come from three other pieces, y is another part of X that does not overlap x.
Set 1 is {x, a, b}, set 2 is {x, y, c}. The paper draws pieces for each instrument anew; so do we,
but among equals those that the study used least come first, so that 32 pieces are all heard
before one is X twice (ours).
"""

from collections.abc import Callable
from itertools import islice

import numpy as np

from listening_test.errors import StudyError
from listening_test.hearing import space_of
from listening_test.protocols.draw import Draw
from listening_test.stimuli import Stimuli
from listening_test.study import Settings
from listening_test.triplets import Excerpt, Triplet


def make(settings: Settings, stimuli: Stimuli, progress: Callable[[float], None]) -> list[Triplet]:
    """The triplets, by instrument, piece X and set.

    Raises:
        StudyError: the corpus has too few pieces in which an instrument can be heard.
    """
    draw = Draw(stimuli, np.random.default_rng(settings.seed))
    triplets: list[Triplet] = []
    for instrument in settings.instruments:
        used: set[str] = set()
        for _ in range(settings.per_instrument):
            x, candidates = _draw(settings, draw, instrument, used)
            used.add(x.piece)
            for number, (first, second) in candidates.items():
                triplets.append(
                    Triplet(
                        number=len(triplets) + 1,
                        protocol="track",
                        set=number,
                        instrument=instrument,
                        x=x,
                        first=first,
                        second=second,
                        distances=stimuli.hearing.distances(instrument, x, first, second),
                        space=space_of(instrument),
                        source=settings.source,
                    )
                )
            progress(len(triplets) / settings.asked)
    return triplets


def _draw(
    settings: Settings, draw: Draw, instrument: str, used: set[str]
) -> tuple[Excerpt, dict[int, tuple[Excerpt, Excerpt]]]:
    """x, and for each set that is asked its two candidates."""
    x: Excerpt | None
    y: Excerpt | None
    for piece in draw.anchors(instrument, used):
        if 2 in settings.sets:
            x, y = draw.stimuli.find_two(piece, instrument, draw.rng) or (None, None)
        else:
            x, y = draw.stimuli.find(piece, instrument, draw.rng, apart=None), None
        if x is not None:
            break
    else:
        raise StudyError(
            f"The library has only {len(used)} pieces X for {instrument}, and the study asks for "
            f"{settings.per_instrument}: ask for fewer pieces for each instrument, for shorter "
            f"excerpts, or choose a larger library.{_hint(draw.stimuli)}"
        )
    wanted = sum({1: 2, 2: 1}[number] for number in set(settings.sets))  # a and b, c
    others = list(islice(draw.candidates(instrument, x.piece, ()), wanted))
    if len(others) < wanted:
        raise StudyError(
            f"Beside a piece X, {wanted} others with {instrument} are needed, and the library has "
            f"{len(others)} that can be heard: choose a larger library.{_hint(draw.stimuli)}"
        )
    draw.note(instrument, x.piece, [other.piece for other in others])
    sets: dict[int, tuple[Excerpt, Excerpt]] = {}
    if 1 in settings.sets:
        sets[1] = (others[0], others[1])
    if y is not None:
        sets[2] = (y, others[-1])
    return x, sets


def _hint(stimuli: Stimuli) -> str:
    """The first reason why something was left out, if there is one."""
    return f" (The first that was left out: {stimuli.refusals[0]})" if stimuli.refusals else ""
