"""Every word a listener reads, in every language, and what the listener's page is made of."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from csn.instruments import COLOURS, INSTRUMENTS
from listening_test.study import FOCI, HEADPHONES, LANGUAGES, METHODS
from listening_test.triplets import MIX

ROOM = Path(__file__).resolve().parents[2] / "listening_test"
WEB = ROOM / "web"
TEXTS = {name: json.loads((ROOM / f"texts/{name}.json").read_text("utf-8")) for name in LANGUAGES}
SCRIPTS = {file.name: file.read_text("utf-8") for file in sorted(WEB.glob("*.js"))}
PLURALS = {"en": {"one", "other"}, "ja": {"other"}}  # of Unicode's CLDR


def forms(text: Any) -> list[str]:
    return list(text.values()) if isinstance(text, dict) else [text]


def placeholders(text: Any) -> set[str]:
    return {name for form in forms(text) for name in re.findall(r"\{(\w+)\}", form)}


def test_every_language_says_everything_with_the_same_numbers_and_names():
    assert {file.stem for file in (ROOM / "texts").glob("*.json")} == {*LANGUAGES} == {*PLURALS}
    first, *others = LANGUAGES
    for other in others:
        assert TEXTS[other].keys() == TEXTS[first].keys()
        assert [*TEXTS[other]] == [*TEXTS[first]]  # in the same order, for who translates
        for key, text in TEXTS[first].items():
            assert placeholders(TEXTS[other][key]) == placeholders(text), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_those_of_the_language(language):
    for key, text in TEXTS[language].items():
        if isinstance(text, dict):
            assert "other" in text, key
            assert {*text} <= PLURALS[language], key
            assert "n" in placeholders(text), key
            assert len({frozenset(re.findall(r"\{(\w+)\}", form)) for form in forms(text)}) == 1
        for form in forms(text):
            assert form.strip() == form or key == "comma", key
            assert form, key
            assert form.count("*") in (0, 2), key


def used() -> tuple[set[str], set[str]]:
    """Keys that stand in the scripts as they are, and the fixed beginnings of those made there."""
    source = "\n".join(SCRIPTS.values())
    quoted = set(re.findall(r'"([a-z][\w-]*(?:\.[\w-]+)*)"', source, re.IGNORECASE))
    made = set(re.findall(r"`([a-z][\w.]*\.)\$\{", source))
    return quoted, made - {"listen.", "events.", "out."}  # what the browser keeps


def test_every_text_is_used_and_every_text_that_is_used_exists():
    quoted, made = used()
    keys = {*TEXTS["en"]}
    unused = {key for key in keys - quoted if not any(key.startswith(start) for start in made)}
    assert unused == set()
    said = set()
    for source in SCRIPTS.values():
        said |= set(re.findall(r'(?:say|rich|has)\("([\w.]+)"', source))
    assert len(said) > 40
    assert said <= keys
    assert all(any(key.startswith(start) for key in keys) for start in made)


def test_what_a_study_may_choose_has_its_words():
    keys = TEXTS["en"].keys()
    for focus in FOCI:
        assert {f"question.{focus}", f"question.{focus}.mix"} <= keys
    assert {f"instrument.{name}" for name in (*INSTRUMENTS, MIX)} <= keys
    for method in METHODS:
        assert {f"headphones.question.{method}", f"headphones.sound.{method}"} <= keys
    assert "gate" in HEADPHONES
    assert {f"failed.text.{kind}" for kind in ("again", "end")} <= keys
    for reason in ("withdrawn", "closed", "unknown"):
        assert {f"closed.heading.{reason}", f"closed.text.{reason}"} <= keys
    for language in LANGUAGES:
        for name in INSTRUMENTS:
            assert TEXTS[language][f"instrument.{name}"].count("*") == 2


def test_no_jargon_and_no_branding_reaches_a_listener():
    words = re.compile(
        r"stemwise|csn|subspace|triplet|trial|stimul|protocol|embedding|anchor|subject|session|"
        r"timbre|刺激|被験者|トライアル|試行",
        re.IGNORECASE,
    )
    for text in TEXTS.values():
        for key, value in text.items():
            assert not any(words.search(form) for form in forms(value)), key


def test_nothing_is_ever_read_as_html_or_run_from_text():
    for name, source in SCRIPTS.items():
        for trap in (
            "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(",
            "DOMParser", "createContextualFragment", "srcdoc", "javascript:",
        ):  # fmt: skip
            assert trap not in source, (name, trap)
        assert not re.search(r'setAttribute\(\s*"style"', source), name
    page = (WEB / "listen.html").read_text("utf-8")
    assert not re.search(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=", page)
    assert not re.search(r"https?://", page)
    assert "@import" not in (WEB / "listen.css").read_text("utf-8")


def test_every_script_is_fetched_at_once():
    """Else a slow network would find them one behind the other."""
    page = (WEB / "listen.html").read_text("utf-8")
    asked = re.findall(r'(?:href|src)="\.\./listen/assets/([\w-]+\.js)"', page)
    assert sorted(asked) == sorted(SCRIPTS)


def test_colours_are_those_of_the_instruments():
    style = (WEB / "listen.css").read_text("utf-8").lower()
    for name, colour in COLOURS.items():
        assert f"--{name}: {colour.lower()};" in style


@pytest.mark.parametrize("name", SCRIPTS)
def test_files_are_small_and_import_only_each_other(name):
    source = SCRIPTS[name]
    assert source.count("\n") <= 300
    assert source.startswith("// ")
    for imported in re.findall(r'from "([^"]+)"', source):
        assert imported.startswith("./")
        assert (WEB / imported).exists()
