"""Connections to Milvus, a server or a file, and their errors as one sentence."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from csn.errors import LibraryError

TOKEN: Final = "STEMWISE_MILVUS_TOKEN"
"""The environment variable with a server's token, or ``user:password``."""


@contextmanager
def client(uri: str, doing: str) -> Iterator[Any]:
    """A connection; whatever goes wrong in it becomes one sentence.

    Connections are kept open: Milvus Lite starts a server in the process for each file.
    """
    try:
        from pymilvus import MilvusException  # noqa: PLC0415 an extra, and slow to import
    except ImportError as error:
        raise LibraryError(
            "Searching in Milvus needs the package pymilvus; install it with "
            "`pip install 'stemwise[milvus]'`."
        ) from error
    try:
        yield _connect(uri)
    except (MilvusException, OSError, ValueError) as error:
        _open.pop(uri, None)
        raise LibraryError(
            f"Milvus at {uri} failed while {doing} ({str(error).splitlines()[0][:200]}); see that "
            "it runs, or search in memory again after `csn index --remove`."
        ) from error


_open: dict[str, Any] = {}


def _connect(uri: str) -> Any:
    from pymilvus import MilvusClient  # noqa: PLC0415

    if uri not in _open:
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # every error is said once, above
        _open[uri] = MilvusClient(uri, token=os.environ.get(TOKEN, ""), timeout=10)
    return _open[uri]
