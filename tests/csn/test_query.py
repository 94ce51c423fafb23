"""Asking with a recording: what is read, what it becomes, how answers are explained."""

import tracemalloc
import wave
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf

from csn import audio, mpeg4, query
from csn.errors import AudioError, LibraryError
from csn.library import Library
from tests.small_library import NO_GUITAR, Fingerprints
from tests.tones import write_sound

RATE = 22_050


def tune(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Noise whose level and colour change every half second."""
    rng = np.random.default_rng(seed)
    blocks = [
        rng.uniform(0.05, 0.5) * np.sin(rng.uniform(0.02, 1.5) * np.arange(rate // 2))
        for _ in range(int(2 * seconds))
    ]
    return np.concatenate(blocks).astype(np.float32)


def write_m4a(file: Path, sound: np.ndarray, rate: int, codec: str = "aac") -> Path:
    """[samples, channels] as MP4."""
    with av.open(str(file), "w", format="ipod") as out:
        layout = {1: "mono", 2: "stereo"}[sound.shape[1]]
        track = out.add_stream(codec, rate=rate, layout=layout)
        for begin in range(0, len(sound), 1024):
            block = np.ascontiguousarray(sound[begin : begin + 1024].T)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, begin
            for packet in track.encode(frame):
                out.mux(packet)
        for packet in track.encode(None):
            out.mux(packet)
    return file


# ---- MP4 ------------------------------------------------------------------------------------


def test_m4a_is_read_to_the_sample(tmp_path: Path) -> None:
    sound = np.zeros((3 * 44_100, 2), np.float32)
    sound[:, 0] = 0.4 * np.sin(2 * np.pi * 440 / 44_100 * np.arange(len(sound)))
    sound[44_100:44_500, 1] = 0.9  # begins at 1 s
    file = write_m4a(tmp_path / "tone.m4a", sound, 44_100)
    assert audio.info(file) == pytest.approx((3.0, 44_100, 2), abs=0.1)
    whole = audio.read(file, 44_100)
    wanted = sound.mean(axis=1)
    assert np.corrcoef(whole[: len(wanted)], wanted[: len(whole)])[0, 1] > 0.99
    for start, length in ((0.0, 0.5), (0.95, 0.2), (2.2, 5.0)):
        begin, end = round(start * 44_100), round((start + length) * 44_100)
        part = audio.read(file, 44_100, start=start, length=length)
        np.testing.assert_allclose(part, whole[begin:end], atol=2e-3)
        other = audio.read(file, RATE, start=start, length=length)
        half = audio.read(file, RATE)[round(start * RATE) :][: round(length * RATE)]
        np.testing.assert_allclose(other, half, atol=2e-3)


def test_an_mp4_without_sound_or_cut_off_says_so(tmp_path: Path) -> None:
    file = write_m4a(tmp_path / "a.m4a", tune(4.0)[:, None], RATE)
    content = file.read_bytes()
    (tmp_path / "cut.m4a").write_bytes(content[: len(content) // 2])
    codec = content.index(b"\x04\x80\x80\x80", content.index(b"esds")) + 5
    unknown = content[:codec] + b"\xdd" + content[codec + 1 :]
    (tmp_path / "codec.m4a").write_bytes(unknown.replace(b"mp4a", b"none"))
    (tmp_path / "fake.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(200))
    with av.open(str(tmp_path / "film.mp4"), "w") as out:
        track = out.add_stream("mpeg4", rate=5)
        track.width, track.height, track.pix_fmt = 16, 16, "yuv420p"
        for _ in range(5):
            image = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
            out.mux(track.encode(image))
        out.mux(track.encode(None))
    for name in ("cut.m4a", "codec.m4a", "fake.m4a", "film.mp4"):
        with pytest.raises(AudioError, match=rf"{name} is not audio that can be read: .+\.$"):
            audio.info(tmp_path / name)
    assert ".m4a" in audio.SUFFIXES and ".m4a" in mpeg4.SUFFIXES


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_file_holds_it_gets_a_sentence(tmp_path: Path, seed: int) -> None:
    """Bytes of every format are changed, moved, blanked and cut off at random."""
    rng = np.random.default_rng(seed)
    sound = tune(3.0, seed=seed)
    contents = [write_m4a(tmp_path / "x.m4a", sound[:, None], RATE).read_bytes()]
    for suffix in (".wav", ".flac", ".ogg", ".mp3"):
        contents.append(write_sound(tmp_path / f"x{suffix}", sound, RATE).read_bytes())
    file = tmp_path / "query"
    for turn in range(30):
        content = bytearray(contents[turn % len(contents)])
        size = len(content)
        for _ in range(int(rng.choice([1, 6, 60]))):
            content[int(rng.integers(size if turn % 2 else 400))] = int(rng.integers(256))
        if turn % 3 == 0:
            blank = int(rng.integers(size))
            content[blank : blank + 900] = bytes(len(content[blank : blank + 900]))
        file.write_bytes(content[: int(rng.integers(size // 2, 2 * size))])
        try:
            query.duration(file, "song")
            assert query.outline(file, "song").shape == (240,)
            part = query.read(file, "song", Fingerprints(), start=0.5, length=2.0)
            assert np.isfinite(part.vector).all()
        except AudioError as error:
            text = str(error)
            assert "song" in text and text.endswith(".") and str(tmp_path) not in text


# ---- one vector -----------------------------------------------------------------------------


def by_hand(sound: np.ndarray) -> np.ndarray:
    """Every 3-s segment at every 1.5 s that is not silent, its mean, its mean length."""
    starts, at = [], 0.0
    while at + 3.0 <= len(sound) / RATE + 1e-9:
        piece = sound[round(at * RATE) : round((at + 3) * RATE)]
        if np.sqrt(np.mean(piece.astype(np.float64) ** 2)) > 1e-3:
            starts.append(at)
        at += 1.5
    vectors = Fingerprints().embed(sound, np.array(starts), 3.0)
    answer = []
    for c in range(5):
        own = [vector[128 * c : 128 * (c + 1)].astype(np.float64) for vector in vectors]
        mean = sum(own) / len(own)
        length = sum(np.sqrt((x * x).sum()) for x in own) / len(own)
        answer.append(mean / np.sqrt((mean * mean).sum()) * length)
    return np.concatenate(answer)


@pytest.mark.parametrize(("start", "length"), [(0.0, 10.0), (4.25, 3.0), (13.0, 30.0)])
def test_a_part_becomes_the_mean_of_its_segments(
    tmp_path: Path, start: float, length: float
) -> None:
    sound = tune(20.0)
    sound[14 * RATE : 18 * RATE] = 0  # a segment of silence is left out
    sf.write(tmp_path / "x.wav", sound, RATE, subtype="FLOAT")
    part = query.read(tmp_path / "x.wav", "x.wav", Fingerprints(), start=start, length=length)
    chosen = sound[round(start * RATE) : round((start + length) * RATE)]
    np.testing.assert_allclose(part.vector, by_hand(chosen), atol=1e-5)
    np.testing.assert_array_equal(part.sound, chosen)
    assert part.rate == RATE


def test_one_segment_is_itself_and_short_sounds_are_one(tmp_path: Path) -> None:
    vector = np.random.default_rng(0).standard_normal(640).astype(np.float32)
    np.testing.assert_allclose(query.pool(vector[None]), vector, rtol=1e-6)
    sound = tune(2.0)
    expected = Fingerprints().embed(sound, np.zeros(1), 2.0)[0]
    np.testing.assert_allclose(query.embed(Fingerprints(), sound, "x"), expected, atol=1e-6)


def test_opposite_segments_do_not_divide_by_nothing() -> None:
    vector = np.random.default_rng(0).standard_normal(640).astype(np.float32)
    np.testing.assert_array_equal(query.pool([vector, -vector]), np.zeros(640))


# ---- files as they come ---------------------------------------------------------------------


def test_hours_need_the_memory_of_the_part(tmp_path: Path) -> None:
    """Three hours of eight channels, 15 GB as floats; on disk a file with a hole."""
    file, seconds, rate = tmp_path / "long.wav", 10_800, 16_000
    with wave.open(str(file), "wb") as out:
        out.setnchannels(8)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.setnframes(seconds * rate)
        out.writeframes(b"")
    head = bytearray(file.read_bytes())
    size = seconds * rate * 16
    head[4:8], head[40:44] = (size + 36).to_bytes(4, "little"), size.to_bytes(4, "little")
    sound = np.repeat((20_000 * tune(10.0, rate)).astype("<i2")[:, None], 8, axis=1)
    with file.open("wb") as out:
        out.write(head)
        out.seek(44 + 7200 * rate * 16)
        out.write(sound.tobytes())
        out.truncate(44 + size)
    tracemalloc.start()
    assert query.duration(file, "long.wav") == seconds
    shape = query.outline(file, "long.wav")
    part = query.read(file, "long.wav", Fingerprints(), start=7200.0, length=10.0)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 60 << 20
    assert np.flatnonzero(shape).tolist() == [160]  # 7,200 s of 10,800 s in 240 columns
    np.testing.assert_allclose(part.sound, sound[:, 0] / 32768, atol=1e-4)


def test_eight_channels_at_8_khz(tmp_path: Path) -> None:
    sound = np.stack([tune(6.0, 8000, seed) for seed in range(8)], axis=1)
    sf.write(tmp_path / "x.flac", sound, 8000)
    part = query.read(tmp_path / "x.flac", "x.flac", Fingerprints(), start=1.0, length=4.0)
    assert part.rate == 8000 and part.vector.shape == (640,)
    np.testing.assert_allclose(part.sound, sound[8000:40_000].mean(axis=1), atol=1e-3)


def test_a_truncated_file_is_heard_as_far_as_it_goes(tmp_path: Path) -> None:
    sf.write(tmp_path / "whole.flac", tune(20.0), RATE)
    content = (tmp_path / "whole.flac").read_bytes()
    file = tmp_path / "cut.flac"
    file.write_bytes(content[: len(content) // 2])
    shape = query.outline(file, "cut.flac")
    assert shape[:60].all() and not shape[200:].any()
    query.read(file, "cut.flac", Fingerprints(), start=0.0, length=5.0)
    with pytest.raises(AudioError, match=r"^my song is damaged or cut off: .+\.$"):
        query.read(file, "my song", Fingerprints(), start=12.0, length=5.0)


def test_every_bad_recording_gets_one_sentence_without_a_path(tmp_path: Path) -> None:
    broken = tune(5.0)
    broken[2 * RATE] = np.nan
    sf.write(tmp_path / "nan", broken, RATE, format="WAV", subtype="FLOAT")
    sf.write(tmp_path / "silent", np.zeros(5 * RATE), RATE, format="WAV")
    (tmp_path / "text").write_text("This is not a sound. " * 50)
    (tmp_path / "empty").write_bytes(b"")
    for name, words in {
        "nan": "not numbers",
        "silent": "silent; choose another",
        "text": "not audio that can be read",
        "empty": "empty",
        "missing": "does not exist",
    }.items():
        with pytest.raises(AudioError) as caught:
            query.read(tmp_path / name, "song.wav", Fingerprints(), start=0.0, length=5.0)
        text = str(caught.value)
        assert words in text and "song.wav" in text
        assert text.endswith(".") and text.count(". ") == 0 and str(tmp_path) not in text
    assert query.outline(tmp_path / "nan", "x").max() == 1
    sf.write(tmp_path / "short", tune(1.0)[: RATE // 2], RATE, format="WAV")
    with pytest.raises(AudioError, match=r"lasts 0\.50 s; a query needs at least 1 s"):
        query.duration(tmp_path / "short", "song.wav")
    sf.write(tmp_path / "fine", tune(5.0), RATE, format="WAV")
    with pytest.raises(AudioError, match=r"ends before 5\.5 s"):
        query.read(tmp_path / "fine", "song.wav", Fingerprints(), start=4.5, length=5.0)
    for start, length in ((-1.0, 5.0), (0.0, 31.0), (0.0, 0.2), (np.nan, 5.0)):
        with pytest.raises(AudioError, match="lasts 1 to 30 s"):
            query.read(tmp_path / "fine", "x", Fingerprints(), start=start, length=length)


# ---- the library ----------------------------------------------------------------------------


def test_a_part_of_a_piece_is_its_segments(library: Library) -> None:
    table = library.segments
    for start, length in ((0.0, 10.0), (1.0, 4.0), (2.9, 1.0), (7.0, 30.0)):
        inside = [
            row
            for row in range(len(table))
            if table["piece"][row] == "Track00004"
            and table["start"][row] >= start
            and table["start"][row] + 3 <= start + length
        ]
        if not inside:
            own = table.index[table["piece"] == "Track00004"]
            inside = [min(own, key=lambda row: abs(table["start"][row] - start))]
        assert query.rows_of(library, "Track00004", start, length).tolist() == inside
    with pytest.raises(LibraryError, match="holds no piece 'x'"):
        query.rows_of(library, "x", 0.0, 3.0)


@pytest.mark.parametrize(
    "weights", [(1, 0, 0, 0, 0), (0.5, 0.2, 0, 1, 0.05), (1, -1, 0.3, 0, -0.5)]
)
def test_contributions_sum_to_what_search_ranks_by(
    library: Library, weights: tuple[float, ...]
) -> None:
    asked = library.vectors[3, :640] + np.float32(0.01)
    rows, distances = library.search(asked, weights, 20)
    shares = query.contributions(library, asked, rows, weights)
    np.testing.assert_allclose(
        shares.sum(axis=1), np.sign(distances) * distances.astype(np.float64) ** 2, atol=1e-5
    )
    for row, share in zip(rows.tolist(), shares, strict=True):
        for c, weight in enumerate(weights):
            columns = slice(128 * c, 128 * (c + 1))
            away = [float(a) - float(b) for a, b in
                    zip(asked[columns], library.vectors[row, columns], strict=True)]  # fmt: skip
            assert share[c] == pytest.approx(weight * sum(x * x for x in away), abs=1e-9)


def test_who_leads_and_who_plays(library: Library) -> None:
    assert query.leaders((1, 0, 0, 0, 0)) == ("drums",)
    assert query.leaders((0.5, 0, 0.5, -1, 0)) == ("drums", "piano")
    assert query.leaders((1, 1, 1, 1, 1)) == query.leaders((-1, 0, 0, 0, 0)) == ()
    table = library.segments
    mask = query.playing(library, ["guitar", "drums"])
    for row in range(len(table)):
        sounding = table["activity_guitar"][row] >= 0.3 and table["activity_drums"][row] >= 0.3
        assert mask[row] == sounding
    assert not mask[table["piece"] == NO_GUITAR].any() and mask.any()
    assert query.playing(library, []).all()


def test_a_full_bar_is_what_two_segments_drawn_at_random_are_apart(library: Library) -> None:
    pairs = np.random.default_rng(0).integers(len(library), size=(2, 500))
    sums = []
    for x, y in pairs.T:
        away = (library.vectors[x, :640].astype(float) - library.vectors[y, :640]).reshape(5, 128)
        sums.append(abs(away[0] ** 2).sum() + 0.5 * (away[3] ** 2).sum())
    assert query.typical(library, (1, 0, 0, -0.5, 0)) == pytest.approx(np.median(sums))
