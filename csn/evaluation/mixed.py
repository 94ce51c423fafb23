"""The pseudo-mixes of P2, made once and embedded by every system that is judged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from csn.audio import activity, segment_starts
from csn.evaluation.baselines import System
from csn.evaluation.draws import Pairs, PseudoMixSettings
from csn.evaluation.stems import SOUNDING, Stems
from csn.instruments import INSTRUMENTS
from csn.pseudomix import pseudo_mix


@dataclass(frozen=True)
class Mixed:
    """The segments of one pseudo-mix in which the focused stem sounds.

    Attributes:
        vectors: system to [segments, d] float32, the focused instrument's part.
        times: [segments] int64, first sample of each segment in the focused stem's own time.
    """

    vectors: dict[str, np.ndarray]
    times: np.ndarray


class Mixer:
    """Makes A_B^(c) for one instrument c.

    Attributes:
        instrument: in focus.
    """

    def __init__(
        self,
        stems: Stems,
        judges: Sequence[System],
        instrument: str,
        settings: PseudoMixSettings,
    ) -> None:
        """Take what all its pseudo-mixes have in common.

        Args:
            stems: the pieces.
            judges: the systems that embed.
            instrument: in focus.
            settings: length, overlap, seed and levels are used.
        """
        self.instrument = instrument
        self._stems, self._judges, self._settings = stems, judges, settings

    def make(self, plans: Sequence[Pairs], progress: bool) -> dict[tuple[int, int], Mixed]:
        """Make every pseudo-mix of all rounds once.

        Args:
            plans: the (A, B) of each round.
            progress: show a bar.

        Returns:
            (A, B) to the segments of A_B^(c).
        """
        pairs = sorted({pair for plan in plans for pair in plan})  # A by A: stems stay at hand
        title = f"{self.instrument}: pseudo-mixes"
        bar = tqdm(pairs, desc=title, unit="mix", disable=not progress)
        return {(a, b): self.mix(a, b) for a, b in bar}

    def mix(self, a: int, b: int) -> Mixed:
        """A_B^(c), cut and embedded by every system."""
        s, rate = self._settings, self._stems.sample_rate
        focus = self._stems.stem(a, self.instrument)
        backing = self._stems.backing(b, self.instrument)
        sound, offset = pseudo_mix(focus * self.gain(a, b), backing, rate)
        starts = segment_starts(len(sound) / rate, s.length, s.overlap)
        # As loud as on disk, so that the same segments are asked for at every level.
        heard = focus[offset : offset + len(sound)]
        starts = starts[activity(heard, rate, starts, s.length) >= SOUNDING]
        vectors = {
            judge.name: judge.part(judge.embed(sound, starts, s.length), self.instrument)
            for judge in self._judges
        }
        return Mixed(vectors, offset + np.rint(starts * rate).astype(np.int64))

    def gain(self, a: int, b: int) -> np.float32:
        """The factor on the focused stem of A_B^(c): drawn, but the same in every round."""
        s = self._settings
        if not s.levels:
            return np.float32(1.0)
        rng = np.random.default_rng([s.seed, INSTRUMENTS.index(self.instrument), a, b])
        return np.float32(10 ** (rng.uniform(-s.levels, s.levels) / 20))
