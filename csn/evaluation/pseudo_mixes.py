"""P2: does a subspace hear its instrument, whatever plays behind it?

Source: CSN section 4.2.2 and table 2. Ten pieces, each one's stem over four other pieces; from a
10-s segment of such a pseudo-mix, one subspace must say whose stem it holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from csn.corpora.base import Corpus
from csn.errors import CorpusError
from csn.evaluation.baselines import Embeds, System, systems
from csn.evaluation.draws import Pairs, PseudoMixSettings, draw
from csn.evaluation.knn import predict
from csn.evaluation.mixed import Mixed, Mixer
from csn.evaluation.report import (
    Score,
    Scores,
    mean_and_deviation,
    notes,
    scores_json,
    scores_table,
    tidy,
)
from csn.evaluation.stems import Stems
from csn.instruments import INSTRUMENTS


@dataclass(frozen=True)
class PseudoMixes:
    """The outcome of P2.

    Attributes:
        scores: ``model``, ``untrained``, ``floor`` to the score of each instrument.
        settings: how it was done, with which model and corpus.
        problems: a sentence for everything that was left out or done otherwise.
    """

    scores: Mapping[str, Scores]
    settings: Mapping[str, Any]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain types, percent; no NaN. An instrument with too few pieces is null."""
        return {
            **scores_json(self.scores),
            "settings": tidy(self.settings),
            "problems": list(self.problems),
        }

    def table(self) -> str:
        """A table for the terminal, percent."""
        s = self.settings
        title = (
            f"Pseudo-mixes (P2), % right: {s['draws']} draws of {s['pieces']} pieces over "
            f"{s['mixes']} backings ({s['backings']}), {s['length']:g}-s segments, k = {s['k']}"
        )
        return f"{title}\n{scores_table(self.scores)}{notes(self.problems)}"


def pseudo_mixes(
    model: Embeds,
    corpus: Corpus,
    settings: PseudoMixSettings | None = None,
    *,
    baselines: bool = True,
    stems: Stems | None = None,
    progress: bool = True,
    **changes: Any,
) -> PseudoMixes:
    """Judge every subspace by pseudo-mixes (P2), with the paper's rule and strictly.

    A segment is used when the focused stem sounds in at least 30 % of its frames. References
    from the query's own pseudo-mix are removed (the paper's rule). *Strict* removes also every
    reference whose part of the focused stem overlaps the query's in that stem's own time, be it
    by a single sample: it holds the same sound. Distances are Euclidean; for votes that tie see
    ``knn.vote``. Accuracy counts segments; mean and deviation are over the draws.

    Args:
        model: the model to be judged.
        corpus: the pieces of one split, with stems.
        settings: see ``PseudoMixSettings``.
        baselines: judge an untrained encoder and statistics of the mix on the same sounds.
        stems: the corpus already read at the model's rate, to be used again.
        progress: show bars.
        **changes: single settings by name, e.g. ``draws=3``.

    Raises:
        CorpusError: no instrument has enough pieces in which it sounds.
        StemwiseError: a setting that cannot be carried out.
    """
    settings = replace(settings or PseudoMixSettings(), **changes)
    if stems is None:
        stems = Stems(corpus, model.settings.sample_rate, progress=progress)
    if not len(stems):
        raise CorpusError(
            f"{corpus.uri} has no piece with readable stems, and pseudo-mixes are made of stems; "
            "give a slakh: or stems: corpus."
        )
    judges = systems(model, baselines=baselines, seed=settings.seed)
    scores: dict[str, dict[str, Score | None]] = {judge.name: {} for judge in judges}
    tempos = [piece.tempo for piece in stems.pieces]
    problems, reasons, filled = list(stems.problems), [], 0
    for c, instrument in enumerate(INSTRUMENTS):
        found: dict[str, Score] | None = None
        focus, backing, reason = _usable(stems, instrument, settings)
        if not reason:
            plans = []
            for number in range(settings.draws):
                rng = np.random.default_rng([settings.seed, c, number])
                pairs, outside = draw(focus, backing, tempos, rng, settings)
                plans.append(pairs)
                filled += outside
            made = Mixer(stems, judges, instrument, settings).make(plans, progress)
            found = _judge(judges, plans, made, stems.sample_rate, settings)
            reason = "" if found else f"{instrument} sounds in no segment of some draw"
        if reason:
            reasons.append(reason)
        for judge in judges:
            scores[judge.name][instrument] = found[judge.name] if found else None
    if len(reasons) == len(INSTRUMENTS):
        raise CorpusError(
            f"{corpus.uri} is too small for pseudo-mixes ({'; '.join(reasons)}); "
            "give a larger corpus or ask for fewer pieces with --pieces."
        )
    problems += [f"{reason}, so it has no score." for reason in reasons]
    if filled:
        total = (
            settings.draws * settings.pieces * settings.mixes * (len(INSTRUMENTS) - len(reasons))
        )
        problems.append(
            f"{filled} of {total} backings come from outside the 5-BPM tempo group, which held "
            "too few pieces; the nearest in tempo were taken."
        )
    described = {
        **asdict(settings),
        "corpus": corpus.uri,
        "fingerprint": corpus.fingerprint(),
        "corpus_pieces": len(stems),
        "split": "+".join(sorted({piece.split for piece in stems.pieces})),
        "model": model.hash,
        **stems.about,
    }
    return PseudoMixes(scores, described, tuple(problems))


