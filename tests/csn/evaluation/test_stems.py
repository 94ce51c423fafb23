import numpy as np
import pytest
import soundfile

from csn.corpora.base import Corpus
from csn.evaluation.report import columns, number, tidy
from csn.evaluation.stems import Stems, read_all
from csn.instruments import INSTRUMENTS

from .conftest import RATE, write_piece
from .slow import sounding, stem


def test_stems_keep_sixteen_bits_of_their_own_range(tmp_path):
    time = np.arange(2 * RATE) / RATE
    loud, quiet = 1.5 * np.sin(900 * time), 0.002 * np.sin(700 * time)
    piece = write_piece(tmp_path, 1, {"drums": loud, "guitar": quiet}, 90.0)
    stems = Stems(Corpus("c", "c", (piece,)), RATE, progress=False)
    for name, true in (("drums", loud), ("guitar", quiet)):
        kept = stems.stem(0, name)
        assert kept.dtype == np.float32
        assert np.abs(kept - true).max() <= np.abs(true).max() / 32767
    assert not stems.stem(0, "piano").any() and len(stems.stem(0, "piano")) == 2 * RATE
    assert np.allclose(stems.backing(0, "guitar"), loud, atol=1e-4)
    assert np.allclose(stems.backing(0, "piano"), loud + quiet, atol=1e-4)


def test_what_does_not_fit_is_read_again(sines, monkeypatch):
    whole = Stems(sines, RATE, progress=False)
    small = Stems(sines, RATE, budget=5 * 2 * 15 * RATE, progress=False)
    for index in (0, 11, 3, 0, 7):
        for name in INSTRUMENTS:
            assert np.array_equal(whole.stem(index, name), small.stem(index, name))
    assert len(small._kept) <= 3 < len(whole._kept)
    assert small._held == sum(
        kept.samples.nbytes for stems in small._kept.values() for kept in stems.values()
    )


def test_sounding_is_counted_on_the_own_grid(uneven):
    stems = Stems(uneven, RATE, progress=False)
    for index, piece in enumerate(uneven.pieces):
        parts = {name: stem(piece, name) for name in INSTRUMENTS}
        starts = range(0, len(parts["bass"]) - RATE + 1, RATE // 2)
        heard = {
            name: [sounding(sound[a : a + RATE]) >= 0.3 for a in starts]
            for name, sound in parts.items()
        }
        assert stems.starts(index, 1.0, 0.5).tolist() == [a / RATE for a in starts]
        for name in INSTRUMENTS:
            assert stems.sounding(index, name, 1.0, 0.5).tolist() == heard[name]
            others = [heard[other] for other in INSTRUMENTS if other != name]
            expected = [any(column) for column in zip(*others, strict=True)]
            assert stems.backed(index, name, 1.0, 0.5).tolist() == expected


def test_pieces_come_in_order_with_their_mix(sines, tmp_path):
    file = tmp_path / "mix.wav"
    soundfile.write(file, np.full(RATE, 0.25), RATE)
    from dataclasses import replace

    given = (replace(sines.pieces[0], mix=file), *sines.pieces[1:4])
    found = list(read_all(Corpus("c", "c", given), RATE, progress=False, mixes=True))
    assert [piece.id for piece, _ in found] == [piece.id for piece in given]
    assert np.allclose(found[0][1]["mix"], 0.25, atol=1e-4)
    stems = [found[2][1][name] for name in INSTRUMENTS]
    assert np.allclose(found[2][1]["mix"], np.sum(stems, axis=0), atol=1e-6)


def test_json_and_tables_hold_no_nan():
    odd = {"a": np.float32(1.236), "b": [float("nan"), np.int64(3)], 2: (float("inf"), "x", None)}
    assert tidy(odd) == {"a": pytest.approx(1.24), "b": [None, 3], "2": [None, "x", None]}
    assert (number(None), number(float("nan")), number(2.25, 1)) == ("–", "–", "2.2")
    assert columns([["a", "10"], ["long", "1", "x"]]) == "a     10\nlong   1  x"
