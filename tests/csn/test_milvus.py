import json
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from bench.search import random_vectors
from csn import milvus
from csn.errors import LibraryError
from csn.instruments import EMBEDDING
from csn.milvus import MilvusSearch
from csn.milvus.search import expression
from csn.search import ExactSearch
from csn.vectors import with_norms

DRUMS = (1.0, 0.0, 0.0, 0.0, 0.0)
FOCUSES = [DRUMS, (1.0,) * 5, (1.0, 0.5, 0.0, -0.25, 0.0), (-1.0, 0.0, 0.0, 0.0, 0.0)]
N = 600


class Sent(NamedTuple):
    folder: Path
    vectors: np.ndarray
    pieces: np.ndarray
    search: MilvusSearch
    exact: ExactSearch


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """600 segments of 86 pieces in a file; 40 of them are one and the same."""
    folder = tmp_path_factory.mktemp("library")
    vectors = random_vectors(N)
    vectors[100:140] = vectors[100]
    pieces = np.arange(N) // 7
    milvus.send(folder, vectors, pieces, "a" * 64, name="My songs, 1", progress=False)
    search = milvus.searcher(folder, vectors, pieces, "a" * 64)
    assert search is not None
    return Sent(folder, vectors, pieces, search, ExactSearch(vectors, pieces))


@pytest.mark.parametrize("weights", FOCUSES)
@pytest.mark.parametrize("once", [False, True])
def test_answers_are_those_of_memory(sent: Sent, weights, once):
    rng = np.random.default_rng(0)
    queries = np.stack([random_vectors(1, seed=2)[0, :EMBEDDING], sent.vectors[100, :EMBEDDING]])
    for k in (1, 10, 130, N + 5):
        for allowed in (None, rng.random(N) < 0.5, np.arange(N) >= 590, np.zeros(N, bool)):
            asked = {"allowed": allowed, "one_per_piece": once}
            found, away = sent.search.search(queries, weights, k, **asked)
            expected, distances = sent.exact.search(queries, weights, k, **asked)
            np.testing.assert_array_equal(found, expected)
            np.testing.assert_array_equal(away, distances)


def test_near_ties_are_told_apart(tmp_path: Path):
    """All lie within 1e-4 of each other: their scores are noise, so nearly all are fetched."""
    rng = np.random.default_rng(1)
    base = rng.standard_normal(EMBEDDING) * 3
    vectors = with_norms(base + rng.standard_normal((400, EMBEDDING)) * 1e-5)
    milvus.send(tmp_path, vectors, np.arange(400), "b" * 64, progress=False)
    search = milvus.searcher(tmp_path, vectors, np.arange(400), "b" * 64)
    assert search is not None
    for weights in FOCUSES:
        found = search.search(vectors[7, :EMBEDDING], weights, 10)[0]
        expected = ExactSearch(vectors).search(vectors[7, :EMBEDDING], weights, 10)[0]
        np.testing.assert_array_equal(found, expected)


def test_half_precision_is_sent_too(tmp_path: Path):
    half = random_vectors(300)[:, :EMBEDDING].astype(np.float16)
    milvus.send(tmp_path, half, np.arange(300), "c" * 64, progress=False)
    search = milvus.searcher(tmp_path, half, np.arange(300), "c" * 64)
    assert search is not None
    query = random_vectors(1, seed=4)[0, :EMBEDDING]
    for weights in FOCUSES:
        found = search.search(query, weights, 10)[0]
        np.testing.assert_array_equal(found, ExactSearch(half).search(query, weights, 10)[0])


def test_masks_become_runs():
    assert expression(np.ones(4, bool)) == ""
    assert expression(np.zeros(4, bool)) == "row < 0"
    mask = np.array([1, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1], bool)
    said = expression(mask)
    assert said == "(row >= 0 and row <= 2) or (row >= 7 and row <= 8) or row in [4, 10]"


def test_sending_again_replaces_and_removing_forgets(tmp_path: Path):
    first, second = random_vectors(50), random_vectors(60, seed=1)
    old = milvus.send(tmp_path, first, np.arange(50), "d" * 64, progress=False)
    assert milvus.searcher(tmp_path, second, np.arange(60), "e" * 64) is None  # of other vectors
    new = milvus.send(tmp_path, second, np.arange(60), "e" * 64, progress=False)
    assert old.collection != new.collection
    search = milvus.searcher(tmp_path, second, np.arange(60), "e" * 64)
    assert search is not None
    assert search.search(second[3, :EMBEDDING], DRUMS, 1)[0].tolist() == [3]
    from csn.milvus.client import client

    with client(str(tmp_path / "milvus.db"), "listing") as there:
        assert there.list_collections() == [new.collection]
    assert milvus.remove(tmp_path)
    assert not milvus.remove(tmp_path)
    assert milvus.searcher(tmp_path, second, np.arange(60), "e" * 64) is None


def test_passwords_are_never_written_down(tmp_path: Path):
    with pytest.raises(LibraryError, match="must not hold a password"):
        milvus.send(tmp_path, random_vectors(5), np.arange(5), "f", uri="http://me:word@host:1")
    assert not (tmp_path / milvus.FILE).exists()


def test_a_server_that_does_not_answer(tmp_path: Path):
    with pytest.raises(LibraryError, match=r"Milvus at http://127\.0\.0\.1:9 failed"):
        milvus.send(
            tmp_path, random_vectors(5), np.arange(5), "f", uri="http://127.0.0.1:9", progress=False
        )


def test_damaged_files(tmp_path: Path, sent: Sent):
    (tmp_path / milvus.FILE).write_text('{"uri": 1', "utf-8")
    with pytest.raises(LibraryError, match="damaged"):
        milvus.read(tmp_path)
    shutil.copy(sent.folder / milvus.FILE, tmp_path / milvus.FILE)
    said = json.loads((tmp_path / milvus.FILE).read_text("utf-8"))
    (tmp_path / milvus.FILE).write_text(json.dumps(said | {"uri": "elsewhere.db"}), "utf-8")
    search = milvus.searcher(tmp_path, sent.vectors, sent.pieces, "a" * 64)
    assert search is not None
    with pytest.raises(LibraryError, match="csn index --remove"):
        search.search(sent.vectors[0, :EMBEDDING], DRUMS)


def test_a_library_is_searched_there_after_one_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    from csn.cli import main
    from csn.library import Library
    from tests.small_library import make

    memory = make(tmp_path)
    folder = str(memory.folder)
    assert main(["index", "--library", folder]) == 0
    assert "search asks there now" in capsys.readouterr().out
    there = Library.open(folder)
    assert isinstance(there._search, MilvusSearch)
    for segment in (0, len(memory) // 2, len(memory) - 1):
        for once in (False, True):
            asked = {"one_per_piece": once, "same_piece": not once}
            found = there.neighbours(segment, FOCUSES[2], 8, **asked)
            expected = memory.neighbours(segment, FOCUSES[2], 8, **asked)
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])
    assert main(["index", "--library", folder, "--remove"]) == 0
    assert not isinstance(Library.open(folder)._search, MilvusSearch)
    assert main(["index", "--library", folder, "--uri", "http://a:b@c:1"]) == 2
    assert "must not hold a password" in capsys.readouterr().err
