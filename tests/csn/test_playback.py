"""Clips: their fades, their cache and what they refuse."""

import io
import math
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from csn import playback
from csn.corpora.base import Corpus, Piece
from csn.errors import AudioError, CorpusError
from csn.playback import FADE, LONGEST, clip, faded
from tests.tones import write_sound


@given(length=some.integers(0, 600), rate=some.sampled_from([8_000, 44_100]))
def test_fades_are_raised_cosines_at_both_ends(length: int, rate: int) -> None:
    sound = np.ones(length, np.float32)
    got = faded(sound, rate)
    size = min(round(FADE * rate), length // 2)
    for k in range(size):
        want = math.sin(math.pi * (k + 0.5) / size / 2) ** 2
        assert got[k] == pytest.approx(want, abs=1e-6)
        assert got[length - 1 - k] == pytest.approx(want, abs=1e-6)
    assert (got[size : length - size] == 1).all()
    assert (sound == 1).all()  # what was given is left as it was
    assert got.dtype == np.float32 and len(got) == length


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Two pieces of 4 s: one with two stems, one with a mix at 96 kHz only."""
    rng = np.random.default_rng(0)
    noise = [(0.1 * rng.standard_normal(4 * 22_050)).astype(np.float32) for _ in range(2)]
    drums = write_sound(tmp_path / "d.flac", noise[0])
    bass = write_sound(tmp_path / "b.flac", noise[1])
    mix = write_sound(tmp_path / "m.wav", np.zeros(4 * 96_000, np.float32), 96_000)
    return Corpus(
        f"test:{tmp_path}",
        "test",
        (
            Piece("a", "A", "", 4.0, stems={"drums": (drums,), "bass": (bass,)}),
            Piece("b", "B", "", 4.0, mix=mix),
            Piece("c", "C", "", 4.0),
        ),
    )


def header(body: bytes) -> tuple[int, int]:
    with wave.open(io.BytesIO(body)) as file:
        return file.getframerate(), file.getnframes()


def test_a_clip_keeps_the_rate_of_its_file_up_to_48_kilohertz(corpus: Corpus) -> None:
    assert header(clip(corpus, "a", "mix", 1.0, 2.0)) == (22_050, 44_100)
    assert header(clip(corpus, "b", "mix", 1.0, 2.0)) == (48_000, 96_000)


def test_the_second_time_is_from_memory_until_there_is_too_much(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playback, "_cache", playback._Recent(200_000))
    first = clip(corpus, "a", "drums", 0.0, 2.0)  # 88 kB each
    second = clip(corpus, "a", "bass", 0.0, 2.0)
    assert clip(corpus, "a", "drums", 0.0, 2.0) is first
    clip(corpus, "a", "mix", 0.0, 2.0)  # pushes the bass out, the longest unused
    assert clip(corpus, "a", "drums", 0.0, 2.0) is first
    assert clip(corpus, "a", "bass", 0.0, 2.0) is not second
    assert clip(corpus, "a", "bass", 0.0, 2.0) == second


@pytest.mark.parametrize(
    ("part", "start", "length", "sentence"),
    [
        ("violin", 0.0, 1.0, "no part 'violin'"),
        ("../mix", 0.0, 1.0, "no part"),
        ("mix", -0.1, 1.0, "0 or more"),
        ("mix", math.nan, 1.0, "0 or more"),
        ("mix", 4.0, 1.0, "ends at 4.00 s"),
        ("mix", 0.0, 0.0, "above 0"),
        ("mix", 0.0, LONGEST + 1, "at most 30"),
        ("mix", 0.0, math.nan, "above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(
    corpus: Corpus, part: str, start: float, length: float, sentence: str
) -> None:
    with pytest.raises(AudioError, match=sentence):
        clip(corpus, "a", part, start, length)


def test_pieces_that_cannot_be_heard(corpus: Corpus) -> None:
    with pytest.raises(CorpusError, match="holds no piece 'z'"):
        clip(corpus, "z", "mix", 0.0, 1.0)
    with pytest.raises(AudioError, match="c cannot be played"):
        clip(corpus, "c", "mix", 0.0, 1.0)
    corpus["a"].stems["drums"][0].unlink()
    with pytest.raises(AudioError, match="missing or damaged") as caught:
        clip(corpus, "a", "mix", 2.0, 1.0)
    assert "d.flac" not in str(caught.value)
