"""Excerpts: where they are cut, what is refused and why, and what is written."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from csn.corpora import Corpus
from csn.instruments import INSTRUMENTS
from listening_test.loudness import loudness, true_peak
from listening_test.stimuli import ACTIVE
from listening_test.triplets import Excerpt
from listening_test.writing import write, write_all
from tests.listening_test.sounds import spoiled, stimuli
from tests.tones import RATE, tone


def slow_activity(sound: np.ndarray, start: float, length: float) -> float:
    """The part of 50-ms frames above -60 dBFS, one frame at a time."""
    loud = []
    for k in range(round(length / 0.05)):
        begin = round(start * RATE) + k * round(0.05 * RATE)
        frame = sound[begin : begin + round(0.05 * RATE)].astype(np.float64)
        loud.append(len(frame) > 0 and np.sqrt(np.mean(frame**2)) > 1e-3)
    return float(np.mean(loud))


def test_excerpts_begin_where_the_instrument_sounds(tmp_path: Path) -> None:
    def half(sound: np.ndarray) -> np.ndarray:
        return np.concatenate([sound[: 4 * RATE], 0 * sound[4 * RATE :]])

    corpus = spoiled(tmp_path, {1: half}, pieces=1)
    found = stimuli(corpus).starts("Track00001", "bass")
    stem = corpus["Track00001"].audio("bass", RATE)
    every = np.arange(0, 6.01, 0.5)
    expected = [s for s in every if slow_activity(stem, s, 3.0) >= ACTIVE]
    assert 0 < len(expected) < len(every)
    assert max(expected) > 2.0  # its end is silent, but not for two seconds
    assert list(found) == expected


def test_no_excerpt_holds_a_long_silence(tmp_path: Path) -> None:
    """3 s of silence in the middle: an excerpt of 6 s takes less than 2 s of it."""

    def hole(sound: np.ndarray) -> np.ndarray:
        return np.where((np.arange(len(sound)) / RATE >= 6) & (np.arange(len(sound)) / RATE < 9),
                        0, sound)  # fmt: skip

    corpus = spoiled(tmp_path, {1: hole}, pieces=1, seconds=16.0, instrument="others")
    found = stimuli(corpus, 6.0).starts("Track00001", "others")
    every = np.arange(0, 10.01, 0.5)
    expected = [s for s in every if min(s + 6, 9) - max(s, 6) < 2.0]
    assert list(found) == expected and 0 < len(expected) < len(every)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: 0 * s, "left out: no 3 s of it have bass in 40% of the time"),
        (lambda s: s * 0.03, "almost silent"),
        (lambda s: np.where(np.arange(len(s)) == 900, np.nan, s), "not numbers"),
        (lambda s: s * 0.05 + 0.99 * (np.arange(len(s)) % 11_000 == 500), "dB above its loudness"),
        (lambda s: s[:RATE], "no 3 s"),
    ],
)
def test_what_cannot_be_heard_is_refused_with_the_reason(
    tmp_path: Path, change: object, reason: str
) -> None:
    corpus = spoiled(tmp_path, {2: change})  # type: ignore[dict-item]
    chosen = stimuli(corpus)
    rng = np.random.default_rng(0)
    assert chosen.find("Track00001", "bass", rng, apart=None) is not None
    assert chosen.refusals == []
    assert chosen.find("Track00002", "bass", rng, apart=None) is None
    assert chosen.refusals and all("Track00002" in sentence for sentence in chosen.refusals)
    assert reason in chosen.refusals[0]
    assert str(tmp_path) not in "".join(chosen.refusals)  # names of files, not of folders
    assert all(s.endswith(".") and "\n" not in s for s in chosen.refusals)


def test_a_damaged_file_is_refused_and_named(tmp_path: Path) -> None:
    corpus = spoiled(tmp_path, {})
    file = corpus["Track00002"].stems["bass"][0]
    file.write_bytes(b"RIFF, but no sound")
    chosen = stimuli(corpus)
    rng = np.random.default_rng(0)
    assert chosen.find("Track00002", "bass", rng, apart=None) is None
    assert file.name in chosen.refusals[0] and str(tmp_path) not in chosen.refusals[0]
    # Another instrument of the piece can be heard, but the model cannot hear its mix.
    assert chosen.find("Track00002", "piano", rng, apart=None) is None
    assert "Track00002 (piano)" in chosen.refusals[1]


def test_pieces_shorter_than_an_excerpt_are_refused(tmp_path: Path) -> None:
    chosen = stimuli(spoiled(tmp_path, {}, pieces=1, seconds=2.9))
    assert len(chosen.starts("Track00001", "bass")) == 0
    assert chosen.refusals == ["Track00001 was left out: it is 2.9 s long, an excerpt 3 s."]


def test_two_parts_of_a_piece_do_not_overlap(tiny_corpus: Corpus) -> None:
    chosen = stimuli(tiny_corpus, 6.0)
    rng = np.random.default_rng(3)
    for piece in tiny_corpus:
        found = chosen.find_two(piece.id, "piano", rng)
        assert found is not None
        x, y = found
        assert x.piece == y.piece == piece.id
        assert abs(x.start - y.start) >= 6.0
    assert stimuli(tiny_corpus, 7.5).find_two("Track00001", "piano", rng) is None
    # 14 s have room for two of 6.5 s, but only at their ends: most beginnings have none beside.
    for seed in range(5):
        tight = stimuli(tiny_corpus, 6.5)
        found = tight.find_two("Track00002", "others", np.random.default_rng(seed))
        assert found is not None and abs(found[0].start - found[1].start) >= 6.5


def test_fresh_parts_of_a_piece_come_first(tiny_corpus: Corpus) -> None:
    """Four excerpts of 3 s fit into 14 s: four are drawn without an overlap where they can be."""
    chosen = stimuli(tiny_corpus)
    rng = np.random.default_rng(0)
    starts = [
        found.start
        for _ in range(3)
        if (found := chosen.find("Track00001", "piano", rng, apart=None)) is not None
    ]
    gaps = np.abs(np.subtract.outer(starts, starts))[np.triu_indices(3, 1)]
    assert gaps.min() >= 2.0  # at random, two of three overlap by more in most draws


def test_the_target_leaves_room_for_the_highest_peak(tmp_path: Path) -> None:
    """One peaky stem lowers the target of all, by the tenth, and no more."""

    def peaky(sound: np.ndarray) -> np.ndarray:
        clicks = np.arange(len(sound)) % RATE == RATE // 2
        return 0.5 * sound + 0.6 * clicks.astype(np.float32)

    corpus = spoiled(tmp_path, {2: peaky})
    chosen = stimuli(corpus)
    flat = Excerpt("Track00001", "others", 1.0, 3.0)
    high = Excerpt("Track00002", "bass", 1.0, 3.0)
    assert chosen.usable(flat, "others") and chosen.usable(high, "bass")
    assert chosen.target([flat]) == -23.0
    target = chosen.target([flat, high])
    assert -33.0 <= target < -23.0
    sound = chosen.cut(high)
    gain = 10 ** ((target - loudness(sound, RATE)) / 20)
    assert -1.15 < true_peak(sound * gain, RATE) <= -1.0


def test_a_soft_excerpt_is_measured_at_the_level_at_which_it_is_heard(tmp_path: Path) -> None:
    """Parts at -45, -58.5 and -75 LUFS: BS.1770's fixed gate at -70 sees the last only once the
    excerpt is made louder, and then the second counts as well, which makes 2.8 LU."""

    def soft(sound: np.ndarray) -> np.ndarray:
        noise = np.random.default_rng(2).standard_normal(9 * RATE)
        noise *= 10 ** ((-45 - loudness(noise, RATE)) / 20)
        return noise * np.repeat([1, 10 ** (-13.5 / 20), 10 ** (-30 / 20)], 3 * RATE)

    corpus = spoiled(tmp_path / "corpus", {1: soft}, pieces=1)
    chosen = stimuli(corpus, 9.0)
    excerpt = Excerpt("Track00001", "bass", 0.0, 9.0)
    plainly = loudness(chosen.cut(excerpt), RATE)
    assert chosen.usable(excerpt, "bass")
    assert plainly - chosen.measured[excerpt].loudness > 2.0
    (written,) = write_all(chosen, [excerpt], [tmp_path / "a.flac"])
    assert written.loudness == pytest.approx(chosen.target([excerpt]), abs=0.1)


def test_what_is_written_is_what_was_measured(tmp_path: Path) -> None:
    sound = 0.5 * tone("guitar", 4, 3.0, 100.0).astype(np.float64)
    digest, size, level, peak = write(sound, RATE, tmp_path / "a.flac")
    decoded, rate = sf.read(tmp_path / "a.flac", dtype="float64")
    header = sf.info(tmp_path / "a.flac")
    assert (rate, header.channels, header.subtype) == (RATE, 1, "PCM_16")
    assert np.abs(decoded - sound).max() <= 0.5 / 32768 + 1e-9  # half a step: no dither, no clip
    assert size == (tmp_path / "a.flac").stat().st_size and len(digest) == 64
    assert level == pytest.approx(loudness(decoded, RATE), abs=1e-3)
    assert peak == pytest.approx(true_peak(decoded, RATE), abs=1e-3)
    assert [file.name for file in tmp_path.iterdir()] == ["a.flac"]


def test_an_excerpt_is_the_corpus_sound_with_fades(tiny_corpus: Corpus) -> None:
    excerpt = Excerpt("Track00003", "mix", 2.5, 3.0)
    cut = stimuli(tiny_corpus).cut(excerpt)
    whole = sum(tiny_corpus["Track00003"].audio(name, RATE) for name in INSTRUMENTS)
    assert tiny_corpus["Track00003"].mix is not None  # read from its file, the same sum
    plain = np.asarray(whole)[round(2.5 * RATE) :][: 3 * RATE]
    inner = slice(round(0.005 * RATE), -round(0.005 * RATE))
    assert len(cut) == 3 * RATE
    assert np.allclose(cut[inner], plain[inner], atol=2e-4)
    assert abs(cut[0]) < 1e-3 * np.abs(plain).max() and abs(cut[-1]) < 1e-3
    assert np.all(np.abs(cut[:110]) <= np.abs(plain[:110]) + 2e-4)
