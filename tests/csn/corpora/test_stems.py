"""A folder per piece with named stems."""

from pathlib import Path

import numpy as np
import pytest

from csn.corpora import open_corpus
from csn.corpora.stems import part_of
from csn.errors import CorpusError
from tests.tones import RATE, tone, write_sound


def write_piece(folder: Path, *names: str, seconds: float = 1.0) -> dict[str, np.ndarray]:
    """Write a different tone under each name → the tones."""
    folder.mkdir(parents=True, exist_ok=True)
    sounds = {}
    for number, name in enumerate(names):
        sounds[name] = tone("piano", number, seconds, 120)
        write_sound(folder / name, sounds[name])
    return sounds


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("drums.wav", "drums"),
        ("DRUMS.FLAC", "drums"),
        ("Bass.wav", "bass"),
        ("piano.mp3", "piano"),
        ("guitar.ogg", "guitar"),
        ("other.wav", "others"),
        ("others.wav", "others"),
        ("vocals.wav", "others"),
        ("mixture.wav", "mix"),
        ("mix.wav", "mix"),
        ("02 - Electric Guitar.wav", "guitar"),
        ("guitar_2.wav", "guitar"),
        ("Bass guitar.wav", "bass"),
        ("bass drum.wav", "drums"),
        ("lead_vocal.wav", "others"),
        ("piano and guitar.wav", None),
        ("accompaniment.wav", None),
        ("03.wav", None),
    ],
)
def test_names(name: str, part: str | None) -> None:
    assert part_of(Path(name)) == part


def test_musdb(tmp_path: Path) -> None:
    names = ("drums.wav", "bass.wav", "other.wav", "vocals.wav", "mixture.wav")
    sounds = write_piece(tmp_path / "train" / "An Artist - A Song", *names)
    write_piece(tmp_path / "test" / "Another - Tune", *names)
    corpus = open_corpus(f"stems:{tmp_path}")
    assert corpus.problems == ()
    assert [(p.id, p.split) for p in corpus] == [
        ("An Artist - A Song", "train"),
        ("Another - Tune", "test"),
    ]
    piece = corpus.only("train").pieces[0]
    assert piece.title == "An Artist - A Song"
    assert piece.instruments == ("drums", "bass", "others")
    np.testing.assert_allclose(
        piece.audio("others", RATE), sounds["other.wav"] + sounds["vocals.wav"], atol=1e-4
    )
    np.testing.assert_allclose(piece.audio("mix", RATE), sounds["mixture.wav"], atol=1e-4)
    assert not piece.audio("piano", RATE).any()


def test_without_a_mix_it_is_the_sum(tmp_path: Path) -> None:
    sounds = write_piece(tmp_path / "A", "drums.flac", "Piano.ogg", "bass.mp3")
    piece = open_corpus(str(tmp_path)).pieces[0]
    assert piece.mix is None
    total = sum(sounds.values())
    mix = piece.audio("mix", RATE)
    assert np.corrcoef(mix, total)[0, 1] > 0.99


def test_one_piece_alone_and_pieces_in_pieces(tmp_path: Path) -> None:
    write_piece(tmp_path / "artist" / "song", "drums.wav", "bass.wav")
    write_piece(tmp_path / "artist" / "song" / "live", "drums.wav")
    nested = open_corpus(f"stems:{tmp_path}")
    assert [piece.id for piece in nested] == ["artist/song", "artist/song/live"]
    assert nested.pieces[0].title == "artist - song"
    alone = open_corpus(f"stems:{tmp_path / 'artist' / 'song' / 'live'}")
    assert [piece.id for piece in alone] == ["live"]


def test_bad_files_cost_one_line_each(tmp_path: Path) -> None:
    write_piece(tmp_path / "A", "drums.wav", "bass.wav", "mix.wav", "mixture.wav", "noise.wav")
    (tmp_path / "A" / "piano.wav").write_bytes(b"")
    (tmp_path / "A" / "cover.jpg").write_bytes(b"picture")
    (tmp_path / "A" / "._drums.wav").write_bytes(b"resource fork")
    write_sound(tmp_path / "A" / "guitar.wav", np.zeros(4 * RATE))
    (tmp_path / "B").mkdir()
    (tmp_path / "B" / "drums.wav").write_text("no sound")
    corpus = open_corpus(f"stems:{tmp_path}")
    assert [piece.id for piece in corpus] == ["A"]
    assert corpus.pieces[0].instruments == ("drums", "bass", "guitar")
    words = ["mixture.wav is a second mix", "noise.wav is named for no", "piano.wav is empty"]
    words += ["bass.wav lasts 1.0 s", "drums.wav lasts 1.0 s", "mix.wav lasts 1.0 s"]
    words += ["drums.wav is not audio", "B has no stem"]
    assert len(corpus.problems) == len(words)
    for word in words:
        assert sum(word in line for line in corpus.problems) == 1


def test_a_folder_without_named_stems(tmp_path: Path) -> None:
    write_piece(tmp_path / "A", "take one.wav")
    with pytest.raises(CorpusError, match=r"name them drums\.wav, bass\.wav"):
        open_corpus(f"stems:{tmp_path}")


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    write_piece(tmp_path / "A", "drums.wav")
    (tmp_path / "A" / "again").symlink_to(tmp_path, target_is_directory=True)
    assert [piece.id for piece in open_corpus(f"stems:{tmp_path}")] == ["A"]
