import asyncio
import json
import re
import threading
import xml.etree.ElementTree as ET
from contextlib import closing
from dataclasses import replace

import kaleido
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from listening_test.simulate import simulate
from listening_test.store import open_store
from listening_test.store.columns import TABLES, TYPES
from listening_test.store.loading import load_answers
from listening_test.store.tables import Tables, read_tables
from listening_test.study import Exclusion, Settings
from results import cli, images
from results.agreement import agreement
from results.analysis import analyse
from results.errors import ResultsError
from results.figures import figures
from results.mixed import mixed
from results.page import page
from results.published import CSN_TABLE_3
from results.report import write_report
from results.simulation import Crowd, simulated_answers
from results.tables import Table, tables
from tests.browser.conftest import until
from tests.listening_test import small_study
from tests.results import made

SETTINGS = replace(
    small_study.SETTINGS, per_instrument=1, catch=2, repeats=2, confidence=True,
    exclusion=Exclusion(catch=0.99),
)  # fmt: skip


@pytest.fixture(scope="module")
def answers():
    table = simulated_answers(Crowd(listeners=10, triplets=8, repeats=2, catch=2, seed=5))
    table["excluded"] = table["listener_id"] == 4
    return table.assign(exclusion=np.where(table["excluded"], "a rule", None))


@pytest.fixture(scope="module")
def found(answers):
    return analyse(answers)


def as_tables(answers):
    """What the store would say: the codebook's columns, in its types."""

    def typed(values, kind):
        return values.astype(object).where(values.notna(), None).astype(TYPES[kind])

    tables = {
        name: pd.DataFrame(
            {
                item.name: typed(
                    table.get(item.name, pd.Series([None] * len(table), dtype=object)), item.kind
                )
                for item in TABLES[name]
            }
        )
        for name, table in (
            dict.fromkeys(TABLES, pd.DataFrame()) | {"answers": answers.reset_index(drop=True)}
        ).items()
    }
    settings = {(1, 1): Settings(title="<b>Tones</b> & more")}
    return Tables(**tables, settings=settings, withdrawn={(1, 1): 0})


def test_the_front_door_asks_every_question(answers, found):
    kept = answers[answers["listener_id"] != 4]
    assert found.agreement == agreement(kept)
    assert found.exclusions.everyone == agreement(answers)
    assert found.mixed.table.equals(mixed(kept).table)
    assert (found.n, found.listeners, found.triplets) == (9 * 32, 9, 32)
    assert found.simulated
    assert any("leave out 1 of 10 listeners" in note for note in found.notes)
    assert analyse(answers, everyone=True).listeners == 10


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "Nobody has answered yet"),
        ([(1, 1, True)], "Only one listener"),
        ([(1, b, b > 2) for b in range(6)], "Only one listener"),
        ([(a, 1, a > 2) for a in range(6)], "Only one triplet"),
        ([(a, b, True) for a in range(3) for b in range(3)], "All answers are alike"),
    ],
)
def test_small_studies_get_sentences(rows, said, tmp_path):
    table = made.answers(rows)
    found = analyse(table)
    assert any(said in note for note in found.notes)
    whole = as_tables(table)
    _, problems = write_report(whole, tmp_path / "report", formats=())
    text = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert said in text
    assert "NaN" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert all(isinstance(problem, str) for problem in problems)


