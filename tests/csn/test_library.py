import hashlib
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from csn.collecting.build import build
from csn.corpora import Corpus, Piece
from csn.errors import LibraryError
from csn.instruments import EMBEDDING, INSTRUMENTS
from csn.library import ACTIVITY, Library
from csn.vectors import with_norms
from tests.csn.fake_model import RATE, FakeModel, contents, noise

DRUMS = (1.0, 0.0, 0.0, 0.0, 0.0)
ALL = (1.0,) * 5


def mixes(folder: Path, sounds: dict[str, np.ndarray], **about: object) -> Corpus:
    """A corpus of mixes only."""
    folder.mkdir()
    pieces = []
    for name, sound in sounds.items():
        sf.write(folder / f"{name}.wav", sound, RATE, subtype="FLOAT")
        seconds = len(sound) / RATE
        pieces.append(Piece(name, name.title(), "", seconds, mix=folder / f"{name}.wav", **about))
    return Corpus(f"mixes:{folder}", "noises", tuple(pieces))


@pytest.fixture(scope="module")
def four(tmp_path_factory) -> Corpus:
    """Four noises of 7 s: three segments each."""
    sounds = {f"piece {i}": noise(i, 7.0) for i in range(4)}
    return mixes(tmp_path_factory.mktemp("noises") / "corpus", sounds)


@pytest.fixture(scope="module")
def built(four, tmp_path_factory) -> Path:
    return build(four, FakeModel(), tmp_path_factory.mktemp("built") / "library").folder


@pytest.fixture
def library(built, tmp_path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(built, tmp_path / "library"))


def test_a_corpus_with_stems(tiny_corpus, tmp_path):
    corpus = tiny_corpus.only("test")
    model = FakeModel()
    made = build(corpus, model, tmp_path / "library", progress=False)
    starts = [0.0, 1.5, 3.0, 4.5, 6.0, 7.5, 9.0, 10.5]  # 14 s hold these eight of 3 s
    assert made.segments["piece"].tolist() == [p.id for p in corpus for _ in starts]
    assert made.segments["start"].tolist() == starts * 4
    assert set(made.segments["length"]) == {3.0}
    for i, piece in enumerate(corpus):
        rows = slice(8 * i, 8 * i + 8)
        own = model.embed(piece.audio("mix", RATE), np.array(starts), 3.0)
        np.testing.assert_allclose(made.vectors[rows, :EMBEDDING], own, atol=1e-5)
        first = made.segments.iloc[8 * i]
        assert (first["title"], first["tempo"]) == (piece.title, piece.tempo)
        assert first["groove_file"] == piece.tags["groove_file"]
        assert first["soundfont_piano"] == piece.tags["soundfont_piano"]
        guitar = piece.audio("guitar", RATE)
        for row, start in enumerate(starts):  # activity, frame by frame
            begin = round(start * RATE)
            frames = [guitar[begin + 400 * f : begin + 400 * f + 400] for f in range(60)]
            loud = [10 * math.log10(np.mean(frame.astype(float) ** 2) + 1e-30) for frame in frames]
            part = sum(level > -60 for level in loud) / 60
            assert made.segments["activity_guitar"][8 * i + row] == pytest.approx(part, abs=0.02)
    assert made.info["model"] == model.hash
    assert made.info["corpus_fingerprint"] == corpus.fingerprint()
    assert made.info["problems"] == [] and made.info["segments"] == 32
    assert not (tmp_path / "library" / ".partial").exists()


