"""A library's vectors in a collection, and the file that says where it is."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from csn.embedding import write_whole
from csn.errors import LibraryError
from csn.instruments import EMBEDDING, INSTRUMENTS
from csn.milvus.client import TOKEN, client
from csn.vectors import WIDTH, Stored, with_norms

FILE: Final = "index.json"

_AT_ONCE: Final = 4096  # rows sent together: 10 MB, of the 64 that a server takes


@dataclass(frozen=True)
class Index:
    """Where the vectors of a library lie in Milvus.

    Attributes:
        uri: of a server (``http://…``), or a file's name beside ``index.json`` (Milvus Lite).
        collection: its name.
        segments: how many rows it holds.
        vectors_sha256: of the library's vectors that were sent.
        largest: five, the longest vector in each subspace; bounds the rounding of scores.
    """

    uri: str
    collection: str
    segments: int
    vectors_sha256: str
    largest: tuple[float, ...]


def read(folder: Path) -> Index | None:
    """What ``index.json`` says, or None where there is none.

    Raises:
        LibraryError: it cannot be read.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        said = json.loads(file.read_text("utf-8"))
        return Index(**said | {"largest": tuple(float(value) for value in said["largest"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LibraryError(
            f"{file} is damaged; delete it, and give `csn index` again to search in Milvus."
        ) from error


def send(
    folder: Path,
    vectors: Stored,
    pieces: ArrayLike,
    vectors_sha256: str,
    *,
    uri: str = "",
    name: str = "library",
    progress: bool = True,
) -> Index:
    """Put a library's vectors into a collection; one of the same name is replaced.

    Args:
        folder: of the library; gets ``index.json`` and, without a server, ``milvus.db``.
        vectors: [segments, 645 or 640].
        pieces: [segments] integers, the piece of each.
        vectors_sha256: of the file that holds them.
        uri: of a server; empty for a file in the folder.
        name: of the library; the collection's is made from it.
        progress: draw a bar.

    Raises:
        LibraryError: no such server, or one that does not take them; or an address that holds a
            password.
    """
    if uri and (urlsplit(uri).username or urlsplit(uri).password):
        raise LibraryError(
            f"The address of a server must not hold a password; put it into {TOKEN} instead."
        )
    codes = np.asarray(pieces, np.int64)
    collection = "stemwise_" + re.sub(r"\W+", "_", name)[:80] + "_" + vectors_sha256[:12]
    largest = np.zeros(len(INSTRUMENTS))
    with client(uri or str(folder / "milvus.db"), "sending the vectors") as milvus:
        _create(milvus, collection)
        bar = tqdm(total=len(vectors), desc="to Milvus", unit="segment", disable=not progress)
        for first in range(0, len(vectors), _AT_ONCE):
            some = with_norms(vectors[first : first + _AT_ONCE, :EMBEDDING])
            largest = np.maximum(largest, np.sqrt(some[:, EMBEDDING:].max(axis=0, initial=0.0)))
            rows = [
                {"row": first + i, "piece": int(codes[first + i]), "vector": row}
                for i, row in enumerate(some)
            ]
            milvus.insert(collection, rows)
            bar.update(len(some))
        bar.close()
        milvus.flush(collection)
    before = read(folder)
    index = Index(
        uri or "milvus.db", collection, len(vectors), vectors_sha256, tuple(largest.tolist())
    )
    text = json.dumps(asdict(index), indent=1) + "\n"
    write_whole(folder / FILE, lambda file: file.write(text.encode()))
    if before and (before.uri, before.collection) != (index.uri, collection):
        _drop(folder, before)
    return index


def remove(folder: Path) -> bool:
    """Drop a library's collection and forget it; False where there is none.

    Raises:
        LibraryError: the server does not answer.
    """
    index = read(folder)
    if index is None:
        return False
    _drop(folder, index)
    (folder / FILE).unlink()
    return True


def address(folder: Path, index: Index) -> str:
    """A server's address, or the path of the file."""
    return index.uri if "://" in index.uri else str(folder / index.uri)


def _create(milvus: Any, collection: str) -> None:
    from pymilvus import DataType  # noqa: PLC0415

    if milvus.has_collection(collection):
        milvus.drop_collection(collection)
    schema = milvus.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("row", DataType.INT64, is_primary=True)
    schema.add_field("piece", DataType.INT64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=WIDTH)
    index = milvus.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="IP")
    milvus.create_collection(collection, schema=schema, index_params=index)


def _drop(folder: Path, index: Index) -> None:
    with client(address(folder, index), "removing a collection") as milvus:
        if milvus.has_collection(index.collection):
            milvus.drop_collection(index.collection)
