"""How far the work is, in numbers and in words."""

from itertools import pairwise

import pytest

from csn.collecting.progress import Progress, Stopwatch, duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "about 3 s"), (89, "about 89 s"), (120, "about 2 min"), (5390, "about 90 min"),
     (9000, "about 2.5 h")],
)  # fmt: skip
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_speed_and_what_is_left() -> None:
    half = Progress(done=5, pieces=10, seconds=1800.0, total=7200.0, elapsed=6.0)
    assert (half.part, half.speed, half.left) == (0.25, 300.0, 18.0)
    assert str(half) == "0.5 of 2.0 h, 300× real time, about 18 s left"
    assert str(Progress(0, 3, 0.0, 90.0, 0.0)) == "0.0 of 1.5 min"
    assert Progress(3, 3).part == 1.0 and str(Progress(3, 3)) == "nothing to embed"


def test_the_stopwatch_adds_up_and_never_passes_the_end() -> None:
    told: list[Progress] = []
    watch = Stopwatch(2, 4, 10.0, told.append)
    watch.add(0, 6.0)
    watch.add(1, 0.0)
    watch.add(1, 7.0)
    assert [(one.done, one.seconds) for one in told] == [(2, 0.0), (2, 6.0), (3, 6.0), (4, 10.0)]
    assert all(a.elapsed <= b.elapsed for a, b in pairwise(told))
