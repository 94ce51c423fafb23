"""A library: an embedded corpus on disk, and exact search in it under any focus.

The folder holds ``library.json`` (what was embedded, by which model, how), ``segments.parquet``
(one row a segment), ``vectors.npy`` ([segments, 645] float32: the embedding and the squared norm
of each subspace) and ``maps/``. ``library.json`` is written last, so a folder without it is not a
library yet; ``build`` continues from the pieces that are done.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Collection, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from csn import __version__, home
from csn.corpora import Corpus, Piece, open_corpus
from csn.embedding import UNREADABLE, Embedded, Embedder, embed_pieces, write_whole
from csn.errors import LibraryError
from csn.instruments import EMBEDDING, INSTRUMENTS
from csn.search import ExactSearch
from csn.vectors import WIDTH, Floats, Integers, Mask, with_norms

FORMAT: Final = "stemwise-library-1"

ACTIVITY: Final = tuple(f"activity_{name}" for name in INSTRUMENTS)
"""Columns of ``segments``: the part of a segment in which the instrument sounds, 0 to 1."""

_COLUMNS: Final = ("piece", "title", "split", "start", "length", *ACTIVITY, "tempo")
_TAGS: Final = ("key", "groove", "groove_file")  # always there, empty where unknown
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
        vectors: [segments, 645] float32, memory-mapped, read-only.
    """

    def __init__(
        self, folder: Path, info: dict[str, Any], segments: pd.DataFrame, vectors: Floats
    ) -> None:
        """Use ``Library.open`` or ``build``."""
        self.folder, self.info, self.segments, self.vectors = folder, info, segments, vectors
        self._piece_codes = pd.factorize(segments["piece"])[0]
        self._search = ExactSearch(vectors, self._piece_codes)

    @classmethod
    def open(cls, folder: Path | str) -> "Library":
        """Open a library.

        Args:
            folder: as given to ``build``, or the word ``demo``.

        Raises:
            LibraryError: there is none, or it is damaged or of another version.
        """
        where = home.demo() / "library" if str(folder) == "demo" else Path(folder)
        if not (where / "library.json").is_file():
            raise LibraryError(f"There is no library at {where}; make one with `csn embed`.")
        try:
            info = json.loads((where / "library.json").read_text("utf-8"))
            if info["format"] != FORMAT:
                raise LibraryError(
                    f"The library at {where} has the format {info['format']!r}, this version "
                    f"reads {FORMAT!r}; make it again with `csn embed`."
                )
            for name, digest in info["files"].items():
                if (where / name).stat().st_size <= _CHECKED and _sha256(where / name) != digest:
                    raise ValueError(f"{name} is not the file that was written")
            segments = pd.read_parquet(where / "segments.parquet")
            vectors = np.load(where / "vectors.npy", mmap_mode="r", allow_pickle=False)
            if vectors.shape != (len(segments), WIDTH) or vectors.dtype != np.float32:
                raise ValueError(f"vectors.npy is {vectors.dtype} {list(vectors.shape)}")
            if missing := {*_COLUMNS, *_TAGS} - {*segments.columns}:
                raise ValueError(f"segments.parquet has no {', '.join(sorted(missing))}")
            return cls(where, info, segments, vectors)
        except UNREADABLE as error:
            raise LibraryError(
                f"The library at {where} is damaged ({_first_line(error)}); copy it again or "
                "make it again with `csn embed`."
            ) from error

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
        scheme, path = _split_uri(self.info["corpus"])
        if path == "demo":
            return open_corpus("demo")
        return open_corpus(f"{scheme}{Path(os.path.normpath(self.folder.absolute() / path))}")

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
            allowed &= self._piece_codes != self._piece_codes[segment]
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
            method: ``umap``, ``tsne`` or ``pca``; by default the first of these that was made.

        Returns:
            [segments, 2] float32 in [-1, 1].

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
            if content["coordinates"].shape != (len(self), 2):
                raise ValueError(f"it holds {len(content['coordinates'])} points")
            if str(content["vectors_sha256"]) != self.info["files"]["vectors.npy"]:
                raise ValueError("it was made from other vectors")
        except UNREADABLE as error:
            raise LibraryError(
                f"The map {file} does not fit its library ({_first_line(error)}); make it again "
                "with `csn map`."
            ) from error
        return content


