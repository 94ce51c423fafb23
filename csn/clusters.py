"""Clusters of a map, each named by what its pieces have most in common.

A name is given only where the pieces' tags speak for it: at least half of a cluster's pieces share
the tag, and so many would not fall into one cluster by chance. Otherwise it is called ``mixed``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from csn.instruments import INSTRUMENTS
from csn.library import Library
from csn.search import Integers

MIXED: Final = "mixed"

_SAMPLE: Final = 20_000  # points that are clustered; others go where their nearest of these goes
_MOST: Final = 200  # clusters, about: a smallest cluster is at least this part of a map
_SHARE: Final = 0.5  # of a cluster's pieces, that must have the tag
_CHANCE: Final = 0.05  # of so many by accident, over all tags of the cluster (Bonferroni)
_SILENT: Final = 0.02  # activity below which a piece lacks an instrument
_BAND: Final = 20  # BPM


@dataclass(frozen=True)
class Cluster:
    """A group of dots.

    Attributes:
        at: where its name is written: its segment nearest to the median place, 2 or 3 numbers.
        segments: how many.
        pieces: how many have more than half of their segments here.
        label: what these pieces have in common, or ``mixed``.
        tag: the column the label comes from; empty for ``mixed``.
        share: the part of the pieces to which the label applies, 0 to 1.
        lift: how many times larger that is than in the library.
    """

    at: tuple[float, ...]
    segments: int
    pieces: int
    label: str = MIXED
    tag: str = ""
    share: float = 0.0
    lift: float = 0.0


@dataclass(frozen=True)
class Clusters:
    """The clusters of one map.

    Attributes:
        members: [segments] int32, the cluster of each segment, -1 for none.
        clusters: in the order of ``members``, the largest first.
    """

    members: Integers
    clusters: tuple[Cluster, ...]


def find(library: Library, name: str, method: str | None = None, *, seed: int = 0) -> Clusters:
    """Cluster a map (HDBSCAN, Campello et al. 2013) and name the clusters.

    The places on the map are clustered, not the vectors, because the names are written over what
    is seen there. A smallest cluster has as many segments as two pieces, or a two-hundredth of
    the map. Of a library beyond 20,000 segments so many are clustered, drawn by ``seed``, and each
    other one goes with the nearest of these.

    Args:
        library: with a map of this subspace.
        name: ``whole`` or an instrument.
        method: as for ``Library.map``.
        seed: of the sample.

    Raises:
        LibraryError: no such map.
    """
    places = library.map(name, method)
    codes = pd.factorize(library.segments["piece"])[0]
    sizes = np.bincount(codes)
    usual = int(np.median(sizes)) if len(sizes) else 0
    smallest = max(2 * usual, len(places) // _MOST)
    members = _members(places, smallest, seed)
    tags = pieces_tags(library, name)
    home = _homes(members, codes, sizes)
    found = []
    for k in range(members.max(initial=-1) + 1):
        rows = np.flatnonzero(members == k)
        middle = np.median(places[rows], axis=0)
        nearest = rows[((places[rows] - middle) ** 2).sum(axis=1).argmin()]
        at, inside = tuple(places[nearest].tolist()), home == k
        found.append(Cluster(at, len(rows), int(inside.sum()), *_name(tags, inside)))
    return Clusters(members, tuple(found))


def _members(places: np.ndarray, smallest: int, seed: int) -> Integers:
    """The cluster of each point: [n, 2 or 3] → [n] int32, larger clusters first."""
    from scipy.spatial import cKDTree  # noqa: PLC0415 half a second, for few
    from sklearn.cluster import HDBSCAN  # noqa: PLC0415

    n = len(places)
    rows = np.arange(n)
    if n > _SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(n, _SAMPLE, replace=False))
    fewest = max(5, round(smallest * len(rows) / n)) if n else 5
    if len(rows) < 2 * fewest:
        return np.full(n, -1, np.int32)
    # Its own core distances shall not grow with the smallest cluster, which would blur the edges.
    drawn = HDBSCAN(min_cluster_size=fewest, min_samples=5, copy=True).fit(places[rows]).labels_
    members = drawn if len(rows) == n else drawn[cKDTree(places[rows]).query(places)[1]]
    order = np.argsort(-np.bincount(members[members >= 0]), kind="stable")
    rank = np.empty(len(order) + 1, np.int32)
    rank[order], rank[-1] = np.arange(len(order)), -1
    return rank[members]


def _homes(members: Integers, codes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The cluster that holds more than half of each piece's segments, or -1: [pieces]."""
    counts = np.zeros((len(sizes), members.max(initial=-1) + 2), np.int64)
    np.add.at(counts, (codes, members), 1)  # the last column counts those in no cluster
    counts = counts[:, :-1]
    if not counts.shape[1]:
        return np.full(len(sizes), -1)
    return np.where(2 * counts.max(axis=1) > sizes, counts.argmax(axis=1), -1)


