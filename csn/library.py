"""A library: an embedded corpus on disk, and exact search in it under any focus.

The folder holds ``library.json`` (what was embedded, by which model, how), ``segments.parquet``
(one row a segment), ``vectors.npy`` (``csn.vectors``: float32 with norms, or float16),
``pieces.parquet`` (where each piece came from) and ``maps/``. ``csn.collecting`` makes it.
"""

import json
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from csn import home, milvus
from csn.collecting.folder import settle
from csn.corpora import Corpus, open_corpus
from csn.embedding import UNREADABLE, Embedder, sha256
from csn.errors import LibraryError
from csn.instruments import EMBEDDING, INSTRUMENTS
from csn.search import ExactSearch
from csn.vectors import Floats, Integers, Mask, Stored, well_shaped

FORMAT: Final = "stemwise-library-1"

ACTIVITY: Final = tuple(f"activity_{name}" for name in INSTRUMENTS)
"""Columns of ``segments``: the part of a segment in which the instrument sounds, 0 to 1."""

COLUMNS: Final = ("piece", "title", "split", "start", "length", *ACTIVITY, "tempo")
TAGS: Final = ("key", "groove", "groove_file")  # always there, empty where unknown
_MAPS: Final = ("umap", "tsne", "pca")  # the first that exists is shown
_CHECKED: Final = 1 << 26  # bytes: smaller files are compared with their hash on opening


