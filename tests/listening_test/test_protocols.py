"""The three protocols against their papers, each rule looked up again by a slower route."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from csn.corpora import Corpus, open_corpus
from csn.instruments import INSTRUMENTS
from listening_test import protocols
from listening_test.errors import StudyError
from listening_test.protocols.imported import read_csv
from listening_test.stimuli import Stimuli
from listening_test.study import Settings
from listening_test.triplets import MIX, WHOLE, Excerpt, Triplet
from tests.listening_test.sounds import SMALL, Bands, spoiled
from tests.small_library import Fingerprints
from tests.tones import tone, write_sound

ALL = replace(SMALL, instruments=("bass", "piano", "guitar", "others"), per_instrument=3)
CRITERION = replace(
    SMALL, protocol="criterion", instruments=(MIX, "bass", "guitar"), per_instrument=4
)
SPLITS = {name: slice(128 * c, 128 * (c + 1)) for c, name in enumerate(INSTRUMENTS)}


def make(settings: Settings, corpus: Corpus) -> list[Triplet]:
    return make_with(settings, corpus)[0]


def make_with(settings: Settings, corpus: Corpus, model: object = None) -> tuple[
    list[Triplet], Stimuli
]:  # fmt: skip
    stimuli = Stimuli(
        corpus, model or Fingerprints(), settings.excerpt,  # type: ignore[arg-type]
        mixed=settings.stimuli == "mix", step=protocols.step(settings),
    )  # fmt: skip
    return protocols.make(settings.check(), stimuli, lambda part: None), stimuli


def asked(triplets: list[Triplet]) -> list[Triplet]:
    return [triplet for triplet in triplets if not triplet.practice]


class Ear:
    """The model asked directly: whole recordings, one excerpt at a time."""

    def __init__(self, corpus: Corpus, model: Fingerprints | None = None) -> None:
        self.model = model or Fingerprints()
        self.corpus, self.known = corpus, dict[tuple[str, str, float, float], np.ndarray]()

    def __call__(self, piece: str, part: str, start: float, length: float) -> np.ndarray:
        key = (piece, part, start, length)
        if key not in self.known:
            sound = self.corpus[piece].audio(part, 22_050)
            self.known[key] = self.model.embed(sound, np.array([start]), length)[0]
        return self.known[key]

    def distance(self, a: Excerpt, b: Excerpt, part: str, space: str) -> float:
        difference = self(a.piece, part, a.start, a.length) - self(b.piece, part, b.start, b.length)
        kept = difference if space == WHOLE else difference[SPLITS[space]]
        return float(np.sqrt(sum(float(v) ** 2 for v in kept)))


@pytest.fixture(scope="module")
def track(tiny_corpus: Corpus) -> list[Triplet]:
    return make(ALL, tiny_corpus)


def test_track_is_table_3(track: list[Triplet]) -> None:
    """Per instrument 3 pieces X; three other pieces; y beside x in X; sets {x,a,b}, {x,y,c}."""
    sets = asked(track)
    assert Counter((t.instrument, t.set) for t in sets) == {
        (name, number): 3 for name in ALL.instruments for number in (1, 2)
    }
    assert [t.number for t in track] == list(range(1, len(track) + 1))
    for first, second in zip(sets[::2], sets[1::2], strict=True):
        assert (first.set, second.set) == (1, 2) and first.x == second.x
        assert {e.part for t in (first, second) for e in (t.x, t.first, t.second)} == {
            first.instrument
        }
        pieces = [first.x.piece, first.first.piece, first.second.piece, second.second.piece]
        assert len(set(pieces)) == 4
        assert second.first.piece == second.x.piece
        assert abs(second.first.start - second.x.start) >= 3.0
        assert first.roles == ("a", "b") and second.roles == ("y", "c")


def test_track_comes_back_to_no_piece_before_all_were_heard(track: list[Triplet]) -> None:
    xs = [t.x.piece for t in asked(track) if t.set == 1]
    assert len(set(xs)) == 12  # 4 instruments × 3 of 12 pieces
    heard = Counter(e.piece for t in asked(track) for e in {t.x, t.first, t.second})
    assert max(heard.values()) - min(heard.values()) <= 2
    together = Counter(
        frozenset((t.x.piece, t.first.piece, t.second.piece)) for t in asked(track) if t.set == 1
    )
    assert max(together.values()) == 1
    starts = Counter(e for t in asked(track) for e in {t.x, t.first, t.second})
    assert max(starts.values()) <= 2  # x in both sets; nothing else is heard twice


def test_distances_are_the_models_own(track: list[Triplet], tiny_corpus: Corpus) -> None:
    ear = Ear(tiny_corpus)
    for triplet in asked(track)[::5]:
        assert triplet.distances is not None
        assert set(triplet.distances.values) == {"mix", "stem"}
        for source, part in (("mix", MIX), ("stem", triplet.instrument)):
            for space in (*INSTRUMENTS, WHOLE):
                for candidate, found in zip(
                    (triplet.first, triplet.second),
                    triplet.distances.pair(space, source),
                    strict=True,
                ):
                    true = ear.distance(triplet.x, candidate, part, space)
                    assert found == pytest.approx(true, abs=2e-4)
        first, second = triplet.distances.pair(triplet.instrument, "mix")
        assert triplet.space == triplet.instrument and triplet.source == "mix"
        assert triplet.model_choice == (0 if first < second else 1)


def test_track_with_one_set_draws_only_what_it_needs(tiny_corpus: Corpus) -> None:
    one = asked(make(replace(SMALL, sets=(1,)), tiny_corpus))
    two = asked(make(replace(SMALL, sets=(2,)), tiny_corpus))
    assert [t.set for t in one] == [1] * 4 and [t.set for t in two] == [2] * 4
    # With set 1 alone, pieces too short for x and y will do, and two others are enough.
    three = replace(tiny_corpus, pieces=tiny_corpus.pieces[:3])
    long = replace(SMALL, sets=(1,), excerpt=9.0, practice=1)
    made = make(long, three)
    assert len(asked(made)) == 4
    assert made[-1].first == made[-1].x  # practice with x itself, for want of a second part


def test_mixes_are_heard_where_the_study_says_so(tiny_corpus: Corpus) -> None:
    triplets = make(replace(SMALL, stimuli="mix", source="stem"), tiny_corpus)
    assert {e.part for t in triplets for e in (t.x, t.first, t.second)} == {MIX}
    ear, one = Ear(tiny_corpus), triplets[0]
    assert one.distances is not None and one.source == "stem"
    true = ear.distance(one.x, one.first, one.instrument, one.instrument)
    assert one.distances.pair(one.instrument, "stem")[0] == pytest.approx(true, abs=2e-4)


def test_a_corpus_of_mixes_can_be_asked_about_by_its_mixes(tmp_path: Path) -> None:
    for number in range(1, 6):
        total = sum(tone(name, number, 9.0, 120.0) for name in INSTRUMENTS)
        write_sound(tmp_path / f"song {number}.wav", np.asarray(total, np.float32))
    corpus = open_corpus(f"mixes:{tmp_path}")
    triplets = asked(make(replace(SMALL, stimuli="mix"), corpus))
    assert len(triplets) == 8
    assert all(t.distances is not None and set(t.distances.values) == {"mix"} for t in triplets)
    with pytest.raises(StudyError, match="only 0 pieces X for bass"):
        make(SMALL, corpus)


def test_a_corpus_that_is_too_small_is_one_sentence(tiny_corpus: Corpus) -> None:
    three = replace(tiny_corpus, pieces=tiny_corpus.pieces[:3])
    with pytest.raises(StudyError, match=r"3 others with bass are needed, and the library has 2"):
        make(SMALL, three)
    four = replace(tiny_corpus, pieces=tiny_corpus.pieces[:4])
    with pytest.raises(StudyError, match=r"only 4 pieces X for bass, .* asks for 5"):
        make(replace(SMALL, per_instrument=5), four)
    with pytest.raises(StudyError, match=r"no two parts of 8 s with bass"):
        make(replace(SMALL, excerpt=8.0), three)


def test_practice_is_plain_and_has_numbers_of_its_own(
    track: list[Triplet], tiny_corpus: Corpus
) -> None:
    practice = [t for t in track if t.practice]
    assert len(practice) == ALL.practice == 2
    assert [t.instrument for t in practice] == ["bass", "piano"]
    for triplet in practice:
        assert triplet.distances is None and triplet.model_choice is None
        assert triplet.first.piece == triplet.x.piece != triplet.second.piece
        assert abs(triplet.first.start - triplet.x.start) >= 3.0
        ear = Ear(tiny_corpus)
        near, far = (
            ear.distance(triplet.x, c, triplet.instrument, triplet.instrument)
            for c in (triplet.first, triplet.second)
        )
        assert near < far


@pytest.fixture(scope="module")
def criterion(tiny_corpus: Corpus) -> list[Triplet]:
    return make_with(CRITERION, tiny_corpus, Bands())[0]


def ranked(ear: Ear, triplet: Triplet, part: str, space: str, sounding: str) -> list[str]:
    """Other pieces by their nearest segment, every segment of every piece looked at."""
    best: dict[str, float] = {}
    for piece in ear.corpus:
        if piece.id == triplet.x.piece or sounding not in (*piece.stems, MIX):
            continue
        for start in np.arange(0, piece.duration - 3.0 + 1e-6, 1.5):
            segment = Excerpt(piece.id, "", float(start), 3.0)
            distance = ear.distance(triplet.x, segment, part, space)
            best[piece.id] = min(distance, best.get(piece.id, np.inf))
    return sorted(best, key=lambda piece: best[piece])


def test_criterion_is_section_4_2_2(criterion: list[Triplet], tiny_corpus: Corpus) -> None:
    """Positive from the own space's nearest two, negative from the other's, never both."""
    sets, ear = asked(criterion), Ear(tiny_corpus, Bands())
    assert Counter(t.instrument for t in sets) == dict.fromkeys(CRITERION.instruments, 4)
    for triplet in sets:
        own = WHOLE if triplet.instrument == MIX else triplet.instrument
        other = triplet.notes["negative_space"]
        assert triplet.space == own and triplet.source == "mix"
        assert other in (("bass", "guitar") if triplet.instrument == MIX else (WHOLE,))
        sounding = other if triplet.instrument == MIX else triplet.instrument
        near = ranked(ear, triplet, MIX, own, triplet.instrument)[:2]
        far = ranked(ear, triplet, MIX, other, sounding)[:2]
        assert triplet.first.piece == near[triplet.notes["positive_rank"] - 1]
        assert triplet.second.piece == far[triplet.notes["negative_rank"] - 1]
        assert not {*near} & {*far}
        assert triplet.x.piece not in (triplet.first.piece, triplet.second.piece)
        assert triplet.model_choice == 0
        assert {e.part for e in (triplet.x, triplet.first, triplet.second)} == {triplet.instrument}
        assert all(e.start % 1.5 == 0 for e in (triplet.x, triplet.first, triplet.second))


def test_criterion_draws_both_ranks_and_many_pieces(criterion: list[Triplet]) -> None:
    sets = asked(criterion)
    assert {t.notes["positive_rank"] for t in sets} == {1, 2}
    assert {t.notes["negative_rank"] for t in sets} == {1, 2}
    for instrument in CRITERION.instruments:
        assert len({t.x.piece for t in sets if t.instrument == instrument}) >= 3  # others void
    threes = [frozenset((t.x.piece, t.first.piece, t.second.piece)) for t in sets]
    assert len(set(threes)) == len(threes)


def test_criterion_by_stems_ranks_stems(tiny_corpus: Corpus) -> None:
    settings = replace(CRITERION, source="stem", instruments=("guitar",), per_instrument=3)
    sets = asked(make_with(settings, tiny_corpus, Bands())[0])
    ear = Ear(tiny_corpus, Bands())
    for triplet in sets:
        near = ranked(ear, triplet, "guitar", "guitar", "guitar")
        far = ranked(ear, triplet, MIX, WHOLE, "guitar")
        assert triplet.first.piece == near[triplet.notes["positive_rank"] - 1]
        assert triplet.second.piece == far[triplet.notes["negative_rank"] - 1]
        assert triplet.source == "stem" and triplet.model_choice == 0


class OneSpace(Fingerprints):
    """A model whose five subspaces say the same."""

    def embed(self, audio: np.ndarray, starts: np.ndarray, length: float) -> np.ndarray:
        return np.tile(super().embed(audio, starts, length)[:, :128], 5)


def test_sets_with_a_candidate_on_both_sides_are_void(tiny_corpus: Corpus) -> None:
    settings = replace(CRITERION, instruments=("bass",))
    with pytest.raises(StudyError, match="gives 0 sets for bass of the 4 that are asked for"):
        make_with(settings, tiny_corpus, OneSpace())


def test_criterion_refuses_what_cannot_be_heard(tmp_path: Path) -> None:
    """A piece of clicks is near in no space that people hear: it is refused, not played."""
    corpus = spoiled(tmp_path, {3: lambda s: np.where(np.isfinite(s), np.nan, s)}, pieces=12)
    settings = replace(CRITERION, instruments=("bass",), per_instrument=3)
    triplets, stimuli = make_with(settings, corpus, Bands())
    assert "Track00003" not in {e.piece for t in triplets for e in (t.x, t.first, t.second)}
    assert len(asked(triplets)) == 3
    assert [s for s in stimuli.refusals if "Track00003" in s and "not numbers" in s]


CSV = """instrument,x_piece,x_start,a_piece,a_start,b_piece,b_start,why
bass,Track00001,1.5,Track00002,0,Track00003,2,"by ear, twice"
Mix,Track00004,,Track00005,,Track00006,,

