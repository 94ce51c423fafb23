"""Stems as mel magnitudes in one memory-mapped file, from which training mixes in no time.

Mel *power* adds up over stems but for their cross terms, so a mix's log-mel is made from its
stems' without going back to sound; a network trained so works as well on true mixes.
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from csn.errors import CorpusError
from csn.features import FeatureSettings
from csn.instruments import INSTRUMENTS
from csn.pseudomix import ABSENT

_GRID = 4
"""Windows may begin at every fourth frame: fine enough for training, small enough to list."""


class StemStore:
    """The stems of a corpus as half-precision square roots of mel power.

    Attributes:
        pieces: ids of the pieces, in the order of the numbers used here.
        tempos: BPM of each piece, or None.
        features: the settings of the spectrograms.
        width: frames of a window.
        resident: whether the spectrograms lie in a device's memory, see ``keep_on``.
    """

    def __init__(
        self,
        folder: Path,
        seconds: float,
        *,
        sounding: float = 0.3,
        limit: int | None = None,
        most: int | None = None,
    ) -> None:
        """Open a store written by ``prepare_stems``.

        Args:
            folder: where it lies.
            seconds: length of a window.
            sounding: the least part of a window's frames in which its stem must sound.
            limit: use only the first so many non-silent windows of each stem at 50 % overlap
                (the paper's 40); None uses all of them at any start.
            most: use only so many pieces, drawn once and for all; None uses all. A larger choice
                holds the smaller ones.

        Raises:
            CorpusError: an instrument sounds in fewer than two pieces.
        """
        self._opened = folder, seconds, sounding, limit, most
        index = json.loads((folder / "index.json").read_text())
        self.features = FeatureSettings(**index["features"])
        order = np.random.default_rng(0).permutation(len(index["pieces"]))
        kept = np.sort(order[:most])
        self.pieces: list[str] = [index["pieces"][p] for p in kept]
        self.tempos: list[float | None] = [index["tempos"][p] for p in kept]
        self.width = self.features.frames(seconds)
        self.resident = False
        table = np.load(folder / "table.npy")[kept]  # [pieces, 5, 3]: first row, frames, onset
        self._first, self._frames, self._onset = table[..., 0], table[..., 1], table[..., 2]
        self._mel = torch.from_numpy(np.load(folder / "mel.npy", mmap_mode="c"))
        active = np.load(folder / "active.npy")
        self._total = np.concatenate([[0], active.cumsum(dtype=np.int32)])
        self._sounding = sounding
        self._starts = [
            [self._windows(p, c, limit) for c in range(len(INSTRUMENTS))]
            for p in range(len(self.pieces))
        ]
        self._playing = [
            np.array([p for p in range(len(self.pieces)) if len(self._starts[p][c])], np.int64)
            for c in range(len(INSTRUMENTS))
        ]
        for c, name in enumerate(INSTRUMENTS):
            if len(self._playing[c]) < 2:
                raise CorpusError(
                    f"Only {len(self._playing[c])} pieces have sounding {name}; training needs "
                    "at least two for each instrument. Add pieces."
                )

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process opens the same files."""
        folder, seconds, sounding, limit, most = self._opened
        again = partial(StemStore, sounding=sounding, limit=limit, most=most)
        return again, (folder, seconds)

    def _windows(self, p: int, c: int, limit: int | None) -> np.ndarray:
        frames = int(self._frames[p, c])
        if frames < self.width:
            return np.empty(0, np.int64)
        step = _GRID if limit is None else self.width // 2
        starts = np.arange(0, frames - self.width + 1, step)
        return starts[self._active(p, c, starts) >= self._sounding * self.width][:limit]

    def _active(self, p: int, c: int, starts: np.ndarray) -> np.ndarray:
        """Sounding frames of a stem in the windows that begin at these frames."""
        last = self._first[p, c] + self._frames[p, c]
        begin = np.minimum(self._first[p, c] + starts, last)
        counts: np.ndarray = self._total[np.minimum(begin + self.width, last)] - self._total[begin]
        return counts

    def heard(self, pieces: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Which stems of these mixes sound enough to be heard.

        Args:
            pieces: [mixes, 5] int64, ``ABSENT`` for none.
            starts: [mixes, 5] int64 frames.

        Returns:
            [mixes, 5] bool.
        """
        answer = np.zeros(pieces.shape, bool)
        for i, c in zip(*np.nonzero(pieces != ABSENT), strict=True):
            count = self._active(int(pieces[i, c]), int(c), starts[i, c : c + 1])[0]
            answer[i, c] = count >= self._sounding * self.width
        return answer

    def playing(self, c: int) -> np.ndarray:
        """Ids of the pieces whose instrument c has a sounding window: [n] int64."""
        return self._playing[c]

    def starts(self, piece: int, c: int) -> np.ndarray:
        """Frames at which a sounding window of a stem may begin: [n] int64."""
        return self._starts[piece][c]

    def sounds(self, piece: int, c: int, start: int) -> bool:
        """Whether a stem sounds enough in the window that begins at this frame."""
        starts = self._starts[piece][c]
        at = int(np.searchsorted(starts, start))
        near = starts[max(at - 1, 0) : at + 1]
        return bool(len(near)) and int(np.abs(near - start).min()) < _GRID

    def onset(self, piece: int, c: int) -> int:
        """Frame of a stem's first onset."""
        return int(self._onset[piece, c])

    def last(self, piece: int) -> int:
        """Last frame at which a window fits into a piece."""
        return max(int(self._frames[piece].max()) - self.width, 0)

    def power(self, pieces: np.ndarray, starts: np.ndarray) -> Tensor:
        """Cut windows out of stems.

        Args:
            pieces: [mixes, 5] int64, ``ABSENT`` for none.
            starts: [mixes, 5] int64 frames.

        Returns:
            [mixes, 5, frames, bands] float16 square roots of mel power; zeros where absent or
            beyond a stem's end.
        """
        if self.resident:
            return self._gathered(pieces, starts)
        out = torch.zeros(*pieces.shape, self.width, self.features.bands, dtype=torch.float16)
        for i, c in zip(*np.nonzero(pieces != ABSENT), strict=True):
            p, start = pieces[i, c], starts[i, c]
            count = min(self.width, int(self._frames[p, c]) - int(start))
            if count > 0:
                row = int(self._first[p, c] + start)
                out[i, c, :count] = self._mel[row : row + count]
        return out

    def keep_on(self, device: torch.device) -> None:
        """Hold all spectrograms in a device's memory, so that a step sends it only indices.

        Nothing changes where they do not fit: windows are then cut in main memory and sent.
        """
        try:
            self._mel = self._mel.to(device)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            return
        self.resident = True

    def _gathered(self, pieces: np.ndarray, starts: np.ndarray) -> Tensor:
        """``power`` by one indexing operation, on the device that holds the spectrograms."""
        there, c = pieces != ABSENT, np.arange(pieces.shape[1])
        piece = np.where(there, pieces, 0)
        count = np.where(there, np.clip(self._frames[piece, c] - starts, 0, self.width), 0)
        first = np.where(count > 0, self._first[piece, c] + starts, 0)
        device = self._mel.device
        # Copies from pinned memory are queued; others would wait for all that is queued already.
        both = torch.from_numpy(np.stack([first, count]))
        both = (both.pin_memory() if device.type == "cuda" else both).to(device, non_blocking=True)
        step = torch.arange(self.width, device=device)
        rows = (both[0, ..., None] + step).clamp_(max=len(self._mel) - 1)
        return self._mel[rows].masked_fill_((step >= both[1, ..., None])[..., None], 0)

    def statistics(
        self, windows: int = 2000, seed: int = 0, instruments: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mean and deviation per band of the compressed mel of random mixes.

        Args:
            windows: how many.
            seed: of the choice.
            instruments: mix only these conditions; all by default.

        Returns:
            Two tensors of [bands] float32, for ``LogMel.mean`` and ``LogMel.deviation``.
        """
        generator = np.random.default_rng(seed)
        pieces = np.repeat(generator.integers(len(self.pieces), size=(windows, 1)), 5, axis=1)
        starts = np.stack([np.full(5, generator.integers(self.last(p[0]) + 1)) for p in pieces])
        if instruments is not None:
            pieces[:, [c for c in range(len(INSTRUMENTS)) if c not in instruments]] = ABSENT
        first, second = torch.zeros(2, self.features.bands, dtype=torch.float64)
        for at in range(0, windows, 100):  # all at once would be gigabytes
            roots = self.power(pieces[at : at + 100], starts[at : at + 100]).cpu()
            power = roots.float().square().sum(1)
            mel = torch.log10(1 + self.features.gain * power).flatten(0, 1).double()
            first, second = first + mel.sum(0), second + mel.square().sum(0)
        count = windows * self.width
        mean = first / count
        variance = (second - count * mean.square()).clamp(min=0) / (count - 1)
        return mean.float(), variance.sqrt().float().clamp(min=1e-3)
