"""Measures are read back as the commands wrote them; anything else is said and left out."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from csn.evaluation.leakage import Leakage, Moves
from csn.evaluation.pseudo_mixes import PseudoMixes
from csn.evaluation.report import Score
from csn.home import demo
from csn.instruments import INSTRUMENTS
from csn.measure_files import read_measures
from csn.measures import CLEAN, Measures
from csn.model import Model
from tests.csn.small_measures import (
    EVERYTHING,
    MODEL,
    TITLES,
    identity,
    individual,
    leakage,
    picture,
    pseudo_mixes,
    write,
)


def test_everything_is_read(tmp_path: Path) -> None:
    found = read_measures(write(tmp_path))
    assert not found.problems
    composed = found.pseudo_mixes["composed"]
    assert composed.model == MODEL and composed.problems == ("One piece less.",)
    bass = composed.scores["model"]["bass"]
    assert bass and (bass.mean, bass.sd, bass.strict, bass.strict_sd) == (80, 2.5, 79, 3.5)
    assert composed.scores["floor"]["bass"].mean == 30  # type: ignore[union-attr]
    assert found.pseudo_mixes["shared-backings"].scores["model"]["piano"] is None
    assert found.identity["composed"].lengths["10"]["model"]["drums"].mean == 97  # type: ignore[union-attr]
    clean = found.identity["composed"].lengths["3"][CLEAN]
    assert clean["guitar"].mean == 96.5 and "others" not in clean  # type: ignore[union-attr]
    assert CLEAN not in found.identity["composed"].lengths["10"]
    moved = found.leakage["composed"].moves
    assert moved["model"]["bass"].ratio == 0.25  # type: ignore[union-attr]
    assert moved["floor"]["bass"] is None
    probe = found.probes["probes"].found["drums"]["program"]
    assert probe and probe.right["model"] == 80 and (probe.classes, probe.pieces) == (4, 33)
    assert found.probes["probes"].found["drums"]["groove file"] is None
    alone = found.individual["individual"]
    assert alone.pieces == tuple(TITLES) and alone.networks.accuracy["mix"].runs == 2
    assert alone.subspaces and alone.subspaces.distances["whole"][1, 2] == 0.6
    assert alone.networks.ranks["drums"] == (0.5, 0.25, 0.125)
    rows = found.ablation["recipes"].rows
    assert [row.name for row in rows] == ["basic", "stemwise"]
    assert rows[1].scores["others"] == (51.0, 1.5) and rows[1].runs == 2
    drums, bass_dots = found.pictures["subspaces-t-sne"].values()
    assert drums[0].x.tolist() == [1.5, 2.5] and bass_dots[0].x.tolist() == [5, 6]
    assert drums[0].words == TITLES[1] and drums[0].symbol == "circle"


def test_what_the_commands_answer_is_what_is_read(tmp_path: Path) -> None:
    """The round from a result's own JSON, so that neither side can change alone."""
    names = ("model", "untrained", "floor")
    scores = {s: {n: Score(70.0, 1, 60, 2, 10, 99) for n in INSTRUMENTS} for s in names}
    made = PseudoMixes(scores, {"model": MODEL}, ("said",)).to_json()
    moves = {s: {n: Moves(0.5, 0.8, 9) for n in INSTRUMENTS} for s in names}
    moved = Leakage(moves, {"model": MODEL}, ()).to_json()
    found = read_measures(write(tmp_path, {"x/pseudo-mixes": made, "x/leakage": moved}))
    for system in names:
        read = found.pseudo_mixes["x"].scores[system]["piano"]
        assert read and (read.mean, read.strict, read.chance) == (70, 60, 10)
        assert found.leakage["x"].moves[system]["piano"].ratio == 0.625  # type: ignore[union-attr]


def test_nothing_is_no_trouble(tmp_path: Path) -> None:
    assert read_measures(tmp_path / "none") == Measures()
    write(tmp_path, {"x/notes": {}, "x/individual-distances": {}})
    assert read_measures(tmp_path) == Measures()


