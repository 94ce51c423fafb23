"""Put a library together of pieces that are embedded, beside the library that is there."""

import json
import os
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pandas as pd

from csn import __version__, home
from csn.collecting import folder as places
from csn.collecting import pieces as memory
from csn.collecting.pieces import Known, Source
from csn.corpora import Corpus, Piece
from csn.embedding import Embedded, read_part, sha256, write_whole
from csn.errors import LibraryError
from csn.instruments import EMBEDDING
from csn.library import ACTIVITY, COLUMNS, TAGS, Library, split_uri
from csn.vectors import WIDTH, Integers, Stored, with_norms

ODD = "corpus_problems"
"""In ``library.json``: sentences about files that did not become pieces, or are odd."""


class Done(NamedTuple):
    """A piece that needs no more work."""

    piece: Piece
    known: Known
    """With its first row in the old library, where its vectors are from there."""
    starts: np.ndarray
    """[n] float64, seconds."""
    activity: np.ndarray
    """[n, 5] float32."""
    part: Path | None
    """The file of its vectors; None where they are in the old library."""

    @classmethod
    def of(cls, piece: Piece, files: Sequence[Source], part: Embedded, file: Path) -> "Done":
        """A piece that was just embedded."""
        hashes = part.hashes or [""] * len(files)
        sources = tuple(one._replace(hash=h) for one, h in zip(files, hashes, strict=True))
        known = Known(piece.id, sources, piece.duration, 0, len(part.starts), part.problem)
        return cls(piece, known, part.starts, part.activity, file)


def assemble(
    folder: Path, plan: dict[str, Any], done: Sequence[Done], old: Library | None, half: bool
) -> bool:
    """Write the next library to ``places.coming(folder)``, ``library.json`` last.

    What an earlier run has put together is left as it is, so that its maps need not be drawn again.

    Args:
        folder: of the library.
        plan: what ``library.json`` says.
        done: every piece of the corpus, in its order.
        old: the library that is there, if pieces of it are reused.
        half: whether to store float16.

    Returns:
        False where the next library is the one that is there.

    Raises:
        LibraryError: there is no segment at all.
    """
    problems = [one.known.problem for one in done if one.known.problem]
    sounding = [one for one in done if one.known.rows]
    if not sounding:
        raise LibraryError(
            f"Not one piece of {plan['name']} could be embedded; the first reason is: "
            f"{problems[0] if problems else 'the corpus has no pieces.'}"
        )
    work, coming = places.partial(folder), places.coming(folder)
    segments = _table(sounding, plan["length"])
    write_whole(work / places.TABLE, lambda file: segments.to_parquet(file, index=False))
    ends = np.cumsum([one.known.rows for one in done]).tolist()
    known = [
        one.known._replace(first=end - one.known.rows) for one, end in zip(done, ends, strict=True)
    ]
    write_whole(work / places.PIECES, lambda file: memory.write(file, known))
    hashes = {name: sha256(work / name) for name in (places.TABLE, places.PIECES)}
    stored = "float16" if half else "float32"
    if old is not None and _is(old.info, plan, hashes) and str(old.vectors.dtype) == stored:
        return False
    plan = plan | {"stored": stored}
    if _is(_info(coming), plan, hashes):
        return True
    shutil.rmtree(coming, ignore_errors=True)
    (coming / places.MAPS).mkdir(parents=True)  # empty maps, too, take the place of the old ones
    vectors = coming / places.VECTORS
    write_whole(vectors, lambda file: _write_vectors(file, sounding, old, half))
    for name in hashes:
        os.replace(work / name, coming / name)
    info = plan | {
        "pieces": len(sounding),
        "segments": len(segments),
        "problems": problems,
        "files": {**hashes, places.VECTORS: sha256(vectors)},
        "versions": {"stemwise": __version__}
        | {name: version(name) for name in ("numpy", "pandas", "torch")},
    }
    text = json.dumps(info, indent=1, ensure_ascii=False) + "\n"
    write_whole(
        coming / places.ABOUT, lambda file: file.write(text.encode(errors="backslashreplace"))
    )
    return True