def test_mix_is_the_sum_where_there_is_none(tmp_path):
    sounds = {"drums": noise(1, 6.0), "bass": noise(2, 7.0)}
    for name, sound in sounds.items():
        sf.write(tmp_path / f"{name}.wav", sound, RATE, subtype="FLOAT")
    stems = {name: (tmp_path / f"{name}.wav",) for name in sounds}
    piece = Piece("one", "One", "test", 7.0, 120.0, {"key": "C", "tempo": "no"}, stems)
    made = build(Corpus("stems:x", "x", (piece,)), FakeModel(), tmp_path / "library")
    total = sounds["bass"].copy()
    total[: 6 * RATE] += sounds["drums"]
    expected = FakeModel().embed(total, np.array([0.0, 1.5, 3.0]), 3.0)
    np.testing.assert_allclose(made.vectors[:, :EMBEDDING], expected, atol=1e-5)
    assert made.segments["tempo"].tolist() == [120.0] * 3  # a tag cannot take a column's place
    assert made.segments["activity_drums"].tolist() == [1.0] * 3
    assert made.segments["activity_piano"].tolist() == [0.0] * 3


def test_without_stems_activity_is_unknown(built):
    opened = Library.open(built)
    assert opened.segments[list(ACTIVITY)].isna().all(axis=None)
    assert opened.segments["tempo"].isna().all()
    assert set(opened.segments["key"]) == {""}
    assert len(opened) == 12 and opened.vectors.dtype == np.float32


def test_silence_is_dropped_and_bad_pieces_are_left_out(tmp_path):
    gap = np.concatenate([noise(0, 3.0), np.zeros(6 * RATE, np.float32), noise(1, 3.0)])
    sounds = {"gap": gap, "short": noise(2, 2.0), "silent": np.zeros(5 * RATE), "bad": gap}
    sounds |= {"quiet": noise(3, 4.0, 1e-4), "gone": gap, "good": noise(4, 3.0)}
    corpus = mixes(tmp_path / "corpus", sounds)
    (tmp_path / "corpus" / "bad.wav").write_bytes(b"RIFF, but nothing that follows")
    corpus = replace(
        corpus,
        pieces=tuple(
            replace(p, stems={"bass": (tmp_path / "no.wav",)}) if p.id == "gone" else p
            for p in corpus
        ),
    )
    (tmp_path / "no.wav").write_bytes(b"")
    made = build(corpus, FakeModel(), tmp_path / "library", progress=False)
    assert [*zip(made.segments["piece"], made.segments["start"], strict=True)] == [
        ("gap", 0.0),
        ("gap", 1.5),
        ("gap", 7.5),
        ("gap", 9.0),
        ("good", 0.0),
    ]
    problems = made.info["problems"]
    assert [line.split()[0] for line in problems] == ["short", "silent", "bad", "quiet", "gone"]
    assert "shorter than 3 s" in problems[0] and "silent" in problems[1]
    assert "bad.wav" in problems[2] and "no.wav is empty" in problems[4]
    assert made.info["pieces"] == 2


def test_nothing_that_can_be_embedded(tmp_path):
    corpus = mixes(tmp_path / "corpus", {"short": noise(0, 1.0)})
    with pytest.raises(LibraryError, match=r"Not one piece .* shorter than 3 s"):
        build(corpus, FakeModel(), tmp_path / "library")
    assert not (tmp_path / "library" / "library.json").exists()
    with pytest.raises(LibraryError, match="is a file"):
        build(corpus, FakeModel(), tmp_path / "corpus" / "short.wav")


def test_a_killed_build_resumes_to_the_same_bytes(four, built, tmp_path):
    folder = tmp_path / "library"
    with pytest.raises(KeyboardInterrupt):
        build(four, FakeModel(dies_at=2), folder)
    with pytest.raises(LibraryError, match="no library"):
        Library.open(folder)
    damaged = max((folder / ".partial" / "parts").glob("*.npz"))
    damaged.write_bytes(b"half")  # of the two that were done, one is damaged on the disk
    again = FakeModel()
    build(four, again, folder)
    assert again.calls == 3  # of four, the first was kept
    mine, other = contents(folder), contents(built)
    name = "library.json"  # says where the corpus lies, seen from the library
    assert {**json.loads(mine.pop(name)), "corpus": 0} == {
        **json.loads(other.pop(name)),
        "corpus": 0,
    }
    assert mine == other


