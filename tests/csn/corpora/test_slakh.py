"""Slakh's layout in all its forms, and everything that can be wrong with it."""

from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile as sf
import yaml

from csn.corpora import Piece, check, open_corpus
from csn.errors import CorpusError
from csn.instruments import INSTRUMENTS
from tests.tones import RATE, tone, write_slakh, write_sound, write_track

STEMS = {name: tone(name, 1, 1.0, 120) for name in INSTRUMENTS}


def edit(track: Path, **changes: object) -> None:
    """Change keys of a stem's entry: ``S00={"is_drum": False}``; None removes the stem."""
    file = track / "metadata.yaml"
    metadata = yaml.safe_load(file.read_text())
    for stem, change in changes.items():
        if isinstance(change, dict):
            metadata["stems"].setdefault(stem, {}).update(change)
        else:
            metadata["stems"][stem] = change
    file.write_text(yaml.safe_dump(metadata))


def only_piece(track: Path) -> tuple[Piece, tuple[str, ...]]:
    """Open the corpus that holds one track → its piece and the corpus's problems."""
    corpus = open_corpus(f"slakh:{track.parent}")
    assert len(corpus) == 1
    return corpus.pieces[0], corpus.problems


def test_our_own_block_gives_title_tempo_and_tags(tmp_path: Path) -> None:
    root = write_slakh(tmp_path / "ours", {"test": 1}, seconds=1.0, absent={1: ["guitar"]})
    piece = open_corpus(f"slakh:{root}")["Track00001"]
    assert piece.title == "Tones number 1, 102 BPM"
    assert (piece.split, piece.tempo, piece.duration) == ("test", 102.0, 1.0)
    assert piece.tags == {
        "key": "D",
        "groove": "groove 1",
        "groove_file": "file 1",
        "source": "tones",
        "absent": "guitar",
        **{f"soundfont_{name}": "font 1" for name in ("drums", "bass", "piano", "others")},
        "program_drums": "128",
        "program_bass": "33",
        "program_piano": "0",
        "program_others": "48",
    }


def test_real_slakh_has_plugins_and_a_midi_file_with_the_tempo(tmp_path: Path) -> None:
    track = write_track(tmp_path / "Track00042", STEMS, tempo=87.5)
    piece, problems = only_piece(track)
    assert problems == ()
    assert piece.title == "Track00042"
    assert piece.split == ""
    assert piece.tempo == pytest.approx(87.5, abs=1e-3)
    assert piece.tags == {f"plugin_{name}": f"{name}_plugin" for name in INSTRUMENTS}


@pytest.mark.parametrize("suffix", [".flac", ".wav", ".ogg", ".mp3"])
def test_any_audio_ending(tmp_path: Path, suffix: str) -> None:
    piece, problems = only_piece(write_track(tmp_path / "Track1", STEMS, suffix=suffix))
    assert problems == ()
    assert piece.duration == 1.0
    assert piece.mix is not None
    assert piece.mix.suffix == suffix
    assert [len(piece.stems[name]) for name in INSTRUMENTS] == [1] * 5


def test_opus_at_its_own_rate(tmp_path: Path) -> None:
    stems = {"drums": np.random.default_rng(0).normal(0, 0.1, 48_000)}
    track = write_track(tmp_path / "Track1", stems, suffix=".opus", rate=24_000, mix=False)
    piece, problems = only_piece(track)
    assert (piece.duration, piece.mix, problems) == (2.0, None, ())


def test_programs_decide_the_instrument_and_stems_of_one_are_summed(tmp_path: Path) -> None:
    (tmp_path / "Track1" / "stems").mkdir(parents=True)
    programs = {0: "piano", 7: "piano", 8: "others", 24: "guitar", 31: "guitar", 32: "bass"}
    programs |= {39: "bass", 40: "others", 127: "others", 128: "drums"}
    entries, sounds = {}, {}
    for number, program in enumerate(programs):
        name = f"S{number:02d}"
        sounds[name] = np.full(1_000, 0.01 * (number + 1))
        write_sound(tmp_path / "Track1" / "stems" / f"{name}.flac", sounds[name])
        entries[name] = {"program_num": program, "is_drum": program == 128}
    text = yaml.safe_dump({"stems": entries})
    (tmp_path / "Track1" / "metadata.yaml").write_text(text)
    piece, problems = only_piece(tmp_path / "Track1")
    assert problems == ()
    assert piece.tempo is None
    for instrument in INSTRUMENTS:
        mine = [n for n, program in enumerate(programs) if programs[program] == instrument]
        assert [file.stem for file in piece.stems[instrument]] == [f"S{n:02d}" for n in mine]
        expected = sum(sounds[f"S{n:02d}"] for n in mine)
        np.testing.assert_allclose(piece.audio(instrument, RATE), expected, atol=1e-4 * len(mine))


