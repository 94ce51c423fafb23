"""Practice triplets: another part of X's own piece, and a piece that the model hears far away.

The nearer one is meant to be plain, because practice tells a listener whether the answer was
right. It is always the first candidate.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final

import numpy as np

from listening_test.errors import StudyError
from listening_test.hearing import columns, space_of
from listening_test.protocols.draw import Draw
from listening_test.stimuli import Stimuli
from listening_test.study import Settings
from listening_test.triplets import Excerpt, Triplet

_OTHERS: Final = 4  # pieces among which the farthest is taken


def make(settings: Settings, stimuli: Stimuli, asked: Sequence[Triplet]) -> list[Triplet]:
    """Practice for a study, numbered after the triplets that count.

    Each has the protocol ``track``, set 2, and no distances. Where no piece is long enough for
    two parts, the first candidate is x itself.

    Raises:
        StudyError: no two pieces can be heard.
    """
    draw = Draw(stimuli, np.random.default_rng([settings.seed, 1]))
    draw.note_all(asked)
    instruments = list(dict.fromkeys(triplet.instrument for triplet in asked))
    made: list[Triplet] = []
    for number in range(settings.practice):
        instrument = instruments[number % len(instruments)]
        x, y, c = _draw(draw, instrument)
        made.append(
            Triplet(
                number=len(asked) + number + 1,
                protocol="track",
                set=2,
                instrument=instrument,
                x=x,
                first=y,
                second=c,
                space=space_of(instrument),
                practice=True,
            )
        )
    return made


def _draw(draw: Draw, instrument: str) -> tuple[Excerpt, Excerpt, Excerpt]:
    stimuli = draw.stimuli
    pairs = (stimuli.find_two(p, instrument, draw.rng) for p in draw.anchors(instrument))
    singles = (
        (x, x)
        for p in draw.anchors(instrument)
        if (x := stimuli.find(p, instrument, draw.rng, apart=None)) is not None
    )
    found = next((pair for pair in pairs if pair is not None), None) or next(singles, None)
    others = list(islice(draw.candidates(instrument, found[0].piece, ()), _OTHERS)) if found else []
    if found is None or not others:
        raise StudyError(
            f"The library has no two pieces with {instrument} to practise on; choose another "
            "library or no practice."
        )
    space = columns(space_of(instrument))
    mine = stimuli.hearing.vector(found[0])[space]
    far = max(others, key=lambda c: float(np.linalg.norm(stimuli.hearing.vector(c)[space] - mine)))
    draw.note(instrument, found[0].piece, [far.piece])
    return *found, far