def test_a_kill_while_the_files_are_written(four, tmp_path, monkeypatch):
    folder = tmp_path / "library"
    model = FakeModel()
    build(four, model, folder)
    before = contents(folder)
    (folder / "maps").mkdir()
    (folder / "maps" / "umap-drums.npz").write_bytes(b"of the older library")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("csn.collecting.assemble._write_vectors", die)
        with pytest.raises(KeyboardInterrupt):
            build(four, replace(model, hash="b" * 64), folder)
    assert Library.open(folder).info["model"] == model.hash  # the old one is whole
    again = FakeModel("b" * 64)
    build(four, again, folder)
    after = contents(folder)
    assert again.calls == 0
    assert after.keys() == before.keys()
    assert after["vectors.npy"] == before["vectors.npy"]
    assert json.loads(after["library.json"])["model"] == "b" * 64


def test_what_is_there_is_not_made_again(four, library, tmp_path):
    model = FakeModel()
    build(four, model, tmp_path / "other")
    build(four, model, tmp_path / "other")
    assert model.calls == 4
    build(four, model, tmp_path / "other", resume=False)
    assert model.calls == 8
    build(four, model, tmp_path / "other", overlap=0.0)
    assert model.calls == 12 and len(Library.open(tmp_path / "other")) == 8


def test_another_models_parts_are_not_used(four, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        build(four, FakeModel(dies_at=2), tmp_path / "library")
    other = FakeModel("b" * 64)
    build(four, other, tmp_path / "library")
    assert other.calls == 4


def test_the_corpus_is_found_when_both_are_moved(tmp_path):
    (tmp_path / "here").mkdir()
    corpus = mixes(tmp_path / "here" / "corpus", {"one": noise(0, 3.0)})
    build(corpus, FakeModel(), tmp_path / "here" / "library")
    (tmp_path / "here").rename(tmp_path / "there")
    found = Library.open(tmp_path / "there" / "library").corpus()
    assert found.pieces[0].mix == tmp_path / "there" / "corpus" / "one.wav"
    far = build(found, FakeModel(), tmp_path / "elsewhere" / "library")
    assert far.info["corpus"] == f"mixes:{tmp_path / 'there' / 'corpus'}"
    assert far.corpus().pieces[0].audio("mix", RATE).shape == (3 * RATE,)


def test_another_model_is_refused(built):
    opened = Library.open(built)
    opened.check(FakeModel())
    with pytest.raises(LibraryError, match="'noises' was made by another model"):
        opened.check(FakeModel("b" * 64))


def damage(folder: Path, kind: str) -> None:  # noqa: PLR0912 one line each
    vectors, table, about = (
        folder / name for name in ("vectors.npy", "segments.parquet", "library.json")
    )
    if kind == "no library.json":
        about.unlink()
    elif kind == "cut json":
        about.write_bytes(about.read_bytes()[:50])
    elif kind == "a list":
        about.write_text("[1]")
    elif kind == "other format":
        about.write_text(about.read_text().replace("stemwise-library-1", "stemwise-library-0"))
    elif kind == "no vectors":
        vectors.unlink()
    elif kind == "cut vectors":
        vectors.write_bytes(vectors.read_bytes()[:-100])
    elif kind == "flipped bit":
        data = bytearray(vectors.read_bytes())
        data[5000] ^= 1
        vectors.write_bytes(data)
    elif kind == "cut table":
        table.write_bytes(table.read_bytes()[:-10])
    else:
        rows = pd.read_parquet(table)
        if kind == "fewer rows":
            rows = rows.iloc[1:]
        elif kind == "no column":
            rows = rows.drop(columns="activity_bass")
        elif kind == "mixed rows":
            rows = rows.iloc[[0, 11, *range(1, 11)]]
        elif kind == "pickled vectors":
            np.save(vectors, np.array([{}], object))
        rows.to_parquet(table, index=False)
        info = json.loads(about.read_text())
        info["files"] = {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (vectors, table)
        }
        about.write_text(json.dumps(info))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("no library.json", "There is no library at"),
        ("cut json", "is damaged"),
        ("a list", "is damaged"),
        ("other format", "make it again"),
        ("no vectors", "is damaged"),
        ("cut vectors", "vectors.npy is not the file that was written"),
        ("flipped bit", "vectors.npy is not the file that was written"),
        ("cut table", "segments.parquet is not the file that was written"),
        ("fewer rows", r"is damaged \(vectors.npy is"),
        ("no column", "has no activity_bass"),
        ("mixed rows", "must stand together"),
        ("pickled vectors", "is damaged"),
    ],
)
def test_damaged_libraries_are_refused(library, kind, words):
    damage(library, kind)
    with pytest.raises(LibraryError, match=words) as raised:
        Library.open(library)
    assert str(library) in str(raised.value) and "\n" not in str(raised.value)


