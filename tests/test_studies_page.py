"""The Studies page as its code runs it: drafts, launches, links, listeners. Nothing here draws."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from listening_test import background
from listening_test.simulate import simulate
from listening_test.store import Store, shared_store
from listening_test.store.listeners import invite, list_listeners, withdraw
from listening_test.store.studies import (
    archive,
    close,
    get_version,
    list_studies,
    new_version,
    sound_rows,
    triplet_rows,
)
from listening_test.study import PRESETS, Question, Settings
from pages.studies import form, imported, links, questions, screen, sounds, words
from tests import page_runs
from tests.listening_test import small_study
from tests.page_runs import run


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The app's own database in a home of its own, and an experimenter who is signed in."""
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    monkeypatch.delenv("STEMWISE_DATABASE_URL", raising=False)
    monkeypatch.setattr(screen, "require_experimenter", lambda: "ada")
    with closing(shared_store()) as opened:
        yield opened


show = partial(page_runs.show, "studies")


def control(test: AppTest, name: str) -> Any:
    """The control of a setting, by the name of the setting."""
    kinds = ("text_input", "text_area", "number_input", "radio", "toggle", "selectbox",
             "button_group")  # fmt: skip
    for kind in kinds:
        for widget in test.get(kind):
            if str(widget.key).endswith(f"-{name}"):
                return widget
    raise AssertionError(f"there is no control for {name}")


def only_draft(store: Store) -> Settings:
    [(_, [version])] = list_studies(store)
    return version.settings


# ---- the list and the form ------------------------------------------------------------------


def test_an_empty_page_offers_the_presets(store: Store) -> None:
    page = show()
    assert page.title[0].value == "Your first study"
    said = "\n".join(str(item.value) for item in page.markdown)
    for name in PRESETS:
        assert words.PRESET_NAMES[name] in said
        assert page.button(key=f"start-{name}").label == "Start from this"


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_becomes_a_draft_whatever_the_form_shows(store: Store, preset: str) -> None:
    page = show()
    run(page.button(key=f"start-{preset}").click())
    assert only_draft(store) == PRESETS[preset]
    assert page.query_params["study"] == "1"
    run(page)  # drawing the form alone changes nothing
    assert only_draft(store) == PRESETS[preset]


def test_every_setting_has_a_control(store: Store) -> None:
    """What can be decided can be decided on the page; the rest is found in another place."""
    small_study.draft(store, replace(PRESETS["recommended"], completion="redirect"))
    page = show(study=1)
    elsewhere = {"triplets", "questions", "exclusion", "consent"}
    for item in fields(Settings):
        if item.name not in elsewhere:
            control(page, item.name)
    for name in ("rule-catch", "rule-one_sided", "fastest", "passed", "consent-en"):
        control(page, name)


def test_changes_are_kept_at_once(store: Store) -> None:
    page = show()
    run(page.button(key="start-csn").click())
    run(control(page, "per_instrument").set_value(3))
    run(control(page, "title").set_value("Drums & <b>others</b>"))
    run(control(page, "focus").set_value("timbre"))
    run(control(page, "confidence").set_value(True))
    run(control(page, "sets").set_value([2]))
    run(control(page, "trials").set_value(10))
    run(control(page, "rule-one_sided").set_value(85))
    run(control(page, "consent-en").set_value("Our own words."))
    want = replace(
        PRESETS["csn"], per_instrument=3, title="Drums & <b>others</b>", focus="timbre",
        confidence=True, sets=(2,), trials=10, consent="Our own words.",
        exclusion=replace(PRESETS["csn"].exclusion, one_sided=0.85),
    )  # fmt: skip
    assert only_draft(store) == want
    # Another browser, later: everything is there.
    other = show(study=1)
    assert control(other, "per_instrument").value == 3
    assert control(other, "title").value == want.title
    assert other.metric[0].value == "10"
    assert only_draft(store) == want


def test_what_makes_no_sense_is_said_beside_the_form_and_kept(store: Store) -> None:
    page = show()
    run(page.button(key="start-recommended").click())
    run(control(page, "catch").set_value(0))
    assert [warning.value for warning in page.warning] == [
        "There is a rule about catch trials, but no catch trials."
    ]
    assert only_draft(store).catch == 0
    run(control(page, "rule-catch").set_value(0))
    assert not page.warning
    assert only_draft(store).exclusion.catch is None