def test_the_splits_of_redux(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "validation", "test", "omitted"), 1):
        write_track(tmp_path / split / f"Track{number:05d}", {"bass": STEMS["bass"]})
    write_track(tmp_path / "train" / "Track00003", {"bass": STEMS["bass"]})
    (tmp_path / "train" / "notes").mkdir()
    corpus = open_corpus(f"slakh:{tmp_path}")
    assert [(piece.id, piece.split) for piece in corpus] == [
        ("Track00001", "train"),
        ("Track00002", "validation"),
        ("Track00004", "omitted"),
        ("test/Track00003", "test"),  # two splits hold it
        ("train/Track00003", "train"),
    ]
    assert len(open_corpus(f"slakh:{tmp_path / 'train'}")) == 2


def test_the_folder_above_is_understood_as_a_slip(tmp_path: Path) -> None:
    write_slakh(tmp_path / "slakh2100_redux", {"test": 1}, seconds=1.0)
    with pytest.raises(CorpusError, match=r"did you mean .*slakh2100_redux\?"):
        open_corpus(f"slakh:{tmp_path}")


def test_a_stem_that_was_never_rendered_is_no_problem(tmp_path: Path) -> None:
    track = write_track(tmp_path / "Track1", STEMS)
    (track / "stems" / "S02.flac").unlink()
    edit(track, S02={"audio_rendered": False})
    piece, problems = only_piece(track)
    assert problems == ()
    assert piece.instruments == ("drums", "bass", "guitar", "others")
    assert not piece.audio("piano", RATE).any()


def test_each_bad_stem_costs_one_line_and_no_more(tmp_path: Path) -> None:
    track = write_track(tmp_path / "Track1", STEMS)
    stems = track / "stems"
    (stems / "S00.flac").unlink()
    (stems / "S01.flac").write_bytes(b"")
    (stems / "S02.flac").write_bytes(b"nothing that sounds")
    write_sound(stems / "S03.flac", np.zeros(0))
    edit(track, S05={"program_num": None, "is_drum": False}, S06="odd", S07={"is_drum": True})
    piece, problems = only_piece(track)
    assert piece.instruments == ("others",)
    words = ["S00 is missing", "S01.flac is empty", "S02.flac is not audio", "S03.flac is empty"]
    words += ["stem S05 no program", "nothing about stem S06", "S07 is missing"]
    assert len(problems) == len(words)
    for line, word in zip(problems, words, strict=True):
        assert word in line
        assert "Track1" in line


def test_a_stem_that_ends_early_is_told(tmp_path: Path) -> None:
    stems = {**STEMS, "bass": tone("bass", 1, 4.0, 120)}
    piece, problems = only_piece(write_track(tmp_path / "Track1", stems))
    assert piece.duration == 4.0
    assert len(problems) == 4
    assert all("lasts 1.0 s of its piece's 4.0 s" in line for line in problems)


def test_a_bad_mix_is_replaced_by_the_sum(tmp_path: Path) -> None:
    track = write_track(tmp_path / "Track1", STEMS)
    (track / "mix.flac").write_bytes(b"broken")
    piece, problems = only_piece(track)
    assert piece.mix is None
    assert len(problems) == 1
    np.testing.assert_allclose(piece.audio("mix", RATE), sum(STEMS.values()), atol=2e-4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no metadata.yaml"),
        ("stems: [oops", "cannot be read"),
        ("stems: {S00: {when: 2020-99-99}}", "cannot be read"),
        ("\x00\x01", "cannot be read"),
        ("", "lists no stems"),
        ("- a\n- list", "lists no stems"),
        ("stems: 5", "lists no stems"),
        ("stems: {}", "no stem that can be used"),
        ("stems: !!python/object/apply:os.getcwd []", "cannot be read"),
    ],
)
def test_a_piece_with_bad_metadata_is_left_out(
    tmp_path: Path, text: str | None, words: str
) -> None:
    write_track(tmp_path / "Track1", {"bass": STEMS["bass"]})
    bad = write_track(tmp_path / "Track2", {"bass": STEMS["bass"]})
    if text is None:
        (bad / "metadata.yaml").unlink()
    else:
        (bad / "metadata.yaml").write_text(text)
    corpus = open_corpus(f"slakh:{tmp_path}")
    assert [piece.id for piece in corpus] == ["Track1"]
    assert len(corpus.problems) == 1
    assert words in corpus.problems[0]
    assert "Track2" in corpus.problems[0]
    assert "\n" not in corpus.problems[0]