def pieces_tags(library: Library, name: str) -> dict[str, list[str]]:
    """What a cluster can be named by: for each tag one word a piece, empty where unknown.

    Args:
        library: whose pieces.
        name: of the subspace. An instrument adds its sound and whether it is missing.
    """
    segments = library.segments
    pieces = segments.drop_duplicates("piece", ignore_index=True)

    def words(column: str, prefix: str = "") -> list[str]:
        if column not in pieces:
            return [""] * len(pieces)
        return ["" if pd.isna(v) or v == "" else f"{prefix}{v}" for v in pieces[column]]

    tags = {"groove": words("groove"), "key": words("key"), "signature": words("signature")}
    tempo = pieces["tempo"] if "tempo" in pieces else pd.Series(np.nan, pieces.index)
    low = (tempo // _BAND * _BAND).tolist()
    tags["tempo"] = ["" if pd.isna(b) else f"{b:.0f}–{b + _BAND:.0f} BPM" for b in low]
    tags["source"] = words("source")
    if name in INSTRUMENTS:
        tags["program"] = [_sound(name, word) for word in words(f"program_{name}")]
        tags["soundfont"] = words(f"soundfont_{name}", f"{name} of ")
        column = f"activity_{name}"
        if column in segments:
            heard = segments.groupby("piece", sort=False)[column].mean()
            tags["absent"] = [f"no {name}" if x < _SILENT else "" for x in heard.tolist()]
    return {tag: values for tag, values in tags.items() if any(values)}


def _sound(instrument: str, program: str) -> str:
    """``guitar``, ``25`` → ``Acoustic Guitar (steel)``; drums have kits instead."""
    if not program.isdecimal() or int(program) > 127:
        return program
    if instrument == "drums":
        return f"drum kit {program}"
    from pretty_midi import program_to_instrument_name  # noqa: PLC0415 slow, for few

    return str(program_to_instrument_name(int(program)))


def _name(tags: Mapping[str, list[str]], inside: np.ndarray) -> tuple[str, str, float, float]:
    """Label, tag, share and lift of the pieces inside: the least likely by chance."""
    tried = list(_candidates(tags, inside))
    good = [one for one in tried if one[3] >= _SHARE and one[0] * len(tried) <= _CHANCE]
    if not good:
        return MIXED, "", 0.0, 0.0
    _, label, tag, share, lift = min(good, key=lambda one: (one[0], -one[4], one[1]))
    return label, tag, share, lift


def _candidates(
    tags: Mapping[str, list[str]], inside: np.ndarray
) -> Iterator[tuple[float, str, str, float, float]]:
    """Every word among the pieces inside: chance, word, tag, share, lift.

    The chance is that of so many pieces or more with the word, had the cluster's pieces been
    drawn from the library (hypergeometric). ``absent`` counts among all pieces; a piece of which
    another tag is unknown counts neither here nor there.
    """
    from scipy.stats import hypergeom  # noqa: PLC0415 slow, for few

    for tag, values in tags.items():
        column = np.asarray(values)
        known = np.ones(len(column), np.bool_) if tag == "absent" else column != ""
        drawn = int((known & inside).sum())
        for word in sorted({*column[inside].tolist()} - {""}):
            has = column == word
            both, all_of_it, total = int((has & inside).sum()), int(has.sum()), int(known.sum())
            chance = float(hypergeom.sf(both - 1, total, all_of_it, drawn))
            yield chance, word, tag, both / drawn, (both / drawn) / (all_of_it / total)
