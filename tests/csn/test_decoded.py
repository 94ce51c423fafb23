"""Decoding ahead: what it holds, in which order, and that nobody can hear a difference."""

import io
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from csn import playback
from csn.corpora.base import Corpus, Piece
from csn.decoded import Decoded
from csn.playback import clip, warm
from tests.tones import write_sound

RATE = 22_050
SECOND = 2 * RATE  # bytes


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Four pieces of 3 s with two stems each; the third's drums are no sound."""
    rng = np.random.default_rng(0)
    pieces = []
    for number in range(4):
        stems = {}
        for name in ("drums", "bass"):
            noise = (0.7 * rng.uniform(-1, 1, 3 * RATE)).astype(np.float32)
            stems[name] = (write_sound(tmp_path / f"{number}{name}.flac", noise),)
        pieces.append(Piece(f"p{number}", "", "", 3.0, stems=stems))
    pieces[2].stems["drums"][0].write_bytes(b"no sound at all")
    return Corpus(f"test:{tmp_path}", "test", tuple(pieces))


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[Decoded]:
    """Playback with nothing in memory."""
    decoded = Decoded()
    monkeypatch.setattr(playback, "_decoded", decoded)
    monkeypatch.setattr(playback, "_cache", playback._Recent(0))
    yield decoded


def samples(body: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(body)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


@pytest.mark.parametrize("part", ["mix", "bass", "piano"])
@pytest.mark.parametrize(("start", "length"), [(0.0, 1.0), (1.2345, 1.0), (2.5, 3.0)])
def test_clips_out_of_memory_sound_the_same(
    corpus: Corpus, fresh: Decoded, part: str, start: float, length: float
) -> None:
    first = samples(clip(corpus, "p0", part, start, length)).astype(int)
    assert fresh.settle(30)
    piece = corpus["p0"]
    assert fresh.clip(corpus.uri, piece, part, slice(0, 10)) is not None
    again = samples(clip(corpus, "p0", part, start, length)).astype(int)
    assert len(again) == len(first)
    # The mix goes beyond full scale, all else is held as the 16 bits of its file.
    assert np.abs(again - first).max(initial=0) <= (2 if part == "mix" else 0)


def test_a_damaged_piece_is_said_when_asked_and_stops_nothing(
    corpus: Corpus, fresh: Decoded
) -> None:
    warm(corpus)
    assert fresh.settle(30)
    there = [
        fresh.clip(corpus.uri, piece, "mix", slice(0, 1)) is not None for piece in corpus.pieces
    ]
    assert there == [True, True, False, True]
    with pytest.raises(playback.AudioError, match="missing or damaged"):
        clip(corpus, "p2", "mix", 0.0, 1.0)


def test_only_so_much_is_held_and_the_first_pieces_are_warmed(corpus: Corpus) -> None:
    decoded = Decoded(most_bytes=2 * 3 * SECOND)
    decoded.fill(corpus.uri, [(piece, RATE) for piece in corpus.pieces])
    assert decoded.settle(30)
    held = [
        decoded.clip(corpus.uri, piece, "mix", slice(0, 1)) is not None for piece in corpus.pieces
    ]
    assert held == [True, True, False, False]
    decoded.want(corpus.uri, corpus.pieces[3], "mix", RATE)
    assert decoded.settle(30)  # pieces 0 and 1 were asked for just now, 0 first
    held = [
        decoded.clip(corpus.uri, piece, "mix", slice(0, 1)) is not None for piece in corpus.pieces
    ]
    assert held == [False, True, False, True]
    long = Piece("long", "", "", 60.0, stems={})
    decoded.want(corpus.uri, long, "mix", RATE)  # longer than everything that is held
    assert decoded.settle(30) and decoded.clip(corpus.uri, long, "mix", slice(0, 1)) is None