def origins(done: Sequence[Done]) -> Integers:
    """The row that each segment had in the old library, [segments]; -1 for new ones."""
    rows = [
        np.full(one.known.rows, -1, np.int64)
        if one.part is not None
        else np.arange(one.known.first, one.known.first + one.known.rows)
        for one in done
    ]
    return np.concatenate(rows)


def root_of(corpus: Corpus) -> Path:
    """The folder of a corpus."""
    path = split_uri(corpus.uri)[1]
    return home.demo() / "corpus" if path == "demo" else Path(path).expanduser()


def portable(uri: str, folder: Path) -> str:
    """The corpus's URI as it will be found from the library, wherever the two are moved together.

    Relative to the library where both lie in one folder, else absolute.
    """
    scheme, path = split_uri(uri)
    if path == "demo":
        return uri
    place, beside = Path(path).expanduser().resolve(), folder.resolve().parent
    if place.is_relative_to(beside):
        return scheme + Path(os.path.relpath(place, folder.resolve())).as_posix()
    return scheme + str(place)


def _is(info: dict[str, Any], plan: dict[str, Any], hashes: dict[str, str]) -> bool:
    """Whether a library is what it would become: its vectors follow from all this."""
    odd = info.get(ODD, []) == plan.get(ODD, [])
    return odd and plan.items() <= info.items() and hashes.items() <= info["files"].items()


def _info(folder: Path) -> dict[str, Any]:
    """The ``library.json`` of a folder, or something that is like none."""
    try:
        content: dict[str, Any] = json.loads((folder / places.ABOUT).read_bytes())
    except (OSError, ValueError):
        return {"files": {}}
    return content


def _write_vectors(file: IO[bytes], done: Sequence[Done], old: Library | None, half: bool) -> None:
    """What ``np.save`` would write, without a second copy of everything in memory."""
    rows = sum(one.known.rows for one in done)
    shape = (rows, EMBEDDING if half else WIDTH)
    header = {"descr": "<f2" if half else "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    for one in done:
        file.write(_stored(_vectors(one, old), half).tobytes())


def _vectors(one: Done, old: Library | None) -> Stored:
    """A piece's vectors, [n, 640 or more]."""
    if one.part is None and old is not None:
        first = one.known.first
        return old.vectors[first : first + one.known.rows]
    part = read_part(one.part) if one.part is not None else None
    if part is None:
        raise LibraryError(f"{one.part} was damaged while it was in use; run the same again.")
    return part.embeddings


def _stored(vectors: Stored, half: bool) -> Stored:
    """As they are written: float16, or float32 with norms."""
    if not half:
        whole = vectors.shape[1] == WIDTH
        return vectors if whole else with_norms(vectors).astype("<f4", copy=False)
    with np.errstate(over="ignore"):
        answer = vectors[:, :EMBEDDING].astype("<f2")
    if not np.isfinite(answer).all():
        raise LibraryError("The model's numbers are too large for float16; embed without --half.")
    return answer


def _table(done: Sequence[Done], length: float) -> pd.DataFrame:
    """One row a segment."""
    tags = sorted({key for one in done for key in one.piece.tags} - {*COLUMNS, *TAGS})
    pieces = [one.piece for one in done]
    rows = np.repeat(np.arange(len(done)), [len(one.starts) for one in done])
    about = pd.DataFrame(
        {
            "piece": [piece.id for piece in pieces],
            "title": [piece.title for piece in pieces],
            "split": [piece.split for piece in pieces],
            "tempo": np.array([piece.tempo for piece in pieces], np.float64),
            **{key: [str(piece.tags.get(key, "")) for piece in pieces] for key in (*TAGS, *tags)},
        }
    )
    table = about.iloc[rows].reset_index(drop=True)
    table["start"] = np.concatenate([one.starts for one in done])
    table["length"] = length
    active = np.concatenate([one.activity for one in done])
    for c, name in enumerate(ACTIVITY):
        table[name] = active[:, c]
    return table[[*COLUMNS, *TAGS, *tags]]
