"""Short clips for people to hear: a part of a piece, cut out, faded and packed as WAV.

Browsers ask for many clips in a row while a pointer moves over a map. So a clip is decoded alone
at the rate of its own file (nothing is resampled, torch stays unloaded), the rest of its piece in
the background (``csn.decoded``), and the latest clips are kept.
"""

import logging
import math
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import suppress
from threading import Lock
from typing import Final

import numpy as np

from csn import audio
from csn.corpora.base import Corpus, Piece
from csn.decoded import Decoded
from csn.errors import AudioError, CorpusError
from csn.instruments import INSTRUMENTS

FADE: Final = 0.005
"""Seconds at both ends of a clip, so that it neither starts nor stops with a click."""

LONGEST: Final = 30.0
"""Seconds; a longer clip is refused, because clips are held in memory."""

_log: Final = logging.getLogger(__name__)
_MOST_RATE: Final = 48_000  # Hz; what is heard needs no more
_CACHE_BYTES: Final = 64 * 2**20


def clip(corpus: Corpus, piece_id: str, part: str, start: float, length: float) -> bytes:
    """A clip as a 16-bit mono WAV file.

    Args:
        corpus: where the piece is looked up; nothing else can be reached.
        piece_id: of the piece.
        part: ``mix`` or one of ``INSTRUMENTS``.
        start: seconds from the piece's beginning.
        length: seconds, above 0 and at most ``LONGEST``; the clip is shorter where the piece ends.

    Returns:
        The bytes of the WAV file. An instrument that the piece lacks gives silence.

    Raises:
        CorpusError: the corpus has no such piece.
        AudioError: no such part, a place outside the piece, or a file that cannot be read.
    """
    key = (corpus.uri, corpus.name, piece_id, part, float(start), float(length))
    cached = _cache.get(key)
    if cached is not None:
        return cached
    piece = _checked(corpus, piece_id, part, start, length)
    try:
        rate = _rate(piece)
        samples = slice(round(start * rate), round((start + length) * rate))
        ready = _decoded.clip(corpus.uri, piece, part, samples)
        if ready is None:
            sound = piece.audio(part, rate, start=start, length=length)
            _decoded.want(corpus.uri, piece, part, rate)
        else:
            sound = ready
    except AudioError as error:
        _log.warning("%s", error)  # names a file: for the person who runs the app, not for others
        raise AudioError(
            f"{piece_id} cannot be played: a sound file of it is missing or damaged."
        ) from error
    answer = audio.write_wav(faded(sound, rate), rate)
    _cache.put(key, answer)
    return answer


def warm(corpus: Corpus) -> None:
    """Decode the mixes of a corpus's first pieces in the background, as many as are held."""

    def rated() -> Iterator[tuple[Piece, int]]:
        for piece in corpus.pieces:
            with suppress(AudioError):  # said when it is asked for
                yield piece, _rate(piece)

    _decoded.fill(corpus.uri, rated())


def faded(sound: np.ndarray, sample_rate: int) -> np.ndarray:
    """Raised-cosine fades of ``FADE`` seconds at both ends.

    Args:
        sound: [samples] float32; left as it is.
        sample_rate: Hz.

    Returns:
        [samples] float32. A sound shorter than two fades gets two of half its length.
    """
    size = min(round(FADE * sample_rate), len(sound) // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(size) + 0.5) / max(size, 1))
    answer = np.array(sound, np.float32)
    answer[:size] *= ramp.astype(np.float32)
    answer[len(answer) - size :] *= ramp[::-1].astype(np.float32)
    return answer


def _checked(corpus: Corpus, piece_id: str, part: str, start: float, length: float) -> Piece:
    """The piece, once everything that was asked for makes sense."""
    if part != "mix" and part not in INSTRUMENTS:
        raise AudioError(f"There is no part {part[:80]!r}; ask for mix, {', '.join(INSTRUMENTS)}.")
    if not (math.isfinite(start) and start >= 0):
        raise AudioError("A clip's start is a number of seconds, 0 or more.")
    if not (math.isfinite(length) and 0 < length <= LONGEST):
        raise AudioError(f"A clip's length is above 0 and at most {LONGEST:g} seconds.")
    try:
        piece = corpus[piece_id]
    except CorpusError:
        raise CorpusError(f"This library holds no piece {piece_id[:80]!r}.") from None
    if start >= piece.duration:
        raise AudioError(f"{piece_id} ends at {piece.duration:.2f} s, before {start:g} s.")
    return piece


def _rate(piece: Piece) -> int:
    """The sample rate of the piece's first file, Hz, at most 48,000."""
    files = [file for name in piece.instruments for file in piece.stems[name]]
    if piece.mix is not None:
        files.insert(0, piece.mix)
    if not files:
        raise AudioError(f"{piece.id} has no audio: neither a mix nor a stem.")
    return min(audio.info(files[0]).sample_rate, _MOST_RATE)


class _Recent:
    """The most recently used clips, up to a number of bytes; safe to use from many threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._clips: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> bytes | None:
        with self._lock:
            if key in self._clips:
                self._clips.move_to_end(key)
            return self._clips.get(key)

    def put(self, key: Hashable, value: bytes) -> None:
        with self._lock:
            self._held += len(value) - len(self._clips.pop(key, b""))
            self._clips[key] = value
            while self._held > self._most and self._clips:
                self._held -= len(self._clips.popitem(last=False)[1])


_cache: Final = _Recent(_CACHE_BYTES)
_decoded: Final = Decoded()
