"""A model's card, read without its network."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from csn.card import read_card, runs, total
from csn.errors import ModelError
from csn.model import Model
from tests.csn.test_model import SETTINGS


@pytest.mark.parametrize("half", [False, True])
def test_a_card_tells_who_the_model_is(tmp_path: Path, half: bool) -> None:
    model = Model.untrained(SETTINGS, seed=3)
    model.card |= {"pieces": 12, "recipe": {"name": "stemwise"}}
    model.save(tmp_path / "m.safetensors", half=half)
    card = read_card(tmp_path / "m.safetensors")
    assert card.hash == Model.load(tmp_path / "m.safetensors", "cpu").hash
    assert card.card["pieces"] == 12 and card.card["recipe"] == {"name": "stemwise"}
    assert card.settings["features"]["sample_rate"] == 11025
    counted = sum(
        value.numel() for name, value in model.encoder.state_dict().items()
        if not name.endswith("num_batches_tracked")
    )  # fmt: skip
    assert card.weights == counted


def test_a_card_counts_the_runs_before_its_own() -> None:
    first = {"steps": 100, "mixes_seen": 12_800, "seconds": 60.5, "before": None}
    second = {"steps": 20, "mixes_seen": 2_560, "seconds": 10.0, "before": first}
    third = {"steps": 5, "mixes_seen": 640, "seconds": None, "before": second}
    assert runs(third) == [third, second, first]
    assert total(second, "steps") == 120 and total(second, "seconds") == 70.5
    assert total(third, "mixes_seen") == 16_000
    assert total(third, "seconds") is None  # one of them does not say
    assert total({}, "steps") is None


def test_other_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model file"):
        read_card(tmp_path / "none.safetensors")
    (tmp_path / "noise").write_bytes(b"noise" * 99)
    with pytest.raises(ModelError, match="not a readable model file"):
        read_card(tmp_path / "noise")
    weights = {"encoder.x": np.zeros(3, np.float32)}
    save_file(weights, tmp_path / "other", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="not made by Stemwise"):
        read_card(tmp_path / "other")
    headers = ({}, {"settings": "{", "card": "{}"}, {"settings": "[]", "card": "[]"})
    for number, header in enumerate(headers):
        save_file(weights, tmp_path / str(number), {"format": "stemwise-model-1"} | header)
        with pytest.raises(ModelError, match="not a readable model file"):
            read_card(tmp_path / str(number))
