"""Stems played anew, so that P2 can be asked with the timbre held equal, or the notes.

Ours, no paper's. P2 can be won by timbre alone, or by notes alone; with one of them held equal for
all pieces, only the other is left to tell them apart. The instrument in focus is rendered from its
MIDI; what plays behind it stays as it is on disk.
"""

from pathlib import Path
from typing import Final

import numpy as np

from csn.corpora import levels, midi
from csn.corpora.base import Corpus, Piece
from csn.corpora.midi import Part
from csn.corpora.soundfonts import SoundFont, installed
from csn.corpora.synth import open_synth
from csn.errors import CorpusError, StemwiseError
from csn.evaluation.stems import Stems
from csn.instruments import INSTRUMENTS

HOLD: Final = ("timbre", "notes")
"""What can be held equal."""

_STEADY: Final = 0.7
"""A piece whose notes all others play must sound in this part of its segments."""

Timbre = tuple[int, str]
"""Program and name of the soundfont."""


class Held(Stems):
    """The stems of a corpus, those in focus rendered anew at one level, without a room.

    With ``timbre`` every piece plays its own notes with the program and soundfont of one piece.
    With ``notes`` every piece plays the notes of one piece with its own program and soundfont;
    of pieces with the same program and soundfont only the first sounds, for no ear could tell the
    others from it. Backings go by the tempo of the piece that stands for the class.

    Attributes:
        about: what was held, and which piece lent it, by instrument.
    """

    def __init__(
        self,
        corpus: Corpus,
        sample_rate: int,
        hold: str,
        *,
        seed: int = 0,
        progress: bool = True,
    ) -> None:
        """Read the stems on disk and their MIDI, and draw whose timbre or notes are lent.

        Args:
            corpus: rendered by ``csn render``, or Slakh: stems with ``MIDI`` beside them.
            sample_rate: Hz.
            hold: one of ``HOLD``.
            seed: of the draw.
            progress: show a bar.

        Raises:
            StemwiseError: an unknown ``hold``.
            CorpusError: the corpus has no MIDI.
            ToolError: no soundfont is installed.
        """
        if hold not in HOLD:
            raise StemwiseError(f"{hold!r} cannot be held equal; use {' or '.join(HOLD)}.")
        super().__init__(corpus, sample_rate, progress=progress)
        self._hold = hold
        self._fonts = {font.name: font for font in installed()}
        self._synth = open_synth(list(self._fonts.values()), sample_rate)
        self._parts = [
            {name: _read(piece, name) for name in piece.instruments} for piece in self.pieces
        ]
        if not any(parts for piece in self._parts for parts in piece.values()):
            raise CorpusError(f"{corpus.uri} has no MIDI beside its stems; render it anew.")
        self._lenders: dict[str, int] = {}
        for c, name in enumerate(INSTRUMENTS):
            rng = np.random.default_rng([seed, c])
            steady = [i for i in range(len(self)) if self._steady(i, name)]
            if steady:
                self._lenders[name] = int(rng.choice(steady))
        self._played: tuple[str, dict[int, np.ndarray]] = ("", {})
        lent = {name: self.pieces[i].id for name, i in self._lenders.items()}
        self.about = {"hold": hold, "lent_by": lent}

    def _steady(self, index: int, instrument: str) -> bool:
        """Whether a piece can lend: notes, a timbre that is installed, and few rests."""
        parts = self._parts[index].get(instrument)
        if not parts or self._timbre(index, instrument) is None:
            return False
        ends = max(float(part.notes[:, 0].max()) for part in parts)
        return ends > _STEADY * self._lengths[index] / self.sample_rate

    def _timbre(self, index: int, instrument: str) -> Timbre | None:
        """A piece's program and font, or None where its font is not installed."""
        parts = self._parts[index].get(instrument)
        if not parts:
            return None
        named = self.pieces[index].tags.get(f"soundfont_{instrument}")
        fonts: list[SoundFont] = (
            [self._fonts[named]]
            if named in self._fonts
            else ([] if named else list(self._fonts.values()))
        )
        program, drums = parts[0].program, parts[0].is_drum
        fit = [font.name for font in fonts if font.has(program, drums)]
        return (program, fit[0]) if fit else None

    def _as_played(self, index: int, instrument: str) -> tuple[list[Part], Timbre] | None:
        """Notes and timbre of a piece's focused stem; None where it is to be silent."""
        lender = self._lenders.get(instrument)
        own = self._timbre(index, instrument)
        if lender is None or own is None:
            return None
        lent = self._timbre(lender, instrument)
        if lent is None:
            return None
        if self._hold == "timbre":
            return self._parts[index][instrument], lent
        if any(self._timbre(i, instrument) == own for i in range(index)):
            return None
        return self._parts[lender][instrument], own

    def stem(self, index: int, instrument: str) -> np.ndarray:
        """The stem played anew, [samples] float32; zeros where it is to be silent."""
        if self._played[0] != instrument:
            self._played = (instrument, {})
        made = self._played[1]
        if index not in made:
            made[index] = self._render(index, instrument)
        return made[index]

    def _render(self, index: int, instrument: str) -> np.ndarray:
        length = self._lengths[index]
        answer = np.zeros(length, np.float32)
        what = self._as_played(index, instrument)
        if what is None:
            return answer
        parts, (program, font) = what
        for part in parts:
            played = Part(program, part.is_drum, part.notes, part.controls, part.name)
            sound = self._synth.render(played, font, length / self.sample_rate)[:length]
            answer[: len(sound)] += sound
        loud = levels.to_level(answer, self.sample_rate, levels.LEVELS[instrument])
        return np.zeros(length, np.float32) if loud is None else loud


def _read(piece: Piece, instrument: str) -> list[Part]:
    """The notes of an instrument, from the MIDI files beside its stems."""
    parts = []
    for stem in piece.stems[instrument]:
        file = Path(stem).parent.parent / "MIDI" / f"{stem.stem}.mid"
        if file.is_file():
            parts += [part for part in midi.read(file)[0] if len(part.notes)]
    return parts