def build(
    corpus: Corpus,
    model: Embedder,
    folder: Path | str,
    *,
    length: float = 3.0,
    overlap: float = 0.5,
    progress: bool = True,
    resume: bool = True,
) -> Library:
    """Embed a corpus into a folder.

    Silent segments of the mix are dropped; a piece that cannot be read is left out, with one
    sentence in ``info["problems"]``. A run that was killed goes on where it stopped, and a
    library that is already what it would become is opened as it is.

    Args:
        corpus: what to embed.
        model: what embeds, a ``csn.model.Model``.
        folder: of the library; an older library in it is replaced, its maps with it.
        length: of a segment, seconds.
        overlap: of neighbouring segments, as a fraction of ``length``.
        progress: draw a progress bar.
        resume: False forgets what an earlier run left.

    Raises:
        LibraryError: not one segment could be embedded, or the folder is a file.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise LibraryError(f"{folder} is a file; give the name of a folder for the library.")
    if not resume:
        shutil.rmtree(folder / ".partial", ignore_errors=True)
    info = {
        "format": FORMAT,
        "name": corpus.name,
        "corpus": _portable(corpus.uri, folder),
        "corpus_fingerprint": corpus.fingerprint(),
        "model": model.hash,
        "sample_rate": model.settings.sample_rate,
        "length": length,
        "overlap": overlap,
    }
    there = _opened(folder) if resume else None
    if there is not None and info.items() <= there.info.items():
        return there
    parts = embed_pieces(
        corpus, model, folder / ".partial", length=length, overlap=overlap, progress=progress
    )
    done = list(parts)
    _assemble(folder, info, done, length)
    shutil.rmtree(folder / ".partial")
    return Library.open(folder)


def _opened(folder: Path) -> Library | None:
    """The library in a folder, or None where there is no sound one."""
    try:
        return Library.open(folder)
    except LibraryError:
        return None


def _assemble(
    folder: Path, info: dict[str, Any], done: Sequence[tuple[Piece, Embedded]], length: float
) -> None:
    """Write the library's files, ``library.json`` last."""
    problems = [part.problem for _, part in done if part.problem]
    done = [(piece, part) for piece, part in done if len(part.starts)]
    if not done:
        raise LibraryError(
            f"Not one piece of {info['name']} could be embedded; the first reason is: "
            f"{problems[0] if problems else 'the corpus has no pieces.'}"
        )
    (folder / "library.json").unlink(missing_ok=True)  # from here on the old library is gone
    for map_file in (folder / "maps").glob("*.npz"):
        map_file.unlink()
    segments = _table(done, length)
    write_whole(folder / "segments.parquet", lambda file: segments.to_parquet(file, index=False))
    write_whole(folder / "vectors.npy", lambda file: _write_vectors(file, done, len(segments)))
    info |= {
        "pieces": len(done),
        "segments": len(segments),
        "problems": problems,
        "files": {name: _sha256(folder / name) for name in ("segments.parquet", "vectors.npy")},
        "versions": {"stemwise": __version__}
        | {name: version(name) for name in ("numpy", "pandas", "torch")},
    }
    text = json.dumps(info, indent=1, ensure_ascii=False) + "\n"
    write_whole(folder / "library.json", lambda file: file.write(text.encode()))


def _write_vectors(file: IO[bytes], done: Sequence[tuple[Piece, Embedded]], rows: int) -> None:
    """What ``np.save`` would write, without a second copy of everything in memory."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (rows, WIDTH)}
    np.lib.format.write_array_header_1_0(file, header)
    for _, part in done:
        file.write(with_norms(part.embeddings).astype("<f4").tobytes())


def _table(done: Sequence[tuple[Piece, Embedded]], length: float) -> pd.DataFrame:
    """One row a segment."""
    tags = sorted({key for piece, _ in done for key in piece.tags} - {*_COLUMNS, *_TAGS})
    rows = np.repeat(np.arange(len(done)), [len(part.starts) for _, part in done])
    pieces = pd.DataFrame(
        {
            "piece": [piece.id for piece, _ in done],
            "title": [piece.title for piece, _ in done],
            "split": [piece.split for piece, _ in done],
            "tempo": np.array([piece.tempo for piece, _ in done], np.float64),
            **{key: [str(piece.tags.get(key, "")) for piece, _ in done] for key in (*_TAGS, *tags)},
        }
    )
    table = pieces.iloc[rows].reset_index(drop=True)
    table["start"] = np.concatenate([part.starts for _, part in done])
    table["length"] = length
    active = np.concatenate([part.activity for _, part in done])
    for c, name in enumerate(ACTIVITY):
        table[name] = active[:, c]
    return table[[*_COLUMNS, *_TAGS, *tags]]


def _split_uri(uri: str) -> tuple[str, str]:
    """``slakh:PATH`` → ``slakh:`` and PATH; a plain path, Windows' ``C:`` too, has no layout."""
    named = re.match(r"[a-z]{2,}:", uri)
    return (named[0], uri[named.end() :]) if named else ("", uri)


def _portable(uri: str, folder: Path) -> str:
    """The corpus's URI as it will be found from the library, wherever the two are moved together.

    Relative to the library where both lie in one folder, else absolute.
    """
    scheme, path = _split_uri(uri)
    if path == "demo":
        return uri
    place, beside = Path(path).resolve(), folder.resolve().parent
    if place.is_relative_to(beside):
        return scheme + Path(os.path.relpath(place, folder.resolve())).as_posix()
    return scheme + str(place)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
