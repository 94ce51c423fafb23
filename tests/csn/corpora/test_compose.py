"""The corpus maker's scores: MIDI in and out, held-out grooves, what a composed piece holds."""

import itertools
import json
import shutil
from pathlib import Path

import mido
import numpy as np
import pytest

from csn.corpora import arrange, drums, grooves, human, midi, titles
from csn.corpora.compose import compose
from csn.corpora.grooves import GrooveFile
from csn.corpora.harmony import Chord, Key
from csn.corpora.midi import Part
from csn.corpora.plan import Plan
from csn.errors import CorpusError, ToolError
from csn.instruments import INSTRUMENTS, instrument_of

needs_mma = pytest.mark.skipif(shutil.which("mma") is None, reason="the program mma is missing")


def _plan(tempo: float = 120.0, swing: float = 0.5, bars: int = 16) -> Plan:
    roots = (0, 5, 7, 9)
    chords = tuple(
        Chord(roots[b % 4], "m7" if b % 4 == 3 else "", 4.0 * b, 4.0) for b in range(bars)
    )
    letters = tuple("A" if b // 8 == 0 else "B" for b in range(bars))
    return Plan(Key(0, False), tempo, 4.0, False, letters, chords, swing)


def test_midi_comes_back_as_it_went() -> None:
    notes = np.array([[0.5, 0.25, 60, 90], [1.0, 1.0, 64, 70], [2.0, 0.5, 60, 1]])
    parts = [
        Part(33, False, notes, [(0.0, 7, 100), (1.5, midi.BEND, 9000)], "low"),
        Part(8, True, np.array([[0.75, 0.1, 38, 127]]), name="kit"),
    ]
    read, tempo = midi.read(midi.to_bytes(parts, 96.0, (6, 8)))
    assert tempo == pytest.approx(96.0, abs=1e-3)
    assert [(p.program, p.is_drum, p.name) for p in read] == [(33, False, "low"), (8, True, "kit")]
    # A tick lasts 60 / 96 / 480 s: times come back to within half of one.
    np.testing.assert_allclose(read[0].notes, notes, atol=60 / 96 / 480 / 2 + 1e-9)
    assert [(c, v) for _, c, v in read[0].controls] == [(7, 100), (midi.BEND, 9000)]
    assert [p.instrument for p in read] == ["bass", "drums"]


def test_midi_times_agree_with_another_reader(tmp_path: Path) -> None:
    """Under a tempo map, against mido's own playback clock."""
    file, track = mido.MidiFile(ticks_per_beat=100), mido.MidiTrack()
    track += [
        mido.MetaMessage("set_tempo", tempo=500_000, time=0),
        mido.Message("program_change", program=24, time=0),
        mido.Message("note_on", note=50, velocity=80, time=150),
        mido.MetaMessage("set_tempo", tempo=1_000_000, time=50),
        mido.Message("note_off", note=50, time=100),
        mido.Message("note_on", note=51, velocity=80, time=50),
        mido.Message("note_on", note=51, velocity=0, time=200),
    ]
    file.tracks.append(track)
    file.save(tmp_path / "t.mid")
    now, slow = 0.0, []
    for message in mido.MidiFile(tmp_path / "t.mid"):
        now += message.time
        if message.type in ("note_on", "note_off"):
            slow.append(now)
    (part,), tempo = midi.read(tmp_path / "t.mid")
    assert part.instrument == "guitar"
    assert [n[0] for n in part.notes] == pytest.approx([slow[0], slow[2]])
    assert [n[0] + n[1] for n in part.notes] == pytest.approx([slow[1], slow[3]])
    assert tempo == pytest.approx(60.0)  # 3.5 s at 60 against 1 s at 120


def test_overlapping_notes_of_a_pitch_are_shortened() -> None:
    out = midi.tidy(np.array([[1.0, 1.0, 60, 80], [0.0, 3.0, 60, 200], [0.0, 3.0, 61, 80]]))
    assert out.tolist() == [[0, 1, 60, 127], [0, 3, 61, 80], [1, 1, 60, 80]]


def test_what_is_no_midi_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.mid").write_bytes(b"MThd no")
    with pytest.raises(CorpusError, match=r"x\.mid is not a MIDI file"):
        midi.read(tmp_path / "x.mid")
    with pytest.raises(CorpusError, match=r"gone\.mid"):
        midi.read(tmp_path / "gone.mid")


@pytest.mark.parametrize("swing", [0.5, 0.66])
def test_swing_moves_only_the_off_beats(swing: float) -> None:
    out = _plan(swing=swing).warp(np.array([0.0, 0.25, 0.5, 0.75, 1.0, 3.5]))
    want = [0.0, swing / 2, swing, (1 + swing) / 2, 1.0, 3 + swing]
    assert out.tolist() == pytest.approx(want)


def test_lines_are_of_the_key_and_stay_in_the_piece() -> None:
    plan = _plan()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        lines = {
            "bass": arrange.bass(rng, plan),
            "piano": arrange.piano(rng, plan),
            "guitar": arrange.guitar(rng, plan),
            "others": arrange.others(rng, plan)[0],
        }
        for name, rows in lines.items():
            notes = np.array(rows)
            assert len(notes) >= 16, (seed, name)
            assert notes[:, 0].min() >= 0 and notes[:, 0].max() < 65, (seed, name)
            assert notes[:, 2].min() >= 24 and notes[:, 2].max() <= 108, (seed, name)
            # Power chords add fifths of their own, here B and D too: all chords are diatonic in C.
            outside = {int(p) % 12 for p in notes[:, 2]} - {0, 2, 4, 5, 7, 9, 11}
            assert not outside, (seed, name, outside)


def test_a_line_repeats_its_rhythm_and_pieces_differ() -> None:
    plan = _plan()

    def steps(seed: int) -> list[frozenset[int]]:
        """The struck eighths of each pair of bars, counted without the code under test."""
        rows = arrange.bass(np.random.default_rng(seed), plan)
        out: list[set[int]] = [set() for _ in range(8)]
        for start, *_ in rows:
            out[int(start // 8)].add(round(start % 8 * 4))
        return [frozenset(s) for s in out if s]

    def likeness(a: frozenset[int], b: frozenset[int]) -> float:
        return len(a & b) / len(a | b)

    pieces = [steps(seed) for seed in range(12)]
    within = [likeness(p[0], other) for p in pieces for other in p[1:]]
    across = [likeness(a[0], b[0]) for a, b in itertools.combinations(pieces, 2)]
    assert np.mean(within) > 0.85
    assert np.mean(across) < 0.6


def test_drums_of_one_groove_share_few_bars() -> None:
    plan = _plan()
    rows = [(float(b) / 2, 0.1, 42 if b % 2 else 36, 80.0) for b in range(128)]

    def bars(seed: int) -> set[frozenset[tuple[int, int]]]:
        out: dict[int, set[tuple[int, int]]] = {}
        for start, _, pitch, _ in drums.vary(np.random.default_rng(seed), plan, rows):
            out.setdefault(int(start // 4), set()).add((round(start % 4 * 4), int(pitch)))
        return {frozenset(bar) for bar in out.values()}

    pieces = [bars(seed) for seed in range(10)]
    shared = [len(a & b) / len(a) for a, b in itertools.combinations(pieces, 2)]
    assert np.mean(shared) < 0.1


def test_titles_can_be_said() -> None:
    def file(address: str) -> GrooveFile:
        return GrooveFile(address, Path(f"{address}.mma"), 4, False)

    said = titles.title
    assert said(file("stdlib/bossanova"), Key(2, False), 70) == "Slow bossa nova in D, 70 BPM"
    assert said(file("stdlib/slowblues"), Key(10, True), 70) == "Slow blues in B flat minor, 70 BPM"
    assert (
        said(file("casio/8beat2"), Key(1, True), 130)
        == "Lively eight-beat in C sharp minor, 130 BPM"
    )


def test_a_missing_mma_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ToolError, match="apt-get install mma"):
        compose(tmp_path, 1)


def test_shares_must_make_sense(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot split"):
        compose(tmp_path, 3, split={"holdout": 1.0})
    with pytest.raises(CorpusError, match="at least 1"):
        compose(tmp_path, 0)


@needs_mma
def test_no_groove_file_is_in_two_splits() -> None:
    files = grooves.groove_files()
    split = grooves.partition(files)
    addresses = [f.address for part in split.values() for f in part]
    assert sorted(addresses) == sorted(f.address for f in files)
    assert len(set(addresses)) == len(addresses)
    assert grooves.partition(files[::-1]) == split
    assert len(split["train"]) >= 150
    assert len(split["test"]) >= 48
    assert all(grooves.main_grooves(f) for f in files)


@needs_mma
def test_composed_pieces_hold_what_their_sidecars_say(tmp_path: Path) -> None:
    shares = {"train": 2, "test": 1}
    made = compose(tmp_path / "a", 3, 5, shares, seconds=10, workers=2, progress=False)
    assert [p.parent.name for p in made] == ["train", "train", "test"]
    about = [json.loads(p.with_suffix(".json").read_text()) for p in made]
    assert len({a["title"] for a in about}) == 3
    split = grooves.partition(grooves.groove_files())
    for path, a in zip(made, about, strict=True):
        assert a["groove_file"] in {f.address for f in split[a["split"]]}
        assert sorted([*a["programs"], *a["absent"]]) == sorted(INSTRUMENTS)
        seen = {}
        for track in mido.MidiFile(path).tracks[1:]:
            on = [m for m in track if m.type == "note_on" and m.velocity]
            program = next(m.program for m in track if m.type == "program_change")
            seen[instrument_of(program, on[0].channel == 9)] = program
        assert seen == a["programs"]
        assert mido.MidiFile(path).length > 9
    # The same seed gives the same bytes; what is there is kept.
    again = compose(tmp_path / "b", 3, 5, shares, seconds=10, workers=1, progress=False)
    assert [p.read_bytes() for p in again] == [p.read_bytes() for p in made]
    made[0].write_bytes(b"kept")
    compose(tmp_path / "a", 3, 5, shares, seconds=10, workers=1, progress=False)
    assert made[0].read_bytes() == b"kept"


def test_a_window_keeps_what_controllers_hold() -> None:
    notes = np.array(
        [[0.0, 9.0, 60, 80], [5.0, 1.0, 61, 80], [9.0, 4.0, 62, 80], [10.0, 1, 63, 80]]
    )
    part = Part(0, False, notes, [(1.0, 7, 50), (2.0, 7, 60), (6.0, 7, 70), (11.0, 7, 80)])
    out = human.cut(part, 4.0, 6.0)
    assert out.notes.tolist() == [[1, 1, 61, 80], [5, 1, 62, 80]]
    assert out.controls == [(0.0, 7, 60), (2.0, 7, 70)]


def test_human_songs_are_held_out_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = np.arange(0, 30, 0.5)
    notes = np.stack([every, every * 0 + 0.4, every * 0 + 50, every * 0 + 80], axis=1)

    def song(number: int, programs: tuple[int, ...]) -> human.Song:
        data = midi.to_bytes([Part(p, False, notes) for p in programs], 100.0)
        return human.Song(f"{number}.mid", f"Song {number}", "free", data)

    found = [song(i, (0, 25, 33)) for i in range(6)] + [song(6, (0, 1))]
    monkeypatch.setattr(human, "songs", lambda: (found, ["freedoom is not installed"]))
    files, problems = human.human(tmp_path, seconds=10.0, most=3)
    assert len(files) == 12  # what is left after two windows is shorter than a window
    assert problems == [
        "freedoom is not installed",
        "6.mid is too short or has fewer than 3 instruments",
    ]
    splits: dict[str, set[str]] = {}
    for path in files:
        about = json.loads(path.with_suffix(".json").read_text())
        assert about["source"] == "human"
        assert about["split"] == path.parent.name
        assert set(about["programs"]) == {"piano", "guitar", "bass"}
        splits.setdefault(about["song"], set()).add(about["split"])
    assert all(len(s) == 1 for s in splits.values())
    assert {s for one in splits.values() for s in one} == {"train", "test"}
