import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tuned
from hypothesis import strategies as st

from csn.errors import StemwiseError
from csn.evaluation.draws import PseudoMixSettings, draw

TEMPOS = st.lists(st.one_of(st.none(), st.floats(50, 90)), min_size=8, max_size=16)


@tuned(max_examples=60, deadline=None)
@given(TEMPOS, st.integers(0, 99))
def test_tempo_backings_are_the_nearest_once_the_group_is_used_up(tempos, seed):
    everyone = list(range(len(tempos)))
    s = PseudoMixSettings(pieces=5, mixes=4)
    pairs, filled = draw(everyone, everyone, tempos, np.random.default_rng(seed), s)
    assert len(pairs) == 20 and len({a for a, _ in pairs}) == 5
    outside = 0
    for a in {a for a, _ in pairs}:
        chosen = [b for x, b in pairs if x == a]
        assert len(set(chosen)) == 4 and a not in chosen

        def group(i):
            return None if tempos[i] is None else tempos[i] // 5

        mates = [i for i in everyone if i != a and group(i) == group(a)]
        strangers = [b for b in chosen if b not in mates]
        outside += len(strangers)
        assert len(strangers) == max(4 - len(mates), 0)
        left = [i for i in everyone if i != a and i not in mates and i not in chosen]
        if strangers and left:

            def far(i, a=a):
                none = tempos[i] is None or tempos[a] is None
                return float("inf") if none else abs(tempos[i] - tempos[a])

            assert max(map(far, strangers)) <= min(map(far, left))
    assert outside == filled


@tuned(max_examples=60, deadline=None)
@given(st.integers(7, 20), st.integers(0, 99))
def test_shared_backings_are_outsiders_as_far_as_there_are_any(count, seed):
    everyone = list(range(count))
    s = PseudoMixSettings(pieces=5, mixes=4, backings="shared")
    pairs, filled = draw(everyone, everyone, [None] * count, np.random.default_rng(seed), s)
    chosen = {a for a, _ in pairs}
    behind = {a: {b for x, b in pairs if x == a} for a in chosen}
    assert filled == 0 and len(chosen) == 5
    assert all(len(them) == 4 and a not in them for a, them in behind.items())
    if count >= 9:
        assert len(set(map(frozenset, behind.values()))) == 1
        assert not chosen & set.union(*behind.values())
    else:
        assert set(everyone) - chosen <= set.union(*behind.values())
        assert len(set.union(*behind.values())) <= 5  # the four, and one in place of oneself


def test_a_round_depends_on_its_seed_alone():
    s = PseudoMixSettings(pieces=3, mixes=2)
    rounds = [
        draw(range(9), range(9), [60.0] * 9, np.random.default_rng([1, 2, n]), s) for n in (0, 0, 1)
    ]
    assert rounds[0] == rounds[1] != rounds[2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"draws": 0}, "draws of at least 1, not 0"),
        ({"pieces": 1}, "pieces of at least 2"),
        ({"mixes": 1}, "mixes of at least 2"),
        ({"backings": "any"}, "'any'; use tempo or shared"),
    ],
)
def test_impossible_settings_are_refused_in_words(change, words):
    with pytest.raises(StemwiseError, match=words):
        PseudoMixSettings(**change)
