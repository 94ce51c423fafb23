"""What every test may ask for: a tiny corpus, a small library, a home of its own."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from csn.corpora import Corpus, open_corpus
from csn.library import Library
from pages import libraries
from pages.libraries import Opened
from tests.small_library import make
from tests.tones import write_slakh


def pytest_configure() -> None:
    """One thread for torch, here and in the processes that tests start.

    Tests run side by side, a process for each core; threads that wait for one another made some
    of them 25 times slower.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Libraries that limit threads for a while may put back more; sums depend on how many add."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ``tiny_corpus`` lies. Read only: every test shares it."""
    root = tmp_path_factory.mktemp("corpora") / "tiny"
    return write_slakh(root, {"train": 4, "validation": 4, "test": 4})


@pytest.fixture(scope="session")
def tiny_corpus(tiny_corpus_folder: Path) -> Corpus:
    """Twelve pieces of 14 s with five instruments each, in three splits and two tempo groups.

    Every split holds two pieces of each tempo group, so that pseudo-mixes can be made in it.
    """
    return open_corpus(f"slakh:{tiny_corpus_folder}")


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Streamlit's AppTest leaves its script as the main module, which a new process would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Twelve pieces of tones, embedded without a network."""
    return make(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def opened(library: Library) -> Opened:
    """The same as a page opens it."""
    return Opened("small", "1", library)


@pytest.fixture
def shelf(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home where the library ``small`` is found, and no demo."""
    (tmp_path / "libraries").mkdir()
    (tmp_path / "libraries" / "small").symlink_to(library.folder, target_is_directory=True)
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    monkeypatch.delenv(libraries.CHOICE, raising=False)
    monkeypatch.setattr(libraries, "demo", lambda: tmp_path / "no demo")
    return tmp_path
