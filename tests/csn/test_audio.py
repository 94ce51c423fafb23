"""Reading sound: against analytic sines, slow loops, and every bad file we could think of."""

import io
import math
import tracemalloc
import warnings
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
import torchaudio
from hypothesis import given, settings
from hypothesis import strategies as st

from csn import audio, decoding, resampling
from csn.errors import AudioError
from tests.tones import write_sound

TARGET = 22_050
ODD_RATES = (44_056, 44_099)  # no short common period with 22,050


def sine(rate: int, seconds: float, frequency: float = 440.0) -> np.ndarray:
    t = np.arange(round(rate * seconds)) / rate
    return 0.5 * np.sin(2 * np.pi * frequency * t)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[Path, np.ndarray]]:
    """Noise at many rates: rate → (file, the whole of it read at 22,050 Hz)."""
    folder = tmp_path_factory.mktemp("shelf")
    rng = np.random.default_rng(1)
    files = {}
    for rate in (8_000, 22_050, 24_000, 44_099, 44_100, 48_000, 192_000):
        file = folder / f"{rate}.wav"
        sf.write(file, 0.1 * rng.standard_normal(round(3.217 * rate)), rate)
        files[rate] = (file, audio.read(file, TARGET))
    return files


@pytest.mark.parametrize(
    "rate",
    [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000, *ODD_RATES],
)
def test_a_resampled_sine_is_the_sine_at_the_other_rate(tmp_path: Path, rate: int) -> None:
    file = tmp_path / "sine.wav"
    sf.write(file, sine(rate, 2.5), rate, subtype="FLOAT")
    sound = audio.read(file, TARGET)
    assert sound.dtype == np.float32
    assert len(sound) == math.ceil(round(2.5 * rate) * TARGET / rate)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(sound)) / TARGET)
    inside = slice(100, -100)  # the filter sees silence beyond the ends
    assert np.abs(sound[inside] - expected[inside]).max() < 5e-4


@pytest.mark.parametrize("rate", [44_100, 48_000, 44_099])
def test_what_the_lower_rate_cannot_hold_is_removed_not_folded(tmp_path: Path, rate: int) -> None:
    file = tmp_path / "high.wav"
    sf.write(file, sine(rate, 1.0, 15_000), rate, subtype="FLOAT")
    assert audio.rms_dbfs(audio.read(file, TARGET)[100:-100]) < -55


@pytest.mark.parametrize(("p", "q"), [(2, 1), (1, 2), (4, 1), (3, 7), (320, 147), (147, 160)])
def test_filters_side_by_side_are_torchaudios(p: int, q: int) -> None:
    for n in (1, 2, 29, 1_000, 4_321):
        sound = torch.from_numpy(np.random.default_rng(n).standard_normal(n).astype(np.float32))
        plain = torchaudio.transforms.Resample(p, q)(sound).numpy()
        np.testing.assert_allclose(resampling.resample(sound.numpy(), p, q), plain, atol=1e-5)


def test_a_table_of_few_phases_agrees_with_every_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = np.random.default_rng(0).standard_normal(4_000).astype(np.float32)
    for p, q in ((320, 147), (147, 160), (2, 1), (3, 7)):
        exact = resampling.resample(sound, p, q)
        with monkeypatch.context() as patch:
            patch.setattr(resampling, "_TABLE", 0)
            looked_up = resampling.resample(sound, p, q)
        assert len(exact) == len(looked_up) == math.ceil(4_000 * q / p)
        assert np.abs(exact - looked_up).max() < 1e-3


@settings(max_examples=80, deadline=None)
@given(
    rate=st.sampled_from([8_000, 22_050, 24_000, 44_099, 44_100, 48_000, 192_000]),
    start=st.floats(0, 4),
    length=st.one_of(st.none(), st.floats(0, 4)),
)
def test_a_window_is_the_slice_of_the_whole(
    shelf: dict[int, tuple[Path, np.ndarray]], rate: int, start: float, length: float | None
) -> None:
    file, whole = shelf[rate]
    window = audio.read(file, TARGET, start=start, length=length)
    begin = round(start * TARGET)
    end = None if length is None else begin + round(length * TARGET)
    assert window.shape == whole[begin:end].shape
    np.testing.assert_allclose(window, whole[begin:end], atol=1e-6)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 192_000])
