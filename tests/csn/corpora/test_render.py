"""Rendering: fonts, levels, the layout on disk, and what happens when something fails."""

import functools
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

from csn.corpora import crew, levels, midi, sf3, synth
from csn.corpora.midi import Part
from csn.corpora.render import draw_font, render
from csn.corpora.soundfonts import SoundFont, find
from csn.errors import CorpusError, StemwiseError, ToolError

RATE = 16_000
FONT = "TimGM6mb"  # in a wheel that the project installs: always there


def _notes(pitch: int, first: float = 0.0, until: float = 4.0) -> np.ndarray:
    starts = np.arange(first, until, 0.5)
    return np.array([[t, 0.4, pitch, 90] for t in starts])


def _piece(folder: Path, name: str = "Track00007") -> Path:
    parts = [
        Part(0, True, _notes(38)),
        Part(33, False, _notes(40)),
        Part(0, False, _notes(60, first=1.0)),
        Part(73, False, _notes(72)),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.mid"
    path.write_bytes(midi.to_bytes(parts, 120.0))
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("render")
    path = _piece(root / "midi" / "test")
    path.with_suffix(".json").write_text('{"title": "A tune", "source": "mma", "absent": []}')
    problems = render(
        root / "midi", root / "out", RATE, seconds=5.0, fonts=[FONT], workers=1, progress=False
    )
    assert problems == []
    return root


def test_the_layout_is_slakhs(corpus: Path) -> None:
    piece = corpus / "out" / "test" / "Track00007"
    names = sorted(p.relative_to(piece).as_posix() for p in piece.rglob("*") if p.is_file())
    stems = [f"S{i:02d}" for i in range(4)]
    assert names == sorted(
        ["all_src.mid", "metadata.yaml", "mix.flac"]
        + [f"MIDI/{s}.mid" for s in stems]
        + [f"stems/{s}.flac" for s in stems]
    )
    about = yaml.safe_load((piece / "metadata.yaml").read_text())
    assert [about["stems"][s]["inst_class"] for s in stems] == ["Drums", "Bass", "Piano", "Others"]
    assert [about["stems"][s]["program_num"] for s in stems] == [0, 33, 0, 73]
    ours = about["stemwise"]
    assert ours["title"] == "A tune"
    assert ours["tempo"] == 120.0
    assert ours["split"] == "test"
    assert ours["absent"] == ["guitar"]
    assert ours["soundfonts"] == dict.fromkeys(("drums", "bass", "piano", "others"), FONT)
    assert not list(corpus.rglob("*.part"))


def test_stems_sum_to_the_mix_exactly(corpus: Path) -> None:
    piece = corpus / "out" / "test" / "Track00007"
    stems = [soundfile.read(str(p), dtype="int16")[0] for p in sorted(piece.glob("stems/*"))]
    mix, rate = soundfile.read(str(piece / "mix.flac"), dtype="int16")
    assert rate == RATE
    assert len(mix) == 5 * RATE
    total = [sum(int(v) for v in samples) for samples in zip(*stems, strict=True)]
    assert total == mix.tolist()
    assert max(abs(v) for v in total) / 32767 == pytest.approx(levels.PEAK, abs=1e-3)


def test_a_line_is_silent_until_its_first_note(corpus: Path) -> None:
    """Nothing of the line rendered before it may leak into its beginning."""
    piano, _ = soundfile.read(str(corpus / "out" / "test" / "Track00007" / "stems" / "S02.flac"))
    assert np.abs(piano[: RATE - 64]).max() == 0.0
    assert np.abs(piano[RATE : RATE + RATE // 5]).max() > 0.01


def test_levels_keep_the_balance_within_the_spread(corpus: Path) -> None:
    piece = corpus / "out" / "test" / "Track00007"
    about = yaml.safe_load((piece / "metadata.yaml").read_text())["stems"]
    offsets = []
    for path in sorted(piece.glob("stems/*")):
        audio, _ = soundfile.read(str(path))
        size = RATE // 20
        frames = [audio[i : i + size] for i in range(0, len(audio) - size + 1, size)]
        power = [sum(v * v for v in f) / size for f in frames]
        loud = [p for p in power if p >= max(power) / 10_000]
        entry = about[path.stem]
        offsets.append(10 * np.log10(np.mean(loud)) - entry["integrated_loudness"])
        target = levels.LEVELS[entry["inst_class"].lower()]
        assert abs(entry["integrated_loudness"] - target) <= levels.SPREAD + 0.01
    # One gain moved them all.
    assert np.ptp(offsets) < 0.05


def test_what_is_there_is_kept(corpus: Path) -> None:
    marker = corpus / "out" / "test" / "Track00007" / "metadata.yaml"
    before = marker.stat().st_mtime_ns
    again = render(corpus / "midi", corpus / "out", RATE, fonts=[FONT], progress=False)
    assert again == []
    assert marker.stat().st_mtime_ns == before


def test_only_the_named_pieces_are_rendered(tmp_path: Path) -> None:
    """With the numbers, and so the sounds, that they have among all."""
    for name in ("c", "a", "b"):
        _piece(tmp_path / "midi", name)
    few = {"seconds": 2, "fonts": [FONT], "workers": 1, "progress": False}
    assert render(tmp_path / "midi", tmp_path / "all", RATE, **few) == []
    assert render(tmp_path / "midi", tmp_path / "one", RATE, only=["b"], **few) == []
    assert [p.name for p in (tmp_path / "one").iterdir()] == ["Track00002"]
    pieces = [tmp_path / name / "Track00002" for name in ("all", "one")]
    assert len({(piece / "metadata.yaml").read_text() for piece in pieces}) == 1
    # Nearly the same: fluidsynth's reverberation swings on from one line to the next.
    among, alone = (soundfile.read(str(piece / "mix.flac"))[0] for piece in pieces)
    assert np.corrcoef(among, alone)[0, 1] > 0.99
    with pytest.raises(CorpusError, match="no MIDI file of the name d; compose it first"):
        render(tmp_path / "midi", tmp_path / "none", RATE, only=["b", "d"], **few)


def test_opus_stems_without_a_mix(tmp_path: Path) -> None:
    _piece(tmp_path / "midi")
    out = tmp_path / "out"
    problems = render(
        tmp_path / "midi", out, seconds=4, fonts=[FONT], codec="opus", mix=False, workers=1,
        progress=False,
    )  # fmt: skip
    assert problems == []
    stems = sorted((out / "Track00007" / "stems").iterdir())
    assert [p.name for p in stems] == [f"S{i:02d}.opus" for i in range(4)]
    audio, rate = soundfile.read(str(stems[0]))
    assert (rate, audio.ndim, len(audio)) == (48_000, 1, 4 * 48_000)
    assert not (out / "Track00007" / "mix.flac").exists()


def test_a_bad_piece_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    _piece(tmp_path / "midi", "Track00001")
    (tmp_path / "midi" / "Track00002.mid").write_bytes(b"nothing")
    (problem,) = render(
        tmp_path / "midi", tmp_path / "out", RATE, seconds=2, fonts=[FONT], workers=1,
        progress=False,
    )  # fmt: skip
    assert "Track00002.mid is not a MIDI file" in problem
    assert (tmp_path / "out" / "Track00001" / "mix.flac").exists()
    assert not list((tmp_path / "out").rglob("*.part"))


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no codec 'mp3'"):
        render(tmp_path, tmp_path, codec="mp3")
    with pytest.raises(CorpusError, match="holds no MIDI"):
        render(tmp_path, tmp_path, fonts=[FONT])
    with pytest.raises(ToolError, match="no soundfont 'gone'"):
        render(tmp_path, tmp_path, fonts=["gone"])


def test_no_font_stands_in_for_another() -> None:
    font = find(FONT)
    assert font.has(0, False) and font.has(0, True)
    assert not font.has(127, True)
    rng = np.random.default_rng(0)
    assert draw_font(rng, Part(0, False, _notes(60)), [font]) == font
    assert draw_font(rng, Part(127, True, _notes(60)), [font]) is None
    player = synth.open_synth([font], RATE)
    with pytest.raises(ToolError, match="no program 127 in bank 128"):
        player.render(Part(127, True, _notes(38)), FONT, 1.0)


def test_both_synthesisers_play_the_same_notes() -> None:
    font, rate = find(FONT), 48_000
    players = [synth.WheelSynth([font], rate)]
    try:
        players.append(synth.FluidSynth([font], rate))
    except ToolError:
        pytest.skip("libfluidsynth is not installed")
    part = Part(0, False, np.array([[0.5, 0.5, 69, 100], [1.5, 0.5, 57, 100]]))
    for player in players:
        audio = player.render(part, FONT, 2.5)
        assert audio.dtype == np.float32
        assert len(audio) == 2.5 * rate
        for start, pitch in ((0.6, 440.0), (1.6, 220.0)):
            window = audio[round(start * rate) :][: rate // 4] * np.hanning(rate // 4)
            spectrum = np.abs(np.fft.rfft(window, 4 * rate))
            peak = float(np.argmax(spectrum)) / 4
            assert min(abs(peak / pitch - k) for k in (1, 2, 3)) < 0.02, (player, peak)
        assert np.abs(audio[: round(0.49 * rate)]).max() < 1e-4


def _font_bytes(kind: int, packed: bytes, records: list[tuple[Any, ...]], version: int) -> bytes:
    """A soundfont with samples only, put together by hand."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    headers = b"".join(
        struct.pack("<20sIIIIIBbHH", name, a, b, la, lb, RATE, 60, 0, 0, kind)
        for name, a, b, la, lb in records
    ) + struct.pack("<20sIIIIIBbHH", b"EOS", *[0] * 9)
    body = chunk(b"LIST", b"INFO" + chunk(b"ifil", struct.pack("<HH", version, 1)))
    body += chunk(b"LIST", b"sdta" + chunk(b"smpl", packed))
    body += chunk(b"LIST", b"pdta" + chunk(b"phdr", b"\0" * 38) + chunk(b"shdr", headers))
    return chunk(b"RIFF", b"sfbk" + body)


def test_an_sf3_is_unpacked_to_pcm(tmp_path: Path) -> None:
    tones, streams = [], []
    for i, pitch in enumerate((440.0, 660.0)):
        tones.append(0.5 * np.sin(2 * np.pi * pitch * np.arange(3000 + i) / RATE))
        path = tmp_path / f"{i}.ogg"
        soundfile.write(str(path), tones[-1], RATE, format="OGG", subtype="VORBIS")
        streams.append(path.read_bytes())
    a, b = (len(s) for s in streams)
    records = [(b"one", 0, a, 10, 2900), (b"two", a, a + b, 20, 2950)]
    source = tmp_path / "x.sf3"
    source.write_bytes(_font_bytes(0x11, b"".join(streams), records, 3))
    data = sf3.unpack(source, tmp_path / "x.sf2").read_bytes()
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    samples = np.frombuffer(data[data.index(b"smpl") + 8 :], "<i2", 3000 + 46 + 3001)
    for tone, start in zip(tones, (0, 3046), strict=True):
        got = samples[start : start + len(tone)] / 32768
        assert np.corrcoef(got, tone)[0, 1] > 0.99
    assert not samples[3000:3046].any()
    at = data.index(b"shdr") + 8
    rows = [struct.unpack_from("<20sIIIIIBbHH", data, at + 46 * i) for i in range(2)]
    assert [r[1:5] for r in rows] == [(0, 3000, 10, 2900), (3046, 6047, 3066, 5996)]
    assert [r[9] for r in rows] == [1, 1]


def test_what_is_no_soundfont_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.sf3").write_bytes(b"RIFF....")
    with pytest.raises(ToolError, match="not a soundfont"):
        sf3.unpack(tmp_path / "x.sf3", tmp_path / "x.sf2")
    with pytest.raises(ToolError, match="not a soundfont"):
        SoundFont("x", tmp_path / "x.sf3").has(0, False)
    assert not (tmp_path / "x.sf2").exists()


def _nap(context: float, job: float) -> float:
    if job < 0:
        raise CorpusError("a bad job")
    time.sleep(job)
    return job + context


def _start(context: float) -> Any:
    if context < 0:
        raise ToolError("no tool")
    return functools.partial(_nap, context)


def test_a_job_that_hangs_costs_only_itself() -> None:
    reports = sorted(crew.run([0.0, 60.0, -1.0, 0.0], _start, 1.0, workers=1, timeout=3.0))
    assert reports == [
        (0, "done", 1.0),
        (1, "late", "it took over 3 s"),
        (2, "failed", "a bad job"),
        (3, "done", 1.0),
    ]


def test_a_worker_that_cannot_start_says_why() -> None:
    with pytest.raises(StemwiseError, match="could not start: no tool"):
        list(crew.run([0.0], _start, -1.0, workers=1, timeout=30.0))
