"""What the explorer decides in Python: views and their addresses, neighbours, words."""

import json
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from csn.instruments import INSTRUMENTS
from csn.library import Library
from pages.components.explorer.points import SUBSPACES
from pages.components.explorer.view import (
    AMONG,
    COLOURS,
    COUNTS,
    DOTS,
    View,
    from_address,
    from_browser,
)
from pages.explore import answer, focus, words
from pages.libraries import Opened
from results import presets

# ---- views ----------------------------------------------------------------------------------

anything: Any = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
)
names = some.sampled_from(
    [
        "instrument",
        "second",
        "colour",
        "segment",
        "count",
        "among",
        "library",
        "map",
        "map2",
        "dots",
        "density",
        "names",
        "camera",
        "camera2",
        "lasso",
    ]
)


def check(view: View, segments: int) -> None:
    assert view.instrument in SUBSPACES and view.second in ("", *SUBSPACES)
    assert view.colour in COLOURS
    assert view.count in COUNTS and view.among in AMONG
    assert view.segment is None or 0 <= view.segment < segments
    assert view.library == "small"
    assert {view.map, view.map2} <= {"", "umap", "pca", "pca3"} and view.dots in DOTS
    assert view.density in (True, False) and view.names in (True, False)
    for camera in (view.camera, view.camera2):
        assert camera == "" or len([float(x) for x in camera.split(",")]) in (3, 5)
    assert view.lasso == "" or view.lasso.startswith("01234567:")


@cache
def tiny() -> Opened:
    """A library of which only the segments are ever looked at."""
    import pandas as pd

    table = pd.DataFrame({"piece": ["a", "a", "b"], "start": [0.0, 1.5, 0.0]})
    folder = Path(mkdtemp())
    (folder / "maps").mkdir()
    for name, method in product(SUBSPACES, ("umap", "pca", "pca3")):
        (folder / "maps" / f"{method}-{name}.npz").touch()
    info = {"files": {"vectors.npy": "0123456789abcdef"}}
    library: Any = SimpleNamespace(segments=table, vectors=None, folder=folder, info=info)
    return Opened("small", "1", library)


@settings(deadline=None)
@given(said=some.dictionaries(names, anything) | anything)
def test_whatever_a_browser_says_becomes_a_view(said: object) -> None:
    check(from_browser(said, tiny()), 3)


@settings(deadline=None)
@given(query=some.dictionaries(names | some.sampled_from(["piece", "at"]), some.text(max_size=12)))
def test_whatever_an_address_says_becomes_a_view(query: dict[str, str]) -> None:
    view, problems = from_address(query, tiny())
    check(view, 3)
    assert all(problem.endswith(".") for problem in problems)


@given(
    view=some.builds(
        View,
        library=some.just("small"),
        instrument=some.sampled_from(SUBSPACES),
        second=some.sampled_from(("", *SUBSPACES)),
        colour=some.sampled_from(COLOURS),
        segment=some.none() | some.integers(0, 2),
        count=some.sampled_from(COUNTS),
        among=some.sampled_from(AMONG),
        map=some.sampled_from(["", "umap", "pca", "pca3"]),
        map2=some.sampled_from(["", "pca"]),
        dots=some.sampled_from(DOTS),
        density=some.booleans(),
        names=some.booleans(),
        camera=some.sampled_from(["", "0,0,2", "-0.5,0.123,60,3.1,-1.5"]),
        camera2=some.sampled_from(["", "0.25,1,1.5"]),
        lasso=some.sampled_from(["", "01234567:0", "01234567:0.2", "01234567:1-2"]),
    )
)
def test_a_view_survives_its_address_and_the_browser(view: View) -> None:
    query = view.address(tiny(), "small")
    assert from_address(query, tiny()) == (view, [])
    assert from_browser(json.loads(json.dumps(view.said())), tiny()) == view


@pytest.mark.parametrize(
    "said",
    ["0", "01234567:", "01234567:3", "01234567:2-1", "01234567:1.1", "01234567:0-1.1", "12345678:0",
     "01234567:0;1", "01234567:-1", "01234567:0" + ".1" * 2000, "01234567:\u0661"],
)  # fmt: skip
def test_a_lasso_of_rows_that_are_not_there_is_left_out(said: str) -> None:
    view, problems = from_address({"lasso": said}, tiny())
    assert view.lasso == "" and "selects dots" in problems[0]
    assert from_browser({"lasso": said}, tiny()).lasso == ""