def _usable(
    stems: Stems, instrument: str, s: PseudoMixSettings
) -> tuple[list[int], list[int], str]:
    """Pieces that can be in focus, pieces that can stand behind, and why they are too few."""
    everyone = range(len(stems))
    focus = [i for i in everyone if stems.sounding(i, instrument, s.length, s.overlap).any()]
    backing = [i for i in everyone if stems.backed(i, instrument, s.length, s.overlap).any()]
    reason = ""
    if len(focus) < s.pieces:
        reason = f"{instrument} sounds in {len(focus)} pieces and {s.pieces} are needed"
    elif len(backing) < s.mixes + 1:
        reason = (
            f"{instrument} has {len(backing)} pieces to be mixed with and {s.mixes + 1} are needed"
        )
    return focus, backing, reason


def _judge(
    judges: Sequence[System],
    plans: Sequence[Pairs],
    made: Mapping[tuple[int, int], Mixed],
    sample_rate: int,
    s: PseudoMixSettings,
) -> dict[str, Score] | None:
    """Every system's score for one instrument; None if a round has no segment at all."""
    right: dict[str, list[tuple[float, float]]] = {judge.name: [] for judge in judges}
    segments = 0
    for plan in plans:
        mixes = [made[pair] for pair in plan]
        sizes = [len(mix.times) for mix in mixes]
        if not sum(sizes):
            return None
        segments += sum(sizes)
        pieces = np.repeat([a for a, _ in plan], sizes)
        paper, strict = forbidden(
            pieces,
            np.repeat(np.arange(len(plan)), sizes),
            np.concatenate([mix.times for mix in mixes]),
            round(s.length * sample_rate),
        )
        for judge in judges:
            vectors = judge.comparable(np.concatenate([mix.vectors[judge.name] for mix in mixes]))
            accuracies = [
                100 * float((predict(vectors, pieces, rule.__getitem__, s.k) == pieces).mean())
                for rule in (paper, strict)
            ]
            right[judge.name].append((accuracies[0], accuracies[1]))
    chance = 100.0 / s.pieces
    answer = {}
    for name, values in right.items():
        mean, deviation = mean_and_deviation([value for value, _ in values])
        strictly, strict_deviation = mean_and_deviation([value for _, value in values])
        answer[name] = Score(mean, deviation, strictly, strict_deviation, chance, segments)
    return answer


def forbidden(
    pieces: np.ndarray, mixes: np.ndarray, times: np.ndarray, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Which references a query must not use.

    Args:
        pieces: [n] the focused piece of each segment.
        mixes: [n] the pseudo-mix of each segment.
        times: [n] int64 first sample of each segment, in the focused stem's own time.
        length: of a segment, samples.

    Returns:
        Two [n, n] bool: the paper's rule (same pseudo-mix), and the strict one (also the same
        focused piece at overlapping times; segments that only touch do not overlap).
    """
    paper = mixes[:, None] == mixes[None, :]
    overlapping = np.abs(times[:, None] - times[None, :]) < length
    return paper, paper | ((pieces[:, None] == pieces[None, :]) & overlapping)
