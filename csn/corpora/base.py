"""What a piece and a corpus are, whatever layout they were read from."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from csn import audio
from csn.errors import CorpusError
from csn.instruments import INSTRUMENTS


@dataclass(frozen=True)
class Piece:
    """One piece of music: its stems by instrument, or only its mix.

    Attributes:
        id: unique in its corpus, e.g. ``Track00001``.
        title: what a person would call it, e.g. ``Slow bossa in D, 96 BPM``.
        split: ``train``, ``validation``, ``test`` or empty.
        duration: seconds.
        tempo: beats per minute, or None where it is unknown.
        tags: key, groove, groove_file, source, soundfont_drums ...; free.
        stems: instrument to the files that sum to it; an absent instrument has no key.
        mix: the file of the mix; None means that the mix is the sum of the stems.
    """

    id: str
    title: str
    split: str
    duration: float
    tempo: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    stems: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    mix: Path | None = None

    @property
    def instruments(self) -> tuple[str, ...]:
        """The instruments that have a stem, in the order of the conditions."""
        return tuple(name for name in INSTRUMENTS if name in self.stems)

    @property
    def files(self) -> tuple[tuple[str, Path], ...]:
        """Every file of the piece with its part: the stems of each instrument, then the mix."""
        stems = [(name, file) for name in self.instruments for file in self.stems[name]]
        return (*stems, *([] if self.mix is None else [("mix", self.mix)]))

    def audio(
        self, part: str, sample_rate: int, *, start: float = 0.0, length: float | None = None
    ) -> np.ndarray:
        """Read the mix or one instrument.

        Args:
            part: ``mix`` or one of ``INSTRUMENTS``.
            sample_rate: of the answer, Hz.
            start: seconds from the piece's beginning.
            length: seconds; None reads to the end.

        Returns:
            [samples] float32, mono. An instrument that the piece lacks gives zeros.

        Raises:
            AudioError: a file is missing or damaged.
            ValueError: no such part.
        """
        if part == "mix" and self.mix is not None:
            return audio.read(self.mix, sample_rate, start=start, length=length)
        if part == "mix":
            files = [file for name in self.instruments for file in self.stems[name]]
        elif part in INSTRUMENTS:
            files = list(self.stems.get(part, ()))
        else:
            raise ValueError(f"there is no part {part!r}; choose mix or one of {INSTRUMENTS}")
        seconds = max(self.duration - start, 0.0) if length is None else length
        # A header's whole number of samples must survive the way through seconds and back.
        samples = math.ceil(min(seconds, self.duration - start) * sample_rate - 1e-6)
        total = np.zeros(max(samples, 0), np.float32)
        # Side by side, because a listener waits for it: decoding leaves the interpreter alone.
        with ThreadPoolExecutor(max(len(files), 1)) as pool:
            read = partial(audio.read, sample_rate=sample_rate, start=start, length=length)
            stems = list(pool.map(read, files))
        for stem in stems:
            if len(stem) > len(total):
                total = np.pad(total, (0, len(stem) - len(total)))
            total[: len(stem)] += stem
        return total


@dataclass(frozen=True)
class Corpus:
    """Pieces from one place, with one line for everything that was skipped on the way.

    Attributes:
        uri: what ``open_corpus`` was given, e.g. ``slakh:/data/slakh2100``.
        name: a short name for screens.
        pieces: in the order of their ids.
        problems: one sentence for each file or piece that was left out or is odd.
    """

    uri: str
    name: str
    pieces: tuple[Piece, ...]
    problems: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pieces)

    def __iter__(self) -> Iterator[Piece]:
        return iter(self.pieces)

    def __getitem__(self, piece_id: str) -> Piece:
        """The piece with this id.

        Raises:
            CorpusError: there is none.
        """
        try:
            return self._by_id[piece_id]
        except KeyError:
            raise CorpusError(f"{self.uri} holds no piece {piece_id!r}.") from None

    @cached_property
    def _by_id(self) -> dict[str, Piece]:
        return {piece.id: piece for piece in self.pieces}

    def only(self, split: str) -> "Corpus":
        """The pieces of one split; an empty name or ``all`` keeps every piece.

        Raises:
            CorpusError: the corpus has no such split.
        """
        if split in ("", "all"):
            return self
        pieces = tuple(piece for piece in self.pieces if piece.split == split)
        if not pieces:
            there = ", ".join(sorted({piece.split or "(none)" for piece in self.pieces}))
            raise CorpusError(
                f"{self.uri} has no split {split!r}; it has: {there or 'no pieces at all'}."
            )
        return replace(self, pieces=pieces)

    def tagged(self, tag: str, value: str) -> "Corpus":
        """The pieces that carry a tag with this value, e.g. ``source`` and ``mma``.

        Raises:
            CorpusError: no piece does.
        """
        pieces = tuple(piece for piece in self.pieces if piece.tags.get(tag) == value)
        if not pieces:
            there = ", ".join(sorted({piece.tags.get(tag, "(none)") for piece in self.pieces})[:9])
            raise CorpusError(f"{self.uri} has no piece whose {tag} is {value!r}; it has: {there}.")
        return replace(self, pieces=pieces)

    def fingerprint(self) -> str:
        """SHA-256 (hex) over the pieces' ids, splits, and their files' names and sizes.

        Raises:
            CorpusError: a file has vanished since the corpus was opened.
        """
        digest = hashlib.sha256()
        for piece in self.pieces:
            digest.update(f"{piece.id}\0{piece.split}\0".encode())
            for part, file in piece.files:
                try:
                    size = file.stat().st_size
                except OSError as error:
                    raise CorpusError(
                        f"{file} was there a moment ago and is not any more ({error.strerror}); "
                        f"open {self.uri} again."
                    ) from error
                digest.update(f"{part}\0{file.name}\0{size}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()