piano,Track00001,1.25,Track00007,,Track00008,3,
"""


def test_imported_triplets_are_what_the_file_says(tiny_corpus: Corpus) -> None:
    rows = read_csv(CSV)
    settings = replace(SMALL, protocol="triplets", triplets=rows).check()
    triplets = make(settings, tiny_corpus)
    first, second, third = asked(triplets)
    assert first.x == Excerpt("Track00001", "bass", 1.5, 3.0)
    assert first.first == Excerpt("Track00002", "bass", 0.0, 3.0)
    assert first.second == Excerpt("Track00003", "bass", 2.0, 3.0)
    assert first.notes == {"why": "by ear, twice"} and first.space == "bass"
    assert (second.instrument, second.space, second.x.part) == (MIX, WHOLE, MIX)
    assert third.x.start == 1.25 and third.roles == ("a", "b")
    true = Ear(tiny_corpus).distance(third.x, third.second, MIX, "piano")
    assert third.distances is not None
    assert third.distances.pair("piano")[1] == pytest.approx(true, abs=2e-4)
    assert len(triplets) == 5 and all(t.practice for t in triplets[3:])
    # What is exported and imported again is the same study.
    assert make(Settings.from_json(settings.to_json()), tiny_corpus) == triplets


def test_an_open_place_in_the_piece_of_x_does_not_overlap_x(tiny_corpus: Corpus) -> None:
    row = {"instrument": "piano", "x_piece": "Track00001", "x_start": 5.0,
           "a_piece": "Track00001", "b_piece": "Track00002"}  # fmt: skip
    for seed in range(4):
        settings = replace(SMALL, protocol="triplets", triplets=(row,), seed=seed, practice=0)
        (triplet,) = make(settings, tiny_corpus)
        assert abs(triplet.first.start - 5.0) >= 3.0
    with pytest.raises(StudyError, match=r"Line 3: the instrument is ''"):
        make(replace(settings, triplets=(row, "junk")), tiny_corpus)  # type: ignore[arg-type]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_and_a_byte_order_mark(delimiter: str) -> None:
    plain = "instrument,x_piece,a_piece,b_piece\nbass,Ä,B,C\n"
    content = b"\xef\xbb\xbf" + plain.replace(",", delimiter).replace("\n", "\r\n").encode()
    assert read_csv(content) == read_csv(plain)
    assert read_csv(plain)[0] == {
        "line": 2, "instrument": "bass", "x_piece": "Ä", "a_piece": "B", "b_piece": "C",
        "x_start": None, "a_start": None, "b_start": None,
    }  # fmt: skip


def test_every_bad_row_is_one_sentence_with_its_line() -> None:
    bad = (
        "instrument,x_piece,x_start,a_piece,b_piece\n"
        "organ,P,0,Q,R\n"
        "bass,P,0,Q,R\n"
        "bass,P,soon,Q,R\n"
        "bass,P,-1,Q,R\n"
        "bass,P,0,,R\n"
        "bass,P,0\n"
        "bass,P,0,Q,R,S\n"
    )
    with pytest.raises(StudyError) as caught:
        read_csv(bad)
    lines = str(caught.value).splitlines()
    assert [line.split()[1].rstrip(":") for line in lines] == ["2", "4", "5", "6", "7", "8"]
    assert "'organ'" in lines[0] and "'soon'" in lines[1] and "a_piece is empty" in lines[3]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "UTF-8"),
        ("", "no column instrument, x_piece, a_piece, b_piece"),
        ("a,b\n1,2\n", "no column instrument"),
        ("instrument,x_piece,a_piece,b_piece\n", "no rows"),
        ('instrument,x_piece,a_piece,b_piece\nbass,"P,Q,R\n', "is no CSV"),
    ],
)
def test_a_file_that_is_no_table_of_triplets(content: str | bytes, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        read_csv(content)


def test_rows_that_the_library_cannot_give(tiny_corpus: Corpus, tmp_path: Path) -> None:
    rows = read_csv(
        "instrument,x_piece,x_start,a_piece,b_piece\n"
        "bass,Nowhere,0,Track00002,Track00003\n"
        "bass,Track00001,12,Track00002,Track00003\n"
        "bass,Track00001,1,Track00002,Track00003\n"
    )
    settings = replace(SMALL, protocol="triplets", triplets=rows)
    with pytest.raises(StudyError) as caught:
        make(settings, tiny_corpus)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert lines[0] == "Line 2: the library holds no piece 'Nowhere' (x_piece)."
    assert lines[1].startswith("Line 3: Track00001 ends at 14.00 s")
    silent = spoiled(tmp_path, {1: lambda s: 0 * s})
    with pytest.raises(StudyError, match=r"^Line 2: Track00001 cannot be heard \(x\): "):
        make(replace(settings, triplets=rows[2:] and [rows[2] | {"line": 2}]), silent)
