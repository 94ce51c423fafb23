"""The Results page as its code runs it: whose answers, what is said of them, what is taken away."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from csn.home import demo
from listening_test.simulate import simulate
from listening_test.store import Store, shared_store
from listening_test.store.export import export_zip
from listening_test.store.loading import load_tables
from listening_test.store.tables import read_tables
from pages.results_page import exhibit, screen, sources
from results import presets
from results.agreement import agreement
from results.exclusions import kept
from results.tables import percent
from results.weights import fit_weights
from tests import page_runs
from tests.listening_test import small_study
from tests.page_runs import run

PARTS = ("Agreement", "Ceiling", "Margins", "Habits", "Subspaces", "Focus", "Plan", "Report")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The app's own database in a home of its own; whoever looks is a visitor."""
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    monkeypatch.delenv("STEMWISE_DATABASE_URL", raising=False)
    monkeypatch.setattr(screen, "experimenter", lambda: None)
    with closing(shared_store()) as opened:
        yield opened


@pytest.fixture
def ada(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The same, and an experimenter looks."""
    monkeypatch.setattr(screen, "experimenter", lambda: "ada")
    return store


show = partial(page_runs.show, "results_page")


def text(page: AppTest) -> str:
    """All that is said in words."""
    kinds = ("markdown", "caption", "info", "warning", "error", "success", "html")
    return "\n".join(str(one.proto.body) for kind in kinds for one in page.get(kind))


@pytest.mark.parametrize("part", PARTS)
def test_a_visitor_sees_the_demo_in_every_part(store: Store, part: str) -> None:
    page = show(part=part.lower())
    said = text(page)
    assert "Simulated listeners" in page.warning[0].value
    answers = kept(load_tables(demo() / "study").answers)
    total = agreement(answers).overall
    assert total is not None and percent(total.share).replace(".", r"\.") in page.markdown[0].value
    assert page.query_params["part"] == part.lower()
    assert not page.error and "Upload" not in said
    wanted = {"Agreement": "Beside the published", "Ceiling": "no model can do better",
              "Margins": "Mixed logistic model", "Habits": "A was taken in",
              "Subspaces": "Of the 31 sets", "Focus": "On answers that were held out",
              "Plan": "Power", "Report": "R script"}  # fmt: skip
    assert wanted[part] in said


def test_an_experimenter_sees_studies_first(ada: Store) -> None:
    page = show()
    assert page.selectbox(key="results-source").options == ["Demo: simulated listeners"]
    draft = small_study.draft(ada, small_study.SETTINGS)
    assert draft.state == "draft"
    small_study.make(ada, small_study.SETTINGS)
    page = show()
    names = page.selectbox(key="results-source").options
    assert len(names) == 2 and names[0].endswith("version 1")
    said = text(page)
    assert "still running" in said and "Nobody has answered yet" in said
    page = show(study="99.1")
    assert "no such study" in text(page)


def test_a_study_of_simulated_listeners(ada: Store) -> None:
    version = small_study.make(ada, small_study.SETTINGS, simulated=True)
    simulate(ada, version.id, 3)
    page = show()
    assert "rehearsal" in page.warning[0].value
    total = agreement(read_tables(ada, [version.id]).answers).overall
    assert total is not None
    assert percent(total.share).replace(".", r"\.") in page.markdown[0].value
    page = show(part="focus")
    assert "at least 8 listeners" in text(page)


@pytest.mark.parametrize("answers", [1, None])
def test_one_listener_and_one_answer_give_sentences(
    ada: Store, monkeypatch: pytest.MonkeyPatch, answers: int | None
) -> None:
    version = small_study.make(ada, small_study.SETTINGS, simulated=True)
    simulate(ada, version.id, 1)
    tables = read_tables(ada, [version.id])
    asked = tables.answers[tables.answers["kind"].eq("trial")].head(answers or 10_000)
    one = replace(tables, answers=asked.reset_index(drop=True))
    monkeypatch.setattr(screen, "read", lambda _: one)
    for part in PARTS:
        page = show(part=part.lower())
        assert not page.error, (part, page.error)
        assert "Only one listener has answered" in text(page)


def test_more_answers_are_seen_at_once(ada: Store) -> None:
    version = small_study.make(ada, small_study.SETTINGS, simulated=True)
    simulate(ada, version.id, 2)
    page = show()
    before = [one.value for one in page.metric]
    simulate(ada, version.id, 2, seed=5)
    after = [one.value for one in run(page).metric]
    assert before[1] == "2" and after[1] == "4"


def test_an_uploaded_export(ada: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = load_tables(demo() / "study")
    page = show()
    page.session_state["results-upload"] = ("digest", "mine.zip", tables)
    run(page)
    select = page.selectbox(key="results-source")
    assert select.options[0] == "Uploaded: mine.zip"
    run(select.set_value("upload"))
    assert page.query_params["study"] == "upload"
    assert "1,536" in [one.value for one in page.metric]


def test_uploads_are_read_once_and_refused_in_words(
    ada: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    state: dict[str, Any] = {}
    monkeypatch.setattr(sources.st, "session_state", state)
    packed = io.BytesIO(export_zip(load_tables(demo() / "study"), ["parquet"]))
    sources.keep(packed, "mine.zip")
    first = state["results-upload"]
    sources.keep(packed, "mine.zip")
    assert state["results-upload"] is first and len(first[2].answers)
    with pytest.raises(Exception, match="lacks the column"):
        sources.keep(io.BytesIO(b"hello, world"), "no.csv")
    assert state["results-upload"] is first


def test_a_focus_is_saved_as_a_preset(ada: Store) -> None:
    page = show(study="demo", part="focus")
    page.text_input(key="focus-name").set_value("Simulated ears")
    run(next(b for b in page.button if b.label == "Save as preset").click())
    assert "Saved: Simulated ears" in text(page)
    [preset] = presets.saved()
    expected = fit_weights(kept(load_tables(demo() / "study").answers)).weights
    assert preset.weights == pytest.approx(expected.tolist(), abs=1e-4)
    assert preset.about["simulated"] is True
    page.text_input(key="focus-name").set_value("simulated EARS")
    run(next(b for b in page.button if b.label == "Save as preset").click())
    assert "already" in page.error[0].value
    page.text_input(key="focus-name").set_value("")
    run(next(b for b in page.button if b.label == "Save as preset").click())
    assert "needs a name" in page.error[0].value


def test_visitors_save_nothing(store: Store) -> None:
    page = show(part="focus")
    assert not [b for b in page.button if b.label == "Save as preset"]
    assert "signed in" in text(page)


def test_a_plan(store: Store) -> None:
    page = show(part="plan")
    run(page.multiselect(key="plan-Listeners").set_value(["6", "12"]))
    run(page.multiselect(key="plan-Triplets of each instrument").set_value(["8"]))
    run(page.button(key="plan-go").click())
    table = next(str(one.proto.body) for one in page.get("html") if "<td>12</td>" in one.proto.body)
    assert table.count("<tr>") == 3
    run(page.radio(key="plan-from").set_value("Assumed"))
    run(page.number_input(key="plan-share").set_value(99.0))
    run(page.button(key="plan-go").click())
    run(page.multiselect(key="plan-Listeners").set_value([]))
    run(page.button(key="plan-go").click())
    assert "at least one number" in text(page)


def test_a_report_is_made(store: Store) -> None:
    page = show(part="report")
    page.button_group(key="report-formats").set_value([])
    run(page)
    run(page.button(key="report-go").click())
    what, name, packed, problems = page.session_state["results-report"]
    assert name.startswith("report-demo-simulated-listeners-") and what[0] == "demo"
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = [one.removeprefix(f"{name}/") for one in archive.namelist()]
        assert {"report.html", "answers/mixed-model.R", "tables/agreement.csv"} <= {*names}
        rows = pd.read_csv(archive.open(f"{name}/tables/agreement.csv"))
    expected = agreement(kept(load_tables(demo() / "study").answers)).table
    assert rows["agreeing"].tolist() == expected["agreeing"].tolist()
    assert not problems


def test_a_figure_for_print() -> None:
    import plotly.graph_objects as go

    figure = go.Figure(go.Bar(x=["a"], y=[1])).update_layout(width=300, height=200)
    assert exhibit.drawn(figure, "svg").lstrip().startswith(b"<svg")


def test_people_and_simulated_listeners_are_never_mixed(
    ada: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = load_tables(demo() / "study")
    mixed = tables.answers.copy()
    mixed.loc[mixed["listener_id"] == mixed["listener_id"].iloc[0], "simulated"] = False
    monkeypatch.setattr(screen, "read", lambda _: type(tables)(**vars(tables) | {"answers": mixed}))
    monkeypatch.setattr(
        screen, "analysed", lambda _, t, everyone: sources.analyse(t.answers, everyone=everyone)
    )
    page = show()
    assert len(page.error) == 1 and "simulated" in page.error[0].value.lower()
