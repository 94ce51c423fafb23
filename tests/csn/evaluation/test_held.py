"""Timbre and notes held equal: what is played anew is what it should be."""

from pathlib import Path

import numpy as np
import pytest

from csn.corpora import midi, open_corpus
from csn.corpora.base import Corpus
from csn.corpora.levels import LEVELS, active_rms
from csn.corpora.midi import Part
from csn.corpora.render import render
from csn.errors import CorpusError, StemwiseError
from csn.evaluation.held import Held
from csn.evaluation.stems import Stems

RATE = 8000
FONT = "TimGM6mb"  # in a wheel that the project installs: always there


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Four pieces of piano and bass; piece n plays its own pitch, two pianos are one program."""
    root = tmp_path_factory.mktemp("held")
    (root / "midi" / "test").mkdir(parents=True)
    for number, program in enumerate((0, 4, 0, 6)):
        times = np.arange(0, 5.5, 0.5)
        notes = np.array([[t, 0.4, 60 + 3 * number, 90] for t in times])
        low = np.array([[t, 0.4, 36 + number, 90] for t in times])
        parts = [Part(program, False, notes), Part(33, False, low)]
        file = root / "midi" / "test" / f"Track{number + 1:05d}.mid"
        file.write_bytes(midi.to_bytes(parts, 120.0))
    problems = render(
        root / "midi", root / "out", RATE, seconds=6.0, fonts=[FONT], workers=1, progress=False,
        mix=False,
    )  # fmt: skip
    assert problems == []
    return open_corpus(f"slakh:{root / 'out'}")


def _pitch(sound: np.ndarray) -> float:
    """MIDI pitch of the strongest partial below 600 Hz, an octave or so around middle C."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    power[(hertz < 240) | (hertz > 480)] = 0
    return float(69 + 12 * np.log2(hertz[power.argmax()] / 440))


def test_timbre_held_equal(corpus: Corpus) -> None:
    held = Held(corpus, RATE, "timbre", progress=False)
    assert held.about["hold"] == "timbre" and set(held.about["lent_by"]) == {"piano", "bass"}
    sounds = [held.stem(i, "piano") for i in range(4)]
    assert [round(_pitch(sound)) for sound in sounds] == [60, 63, 66, 69]
    for sound in sounds:
        level = 20 * np.log10(active_rms(sound, RATE))
        assert level == pytest.approx(LEVELS["piano"], abs=0.1)
    # Of the lender itself only level and room are new.
    lender = next(i for i in range(4) if corpus.pieces[i].id == held.about["lent_by"]["piano"])
    other = next(i for i in range(4) if held._timbre(i, "piano") != held._timbre(lender, "piano"))
    mine, theirs = (held._as_played(i, "piano") for i in (lender, other))
    assert mine is not None and theirs is not None
    assert mine[1] == theirs[1] == held._timbre(lender, "piano")


def test_notes_held_equal(corpus: Corpus) -> None:
    held = Held(corpus, RATE, "notes", progress=False)
    lender = next(i for i in range(4) if corpus.pieces[i].id == held.about["lent_by"]["piano"])
    sounds = [held.stem(i, "piano") for i in range(4)]
    assert not sounds[2].any()  # the program of piece 0 once more
    assert not held.sounding(2, "piano", 2.0, 0.5).any()
    for i in (0, 1, 3):
        assert round(_pitch(sounds[i])) == 60 + 3 * lender
        assert held.sounding(i, "piano", 2.0, 0.5).any()
    assert np.abs(sounds[0] - sounds[1]).max() > 0.01  # another program


def test_backings_stay_as_they_are(corpus: Corpus) -> None:
    plain = Stems(corpus, RATE, progress=False)
    for hold in ("notes", "timbre"):
        held = Held(corpus, RATE, hold, progress=False)
        for i in range(4):
            np.testing.assert_array_equal(held.backing(i, "bass"), plain.backing(i, "bass"))
            np.testing.assert_array_equal(
                held.backed(i, "bass", 2.0, 0.5), plain.sounding(i, "piano", 2.0, 0.5)
            )


def test_what_cannot_be_held(corpus: Corpus, tiny_corpus_folder: Path) -> None:
    with pytest.raises(StemwiseError, match="cannot be held equal"):
        Held(corpus, RATE, "tempo", progress=False)
    with pytest.raises(CorpusError, match="no MIDI beside"):
        Held(open_corpus(f"slakh:{tiny_corpus_folder}"), RATE, "notes", progress=False)
