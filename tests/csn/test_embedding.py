"""Long pieces go window by window; the result is that of the whole."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from csn import embedding
from csn.audio import segment_starts
from csn.corpora.base import Piece
from csn.embedding import embed_pieces
from tests.csn.fake_model import RATE, FakeModel, noise


def piece(folder: Path, seconds: float, stems: bool) -> Piece:
    if not stems:
        sf.write(folder / "mix.wav", noise(1, seconds), RATE, subtype="FLOAT")
        return Piece("one", "One", "", seconds, mix=folder / "mix.wav")
    parts = {"drums": noise(1, seconds), "bass": noise(2, seconds - 20)}
    for name, sound in parts.items():
        sf.write(folder / f"{name}.wav", sound, RATE, subtype="FLOAT")
    return Piece("one", "One", "", seconds, stems={n: (folder / f"{n}.wav",) for n in parts})


@pytest.mark.parametrize("stems", [False, True])
@pytest.mark.parametrize("seconds", [59.0, 61.3, 90.0, 100.4])
def test_windows_are_the_whole(
    seconds: float, stems: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, told = piece(tmp_path, seconds, stems), list[float]()
    [(_, whole)] = embed_pieces([one], FakeModel(), length=3.0, overlap=0.5)
    assert whole.starts.tolist() == segment_starts(seconds).tolist()
    monkeypatch.setattr(embedding, "WINDOW", 20.0)
    model = FakeModel()
    [(_, parts)] = embed_pieces([one], model, length=3.0, overlap=0.5, watch=told.append)
    assert model.calls == len(told) == -(-len(whole.starts) // 12)  # (20 - 3) / 1.5 + 1 in each
    np.testing.assert_array_equal(parts.starts, whole.starts)
    np.testing.assert_array_equal(parts.activity, whole.activity)
    np.testing.assert_allclose(parts.embeddings, whole.embeddings, atol=1e-6)
    assert parts.hashes == whole.hashes and len(parts.hashes) == (2 if stems else 1)


def test_nothing_more_is_decoded_of_a_broken_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "broken.flac"
    sf.write(file, noise(1, 100.0), RATE)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 3])
    one = Piece("broken", "Broken", "", 100.0, mix=file)
    good = piece(tmp_path, 30.0, stems=False)
    monkeypatch.setattr(embedding, "WINDOW", 20.0)
    windows: list[int] = []
    real = embedding._decode
    monkeypatch.setattr(
        embedding, "_decode", lambda w, *rest: windows.append(w.number) or real(w, *rest)
    )
    found = list(embed_pieces([one, good], FakeModel(), length=3.0, overlap=0.5))
    assert "damaged or cut off" in found[0][1].problem and len(found[0][1].starts) == 0
    assert len(found[1][1].starts) == 19
    assert max(windows) <= 2 + embedding._DECODERS + 1
