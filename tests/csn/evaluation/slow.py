"""The measures again, by loops over Python numbers: what the fast ones must agree with."""

import math
from pathlib import Path

import numpy as np
import soundfile

from csn.corpora.base import Corpus, Piece
from csn.instruments import INSTRUMENTS

from .conftest import RATE, Formula


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return math.sqrt(sum((float(x) - float(y)) ** 2 for x, y in zip(a, b, strict=True)))


def majority(neighbours: list[tuple[float, int, int]], k: int) -> int:
    """Label of (distance, index, label) neighbours: most votes, then nearest."""
    nearest = sorted(neighbours)[:k]
    votes: dict[int, int] = {}
    for _, _, label in nearest:
        votes[label] = votes.get(label, 0) + 1
    for _, _, label in nearest:
        if votes[label] == max(votes.values()):
            return label
    return -1


def accuracy(segments: list[dict], c: int | None, k: int, rule) -> list[bool]:
    """Whether each segment's piece is found; ``rule(query, reference)`` says what is barred."""
    part = slice(None) if c is None else slice(128 * c, 128 * (c + 1))
    vectors = [segment["vector"][part].tolist() for segment in segments]
    hits = []
    for i, query in enumerate(segments):
        neighbours = [
            (math.dist(vectors[i], vectors[j]), j, other["piece"])
            for j, other in enumerate(segments)
            if j != i and not rule(query, other)
        ]
        hits.append(majority(neighbours, k) == query["piece"])
    return hits


def stem(piece: Piece, name: str) -> list[float]:
    samples = round(piece.duration * RATE)
    if name not in piece.stems:
        return [0.0] * samples
    path: Path = piece.stems[name][0]
    return soundfile.read(path)[0].tolist()


def onset(sound: list[float]) -> int:
    for first in range(0, len(sound) - 39, 40):
        if sum(x * x for x in sound[first : first + 40]) / 40 > 1e-6:
            return first
    return 0


def sounding(sound: list[float]) -> float:
    """Fraction of 50-ms frames above -60 dBFS."""
    frames = [sound[first : first + 200] for first in range(0, len(sound) - 199, 200)]
    return sum(sum(x * x for x in frame) / 200 > 1e-6 for frame in frames) / len(frames)


def pseudo_segments(
    model: Formula, corpus: Corpus, c: int, pairs: list[tuple[int, int]], length: float
) -> list[dict]:
    """The segments of all A_B^(c), mixed sample by sample."""
    segments = []
    for mix, (a, b) in enumerate(pairs):
        focus = stem(corpus.pieces[a], INSTRUMENTS[c])
        others = [stem(corpus.pieces[b], name) for name in INSTRUMENTS if name != INSTRUMENTS[c]]
        backing = [sum(samples) for samples in zip(*others, strict=True)]
        at_focus, at_backing = onset(focus), onset(backing)
        shift = max(at_focus - at_backing, 0)
        skip = max(at_backing - at_focus, 0)
        heard = focus[shift:]
        sound = [x + y for x, y in zip(heard, backing[skip:], strict=False)]
        size = round(length * RATE)
        for first in range(0, len(sound) - size + 1, size // 2):
            if sounding(heard[first : first + size]) >= 0.3:
                cut = np.array(sound[first : first + size], np.float32)
                segments.append(
                    {
                        "piece": a,
                        "mix": mix,
                        "time": first + shift,
                        "vector": model.formula(cut).astype(np.float32),
                    }
                )
    return segments


def overlap(one: dict, other: dict, size: int) -> bool:
    """Whether two segments of one stem share a sample: one's first or last is among the other's."""
    mine = range(one["time"], one["time"] + size)
    return any(sample in mine for sample in (other["time"], other["time"] + size - 1))
