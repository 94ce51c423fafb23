"""Embed a corpus into a library, or bring a library up to its corpus.

Only what is new is embedded; the result is, byte for byte, what embedding everything anew gives.
The library that is there can be used until the new one takes its place in one step
(``csn.collecting.folder``), and work that was broken off goes on where it was.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from csn.collecting import assemble
from csn.collecting import folder as places
from csn.collecting import pieces as memory
from csn.collecting.assemble import Done
from csn.collecting.pieces import Changes, Known, Source
from csn.collecting.progress import Progress, Stopwatch, bar
from csn.corpora import Corpus, Piece
from csn.embedding import Embedder, embed_pieces, read_part, write_part, write_whole
from csn.errors import LibraryError, Paused
from csn.library import ACTIVITY, FORMAT, Library


def build(
    corpus: Corpus,
    model: Embedder,
    folder: Path | str,
    *,
    length: float = 3.0,
    overlap: float = 0.5,
    half: bool | None = None,
    split: str = "",
    finish: Callable[[Library | None, Library, np.ndarray], None] | None = None,
    progress: bool = True,
    resume: bool = True,
    watch: Callable[[Progress], None] = lambda _: None,
    compared: Callable[[Changes], None] = lambda _: None,
    pausing: Callable[[], bool] = lambda: False,
) -> Library:
    """Embed a corpus into a folder.

    Silent segments of the mix are dropped; a piece that cannot be read is left out, with one
    sentence in ``info["problems"]``, and is tried again when its file changes.

    Args:
        corpus: what to embed.
        model: what embeds, a ``csn.model.Model``.
        folder: of the library. One that is there is brought up to date, if the same model made
            it, in segments of the same length; else it is replaced. Its maps go, unless ``finish``
            makes new ones.
        length: of a segment, seconds.
        overlap: of neighbouring segments, as a fraction of ``length``.
        half: store float16, half as large; None does as the library that is there does.
        split: what the corpus was narrowed to, to be written down.
        finish: called with the library that was there (None where nothing of it was of use), with
            the new one before it takes its place, and with the old row of each new row
            ([segments] int64, -1 for new ones); what it writes into the folder stays.
        progress: draw a progress bar.
        resume: False embeds everything anew.
        watch: told how far the work is, after each piece.
        compared: told what has changed, before anything is embedded.
        pausing: asked after each piece whether to stop for now.

    Raises:
        LibraryError: not one segment could be embedded, the folder is a file, or somebody else is
            working on it.
        Paused: ``pausing`` said so; the same call goes on.
    """
    folder = Path(folder)
    with places.working(folder):
        places.settle(folder)
        plan = _plan(corpus, model, folder, length, overlap)
        more = {"split": split, assemble.ODD: list(corpus.problems)}
        plan |= {name: value for name, value in more.items() if value}
        there = _opened(folder)
        if half is None:
            half = there is not None and there.vectors.dtype == np.float16
        old = _of_use(there, plan, half) if resume else None
        known = memory.read(folder / places.PIECES) if old is not None else None
        if old is not None and known is None:  # made before files were remembered
            if plan.items() <= old.info.items() and half == (old.vectors.dtype == np.float16):
                places.clear(folder)
                return old
            old = None
        root = assemble.root_of(corpus)
        changes = memory.compare(corpus, root, known or (), progress)
        compared(changes)
        parts = _parts(folder, plan, keep=resume)
        with bar(f"Embedding {corpus.name}", progress) as draw:

            def tell(progress: Progress) -> None:
                draw(progress)
                watch(progress)

            done = _embed(
                corpus, model, old, changes,
                parts=parts, plan=plan, watch=tell, pausing=pausing,
            )  # fmt: skip
        if assemble.assemble(folder, plan, done, old, half):
            if finish is not None:
                finish(old, Library.open(places.coming(folder)), assemble.origins(done))
            places.commit(folder)
        else:
            places.clear(folder)
    return Library.open(folder)


def _plan(
    corpus: Corpus, model: Embedder, folder: Path, length: float, overlap: float
) -> dict[str, Any]:
    """What ``library.json`` says of a library before anything is embedded."""
    return {
        "format": FORMAT,
        "name": corpus.name,
        "corpus": assemble.portable(corpus.uri, folder),
        "corpus_fingerprint": corpus.fingerprint(),
        "model": model.hash,
        "sample_rate": model.settings.sample_rate,
        "length": length,
        "overlap": overlap,
    }


_CUTTING = ("model", "sample_rate", "length", "overlap")  # what decides a piece's vectors


def _cutting(plan: dict[str, Any]) -> dict[str, Any]:
    return {name: plan[name] for name in _CUTTING}


def _opened(folder: Path) -> Library | None:
    """The library in a folder, or None where there is no sound one."""
    try:
        return Library.open(folder)
    except LibraryError:
        return None


def _of_use(there: Library | None, plan: dict[str, Any], half: bool) -> Library | None:
    """The library that is there, if its vectors are what this model would make again."""
    if there is None or not _cutting(plan).items() <= there.info.items():
        return None
    return there if half or there.vectors.dtype == np.float32 else None


def _parts(folder: Path, plan: dict[str, Any], *, keep: bool) -> Path:
    """Where finished pieces are kept; without those that were made otherwise."""
    parts = places.partial(folder) / "parts"
    noted, note = parts / "plan.json", json.dumps(_cutting(plan)).encode()
    if not keep:
        shutil.rmtree(places.coming(folder), ignore_errors=True)
    if not (keep and noted.is_file() and noted.read_bytes() == note):
        shutil.rmtree(parts, ignore_errors=True)
        write_whole(noted, lambda file: file.write(note))
    return parts


def _embed(
    corpus: Corpus,
    model: Embedder,
    old: Library | None,
    changes: Changes,
    *,
    parts: Path,
    plan: dict[str, Any],
    watch: Callable[[Progress], None],
    pausing: Callable[[], bool],
) -> list[Done]:
    """Every piece of the corpus, in its order, embedded now or before.

    Raises:
        Paused: asked for.
    """
    done: dict[str, Done] = {}
    missing: list[Piece] = []
    if old is not None:
        starts = old.segments["start"].to_numpy()
        activity = old.segments[[*ACTIVITY]].to_numpy(np.float32)
    for piece in corpus:
        one = changes.reused.get(piece.id)
        files = changes.files[piece.id]
        if one is not None:
            rows = slice(one.first, one.first + one.rows)
            known = Known(piece.id, files, piece.duration, one.first, one.rows, one.problem)
            done[piece.id] = Done(piece, known, starts[rows], activity[rows], None)
            continue
        file = _part_file(parts, piece, files)
        part = read_part(file)
        if part is None:
            missing.append(piece)
        else:
            done[piece.id] = Done.of(piece, files, part, file)
    total = sum(piece.duration for piece in missing)
    watched = Stopwatch(len(done), len(corpus), total, watch)
    embedded = embed_pieces(
        missing, model, length=plan["length"], overlap=plan["overlap"],
        watch=lambda seconds: watched.add(0, seconds),
    )  # fmt: skip
    with closing(embedded):
        for piece, part in embedded:
            file = _part_file(parts, piece, changes.files[piece.id])
            write_part(file, part)
            done[piece.id] = Done.of(piece, changes.files[piece.id], part, file)
            watched.add(1, 0.0)
            if pausing() and len(done) < len(corpus):
                raise Paused(
                    f"paused: {len(done)} of {len(corpus)} pieces done; "
                    "run the same command to go on."
                )
    return [done[piece.id] for piece in corpus]


def _part_file(parts: Path, piece: Piece, files: Sequence[Source]) -> Path:
    """Where a piece is kept: another file as soon as one of its own is another."""
    stamps = [one._replace(hash="") for one in files]
    name = json.dumps([piece.id, piece.duration, stamps]).encode()
    return parts / f"{hashlib.sha256(name).hexdigest()[:32]}.npz"
