"""Making the mel store that training reads."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from csn.corpora import open_corpus
from csn.corpora.base import Corpus
from csn.features import FeatureSettings
from csn.instruments import INSTRUMENTS
from csn.training.preparing import prepare_stems
from csn.training.stems import StemStore

FEATURES = FeatureSettings(11_025, 1024, 512, 64)


def test_two_runs_that_begin_at_once_share_one_store(
    tiny_corpus: Corpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    store = prepare_stems(tiny_corpus, FEATURES, workers=1, progress=False)
    index = (store / "index.json").read_text()
    (store / "index.json").unlink()  # it looks unfinished, as if another run were at it
    with ThreadPoolExecutor(1) as pool:
        with FileLock(store / "lock"):
            late = pool.submit(prepare_stems, tiny_corpus, FEATURES, workers=1, progress=False)
            said = ""
            while "waits for it" not in said:
                assert not late.done()
                time.sleep(0.05)
                said += capfd.readouterr().err
            (store / "mel.npy").write_bytes(b"the other run's")
            (store / "index.json").write_text(index)  # it is done
        assert late.result(timeout=60) == store
    assert (store / "mel.npy").read_bytes() == b"the other run's"


def test_a_stem_that_cannot_be_read_is_said_and_left_silent(
    tiny_corpus_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path / "home"))
    shutil.copytree(tiny_corpus_folder, tmp_path / "corpus")
    corpus = open_corpus(f"slakh:{tmp_path / 'corpus'}").only("train")
    piece = corpus.pieces[1]
    (bass,) = piece.stems["bass"]
    bass.write_bytes(bass.read_bytes()[: bass.stat().st_size // 2])
    store = prepare_stems(corpus, FEATURES, workers=1, progress=False)
    assert str(bass) in capfd.readouterr().err
    stems = StemStore(store, 3.0)
    assert [len(stems.starts(1, c)) > 0 for c in range(5)] == [n != "bass" for n in INSTRUMENTS]
    assert not stems.power(np.full((1, 5), 1), np.zeros((1, 5), np.int64))[0, 1].any()
