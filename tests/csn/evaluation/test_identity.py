import json
import statistics
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from csn.corpora.base import Corpus, Piece
from csn.errors import CorpusError
from csn.evaluation import identity
from csn.instruments import INSTRUMENTS

from .conftest import RATE, Formula, bands, oracle
from .slow import accuracy, overlap, sounding, stem


def segments_of(model, corpus, length):
    found, size = [], round(length * RATE)
    for number, piece in enumerate(corpus.pieces):
        stems = [stem(piece, name) for name in INSTRUMENTS]
        mix = [sum(samples) for samples in zip(*stems, strict=True)]
        for first in range(0, len(mix) - size + 1, size // 2):
            if sounding(mix[first : first + size]) == 0:
                continue
            cut = np.array(mix[first : first + size], np.float32)
            found.append(
                {
                    "piece": number,
                    "time": first,
                    "heard": [sounding(sound[first : first + size]) >= 0.3 for sound in stems],
                    "vector": model.formula(cut).astype(np.float32),
                }
            )
    return found


@pytest.mark.parametrize("length", [1.0, 2.0])
def test_p1_is_that_of_a_loop(uneven, length):
    model = Formula(bands)
    found = identity(model, uneven, length=length, baselines=False, progress=False)
    segments, size = segments_of(model, uneven, length), round(length * RATE)
    for c, part in enumerate((*INSTRUMENTS, "whole")):
        kept = [segment for segment in segments if part == "whole" or segment["heard"][c]]
        columns = None if part == "whole" else c
        paper = accuracy(kept, columns, 5, lambda x, y: False)
        strict = accuracy(
            kept, columns, 5, lambda x, y: x["piece"] == y["piece"] and overlap(x, y, size)
        )
        score = found.scores[length]["model"][part]
        assert score.segments == len(kept) > 20
        assert score.mean == pytest.approx(100 * statistics.mean(paper))
        assert score.strict_mean == pytest.approx(100 * statistics.mean(strict))
        numbers = sorted({segment["piece"] for segment in kept})
        own = [
            100 * statistics.mean(
                hit for hit, segment in zip(paper, kept, strict=True) if segment["piece"] == number
            )
            for number in numbers
        ]  # fmt: skip
        assert score.sd == pytest.approx(statistics.stdev(own))
        assert score.chance == pytest.approx(100 / len(numbers))


def test_several_lengths_and_baselines_stand_side_by_side(sines):
    found = identity(Formula(oracle), sines, length=(1.0, 2.0), progress=False)
    values = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert values["instruments"]["piano"]["mean"] == 100.0
    assert set(values["instruments"]) == {*INSTRUMENTS, "whole"}
    assert set(values["lengths"]) == {"1", "2"}
    assert values["lengths"]["1"]["floor"] == values["floor"]
    assert values["mean"] == values["lengths"]["2"]["mean"] == 100.0
    assert values["settings"]["lengths"] == [1.0, 2.0]
    # P1's trap: statistics of the mix know the piece as well.
    assert values["floor"]["drums"]["mean"] > 80
    assert found.table().count("Identity (P1)") == 2 and "mix statistics" in found.table()


def test_a_corpus_of_mixes_counts_every_segment(tmp_path):
    pieces = []
    for number in range(3):
        time = np.arange(4 * RATE) / RATE
        file = tmp_path / f"{number}.wav"
        sound = 0.1 * np.sin(2 * np.pi * (200 + 100 * number) * time)
        sound[: 2 * RATE] = 0
        soundfile.write(file, sound, RATE)
        pieces.append(Piece(f"{number}", f"{number}", "", 4.0, mix=file))
    corpus = Corpus("mixes", "mixes", tuple(pieces))
    found = identity(Formula(bands), corpus, length=1.0, baselines=False, progress=False)
    # Starts 1.5, 2, 2.5 and 3 s; those before hold silence.
    assert {score.segments for score in found.scores[1.0]["model"].values()} == {12}


def test_what_cannot_be_told_apart_is_said(sines, tmp_path):
    model = Formula(oracle)
    with pytest.raises(CorpusError, match="fewer than two pieces that sound for 30 s"):
        identity(model, sines, length=(1.0, 30.0), baselines=False, progress=False)
    first, second, third = sines.pieces[:3]
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFFnothing")
    gone = replace(second, id="Gone", stems={"drums": (bad,)})
    duo = replace(first, stems={name: first.stems[name] for name in ("drums", "bass")})
    corpus = Corpus("few", "few", (duo, gone, third))
    found = identity(model, corpus, length=1.0, baselines=False, progress=False)
    assert found.problems[0].startswith("Gone was left out: ")
    assert found.scores[1.0]["model"]["piano"] is None
    assert "1 s: piano sounds in fewer than two pieces, so it has no score." in found.problems
    assert found.scores[1.0]["model"]["bass"].segments > 0
