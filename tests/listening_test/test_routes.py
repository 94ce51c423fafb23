import io
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.testclient import TestClient

from listening_test.errors import StudyError
from listening_test.routes import routes
from listening_test.store import Store
from listening_test.store import schema as t
from listening_test.store.listeners import invite, join, list_listeners, withdraw
from listening_test.store.rows import Version
from listening_test.store.studies import any_live, close, reopen
from listening_test.study import Exclusion, Question
from tests.listening_test import small_study
from tests.listening_test.small_study import SETTINGS
from tests.listening_test.walker import Walker

FULL = replace(
    SETTINGS, headphones="gate", catch=2, repeats=2, break_every=8, confidence=False,
    questions=(
        Question("age", "How old?", "number"),
        Question("mood", "How was it?", "choice", ("good", "bad"), True),
        Question("remarks", "Anything else?"),
    ),
    exclusion=Exclusion(catch=0.5),
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Store:
    """Everything lies in a folder of its own; the routes use the same store.

    In a file, but for the tests that ask for both kinds of database.
    """
    both = "database" in request.fixturenames
    store: Store = request.getfixturevalue("store" if both else "sqlite_store")
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path / "home"))
    for module in ("routes", "joining"):
        monkeypatch.setattr(f"listening_test.{module}.shared_store", lambda: store)
    return store


both_databases = pytest.mark.usefixtures("database")


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes("/base")), base_url="http://x/base") as opened:
        yield opened


@pytest.fixture
def version(home: Store) -> Version:
    return small_study.make(home, FULL)


@pytest.fixture
def walker(home: Store, client: TestClient, version: Version) -> Walker:
    return Walker(client, invite(home, version.id)[0].token)


def right(store: Store, code: str) -> int:
    with store.read() as db:
        query = select(t.trials.c.right).where(t.trials.c.code == code)
        return int(db.execute(query).scalar_one())


def count(store: Store, table: str = "answers") -> int:
    with store.read() as db:
        return int(
            db.execute(select(func.count()).select_from(t.metadata.tables[table])).scalar_one()
        )


@both_databases
def test_a_whole_test_leads_from_consent_to_the_code(home, walker):
    kinds = []
    while walker.step["kind"] != "done":
        step = walker.step
        kinds.append(step["kind"])
        if step["kind"] == "questionnaire":
            assert walker.take({"mood": "sad"}).status_code == 422
            assert walker.take({"age": "old", "mood": "good"}).status_code == 422
            words = "a&b=%25 “x”\n🎧 <b>"
            assert walker.take({"age": "31", "mood": "good", "remarks": words}).status_code == 200
        else:
            choose = right(home, step["trial"]) if step["kind"] == "headphones" else 1
            assert walker.move(lambda _, c=choose: c).status_code == 200
    trials = 16 + 2 + 2
    assert kinds == [
        "consent", "level", *["headphones"] * 6, "trial", *["trial"] * 8, "break", *["trial"] * 8,
        "break", *["trial"] * 4, "questionnaire",
    ]  # fmt: skip
    assert walker.state["progress"] == {"done": trials, "total": trials, "minutes_left": 1}
    assert re.fullmatch(r"[0-9A-F]{6}-0001", walker.step["code"])
    assert count(home) == 6 + 1 + trials
    with home.read() as db:
        payload = db.execute(select(t.steps.c.payload).where(t.steps.c.step == "questionnaire"))
        assert payload.scalar_one() == {"age": 31.0, "mood": "good", "remarks": words}


def test_a_failed_headphone_check_has_one_more_try_and_then_ends(home, walker):
    def wrong(step):
        return (right(home, step["trial"]) + 1) % 3 if step["kind"] == "headphones" else 0

    walker.walk("headphones-failed", wrong)
    assert walker.step["can_retry"]
    assert walker.take().status_code == 200
    assert (walker.step["attempt"], walker.step["number"]) == (2, 1)
    for _ in range(6):
        walker.move(wrong)
    assert walker.step == {"kind": "headphones-failed", "can_retry": False}
    assert walker.take(step="headphones-retry").status_code == 409  # once is all
    assert walker.take(step="level").status_code == 409  # taken before


def test_a_recorded_headphone_check_lets_everybody_on(home, client):
    version = small_study.make(home, replace(FULL, headphones="recorded"))
    walker = Walker(client, invite(home, version.id)[0].token)
    walker.walk("trial", lambda step: (right(home, step["trial"]) + 1) % 3)
    assert walker.step["practice"]


