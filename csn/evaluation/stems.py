"""The stems of a corpus, decoded once and kept small, for measures that mix them many times."""

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from csn.audio import activity, segment_starts
from csn.corpora.base import Corpus, Piece
from csn.errors import AudioError
from csn.instruments import INSTRUMENTS

SOUNDING = 0.3
"""An instrument sounds in a segment when at least this fraction of its frames does.

Otherwise silence would be matched with silence. Our guess; CSN leaves silent parts out.
"""

_WORKERS = 2


@dataclass(frozen=True)
class _Stem:
    """One stem as 16-bit numbers that fill their range, so that quiet stems lose nothing."""

    samples: np.ndarray
    scale: float

    @classmethod
    def pack(cls, audio: np.ndarray) -> "_Stem":
        scale = float(np.abs(audio).max(initial=0.0)) / 32767.0
        if scale == 0.0:
            return cls(np.zeros(len(audio), np.int16), 0.0)
        return cls(np.rint(audio / scale).astype(np.int16), scale)

    def unpack(self) -> np.ndarray:
        return self.samples.astype(np.float32) * np.float32(self.scale)


def read_stems(piece: Piece, sample_rate: int) -> dict[str, np.ndarray]:
    """Every stem that a piece has.

    Args:
        piece: any piece.
        sample_rate: Hz.

    Returns:
        Instrument to [samples] float32, all equally long (padded with silence at the end).

    Raises:
        AudioError: a file is missing or damaged.
    """
    stems = {name: piece.audio(name, sample_rate) for name in piece.instruments}
    longest = max((len(stem) for stem in stems.values()), default=0)
    return {name: np.pad(stem, (0, longest - len(stem))) for name, stem in stems.items()}


def read_all(
    corpus: Corpus, sample_rate: int, *, progress: bool = True, mixes: bool = False
) -> Iterator[tuple[Piece, Mapping[str, np.ndarray] | AudioError]]:
    """Read the pieces of a corpus in order, some ahead of the one in use.

    Args:
        corpus: what to read.
        sample_rate: Hz.
        progress: show a bar.
        mixes: also read the mix, under the key ``mix``.

    Yields:
        A piece with its stems, or with the error that one of its files raised.
    """

    def read(piece: Piece) -> Mapping[str, np.ndarray] | AudioError:
        try:
            sounds = read_stems(piece, sample_rate)
            if mixes and (piece.mix is not None or not sounds):
                sounds["mix"] = piece.audio("mix", sample_rate)
            elif mixes:
                sounds["mix"] = np.add.reduce(list(sounds.values()))
        except AudioError as error:
            return error
        return sounds

    ahead: deque[tuple[Piece, Future[Mapping[str, np.ndarray] | AudioError]]] = deque()
    with (
        ThreadPoolExecutor(_WORKERS) as pool,
        tqdm(total=len(corpus), desc="reading", unit="piece", disable=not progress) as bar,
    ):
        for piece in corpus:
            ahead.append((piece, pool.submit(read, piece)))
            if len(ahead) > _WORKERS:
                done, sounds = ahead.popleft()
                yield done, sounds.result()
                bar.update()
        for done, sounds in ahead:
            yield done, sounds.result()
            bar.update()


class Stems:
    """Stems of a corpus in memory, read again only where they do not all fit.

    Attributes:
        pieces: those whose stems could all be read.
        problems: one sentence for each piece that could not.
        sample_rate: Hz.
        about: what a report must say about them.
    """

    def __init__(
        self,
        corpus: Corpus,
        sample_rate: int,
        *,
        budget: int = 2 << 30,
        progress: bool = True,
    ) -> None:
        """Read every stem once.

        Args:
            corpus: pieces without stems are passed over silently.
            sample_rate: Hz.
            budget: bytes to keep at 2 a sample; what was used longest ago goes first.
            progress: show a bar.
        """
        self.sample_rate = sample_rate
        self.about: dict[str, Any] = {}
        self.problems: list[str] = []
        self._budget, self._held = budget, 0
        self._kept: OrderedDict[int, dict[str, _Stem]] = OrderedDict()
        self._lengths: list[int] = []
        self._active: dict[tuple[int, str, float, float, bool], np.ndarray] = {}
        pieces: list[Piece] = []
        for piece, sounds in read_all(corpus, sample_rate, progress=progress):
            if isinstance(sounds, AudioError):
                self.problems.append(f"{piece.id} was left out: {sounds}")
            elif sounds:
                pieces.append(piece)
                self._lengths.append(len(next(iter(sounds.values()))))
                self._keep(len(pieces) - 1, sounds)
        self.pieces = tuple(pieces)

    def _keep(self, index: int, sounds: Mapping[str, np.ndarray]) -> dict[str, _Stem]:
        packed = {name: _Stem.pack(sound) for name, sound in sounds.items()}
        self._kept[index] = packed
        self._held += sum(stem.samples.nbytes for stem in packed.values())
        while self._held > self._budget and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._held -= sum(stem.samples.nbytes for stem in oldest.values())
        return packed

    def _piece(self, index: int) -> dict[str, _Stem]:
        if index in self._kept:
            self._kept.move_to_end(index)
            return self._kept[index]
        return self._keep(index, read_stems(self.pieces[index], self.sample_rate))

    def __len__(self) -> int:
        return len(self.pieces)

    def stem(self, index: int, instrument: str) -> np.ndarray:
        """One stem, [samples] float32; zeros for an instrument that the piece lacks."""
        stem = self._piece(index).get(instrument)
        return np.zeros(self._lengths[index], np.float32) if stem is None else stem.unpack()

    def backing(self, index: int, instrument: str) -> np.ndarray:
        """The sum of all stems but one, [samples] float32."""
        total = np.zeros(self._lengths[index], np.float32)
        for name, stem in self._piece(index).items():
            if name != instrument:
                total += stem.unpack()
        return total

    def starts(self, index: int, length: float, overlap: float) -> np.ndarray:
        """Where the piece's own segments begin, [segments] seconds."""
        return segment_starts(self._lengths[index] / self.sample_rate, length, overlap)

    def sounding(self, index: int, instrument: str, length: float, overlap: float) -> np.ndarray:
        """In which of the piece's own segments an instrument sounds, [segments] bool."""
        return self._sounding(index, instrument, length, overlap, on_disk=False)

    def _sounding(
        self, index: int, instrument: str, length: float, overlap: float, *, on_disk: bool
    ) -> np.ndarray:
        """The same, of the stem that can be in focus or of the one on disk."""
        key = (index, instrument, length, overlap, on_disk)
        if key not in self._active:
            starts = self.starts(index, length, overlap)
            if instrument in self.pieces[index].stems:
                # In ``held`` a stem in focus is another than the one on disk.
                read = Stems.stem if on_disk else type(self).stem
                sound = read(self, index, instrument)
                active = activity(sound, self.sample_rate, starts, length) >= SOUNDING
            else:
                active = np.zeros(len(starts), bool)
            self._active[key] = active
        return self._active[key]

    def backed(self, index: int, instrument: str, length: float, overlap: float) -> np.ndarray:
        """In which segments at least one *other* instrument sounds, [segments] bool."""
        others = [name for name in INSTRUMENTS if name != instrument]
        return np.logical_or.reduce(
            [self._sounding(index, name, length, overlap, on_disk=True) for name in others]
        )
