"""Everything that a listener's browser receives, written down and searched for the answer."""

import io
import json
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest
import soundfile as sf
from playwright.sync_api import Browser, Response
from sqlalchemy import select

from listening_test.store import schema as t
from tests.browser.listening import SHORT, Ear, House, Listeners

pytestmark = pytest.mark.browser

STUDY = replace(
    SHORT,
    instruments=("drums", "bass"),
    per_instrument=2,
    practice=0,
    catch=2,
    repeats=2,
    consent="Do you want to?",
)
WORDS = (
    "margin", "distance", "swapped", "catch", "repeat", "positive", "negative", "triplet", "model",
    "corpus", "seed", "track", "set 1", "set_1", ".flac", "piece", "subspace", "embedding",
)  # fmt: skip
"""What no address, header or JSON of a listener may hold."""


@dataclass
class Received:
    """One answer of the server, as the browser got it."""

    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def told(self) -> str:
        """Everything but sounds and the page's own files, which are the same for everybody."""
        head = self.url + json.dumps(self.headers)
        return head if "/clip/" in self.path or self.own_file else head + self.body.decode()

    @property
    def own_file(self) -> bool:
        return "/listen/assets/" in self.path or self.path.count("/") == 2


@pytest.fixture(scope="module")
def traffic(house: House, plain_chromium: Browser) -> tuple[str, list[Received]]:
    """A whole test by keys, and all that came of it."""
    link = house.link(STUDY)
    browser = Listeners(plain_chromium)
    ear: Ear = browser.ear(link)
    replies: list[Response] = []
    ear.page.on("response", lambda reply: replies.append(reply))  # noqa: PLW0108 - wants a function
    ear.begin()
    ear.finish()
    ear.wait("done")
    assert not browser.troubles
    return link, [Received(r.url, dict(r.headers), r.body()) for r in replies]


def test_nothing_that_is_received_tells_the_answer(house: House, traffic) -> None:
    link, received = traffic
    with house.store() as store, store.read() as db:
        pieces = db.execute(select(t.sounds.c.piece)).scalars()
        secrets = {str(piece) for piece in pieces if piece}
        secrets |= set(db.execute(select(t.sounds.c.sha256)).scalars())
        secrets |= {str(m) for m in db.execute(select(t.triplets.c.margin)).scalars() if m}
    posted = [one for one in received if "/answer" in one.path]
    assert len(posted) == 8 + 2 + 2
    for one in received:
        told = one.told.lower().replace(link.lower(), "")
        for word in (*WORDS, *secrets):
            assert word.lower() not in told, (word, one.told[:500])
        assert "correct" not in told
        assert not {"etag", "last-modified", "content-disposition"} & {*one.headers}, one.url


def test_every_sound_has_an_address_of_its_own(house: House, traffic) -> None:
    link, received = traffic
    addresses = [one.path for one in received if "/clip/" in one.path]
    shown = [
        clip
        for row in house.trials(link)
        for clip in (row.x_clip, row.a_clip, row.b_clip)
        if clip is not None
    ]
    assert {path.rsplit("/", 1)[1] for path in addresses} == {*shown}
    assert len({*shown}) == len(shown)


def test_the_files_themselves_carry_no_words(traffic) -> None:
    for one in traffic[1]:
        if "/clip/" in one.path:
            file = sf.SoundFile(io.BytesIO(one.body))
            assert not file.copy_metadata()


def test_the_page_reaches_nothing_but_its_own_test(traffic) -> None:
    link, received = traffic
    origin, token = link.rsplit("/t/", 1)
    for one in received:
        assert one.url.startswith(origin)
        inside = one.path.startswith(f"/t/{token}") or one.path.startswith("/listen/assets/")
        assert inside, one.url
