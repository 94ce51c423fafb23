"""Corpora: readers of what exists (slakh, stems, mixes) and makers of what does not (compose)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from csn import home
from csn.corpora.base import Corpus, Piece
from csn.corpora.mixes import open_mixes
from csn.corpora.scan import existing
from csn.corpora.slakh import find_tracks, open_slakh
from csn.corpora.sound_check import check
from csn.corpora.stems import find_pieces, open_stems
from csn.errors import CorpusError

__all__ = ["Corpus", "Piece", "check", "open_corpus"]

_READERS: Final[dict[str, Callable[[Path | str, bool], Corpus]]] = {
    "slakh": open_slakh,
    "stems": open_stems,
    "mixes": open_mixes,
}


def open_corpus(uri: str, progress: bool = False) -> Corpus:
    """Open a corpus, whatever its layout.

    Args:
        uri: ``slakh:PATH``, ``stems:PATH`` or ``mixes:PATH``; ``demo`` for the one that comes
            with the code; or a plain path, whose layout is then guessed from what it holds.
        progress: draw progress bars.

    Returns:
        The corpus. Its ``uri`` names the layout, also where that was guessed; ``demo`` stays.

    Raises:
        CorpusError: no such folder, or nothing in it that can be used.
    """
    if uri == "demo":
        folder = home.demo() / "corpus"
        if not folder.is_dir():
            raise CorpusError(f"The demo corpus is not in {folder}; clone the repository again.")
        return replace(open_slakh(folder, progress), uri="demo", name="demo")
    scheme, colon, place = uri.partition(":")
    if colon and scheme in _READERS:
        if not place:
            raise CorpusError(f"{uri!r} names no folder; write {scheme}:PATH.")
        return _READERS[scheme](place, progress)
    return _READERS[_guess(existing(uri))](uri, progress)


def _guess(folder: Path) -> str:
    """The layout of a folder: Slakh's where it has tracks, stems where some are named so."""
    if find_tracks(folder):
        return "slakh"
    return "stems" if find_pieces(folder) else "mixes"
