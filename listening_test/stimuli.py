"""Excerpts that people can listen to: found where the instrument sounds, and measured.

An excerpt is taken as it is in the corpus, given 5-ms fades and one gain; no limiter or equaliser
ever touches it. The gain brings all excerpts of a study to one loudness.
"""

import logging
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from csn import audio
from csn.corpora import Corpus, Piece
from csn.embedding import Embedder
from csn.errors import AudioError, ModelError
from csn.instruments import EMBEDDING
from csn.playback import faded
from listening_test.hearing import Hearing
from listening_test.loudness import LOWEST, PEAK, TARGET, loudness, true_peak
from listening_test.triplets import MIX, Excerpt

ACTIVE: Final = 0.4
"""Part of an excerpt's 50-ms frames that must be louder than ``csn.audio.SILENCE_DBFS``.

CSN asks for "10 seconds of non-silence" and gives no rule. A staccato bass or a slow drum is
silent between its notes, so this is low, and ``REST`` does the rest. Ours."""

REST: Final = 2.0
"""Seconds; no silence in an excerpt is this long. Ours."""

QUIETEST: Final = -50.0
"""LUFS; below it, raising an excerpt to a study's loudness would raise its noise too. Ours."""

STEP: Final = 0.5
"""Seconds between the places at which an excerpt may begin."""

_RATES: Final = (22_050, 48_000)  # Hz, the lowest and the highest of a study
_TRIES: Final = 6  # excerpts measured in one piece before it is given up

_log: Final = logging.getLogger(__name__)


class Measured(NamedTuple):
    """An excerpt as it is in the corpus, faded."""

    loudness: float
    """LUFS."""
    true_peak: float
    """dBTP."""

    @property
    def loudest(self) -> float:
        """LUFS it can be brought to before its true peak passes ``PEAK``."""
        return self.loudness - self.true_peak + PEAK