def test_the_length_of_a_block_does_not_matter(
    shelf: dict[int, tuple[Path, np.ndarray]], rate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, whole = shelf[rate]
    for block in (300, 999, 20_000):
        for module in (audio, decoding):
            monkeypatch.setattr(module, "BLOCK", block)
        part = audio.read(file, TARGET, start=1.0, length=0.2)
        np.testing.assert_allclose(part, whole[TARGET : TARGET + len(part)], atol=1e-6)


def test_channels_are_averaged(tmp_path: Path) -> None:
    channels = np.random.default_rng(2).uniform(-1, 1, (5_000, 8))
    file = tmp_path / "eight.wav"
    sf.write(file, channels, TARGET, subtype="FLOAT")
    slow = [sum(frame) / 8 for frame in channels.tolist()]
    np.testing.assert_allclose(audio.read(file, TARGET), slow, atol=1e-6)
    assert audio.info(file) == (5_000 / TARGET, TARGET, 8)


@pytest.mark.parametrize("ending", [".wav", ".flac", ".ogg", ".opus", ".mp3"])
@pytest.mark.parametrize("frames", [24_000, 50_001])
def test_every_format_keeps_its_length_and_its_place(
    tmp_path: Path, ending: str, frames: int
) -> None:
    sound = sine(24_000, frames / 24_000, 300)
    sound[: frames // 2] = 0
    file = write_sound(tmp_path / f"tone{ending}", sound, 24_000)
    assert audio.info(file).duration == frames / 24_000
    back = audio.read(file, 24_000)
    assert len(back) == frames
    middle = slice(frames // 2 + 2_000, frames - 2_000)
    assert np.corrcoef(back[middle], sound[middle])[0, 1] > 0.99  # not late, not early
    assert audio.rms_dbfs(back[: frames // 2 - 2_000]) < audio.SILENCE_DBFS


@pytest.mark.parametrize("ending", [".flac", ".ogg", ".opus", ".mp3"])
@pytest.mark.parametrize("seconds", [0.6, 3.01])
def test_a_jump_lands_on_the_very_sample(tmp_path: Path, ending: str, seconds: float) -> None:
    frames = round(24_000 * seconds)
    sound = np.random.default_rng(6).normal(0, 0.1, frames)
    file = write_sound(tmp_path / f"noise{ending}", sound, 24_000)
    whole = audio.read(file, 24_000)
    # Before the last samples, and everywhere: jumps in the last Ogg page are the hard ones.
    for start in [*range(0, frames, frames // 25), *(frames - 3**k for k in range(9))]:
        window = audio.read(file, 24_000, start=start / 24_000, length=0.03)
        np.testing.assert_allclose(window, whole[start : start + 720], atol=1e-6)


@pytest.mark.parametrize("ending", [".ogg", ".opus", ".mp3", ".flac"])
def test_reading_in_blocks_is_reading_at_once(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = np.random.default_rng(7).normal(0, 0.1, 48_000)
    file = write_sound(tmp_path / f"noise{ending}", sound, 24_000)
    at_once, _ = sf.read(file, dtype="float32")
    for module in (audio, decoding):
        monkeypatch.setattr(module, "BLOCK", 5_000)
    np.testing.assert_allclose(audio.read(file, 24_000), at_once, atol=1e-6)


def test_an_mp3_may_state_a_little_more_than_it_holds(tmp_path: Path) -> None:
    file = write_sound(tmp_path / "a.mp3", np.random.default_rng(8).normal(0, 0.1, 44_100), 44_100)
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * 0.9)])
    sound = audio.read(file, 44_100)
    assert len(sound) == 44_100
    assert sound[:35_000].any()
    assert not sound[-2_000:].any()
    file.write_bytes(data[: int(len(data) * 0.3)])
    with pytest.raises(AudioError, match="cut off"):
        audio.read(file, 44_100)


def test_a_window_seeks_and_an_hour_needs_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hour.flac"
    silence = np.zeros((8_000 * 60, 2), np.int16)
    with sf.SoundFile(file, "w", 8_000, 2, compression_level=0.0) as out:
        for _ in range(60):
            out.write(silence)
    assert audio.info(file).duration == 3_600
    decoded = []
    original = sf.SoundFile.read

    def counted(self: sf.SoundFile, frames: int, **options: object) -> np.ndarray:
        decoded.append(frames)
        return original(self, frames, **options)

    with monkeypatch.context() as patch:
        patch.setattr(sf.SoundFile, "read", counted)
        assert len(audio.read(file, 16_000, start=3_590, length=3)) == 48_000
    assert 3 * 8_000 <= sum(decoded) < 2 * 3 * 8_000
    tracemalloc.start()
    part = audio.read(file, 4_000, start=900, length=900)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(part) == 900 * 4_000
    assert peak < part.nbytes + 8e6


def test_the_name_does_not_matter_only_the_content(tmp_path: Path) -> None:
    file = write_sound(tmp_path / "a.flac", sine(TARGET, 1.0))
    for name in ("b.mp3", "b.wav", "b.ogg", "b.txt", "noname"):
        other = file.rename(tmp_path / name)
        assert len(audio.read(other, TARGET)) == TARGET
        file = other


def test_silence_is_sound(tmp_path: Path) -> None:
    file = write_sound(tmp_path / "silent.flac", np.zeros(TARGET))
    assert not audio.read(file, 16_000).any()


def bad_files(folder: Path) -> dict[str, Path]:
    """One file of each kind that must be refused → its path."""
    good = write_sound(folder / "good.flac", np.random.default_rng(0).uniform(-0.5, 0.5, TARGET))
    data = good.read_bytes()
    contents = {
        "empty.wav": b"",
        "text.wav": b"not a sound at all\n" * 50,
        "text.mp3": b"not a sound at all\n" * 50,
        "noise.ogg": bytes(np.random.default_rng(3).integers(0, 256, 4_000, dtype=np.uint8)),
        "header.flac": data[:60],
        "half.flac": data[: len(data) // 2],
        "middle.flac": data[: len(data) // 2] + bytes(3_000) + data[len(data) // 2 + 3_000 :],
        "headless.raw": bytes(1_000),
    }
    files = {"missing.wav": folder / "missing.wav", "folder.wav": folder / "folder.wav"}
    files["folder.wav"].mkdir()
    for name, content in contents.items():
        files[name] = folder / name
        files[name].write_bytes(content)
    for name, value in (("nan.wav", np.nan), ("inf.wav", np.inf)):
        sound = np.zeros(TARGET, np.float32)
        sound[9_000] = value
        files[name] = folder / name
        sf.write(files[name], sound, TARGET, subtype="FLOAT")
    files["zero.wav"] = folder / "zero.wav"
    sf.write(files["zero.wav"], np.zeros(0), TARGET)
    files["rate.wav"] = folder / "rate.wav"
    sf.write(files["rate.wav"], np.zeros(100), 3)
    ogg = write_sound(folder / "vorbis.ogg", np.random.default_rng(4).uniform(-1, 1, TARGET * 6))
    torn = bytearray(ogg.read_bytes())
    torn[len(torn) // 2 : len(torn) // 2 + 4_000] = bytes(4_000)
    files["torn.ogg"] = folder / "torn.ogg"
    files["torn.ogg"].write_bytes(torn)
    return files


def test_every_bad_file_gets_one_sentence(tmp_path: Path) -> None:
    words = {
        "missing.wav": "does not exist",
        "folder.wav": "is a folder",
        "empty.wav": "is empty",
        "text.wav": "is not audio",
        "text.mp3": "Format not recognised",
        "noise.ogg": "is not audio",
        "header.flac": "is not audio",
        "half.flac": "damaged or cut off",
        "middle.flac": "damaged or cut off",
        "torn.ogg": "damaged or cut off",
        "headless.raw": "is not audio",
        "nan.wav": "not numbers",
        "inf.wav": "not numbers",
        "zero.wav": "no sound",
        "rate.wav": "3 Hz",
    }
    files = bad_files(tmp_path)
    assert set(files) == set(words)
    for name, file in files.items():
        for rate in (TARGET, 16_000):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with pytest.raises(AudioError, match=words[name]) as caught:
                    audio.read(file, rate)
            text = str(caught.value)
            assert name in text
            assert text.endswith(".")
            assert "\n" not in text


def test_the_header_is_refused_without_decoding(tmp_path: Path) -> None:
    files = bad_files(tmp_path)
    for name in ("missing.wav", "folder.wav", "empty.wav", "text.wav", "zero.wav", "rate.wav"):
        with pytest.raises(AudioError, match=name):
            audio.info(files[name])
    assert audio.info(files["half.flac"]).duration == 1.0  # its header is whole


def test_a_window_past_the_end_is_empty_and_nonsense_is_refused(tmp_path: Path) -> None:
    file = write_sound(tmp_path / "a.flac", sine(TARGET, 1.0))
    assert audio.read(file, 16_000, start=5, length=1).shape == (0,)
    assert audio.read(file, 16_000, start=0.5, length=0).shape == (0,)
    assert audio.read(file, 16_000, start=0.5, length=9).shape == (8_000,)
    for wrong in ({"start": -1}, {"start": math.nan}, {"length": -1}, {"length": math.inf}):
        with pytest.raises(ValueError, match="must be at least 0"):
            audio.read(file, 16_000, **wrong)
    with pytest.raises(ValueError, match="sample_rate"):
        audio.read(file, 0)


def test_write_wav_is_read_back_by_another_reader() -> None:
    sound = np.random.default_rng(5).uniform(-1, 1, (1_000, 2)).astype(np.float32)
    data = audio.write_wav(sound, 44_100)
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 44_100)
        assert file.getnframes() == 1_000
    back, rate = sf.read(io.BytesIO(data))
    assert rate == 44_100
    assert np.abs(back * 32_768 / 32_767 - sound).max() < 1 / 32_000


def test_write_wav_turns_loud_sound_down_and_survives_nonsense() -> None:
    loud = 3 * sine(8_000, 0.5)
    back, _ = sf.read(io.BytesIO(audio.write_wav(loud, 8_000)))
    np.testing.assert_allclose(back, loud / np.abs(loud).max(), atol=1e-4)
    odd, _ = sf.read(io.BytesIO(audio.write_wav(np.array([0.5, np.nan, np.inf, -0.5]), 8_000)))
    np.testing.assert_allclose(odd, [0.5, 0, 0, -0.5], atol=1e-4)
    assert sf.read(io.BytesIO(audio.write_wav(np.zeros(0), 8_000)))[0].shape == (0,)


@settings(deadline=None)
@given(
    duration=st.floats(0, 400),
    length=st.floats(0.5, 12),
    overlap=st.sampled_from([0.0, 0.25, 0.5, 0.75, 0.9]),
)
def test_segments_are_all_that_fit_and_no_more(
    duration: float, length: float, overlap: float
) -> None:
    starts = audio.segment_starts(duration, length, overlap)
    hop = length * (1 - overlap)
    slow: list[float] = []
    while len(slow) * hop + length <= duration + 1e-7 * hop:
        slow.append(len(slow) * hop)
    assert abs(len(slow) - len(starts)) <= (abs(len(slow) * hop + length - duration) < 1e-6)
    np.testing.assert_allclose(starts, slow[: len(starts)], atol=1e-9)
    assert starts.dtype == np.float64
    if len(starts):
        assert starts[0] == 0
        assert starts[-1] + length <= duration + 1e-6
        assert starts[-1] + hop + length > duration - 1e-6


def test_segments_of_exact_lengths() -> None:
    np.testing.assert_array_equal(audio.segment_starts(6.0), [0, 1.5, 3])
    np.testing.assert_array_equal(audio.segment_starts(3.0), [0])
    np.testing.assert_array_equal(audio.segment_starts(0.1 * 3 * 10), [0])
    assert audio.segment_starts(2.999).shape == audio.segment_starts(-1.0).shape == (0,)
    for wrong in ({"length": 0.0}, {"overlap": 1.0}, {"overlap": -0.1}, {"length": math.nan}):
        with pytest.raises(ValueError, match="length"):
            audio.segment_starts(10.0, **wrong)
    with pytest.raises(ValueError, match="duration"):
        audio.segment_starts(math.nan)


def test_levels() -> None:
    assert audio.rms_dbfs(np.ones(10)) == 0
    assert audio.rms_dbfs(sine(8_000, 1.0)) == pytest.approx(20 * math.log10(0.5 / math.sqrt(2)))
    assert audio.rms_dbfs(np.zeros(5)) == audio.rms_dbfs(np.zeros(0)) == -math.inf


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), length=st.sampled_from([1.0, 3.0, 0.33]))
def test_activity_agrees_with_a_slow_loop(seed: int, length: float) -> None:
    rng = np.random.default_rng(seed)
    rate = 2_000
    gates = np.repeat(rng.uniform(0, 1, 100) < 0.5, 117)
    sound = (rng.standard_normal(len(gates)) * gates * 10 ** rng.uniform(-4, 0)).astype(np.float32)
    starts = np.sort(rng.uniform(0, 6, 7))
    expected = []
    for start in starts:
        loud = total = 0
        begin = round(start * rate)
        while (total + 1) * 0.05 <= length + 1e-9:
            frame = [float(x) for x in sound[begin + 100 * total : begin + 100 * (total + 1)]]
            power = sum(x * x for x in frame) / 100
            loud += power > 0 and 10 * math.log10(power) > -60
            total += 1
        expected.append(loud / total)
    answer = audio.activity(sound, rate, starts, length)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, expected, atol=1e-6)