def changed(content: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    copy = deepcopy(content)
    at: Any = copy
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to
    return copy


SHAPES = ("individual", "distances", "drums")
BROKEN = {
    "pseudo-mixes": [
        "", "[]", "{", "[" * 100_000, "null", "{}",
        changed(pseudo_mixes(), "instruments", "drums", "mean", to=101),
        changed(pseudo_mixes(), "instruments", "drums", "mean", to="90"),
        changed(pseudo_mixes(), "instruments", "drums", "mean", to=True),
        changed(pseudo_mixes(), "instruments", to=3),
        changed(pseudo_mixes(), "settings", "model", to="../../etc"),
        changed(pseudo_mixes(), "settings", to=None),
        json.dumps(pseudo_mixes()).replace("90.0", "NaN"),
    ],
    "identity": [
        changed(identity(), "individual_clean", to={"5": {}}),  # a length that P1 has not
        changed(identity(), "individual_clean", "3", "bass", "mean", to=-1),
    ],
    "leakage": [changed(leakage(), "instruments", "bass", "own", to=-1)],
    "individual": [
        changed(individual(), *SHAPES, to=[[0.0]]),
        changed(individual(), *SHAPES, 1, to=[0.0, "x", 1.0]),
        changed(individual(), "individual", "pearson", "drums-bass", to=2),
    ],
    "individual-t-sne": [
        changed(picture(), "data", 0, "type", to="heatmap"),
        changed(picture(), "data", 0, "xaxis", to="x9"),
        changed(picture(), "data", 0, "marker", "color", to="url(http://x)"),
        changed(picture(), "data", 0, "marker", "symbol", to="<b>"),
        changed(picture(), "data", 0, "x", to=[1.0]),
        changed(picture(), "data", 0, "x", to=[1.0, None]),
        changed(picture(), "data", 0, "x", to={"dtype": "O", "bdata": "AAAA"}),
        changed(picture(), "data", 0, "x", to={"dtype": "f4", "bdata": "?"}),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "content"), [(kind, content) for kind, all_ in BROKEN.items() for content in all_]
)
def test_a_broken_file_is_said_and_the_others_remain(
    tmp_path: Path, kind: str, content: Any
) -> None:
    write(tmp_path)
    found = read_measures(write(tmp_path, {f"odd/{kind}": content}))
    assert len(found.problems) == 1
    assert found.problems[0].startswith(f"odd/{kind}.json is not as the command writes it")
    assert "make it again" in found.problems[0] and "\n" not in found.problems[0]
    assert "odd" not in {
        **found.pseudo_mixes,
        **found.identity,
        **found.leakage,
        **found.individual,
    }
    assert set(found.pseudo_mixes) == {"composed", "shared-backings"}
    assert len(EVERYTHING) == sum(
        map(len, (found.pseudo_mixes, found.identity, found.leakage, found.probes,
                  found.individual, found.ablation, found.pictures))
    )  # fmt: skip


def test_measures_of_another_model_are_known(tmp_path: Path) -> None:
    other = changed(leakage(), "settings", "model", to="b" * 64)
    found = read_measures(write(tmp_path, EVERYTHING | {"later/leakage": other}))
    assert found.of_others(MODEL) == ["later"]
    assert set(found.of_others("b" * 64)) == {"composed", "shared-backings", "probes", "individual"}


def test_what_is_shipped_is_whole_and_the_shipped_models() -> None:
    """Every file of ``demo/measures`` is read, and none belongs to another model."""
    found = read_measures(demo() / "measures")
    assert not found.problems
    assert not found.of_others(Model.load("demo", "cpu").hash)
    kinds = (found.identity, found.leakage, found.probes, found.individual, found.ablation)
    assert all(kinds) and len(found.pseudo_mixes) == 7 and len(found.pictures) == 6
    assert found.pseudo_mixes["timbre-equal"].settings["hold"] == "timbre"
    assert found.pseudo_mixes["notes-equal"].settings["hold"] == "notes"
    assert found.pseudo_mixes["shared-backings"].settings["backings"] == "shared"
    assert found.pseudo_mixes["levels"].settings["levels"] == 6
    for matrix in found.individual["individual"].networks.distances.values():
        np.testing.assert_allclose(matrix, matrix.T)
        assert not np.diag(matrix).any()
    paths = [file.read_text() for file in (demo() / "measures").glob("*/*.json")]
    assert not [text for text in paths if '"slakh:/' in text]  # no machine's folders
