"""The same vectors in a Milvus collection, for libraries that outgrow one machine's memory.

The inner product of ``[2 w_c q_c …, −w_c …]`` with a stored row ranks as the weighted distance
does (``csn.search``), so any weights are one search there, too: in an embedded file (Milvus Lite)
or a cluster, by the same code. Its float32 scores only nominate. The answer is measured again from
the library's own memory-mapped vectors, and more is fetched until nothing that was not fetched
could belong to it: results are exactly those of ``csn.search.ExactSearch`` as long as the index in
Milvus is exact (``FLAT``, which is what ``send`` makes).

``index.json`` in the library's folder says where the collection is. It never holds a password: a
server's token is read from the environment, ``STEMWISE_MILVUS_TOKEN``.
"""

from csn.milvus.index import FILE, Index, read, remove, send
from csn.milvus.search import MilvusSearch, searcher

__all__ = ["FILE", "Index", "MilvusSearch", "read", "remove", "searcher", "send"]