@pytest.mark.parametrize("said", ["", "1", "1,2", "1,2,3,4", "nan,0,1", "1e9,0,1", "0,0,1,0,0,0"])
def test_a_camera_that_makes_no_sense_is_left_out(said: str) -> None:
    view, problems = from_address({"camera": said, "camera2": "0,0,2"}, tiny())
    assert (view.camera, view.camera2) == ("", "0,0,2") and "makes no sense" in problems[0]


def test_a_map_that_was_not_drawn_is_said(opened: Opened) -> None:
    view, problems = from_address({"map": "tsne", "map2": "pca3"}, opened)
    assert (view.map, view.map2) == ("", "pca3")
    assert problems == ["The address asks for an unknown map; choose one of pca, pca3."]


def test_the_first_view_has_a_bare_address() -> None:
    assert View("small").address(tiny(), "small") == {}
    assert View("small").address(tiny(), "demo") == {"library": "small"}


# ---- neighbours and words -------------------------------------------------------------------


@pytest.mark.parametrize("instrument", SUBSPACES)
@pytest.mark.parametrize("among", AMONG)
def test_neighbours_by_hand(opened: Opened, instrument: str, among: str) -> None:
    segment = 7
    vectors = np.asarray(opened.library.vectors[:, :640], np.float64).reshape(-1, 5, 128)
    if instrument != "whole":
        vectors = vectors[:, [INSTRUMENTS.index(instrument)]]
    away = np.sqrt(((vectors - vectors[segment]) ** 2).sum(axis=(1, 2)))
    pieces = opened.library.segments["piece"].tolist()
    found: list[int] = []
    for row in sorted(range(len(away)), key=lambda row: (away[row], row)):
        own = pieces[row] == pieces[segment] if among != "all" else row == segment
        again = among == "once" and pieces[row] in {pieces[other] for other in found}
        if not own and not again:
            found.append(row)
    got = answer(opened, View("small", instrument=instrument, segment=segment, among=among))
    assert got is not None
    assert [item["segment"] for item in got["neighbours"]] == found[:10]
    assert [item["distance"] for item in got["neighbours"]] == pytest.approx(
        away[found[:10]].tolist(), rel=1e-5
    )
    others = np.sqrt(((vectors[:, None] - vectors[None]) ** 2).sum(axis=(2, 3)))
    assert got["scale"] == pytest.approx(float(np.median(others)), rel=0.2)
    json.dumps(got, allow_nan=False)


def test_neighbours_by_a_saved_focus(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    weights = (0.2, 1.0, 0.0, 0.5, 0.0)
    presets.save(presets.Preset("My listeners", weights))
    vectors = np.asarray(opened.library.vectors[:, :640], np.float64).reshape(-1, 5, 128)
    away = np.sqrt((((vectors - vectors[7]) ** 2).sum(2) * weights).sum(1))
    pieces = opened.library.segments["piece"].to_numpy()
    rows = [row for row in np.argsort(away, kind="stable") if pieces[row] != pieces[7]]
    view, problems = from_address({"by": "My listeners", "among": "others"}, opened)
    assert not problems and view.address(opened, "small")["by"] == "My listeners"
    got = answer(opened, replace(view, segment=7))
    assert got is not None
    assert [item["segment"] for item in got["neighbours"]] == rows[:10]
    assert [item["distance"] for item in got["neighbours"]] == pytest.approx(
        away[rows[:10]].tolist(), rel=1e-5
    )
    assert from_browser({"by": "My listeners"}, opened).by == "My listeners"
    assert from_browser({"by": "another"}, opened).by == ""
    view, problems = from_address({"by": "another"}, opened)
    assert view.by == "" and "unknown by" in problems[0]


def test_nothing_selected_has_no_answer(opened: Opened) -> None:
    assert answer(opened, View("small")) is None


def test_focus_and_words(library: Library) -> None:
    assert focus("whole") == (1, 1, 1, 1, 1)
    assert focus("piano") == (0, 0, 1, 0, 0)
    said = words(library)
    assert set(said) == set(SUBSPACES)
    assert all(text.startswith("Each dot is three seconds of a band.") for text in said.values())
    assert "similar drums" in said["drums"]
    pieces = words(library, dots="pieces")
    assert all(text.startswith("Each dot is a whole piece;") for text in pieces.values())
