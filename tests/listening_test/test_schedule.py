from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from listening_test.schedule import GAP, Asked, Check, Planned, plan, williams_row
from listening_test.study import CSN_TABLE_3, RECOMMENDED, Settings

INSTRUMENTS = ("drums", "bass", "piano", "guitar")
ASKED = [
    Asked(i, INSTRUMENTS[i // 16], 1 + i % 2, 5000 + i // 2, 1000 + i, 2000 + i) for i in range(64)
]
PRACTICE = [Asked(100 + i, "drums", 1, 500 + i, 500 + i, 600 + i) for i in range(3)]
CHECKS = [Check(900 + i, i % 3) for i in range(6)]
BY_ID = {item.id: item for item in ASKED + PRACTICE}


def draw(settings: Settings, number: int) -> list[Planned]:
    return plan(settings, ASKED, PRACTICE, CHECKS, 7, number=number)


def main(trials: list[Planned]) -> list[Planned]:
    return [trial for trial in trials if trial.kind in ("trial", "catch", "repeat")]


def test_the_papers_test_is_64_trials_and_nothing_else():
    trials = main(draw(CSN_TABLE_3, 0))
    assert len(trials) == 64
    assert sorted(trial.triplet for trial in trials) == list(range(64))
    assert {trial.kind for trial in trials} == {"trial"}


@pytest.mark.parametrize("order", ["full", "blocks"])
@pytest.mark.parametrize("number", range(6))
def test_sounds_stand_where_the_schedule_says(order, number):
    for trial in draw(replace(RECOMMENDED, order=order), number):
        if trial.triplet is None:
            continue
        item = BY_ID[trial.triplet]
        first = item.x if trial.kind == "catch" else item.first
        expected = (item.second, first) if trial.swapped else (first, item.second)
        assert (trial.x, trial.a, trial.b) == (item.x, *expected)
        if trial.kind in ("catch", "practice"):
            assert (trial.a, trial.b)[trial.right] == item.x


def test_a_schedule_can_be_drawn_again_and_every_listener_has_another():
    orders = [tuple(t.triplet for t in draw(RECOMMENDED, n)) for n in range(8)]
    assert orders == [tuple(t.triplet for t in draw(RECOMMENDED, n)) for n in range(8)]
    assert len({*orders}) == 8
    assert orders[0] != tuple(t.triplet for t in draw(replace(RECOMMENDED, seed=1), 0))


def test_sides_are_balanced_within_a_listener_and_over_two():
    for number in range(0, 10, 2):
        one, other = (
            {t.triplet: t.swapped for t in draw(CSN_TABLE_3, n) if t.kind == "trial"}
            for n in (number, number + 1)
        )
        assert all(one[triplet] != other[triplet] for triplet in one)
        for sides in (one, other):
            for instrument in INSTRUMENTS:
                for which in (1, 2):
                    kind = [
                        sides[item.id]
                        for item in ASKED
                        if (item.instrument, item.set) == (instrument, which)
                    ]
                    assert sum(kind) == len(kind) // 2


def test_sides_do_not_repeat_the_same_pattern_for_every_pair():
    patterns = {
        tuple(sorted(t.triplet for t in draw(CSN_TABLE_3, n) if t.kind == "trial" and t.swapped))
        for n in range(0, 12, 2)
    }
    assert len(patterns) == 6


@pytest.mark.parametrize("hand", [7, 20, 63])
def test_a_part_of_the_triplets_is_dealt_evenly(hand):
    settings = replace(CSN_TABLE_3, trials=hand)
    shown: Counter[int] = Counter()
    swapped: Counter[int] = Counter()
    for number in range(64):
        trials = main(draw(settings, number))
        assert len(trials) == hand
        assert len({t.triplet for t in trials}) == hand
        kinds = Counter(BY_ID[t.triplet].instrument for t in trials)
        assert max(kinds.values()) - min(kinds.values()) <= 2
        shown.update(t.triplet for t in trials)
        swapped.update(t.triplet for t in trials if t.swapped)
    assert {*shown.values()} == {hand}  # 64 listeners × hand / 64 triplets
    assert all(abs(2 * swapped[triplet] - shown[triplet]) <= 1 for triplet in range(64))


@pytest.mark.parametrize("number", range(6))
def test_repeats_come_late_with_their_sides_exchanged(number):
    trials = draw(RECOMMENDED, number)
    repeats = [(i, t) for i, t in enumerate(trials) if t.kind == "repeat"]
    assert len(repeats) == RECOMMENDED.repeats
    assert len({t.triplet for _, t in repeats}) == RECOMMENDED.repeats
    for i, again in repeats:
        first = trials[again.repeat_of]
        assert first.kind == "trial"
        assert i - again.repeat_of > GAP
        assert (first.triplet, first.a, first.b) == (again.triplet, again.b, again.a)
        assert first.swapped != again.swapped


@pytest.mark.parametrize("number", range(6))
def test_catch_trials_are_spread_and_on_both_sides(number):
    trials = main(draw(RECOMMENDED, number))
    places = [i for i, t in enumerate(trials) if t.kind == "catch"]
    assert len(places) == RECOMMENDED.catch
    assert places[0] > 0
    assert all(after - before > 1 for before, after in pairwise(places))
    assert sum(trials[i].right for i in places) == RECOMMENDED.catch // 2


def test_blocks_follow_a_williams_square():
    settings = replace(RECOMMENDED, order="blocks", catch=4, repeats=4)
    orders = []
    for number in range(4):
        trials = main(draw(settings, number))
        names = [BY_ID[t.triplet].instrument for t in trials]
        order = [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]
        assert len(order) == 4
        assert [t.block for t in trials] == sorted(t.block for t in trials)
        for name in INSTRUMENTS:
            kinds = Counter(t.kind for t in trials if BY_ID[t.triplet].instrument == name)
            assert kinds == {"trial": 16, "catch": 1, "repeat": 1}
        orders.append(order)
    assert all({*column} == {*INSTRUMENTS} for column in zip(*orders, strict=True))


@pytest.mark.parametrize("size", range(2, 8))
def test_a_williams_square_balances_places_and_neighbours(size):
    rows = [williams_row(size, n) for n in range(size * (1 + size % 2))]
    assert all(sorted(row) == list(range(size)) for row in rows)
    each = len(rows) // size
    for column in zip(*rows, strict=True):
        assert {*Counter(column).values()} == {each}
    pairs = Counter(pair for row in rows for pair in pairwise(row))
    assert len(pairs) == size * (size - 1)
    assert {*pairs.values()} == {each}


def test_the_same_x_is_not_heard_twice_in_a_row_where_that_can_be_helped():
    for number in range(6):
        trials = main(draw(CSN_TABLE_3, number))
        assert all(one.x != other.x for one, other in pairwise(trials))


def test_the_headphone_check_holds_every_sound_once_an_attempt():
    for headphones, attempts in (("off", ()), ("recorded", (1,)), ("gate", (1, 2))):
        trials = [
            t
            for t in draw(replace(RECOMMENDED, headphones=headphones), 3)
            if t.kind == "headphones"
        ]
        assert [t.attempt for t in trials] == [a for a in attempts for _ in range(6)]
        for attempt in attempts:
            sounds = [t.x for t in trials if t.attempt == attempt]
            assert sorted(sounds) == [check.sound for check in CHECKS]
        assert all(t.right == t.x % 900 % 3 for t in trials)


def test_tiny_studies_have_schedules_too():
    few = ASKED[:2]
    settings = replace(CSN_TABLE_3, catch=3, repeats=2)
    trials = main(plan(settings, few, [], [], None, number=0))
    assert Counter(t.kind for t in trials) == {"trial": 2, "catch": 3, "repeat": 2}
