"""What retrieval asks: parts of pseudo-mixes, among the finished mixes of all pieces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from tqdm import tqdm

from csn.audio import SILENCE_DBFS, activity, rms_dbfs, segment_starts
from csn.evaluation.baselines import System
from csn.evaluation.draws import PseudoMixSettings, draw
from csn.evaluation.stems import SOUNDING, Stems
from csn.instruments import INSTRUMENTS
from csn.pseudomix import pseudo_mix
from csn.query import pool

SEGMENT: Final = 3.0
"""Seconds of a library's segment."""

OVERLAP: Final = 0.5
"""Of neighbouring segments, and of neighbouring queries."""


@dataclass(frozen=True)
class Held:
    """The library: segments of the finished mixes."""

    vectors: Mapping[str, np.ndarray]
    """System → [n, d]."""
    pieces: np.ndarray
    """[n]."""
    starts: np.ndarray
    """[n], seconds."""


@dataclass(frozen=True)
class Asked:
    """Queries for one instrument."""

    vectors: Mapping[str, np.ndarray]
    """System → [q, d]."""
    pieces: np.ndarray
    """[q], the piece in focus."""
    starts: np.ndarray
    """[q], seconds in the time of the stem in focus."""


def hold(stems: Stems, judges: Sequence[System], progress: bool) -> Held:
    """Embed the finished mix of every piece, as ``csn.embedding.embed_pieces`` does."""
    vectors: dict[str, list[np.ndarray]] = {judge.name: [] for judge in judges}
    starts, pieces = [], []
    for index in tqdm(range(len(stems)), desc="library", unit="piece", disable=not progress):
        mix = stems.backing(index, "")  # all stems but none
        own = stems.starts(index, SEGMENT, OVERLAP)
        for judge in judges:
            vectors[judge.name].append(judge.embed(mix, own, SEGMENT))
        starts.append(own)
        pieces.append(np.full(len(own), index))
    return Held(
        {name: np.concatenate(each) for name, each in vectors.items()},
        np.concatenate(pieces),
        np.concatenate(starts),
    )


def ask(
    stems: Stems,
    judges: Sequence[System],
    instrument: str,
    held: Held,
    *,
    length: float,
    mixes: int,
    seed: int,
    progress: bool,
) -> tuple[Asked | None, np.ndarray]:
    """The queries for one instrument.

    Args:
        stems: of all pieces.
        judges: who embeds them.
        instrument: in focus.
        held: the library.
        length: of a query, seconds.
        mixes: backings for each piece.
        seed: of the backings.
        progress: draw a bar.

    Returns:
        The queries, or None where too few pieces have the instrument; and [n] bool, in which of
        the library's segments it plays.
    """
    everyone = range(len(stems))
    plays = np.concatenate(
        [stems.sounding(i, instrument, SEGMENT, OVERLAP) for i in everyone]
    ).astype(bool)
    focus = [i for i in everyone if plays[held.pieces == i].any()]
    backing = [i for i in everyone if stems.backed(i, instrument, length, OVERLAP).any()]
    if len(focus) < 2 or len(backing) < mixes + 1:
        return None, plays
    settings = PseudoMixSettings(pieces=len(focus), mixes=mixes, length=length, seed=seed)
    rng = np.random.default_rng([seed, INSTRUMENTS.index(instrument)])
    pairs, _ = draw(focus, backing, [piece.tempo for piece in stems.pieces], rng, settings)
    vectors: dict[str, list[np.ndarray]] = {judge.name: [] for judge in judges}
    pieces, starts = [], []
    for a, b in tqdm(pairs, desc=instrument, unit="mix", disable=not progress):
        made, times = _queries(stems, judges, instrument, (a, b), length)
        for name, each in made.items():
            vectors[name] += each
        pieces += [a] * len(times)
        starts += times
    if not pieces:
        return None, plays
    stacked = {name: np.stack(each) for name, each in vectors.items()}
    return Asked(stacked, np.array(pieces), np.array(starts)), plays


def _queries(
    stems: Stems,
    judges: Sequence[System],
    instrument: str,
    pair: tuple[int, int],
    length: float,
) -> tuple[dict[str, list[np.ndarray]], list[float]]:
    """Every part of A_B^(c) in which c sounds: its vector by each system, its time in A."""
    rate = stems.sample_rate
    stem = stems.stem(pair[0], instrument)
    sound, offset = pseudo_mix(stem, stems.backing(pair[1], instrument), rate)
    starts = segment_starts(len(sound) / rate, length, OVERLAP)
    heard = stem[offset : offset + len(sound)]
    starts = starts[activity(heard, rate, starts, length) >= SOUNDING]
    inner = segment_starts(length, SEGMENT, OVERLAP)
    cut = (starts[:, None] + inner).reshape(-1)
    size = round(SEGMENT * rate)
    loud = np.array([rms_dbfs(sound[round(at * rate) :][:size]) > SILENCE_DBFS for at in cut], bool)
    owner = np.repeat(np.arange(len(starts)), len(inner))
    made: dict[str, list[np.ndarray]] = {}
    for judge in judges:
        parts = judge.embed(sound, cut, SEGMENT) if len(cut) else np.empty((0, 1))
        own = [parts[(owner == k) & loud] for k in range(len(starts))]
        made[judge.name] = [pool(x) if judge.subspaces else x.mean(axis=0) for x in own]
    return made, (offset / rate + starts).tolist()
