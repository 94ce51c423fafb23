"""The part of the command line that puts a library's vectors into Milvus: ``csn index``."""

import argparse
from collections.abc import Callable
from typing import Any

Command = Callable[[str, Callable[[argparse.Namespace], None], str], Any]


def _index(args: argparse.Namespace) -> None:
    from csn import milvus
    from csn.library import Library

    library = Library.open(args.library)
    if args.remove:
        there = milvus.remove(library.folder)
        print("The collection is gone." if there else "There was no index.", end=" ")
        print("Search is in memory.")
        return
    index = milvus.send(
        library.folder,
        library.vectors,
        library.piece_codes,
        library.info["files"]["vectors.npy"],
        uri=args.uri,
        name=library.info["name"],
    )
    print(
        f"{index.segments} segments in {index.collection!r} at {index.uri}; search asks there now"
    )


def add(command: Command) -> None:
    """Add the command to the parser."""
    sub = command("index", _index, "Search a library in Milvus, a file or a server, from now on")
    sub.add_argument("--library", default="demo", help="folder, or demo")
    sub.add_argument(
        "--uri", default="",
        help="of a server, http://HOST:19530 (its token in STEMWISE_MILVUS_TOKEN); "
        "left out: a file in the library's folder",
    )  # fmt: skip
    sub.add_argument("--remove", action="store_true", help="search in memory again")