def test_practice_says_what_was_right_and_nothing_else_does(home, walker):
    walker.walk("trial", lambda step: right(home, step["trial"]))
    choice = right(home, walker.step["trial"])
    answer = walker.send(walker.message(1 - choice)).json()
    assert answer["correct"] is False
    assert "correct" not in walker.send(walker.message(0)).json()


def to_trials(home: Store, walker: Walker) -> Walker:
    walker.walk("trial", lambda step: right(home, step["trial"]))
    walker.move()
    assert not walker.step["practice"]
    return walker


@both_databases
def test_the_same_message_twice_is_one_answer(home, walker):
    to_trials(home, walker)
    before = count(home)
    message = walker.message(1)
    first = walker.send(message)
    for _ in range(3):
        again = walker.send(message | {"choice": 0, "heard": [0, 0, 0]})
        assert (again.status_code, again.json()) == (200, first.json())
    assert count(home) == before + 1
    with home.read() as db:
        query = select(t.answers.c.choice).where(t.answers.c.id == message["id"])
        assert db.execute(query).scalar_one() == 1  # as it was given first


@both_databases
def test_another_answer_for_an_answered_trial_changes_nothing(home, walker):
    to_trials(home, walker)
    message = walker.message(1)
    walker.send(message)
    answer = walker.send(message | {"id": str(uuid.uuid4()), "choice": 0})
    assert answer.status_code == 409
    assert answer.json()["state"] == walker.look()
    with home.read() as db:
        query = select(t.answers.c.choice).where(t.answers.c.id == message["id"])
        assert db.execute(query).scalar_one() == 1


def test_a_reload_or_another_browser_comes_back_to_the_same_place(home, walker, client):
    to_trials(home, walker)
    seen = []
    for _ in range(6):
        seen.append(walker.step["trial"])
        other = Walker(client, walker.token)
        assert other.state == walker.state
        walker, _ = other, other.move()
    assert len({*seen}) == 6


@pytest.mark.parametrize(
    "change",
    [
        {"heard": [9, 0, 9]}, {"heard": [9, 9]}, {"heard": "all"}, {"heard": [9, 9, "nan"]},
        {"choice": 2}, {"choice": -1}, {"choice": None}, {"choice": True}, {"choice": "a"},
        {"id": "1"}, {"id": None}, {"trial": "nobody's"}, {"trial": None},
    ],
)  # fmt: skip
def test_a_message_that_makes_no_sense_saves_nothing(home, walker, change):
    to_trials(home, walker)
    before = count(home)
    answer = walker.send(walker.message(0) | change)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"].endswith(".")
    assert count(home) == before


@both_databases
def test_the_id_of_another_answer_cannot_be_used_again(home, walker):
    to_trials(home, walker)
    message = walker.message(1)
    walker.send(message)
    assert walker.send(walker.message(1) | {"id": message["id"]}).status_code == 422


def test_a_later_trial_cannot_be_answered_before_its_turn(home, walker, version):
    to_trials(home, walker)
    with home.read() as db:
        last = db.execute(select(t.trials.c.code).order_by(t.trials.c.position.desc())).scalars()
        later = last.first()
    assert walker.send(walker.message(0, trial=later)).status_code == 422
    assert walker.take(step="consent").status_code == 409
    assert walker.take(step="questionnaire").status_code == 422
    assert walker.take(step="break-7").status_code == 422


def test_confidence_is_needed_where_it_is_asked(home, client):
    version = small_study.make(home, replace(SETTINGS, confidence=True))
    walker = Walker(client, invite(home, version.id)[0].token)
    walker.walk("trial")
    assert walker.step["sure"]
    assert walker.send(walker.message(0)).status_code == 422
    assert walker.send(walker.message(0, sure=False)).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"nonsense", b"[" * 100_000, b'{"a":"' + b"x" * 300_000]
)
def test_what_is_no_message_is_refused(walker, body):
    for what in ("answer", "step", "events"):
        answer = walker.client.post(f"/t/{walker.token}/{what}", content=body)
        assert answer.status_code == 400
        assert "error" in answer.json()


@both_databases
def test_events_are_kept_once(home, walker):
    to_trials(home, walker)
    trial = walker.step["trial"]
    good = {"trial": trial, "kind": "play", "clip": 1, "at": 1.7e12, "position": 0}
    odd = {"trial": None, "kind": "b" * 90, "clip": 7, "at": "soon", "position": None}
    events = [event | {"id": str(uuid.uuid4())} for event in (good, odd)]
    for _ in range(2):
        assert walker.post("events", {"events": [*events, {"id": 3}, "x"]}).json() == {"saved": 2}
    with home.read() as db:
        rows = {row.id: row for row in db.execute(select(t.events))}
    assert len(rows) == 2
    assert rows[events[0]["id"]].at == pytest.approx(1.7e9)
    assert rows[events[0]["id"]].clip == 1
    assert (rows[events[1]["id"]].kind, rows[events[1]["id"]].clip) == ("b" * 20, None)


