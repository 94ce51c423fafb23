"""IND's objective measures: what individual networks know of pieces, and how much they agree.

Source: IND section 4.2.1. Clean sound of one instrument goes in, or the mix; the subspaces of one
CSN, which hears the mix alone, can be measured beside them (CSN table 1, section 4.2.1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from csn.audio import activity, segment_starts
from csn.corpora.base import Corpus
from csn.errors import AudioError, CorpusError
from csn.evaluation.baselines import systems
from csn.evaluation.criteria import centroid_distances, pearson, reciprocal_ranks, spearman
from csn.evaluation.knn import predict
from csn.evaluation.report import columns, mean_and_deviation, notes, number, spread, tidy
from csn.evaluation.stems import SOUNDING, read_all
from csn.instruments import INSTRUMENTS, subspace
from csn.model import Model
from csn.networks.individual import CRITERIA, MIX, Individual
from csn.published import IND_TABLES


@dataclass
class Heard:
    """What one criterion made of the test pieces in one run.

    Attributes:
        pieces: [segments] int64, from 0.
        times: [segments] int64, first sample of each.
        vectors: [segments, d].
    """

    pieces: np.ndarray
    times: np.ndarray
    vectors: np.ndarray


@dataclass(frozen=True)
class Criteria:
    """The measures of one family of criteria.

    Attributes:
        accuracy: criterion to the % right of each run (kNN, every other segment known).
        strict: the same without references that overlap the query.
        distances: criterion to [pieces, pieces], the mean over the runs.
    """

    accuracy: Mapping[str, Sequence[float]]
    strict: Mapping[str, Sequence[float]]
    distances: Mapping[str, np.ndarray]

    def to_json(self) -> dict[str, Any]:
        """Plain types; accuracies in percent, their variance as IND has it, of the fraction."""
        reference = MIX if MIX in self.distances else "whole"
        scores = {}
        for name, values in self.accuracy.items():
            mean, deviation = mean_and_deviation(values)
            strictly, strict_deviation = mean_and_deviation(self.strict[name])
            scores[name] = {
                "mean": mean, "sd": deviation, "variance": (deviation / 100) ** 2,
                "strict_mean": strictly, "strict_sd": strict_deviation, "runs": list(values),
            }  # fmt: skip
        answer = {
            "accuracy": scores,
            "distances": {name: matrix.tolist() for name, matrix in self.distances.items()},
            "pearson": {"-".join(k): v for k, v in pearson(self.distances).items()},
            "spearman": {"-".join(k): v for k, v in spearman(self.distances).items()},
        }
        if reference in self.distances:
            answer["reciprocal_ranks"] = reciprocal_ranks(self.distances, reference)
        return dict(tidy(answer, 6))


@dataclass(frozen=True)
class IndividualReport:
    """The outcome.

    Attributes:
        networks: the individual networks on clean sound.
        floor: statistics of the same clean sound, without any network.
        subspaces: those of a CSN on the mixes, with ``whole`` for all of them; or None.
        segments: criterion to the segments of the first run, for pictures.
        subspace_segments: the same for the subspaces.
        titles: of the pieces, in the matrices' order.
        settings: how it was done.
        problems: a sentence for everything that was left out.
    """

    networks: Criteria
    floor: Criteria
    subspaces: Criteria | None
    segments: Mapping[str, Heard]
    subspace_segments: Mapping[str, Heard]
    titles: Sequence[str]
    settings: Mapping[str, Any]
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain types."""
        return {
            "individual": self.networks.to_json(),
            "floor": self.floor.to_json(),
            "subspaces": self.subspaces.to_json() if self.subspaces else None,
            "published_on_slakh": IND_TABLES,
            "pieces": list(self.titles),
            "settings": tidy(self.settings),
            "problems": list(self.problems),
        }

    def table(self) -> str:
        """Tables for the terminal."""
        parts = []
        families = [("individual networks, clean sound", self.networks)]
        if self.subspaces is not None:
            families.append(("subspaces of the model, mixed sound", self.subspaces))
        for title, family in families:
            found = family.to_json()
            rows = [["", "% right", "strict", "statistics", "MRR 1", "2", "3"]]
            for name, score in found["accuracy"].items():
                floor = self.floor.accuracy.get(MIX if name == "whole" else name, [])
                ranks = found.get("reciprocal_ranks", {}).get(name, [])
                rows.append([
                    name, spread(score["mean"], score["sd"]),
                    spread(score["strict_mean"], score["strict_sd"]),
                    number(float(np.mean(floor))) if floor and family is self.networks else "",
                    *(number(rank, 2) for rank in ranks),
                ])  # fmt: skip
            pairs = [["", "Pearson", "Spearman"]]
            for pair, value in found["pearson"].items():
                pairs.append([pair, number(value, 2), number(found["spearman"][pair], 2)])
            parts.append(f"{title}\n{columns(rows)}\n\n{columns(pairs)}")
        return "\n\n".join(parts) + notes(self.problems)