class Stimuli:
    """Finds excerpts in a corpus, and remembers what it gave out and what it refused.

    Attributes:
        corpus: where excerpts are cut.
        hearing: what the model makes of them.
        mixed: whether mixes are heard rather than stems.
        length: of an excerpt, seconds.
        rate: of every excerpt, Hz: the highest of the corpus between 22,050 and 48,000.
        measured: every excerpt that was taken.
        refusals: one sentence for every excerpt or piece that was drawn and not taken.
    """

    def __init__(
        self,
        corpus: Corpus,
        model: Embedder,
        length: float,
        *,
        mixed: bool = False,
        step: float = STEP,
    ) -> None:
        """See the class; ``step`` is the number of seconds between possible beginnings."""
        self.corpus, self.length, self.mixed = corpus, length, mixed
        self.hearing = Hearing(model, corpus)
        self.rate = _rate(corpus)
        self.measured: dict[Excerpt, Measured] = {}
        self.refusals: list[str] = []
        self._step = step
        self._refused: set[Excerpt] = set()
        self._starts: dict[tuple[str, str], np.ndarray] = {}
        self._given: defaultdict[tuple[str, str], list[float]] = defaultdict(list)

    def pieces(self, instrument: str) -> list[Piece]:
        """Those that have the instrument; all where mixes are heard and none has stems."""
        if instrument == MIX or (self.mixed and not any(piece.stems for piece in self.corpus)):
            return list(self.corpus)
        return [piece for piece in self.corpus if instrument in piece.stems]

    def part(self, instrument: str) -> str:
        """What is heard when this instrument is asked about."""
        return MIX if self.mixed else instrument

    def starts(self, piece_id: str, instrument: str) -> np.ndarray:
        """Where the instrument sounds long enough.

        Returns:
            [n] float64, seconds; empty, with a refusal, where there is no such place.
        """
        key = (piece_id, instrument)
        if key not in self._starts:
            self._starts[key] = self._active(self.corpus[piece_id], instrument)
        return self._starts[key]

    def excerpt(self, piece_id: str, instrument: str, start: float) -> Excerpt:
        """The excerpt that begins there."""
        return Excerpt(piece_id, self.part(instrument), float(start), self.length)

    def find(
        self, piece_id: str, instrument: str, rng: np.random.Generator, *, apart: Excerpt | None
    ) -> Excerpt | None:
        """An excerpt of a piece at random, preferably one that nobody hears yet.

        Args:
            piece_id: of the piece.
            instrument: what must sound in it.
            rng: for the choice.
            apart: what it must not overlap; None for nothing.

        Returns:
            The excerpt, or None where none can be used; ``refusals`` then says why.
        """
        tries = 0
        for start in self._in_order(piece_id, instrument, rng):
            if apart is not None and abs(start - apart.start) < self.length - 1e-6:
                continue
            excerpt = self.excerpt(piece_id, instrument, start)
            tries += excerpt not in self.measured
            if tries > _TRIES:
                break
            if self.usable(excerpt, instrument):
                self.give(excerpt)
                return excerpt
        return None

    def find_two(
        self, piece_id: str, instrument: str, rng: np.random.Generator
    ) -> tuple[Excerpt, Excerpt] | None:
        """Two parts of one piece that do not overlap, at random; None where there are none."""
        starts = self.starts(piece_id, instrument)
        if len(starts) and np.ptp(starts) < self.length - 1e-6:
            self._refuse(
                f"{piece_id} was left out: it has no two parts of {self.length:g} s with "
                f"{_name(instrument)} that do not overlap."
            )
            return None
        order = self._in_order(piece_id, instrument, rng)
        # Those near the middle have nothing long enough beside them.
        order = [s for s in order if np.abs(starts - s).max() >= self.length - 1e-6]
        for start in order[:_TRIES]:
            excerpt = self.excerpt(piece_id, instrument, start)
            if not self.usable(excerpt, instrument):
                continue
            other = self.find(piece_id, instrument, rng, apart=excerpt)
            if other is not None:
                self.give(excerpt)
                return excerpt, other
        return None

    def give(self, excerpt: Excerpt) -> None:
        """Note that somebody will hear it, so that others are found elsewhere if they can be."""
        self._given[excerpt.piece, excerpt.part].append(excerpt.start)

    def usable(self, excerpt: Excerpt, instrument: str) -> bool:
        """Whether an excerpt can be heard by people and by the model; if not, it is refused."""
        if excerpt in self._refused:
            return False
        if excerpt not in self.measured:
            why = self._why_not(excerpt, instrument)
            if why:
                self._refused.add(excerpt)
                self._refuse(
                    f"The excerpt of {excerpt.piece} ({excerpt.part}) at {excerpt.start:g} s was "
                    f"refused: {why}."
                )
                return False
        return True

    def vectors(self, excerpts: Sequence[Excerpt]) -> np.ndarray:
        """``Hearing.vectors``; [0, 640], with a refusal, where the piece cannot be heard."""
        if not excerpts:
            return np.empty((0, EMBEDDING), np.float32)
        try:
            return self.hearing.vectors(excerpts)
        except (AudioError, ModelError) as error:
            piece = self.corpus[excerpts[0].piece]
            self._refuse(f"{piece.id} was left out: {_said(error, piece)}")
            return np.empty((0, EMBEDDING), np.float32)

    def cut(self, excerpt: Excerpt) -> np.ndarray:
        """The excerpt's sound as it is in the corpus, with fades.

        Returns:
            [samples] float32 at ``rate``; exactly ``length`` long.

        Raises:
            AudioError: a file of it is missing, damaged, or ends within the excerpt.
        """
        sound = self.corpus[excerpt.piece].audio(
            excerpt.part, self.rate, start=excerpt.start, length=excerpt.length
        )
        whole = round(excerpt.length * self.rate)
        if whole - len(sound) > self.rate // 1000:
            raise AudioError(f"{excerpt.piece} ends within the excerpt.")
        return faded(np.pad(sound, (0, max(whole - len(sound), 0)))[:whole], self.rate)

    def target(self, excerpts: Iterable[Excerpt]) -> float:
        """The loudness that all these excerpts can have, LUFS.

        ``TARGET``, or as much less (in tenths) as the peakiest needs.
        """
        room = min((self.measured[excerpt].loudest for excerpt in excerpts), default=TARGET)
        # 0.02 dB, because rounding to 16 bit may raise a peak by a hair.
        return min(TARGET, math.floor((room - 0.02) * 10) / 10)

    def _in_order(self, piece_id: str, instrument: str, rng: np.random.Generator) -> list[float]:
        """All starts at random, those that overlap least with what was given out first."""
        starts = rng.permutation(self.starts(piece_id, instrument))
        given = np.array(self._given[piece_id, self.part(instrument)])
        shared = np.maximum(self.length - np.abs(starts[:, None] - given), 0).sum(axis=1)
        return [float(start) for start in starts[np.argsort(shared, kind="stable")]]

    def _active(self, piece: Piece, instrument: str) -> np.ndarray:
        last = piece.duration - self.length
        if last < -1e-3:
            self._refuse(
                f"{piece.id} was left out: it is {piece.duration:.1f} s long, an excerpt "
                f"{self.length:g} s."
            )
            return np.empty(0)
        starts = np.arange(math.floor(last / self._step + 1e-3) + 1) * self._step
        part = instrument if instrument in piece.stems else MIX
        try:
            sound = piece.audio(part, self.rate)
        except AudioError as error:
            self._refuse(f"{piece.id} was left out: {_said(error, piece)}")
            return np.empty(0)
        kept = starts[audio.activity(sound, self.rate, starts, self.length) >= ACTIVE]
        halves = np.arange(math.ceil(piece.duration / 0.5)) * 0.5
        silent = audio.activity(sound, self.rate, halves, 0.5) == 0
        kept = kept[np.array([_longest(silent, s, self.length) < REST for s in kept], np.bool_)]
        if not len(kept):
            self._refuse(
                f"{piece.id} was left out: no {self.length:g} s of it have {_name(instrument)} "
                f"in {ACTIVE:.0%} of the time and never {REST:g} s of silence."
            )
        return kept

    def _why_not(self, excerpt: Excerpt, instrument: str) -> str:
        """Measure an excerpt and let the model hear it; why it cannot be used, or nothing."""
        try:
            sound = self.cut(excerpt)
            self.hearing.listen(excerpt, instrument)
        except (AudioError, ModelError) as error:
            return _said(error, self.corpus[excerpt.piece]).rstrip(".")
        found = Measured(_matched(sound, self.rate), true_peak(sound, self.rate))
        if found.loudness < QUIETEST:
            return f"it is almost silent, {found.loudness:.0f} LUFS"
        if found.loudest < LOWEST:
            return (
                f"its true peak lies {found.true_peak - found.loudness:.0f} dB above its "
                f"loudness; {PEAK - LOWEST:.0f} dB would be the most"
            )
        self.measured[excerpt] = found
        return ""

    def _refuse(self, sentence: str) -> None:
        if sentence not in self.refusals:
            self.refusals.append(sentence)


