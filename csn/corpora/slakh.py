"""Read a corpus in the layout of Slakh2100: the original, redux, or one that we rendered.

``ROOT/{train,validation,test,omitted}/TrackNNNNN/`` or ``ROOT/TrackNNNNN/``, each with
``metadata.yaml``, ``stems/Sxx.flac`` (or .wav, .ogg, .opus, .mp3) and, where there is one,
``mix.flac`` and ``all_src.mid``. Stems join the five instruments by their General MIDI program
(CSN section 4.1). Opening reads headers only; ``csn.corpora.check`` listens to the sound.
"""

import io
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import mido
import yaml

from csn.corpora.base import Corpus, Piece
from csn.corpora.scan import SPLITS, Found, existing, gather, header, in_threads
from csn.errors import CorpusError
from csn.instruments import INSTRUMENTS, instrument_of

_TRACK: Final = re.compile(r"Track\d+", re.IGNORECASE)
_ENDINGS: Final = (".flac", ".wav", ".ogg", ".opus", ".mp3")  # the first that is there is taken
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where compiled
_OURS: Final = "stemwise"
_NOT_TAGS: Final = frozenset({"title", "tempo", "split"})  # they are attributes of the piece


def open_slakh(root: Path | str, progress: bool = False) -> Corpus:
    """Open a folder in Slakh's layout.

    Args:
        root: the folder that holds the splits or the tracks.
        progress: draw a progress bar.

    Returns:
        The corpus; everything that was left out, or is odd, has a line in ``problems``.

    Raises:
        CorpusError: no such folder, or no track in it that can be used.
    """
    folder = existing(root)
    tracks = find_tracks(folder)
    if not tracks:
        inside = [child.name for child in sorted(folder.iterdir()) if find_tracks(child)]
        advice = f"; did you mean {folder / inside[0]}?" if inside else (
            ", neither itself nor in train, validation or test; give the folder that holds them."
        )
        raise CorpusError(f"{folder} holds no TrackNNNNN folder of Slakh's layout{advice}")
    names = [track.name for track, _ in tracks]
    twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(
        names
    ) else set()
    found = in_threads(partial(_look, twice=twice), tracks, f"Opening {folder.name}", progress)
    return gather(f"slakh:{root}", folder, found, progress)