def test_a_number_may_stand_for_nothing(store: Store) -> None:
    page = show()
    run(page.button(key="start-recommended").click())

    def kept() -> tuple[float | None, ...]:
        rules = only_draft(store).exclusion
        return only_draft(store).trials, rules.catch, rules.one_sided, rules.fastest

    for name, value in (("trials", 5), ("rule-catch", 70), ("rule-one_sided", 90), ("fastest", 2)):
        run(control(page, name).set_value(value))
    assert kept() == (5, 0.7, 0.9, 2.0)
    for name, value in (("trials", 0), ("rule-catch", 0), ("rule-one_sided", 100), ("fastest", 0)):
        run(control(page, name).set_value(value))
    assert kept() == (None,) * 4


def test_another_protocol_brings_what_it_needs(store: Store) -> None:
    page = show()
    run(page.button(key="start-csn").click())
    run(control(page, "protocol").set_value("criterion"))
    assert control(page, "instruments").value == ["mix", "drums", "bass", "piano", "guitar"]
    assert only_draft(store) == replace(PRESETS["ind"], title=PRESETS["csn"].title)
    run(control(page, "protocol").set_value("track"))
    assert control(page, "instruments").value == ["drums", "bass", "piano", "guitar"]
    run(control(page, "protocol").set_value("triplets"))
    assert "No triplets were imported yet" in page.warning[0].value


def test_the_consent_text_follows_the_language_unless_it_is_ones_own(store: Store) -> None:
    page = show()
    run(page.button(key="start-csn").click())
    english = control(page, "consent-en").value
    run(control(page, "language").set_value("ja"))
    japanese = control(page, "consent-ja").value
    assert japanese != english and japanese == replace(Settings(), language="ja").consent_text
    assert only_draft(store) == replace(PRESETS["csn"], language="ja")


def test_two_people_at_one_draft_lose_nothing(store: Store) -> None:
    first = show()
    run(first.button(key="start-csn").click())
    second = show(study=1)
    run(control(first, "per_instrument").set_value(5))
    run(control(second, "practice").set_value(4))  # still shows eight to this person
    want = replace(PRESETS["csn"], per_instrument=5, practice=4)
    assert only_draft(store) == want
    assert control(second, "per_instrument").value == 5
    run(first)
    assert control(first, "practice").value == 4
    assert only_draft(store) == want


def test_merging_takes_only_what_was_changed() -> None:
    seen, stored = Settings(), Settings(catch=3, seed=9)
    assert form.merged(seen, replace(seen, seed=1), stored) == Settings(catch=3, seed=1)
    assert form.merged(seen, seen, stored) == stored


def test_a_launched_version_cannot_be_changed(store: Store) -> None:
    small_study.make(store)
    page = show(study=1, part="design")
    assert "stays as it is" in page.info[0].value
    assert control(page, "per_instrument").disabled and control(page, "title").disabled


def test_a_study_file_comes_back_as_the_same_study(store: Store) -> None:
    settings = replace(PRESETS["recommended"], title="From afar", seed=77)
    page = show()
    run(page.get("file_uploader")[0].upload("bad.json", b"{}", "application/json"))
    assert "not a study file" in page.error[0].value
    assert list_studies(store) == []
    file = ("study.json", settings.to_json().encode(), "application/json")
    run(page.get("file_uploader")[0].upload(*file))
    assert only_draft(store) == settings


# ---- words ----------------------------------------------------------------------------------


def test_presets_differ_from_their_papers_in_nothing_but_what_is_recommended() -> None:
    assert words.differences(PRESETS["csn"]) == []
    assert words.differences(PRESETS["ind"]) == []
    lines = words.differences(PRESETS["recommended"])
    changed = [
        item.name
        for item in fields(Settings)
        if getattr(PRESETS["recommended"], item.name) != getattr(PRESETS["csn"], item.name)
        and item.name not in ("title", "questions")
    ]
    assert len(lines) == len(changed) > 0
    assert "Catch trials: 4 (CSN: none)" in lines


