"""P1 by individual networks on clean sound: what a network could know of each instrument at best.

CSN's table 1 has individual networks on *separated* stems beside the CSN; clean stems stand for a
separation without a fault, the upper reference.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from csn.audio import activity, segment_starts
from csn.corpora.base import Corpus
from csn.errors import AudioError, CorpusError
from csn.evaluation.individual import Heard, music_id
from csn.evaluation.report import columns, mean_and_deviation, spread, tidy
from csn.evaluation.stems import SOUNDING, read_all
from csn.instruments import INSTRUMENTS
from csn.networks.individual import Individual


def clean_identity(
    networks: Mapping[int, Individual],
    corpus: Corpus,
    *,
    lengths: Sequence[float] = (3.0, 10.0),
    overlap: float = 0.5,
    k: int = 5,
    progress: bool = True,
) -> dict[str, Any]:
    """Name the piece of every segment of a clean stem by its nearest neighbours.

    Segments are those in which at least 30 % of the stem's frames sound, as in ``identity``.

    Args:
        networks: seed to its networks.
        corpus: pieces of one split, with stems.
        lengths: of a segment, seconds.
        overlap: of neighbouring segments, as a fraction.
        k: neighbours that vote.
        progress: show a bar.

    Returns:
        Length, then instrument, to ``mean``, ``sd``, ``strict_mean``, ``strict_sd`` (percent;
        over the seeds) and ``segments``.

    Raises:
        CorpusError: an instrument sounds in fewer than two pieces.
    """
    rate = next(iter(networks.values())).features.sample_rate
    parts: dict[tuple[float, str, int], list[Heard]] = {}
    for number, (_, sounds) in enumerate(read_all(corpus, rate, progress=progress)):
        if isinstance(sounds, AudioError):
            continue
        for name, sound in sounds.items():
            for length in lengths:
                starts = segment_starts(len(sound) / rate, length, overlap)
                starts = starts[activity(sound, rate, starts, length) >= SOUNDING]
                times = np.rint(starts * rate).astype(np.int64)
                for seed, bank in networks.items():
                    vectors = bank.models[name].embed(sound, starts, length)
                    heard = Heard(np.full(len(starts), number), times, vectors)
                    parts.setdefault((length, name, seed), []).append(heard)
    answer: dict[str, Any] = {}
    for length in lengths:
        for name in INSTRUMENTS:
            scores = []
            for seed in networks:
                found = [part for part in parts.get((length, name, seed), []) if len(part.pieces)]
                if len(found) < 2:
                    raise CorpusError(
                        f"{corpus.uri} has fewer than two pieces with {name} of {length:g} s; "
                        "give a larger corpus."
                    )
                together = Heard(
                    np.concatenate([part.pieces for part in found]),
                    np.concatenate([part.times for part in found]),
                    np.concatenate([part.vectors for part in found]),
                )
                scores.append(music_id(together, round(length * rate), k))
            (mean, sd), (strict, strict_sd) = (
                mean_and_deviation([score[rule] for score in scores]) for rule in (0, 1)
            )
            answer.setdefault(f"{length:g}", {})[name] = tidy(
                {
                    "mean": mean, "sd": sd, "strict_mean": strict, "strict_sd": strict_sd,
                    "segments": len(together.pieces),
                }
            )  # fmt: skip
    return answer


def table(found: Mapping[str, Any]) -> str:
    """What ``clean_identity`` found, for the terminal."""
    parts = []
    for length, scores in found.items():
        rows = [["", "% right", "strict", "segments"]]
        for name, s in scores.items():
            shown = [spread(s["mean"], s["sd"]), spread(s["strict_mean"], s["strict_sd"])]
            rows.append([name, *shown, f"{s['segments']:,}"])
        title = f"Individual networks on clean stems (P1), {length}-s segments"
        parts.append(f"{title}\n{columns(rows)}")
    return "\n\n".join(parts)
