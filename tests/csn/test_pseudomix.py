import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from csn.pseudomix import first_onset, pseudo_mix, sources, tempo_groups

RATE = 8000


def test_tempo_groups_are_five_wide_and_partition() -> None:
    tempos = [120.0, 124.9, 125.0, None, 60.0, 119.9]
    assert tempo_groups(tempos) == [[4], [5], [0, 1], [2], [3]]


@given(st.lists(st.one_of(st.none(), st.floats(30, 300)), max_size=40))
def test_every_piece_is_in_one_group_and_near_its_fellows(tempos: list[float | None]) -> None:
    groups = tempo_groups(tempos)
    assert sorted(i for group in groups for i in group) == list(range(len(tempos)))
    for group in groups:
        members = [tempos[i] for i in group]
        known = [tempo for tempo in members if tempo is not None]
        assert len(known) in (0, len(members))
        if known:
            assert max(known) - min(known) < 5


def _burst(at: float, length: float = 2.0) -> np.ndarray:
    sound = np.zeros(int(length * RATE), np.float32)
    sound[int(at * RATE) :] = 0.5
    return sound


def test_onset_is_found_to_a_frame() -> None:
    assert abs(first_onset(_burst(0.5), RATE) - 4000) <= 80
    assert first_onset(np.zeros(100, np.float32), RATE) == 0
    assert first_onset(_burst(0.5) * 0.001, RATE) == 0  # -66 dBFS is silence


@given(st.integers(0, 80), st.integers(0, 80), st.integers(90, 150), st.integers(90, 150))
def test_first_onsets_coincide_and_the_offset_says_where(
    focus_at: int, backing_at: int, focus_end: int, backing_end: int
) -> None:
    step = RATE // 100
    noise = np.random.default_rng(focus_at * 100 + backing_at)
    focus = np.zeros(focus_end * step, np.float32)
    focus[focus_at * step :] = noise.uniform(0.1, 0.4, len(focus) - focus_at * step)
    backing = np.zeros(backing_end * step, np.float32)
    backing[backing_at * step :] = noise.uniform(0.1, 0.4, len(backing) - backing_at * step)
    mix, offset = pseudo_mix(focus, backing, RATE)
    shift = max(backing_at - focus_at, 0) * step
    assert offset == max(focus_at - backing_at, 0) * step
    # Taking the focus away leaves the backing, whose onset is where the focus's is.
    rest = mix - focus[offset : offset + len(mix)]
    np.testing.assert_allclose(rest, backing[shift : shift + len(mix)], atol=1e-6)
    assert first_onset(rest, RATE) == first_onset(focus[offset:], RATE)


def test_the_five_vector_names_the_focus_once() -> None:
    assert sources(7, 3, 2) == (3, 3, 7, 3, 3)
