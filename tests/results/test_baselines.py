import numpy as np
import pytest

from csn.evaluation.baselines import systems
from csn.model import Model
from results.baselines import baseline_distances, triplets_of
from results.spaces import spaces
from tests.results import made

LENGTH = 3.0


@pytest.fixture
def answers(tiny_corpus):
    """Two listeners on four triplets, every second one with its sides exchanged."""
    ids = [piece.id for piece in tiny_corpus]
    rows = [(who, what, True) for who in range(2) for what in range(4)]
    table = made.answers(rows)
    what = table["triplet_id"].astype(int)
    table["swapped"] = (what + table["listener_id"].astype(int)) % 2 == 1
    table["x_piece"] = [ids[i] for i in what]
    table["x_start"] = what * 1.0
    for side, turned in (("a", False), ("b", True)):
        first = table["swapped"] == turned
        table[f"{side}_piece"] = [
            ids[i + (4 if f else 5)] for i, f in zip(what, first, strict=True)
        ]
        table[f"{side}_start"] = [2.0 if f else 6.0 for f in first]
    return table


def test_triplets_whatever_the_sides(answers, tiny_corpus):
    ids = [piece.id for piece in tiny_corpus]
    table = triplets_of(answers)
    assert table["triplet_id"].tolist() == [0, 1, 2, 3]
    assert table["first_piece"].tolist() == [ids[i + 4] for i in range(4)]
    assert table["second_start"].tolist() == [6.0] * 4


def test_distances_are_those_of_the_baselines(answers, tiny_corpus):
    model = Model.untrained(seed=1)
    found = baseline_distances(answers, tiny_corpus, model, LENGTH)
    assert set(found) == {
        "log-mel, mix", "log-mel, stem", "untrained network, mix", "untrained network, stem",
    }  # fmt: skip
    system = next(one for one in systems(model) if one.name == "untrained")
    rate = model.settings.sample_rate
    row = triplets_of(answers).iloc[1]
    x, first, second = (
        system.embed(
            tiny_corpus[row[f"{one}_piece"]].audio("drums", rate)[
                round(row[f"{one}_start"] * rate) :][: round(LENGTH * rate)],
            np.zeros(1), LENGTH,
        )[0]
        for one in ("x", "first", "second")
    )  # fmt: skip
    own = found["untrained network, stem"].iloc[1]
    assert own["first"] == pytest.approx(np.linalg.norm(x - first), rel=1e-3)
    assert own["second"] == pytest.approx(np.linalg.norm(x - second), rel=1e-3)
    table = spaces(answers, found).of(source="log-mel, mix")
    near = found["log-mel, mix"]
    assert table["score"].item() == pytest.approx((near["first"] < near["second"]).mean())
