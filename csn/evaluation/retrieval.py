"""Retrieval: does a search under a focus find the piece whose instrument was heard?

Ours, no paper's: what the Search page promises. The query is a part of a pseudo-mix A_B^(c), which
nobody has seen: instrument c of piece A over the rest of piece B. The library holds the finished
mixes of all pieces, A and B among them. Under the focus c another segment of A's stem c should be
found; whoever hears the whole mix finds B, four of whose stems play in the query.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from csn.corpora.base import Corpus
from csn.errors import CorpusError, StemwiseError
from csn.evaluation.baselines import Embeds, System, systems
from csn.evaluation.queries import SEGMENT, Asked, Held, ask, hold
from csn.evaluation.report import columns, notes, number, tidy
from csn.evaluation.stems import Stems
from csn.instruments import INSTRUMENTS

_TITLES: Final = {
    "focus": "focus on the instrument", "whole": "whole embedding", "untrained": "untrained, focus",
    "floor": "mix statistics", "chance": "chance",
}  # fmt: skip
_MEASURES: Final = ("r1", "r5", "r10", "mrr")


@dataclass(frozen=True)
class Found:
    """How well one instrument was found by one system; all in percent.

    Attributes:
        pieces: ``r1``, ``r5``, ``r10`` (the right piece is among the first) and ``mrr`` (mean of
            1 / rank), each piece ranked once by its best segment, as the Search page does.
        segments: the same with every segment ranked by itself.
        errors: standard errors of ``pieces`` over the pieces in focus.
        queries: how many were asked.
    """

    pieces: Mapping[str, float]
    segments: Mapping[str, float]
    errors: Mapping[str, float]
    queries: int


@dataclass(frozen=True)
class Retrieval:
    """The outcome.

    Attributes:
        found: ``focus``, ``whole``, ``untrained``, ``floor`` and ``chance`` to each instrument's
            outcome; None where too few pieces have it.
        settings: how it was done, with which model and corpus.
        problems: a sentence for everything that was left out.
    """

    found: Mapping[str, Mapping[str, Found | None]]
    settings: Mapping[str, Any]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain types, percent."""
        return {
            "systems": {
                system: {name: tidy(vars(one)) if one else None for name, one in each.items()}
                for system, each in self.found.items()
            },
            "settings": tidy(self.settings),
            "problems": list(self.problems),
        }

    def table(self) -> str:
        """A table for the terminal, percent."""
        rows = [["", "ranked by", "R@1", "R@5", "R@10", "MRR", "queries"]]
        for instrument in INSTRUMENTS:
            for system, title in _TITLES.items():
                one = self.found.get(system, {}).get(instrument)
                if one is None:
                    continue
                for kind, numbers in (("pieces", one.pieces), ("segments", one.segments)):
                    cells = [number(numbers.get(name)) for name in _MEASURES]
                    if kind == "pieces" and one.errors:
                        cells[1] += f" ± {one.errors['r5']:.1f}"
                    if any(numbers):
                        rows.append([f"{instrument}: {title}", kind, *cells, f"{one.queries:,}"])
        s = self.settings
        title = (
            f"Retrieval, %: {s['length']:g}-s queries from pseudo-mixes of {s['corpus_pieces']} "
            f"pieces over {s['mixes']} backings each, among their mixes ({s['segments']:,} "
            "segments); ± standard error over pieces"
        )
        return f"{title}\n{columns(rows)}{notes(self.problems)}"


def retrieval(
    model: Embeds,
    corpus: Corpus,
    *,
    length: float = 10.0,
    mixes: int = 2,
    seed: int = 0,
    baselines: bool = True,
    progress: bool = True,
) -> Retrieval:
    """Ask for every instrument of every piece, over backings drawn from its tempo group.

    Only segments in which the instrument plays can be found, as on the Search page; of A those
    that hold a moment of the query are left out. Distances that are equal count against A.

    Args:
        model: what embeds.
        corpus: pieces with stems; those the model was not trained on.
        length: of a query, seconds.
        mixes: backings for each piece.
        seed: of the backings.
        baselines: whether an untrained encoder and statistics of the mix are asked too.
        progress: draw bars.

    Raises:
        CorpusError: too few pieces have stems.
        StemwiseError: queries shorter than a segment.
    """
    if length < SEGMENT:
        raise StemwiseError(
            f"Queries are made of {SEGMENT:g}-s segments, so give --length 3 or more."
        )
    stems = Stems(corpus, model.settings.sample_rate, progress=progress)
    if len(stems) < mixes + 2:
        raise CorpusError(
            f"{corpus.uri} has {len(stems)} pieces with stems; retrieval with {mixes} backings "
            f"needs at least {mixes + 2}."
        )
    judges = systems(model, baselines=baselines, seed=seed)
    held = hold(stems, judges, progress)
    names = ["focus", "whole", *(judge.name for judge in judges[1:]), "chance"]
    found: dict[str, dict[str, Found | None]] = {name: {} for name in names}
    problems = list(stems.problems)
    for instrument in INSTRUMENTS:
        asked, plays = ask(
            stems, judges, instrument, held,
            length=length, mixes=mixes, seed=seed, progress=progress,
        )  # fmt: skip
        if asked is None:
            problems.append(f"{instrument} plays in too few pieces, so it has no score.")
        for name in names:
            found[name][instrument] = None
            if asked is not None:
                found[name][instrument] = _score(
                    name, instrument, asked, held, plays, judges=judges, length=length
                )
    described = {
        "length": length,
        "mixes": mixes,
        "seed": seed,
        "segments": len(held.pieces),
        "corpus": corpus.uri,
        "fingerprint": corpus.fingerprint(),
        "corpus_pieces": len(stems),
        "model": model.hash,
    }
    return Retrieval(found, described, tuple(problems))


