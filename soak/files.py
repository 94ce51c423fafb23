"""Bad files through the real embedding: each ends as vectors or as one sentence that names it."""

import os
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.table import table
from csn import query
from csn.collecting.assemble import ODD
from csn.collecting.build import build
from csn.corpora import open_corpus
from csn.embedding import Embedder
from csn.errors import StemwiseError
from csn.library import Library
from csn.model import Model
from soak import bad_files

_SEED = 20
_GROWTH = 100.0  # MB, from the second part to the last; the first fills what is kept for good


def main(count: int = 2000, batches: int = 8, model: Embedder | None = None) -> bool:
    """Embed bad files, and ask with each of them.

    Args:
        count: files in all.
        batches: so many folders, each of which becomes a library; memory is read after each.
        model: what embeds; the demo's where it is left out.

    Returns:
        Whether every file ended well, and memory stayed where it was.
    """
    model = Model.load("demo") if model is None else model
    home = Path(tempfile.mkdtemp())
    wrong: list[str] = []
    ends: Counter[str] = Counter()
    memory: list[float] = []
    rows = []
    begun = time.monotonic()
    for batch in range(batches):
        folder = home / f"bad {batch}"
        with _quiet():  # decoders complain on their own, in many lines
            made = bad_files.make(folder, count // batches, _SEED + batch)
            wrong += _embed(folder, made, model, home / "library", ends)
            wrong += _ask(folder, made, model, ends)
        memory.append(_resident())
        rows.append([f"{len(made)} files", f"{memory[-1]:.0f}", f"{_peak():.0f}"])
        shutil.rmtree(folder)
    shutil.rmtree(home, ignore_errors=True)
    growth = memory[-1] - memory[min(1, batches - 1)]
    print(table([f"{count} bad files, after each part", "MB resident", "peak"], rows))
    said = ", ".join(f"{number} {how}" for how, number in sorted(ends.items()))
    print(f"{time.monotonic() - begun:.0f} s: {said}; {len(wrong)} otherwise.")
    print(f"Memory from the second part to the last: {growth:+.0f} MB.")
    for line in wrong[:20]:
        print(f"  {line}")
    return not wrong and growth < _GROWTH


def _embed(
    folder: Path, made: dict[str, str], model: Embedder, place: Path, ends: Counter[str]
) -> list[str]:
    """What did not end as vectors or one sentence, on the way of `csn embed`."""
    shutil.rmtree(place, ignore_errors=True)
    try:
        corpus = open_corpus(f"mixes:{folder}")
        library = build(corpus, model, place, progress=False)
    except Exception as error:  # whatever it is, it should not have happened
        return [f"embedding {folder.name}: {type(error).__name__}: {error}"]
    again = Library.open(place)
    sentences = [*again.info.get(ODD, []), *library.info["problems"]]
    pieces = " ".join(again.segments["piece"].unique())
    wrong = []
    for number, kind in made.items():
        own = [line for line in sentences if number in line]
        embedded = number in pieces
        ends["embedded" if embedded else "left out with a sentence"] += 1
        if len(own) != 1 - embedded or any(len(line.splitlines()) != 1 for line in own):
            wrong.append(f"{kind} ({number}): {'embedded, and ' if embedded else ''}{own}")
    return wrong


def _ask(folder: Path, made: dict[str, str], model: Embedder, ends: Counter[str]) -> list[str]:
    """The same for the way of an upload."""
    wrong = []
    files = {number: file for file in folder.iterdir() for number in made if number in file.name}
    for number, kind in made.items():
        try:
            name = f"upload {number}"
            seconds = query.duration(files[number], name)
            query.outline(files[number], name)
            query.read(files[number], name, model, start=0.0,
                       length=min(max(seconds, query.SHORTEST), query.LONGEST))  # fmt: skip
            ends["asked with"] += 1
        except StemwiseError as error:
            ends["refused with a sentence"] += 1
            if name not in str(error) or len(str(error).splitlines()) != 1:
                wrong.append(f"asking with {kind}: {error}")
        except Exception as error:
            wrong.append(f"asking with {kind} ({number}): {type(error).__name__}: {error}")
    return wrong


def _resident() -> float:
    """MB of memory that this process holds; the peak where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return _peak()


def _peak() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing goes to the standard error, not even from libraries in C."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
