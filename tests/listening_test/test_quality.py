"""Flags and rules of exclusion, against answers made by hand."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from listening_test.quality import FIGURES, FLAGS, longest_run, quality, side_bias
from listening_test.study import Exclusion, Settings

SETTINGS = Settings(headphones="recorded", catch=4, repeats=4)


def answers(choices: str, listener: int = 1, **columns: Any) -> pd.DataFrame:
    """Answers of one listener, one for each letter; careful ones unless something is said."""
    count = len(choices)
    usual = {
        "listener_id": listener,
        "kind": "trial",
        "attempt": 0,
        "choice": list(choices),
        "right": None,
        "elapsed": [15.0 + k % 7 for k in range(count)],
        "repeated_same": None,
        "leaves": 0,
        "away": 0.0,
    }
    return pd.DataFrame(usual | columns, index=range(count))


def judge(table: pd.DataFrame, settings: Settings = SETTINGS) -> pd.Series:
    judged = quality(table, settings)
    assert len(judged) == 1
    return judged.iloc[0]


CATCH = ["catch"] * 4 + ["trial"] * 60
AGAIN = ["repeat"] * 5 + ["trial"] * 59
MIXED = "ABBABAABABBBAABABAABBABBAABABBAAABABBABAABBABAABBABAABBBABAABABB"


def test_a_careful_listener_is_not_flagged() -> None:
    found = judge(answers(MIXED))
    assert found["flags"] == "" and not found["excluded"] and found["exclusion"] == ""
    assert found["answers"] == 64
    assert found["a_share"] == MIXED.count("A") / 64
    assert found["median_seconds"] == np.median([15 + k % 7 for k in range(64)])
    assert pd.isna(found["headphones_right"]) and pd.isna(found["headphones_passed"])


@pytest.mark.parametrize(
    ("table", "flag"),
    [
        (answers(MIXED, kind=CATCH, right=[True] * 2 + [False] * 2 + [None] * 60), "failed_catch"),
        (answers(MIXED, elapsed=2.5), "too_fast"),
        (answers(MIXED[:4] + "AAAAB" * 12), "one_sided"),
        (answers(MIXED[:40] + "B" * 24), "monotonous"),
        (answers(MIXED[:40] + "AB" * 12), "monotonous"),
        (answers(MIXED, away=2.0), "left_window"),
        (answers(MIXED, kind=AGAIN, repeated_same=[True, False] * 2 + [False] + [None] * 59),
         "inconsistent"),
    ],
)  # fmt: skip
def test_each_flag(table: pd.DataFrame, flag: str) -> None:
    found = judge(table)
    assert found[flag], found
    assert FLAGS[flag] in found["flags"].split("; ")
    raised = {name for name in FLAGS if found[name]}
    assert raised - {"one_sided"} <= {flag}  # a long run of B is one-sided too
    assert not found["excluded"]  # flags leave nobody out


def headphones(right: list[int]) -> pd.DataFrame:
    """Attempts at the headphone check with so many right answers each, before the trials."""
    checks = [
        answers("123123", kind="headphones", attempt=k + 1, right=[i < n for i in range(6)])
        for k, n in enumerate(right)
    ]
    return pd.concat([*checks, answers(MIXED)], ignore_index=True)


@pytest.mark.parametrize(
    ("right", "method", "score", "passed"),
    [
        ([5], "woods", 5, True),
        ([4], "woods", 4, False),
        ([5], "huggins", 5, False),
        ([6], "huggins", 6, True),
        ([2, 6], "woods", 6, True),
        ([4, 3], "woods", 3, False),
    ],
)
def test_the_headphone_check(right: list[int], method: str, score: int, passed: bool) -> None:
    settings = Settings(
        headphones="gate", headphone_method=method, exclusion=Exclusion(headphones=True)
    )
    found = judge(headphones(right), settings)
    assert (found["headphones_right"], found["headphones_passed"]) == (score, passed)
    assert found["failed_headphones"] == found["excluded"] == (not passed)
    assert found["exclusion"] == ("" if passed else "headphone check not passed")
    assert found["answers"] == 64


def test_an_attempt_that_is_not_over_says_nothing() -> None:
    table = answers("123", kind="headphones", attempt=1, right=False)
    found = judge(table, Settings(headphones="gate", exclusion=Exclusion(headphones=True)))
    assert pd.isna(found["headphones_right"])
    assert not found["excluded"] and found["flags"] == ""
    assert found["answers"] == 0 and pd.isna(found["median_seconds"])


def test_every_rule_of_exclusion_and_its_edge() -> None:
    rules = Exclusion(catch=0.75, fastest=10.0, one_sided=0.75)
    settings = Settings(catch=4, exclusion=rules)
    kinds = ["catch"] * 4 + ["trial"] * 12

    def found(right: int, seconds: float, on_a: int) -> pd.Series:
        choices = "A" * on_a + "B" * (16 - on_a)
        marks = [k < right for k in range(4)] + [None] * 12
        return judge(answers(choices, kind=kinds, right=marks, elapsed=seconds), settings)

    assert not found(3, 10.0, 12)["excluded"]  # just as much as is asked
    assert found(2, 10.0, 12)["exclusion"] == "fewer than 75% of the catch trials right"
    assert found(3, 9.99, 12)["exclusion"] == "median time below 10 s"
    assert found(3, 10.0, 13)["exclusion"] == "more than 75% of the answers on one side"
    assert found(3, 10.0, 3)["exclusion"] == "more than 75% of the answers on one side"
    assert len(found(0, 1.0, 16)["exclusion"].split("; ")) == 3
    no_rules = judge(answers("A" * 64, elapsed=0.1))
    assert not no_rules["excluded"] and no_rules["too_fast"]


def test_practice_counts_for_nothing() -> None:
    practice = answers("A" * 20, kind="practice", right=False, elapsed=0.1, away=100.0, leaves=5)
    table = pd.concat([practice, answers(MIXED)], ignore_index=True)
    assert judge(table).equals(judge(answers(MIXED)))


def test_several_listeners_in_any_order() -> None:
    one, two = answers(MIXED, 7), answers("A" * 64, 3)
    mixed = pd.concat([one.iloc[:30], two, one.iloc[30:]], ignore_index=True)
    judged = quality(mixed, SETTINGS)
    assert judged.index.tolist() == [3, 7]
    assert judged.loc[7].equals(judge(one)) and judged.loc[3].equals(judge(two))
    assert judged["one_sided"].tolist() == [True, False]


def test_nobody_yet() -> None:
    judged = quality(answers(""), SETTINGS)
    assert judged.empty
    assert {*FIGURES, *FLAGS, "flags", "excluded", "exclusion"} == {*judged}


def test_side_bias_is_the_exact_binomial_test() -> None:
    for count in (1, 2, 7, 40):
        for on_a in range(count + 1):
            want = binomtest(on_a, count, 0.5).pvalue
            assert side_bias(on_a, count) == pytest.approx(want)


def test_runs_by_counting() -> None:
    for size in range(9):
        for values in itertools.product([False, True], repeat=size):
            want = max((len(list(same)) for _, same in itertools.groupby(values)), default=0)
            assert longest_run(np.array(values, bool)) == want


def test_chance_seldom_raises_a_flag() -> None:
    rng = np.random.default_rng(5)
    tables = [answers("".join(rng.choice(["A", "B"], 64)), k) for k in range(400)]
    judged = quality(pd.concat(tables, ignore_index=True), SETTINGS)
    assert judged[["one_sided", "monotonous"]].to_numpy().mean() < 0.005