def test_every_setting_has_a_name() -> None:
    assert set(words.LABELS) == {item.name for item in fields(Settings)}


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (PRESETS["csn"], "4 × 8 × 2"),
        (PRESETS["ind"], "5 × 8"),
        (replace(PRESETS["csn"], trials=32, catch=1), "32 of 4 × 8 × 2 + 1 catch trial"),
        (replace(PRESETS["csn"], repeats=6, catch=4), "4 × 8 × 2 + 4 catch trials + 6 repeats"),
    ],
)
def test_the_arithmetic_of_trials(settings: Settings, text: str) -> None:
    assert words.arithmetic(settings) == text
    of = text.split(" of ")
    total = eval(of[-1].split(" + ")[0].replace("×", "*"))
    assert settings.asked == total


@pytest.mark.parametrize(
    ("gone", "said"),
    [(3, "just now"), (61, "1 minute ago"), (7300, "2 hours ago"), (90000, "1 day ago")],
)
def test_how_long_ago(gone: float, said: str) -> None:
    assert words.ago(1000.0, 1000.0 + gone) == said
    assert words.ago(None) == "not yet"


@pytest.mark.parametrize("settings", [*PRESETS.values(), replace(PRESETS["ind"], language="ja")])
def test_the_question_is_shown_as_listeners_read_it(store: Store, settings: Settings) -> None:
    small_study.create_study(store, settings, "ada")
    said = [str(item.value) for item in show(study=1).caption]
    words_of = {"track": "*drums* more like X", "criterion": "more like X, *as a whole*"}
    want = "*全体として*" if settings.language == "ja" else words_of[settings.protocol]
    assert any("Listeners read" in text and want in text for text in said)


# ---- the questionnaire and imported triplets ------------------------------------------------

ASKED = (
    Question("age", "How old are you?", "number", required=True),
    Question("rooms", "Where?", "choice", ("At home", "Outside")),
    Question("remarks", "Anything else?"),
)


def test_questions_survive_the_table() -> None:
    assert questions.from_table(questions.table(ASKED).to_dict("records")) == ASKED
    assert questions.from_table(questions.table(()).to_dict("records")) == ()


def test_rows_as_the_editor_leaves_them_become_questions() -> None:
    rows: list[dict[str, Any]] = [
        {"label": "  How well do you hear? ", "kind": "Steps of a scale", "options": "1; 2 ;3;",
         "required": None, "id": None},
        {"label": "How well do you hear?", "kind": None, "options": np.nan, "required": True,
         "id": ""},
        {"label": None, "kind": "Words", "options": None, "required": None, "id": None},
        {"label": "好きな音楽", "kind": "Words", "options": "", "required": False, "id": ""},
    ]  # fmt: skip
    found = questions.from_table(rows)
    assert found == (
        Question("how_well_do_you_hear", "How well do you hear?", "scale", ("1", "2", "3")),
        Question("how_well_do_you_hear_2", "How well do you hear?", "text", (), True),
        Question("question_3", "好きな音楽"),
    )
    assert Settings(questions=found).check()


def test_a_csv_of_triplets_is_taken_or_its_lines_are_named(store: Store) -> None:
    page = show()
    run(page.button(key="start-csn").click())
    run(control(page, "protocol").set_value("triplets"))
    bad = b"instrument,x_piece,a_piece,b_piece\ndrums,T1,T2,T3\nviolin,T1,T2,T3\ndrums,T1,,T3\n"
    run(page.get("file_uploader")[0].upload("bad.csv", bad, "text/csv"))
    [error] = [item.value for item in page.error]
    assert "Line 3" in error and "violin" in error and "Line 4" in error and "Line 2" not in error
    assert only_draft(store).triplets == ()
    good = imported._EXAMPLE.encode()
    run(page.get("file_uploader")[0].upload("good.csv", good, "text/csv"))
    [row] = only_draft(store).triplets
    assert (row["instrument"], row["a_piece"], row["a_start"]) == ("drums", "Track00671", 12.5)
    assert not page.warning


# ---- sounds, launch, links ------------------------------------------------------------------


