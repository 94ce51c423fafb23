"""What does a subspace know? Simple classifiers, asked about pieces they have not met.

Ours, no paper's. A subspace should know its own instrument's program, and little of the other
instruments' programs, the level, the soundfont or the groove that its pieces were made with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from csn.audio import activity, segment_starts
from csn.corpora.base import Corpus, Piece
from csn.errors import AudioError, CorpusError
from csn.evaluation.baselines import Embeds, System, systems
from csn.evaluation.report import TITLES, columns, notes, number, tidy
from csn.evaluation.stems import SOUNDING, read_all
from csn.instruments import INSTRUMENTS

PROPERTIES: Final = (
    "program", "program of another", "soundfont", "groove file", "key", "tempo", "level",
)  # fmt: skip
"""What is asked; tempo and level are asked in thirds, the key by its tonic."""

_FOLDS: Final = 5
_FEWEST: Final = 5
"""Pieces that a class must have, or it cannot be learnt from some and asked about others."""


@dataclass(frozen=True)
class Probe:
    """How well one property can be read from a subspace.

    Attributes:
        right: system to % of held-out segments that are named rightly.
        chance: % that are right when always naming the commonest class.
        classes: how many there are.
        pieces: that have one of them.
    """

    right: Mapping[str, float]
    chance: float
    classes: int
    pieces: int


@dataclass(frozen=True)
class Probes:
    """The outcome.

    Attributes:
        found: instrument, then property, to its probe; None where there are too few pieces.
        settings: how it was done.
        problems: a sentence for everything that was left out.
    """

    found: Mapping[str, Mapping[str, Probe | None]]
    settings: Mapping[str, Any]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain types, percent."""
        probes = {
            name: {what: vars(probe) if probe else None for what, probe in of.items()}
            for name, of in self.found.items()
        }
        return {
            "instruments": tidy(probes),
            "settings": tidy(self.settings),
            "problems": list(self.problems),
        }

    def table(self) -> str:
        """A line for each subspace and property."""
        rows = [["", "", *TITLES.values(), "chance", "classes", "pieces"]]
        for name, of in self.found.items():
            for what, probe in of.items():
                if probe is None:
                    rows.append([name, what, "too few pieces"])
                    continue
                shown = [number(probe.right.get(system)) for system in TITLES]
                counts = [number(probe.chance), str(probe.classes), str(probe.pieces)]
                rows.append([name, what, *shown, *counts])
        return f"Probes, % of held-out segments\n{columns(rows)}{notes(self.problems)}"


def probes(
    model: Embeds,
    corpus: Corpus,
    *,
    pieces: int = 300,
    length: float = 10.0,
    seed: int = 0,
    baselines: bool = True,
    progress: bool = True,
) -> Probes:
    """Train a logistic regression for every property and subspace, and ask it about other pieces.

    Segments are those in which the instrument sounds (at least 30 % of its frames), half
    overlapping. The classifier learns from four fifths of the pieces and is asked about the rest,
    five times over; pieces of one groove file or song stay together, but for the groove file
    itself, where pieces do. Classes with fewer than five pieces are left out.

    Args:
        model: the model to be judged.
        corpus: pieces with stems; what is not tagged is not asked.
        pieces: draw so many; several of each groove file must be among them.
        length: of a segment, seconds.
        seed: of the draw, and of the untrained encoder.
        baselines: ask an untrained encoder and statistics of the mix too.
        progress: show a bar.

    Raises:
        CorpusError: no piece has stems that can be read.
    """
    judges = systems(model, baselines=baselines, seed=seed)
    rate = model.settings.sample_rate
    order = np.random.default_rng(seed).permutation(len(corpus))
    drawn = [corpus.pieces[i] for i in np.sort(order[:pieces]) if corpus.pieces[i].stems]
    rows: dict[str, list[_Rows]] = {name: [] for name in INSTRUMENTS}
    problems = []
    some = Corpus(corpus.uri, corpus.name, tuple(drawn))
    for piece, sounds in read_all(some, rate, progress=progress, mixes=True):
        if isinstance(sounds, AudioError):
            problems.append(f"{piece.id} was left out: {sounds}")
            continue
        mix = sounds["mix"]
        starts = segment_starts(len(mix) / rate, length)
        vectors = {judge.name: judge.embed(mix, starts, length) for judge in judges}
        for name in piece.instruments:
            heard = activity(sounds[name], rate, starts, length) >= SOUNDING
            kept = {judge.name: judge.part(vectors[judge.name][heard], name) for judge in judges}
            level = _levels(sounds[name], mix, starts[heard], round(length * rate), rate)
            rows[name].append(_Rows(piece, kept, level))
    if not any(rows.values()):
        raise CorpusError(f"{corpus.uri} has no piece whose stems can be read; give another.")
    found = {
        name: {what: _probe(of, name, what, judges) for what in PROPERTIES}
        for name, of in rows.items()
    }
    settings = {
        "pieces": len(drawn), "length": length, "seed": seed, "folds": _FOLDS,
        "corpus": corpus.uri, "fingerprint": corpus.fingerprint(), "model": model.hash,
        "split": "+".join(sorted({piece.split for piece in drawn})),
    }  # fmt: skip
    return Probes(found, settings, tuple(problems))