def individual(
    networks: Mapping[int, Individual],
    corpus: Corpus,
    *,
    model: Model | None = None,
    pieces: int = 20,
    length: float = 3.0,
    overlap: float = 0.5,
    k: int = 5,
    seed: int = 0,
    progress: bool = True,
) -> IndividualReport:
    """Measure individual networks, and the subspaces of a model, on the same test pieces.

    Pieces are drawn from those in which every criterion has at least two segments; a segment of
    an instrument is one in which at least 30 % of its frames sound, of the mix one that is not
    silent. Accuracies are by the nearest neighbours in cosine distance, as is the distance of
    pieces.

    Args:
        networks: seed to its networks.
        corpus: pieces of one split, with stems.
        model: a CSN to be measured beside them.
        pieces: how many to draw (IND: 20).
        length: of a segment, seconds.
        overlap: of neighbouring segments, as a fraction.
        k: neighbours that vote.
        seed: of the draw.
        progress: show a bar.

    Raises:
        CorpusError: fewer than three pieces have all the instruments.
    """
    heard = _Gathering(networks, model, length, overlap)
    problems = []
    names = set(INSTRUMENTS)
    order = np.random.default_rng(seed).permutation(len(corpus))
    drawn = [corpus.pieces[i] for i in order if names <= set(corpus.pieces[i].stems)]
    found = Corpus(corpus.uri, corpus.name, tuple(drawn[: 2 * pieces]))
    titles: list[str] = []
    for piece, sounds in read_all(found, heard.rate, progress=progress, mixes=True):
        if len(titles) == pieces:
            break
        if isinstance(sounds, AudioError):
            problems.append(f"{piece.id} was left out: {sounds}")
        elif heard.add(len(titles), sounds):
            titles.append(piece.title)
    if len(titles) < 3:
        raise CorpusError(
            f"{corpus.uri} has {len(titles)} pieces in which every instrument sounds twice for "
            f"{length:g} s, and three are needed; give a larger corpus."
        )
    if len(titles) < pieces:
        problems.append(f"Only {len(titles)} pieces have every instrument; {pieces} were asked.")
    gap = round(length * heard.rate)
    runs = [heard.family(f"seed {seed}") for seed in networks]
    subspaces = heard.family("model") if model is not None else {}
    settings = {
        "pieces": len(titles), "length": length, "overlap": overlap, "k": k, "seed": seed,
        "corpus": corpus.uri, "fingerprint": corpus.fingerprint(),
        "networks": {str(seed): bank.hashes for seed, bank in networks.items()},
        "model": model.hash if model else None,
    }  # fmt: skip
    return IndividualReport(
        measure(runs, gap, k),
        measure([heard.family("floor")], gap, k),
        measure([subspaces], gap, k) if subspaces else None,
        runs[0],
        subspaces,
        titles,
        settings,
        tuple(problems),
    )


def measure(runs: Sequence[Mapping[str, Heard]], gap: int, k: int) -> Criteria:
    """The measures of one family.

    Args:
        runs: criterion to its segments, a mapping for each run.
        gap: samples from which two segments do not overlap.
        k: neighbours that vote.
    """
    accuracy: dict[str, list[float]] = {}
    strict: dict[str, list[float]] = {}
    distances = {}
    for name in runs[0]:
        matrices = []
        for run in runs:
            heard = run[name]
            free, without = music_id(heard, gap, k)
            accuracy.setdefault(name, []).append(free)
            strict.setdefault(name, []).append(without)
            matrices.append(centroid_distances(heard.vectors, heard.pieces))
        distances[name] = np.mean(matrices, axis=0)
    return Criteria(accuracy, strict, distances)