def test_while_sounds_are_made_the_page_says_how_far_it_is(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = background.Job("Choosing excerpts", 0.5)
    begun = []
    monkeypatch.setattr(background, "prepare", lambda *args: begun.append(args))
    page = show()
    run(page.button(key="start-csn").click())
    run(page.get("button_group")[0].set_value("Sounds"))
    assert page.button(key="launch").disabled
    monkeypatch.setattr(background, "job", lambda version_id: job if begun else None)
    run(page.button(key="prepare").click())
    assert [version_id for version_id, _ in begun] == [1]
    [bar] = page.get("progress")
    assert bar.proto.value == 50
    assert bar.proto.text == "Choosing excerpts · a few seconds left"
    version = get_version(store, 1)
    made = small_study.prepared(version.settings, version.folder)
    small_study.store_prepared(store, 1, made, version.settings)
    job.done = True
    run(page)
    metrics = {item.label: item.value for item in page.metric}
    assert metrics["Sets"] == "64" and metrics["Loudness, LUFS"] == "-23.0"
    assert "One refusal" in "".join(str(item.value) for item in page.markdown)
    assert not page.button(key="launch").disabled


def test_what_went_wrong_while_nobody_looked_is_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_study.create_study(store, PRESETS["csn"], "ada")
    job = background.Job(problem="The library has vanished.", done=True)
    monkeypatch.setattr(background, "job", lambda version_id: job)
    page = show(study=1, part="sounds")
    assert [error.value for error in page.error] == ["The library has vanished."]
    assert page.button(key="prepare")


def test_the_table_of_triplets_is_what_the_store_has(store: Store) -> None:
    version = small_study.draft(store)
    rows = [row for row in triplet_rows(store, version.id) if not row.practice]
    files = {row.id: row for row in sound_rows(store, version.id)}
    table = sounds.triplet_table(rows, files, {"drums-x0": "A title"})
    assert len(table) == 16 and table["x"][0] == "A title"
    assert table["First"][0] == "a: drums-a0" and table["Second"][1] == "c: drums-c0"
    for shown, row in zip(table.to_dict("records"), rows, strict=True):
        first, second = row.distances["mix"][row.instrument]
        assert shown["d first"] == first and shown["d second"] == second
        nearer = ("a", "b") if row.set == 1 else ("y", "c")
        assert shown["Model"] == nearer[0 if first < second else 1]
        assert shown["Margin"] == pytest.approx(second - first)


def test_launch_asks_first(store: Store) -> None:
    version = small_study.draft(store)
    page = show(study=1)
    run(page.button(key="launch").click())
    assert get_version(store, version.id).state == "draft"
    assert page.button(key="launch-yes").label == "Launch and freeze"
    assert any("nothing about this version can be changed" in str(m.value) for m in page.markdown)


def test_what_a_version_offers_depends_on_its_state(store: Store) -> None:
    version = small_study.make(store)
    page = show(study=1)
    run(page.button(key="close").click())
    assert get_version(store, version.id).state == "live"
    close(store, version.id)
    run(page)
    run(page.button(key="reopen").click())
    assert get_version(store, version.id).state == "live"
    run(page.button(key="new-version").click())
    assert page.query_params["version"] == "2"
    assert [v.state for v in list_studies(store)[0][1]] == ["draft", "live"]
    assert "new-version" not in [button.key for button in page.button]  # one draft is enough
    run(page.button(key=f"v{version.id}").click())
    assert page.query_params["version"] == "1"


def test_what_was_archived_comes_back(store: Store) -> None:
    small_study.draft(store)
    archive(store, 1)
    page = show()
    assert page.title[0].value == "Your first study"
    run(page.button(key="back-1").click())
    assert page.title[0].value == "Studies" and len(list_studies(store)) == 1


def test_the_preview_is_one_listener_who_never_counts(store: Store) -> None:
    version = small_study.draft(store)
    page = show(study=1, part="links")
    run(page)
    [look] = list_listeners(store, version.id, previews=True)
    assert look.preview and list_listeners(store, version.id) == []
    addresses = [item.proto.url for item in page.get("link_button")]
    assert [address.rsplit("/t/")[1] for address in addresses] == [look.token]
    run(page.button(key="preview-again").click())
    newest = list_listeners(store, version.id, previews=True)[-1]
    assert newest != look
    assert page.get("link_button")[0].proto.url.endswith(f"/t/{newest.token}")


def test_links_for_everybody_and_for_each(store: Store) -> None:
    version = small_study.make(store)
    page = show(study=1, part="links")
    [link] = [item.value for item in page.code if "/join/" in item.value and "?" not in item.value]
    assert link.endswith(f"/join/{version.join_token}")
    panel = [item.value for item in page.code if "?id=" in item.value]
    assert panel == [link + "?id={{%PROLIFIC_PID%}}"]
    page.text_area(key="labels").set_value("Ada\n\n =SUM(A1) \nこずえ")
    run(next(button for button in page.button if button.label == "Make the links").click())
    made = list_listeners(store, version.id)
    assert [one.label for one in made] == ["Ada", "=SUM(A1)", "こずえ"]
    shown = page.dataframe[0].value
    assert [address.rsplit("/t/")[1] for address in shown["link"]] == [one.token for one in made]


def test_links_as_csv_are_safe_in_a_spreadsheet() -> None:
    rows = [{"number": "1", "label": '=HYPERLINK("x")', "link": "http://h/t/1"},
            {"number": "2", "label": 'a, "b"', "link": "http://h/t/2"}]  # fmt: skip
    back = list(csv.DictReader(io.StringIO(links.as_csv(rows))))
    assert back[0]["label"] == '\'=HYPERLINK("x")'
    assert back[1] == rows[1]


def test_the_qr_code_says_the_link() -> None:
    """Its modules, drawn again, are those of the matrix that the encoder made."""
    import re

    import segno

    svg = links.qr("https://example.org/join/abc")
    size = int(re.search(r'width="(\d+)"', svg)[1])  # type: ignore[index]
    want = segno.make("https://example.org/join/abc", error="m", micro=False)
    assert size == want.symbol_size(scale=6)[0]
    picture = Image.new("1", want.symbol_size(scale=1), 1)
    draw = ImageDraw.Draw(picture)
    x = y = 0.0
    path = re.search(r'class="qrline"[^>]* d="([^"]+)"', svg)[1]  # type: ignore[index]
    for mark, a, b in re.findall(r"([Mmh])(-?[\d.]+)(?:[ ]?(-?[\d.]+))?", path):
        if mark == "M":
            x, y = float(a), float(b)
        elif mark == "m":
            x, y = x + float(a), y + float(b)
        else:
            draw.line([(x, int(y)), (x + float(a) - 1, int(y))], fill=0)
            x += float(a)
    drawn = ~np.asarray(picture)[4:-4, 4:-4]
    assert (drawn == np.array([list(row) for row in want.matrix], bool)).all()


# ---- listeners ------------------------------------------------------------------------------


def test_listeners_are_shown_as_they_are(store: Store) -> None:
    version = small_study.make(store, simulated=True)
    finished = simulate(store, version.id, 2, seed=1)
    invite(store, version.id, labels=("Late <b>",), simulated=True)
    withdraw(store, finished[1].id)
    page = show(study=1)
    assert page.query_params["part"] == "listeners"
    metrics = {item.label: item.value for item in page.metric}
    assert metrics["Finished"] == "1" and metrics["Withdrawn"] == "1"
    assert metrics["Answers"] == "16"
    table = page.dataframe[0].value
    assert table["State"].tolist() == ["finished", "withdrawn", "invited"]
    assert table["Answers"].tolist() == ["16 of 16", "16 of 16", "0 of 16"]
    assert table["Label"].tolist() == ["", "", "Late <b>"]


def test_states_in_words(store: Store) -> None:
    version = small_study.make(store, simulated=True)
    one = simulate(store, version.id, 1)[0]
    withdraw(store, one.id, erase=True)
    from listening_test.store.progress import progress

    [row] = progress(store, version)
    assert row.state == "withdrawn, erased"
    assert (row.answered, row.erased) == (0, 16 + 1)  # practice too


def test_going_elsewhere_opens_the_part_that_is_meant(store: Store) -> None:
    page = show()
    run(page.button(key="start-csn").click())
    run(page.button(key="next").click())
    assert page.query_params["part"] == "sounds"
    assert page.get("button_group")[0].value == "Sounds"
    assert page.button(key="prepare")


def test_an_unknown_study_is_said(store: Store) -> None:
    assert "no such study" in show(study=99).warning[0].value


def test_new_versions_show_their_own_listeners(store: Store) -> None:
    version = small_study.make(store)
    invite(store, version.id, 3)
    draft = new_version(store, version.id)
    page = show(study=1, version=draft.number, part="listeners")
    assert "as soon as the study is launched" in page.info[0].value
    page = show(study=1, version=1, part="listeners")
    assert isinstance(page.dataframe[0].value, pd.DataFrame)
    assert len(page.dataframe[0].value) == 3