def test_nothing_but_bad_tracks_is_an_error_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "Track1").mkdir()
    with pytest.raises(CorpusError, match=r"no piece that can be used.*no metadata\.yaml"):
        open_corpus(f"slakh:{tmp_path}")


def test_odd_values_of_our_own_block_are_passed_over(tmp_path: Path) -> None:
    odd: dict[str, object] = {
        "tempo": "fast",
        "title": None,
        "split": None,
        "key": None,
        "seed": 7,
        "soundfonts": {},
    }
    piece, problems = only_piece(write_track(tmp_path / "Track1", STEMS, stemwise=odd, tempo=90))
    assert problems == ()
    assert (piece.title, piece.split, piece.tags) == ("Track1", "", {"seed": "7"})
    assert piece.tempo == pytest.approx(90)


def test_the_first_tempo_wherever_it_stands(tmp_path: Path) -> None:
    track = write_track(tmp_path / "Track1", STEMS)
    midi = mido.MidiFile()
    notes = [mido.Message("note_on", note=60, time=1), mido.Message("note_off", note=60, time=1)]
    midi.tracks.append(mido.MidiTrack(notes * 50))
    tempos = [mido.MetaMessage("set_tempo", tempo=t, time=9) for t in (400_000, 700_000)]
    midi.tracks.append(mido.MidiTrack([*notes, *tempos]))
    midi.save(track / "all_src.mid")
    assert only_piece(track)[0].tempo == 150
    whole = (track / "all_src.mid").read_bytes()
    for damaged in (b"", b"MThd", whole[: len(whole) // 2], whole[:-7], b"RIFF" + whole[4:]):
        (track / "all_src.mid").write_bytes(damaged)
        piece, problems = only_piece(track)
        assert piece.tempo in (None, 150)
        assert problems == ()


def test_listening_finds_what_headers_hide(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 11 * RATE
    sounds = {
        "S00": (tone("drums", 1, 11.0, 120), ""),
        "S01": (np.zeros(n), "is silent"),
        "S02": (np.full(n, 0.2), "is constant"),
        "S03": (rng.normal(0, 0.1, n), "hardly changes its level"),
        "S04": (0.3 * np.sin(np.arange(n) / 20), "hardly changes its level"),
        "S05": (rng.normal(0, 0.1, n), "damaged or cut off"),
        "S06": (rng.normal(0, 0.1, n), "not numbers"),
        "S07": (rng.normal(0, 1e-4, n), "is silent"),
        "S08": (tone("others", 3, 11.0, 120), ""),
    }
    track = tmp_path / "Track1"
    (track / "stems").mkdir(parents=True)
    entries = {name: {"program_num": 48, "is_drum": False} for name in sounds}
    (track / "metadata.yaml").write_text(yaml.safe_dump({"stems": entries}))
    for name, (sound, _) in sounds.items():
        file = write_sound(track / "stems" / f"{name}.flac", sound)
        if name == "S05":
            file.write_bytes(file.read_bytes()[:50_000])
        if name == "S06":
            file.unlink()
            write_nan(track / "stems" / "S06.wav", n)
    corpus = open_corpus(f"slakh:{tmp_path}")
    assert corpus.problems == ()  # all headers are good
    lines = check(corpus)
    expected = [(name, words) for name, (_, words) in sounds.items() if words]
    assert len(lines) == len(expected)
    for line, (name, words) in zip(lines, expected, strict=True):
        assert name in line
        assert words in line
        assert line.endswith(".")


def write_nan(file: Path, frames: int) -> None:
    sound = np.zeros(frames, np.float32)
    sound[frames // 2] = np.nan
    sf.write(file, sound, RATE, subtype="FLOAT")


def test_progress_is_drawn_and_the_problems_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_track(tmp_path / "Track1", {"bass": STEMS["bass"]})
    (tmp_path / "Track2").mkdir()
    open_corpus(f"slakh:{tmp_path}", progress=True)
    captured = capsys.readouterr()
    assert "2/2" in captured.err
    assert "1 pieces; 1 things left out or odd" in captured.out
    open_corpus(f"slakh:{tmp_path}")
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""
