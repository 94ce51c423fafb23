"""IND's listening test (section 4.2.2, table 4): one criterion's neighbour against another's.

For an instrument: the anchor x is a segment drawn at random; the positive is the first or second
nearest to it in the instrument's own space, the negative the first or second nearest in the space
of the whole mix, each drawn at random. A set in which a positive candidate also is a negative
candidate is void, and another anchor is drawn. For ``mix``, the positive comes from the space of
the whole, the negative from that of one instrument drawn at random, and mixes are heard.

The paper does not say whether the anchor's own piece may be found. It hardly can: in every space
the nearest segments would be those beside the anchor, and nearly all sets void. So here, and this
is ours: candidates come from other pieces; each piece stands for one candidate, its segment
nearest to the anchor; and a set is void when one *piece* is a candidate on both sides. Segments
are excerpts, as long as what is heard, with 50 % overlap.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from csn.instruments import INSTRUMENTS
from listening_test.errors import StudyError
from listening_test.hearing import columns, space_of
from listening_test.protocols.draw import Draw
from listening_test.stimuli import Stimuli
from listening_test.study import Settings
from listening_test.triplets import MIX, WHOLE, Excerpt, Triplet

POOL: Final = 60
"""Pieces at most among which neighbours are sought, drawn at random (IND has 20).

