import numpy as np
import pandas as pd
import pytest

from listening_test.study import CSN_TABLE_3, IND_TABLE_4
from results.data import Clusters
from results.errors import ResultsError
from results.exclusions import exclusions, kept
from results.intervals import clustered
from results.mixed import mixed
from results.planner import effects_of, grid, minutes, plan
from results.simulation import Crowd, Effects, simulated_answers
from tests.results import made


def test_a_plan_is_its_studies_one_by_one():
    effects = Effects(0.65, 0.4, 0.6)
    found = plan(8, 10, effects, studies=400)
    rng = np.random.default_rng(99)
    low = []
    for _ in range(400):
        eta = effects.intercept + rng.normal(0, 0.4, (8, 1)) + rng.normal(0, 0.6, 10)
        y = rng.random((8, 10)) < 1 / (1 + np.exp(-eta))
        rows = pd.DataFrame(
            {"listener_id": np.repeat(range(8), 10), "triplet_id": np.tile(range(10), 8)}
        )
        low.append(clustered(y.ravel(), Clusters.of(rows)).low)
    alone = (np.array(low) > 0.5).mean()
    error = (alone * (1 - alone) / 400) ** 0.5
    assert abs(found.power - alone) < 4 * np.hypot(error, found.power_error)


def test_more_is_more():
    table = grid((8, 16), (8, 24), Effects(0.65), studies=400).set_index(["listeners", "triplets"])
    assert table.loc[(16, 24), "power"] > table.loc[(8, 8), "power"]
    assert table["half_width"].loc[(8, 24)] < table["half_width"].loc[(8, 8)]
    assert (table["coverage"] > 0.9).all()


def test_chance_is_rarely_taken_for_agreement():
    found = plan(12, 16, Effects(0.5, 0.3, 0.5), studies=1500)
    assert 0.005 < found.power < 0.05  # one side of a 95 % interval


def test_the_same_seed_makes_the_same_plan():
    assert plan(6, 6, studies=50, seed=4) == plan(6, 6, studies=50, seed=4)


def test_minutes_are_the_studys():
    assert minutes(16, CSN_TABLE_3) == CSN_TABLE_3.minutes  # 8 pieces, two sets
    assert minutes(8, IND_TABLE_4) == IND_TABLE_4.minutes
    assert minutes(32, CSN_TABLE_3) > 1.8 * minutes(16, CSN_TABLE_3)


def test_effects_of_a_study_plan_the_same_study():
    table = simulated_answers(Crowd(listeners=30, triplets=20, seed=12))
    effects = effects_of(mixed(table))
    assert effects.share == pytest.approx(table["agrees"].mean(), abs=0.02)
    assert 0.2 < effects.listener_sd < 0.7


@pytest.mark.parametrize(
    ("numbers", "effects"),
    [((1, 9), None), ((9, 1), None), ((9, 9), Effects(1.0)), ((10_000, 10_000), None)],
)
def test_impossible_plans_are_refused(numbers, effects):
    with pytest.raises(ResultsError):
        plan(*numbers, effects)


def test_with_and_without_those_the_rules_leave_out():
    rows = [(a, b, a != 3) for a in range(4) for b in range(5)]
    table = made.answers(rows, exclusion=None)
    table.loc[table["listener_id"] == 3, ["excluded", "exclusion"]] = [True, "a rule"]
    found = exclusions(table)
    assert found.excluded.to_dict("records") == [{"listener_id": 3, "exclusion": "a rule"}]
    assert (found.everyone.overall.share, found.kept.overall.share) == (0.75, 1.0)
    assert (found.everyone.overall.n, found.kept.overall.n, found.listeners) == (20, 15, 4)
    assert set(kept(table)["listener_id"]) == {0, 1, 2}
    side = found.table[found.table["instrument"] == "all"]
    assert side["share"].tolist() == [0.75, 1.0]
    nobody = exclusions(made.answers(rows))
    assert nobody.kept is nobody.everyone
