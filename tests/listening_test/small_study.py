"""A study of tones, made from nothing in a moment: no corpus, no model, no torch."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile as sf

from listening_test.store import Store
from listening_test.store.rows import Version
from listening_test.store.studies import create_study, launch, store_prepared
from listening_test.study import Settings
from listening_test.triplets import INPUTS, SPACES, Distances, Excerpt, Prepared, Sound, Triplet

RATE = 22_050
SETTINGS = Settings(
    title="Tones", per_instrument=2, excerpt=1.0, must_hear=0.2, practice=1, break_every=0
)


def make(store: Store, settings: Settings = SETTINGS, *, simulated: bool = False) -> Version:
    """A study that is live, of the ``track`` kind; every excerpt is a tone of its own.

    Args:
        store: the database.
        settings: ``excerpt`` says how long the tones are.
        simulated: whether it is for simulated listeners only.
    """
    return launch(store, draft(store, settings).id, simulated=simulated)


def draft(store: Store, settings: Settings = SETTINGS) -> Version:
    """The same, prepared but not launched."""
    version = create_study(store, settings, "tester")
    return store_prepared(store, version.id, prepared(settings, version.folder), settings)


def prepared(settings: Settings, folder: Path) -> Prepared:
    """Triplets of tones, and their files."""
    triplets = [*_triplets(settings), *_practice(settings)]
    excerpts = {cut for one in triplets for cut in (one.x, one.first, one.second)}
    folder.mkdir(parents=True, exist_ok=True)
    sounds = [
        _sound(folder, n, "excerpt", settings.excerpt, excerpt=cut)
        for n, cut in enumerate(sorted(excerpts, key=repr))
    ]
    checks = settings.headphones != "off"
    for n in range(6 if checks else 0):
        method = settings.headphone_method
        sounds.append(_sound(folder, 900 + n, "headphones", 1.0, answer=n % 3, method=method))
    sounds.append(_sound(folder, 990, "level", 1.0))
    return Prepared(tuple(triplets), tuple(sounds), "m" * 64, "c" * 64, -23.0, ("One refusal.",))


def frequency(number: int) -> float:
    """Of the tone in the file with this number, Hz."""
    return 200.0 + 20.0 * number


def _triplets(settings: Settings) -> Iterable[Triplet]:
    rng = np.random.default_rng(settings.seed)
    number = 0
    for instrument in settings.instruments:
        for piece in range(settings.per_instrument):
            x = Excerpt(f"{instrument}-x{piece}", instrument, 0.0, settings.excerpt)
            for which in settings.sets:
                number += 1
                names = ("a", "b") if which == 1 else ("y", "c")
                first, second = (
                    Excerpt(f"{instrument}-{name}{piece}", instrument, 1.0, settings.excerpt)
                    for name in names
                )
                values = {
                    source: {space: tuple(rng.uniform(0.2, 1.8, 2).tolist()) for space in SPACES}
                    for source in INPUTS
                }
                yield Triplet(
                    number, "track", which, instrument, x, first, second,
                    Distances(values), instrument,
                )  # fmt: skip


def _practice(settings: Settings) -> Iterable[Triplet]:
    for n in range(settings.practice):
        x = Excerpt(f"practice-x{n}", "drums", 0.0, settings.excerpt)
        other = replace(x, piece=f"practice-b{n}")
        yield Triplet(n + 1, "track", 1, "drums", x, x, other, practice=True)


def _sound(folder: Path, number: int, kind: str, seconds: float, **more: object) -> Sound:
    time = np.arange(round(seconds * RATE)) / RATE
    file = folder / f"{number:04d}.flac"
    sf.write(file, 0.1 * np.sin(2 * np.pi * frequency(number) * time), RATE)
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Sound(kind, file.name, digest, len(content), seconds, -23.0, -20.0, **more)  # type: ignore[arg-type]