def test_only_the_sounds_of_this_trial_and_the_next_can_be_fetched(home, walker):
    to_trials(home, walker)
    now, following = walker.step["clips"], walker.state["next"]
    with home.read() as db:
        every = db.execute(select(t.trials.c.x_clip, t.trials.c.a_clip, t.trials.c.b_clip)).all()
    clips = {clip for row in every for clip in row if clip}
    assert len(now) == len(following) == 3
    for clip in clips:
        answer = walker.get(f"clip/{clip}")
        assert answer.status_code == (200 if clip in {*now, *following} else 404)
    other = invite(home, walker_version(home))[0]
    assert walker.client.get(f"/t/{other.token}/clip/{now[0]}").status_code == 404


def walker_version(store: Store) -> int:
    with store.read() as db:
        return int(db.execute(select(t.versions.c.id)).scalar_one())


def test_no_address_is_used_twice_and_no_header_tells_a_name(home, walker):
    seen: list[str] = []
    while walker.step["kind"] != "questionnaire":
        clips = walker.step.get("clips", [])
        for clip in clips:
            answer = walker.get(f"clip/{clip}")
            assert answer.headers["content-type"] == "audio/flac"
            assert {*answer.headers} == {
                "cache-control", "referrer-policy", "x-content-type-options", "x-robots-tag",
                "cross-origin-resource-policy", "content-length", "content-type",
            }  # fmt: skip
        seen += clips
        step = walker.step["kind"]
        walker.move(lambda s, k=step: right(home, s["trial"]) if k == "headphones" else 0)
    assert len(seen) == len({*seen})


def test_the_state_of_a_trial_holds_nothing_but_what_is_needed(home, walker):
    to_trials(home, walker)
    kinds: dict[str, set[frozenset[str]]] = {}
    while walker.step["kind"] != "questionnaire":
        if walker.step["kind"] == "trial":
            with home.read() as db:
                query = select(t.trials.c.kind).where(t.trials.c.code == walker.step["trial"])
                kind = db.execute(query).scalar_one()
            kinds.setdefault(kind, set()).add(frozenset(walker.step))
        text = json.dumps(walker.state)
        for word in ("drums-", "catch", "repeat", "margin", "distance", "swapped", "track", "seed"):
            assert word not in text
        walker.move()
    assert {*kinds} == {"trial", "catch", "repeat"}
    assert len(set.union(*kinds.values())) == 1  # all three look the same


def test_a_catch_trial_cannot_be_answered_by_comparing_files(home, walker):
    to_trials(home, walker)
    looked = 0
    while walker.step["kind"] != "questionnaire":
        if walker.step["kind"] == "trial":
            files = [walker.get(f"clip/{clip}").content for clip in walker.step["clips"]]
            assert len({*files}) == 3
            again = [walker.get(f"clip/{clip}").content for clip in walker.step["clips"]]
            assert files == again
            sounds = [sf.read(io.BytesIO(file), dtype="int16")[0].astype(int) for file in files]
            with home.read() as db:
                row = db.execute(select(t.trials).where(t.trials.c.code == walker.step["trial"]))
                trial = row.one()
            if trial.kind == "catch":
                looked += 1
                same = sounds[1 + trial.right]
                assert np.abs(same - sounds[0]).max() == 1
                assert np.mean(same != sounds[0]) > 0.5
        walker.move()
    assert looked == 2


def test_listeners_who_are_not_known_learn_nothing(client, home):
    for what in ("state", "clip/x", "lab"):
        answer = client.get(f"/t/nobody/{what}")
        assert answer.status_code == 404
        assert {*answer.json()} == {"error"}
    for what in ("answer", "step", "events"):
        assert client.post(f"/t/nobody/{what}", json={}).status_code in (400, 404)


@both_databases
def test_a_withdrawn_listener_is_told_so_and_sends_nothing_more(home, walker):
    to_trials(home, walker)
    message = walker.message(0)
    listener = list_listeners(home, walker_version(home))[0]
    before = count(home)
    assert withdraw(home, listener.id, reason="asked for it") == 0
    assert walker.look()["step"] == {"kind": "closed", "reason": "withdrawn"}
    assert walker.post("answer", message).status_code == 422
    assert count(home) == before
    assert withdraw(home, listener.id, erase=True) == before
    assert (count(home), count(home, "steps"), count(home, "events")) == (0, 0, 0)