def _rate(corpus: Corpus) -> int:
    """The highest sample rate of the pieces' first files, Hz, within what a study allows."""
    rates = []
    for piece in corpus:
        files = [file for name in piece.instruments for file in piece.stems[name]]
        try:
            rates += [audio.info(file).sample_rate for file in [*files, piece.mix][:1] if file]
        except AudioError as error:  # the piece will be refused when it is drawn
            _log.warning("%s", error)
    return min(max([*rates, _RATES[0]]), _RATES[1])


def _longest(silent: np.ndarray, start: float, length: float) -> float:
    """Seconds of the longest silence in an excerpt, in whole half-seconds of the piece."""
    longest = run = 0
    for half in silent[math.ceil(start / 0.5 - 1e-6) : math.floor((start + length) / 0.5 + 1e-6)]:
        run = run + 1 if half else 0
        longest = max(longest, run)
    return longest * 0.5


def _matched(sound: np.ndarray, rate: int) -> float:
    """Loudness, measured near the level at which the sound will be heard.

    BS.1770 leaves out what is softer than -70 LUFS, and in a soft excerpt that is more than in
    the same excerpt made louder.
    """
    first = loudness(sound, rate)
    if not math.isfinite(first):
        return first
    return first + loudness(sound * 10.0 ** ((TARGET - first) / 20.0), rate) - TARGET


def _said(error: Exception, piece: Piece) -> str:
    """The error's sentence, with names of files instead of their whole paths."""
    text = str(error)
    for file in [*(file for files in piece.stems.values() for file in files), piece.mix]:
        if file is not None:
            text = text.replace(str(file), file.name)
    return text


def _name(instrument: str) -> str:
    return "sound" if instrument == MIX else instrument
