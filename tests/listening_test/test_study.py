import json
from dataclasses import asdict, replace

import pytest

from listening_test.errors import StudyError
from listening_test.study import (
    CSN_TABLE_3,
    IND_TABLE_4,
    PRESETS,
    RECOMMENDED,
    Exclusion,
    Question,
    Settings,
)


def test_presets_are_the_papers():
    assert CSN_TABLE_3.shown == 64  # 4 instruments × 8 pieces × 2 sets
    assert CSN_TABLE_3.instruments == ("drums", "bass", "piano", "guitar")
    assert CSN_TABLE_3.excerpt == 10
    assert IND_TABLE_4.shown == 40  # 5 criteria × 8 sets
    assert IND_TABLE_4.confidence
    assert RECOMMENDED.shown == 64 + RECOMMENDED.catch + RECOMMENDED.repeats


@pytest.mark.parametrize("name", PRESETS)
def test_a_study_leaves_and_enters_as_json(name):
    settings = PRESETS[name].check()
    assert Settings.from_json(settings.to_json()) == settings
    assert json.loads(settings.to_json())["format"] == "stemwise-study-1"


def test_everything_survives_json():
    settings = Settings(
        title="Ähnlichkeit & “%”",
        trials=10,
        consent="a\n\nb",
        questions=(Question("age", "Wie alt?", "choice", ("1", "2"), True),),
        exclusion=Exclusion(fastest=2.0),
        language="ja",
        completion="redirect",
        redirect="https://panel.example/done?c={code}",
        seed=2**40,
    )
    assert Settings.from_json(settings.to_json().encode()) == settings


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"title": "  "}, "title"),
        ({"protocol": "pairs"}, "protocol"),
        ({"instruments": ()}, "instrument"),
        ({"instruments": ("drums", "drums")}, "once"),
        ({"instruments": ("mix",)}, "mix"),
        ({"instruments": ("kazoo",)}, "kazoo"),
        ({"sets": (3,)}, "set"),
        ({"excerpt": 0.5}, "excerpt"),
        ({"excerpt": float("nan")}, "excerpt"),
        ({"must_hear": 11.0}, "must_hear"),
        ({"per_instrument": 0}, "per_instrument"),
        ({"repeats": 65}, "repeats"),
        ({"trials": 0}, "trial"),
        ({"completion": "redirect", "redirect": "panel"}, "https"),
        ({"completion": "redirect", "redirect": "javascript:alert(1)"}, "https"),
        ({"questions": (Question("a b", "?"),)}, "id"),
        ({"questions": (Question("a", "?"), Question("a", "!"))}, "id"),
        ({"questions": (Question("a", "?", "choice", ("1",)),)}, "options"),
        ({"exclusion": Exclusion(catch=0.5)}, "catch"),
        ({"exclusion": Exclusion(one_sided=2.0)}, "one_sided"),
        ({"exclusion": Exclusion(headphones=True)}, "headphone"),
        ({"protocol": "triplets"}, "CSV"),
        ({"language": "tlh"}, "language"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_makes_no_sense_gets_one_sentence(change, word):
    with pytest.raises(StudyError, match=word) as caught:
        replace(CSN_TABLE_3, **change).check()
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{}", "{", '{"format": "stemwise-study-9"}', b"\xff\xfe\x00",
        '{"format": "stemwise-study-1", "colour": 1}',
        '{"format": "stemwise-study-1", "instruments": 3}',
        '{"format": "stemwise-study-1", "per_instrument": "many"}',
        '{"format": "stemwise-study-1", "questions": [{"text": 1}]}',
        '{"format": "stemwise-study-1", "questions": 7}',
        '{"format": "stemwise-study-1", "title": null}',
        '{"format": "stemwise-study-1", "excerpt": null}',
    ],
)  # fmt: skip
def test_files_that_are_no_study_are_refused(text):
    with pytest.raises(StudyError):
        Settings.from_json(text)


def test_the_duration_counts_what_is_heard():
    # 66 trials (2 of practice) of three sounds of 10 s, each heard at least once.
    assert CSN_TABLE_3.minutes > 66 * 30 / 60
    assert CSN_TABLE_3.minutes < 66 * 30 * 2 / 60
    assert replace(CSN_TABLE_3, trials=8).minutes < CSN_TABLE_3.minutes / 5


def test_settings_are_plain_json():
    json.dumps(asdict(RECOMMENDED))