@both_databases
def test_when_a_study_closes_the_answer_under_way_still_counts(home, walker, version):
    to_trials(home, walker)
    message = walker.message(0)
    close(home, version.id)
    assert walker.look()["step"] == {"kind": "closed", "reason": "closed"}
    assert walker.post("answer", message).status_code == 200
    assert walker.look()["step"]["kind"] == "closed"
    reopen(home, version.id)
    assert walker.look()["step"]["kind"] == "trial"


def test_a_database_that_takes_nothing_asks_to_send_again(home, walker, monkeypatch):
    to_trials(home, walker)
    message = walker.message(0)
    from listening_test.errors import StoreError

    def fail(*_args, **_more):
        raise StoreError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr("listening_test.journey.save_answer", fail)
        assert walker.post("answer", message).status_code == 503
    assert walker.send(message).status_code == 200


def test_the_page_is_the_same_for_everybody_and_locked_down(client, walker):
    pages = [client.get(f"/t/{token}") for token in (walker.token, "nobody")]
    assert pages[0].content == pages[1].content
    policy = pages[0].headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert pages[0].headers["referrer-policy"] == "no-referrer"
    text = pages[0].text
    assert "<script>" not in text
    assert " style=" not in text
    assert " on" + "click" not in text


@pytest.mark.parametrize("name", ["../routes.py", "..%2froutes.py", "/etc/passwd", "", "x.js"])
def test_only_the_pages_own_files_are_served(client, name):
    assert client.get(f"/listen/assets/{name}").status_code == 404


def test_the_open_link_makes_a_listener_by_its_button_alone(home, client, version):
    for _ in range(3):
        page = client.get(f"/join/{version.join_token}")
        assert page.status_code == 200
        assert 'method="post"' in page.text
    assert list_listeners(home, version.id) == []
    answer = client.post(f"/join/{version.join_token}", follow_redirects=False)
    assert answer.status_code == 303
    token = answer.headers["location"].rsplit("/", 1)[1]
    assert [one.token for one in list_listeners(home, version.id)] == [token]
    assert "httponly" in answer.headers["set-cookie"].lower()
    back = client.get(f"/join/{version.join_token}", follow_redirects=False)
    assert back.headers["location"].endswith(token)  # the same browser goes on


@both_databases
@pytest.mark.parametrize("panel", ["5f3", "a&b=<script>", "ü" * 300])
def test_a_panels_own_number_comes_back_to_the_same_listener(home, client, version, panel):
    where = set()
    for _ in range(3):
        page = client.get(f"/join/{version.join_token}", params={"PROLIFIC_PID": panel})
        assert "<script>" not in page.text
        answer = client.post(
            f"/join/{version.join_token}", params={"id": panel}, follow_redirects=False
        )
        where.add(answer.headers["location"])
    assert len(where) == 1
    assert list_listeners(home, version.id)[0].external_id == panel[:200]


@both_databases
def test_a_study_that_is_full_or_over_lets_nobody_in(home, client):
    version = small_study.make(home, replace(SETTINGS, listeners=2))
    for _ in range(2):
        join(home, version.join_token)
    with pytest.raises(StudyError, match="all the listeners"):
        join(home, version.join_token)
    first = list_listeners(home, version.id)[0]
    withdraw(home, first.id)
    assert join(home, version.join_token).number == 2  # the place is free again
    close(home, version.id)
    with pytest.raises(StudyError, match="ended"):
        join(home, version.join_token)
    assert client.post("/join/nowhere").status_code == 404
    assert not any_live(home)


def test_previews_look_but_do_not_count(home, client):
    version = small_study.draft(home)
    with pytest.raises(StudyError, match="not begun"):
        invite(home, version.id)
    walker = Walker(client, invite(home, version.id, preview=True)[0].token)
    assert walker.state["preview"]
    walker.walk("done")
    assert list_listeners(home, version.id) == []
    assert len(list_listeners(home, version.id, previews=True)) == 1


def test_simulated_and_real_listeners_never_mix(home):
    real = small_study.make(home)
    with pytest.raises(StudyError, match="never"):
        invite(home, real.id, simulated=True)
    simulated = small_study.make(home, simulated=True)
    with pytest.raises(StudyError, match="never"):
        join(home, simulated.join_token)
    assert all(one.simulated for one in invite(home, simulated.id, 3, simulated=True))
