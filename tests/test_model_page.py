"""The Model page, without a browser: what it says, what it hands out, what it does with rubbish."""

import html
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from csn.card import read_card
from csn.home import demo
from csn.instruments import INSTRUMENTS
from csn.measure_files import read_measures
from csn.measures import Measures
from csn.model import Model
from csn.published import CSN_TABLE_2
from csn.training.recipes import STEMWISE
from pages.model import about, charts, criteria, places, sections, sheets, takeaway, words
from tests.csn.small_measures import EVERYTHING, MODEL, TITLES, write
from tests.csn.test_model import SETTINGS

PAPER = CSN_TABLE_2["aux+basic+add'"]
PARTS = ("tests", "leakage", "probes", "recipes", "individual", "card")


def _page() -> None:
    from pages.model import page

    page()


def visit(**query: str) -> AppTest:
    """The page at an address; nothing may go wrong."""
    page = AppTest.from_function(_page, default_timeout=60)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def rows(page: AppTest) -> list[list[str]]:
    """The cells of all tables."""
    text = "".join(element.proto.body for element in page.get("html"))
    found = re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL)
    cells = [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row) for row in found]
    plain = [[html.unescape(re.sub(r"<.*?>", " ", cell)) for cell in row] for row in cells]
    return [[" ".join(cell.split()) for cell in row] for row in plain]


def written(page: AppTest) -> str:
    return "\n".join(
        str(element.value) for kind in ("markdown", "caption", "info", "warning", "code")
        for element in page.get(kind)
    )  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    yield tmp_path


