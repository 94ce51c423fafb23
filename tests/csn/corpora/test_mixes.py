"""Any folder tree of recordings."""

from pathlib import Path

import numpy as np
import pytest

from csn.corpora import check, open_corpus
from csn.corpora.mixes import title_of
from csn.errors import CorpusError
from csn.instruments import INSTRUMENTS
from tests.tones import RATE, tone, write_sound


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("03 - my_favourite__thing.mp3", "my favourite thing"),
        ("1. Overture.flac", "Overture"),
        ("07 Blue.wav", "Blue"),
        ("1999.wav", "1999"),
        ("99 Balloons.wav", "99 Balloons"),
        ("10 - Foo.wav", "Foo"),
        ("3.5 percent.wav", "3.5 percent"),
        ("007.wav", "007"),
        ("12.wav", "12"),
        ("24-7.wav", "24-7"),
        ("a.b.c.ogg", "a.b.c"),
        ("___.wav", "___"),
    ],
)
def test_titles(name: str, title: str) -> None:
    assert title_of(Path(name)) == title


def test_every_recording_is_a_piece(tmp_path: Path) -> None:
    (tmp_path / "Artist" / "Album").mkdir(parents=True)
    names = ("top.wav", "Artist/Album/01 - One.mp3", "Artist/Album/02 - Two.FLAC", "Artist/x.ogg")
    for number, name in enumerate(names):
        plain = write_sound(tmp_path / name.lower().split("/")[-1], tone("bass", number, 1.0, 120))
        plain.rename(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not audio")
    corpus = open_corpus(f"mixes:{tmp_path}")
    assert corpus.problems == ()
    assert [(piece.id, piece.title) for piece in corpus] == [
        ("Artist/Album/01 - One", "One"),
        ("Artist/Album/02 - Two", "Two"),
        ("Artist/x", "x"),
        ("top", "top"),
    ]
    for piece in corpus:
        assert (piece.duration, piece.split, piece.tempo, piece.stems) == (1.0, "", None, {})
        assert len(piece.audio("mix", RATE)) == RATE
        for name in INSTRUMENTS:
            assert not piece.audio(name, RATE).any()
            assert len(piece.audio(name, RATE)) == RATE


def test_one_name_with_two_endings(tmp_path: Path) -> None:
    for name in ("a.wav", "a.mp3", "b.wav"):
        write_sound(tmp_path / name, tone("bass", 1, 1.0, 120))
    assert [piece.id for piece in open_corpus(str(tmp_path))] == ["a.mp3", "a.wav", "b"]


def test_bad_recordings_are_left_out_with_a_line(tmp_path: Path) -> None:
    write_sound(tmp_path / "good.wav", tone("bass", 1, 1.0, 120))
    write_sound(tmp_path / "silent.wav", np.zeros(RATE))
    write_sound(tmp_path / "none.wav", np.zeros(0))
    (tmp_path / "empty.mp3").write_bytes(b"")
    (tmp_path / "text.flac").write_text("words")
    (tmp_path / "phone.m4a").write_bytes(b"....ftypM4A ")
    (tmp_path / "old.wma").write_bytes(b"0&\xb2u")
    (tmp_path / "folder.wav").mkdir()
    corpus = open_corpus(f"mixes:{tmp_path}")
    assert [piece.id for piece in corpus] == ["good", "silent"]
    words = ["old.wma is in a format", "empty.mp3 is empty", "none.wav holds no sound"]
    words += ["text.flac is not audio", "phone.m4a is ", "folder.wav is a folder"]
    assert len(corpus.problems) == len(words)
    for word in words:
        assert sum(word in line for line in corpus.problems) == 1
    silent = check(corpus)
    assert len(silent) == 1
    assert "silent.wav is silent" in silent[0]


def test_nothing_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.wma").write_bytes(b"0&\xb2u")
    with pytest.raises(CorpusError, match=r"1 \.wma files must be converted to FLAC or WAV"):
        open_corpus(f"mixes:{tmp_path}")
    (tmp_path / "b.wav").write_bytes(b"")
    with pytest.raises(CorpusError, match="no piece that can be used"):
        open_corpus(f"mixes:{tmp_path}")