def test_neighbours_and_exclusions(built):
    opened = Library.open(built)
    pieces = opened.segments["piece"]
    found, distances = opened.neighbours(4, DRUMS, 99)
    assert len(found) == 9 and not (pieces[found] == pieces[4]).any()
    found, _ = opened.neighbours(4, DRUMS, 99, same_piece=True)
    assert sorted(found) == [i for i in range(12) if i != 4]
    found, _ = opened.neighbours(4, DRUMS, 99, one_per_piece=True)
    assert sorted(pieces[found]) == ["piece 0", "piece 2", "piece 3"]
    query = opened.vectors[4, :EMBEDDING]
    found, distances = opened.search(query, ALL, 3)
    assert found[0] == 4 and distances[0] == 0.0
    found, _ = opened.search(query, ALL, 99, exclude_pieces=["piece 1", "piece 3", "unknown"])
    assert {*pieces[found]} == {"piece 0", "piece 2"}
    later = opened.segments["start"].to_numpy() > 2
    found, _ = opened.search(query, ALL, 99, exclude_pieces={"piece 0"}, where=later)
    assert sorted(found) == [5, 8, 11]
    with pytest.raises(LibraryError, match="no segment 12"):
        opened.neighbours(12, DRUMS)
    with pytest.raises(LibraryError, match="weights are 0"):
        opened.neighbours(0, (0.0,) * 5)
    with pytest.raises(LibraryError, match=r"no map of 'drums'.*csn map"):
        opened.map("drums")


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=8),
    weights=st.tuples(*[st.sampled_from([0.0, 1.0, 0.5, -1.0])] * 5).filter(any),
    k=st.integers(1, 30),
    excluded=st.sets(st.integers(0, 9)),
)
def test_search_is_brute_force(*, seed, sizes, weights, k, excluded):
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    names = np.repeat([f"p{i}" for i in range(len(sizes))], sizes)
    embeddings = rng.integers(-3, 4, (n, EMBEDDING))
    library = Library(
        Path("nowhere"), {"name": "x"}, pd.DataFrame({"piece": names}), with_norms(embeddings)
    )
    query = rng.integers(-3, 4, EMBEDDING)
    kept = [i for i in range(n) if names[i] not in {f"p{j}" for j in excluded}]
    parts = ((embeddings - query) ** 2).reshape(n, len(INSTRUMENTS), 128).sum(axis=2)
    ranked = sorted(kept, key=lambda i: (float(parts[i] @ np.array(weights)), i))
    best = list({names[i]: i for i in reversed(ranked)}.values())
    best.sort(key=ranked.index)
    without = [f"p{j}" for j in excluded]
    found = library.search(query, weights, k, exclude_pieces=without)[0]
    assert found.tolist() == ranked[:k]
    found = library.search(query, weights, k, exclude_pieces=without, one_per_piece=True)[0]
    assert found.tolist() == best[:k]