@pytest.fixture
def shipped(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A demo of ours: no model file, the small measures."""
    monkeypatch.setattr(places, "demo", lambda: home / "demo")
    return write(home / "demo" / "measures")


# ---- what a fresh clone shows ---------------------------------------------------------------


def test_a_fresh_clone_tells_about_its_model(home: Path) -> None:
    page = visit()
    told = json.loads((demo() / "measures" / "composed" / "pseudo-mixes.json").read_text())
    means = {name: told["instruments"][name]["mean"] for name in INSTRUMENTS}
    best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    text = written(page).replace("\u00a0", " ")
    high = f"{means[best]:.1f}" if 99 < means[best] < 100 else f"{means[best]:.0f}"
    assert re.search(rf"\*\*{best}\*\* in {high} %", text)
    assert re.search(rf"\*\*{worst}\*\*, its weakest, in {means[worst]:.0f} %", text)
    assert words.NOT_SLAKH in text and "Not on Slakh" in text
    assert f"Model {read_card(demo() / 'model.safetensors').hash[:8]}" in text
    assert not page.warning and not page.info
    assert [b.label for b in page.get("download_button")] == [
        "Tables (CSV)", "Figures (HTML)", "Figures (JSON)", "Everything (ZIP)",
    ]  # fmt: skip
    for part in PARTS[1:]:
        page = visit(part=part)
        assert not page.warning and not page.info, part


def spread(mean: float, sd: float) -> str:
    """What a table says: no ± where ten draws were all the same."""
    return f"{mean:.1f} ± {sd:.1f}" if sd > 0 else f"{mean:.1f}"


def test_the_full_table_is_the_file(home: Path) -> None:
    told = json.loads((demo() / "measures" / "composed" / "pseudo-mixes.json").read_text())
    shown = rows(visit())
    for c, name in enumerate(INSTRUMENTS):
        model, floor = told["instruments"][name], told["floor"][name]["mean"]
        want = [
            name, spread(model["mean"], model["sd"]),
            spread(model["strict_mean"], model["strict_sd"]),
            f"{told['untrained'][name]['mean']:.1f}", f"{floor:.1f}",
            f"{PAPER[c]:.1f}",
        ]  # fmt: skip
        assert want in shown
    systems = [("instruments", "mean"), ("instruments", "strict_mean"), ("untrained", "mean"),
               ("floor", "mean")]  # fmt: skip
    of_five = [np.mean([told[key][i][what] for i in INSTRUMENTS]) for key, what in systems]
    whole = ["mean", *(f"{mean:.1f}" for mean in of_five)]
    assert [*whole, f"{np.mean(PAPER):.1f}"] in shown


# ---- the small measures, part by part -------------------------------------------------------


def test_the_lead_and_the_tests(shipped: Path) -> None:
    page = visit()
    text = written(page).replace("\u00a0", " ")
    assert "**drums** in 90 % of cases, **others**, its weakest, in 50 %" in text
    assert "Guessing is right in 10 %" in text
    # Same backing, without piano: 60, 50, 30, 20 have the mean 40.
    assert "Hardest for it: **same backing**, 40 % on average" in text
    shown = rows(page)
    assert ["Same backing", "60 30", "50 30", "–", "30 30", "20 30", "40 30"] in shown
    assert ["drums", "90.0 ± 2.5", "89.0 ± 3.5", "20.0", "30.0", "85.5"] in shown
    p1 = ["99.0", "98.0", "30.0", "99.5 ± 2.5", "82.9"], ["97.0", "96.0", "30.0", "89.7"]
    assert ["drums", *p1[0], *p1[1]] in shown
    page = visit(test="shared-backings")
    assert "among the wrong answers" in written(page)


def test_leakage_and_probes(shipped: Path) -> None:
    shown = rows(visit(part="leakage"))
    assert ["drums", "0.25", "1.00", "0.25", "2.00", "0.90"] in shown
    assert ["bass", "0.25", "1.00", "0.25", "2.00", "–"] in shown
    shown = rows(visit(part="probes"))
    assert ["own program", *["80 50"] * 5] in shown
    assert not [row for row in shown if row[0] == "groove file"]  # nobody could be asked


def test_recipes_with_their_seeds(shipped: Path) -> None:
    page = visit(part="recipes")
    shown = rows(page)
    assert ["basic triplets", *["50.0"] * 7, "1", "134", "4"] in shown
    assert ["ours: label matrices", *["51.0 ± 1.5"] * 7, "2", "134", "4"] in shown
    assert ["untrained", *["15.0"] * 6, "12.0", "", "", ""] in shown
    notes = "".join(element.proto.body for element in page.get("html"))
    assert "Not measured yet: + auxiliary loss; + interchanged triplets" in notes
    assert [
        "basic triplets", "73.1", "28.9", "26.1", "35.7", "67.2", "46.2",
    ] in shown  # fmt: skip


def test_individual_networks(shipped: Path) -> None:
    shown = rows(visit(part="individual"))
    assert ["whole", "95.0 ± 2.5", "94.0 ± 3.5", "0.50 · 0.25 · 0.12", "–", "–"] in shown
    assert ["whole", *["0.50 0.23", "0.50 0.11", "0.50 0.12", "0.50 0.32", "0.50"]] in shown
    shown = rows(visit(part="individual", whose="individual"))
    drums = ["drums", "95.0 ± 2.5", "94.0 ± 3.5", "95.0", "0.50 · 0.25 · 0.12", "95.1"]
    assert [*drums, "0.31 · 0.35 · 0.22"] in shown
    page = visit(part="individual", view="t-sne")
    assert [m.value for m in page.markdown if m.value in ("**drums**", "**bass**")] == [
        "**drums**", "**bass**",
    ]  # fmt: skip


# ---- missing, broken, foreign ---------------------------------------------------------------


def test_without_measures_the_page_says_what_to_run(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "demo", lambda: home / "nothing")
    for part, command in (("recipes", "csn ablate"), ("individual", "csn evaluate individual")):
        text = written(visit(part=part))
        assert "not measured yet. Run:" in text and "csn evaluate pseudo-mixes" in text
        assert command in text and "its file is not there" in text.lower()


def test_a_broken_file_is_said_and_the_rest_is_shown(shipped: Path) -> None:
    write(shipped, {"composed/leakage": "{", "**odd**/probes": "[]"})
    page = visit(part="leakage")
    said = [warning.value for warning in page.warning]
    assert (
        len(said) == 2 and r"\*\*odd\*\*" in said[0] and "not as the command writes it" in said[1]
    )
    assert "Leakage is not measured yet" in written(page)
    assert ["drums", "90.0 ± 2.5", "89.0 ± 3.5", "20.0", "30.0", "85.5"] in rows(visit())


def test_measures_of_another_model_are_said(shipped: Path, home: Path) -> None:
    model = Model.untrained(SETTINGS, seed=1)
    model.save(home / "demo" / "model.safetensors")
    said = [warning.value for warning in visit().warning]
    assert len(said) == 1 and model.hash[:8] in said[0] and "New backing" in said[0]


def test_another_model_stands_beside_the_shipped_one(shipped: Path, home: Path) -> None:
    write(home / "measures" / "mine", {"composed/pseudo-mixes": EVERYTHING["composed/leakage"]})
    write(home / "measures" / "mine", {"levels/pseudo-mixes": EVERYTHING["composed/pseudo-mixes"]})
    page = visit(measured="mine", test="levels")
    text = written(page)
    assert words.NOT_SLAKH not in text and words.PAPERS in text
    assert "up to 6 dB" in text  # from its settings
    assert len(page.warning) == 1 and "composed/pseudo" in page.warning[0].value
    assert "90" in written(visit(measured="../demo"))  # no name of a model: the shipped one


def test_titles_of_others_are_text(shipped: Path) -> None:
    assert all(part not in str(rows(visit(part="individual"))) for part in TITLES)
    write(shipped, {"<b>x/pseudo-mixes": EVERYTHING["composed/pseudo-mixes"]})
    bodies = "".join(element.proto.body for element in visit().get("html"))
    assert "&lt;b&gt;x" in bodies and "<b>x" not in bodies


# ---- what is taken away ---------------------------------------------------------------------


@pytest.fixture
def found(tmp_path: Path) -> Measures:
    return read_measures(write(tmp_path))


def test_tables_hold_the_plain_numbers(found: Measures) -> None:
    frame = sheets.tests(found)["pseudo-mixes"]
    mine = frame[(frame.test == "composed") & (frame.system == "model")]
    assert mine["mean"].tolist() == [90, 80, 70, 60, 50] and set(mine["sd"]) == {2.5}
    papers = frame[frame.test == words.SLAKH]
    assert len(papers) == 20 and papers["mean"].sum() == pytest.approx(
        sum(map(sum, CSN_TABLE_2.values()))
    )
    p1 = sheets.tests(found)["identity"]
    of = p1[p1.test == "composed"].groupby("system").seconds.apply(list)
    assert of["model"] == [3] * 5 + [10] * 5 and of["individual_clean"] == [3] * 4
    assert len(p1[p1.test == words.SLAKH]) == 16  # four of table 1's cells are empty
    assert len(sheets.leakage(dict(found.leakage))["leakage"]) == 14
    assert sheets.probes(found.probes["probes"])["probes"].floor.tolist() == [40] * 5
    rows_ = sheets.recipes(found.ablation["recipes"], "here")["table-2"]
    assert rows_[rows_["measured on"] == "here"].mean_sd.tolist()[:2] == [0, 1.5]
    alone = sheets.individual(found.individual["individual"])
    assert alone["distances"].shape == (18 * 3, 3 + 3)
    assert alone["agreement"].groupby("family").size().tolist() == [10, 15, 15, 15]


def test_everything_in_one_zip(found: Measures, tmp_path: Path) -> None:
    place = places.Place("small", tmp_path / "model.safetensors", tmp_path)
    figures = {
        **sections.hearing_figures(found, "here"),
        **sections.leakage_figures(found, "here"),
        **criteria.figures(found, "here"),
    }
    tables = sheets.tests(found)
    archive = zipfile.ZipFile(io.BytesIO(takeaway.everything(place, tables, figures)))
    assert not archive.testzip()
    names = set(archive.namelist())
    assert {"tables/pseudo-mixes.csv", "figures.html", "figures.json"} < names
    assert len([name for name in names if name.startswith("measures/")]) == len(EVERYTHING)
    again = pd.read_csv(io.BytesIO(archive.read("tables/pseudo-mixes.csv")))
    assert again["mean"].tolist() == tables["pseudo-mixes"]["mean"].tolist()
    drawn = json.loads(archive.read("figures.json"))
    bars = drawn["P2, New backing, % right (here)"]["data"][0]
    assert bars["x"] == [90, 80, 70, 60, 50] and bars["y"] == list(INSTRUMENTS)
    page = archive.read("figures.html").decode()
    assert page.count("Plotly.newPlot(") >= len(figures) and 'src="http' not in page


# ---- figures and words ----------------------------------------------------------------------


def test_bars_never_reach_beyond_certainty(found: Measures) -> None:
    figure = charts.hearing(found.identity["composed"].lengths["3"])
    bars = figure.data[0]
    assert list(bars.error_x.array) == [1.0, 2.5, 2.5, 2.5, 2.5]  # 99 + 2.5 would be too much
    floors = {trace.name: list(trace.x) for trace in figure.data[2:4]}
    assert floors == {"mix statistics": [30] * 5, "untrained network": [20, 21, 22, 23, 24]}


def test_heat_maps_share_their_scale(found: Measures) -> None:
    maps = charts.heat_maps(found.individual["individual"].networks, TITLES)
    assert {figure.data[0].zmax for figure in maps.values()} == {0.6}


def test_what_is_not_quite_all_is_not_called_all() -> None:
    assert [words.whole(v) for v in (99.94, 100, 99.0, 0.4, 0, 54.4)] == [
        "99.9", "100", "99", "0.4", "0", "54",
    ]  # fmt: skip


def test_the_document_is_told_without_its_figures() -> None:
    document = about.DOCUMENT.read_text(encoding="utf-8")
    told = about.told(document)
    for section in ("What it learnt from", "How", "Where it fails"):
        assert f"\n#### {section}\n" in told
    mean = re.search(r"^\| mean \| \*\*([\d.]+)\*\*", document, re.M)
    assert "How well" not in told and mean is not None and mean[1] not in told
    assert "Reproduce" not in told


def test_the_header_in_words() -> None:
    card = read_card(demo() / "model.safetensors")
    header = about.header(card)
    assert header["Hash"] == card.hash and header["Seed"] == str(card.card["seed"])
    assert header["Mixes heard"] == f"{card.card['mixes_seen']:,}"
    assert header["Recipe"] == "stemwise" and "Went on from" not in header
    assert MODEL not in header.values()


def test_the_shipped_model_has_the_recipe_as_it_is() -> None:
    """So the page and the model card say; whoever changes the recipe mends the words, or trains."""
    card = read_card(demo() / "model.safetensors").card
    assert card["recipe"] == json.loads(json.dumps(asdict(STEMWISE)))
    assert card["mixes_seen"] == STEMWISE.mixes * STEMWISE.steps


def test_the_runs_before_are_told_and_counted() -> None:
    card = read_card(demo() / "model.safetensors")
    first = {"recipe": "one", "seed": 0, "steps": 1200, "mixes_seen": 3000, "model": "a" * 64}
    second = {"recipe": "two", "seed": 5, "steps": 90, "mixes_seen": 700, "model": "b" * 64}
    went_on = replace(card, card={**card.card, "before": {**second, "before": first}})
    header = about.header(went_on)
    assert header["Went on from"] == (
        "two, seed 5, 90 steps (bbbbbbbb); one, seed 0, 1,200 steps (aaaaaaaa)"
    )
    assert header["Mixes heard"] == f"{card.card['mixes_seen'] + 3700:,}"
    assert "Training took" not in header  # of the two before, nobody knows
