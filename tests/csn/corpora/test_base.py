"""What a piece and a corpus promise, whatever layout they came from."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from csn import home
from csn.corpora import Corpus, Piece, open_corpus
from csn.errors import AudioError, CorpusError
from csn.instruments import INSTRUMENTS
from tests.tones import RATE, write_slakh, write_sound

PARTS = ("mix", *INSTRUMENTS)


def test_the_tiny_corpus_is_what_the_other_tests_expect(tiny_corpus: Corpus) -> None:
    assert len(tiny_corpus) == 12
    assert tiny_corpus.problems == ()
    for split in ("train", "validation", "test"):
        tempos = [piece.tempo for piece in tiny_corpus.only(split)]
        assert sorted(int(tempo // 5) for tempo in tempos if tempo) == [20, 20, 26, 26]
    for piece in tiny_corpus:
        assert piece.duration == 14
        assert piece.instruments == INSTRUMENTS


def test_no_two_pieces_of_the_tiny_corpus_sound_alike(tiny_corpus: Corpus) -> None:
    for name in INSTRUMENTS:
        spectra = []
        for piece in tiny_corpus:
            sound = piece.audio(name, RATE, length=4.0)
            assert 0.15 < np.abs(sound).max() < 0.2
            spectrum = np.abs(np.fft.rfft(sound))[:44_100].reshape(-1, 63).sum(1)
            spectra.append(spectrum / np.linalg.norm(spectrum))
        alike = np.array(spectra) @ np.array(spectra).T
        assert alike[~np.eye(12, dtype=bool)].max() < 0.999


def test_the_mix_and_its_sum_of_stems_agree(tiny_corpus: Corpus) -> None:
    piece = tiny_corpus["Track00003"]
    assert piece.mix is not None
    bare = Piece(piece.id, piece.title, "", piece.duration, stems=piece.stems)
    slow = sum(sf.read(file)[0] for files in piece.stems.values() for file in files)
    for sound in (piece.audio("mix", RATE), bare.audio("mix", RATE)):
        assert sound.dtype == np.float32
        np.testing.assert_allclose(sound, slow, atol=2e-4)  # five times 16 bits


def test_every_part_of_a_window_has_its_length(tmp_path: Path) -> None:
    folder = write_slakh(
        tmp_path / "c", {"test": 1}, seconds=3.0, absent={1: ["piano", "others"]}, mix=False
    )
    piece = open_corpus(f"slakh:{folder}")["Track00001"]
    assert piece.mix is None
    assert piece.instruments == ("drums", "bass", "guitar")
    for part in PARTS:
        assert len(piece.audio(part, 16_000)) == 48_000
        assert len(piece.audio(part, 16_000, start=0.7, length=1.1)) == 17_600
        assert len(piece.audio(part, 16_000, start=2.5, length=9)) == 8_000
        assert len(piece.audio(part, 16_000, start=7, length=1)) == 0
    assert not piece.audio("piano", 16_000).any()
    with pytest.raises(ValueError, match="violin"):
        piece.audio("violin", 16_000)


def test_a_shorter_stem_is_followed_by_silence(tmp_path: Path) -> None:
    long = write_sound(tmp_path / "long.wav", np.full(2 * RATE, 0.25))
    short = write_sound(tmp_path / "short.wav", np.full(RATE, 0.5))
    piece = Piece("a", "A", "", 2.0, stems={"bass": (short,), "drums": (long,)})
    np.testing.assert_allclose(piece.audio("bass", RATE), np.repeat([0.5, 0], RATE), atol=1e-4)
    np.testing.assert_allclose(piece.audio("mix", RATE), np.repeat([0.75, 0.25], RATE), atol=1e-4)
    window = piece.audio("mix", RATE, start=0.5, length=1.0)
    np.testing.assert_allclose(window, np.repeat([0.75, 0.25], RATE // 2), atol=1e-4)
    short.unlink()
    with pytest.raises(AudioError, match=r"short\.wav"):
        piece.audio("bass", RATE)


def test_pieces_are_found_by_id_and_by_split(tiny_corpus: Corpus) -> None:
    assert tiny_corpus["Track00005"].split == "validation"
    assert [piece.id for piece in tiny_corpus] == sorted(piece.id for piece in tiny_corpus)
    assert tiny_corpus.only("") is tiny_corpus.only("all") is tiny_corpus
    with pytest.raises(CorpusError, match="no piece 'Track9'"):
        tiny_corpus["Track9"]
    with pytest.raises(CorpusError, match="test, train, validation"):
        tiny_corpus.only("dev")


def test_the_fingerprint_follows_the_files_not_the_place(tmp_path: Path) -> None:
    first, second = (
        open_corpus(str(write_slakh(tmp_path / name, {"train": 2}, seconds=1.0))) for name in "ab"
    )
    assert first.fingerprint() == second.fingerprint()
    assert len(first.fingerprint()) == 64
    assert first.fingerprint() != Corpus("", "", first.pieces[:1]).fingerprint()
    file = second.pieces[1].stems["bass"][0]
    file.write_bytes(file.read_bytes() + b"\0")
    assert first.fingerprint() != second.fingerprint()


def test_the_layout_is_guessed_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = np.zeros(RATE)
    slakh = write_slakh(tmp_path / "home" / "corpus", {"train": 1}, seconds=1.0)
    for name in ("drums.wav", "bass.wav"):
        (tmp_path / "stems" / "A").mkdir(parents=True, exist_ok=True)
        write_sound(tmp_path / "stems" / "A" / name, sound)
    (tmp_path / "mixes").mkdir()
    write_sound(tmp_path / "mixes" / "a song.wav", sound)
    for folder, scheme in (
        (slakh, "slakh"),
        (tmp_path / "stems", "stems"),
        (tmp_path / "mixes", "mixes"),
    ):
        assert open_corpus(str(folder)).uri == f"{scheme}:{folder}"
        assert open_corpus(str(folder)) == open_corpus(f"{scheme}:{folder}")
    monkeypatch.setattr(home, "demo", lambda: tmp_path / "home")
    demo = open_corpus("demo")
    assert (demo.uri, demo.name, len(demo)) == ("demo", "demo", 1)
    monkeypatch.setattr(home, "demo", lambda: tmp_path / "nowhere")
    with pytest.raises(CorpusError, match="clone the repository again"):
        open_corpus("demo")


@pytest.mark.parametrize("scheme", ["", "slakh:", "stems:", "mixes:"])
def test_a_wrong_folder_gets_one_sentence(tmp_path: Path, scheme: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for name, words in (
        ("missing", "does not exist"),
        ("file", "is a file"),
        ("empty", "holds no"),
    ):
        with pytest.raises(CorpusError, match=words) as caught:
            open_corpus(f"{scheme}{tmp_path / name}")
        text = str(caught.value)
        assert str(tmp_path / name) in text
        assert text.endswith(".")
    if scheme:
        with pytest.raises(CorpusError, match="names no folder"):
            open_corpus(scheme)


def test_pieces_of_one_tag(tiny_corpus: Corpus) -> None:
    value = tiny_corpus.pieces[0].tags["soundfont_drums"]
    some = tiny_corpus.tagged("soundfont_drums", value)
    assert 0 < len(some) < len(tiny_corpus)
    assert [p for p in tiny_corpus if p.tags["soundfont_drums"] == value] == list(some)
    with pytest.raises(CorpusError, match="no piece whose source is 'human'"):
        tiny_corpus.tagged("source", "human")