Every segment of theirs is embedded, by far the longest part of the work."""

NEAREST: Final = 2
"""Candidates on each side."""


class _Space(NamedTuple):
    """A criterion: which numbers of which input, and what must sound there."""

    space: str
    source: str
    sounding: str

    @property
    def part(self) -> str:
        """What the model is given."""
        return self.sounding if self.source == "stem" else MIX


def make(settings: Settings, stimuli: Stimuli, progress: Callable[[float], None]) -> list[Triplet]:
    """The triplets, by instrument.

    Their ``notes`` hold the ranks of both candidates (1 or 2), the space and input in which the
    negative was found, and how many anchors were void before this one.

    Raises:
        StudyError: the corpus gives too few sets that are not void.
    """
    draw = Draw(stimuli, np.random.default_rng(settings.seed))
    pool = _Pool(settings, draw)
    pool.listen(lambda part: progress(part / 2))
    triplets: list[Triplet] = []
    for instrument in settings.instruments:
        void = 0
        for x in pool.anchors(instrument):
            if len(triplets) % settings.per_instrument == 0 and _of(triplets, instrument):
                break
            found = pool.candidates(instrument, x)
            if found is None:
                void += 1
                continue
            first, second, notes = found
            if {x.piece, first.piece, second.piece} in [_pieces(t) for t in triplets]:
                continue  # these three were heard together before
            triplets.append(
                Triplet(
                    number=len(triplets) + 1,
                    protocol="criterion",
                    set=0,
                    instrument=instrument,
                    x=x,
                    first=first,
                    second=second,
                    distances=stimuli.hearing.distances(instrument, x, first, second),
                    space=space_of(instrument),
                    source="mix" if instrument == MIX else settings.source,
                    notes=notes | {"void_before": void},
                )
            )
            draw.note(instrument, x.piece, [first.piece, second.piece])
            for excerpt in (x, first, second):
                stimuli.give(excerpt)
            void = 0
            progress(0.5 + 0.5 * len(triplets) / settings.asked)
        made = _of(triplets, instrument)
        if made < settings.per_instrument:
            raise StudyError(
                f"The library gives {made} sets for {instrument} of the {settings.per_instrument} "
                "that are asked for, because the same pieces are nearest in both spaces or cannot "
                "be heard: ask for fewer sets or choose a larger library."
            )
    return triplets


def _of(triplets: list[Triplet], instrument: str) -> int:
    return sum(triplet.instrument == instrument for triplet in triplets)


def _pieces(triplet: Triplet) -> set[str]:
    return {triplet.x.piece, triplet.first.piece, triplet.second.piece}


class _Pool:
    """The segments of up to ``POOL`` pieces, and sets drawn from them."""

    def __init__(self, settings: Settings, draw: Draw) -> None:
        self._settings, self._draw = settings, draw
        self._stimuli, self._rng = draw.stimuli, draw.rng
        corpus = list(self._stimuli.corpus)
        self._pieces = {corpus[k].id for k in self._rng.permutation(len(corpus))[:POOL]}

    def listen(self, progress: Callable[[float], None]) -> None:
        """Embed every segment of the mixes, on which all criteria draw."""
        has = {i: {p.id for p in self._stimuli.pieces(i)} for i in self._settings.instruments}
        for done, piece in enumerate(sorted(self._pieces), 1):
            found = [self._stimuli.starts(piece, i) for i in has if piece in has[i]]
            starts = sorted({float(start) for of_one in found for start in of_one})
            length = self._settings.excerpt
            self._stimuli.vectors([Excerpt(piece, MIX, start, length) for start in starts])
            progress(done / len(self._pieces))

    def anchors(self, instrument: str) -> Iterator[Excerpt]:
        """Every segment once, at random, but no piece twice before all were asked once."""
        starts = {p: self._rng.permutation(s) for p, s in self._segments(instrument).items()}
        for k in range(max(map(len, starts.values()), default=0)):
            for piece in self._draw.anchors(instrument):
                if k < len(starts.get(piece, ())):
                    yield self._stimuli.excerpt(piece, instrument, starts[piece][k])

    def candidates(
        self, instrument: str, x: Excerpt
    ) -> tuple[Excerpt, Excerpt, dict[str, Any]] | None:
        """The positive, the negative and notes about them; None where the set is void."""
        own, against = self._spaces(instrument)
        positive, negative = self._rng.permutation(NEAREST), self._rng.permutation(NEAREST)
        sounding = x.start in self._stimuli.starts(x.piece, against.sounding)
        if not sounding or not self._stimuli.usable(x, instrument):
            return None
        near, far = self.nearest(x, instrument, own), self.nearest(x, instrument, against)
        if {one.piece for one in near} & {one.piece for one in far}:
            return None
        first = self._first(near, positive, instrument)
        second = self._first(far, negative, instrument)
        if first is None or second is None:
            return None
        notes = {
            "positive_rank": first + 1,
            "negative_rank": second + 1,
            "negative_space": against.space,
            "negative_source": against.source,
        }
        return near[first], far[second], notes

    def _spaces(self, instrument: str) -> tuple[_Space, _Space]:
        """The criterion that is asked about, and the one it is held against."""
        whole = _Space(WHOLE, "mix", instrument)
        if instrument != MIX:
            return _Space(instrument, self._settings.source, instrument), whole
        asked = [name for name in self._settings.instruments if name != MIX]
        others = asked or INSTRUMENTS[:4]
        other = others[self._rng.integers(len(others))]
        return whole, _Space(other, self._settings.source, other)

    def _first(self, found: list[Excerpt], order: np.ndarray, instrument: str) -> int | None:
        """Which of the candidates is taken: the first in this order that can be heard."""
        for k in order:
            if k < len(found) and self._stimuli.usable(found[k], instrument):
                return int(k)
        return None

    def nearest(self, x: Excerpt, instrument: str, where: _Space) -> list[Excerpt]:
        """The nearest segment of each other piece, nearest piece first, at most ``NEAREST``.

        Args:
            x: the anchor.
            instrument: what is asked about, which decides what is heard.
            where: the criterion.
        """
        anchor = Excerpt(x.piece, where.part, x.start, x.length)
        mine = self._stimuli.hearing.vector(anchor)[columns(where.space)].astype(np.float64)
        found = []
        for piece, starts in self._segments(where.sounding).items():
            if piece == x.piece:
                continue
            segments = [Excerpt(piece, where.part, float(s), x.length) for s in starts]
            vectors = self._stimuli.vectors(segments)[:, columns(where.space)]
            if len(vectors):
                distances = np.linalg.norm(vectors - mine, axis=1)
                best = int(distances.argmin())
                found.append((float(distances[best]), piece, float(starts[best])))
        return [
            self._stimuli.excerpt(piece, instrument, start)
            for _, piece, start in sorted(found)[:NEAREST]
        ]

    def _segments(self, instrument: str) -> dict[str, np.ndarray]:
        """Piece to the starts of its segments in which the instrument sounds, seconds."""
        pieces = [p.id for p in self._stimuli.pieces(instrument) if p.id in self._pieces]
        found = {piece: self._stimuli.starts(piece, instrument) for piece in pieces}
        return {piece: starts for piece, starts in found.items() if len(starts)}
