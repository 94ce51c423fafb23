"""The listener's page in Firefox: from the link through the first trials, by keys."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.browser.bidi import Firefox, find_firefox, firefox
from tests.browser.listening import ONE, House
from tests.listening_test.pulse import start

pytestmark = pytest.mark.browser

SCREEN = "document.listen?.screen?.step"


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """Firefox as it is installed, with its own rules for autoplay; its sound goes to a null sink.

    Without any sound device its audio clock never starts.
    """
    program = find_firefox()
    if program is None:
        assert "CI" not in os.environ, "no Firefox"
        pytest.skip("no Firefox (install it)")
    pulse = start(tmp_path_factory.mktemp("pulse"))
    profile = tmp_path_factory.mktemp("firefox")
    with firefox(program, profile, pulse.environment) as window:
        yield window
    pulse.close()


def hear(fox: Firefox, key: str, clip: int) -> None:
    fox.press(key)
    fox.wait(f"document.querySelector('.sound[data-clip=\"{clip}\"][data-heard=enough]')")


def answer(fox: Firefox, choice: str) -> None:
    trial = fox.ask(f"{SCREEN}.trial")
    for clip, key in enumerate("xab"):
        hear(fox, key, clip)
    fox.press(choice, "Enter")
    if fox.ask(f"{SCREEN}.practice"):
        fox.wait("document.querySelector('.verdict')?.textContent")
        fox.press("Enter")
    fox.wait(f"{SCREEN}?.trial !== {trial!r}")


def test_from_the_link_to_the_code(house: House, fox: Firefox) -> None:
    link = house.link(replace(ONE, practice=1))
    fox.open(link)
    fox.wait(f"{SCREEN}?.kind === 'consent'")
    fox.press("Enter")
    fox.wait(f"{SCREEN}?.kind === 'level'")
    fox.press(" ")
    fox.wait("document.querySelector('button.primary[aria-disabled=false]')")
    fox.press("Enter")
    fox.wait(f"{SCREEN}?.practice === true")
    answer(fox, "ArrowLeft")
    answer(fox, "ArrowRight")
    fox.wait(f"{SCREEN}?.number === 2")
    hear(fox, "x", 0)
    trial = fox.ask(f"{SCREEN}.trial")
    fox.command("browsingContext.reload", context=fox.context, wait="complete")
    fox.wait(f"{SCREEN}?.trial === {trial!r}")
    assert fox.ask("document.querySelector('[data-clip=\"0\"]').dataset.heard") == "enough"
    answer(fox, "ArrowLeft")
    fox.wait(f"{SCREEN}?.kind === 'done'")
    asked = {row.id for row in house.trials(link, "trial")}
    stored = [row.choice for row in house.answers(link) if row.trial_id in asked]
    assert stored == [1, 0]


def test_heard_time_follows_the_audio_clock(house: House, fox: Firefox) -> None:
    fox.open(house.begun(replace(ONE, excerpt=2.0, must_hear=1.0)))
    fox.wait(f"{SCREEN}?.kind === 'trial'")
    fox.wait("document.listen.player.ready(0)")
    fox.press("x")
    fox.wait("document.listen.player.heardSeconds(0) > 0.3")
    fox.press("x")
    before = fox.ask("document.listen.player.heardSeconds(0)")
    assert 0.3 < before < 2.0
    assert fox.ask("document.querySelector('[data-clip=\"0\"]').dataset.heard") in (
        "more",
        "enough",
    )
    assert fox.ask("new Promise(r => setTimeout(r, 300))") is None
    assert fox.ask("document.listen.player.heardSeconds(0)") == before