def ranks(
    distances: np.ndarray, pieces: np.ndarray, right: np.ndarray, usable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """At which place the right piece is found first.

    Args:
        distances: [q, n].
        pieces: [n] of the segments.
        right: [q] the piece that is to be found.
        usable: [q, n] False for what must not be found.

    Returns:
        Two [q] int64: the rank among pieces, each by its nearest segment, and among segments; 0
        where the right piece has no usable segment. What is as near as the right piece comes
        before it.
    """
    far = np.where(usable, distances, np.inf)
    known = np.unique(pieces)
    best = np.stack([far[:, pieces == piece].min(axis=1) for piece in known], axis=1)
    own = np.take_along_axis(best, np.searchsorted(known, right)[:, None], 1)
    others = known != right[:, None]
    by_piece = 1 + ((best <= own) & others).sum(axis=1)
    by_segment = 1 + ((far <= own) & (pieces != right[:, None])).sum(axis=1)
    there = np.isfinite(own[:, 0])
    return np.where(there, by_piece, 0), np.where(there, by_segment, 0)


def _score(
    name: str,
    instrument: str,
    asked: Asked,
    held: Held,
    plays: np.ndarray,
    *,
    judges: Sequence[System],
    length: float,
) -> Found | None:
    """One system's outcome for one instrument."""
    pieces, starts = held.pieces[plays], held.starts[plays]
    overlaps = (starts < asked.starts[:, None] + length) & (
        asked.starts[:, None] < starts + SEGMENT
    )
    usable = ~(overlaps & (pieces == asked.pieces[:, None]))
    answered = (usable & (pieces == asked.pieces[:, None])).any(axis=1)
    if not answered.any():
        return None
    if name == "chance":
        return _chance(len(np.unique(pieces)), int(answered.sum()))
    judge = judges[0] if name in ("focus", "whole") else next(j for j in judges if j.name == name)
    both = np.concatenate([held.vectors[judge.name][plays], asked.vectors[judge.name]])
    both = judge.comparable(both if name == "whole" else judge.part(both, instrument))
    library, queries = both[: len(pieces)], both[len(pieces) :]
    distances = (
        (library**2).sum(axis=1) + (queries**2).sum(axis=1)[:, None] - 2 * queries @ library.T
    )
    by_piece, by_segment = ranks(distances, pieces, asked.pieces, usable)
    of = asked.pieces[answered]
    means, errors = _measures(by_piece[answered], of)
    return Found(means, _measures(by_segment[answered], of)[0], errors, int(answered.sum()))


def _measures(rank: np.ndarray, pieces: np.ndarray) -> tuple[dict[str, float], dict[str, float]]:
    """Percent over queries, and the standard error over pieces."""
    each = {f"r{k}": (rank <= k).astype(np.float64) for k in (1, 5, 10)} | {"mrr": 1 / rank}
    means = {name: 100 * float(values.mean()) for name, values in each.items()}
    known, counts = np.unique(pieces, return_counts=True)
    errors = {}
    for name, values in each.items():
        # Pieces have unlike many queries: a ratio's standard error, clustered by piece.
        away = np.array([(values[pieces == p] - means[name] / 100).sum() for p in known])
        spread = np.sqrt((away**2).sum() * len(known) / max(len(known) - 1, 1))
        errors[name] = 100 * float(spread) / int(counts.sum())
    return means, errors


def _chance(count: int, queries: int) -> Found:
    """What a random order of the pieces gives."""
    means = {f"r{k}": 100 * min(k / count, 1.0) for k in (1, 5, 10)}
    means["mrr"] = 100 * float(np.mean(1 / np.arange(1, count + 1)))
    return Found(means, {}, {}, queries)
