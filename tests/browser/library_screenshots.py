"""Take the pictures ``docs/screenshots/library-*`` again: one library made, one under way.

``.venv/bin/python -m tests.browser.library_screenshots``
"""

import os
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from csn.collecting.work import Order, ask_to_pause, embed
from csn.corpora import open_corpus
from csn.errors import Paused
from csn.home import demo
from csn.model import Model
from listening_test import accounts
from listening_test.store import open_store
from tests.browser.screenshots import Window, shoot, windows

NAME, PASSWORD = "ada", "a pass phrase for pictures"
SIX = 6


def fill(home: Path) -> str:
    """A library of six pieces, one that was paused; the secret of a signed-in session."""
    os.environ["STEMWISE_HOME"] = str(home)
    music = home.parent / "Field recordings"
    music.mkdir()
    for piece in open_corpus("demo").pieces[:SIX]:
        sf.write(music / f"{piece.title}.wav", piece.audio("mix", 22_050)[: 22_050 * 20], 22_050)
    sf.write(music / "Silent reel.wav", np.zeros(22_050 * 5), 22_050)
    (music / "Torn tape.mp3").write_bytes(b"no music")
    folder = home / "libraries" / "Field recordings"
    order = Order(f"mixes:{music}", str(demo() / "model.safetensors"), maps="pca")
    embed(order, folder, Model.load, progress=False)
    for piece in open_corpus("demo").pieces[SIX : SIX + 2]:
        sf.write(music / f"{piece.title}.wav", piece.audio("mix", 22_050)[: 22_050 * 20], 22_050)
    (music / "Silent reel.wav").unlink()
    _pause(order, home / "libraries" / "Radio archive")
    with closing(open_store()) as store:
        secret = accounts.set_up(store)
        assert secret
        accounts.make_account(store, secret, accounts.SET_UP, NAME, PASSWORD)
        return accounts.sign_in(store, NAME, PASSWORD, "127.0.0.1")


def _pause(order: Order, folder: Path) -> None:
    """Work that was stopped after four pieces."""
    model = Model.load(order.model)

    class Stopping:
        settings, hash, done = model.settings, model.hash, 0

        def embed(self, *args: Any) -> np.ndarray:
            self.done += 1
            if self.done == 4:
                ask_to_pause(folder)
            return model.embed(*args)

    with suppress(Paused):
        embed(order, folder, lambda _: Stopping(), progress=False)


def take(window: Window, secret: str) -> None:
    """The shelf with what an update would do; and the form for a new library."""
    context, address, name = window
    context.add_cookies([{"name": "stemwise_session", "value": secret, "url": address}])
    page = context.new_page()
    page.goto(f"{address}/library")
    page.get_by_role("button", name="Look for changes").wait_for()
    if not page.get_by_role("button", name="Update").count():  # else somebody has looked
        page.get_by_role("button", name="Look for changes").click()
    page.get_by_role("button", name="Update").wait_for()
    page.wait_for_timeout(2000)
    shoot(page, f"library-{name}")
    page.get_by_role("button", name="New library").click()
    page.get_by_role("textbox", name="Folder of recordings").wait_for()
    page.wait_for_timeout(1500)
    shoot(page, f"library-new-{name}")


def main() -> None:
    """All of them."""
    with tempfile.TemporaryDirectory(prefix="stemwise-") as name:
        os.environ["HOME"] = name  # so that folders are shown from there
        home = Path(name) / "home"
        home.mkdir()
        secret = fill(home)
        for window in windows(home):
            take(window, secret)


if __name__ == "__main__":
    main()