@dataclass(frozen=True)
class _Rows:
    """The segments of one piece in which an instrument sounds."""

    piece: Piece
    vectors: Mapping[str, np.ndarray]
    levels: np.ndarray


def _levels(
    stem: np.ndarray, mix: np.ndarray, starts: np.ndarray, size: int, rate: int
) -> np.ndarray:
    """How loud the stem is beside the mix, dB, [segments]."""
    answer = []
    for start in np.rint(starts * rate).astype(np.int64):
        own, all_ = (float(np.square(x[start : start + size]).mean()) for x in (stem, mix))
        answer.append(10 * np.log10(max(own, 1e-12) / max(all_, 1e-12)))
    return np.array(answer)


def _label(piece: Piece, instrument: str, what: str) -> str:
    """What a piece is tagged with; empty where it is not."""
    tags = piece.tags
    if what == "program":
        return tags.get(f"program_{instrument}", "")
    if what == "program of another":
        following = INSTRUMENTS[(INSTRUMENTS.index(instrument) + 1) % len(INSTRUMENTS)]
        return tags.get(f"program_{following}", "")
    if what == "soundfont":
        return tags.get(f"soundfont_{instrument}", "")
    if what == "groove file":
        return tags.get("groove_file", "")
    return tags.get("key", "").removesuffix(" minor").removesuffix(" major")


def thirds(values: np.ndarray) -> np.ndarray:
    """0, 1 or 2 for each value."""
    return np.searchsorted(np.quantile(values, [1 / 3, 2 / 3]), values)


def _probe(
    rows: list[_Rows], instrument: str, what: str, judges: tuple[System, ...]
) -> Probe | None:
    """Ask one property of one subspace."""
    sizes = [len(of.levels) for of in rows]
    names = np.repeat(np.arange(len(rows)), sizes)
    tags = [of.piece.tags for of in rows]
    families = [
        tag.get("groove_file") or tag.get("song") or of.piece.id
        for tag, of in zip(tags, rows, strict=True)
    ]
    if what == "level":
        labels = thirds(np.concatenate([of.levels for of in rows])) if sum(sizes) else names
    elif what == "tempo":
        known = [of.piece.tempo or 0.0 for of in rows]
        labels = np.repeat(thirds(np.array(known)), sizes) if rows else names
    else:
        labels = np.repeat([_label(of.piece, instrument, what) for of in rows], sizes)
    kept = np.zeros(len(names), bool)
    for label in np.unique(labels):
        same = labels == label
        kept |= same & (label != "") & (len(np.unique(names[same])) >= _FEWEST)
    groups = names if what == "groove file" else np.repeat(families, sizes)
    labels, names, groups = labels[kept], names[kept], groups[kept]
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2 or len(np.unique(groups)) < _FOLDS:
        return None
    right = {}
    for judge in judges:
        vectors = np.concatenate([of.vectors[judge.name] for of in rows])[kept]
        right[judge.name] = held_out(vectors, labels, groups)
    chance = 100 * float(counts.max() / counts.sum())
    return Probe(right, chance, len(classes), len(np.unique(names)))


def held_out(vectors: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> float:
    """% of segments named rightly by classifiers that have not met their group."""
    hits = 0
    for known, asked in GroupKFold(_FOLDS).split(vectors, labels, groups):
        if len(np.unique(labels[known])) < 2:
            hits += int((labels[asked] == labels[known][0]).sum())
            continue
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
        classifier.fit(vectors[known], labels[known])
        hits += int((classifier.predict(vectors[asked]) == labels[asked]).sum())
    return 100 * hits / len(labels)
