"""One door from a study's settings to everything it needs before it may be launched."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from csn import home
from csn.corpora import Corpus
from csn.embedding import Embedder
from csn.errors import ModelError
from csn.library import Library
from listening_test import protocols, screening
from listening_test.errors import StudyError
from listening_test.stimuli import Stimuli
from listening_test.study import Settings
from listening_test.triplets import Excerpt, Prepared, Sound, Triplet
from listening_test.writing import write, write_all

_OURS: Final = re.compile(r"[0-9a-f]{24}\.flac(\.part)?")

Progress = Callable[[str, float], None]
"""Told what is being done, and the part of everything that is done, 0 to 1."""


def prepare(
    settings: Settings,
    folder: Path,
    *,
    library: Library | None = None,
    model: Embedder | None = None,
    corpus: Corpus | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Make a study's triplets and write all its sounds.

    The same settings, corpus and model give the same triplets and the same samples. A run that
    was interrupted is simply begun again: every file is moved into place whole, and sounds that
    an earlier run left and that are no longer needed are removed.

    Args:
        settings: of the study.
        folder: where its sounds go; made if it is not there. Their names tell nothing.
        library: of the study; opened by its name in the settings where it is not given.
        model: that made the library; looked for by its hash where it is not given.
        corpus: that was embedded; opened from the library where it is not given.
        progress: told what is being done and how far everything is; an exception that it raises
            stops the work.

    Raises:
        StudyError: the settings do not hold together, there is no such library or model, or the
            corpus is too small, or the disk is full.
        LibraryError: the library is damaged or was made by another model.
        CorpusError: the corpus is no longer there.
    """
    told = progress or (lambda what, part: None)
    settings.check()
    told("Opening the library", 0.0)
    library, model, corpus = _open(settings, library, model, corpus)
    fingerprint = corpus.fingerprint()
    stimuli = Stimuli(
        _heard(settings, library, corpus),
        model,
        settings.excerpt,
        mixed=settings.stimuli == "mix",
        step=protocols.step(settings),
    )
    if settings.source == "stem" and not any(piece.stems for piece in stimuli.corpus):
        raise StudyError(
            f"The library {settings.library!r} has no stems, so the model cannot be asked by "
            "stems; choose the mix as its input."
        )
    told("Choosing excerpts", 0.02)
    triplets = protocols.make(
        settings, stimuli, lambda part: told("Choosing excerpts", 0.02 + 0.58 * part)
    )
    excerpts = _excerpts(triplets)
    sounds: list[Sound] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for sound in _write(settings, stimuli, excerpts, folder, fingerprint):
            sounds.append(sound)
            told("Writing sounds", 0.6 + 0.39 * min(len(sounds) / (len(excerpts) + 7), 1.0))
        _tidy(folder, {sound.file for sound in sounds})
    except OSError as error:
        raise StudyError(
            f"The sounds cannot be written to {folder} ({error.strerror or error}); make room "
            "there and prepare the study again."
        ) from error
    told("Ready", 1.0)
    return Prepared(
        tuple(triplets),
        tuple(sounds),
        model=model.hash,
        corpus=fingerprint,
        target=stimuli.target(excerpts),
        refusals=tuple(stimuli.refusals),
    )


def find_library(name: str) -> Library:
    """A library by its name: ``demo``, or a folder in ``STEMWISE_HOME/libraries``.

    Raises:
        StudyError: there is none of that name.
        LibraryError: it is damaged.
    """
    if name == "demo":
        return Library.open(name)
    shelf = home.home() / "libraries"
    there = sorted(found.parent.name for found in shelf.glob("*/library.json"))
    if name not in there:
        raise StudyError(
            f"There is no library {name!r}; put it in {shelf} or choose one of: "
            f"{', '.join(['demo', *there])}."
        )
    return Library.open(shelf / name)


def find_model(digest: str) -> Embedder:
    """The model with this hash: the demo's, or one of ``STEMWISE_HOME/models/*.safetensors``.

    Raises:
        StudyError: there is none.
    """
    from csn.model import Model  # noqa: PLC0415  torch takes seconds to load

    shelf = home.home() / "models"
    for file in [home.demo() / "model.safetensors", *sorted(shelf.glob("*.safetensors"))]:
        with suppress(ModelError):  # a damaged file is not the model that is looked for
            model = Model.load(file)
            if model.hash == digest:
                return model
    raise StudyError(
        f"The model {digest[:12]} that made the library was not found; copy its .safetensors "
        f"file to {shelf}."
    )


def _open(
    settings: Settings, library: Library | None, model: Embedder | None, corpus: Corpus | None
) -> tuple[Library | None, Embedder, Corpus]:
    """What was not given, opened; the library only where something else needs it."""
    if library is None and (model is None or corpus is None):
        library = find_library(settings.library)
    if library is not None:
        model = model or find_model(library.info["model"])
        library.check(model)
        corpus = corpus or library.corpus()
    assert model is not None and corpus is not None  # mypy: the two cases above
    return library, model, corpus


def _heard(settings: Settings, library: Library | None, corpus: Corpus) -> Corpus:
    """The pieces that may be heard: of the split, and not left out of the library."""
    corpus = corpus.only(settings.split)
    if library is None:
        return corpus
    embedded = set(library.segments["piece"])
    pieces = tuple(piece for piece in corpus if piece.id in embedded)
    if not pieces:
        raise StudyError(f"No piece of {corpus.name} is in the library {settings.library!r}.")
    return replace(corpus, pieces=pieces)


def _excerpts(triplets: list[Triplet]) -> list[Excerpt]:
    """Every excerpt once."""
    return list(dict.fromkeys(e for t in triplets for e in (t.x, t.first, t.second)))


def _write(
    settings: Settings,
    stimuli: Stimuli,
    excerpts: list[Excerpt],
    folder: Path,
    fingerprint: str,
) -> Iterator[Sound]:
    def file(*of: object) -> Path:
        text = repr((settings.seed, fingerprint, *of))
        return folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.flac"

    yield from write_all(stimuli, excerpts, [file(excerpt) for excerpt in excerpts])
    for made in screening.sounds(settings, stimuli.target(excerpts)):
        name = file(made.kind, made.method, made.number)
        digest, size, level, peak = write(made.sound, screening.RATE, name)
        yield Sound(
            made.kind, name.name, digest, size, len(made.sound) / screening.RATE, level, peak,
            answer=made.answer, method=made.method,
        )  # fmt: skip


def _tidy(folder: Path, needed: set[str]) -> None:
    """Remove sounds of an earlier preparation; nothing else that may lie there."""
    for file in folder.iterdir():
        if _OURS.fullmatch(file.name) and file.name not in needed:
            file.unlink(missing_ok=True)