class Library:
    """An embedded corpus.

    Attributes:
        folder: where it lies.
        info: the content of ``library.json``.
        segments: one row a segment: piece, title, split, start and length (seconds),
            ``activity_drums`` … (NaN where the corpus has no stems), tempo (BPM or NaN), key,
            groove, groove_file and the corpus's other tags (empty where a piece has none).
        vectors: [segments, 645] float32 with norms, or [segments, 640] float16; memory-mapped,
            read-only. The first 640 columns are the embedding.
        piece_codes: [segments] int64, the piece of each segment as a number.
    """

    def __init__(
        self, folder: Path, info: dict[str, Any], segments: pd.DataFrame, vectors: Stored
    ) -> None:
        """Use ``Library.open`` or ``build``."""
        self.folder, self.info, self.segments, self.vectors = folder, info, segments, vectors
        self.piece_codes = pd.factorize(segments["piece"])[0]
        self._search: ExactSearch | milvus.MilvusSearch = ExactSearch(vectors, self.piece_codes)

    @classmethod
    def open(cls, folder: Path | str) -> "Library":
        """Open a library.

        Args:
            folder: as given to ``build``, or the word ``demo``.

        Raises:
            LibraryError: there is none, or it is damaged or of another version.
        """
        where = home.demo() / "library" if str(folder) == "demo" else Path(folder)
        settle(where)
        while True:
            about = _read(where)
            try:
                return cls._open(where, about)
            except UNREADABLE as error:
                if _read(where) != about:  # another took its place meanwhile
                    continue
                raise LibraryError(
                    f"The library at {where} is damaged ({_first_line(error)}); copy it again or "
                    "make it again with `csn embed`."
                ) from error

    @classmethod
    def _open(cls, where: Path, about: bytes) -> "Library":
        """The library whose ``library.json`` this is; raises whatever a damaged file raises."""
        info = json.loads(about)
        if info["format"] != FORMAT:
            raise LibraryError(
                f"The library at {where} has the format {info['format']!r}, this version "
                f"reads {FORMAT!r}; make it again with `csn embed`."
            )
        for name, digest in info["files"].items():
            if (where / name).stat().st_size <= _CHECKED and sha256(where / name) != digest:
                raise ValueError(f"{name} is not the file that was written")
        segments = pd.read_parquet(where / "segments.parquet")
        vectors = np.load(where / "vectors.npy", mmap_mode="r", allow_pickle=False)
        if len(vectors) != len(segments) or not well_shaped(vectors):
            raise ValueError(f"vectors.npy is {vectors.dtype} {list(vectors.shape)}")
        if missing := {*COLUMNS, *TAGS} - {*segments.columns}:
            raise ValueError(f"segments.parquet has no {', '.join(sorted(missing))}")
        library = cls(where, info, segments, vectors)
        elsewhere = milvus.searcher(
            where, vectors, library.piece_codes, info["files"]["vectors.npy"]
        )
        library._search = elsewhere or library._search
        return library

    def __len__(self) -> int:
        return len(self.segments)

    def check(self, model: Embedder) -> None:
        """Make sure that new sounds embedded by this model may be compared with the library.

        Raises:
            LibraryError: the library was made by another model.
        """
        if model.hash != self.info["model"]:
            raise LibraryError(
                f"The library {self.info['name']!r} was made by another model "
                f"({self.info['model'][:12]}, not {model.hash[:12]}); choose that model or embed "
                "the corpus again with `csn embed`."
            )

    def corpus(self) -> Corpus:
        """Open the corpus that was embedded; a relative path starts at the library's folder.

        Raises:
            CorpusError: it is no longer there.
        """
        return open_corpus(corpus_uri(self.folder, self.info))

    def search(
        self,
        query: ArrayLike,
        weights: Sequence[float],
        k: int = 10,
        *,
        exclude_pieces: Collection[str] = (),
        one_per_piece: bool = False,
        where: Mask | None = None,
    ) -> tuple[Integers, Floats]:
        """The nearest segments, exactly.

        Args:
            query: [640] or [q, 640].
            weights: five, one per instrument; 0 = off, negative = rather different.
            k: how many; fewer come back when the library holds fewer.
            exclude_pieces: ids of pieces that must not be found; unknown ids are ignored.
            one_per_piece: only the best segment of each piece.
            where: [segments], False for further segments that must not be found.

        Returns:
            Indices int64 and distances float32, [≤ k] or [q, ≤ k]: ``csn.search``.

        Raises:
            LibraryError: weights that are not five finite numbers, or are all 0.
        """
        allowed = where
        if exclude_pieces:
            others = ~self.segments["piece"].isin(list(exclude_pieces)).to_numpy()
            allowed = others if where is None else others & where
        return self._search.search(query, weights, k, allowed=allowed, one_per_piece=one_per_piece)

    def neighbours(
        self,
        segment: int,
        weights: Sequence[float],
        k: int = 10,
        *,
        same_piece: bool = False,
        one_per_piece: bool = False,
    ) -> tuple[Integers, Floats]:
        """The nearest segments to one of the library's own, which is never among them.

        Args:
            segment: its index.
            weights: as for ``search``.
            k: as for ``search``.
            same_piece: whether the other segments of its piece may be found.
            one_per_piece: as for ``search``.

        Returns:
            As ``search``.

        Raises:
            LibraryError: no such segment, or bad weights.
        """
        if not 0 <= segment < len(self):
            raise LibraryError(
                f"The library {self.info['name']!r} has no segment {segment}; its segments are "
                f"0 to {len(self) - 1}."
            )
        allowed = np.ones(len(self), np.bool_)
        allowed[segment] = False
        if not same_piece:
            allowed &= self.piece_codes != self.piece_codes[segment]
        return self.search(
            self.vectors[segment, :EMBEDDING],
            weights,
            k,
            one_per_piece=one_per_piece,
            where=allowed,
        )

    def map(self, subspace: str, method: str | None = None) -> Floats:
        """Where every segment lies on a map made by ``csn.maps.fit_maps``.

        Args:
            subspace: ``whole`` or an instrument.
            method: one of ``csn.maps.METHODS``; by default the first of ``umap``, ``tsne`` and
                ``pca`` that was made.

        Returns:
            [segments, 2] float32 in [-1, 1], or 3 where the method's name ends in 3.

        Raises:
            LibraryError: no such map, or one of other vectors.
        """
        return self.map_file(subspace, method)["coordinates"]

    def map_file(self, subspace: str, method: str | None = None) -> dict[str, np.ndarray]:
        """Everything in the file of a map; see ``csn.maps``.

        Raises:
            LibraryError: as ``map``.
        """
        for name in _MAPS if method is None else (method,):
            file = self.folder / "maps" / f"{name}-{subspace}.npz"
            if file.is_file():
                break
        else:
            raise LibraryError(
                f"The library at {self.folder} has no {method or ''} map of {subspace!r}; make "
                "it with `csn map`.".replace("  ", " ")
            )
        try:
            with np.load(file, allow_pickle=False) as stored:
                content = dict(stored)
            if content["coordinates"].shape != (len(self), 3 if name.endswith("3") else 2):
                raise ValueError(f"it holds {len(content['coordinates'])} points")
            if str(content["vectors_sha256"]) != self.info["files"]["vectors.npy"]:
                raise ValueError("it was made from other vectors")
        except UNREADABLE as error:
            raise LibraryError(
                f"The map {file} does not fit its library ({_first_line(error)}); make it again "
                "with `csn map`."
            ) from error
        return content


def corpus_uri(folder: Path, info: Mapping[str, Any]) -> str:
    """What ``open_corpus`` takes for the corpus of a library, by what ``library.json`` says."""
    scheme, path = split_uri(info["corpus"])
    if path == "demo":
        return "demo"
    return f"{scheme}{Path(os.path.normpath(folder.absolute() / path))}"


def split_uri(uri: str) -> tuple[str, str]:
    """``slakh:PATH`` → ``slakh:`` and PATH; a plain path, Windows' ``C:`` too, has no layout."""
    named = re.match(r"[a-z]{2,}:", uri)
    return (named[0], uri[named.end() :]) if named else ("", uri)


def _read(where: Path) -> bytes:
    """What ``library.json`` says.

    Raises:
        LibraryError: there is none.
    """
    try:
        return (where / "library.json").read_bytes()
    except OSError:
        raise LibraryError(f"There is no library at {where}; make one with `csn embed`.") from None


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