def test_people_and_simulated_listeners_make_no_report(answers, tmp_path):
    people = answers.head(20).assign(simulated=False)
    with pytest.raises(ResultsError, match="apart from each other"):
        write_report(as_tables(pd.concat([answers, people])), tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_every_table_is_numbers_and_words(found):
    made_tables = tables(found, CSN_TABLE_3)
    assert set(made_tables) == {
        "agreement", "as-published", "exclusions", "confidence", "mixed-model", "curve",
        "ceiling", "spaces", "behaviour",
    }  # fmt: skip
    shown = made_tables["agreement"].shown.set_index(["instrument", "set"])
    row = found.agreement.cell("bass")
    assert shown.loc[("bass", "total"), "agree %"] == f"{100 * row.share:.1f}"
    low, high = re.findall(r"[\d.]+", shown.loc[("bass", "total"), "95 % interval"])
    assert float(low) == pytest.approx(100 * row.low, abs=0.05)
    assert float(high) == pytest.approx(100 * row.high, abs=0.05)
    printed = made_tables["as-published"].shown
    assert "70.8 ± 8.2" in set(printed["CSN"])
    back = pd.read_csv(pd.io.common.StringIO(made_tables["agreement"].csv()))
    assert back["share"].tolist() == pytest.approx(found.agreement.table["share"].tolist())
    for table in made_tables.values():
        assert table.shown.map(lambda cell: isinstance(cell, str)).all(axis=None)
        lines = table.latex().splitlines()
        body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
        assert len(body) == len(table.shown)
        columns = table.shown.shape[1]
        assert all(len(re.findall(r"(?<!\\)&", line)) == columns - 1 for line in body)


def test_latex_escapes_what_it_must():
    odd = pd.DataFrame({"a_b": ["50 % & $x_1$ {y} #\\ ~^"]})
    text = Table("Title", odd, odd).latex()
    assert r"a\_b" in text
    assert r"50 \% \& \$x\_1\$ \{y\} \#\textbackslash{} \textasciitilde{}\textasciicircum{}" in text


def test_figures_show_the_tables_numbers(found):
    drawn = figures(found, CSN_TABLE_3)
    assert set(drawn) == {
        "agreement", "sureness", "curve", "mixed-model", "ceiling", "radar", "spaces",
        "exclusions", "times",
    }  # fmt: skip
    shares = [
        y for trace in drawn["agreement"].data for y in (trace.y if trace.y is not None else ())
    ]
    for row in found.agreement.rows[:-1]:
        assert 100 * row.share in shares
    bars = drawn["sureness"].data
    assert sum(sum(bar.y) for bar in bars) == found.n
    spaces = drawn["spaces"].data[0]
    assert len(spaces.x) == 31
    for figure in drawn.values():
        assert figure.layout.width
        assert figure.layout.height


def test_the_page_needs_nothing_else_and_trusts_nobody(found):
    drawn = figures(found)
    text = page("<script>x</script>", "l", ["<img src=x>"], tables(found), drawn, simulated=True)
    own = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    own = re.sub(r'<script type="text/javascript">.*?</script>', "", own, flags=re.DOTALL)
    assert "&lt;script&gt;" in own
    assert "<img" not in own
    assert not re.findall(r"""(?:src|href)=["'][^"']""", own)
    assert "Simulated listeners: no result about people" in own


@pytest.fixture(scope="module")
def report(answers, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "out"
    steps = []
    _, problems = write_report(
        as_tables(answers), out, formats=("svg",), progress=lambda words, part: steps.append(part)
    )
    assert steps == sorted(steps)
    assert steps[-1] == 1
    return out, problems


def test_the_report_is_whole(report, answers):
    out, problems = report
    assert problems == ()
    drawn = {file.stem for file in (out / "figures").iterdir()}
    assert {"agreement", "radar", "spaces", "weights"} <= drawn
    for file in (out / "figures").iterdir():
        assert ET.fromstring(file.read_bytes()).tag.endswith("svg")
    for table in (out / "tables").glob("*.csv"):
        assert len(pd.read_csv(table))
        assert table.with_suffix(".tex").read_text(encoding="utf-8").startswith(r"\begin{table}")
    again = load_answers(out / "answers")
    assert agreement(again) == agreement(answers)
    assert (out / "answers" / "codebook.md").is_file()
    assert (out / "answers" / "mixed-model.R").is_file()
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert (summary["answers"], summary["simulated"]) == (288, True)
    assert "&lt;b&gt;Tones" in (out / "report.html").read_text(encoding="utf-8")


def test_figures_for_print(found, tmp_path):
    figure = figures(found)["curve"]
    png, pdf = images.write_images({"curve": figure}, tmp_path, ("png", "pdf"))
    with Image.open(png) as drawn:
        assert drawn.size == (3 * figure.layout.width, 3 * figure.layout.height)
        assert len(drawn.convert("RGB").getcolors(1 << 24)) > 50
    assert pdf.read_bytes()[:4] == b"%PDF"


def test_a_browser_that_goes_without_a_word_keeps_nobody_waiting(found, tmp_path, monkeypatch):
    tell = kaleido.Kaleido.send_command

    async def mute(self, command, *arguments, **more):
        if command == "Browser.close":
            self.subprocess.kill()
            self.subprocess.wait()
            await asyncio.Event().wait()  # its answer never comes
        return await tell(self, command, *arguments, **more)

    monkeypatch.setattr(kaleido.Kaleido, "send_command", mute)
    monkeypatch.setattr(images, "_CLOSES", 0.5)
    threads = threading.active_count()
    [svg] = images.write_images({"curve": figures(found)["curve"]}, tmp_path, ["svg"])
    assert ET.fromstring(svg.read_bytes()).tag.endswith("svg")
    until(lambda: threading.active_count() <= threads)


def test_a_browser_that_never_starts_is_one_sentence(found, tmp_path, monkeypatch):
    async def silent(self):
        await asyncio.Event().wait()

    monkeypatch.setattr(kaleido.Kaleido, "populate_targets", silent)
    monkeypatch.setattr(images, "_STARTS", 2.0)
    with pytest.raises(ResultsError, match="did not start within 2 s; try again when"):
        images.write_images({"curve": figures(found)["curve"]}, tmp_path, ["svg"])


def test_a_report_never_writes_over_another(report, answers):
    out, _ = report
    before = sorted(out.rglob("*"))
    with pytest.raises(ResultsError, match="something in it already"):
        write_report(as_tables(answers), out)
    assert sorted(out.rglob("*")) == before
    assert [file.name for file in out.parent.iterdir()] == ["out"]


def test_without_a_browser_the_page_is_still_made(answers, tmp_path, monkeypatch):
    monkeypatch.setattr(images, "browser", lambda: None)
    _, problems = write_report(as_tables(answers), tmp_path / "out")
    assert "Chromium" in problems[0]
    assert problems[0].split(";")[0] in (tmp_path / "out" / "report.html").read_text("utf-8")
    with pytest.raises(ResultsError, match="choose png"):
        images.write_images({}, tmp_path, ["gif"])


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A small study that simulated listeners took, where the command line looks for it."""
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path / "home"))
    with closing(open_store()) as store:
        version = small_study.make(store, SETTINGS, simulated=True)
        simulate(store, version.id, 3)
        return read_tables(store, [version.id])


def test_the_command_line(study, tmp_path, capsys):
    assert cli.main(["agreement", "1", "--json", "--everyone"]) == 0
    rows = json.loads(capsys.readouterr().out)
    expected = agreement(study.answers)
    assert [row["agreeing"] for row in rows] == [row.agreeing for row in expected.rows]
    assert cli.main(["agreement", "1"]) == 0
    assert "95 % interval" in capsys.readouterr().out
    assert cli.main(["report", "1", "--out", str(tmp_path / "out"), "--figures"]) == 0
    assert "simulated" in capsys.readouterr().out
    assert (tmp_path / "out" / "report.html").is_file()
    assert cli.main(["report", "9", "--out", str(tmp_path / "no")]) == 2
    assert "There is no study 9" in capsys.readouterr().err
    folder = str(tmp_path / "out" / "answers")
    assert cli.main(["agreement", folder, "--json", "--everyone"]) == 0
    assert json.loads(capsys.readouterr().out) == rows
    assert cli.main(["report", folder, "--out", str(tmp_path / "again"), "--figures"]) == 0
    assert capsys.readouterr().out.endswith("report.html\n")
    assert cli.main(["weights", "1"]) == 2
    assert "at least 8 listeners" in capsys.readouterr().err
    assert cli.main(["plan", "--listeners", "4", "--triplets", "4", "--share", "0.9"]) == 0
    assert "power" in capsys.readouterr().out
    assert cli.main(["votes", str(tmp_path / "none.csv")]) == 2
    assert "cannot be read" in capsys.readouterr().err
