import numpy as np
import pandas as pd
import pytest

from csn.instruments import INSTRUMENTS
from results.errors import ResultsError
from results.simulation import Crowd, simulated_answers
from results.spaces import SUBSETS, spaces
from results.votes import read_votes, score_votes


@pytest.fixture(scope="module")
def answers():
    weights = (1.0, 0.0, 0.6, 0.0, 0.0)
    return simulated_answers(Crowd(listeners=10, triplets=40, weights=weights, slope=2.5, seed=4))


@pytest.fixture(scope="module")
def found(answers):
    return spaces(answers)


def test_every_set_by_hand(answers, found):
    assert len(SUBSETS) == len(set(SUBSETS)) == 31
    own = answers[answers["instrument"] == "piano"]
    for source in ("mix", "stem"):
        table = found.of("piano", source).set_index("space")
        assert len(table) == 31
        right = dict.fromkeys(SUBSETS, 0)
        for row in own.to_dict("records"):
            for names in SUBSETS:
                first, second = (
                    sum(row[f"{source}_{name}_{which}"] ** 2 for name in names)
                    for which in ("first", "second")
                )
                right[names] += (first < second) == row["chosen_first"]
        for names, count in right.items():
            assert table.loc["+".join(names), "score"] == pytest.approx(count / len(own))
    assert (found.table["low"] <= found.table["score"]).all()
    assert (found.table["score"] <= found.table["high"]).all()


def test_all_five_are_the_whole(answers, found):
    own = answers[answers["kind"] == "trial"]
    near = own["mix_whole_first"] < own["mix_whole_second"]
    five = found.of().set_index("space").loc["+".join(INSTRUMENTS), "score"]
    assert five == pytest.approx((near == own["chosen_first"]).mean())


def test_what_listeners_follow_comes_out_best(found):
    assert found.of().iloc[0]["space"] == "drums+piano"
    stem = found.of(source="stem")["score"]  # distances that nobody followed
    assert (stem - 0.5).abs().max() < 0.1


def test_the_chart_has_the_single_spaces(found):
    chart = found.radar()
    assert list(chart.columns) == list(INSTRUMENTS)
    assert list(chart.index) == ["all", "drums", "bass", "piano", "guitar"]
    one = found.of("bass").set_index("space").loc["drums", "score"]
    assert chart.loc["bass", "drums"] == one


def test_baselines_and_missing_distances(answers):
    table = answers.assign(stem_bass_first=np.nan)
    ids = answers["triplet_id"].unique()
    same = pd.DataFrame({"triplet_id": ids, "first": 1.0, "second": 1.0})
    found = spaces(table, {"log-mel": same})
    assert set(found.table["source"]) == {"mix", "log-mel"}
    (score,) = found.of(source="log-mel")["score"]
    assert score == 0.5  # it cannot tell, and is given half


VOTES = """anchor_id,song1_id,song2_id,song1_vote,song2_vote,mix_drums_first,mix_drums_second
1,2,3,10,0,0.4,0.9
1,4,5,1,9,0.4,0.9
2,6,7,0,8,0.8,0.1
2,8,9,6,4,0.1,0.2
3,8,9,5,5,0.1,0.2
"""


def test_votes_by_hand():
    votes = read_votes(VOTES)
    (score,) = score_votes(votes)
    assert (score.source, score.space, score.n) == ("mix", "drums", 3)
    assert score.score == pytest.approx(2 / 3)
    (loose,) = score_votes(votes, least=0.5)
    assert (loose.n, loose.score) == (4, 0.75)  # a tie never counts


def test_votes_in_other_words_and_separators(tmp_path):
    text = VOTES.replace("anchor_id", "x_piece").replace("song1_vote", "a_votes").replace(",", ";")
    file = tmp_path / "votes.csv"
    file.write_text("\ufeff" + text, encoding="utf-8")
    assert score_votes(read_votes(file)) == score_votes(read_votes(VOTES))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "no column 'anchor_id'"),
        (VOTES.replace("1,9", "-1,9"), "Line 3"),
        (VOTES.replace("10,0", "0,0"), "Line 2"),
        (VOTES.replace("10,0", "ten,0"), "Line 2"),
        (b"\xff\xfe\x00", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_bad_votes_are_named(content, said):
    with pytest.raises(ResultsError, match=said):
        read_votes(content)


def test_votes_without_distances_say_what_to_do():
    with pytest.raises(ResultsError, match="mix_drums_first"):
        score_votes(read_votes(VOTES).drop(columns="mix_drums_first"))