def music_id(heard: Heard, gap: int, k: int) -> tuple[float, float]:
    """% of segments whose piece is found; and without references that overlap the query."""
    length = np.linalg.norm(heard.vectors, axis=1, keepdims=True)
    unit = heard.vectors / np.maximum(length, 1e-12)
    pieces, times = heard.pieces, heard.times

    def nothing(rows: slice) -> np.ndarray:
        return np.zeros((rows.stop - rows.start, len(pieces)), bool)

    def overlapping(rows: slice) -> np.ndarray:
        near = np.abs(times[rows, None] - times[None, :]) < gap
        barred: np.ndarray = near & (pieces[rows, None] == pieces[None, :])
        return barred

    free, without = (
        100 * float((predict(unit, pieces, rule, k) == pieces).mean())
        for rule in (nothing, overlapping)
    )
    return free, without


@dataclass
class _Gathering:
    """Embeds pieces by every network of every family."""

    networks: Mapping[int, Individual]
    model: Model | None
    length: float
    overlap: float
    parts: dict[tuple[str, str], list[Heard]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the floor."""
        any_network = next(iter(self.networks.values())).models[INSTRUMENTS[0]]
        self.floor = systems(any_network)[-1]

    @property
    def rate(self) -> int:
        """Hz, of everything that is heard."""
        return next(iter(self.networks.values())).features.sample_rate

    def add(self, number: int, sounds: Mapping[str, np.ndarray]) -> bool:
        """Embed a piece; False, and nothing done, where a criterion has too few segments."""
        starts = {name: self._starts(sounds[name], name == MIX) for name in CRITERIA}
        if min(map(len, starts.values())) < 2:
            return False
        for name in CRITERIA:
            for seed, bank in self.networks.items():
                if name in bank.models:
                    vectors = bank.models[name].embed(sounds[name], starts[name], self.length)
                    self._keep(f"seed {seed}", name, number, starts[name], vectors)
            vectors = self.floor.embed(sounds[name], starts[name], self.length)
            self._keep("floor", name, number, starts[name], vectors)
        if self.model is not None:
            if self.model.settings.sample_rate != self.rate:
                raise CorpusError("The model and the individual networks hear at different rates.")
            mixed = self.model.embed(sounds[MIX], starts[MIX], self.length)
            self._keep("model", "whole", number, starts[MIX], mixed)
            for name in INSTRUMENTS:
                rows = np.isin(starts[MIX], starts[name])
                part = mixed[rows][:, subspace(name)]
                self._keep("model", name, number, starts[MIX][rows], part)
        return True

    def _starts(self, sound: np.ndarray, mixed: bool) -> np.ndarray:
        starts = segment_starts(len(sound) / self.rate, self.length, self.overlap)
        active = activity(sound, self.rate, starts, self.length)
        return starts[active > 0 if mixed else active >= SOUNDING]

    def _keep(
        self, family: str, name: str, number: int, starts: np.ndarray, vectors: np.ndarray
    ) -> None:
        times = np.rint(starts * self.rate).astype(np.int64)
        heard = Heard(np.full(len(starts), number), times, vectors)
        self.parts.setdefault((family, name), []).append(heard)

    def family(self, family: str) -> dict[str, Heard]:
        """Criterion to all its segments; statistics are standardised over them."""
        answer = {}
        for (owner, name), parts in self.parts.items():
            if owner != family:
                continue
            vectors = np.concatenate([part.vectors for part in parts]).astype(np.float64)
            if family == "floor":
                deviation = vectors.std(axis=0)
                vectors = (vectors - vectors.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
            answer[name] = Heard(
                np.concatenate([part.pieces for part in parts]),
                np.concatenate([part.times for part in parts]),
                vectors,
            )
        return answer
