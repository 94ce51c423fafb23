"""Leakage: how far a subspace moves when only the *other* stems are exchanged.

Ours, no paper's: P2 asks whether the right piece is nearest, this asks by how much the wrong
stems push. 0 would be a subspace that hears its own instrument alone; at 1 the other four move it
as far as its own does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from csn.corpora.base import Corpus
from csn.errors import CorpusError
from csn.evaluation.baselines import Embeds, System, systems
from csn.evaluation.report import TITLES, columns, notes, number, tidy
from csn.evaluation.stems import Stems
from csn.instruments import INSTRUMENTS

_GAP = 0.5
"""Silence between sounds that are embedded together, seconds: more than a spectrogram's window."""


@dataclass(frozen=True)
class Moves:
    """How far a subspace moved, as a share of the distance between segments of two pieces.

    Attributes:
        others: when only the other stems were exchanged.
        own: when only its own stem was exchanged.
        segments: how often each was done.
    """

    others: float
    own: float
    segments: int

    @property
    def ratio(self) -> float | None:
        """``others / own``: 0 is perfect separation, 1 a leak; None where nothing moved."""
        return self.others / self.own if self.own > 0 else None

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, rounded to four places."""
        return dict(tidy({**vars(self), "ratio": self.ratio}, 4))


@dataclass(frozen=True)
class Leakage:
    """The outcome for every system and instrument.

    Attributes:
        moves: ``model``, ``untrained``, ``floor`` to each instrument's moves; None where the
            corpus is too small for it.
        settings: how it was done, with which model and corpus.
        problems: a sentence for everything that was left out.
    """

    moves: Mapping[str, Mapping[str, Moves | None]]
    settings: Mapping[str, Any]
    problems: tuple[str, ...]

    def mean_ratio(self, system: str = "model") -> float | None:
        """Mean ratio over the instruments that have one."""
        ratios = [moves.ratio for moves in self.moves[system].values() if moves]
        known = [ratio for ratio in ratios if ratio is not None]
        return float(np.mean(known)) if known else None

    def to_json(self) -> dict[str, Any]:
        """Plain types; no NaN."""
        answer: dict[str, Any] = {}
        for name, key in (("model", "instruments"), ("floor", "floor"), ("untrained", "untrained")):
            answer[key] = {
                part: moves.to_json() if moves else None
                for part, moves in self.moves.get(name, {}).items()
            }
        return {
            **answer,
            "mean": tidy(self.mean_ratio(), 4),
            "settings": tidy(self.settings),
            "problems": list(self.problems),
        }

    def table(self) -> str:
        """A table for the terminal."""
        others = [name for name in ("untrained", "floor") if name in self.moves]
        rows = [["", "others", "own", "others/own", *[TITLES[name] for name in others], "segments"]]
        for part, moves in self.moves["model"].items():
            if moves is None:
                rows.append([part, "too few pieces"])
                continue
            ratios = [getattr(self.moves[name][part], "ratio", None) for name in others]
            values = (moves.others, moves.own, moves.ratio, *ratios)
            rows.append([part, *[number(value, 2) for value in values], str(moves.segments)])
        means = [number(self.mean_ratio(name), 2) for name in ("model", *others)]
        title = (
            "Leakage: distance moved when the other stems, or the own stem, are exchanged "
            f"({self.settings['length']:g}-s segments; 1 = as far as two pieces lie apart; "
            "others/own: 0 is best)"
        )
        return f"{title}\n{columns([*rows, ['mean', '', '', *means]])}{notes(self.problems)}"


@dataclass(frozen=True)
class LeakageSettings:
    """How leakage is measured; all ours.

    Attributes:
        samples: exchanges for each instrument.
        length: of a segment, seconds.
        overlap: of the segments to choose from, as a fraction.
        seed: of everything that is drawn.
    """

    samples: int = 100
    length: float = 10.0
    overlap: float = 0.5
    seed: int = 0


def leakage(
    model: Embeds,
    corpus: Corpus,
    *,
    samples: int = 100,
    length: float = 10.0,
    overlap: float = 0.5,
    seed: int = 0,
    baselines: bool = True,
    stems: Stems | None = None,
    progress: bool = True,
) -> Leakage:
    """Exchange the other stems, then the own stem, and see how far each subspace moves.

    For an instrument c, segments p and q of two pieces are drawn in which both c and some other
    instrument sound (at least 30 % of the frames). From the mix ``c(p) + others(p)`` the subspace
    moves to ``c(p) + others(q)`` and to ``c(q) + others(p)``; both ways are divided by the mean
    distance between unaltered segments of different pieces. Stems are as loud as on disk, tempo
    plays no part, distances are Euclidean.

    Args:
        model: the model to be judged.
        corpus: the pieces of one split, with stems.
        samples: exchanges for each instrument, at least 2.
        length: of a segment, seconds.
        overlap: of the segments to choose from, as a fraction.
        seed: of what is drawn, and of the untrained encoder.
        baselines: judge an untrained encoder and statistics of the mix on the same sounds.
        stems: the corpus already read at the model's rate, to be used again.
        progress: show bars.

    Raises:
        CorpusError: there are not two pieces in which some instrument and another sound.
    """
    s = LeakageSettings(max(samples, 2), length, overlap, seed)
    if stems is None:
        stems = Stems(corpus, model.settings.sample_rate, progress=progress)
    judges = systems(model, baselines=baselines, seed=seed)
    moves: dict[str, dict[str, Moves | None]] = {judge.name: {} for judge in judges}
    problems = list(stems.problems)
    for c, instrument in enumerate(INSTRUMENTS):
        windows = _windows(stems, instrument, s)
        enough = len(windows) >= 2
        if not enough:
            problems.append(
                f"{instrument} sounds together with others in {len(windows)} pieces, and two are "
                "needed, so it has no leakage."
            )
        found = _exchange(stems, judges, c, windows, s, progress=progress) if enough else {}
        for judge in judges:
            moves[judge.name][instrument] = found.get(judge.name)
    if not any(moves["model"].values()):
        raise CorpusError(
            f"{corpus.uri} is too small to measure leakage: no instrument sounds together with "
            f"others for {length:g} s in two pieces; give a larger corpus with stems."
        )
    described = {
        **asdict(s),
        "corpus": corpus.uri,
        "fingerprint": corpus.fingerprint(),
        "corpus_pieces": len(stems),
        "split": "+".join(sorted({piece.split for piece in stems.pieces})),
        "model": model.hash,
    }
    return Leakage(moves, described, tuple(problems))


def _windows(stems: Stems, instrument: str, s: LeakageSettings) -> dict[int, np.ndarray]:
    """Pieces with the starts (seconds) at which the instrument and some other sound."""
    found = {}
    for index in range(len(stems)):
        both = stems.sounding(index, instrument, s.length, s.overlap) & stems.backed(
            index, instrument, s.length, s.overlap
        )
        if both.any():
            found[index] = stems.starts(index, s.length, s.overlap)[both]
    return found


def _exchange(
    stems: Stems,
    judges: Sequence[System],
    c: int,
    windows: Mapping[int, np.ndarray],
    s: LeakageSettings,
    *,
    progress: bool,
) -> dict[str, Moves]:
    """Draw, mix and embed the exchanges of one instrument."""
    rng = np.random.default_rng([s.seed, c])
    instrument, rate, size = INSTRUMENTS[c], stems.sample_rate, round(s.length * stems.sample_rate)
    gap = np.zeros(round(_GAP * rate), np.float32)
    starts = np.arange(3) * (size + len(gap)) / rate
    vectors: dict[str, list[np.ndarray]] = {judge.name: [] for judge in judges}
    pieces = []
    drawn = [rng.choice(list(windows), size=2, replace=False) for _ in range(s.samples)]
    drawn.sort(key=lambda pair: int(pair[0]))  # a piece that is read again is read once
    bar = tqdm(drawn, desc=f"{instrument}: exchanges", unit="segment", disable=not progress)
    for p, q in bar:
        (own, others), (other_own, other_others) = (
            _cut(stems, int(piece), instrument, float(rng.choice(windows[int(piece)])), size)
            for piece in (p, q)
        )
        sounds = (own + others, gap, own + other_others, gap, other_own + others, gap)
        audio = np.concatenate(sounds)
        pieces.append(int(p))
        for judge in judges:
            embedded = judge.embed(audio, starts, s.length)
            vectors[judge.name].append(judge.part(embedded, instrument))
    return {
        judge.name: _moves(judge, np.stack(vectors[judge.name]), np.array(pieces))
        for judge in judges
    }


def _cut(
    stems: Stems, index: int, instrument: str, start: float, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """The instrument's own stem and the sum of the others, each [size] float32."""
    first = round(start * stems.sample_rate)
    own, others = stems.stem(index, instrument), stems.backing(index, instrument)
    return own[first : first + size], others[first : first + size]


def _moves(judge: System, vectors: np.ndarray, pieces: np.ndarray) -> Moves:
    """Distances of [samples, 3, d] (base, others exchanged, own exchanged)."""
    count, _, d = vectors.shape
    vectors = judge.comparable(vectors.reshape(-1, d)).reshape(count, 3, d)
    base = vectors[:, 0]
    apart = [
        float(np.linalg.norm(base[i + 1 :][pieces[i + 1 :] != pieces[i]] - base[i], axis=1).sum())
        for i in range(count)
    ]
    pairs = sum(int((pieces[i + 1 :] != pieces[i]).sum()) for i in range(count))
    # All samples may come from one piece where only two can be drawn: then nothing to compare.
    unit = sum(apart) / pairs if pairs else 0.0
    moved = np.linalg.norm(vectors[:, 1:] - base[:, None], axis=2).mean(axis=0)
    others, own = (moved / unit if unit > 0 else np.zeros(2)).tolist()
    return Moves(others, own, count)
