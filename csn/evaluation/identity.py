"""P1: from one segment of a mix, can a subspace tell which piece it comes from?

Source: CSN section 4.2.1 and table 1. A weak test by itself: whoever hears the whole mix in
every subspace passes it, as plain statistics of the spectrogram do. See ``pseudo_mixes``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from csn.audio import activity, segment_starts
from csn.corpora.base import Corpus
from csn.errors import AudioError, CorpusError
from csn.evaluation.baselines import Embeds, System, systems
from csn.evaluation.knn import predict
from csn.evaluation.report import (
    Score,
    Scores,
    mean_and_deviation,
    notes,
    scores_json,
    scores_table,
    tidy,
)
from csn.evaluation.stems import SOUNDING, read_all
from csn.instruments import INSTRUMENTS

WHOLE = "whole"
"""Stands for all 640 dimensions where an instrument's name stands for its subspace."""


@dataclass(frozen=True)
class Identity:
    """The outcome of P1.

    Attributes:
        scores: length in seconds, then system, then instrument or ``whole``, to its score.
        settings: how it was done, with which model and corpus.
        problems: a sentence for everything that was left out.
    """

    scores: Mapping[float, Mapping[str, Scores]]
    settings: Mapping[str, Any]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain types, percent; no NaN.

        The first length stands at the top, every length under ``lengths`` by its seconds.
        """
        lengths = {f"{length:g}": scores_json(scores) for length, scores in self.scores.items()}
        return {
            **next(iter(lengths.values())),
            "lengths": lengths,
            "settings": tidy(self.settings),
            "problems": list(self.problems),
        }

    def table(self) -> str:
        """A table for each length, percent."""
        parts = [
            f"Identity (P1), % right: {length:g}-s segments, k = {self.settings['k']}\n"
            f"{scores_table(scores)}"
            for length, scores in self.scores.items()
        ]
        return "\n\n".join(parts) + notes(self.problems)


@dataclass
class _Segments:
    """All segments of one length, gathered piece by piece.

    Attributes:
        pieces: index of the piece, one entry a segment.
        times: first sample in the piece.
        heard: [5] bool, which instruments sound.
        vectors: system to its vectors.
    """

    pieces: list[np.ndarray] = field(default_factory=list)
    times: list[np.ndarray] = field(default_factory=list)
    heard: list[np.ndarray] = field(default_factory=list)
    vectors: dict[str, list[np.ndarray]] = field(default_factory=dict)


def identity(
    model: Embeds,
    corpus: Corpus,
    *,
    length: float | Sequence[float] = (3.0, 10.0),
    overlap: float = 0.5,
    k: int = 5,
    seed: int = 0,
    baselines: bool = True,
    progress: bool = True,
) -> Identity:
    """Name the piece of every segment by its nearest neighbours, one subspace at a time (P1).

    Each segment of a mix is asked for with all the others known. Silent segments of the mix are
    left out. An instrument is judged on, and by, the segments in which it sounds (at least 30 %
    of the frames of its stem), the whole embedding on all; where a piece has no stems, all its
    segments count for every instrument. *Strict* removes references of the same piece that
    overlap the query in time. The deviation is that of the pieces' own accuracies.

    Args:
        model: the model to be judged.
        corpus: the pieces of one split; stems are not needed.
        length: of a segment, seconds; one or several.
        overlap: of neighbouring segments, as a fraction.
        k: neighbours that vote; ties as in ``knn.vote``.
        seed: of the untrained encoder.
        baselines: judge an untrained encoder and statistics of the mix on the same sounds.
        progress: show a bar.

    Raises:
        CorpusError: fewer than two pieces can be read and are long enough.
    """
    lengths = tuple(length) if isinstance(length, Sequence) else (length,)
    judges = systems(model, baselines=baselines, seed=seed)
    rate = model.settings.sample_rate
    gathered = {seconds: _Segments() for seconds in lengths}
    problems, read = [], 0
    for number, (piece, sounds) in enumerate(read_all(corpus, rate, progress=progress, mixes=True)):
        if isinstance(sounds, AudioError):
            problems.append(f"{piece.id} was left out: {sounds}")
            continue
        read += 1
        for seconds, segments in gathered.items():
            _gather(segments, judges, number, sounds, rate=rate, length=seconds, overlap=overlap)
    scores = {}
    for seconds, segments in gathered.items():
        if len({int(number) for part in segments.pieces for number in part}) < 2:
            raise CorpusError(
                f"{corpus.uri} has fewer than two pieces that sound for {seconds:g} s, and "
                "pieces can only be told apart where there are two; give a larger corpus."
            )
        scores[seconds], reasons = _judge(segments, judges, round(seconds * rate), k)
        problems += [f"{seconds:g} s: {reason}" for reason in reasons]
    described = {
        "lengths": list(lengths),
        "overlap": overlap,
        "k": k,
        "seed": seed,
        "corpus": corpus.uri,
        "fingerprint": corpus.fingerprint(),
        "corpus_pieces": read,
        "split": "+".join(sorted({piece.split for piece in corpus})),
        "model": model.hash,
    }
    return Identity(scores, described, tuple(problems))


def _gather(
    segments: _Segments,
    judges: Sequence[System],
    number: int,
    sounds: Mapping[str, np.ndarray],
    *,
    rate: int,
    length: float,
    overlap: float,
) -> None:
    """Cut and embed one piece; the segments in which its mix is silent are left out."""
    mix = sounds["mix"]
    starts = segment_starts(len(mix) / rate, length, overlap)
    starts = starts[activity(mix, rate, starts, length) > 0]
    heard = np.ones((len(starts), len(INSTRUMENTS)), bool)
    if len(sounds) > 1:  # it has stems
        silence = np.zeros(len(mix), np.float32)
        for c, name in enumerate(INSTRUMENTS):
            stem = sounds.get(name, silence)
            heard[:, c] = activity(stem, rate, starts, length) >= SOUNDING
    segments.pieces.append(np.full(len(starts), number, np.int64))
    segments.times.append(np.rint(starts * rate).astype(np.int64))
    segments.heard.append(heard)
    for judge in judges:
        segments.vectors.setdefault(judge.name, []).append(judge.embed(mix, starts, length))


def _judge(
    segments: _Segments, judges: Sequence[System], length: int, k: int
) -> tuple[dict[str, Scores], list[str]]:
    """Scores of every system, and why an instrument has none; length in samples."""
    pieces, times = np.concatenate(segments.pieces), np.concatenate(segments.times)
    heard = np.concatenate(segments.heard)
    vectors = {name: np.concatenate(parts) for name, parts in segments.vectors.items()}
    scores: dict[str, dict[str, Score | None]] = {judge.name: {} for judge in judges}
    reasons = []
    for c, part in enumerate((*INSTRUMENTS, WHOLE)):
        kept = heard[:, c] if part != WHOLE else np.ones(len(pieces), bool)
        enough = len(np.unique(pieces[kept])) >= 2
        if not enough:
            reasons.append(f"{part} sounds in fewer than two pieces, so it has no score.")
        for judge in judges:
            if not enough:
                scores[judge.name][part] = None
                continue
            view = vectors[judge.name][kept]
            view = judge.part(view, part) if part != WHOLE else view
            scores[judge.name][part] = _score(
                judge.comparable(view), pieces[kept], times[kept], length, k
            )
    return dict(scores), reasons


def _score(
    vectors: np.ndarray, pieces: np.ndarray, times: np.ndarray, length: int, k: int
) -> Score:
    """The accuracy of one system in one subspace."""

    def nothing(rows: slice) -> np.ndarray:
        return np.zeros((rows.stop - rows.start, len(pieces)), bool)

    def overlapping(rows: slice) -> np.ndarray:
        same = pieces[rows, None] == pieces[None, :]
        near: np.ndarray = same & (np.abs(times[rows, None] - times[None, :]) < length)
        return near

    means, deviations = [], []
    for rule in (nothing, overlapping):
        right = predict(vectors, pieces, rule, k) == pieces
        by_piece = [100 * float(right[pieces == piece].mean()) for piece in np.unique(pieces)]
        means.append(100 * float(right.mean()))
        deviations.append(mean_and_deviation(by_piece)[1])
    chance = 100.0 / len(np.unique(pieces))
    return Score(means[0], deviations[0], means[1], deviations[1], chance, len(pieces))
