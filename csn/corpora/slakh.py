"""Read a corpus in the layout of Slakh2100: the original, redux, or one that we rendered.

``ROOT/{train,validation,test,omitted}/TrackNNNNN/`` or ``ROOT/TrackNNNNN/``, each with
``metadata.yaml``, ``stems/Sxx.flac`` (or .wav, .ogg, .opus, .mp3) and, where there is one,
``mix.flac`` and ``all_src.mid``. Stems join the five instruments by their General MIDI program
(CSN section 4.1). Opening reads headers only; ``csn.corpora.check`` listens to the sound.
"""

import io
import math
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import mido
import yaml
from mido.midifiles.meta import KeySignatureError

from csn.corpora.base import Corpus, Piece
from csn.corpora.scan import SPLITS, Found, existing, gather, header, in_threads, uneven
from csn.errors import CorpusError
from csn.instruments import INSTRUMENTS, instrument_of

_TRACK: Final = re.compile(r"Track\d+", re.IGNORECASE)
_ENDINGS: Final = (".flac", ".wav", ".ogg", ".opus", ".mp3")  # the first that is there is taken
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where compiled
_NOT_TAGS: Final = frozenset({"title", "tempo", "split"})  # these are fields of the piece


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
        inside = [child for child in sorted(folder.iterdir()) if find_tracks(child)]
        if inside:
            advice = f"did you mean {inside[0]}?"
        else:
            advice = "give the folder that holds them, or the one that holds train and test."
        raise CorpusError(f"{folder} holds no TrackNNNNN folders of Slakh's layout; {advice}")
    found = in_threads(_look, tracks, f"Opening {folder.name}", progress)
    return gather(f"slakh:{root}", folder, found, progress)


def find_tracks(root: Path) -> list[tuple[Path, str]]:
    """The track folders in ``root`` and in its splits, each with the name of its split."""
    tracks = []
    for child in sorted(root.iterdir()) if root.is_dir() else ():
        if _TRACK.fullmatch(child.name) and child.is_dir():
            tracks.append((child, ""))
        elif child.name.lower() in SPLITS and child.is_dir():
            split = SPLITS[child.name.lower()]
            inside = sorted(child.iterdir())
            tracks += [(t, split) for t in inside if _TRACK.fullmatch(t.name) and t.is_dir()]
    return tracks


def _look(place: tuple[Path, str]) -> Found:
    """Read one track's metadata and headers; the piece, or None, and lines about what is odd."""
    track, split = place
    problems: list[str] = []
    try:
        metadata = yaml.load((track / "metadata.yaml").read_bytes(), _LOADER)
    except FileNotFoundError:
        return None, [f"{track} has no metadata.yaml; left out."]
    except (yaml.YAMLError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        return None, [f"{track / 'metadata.yaml'} cannot be read ({reason}); piece left out."]
    entries = metadata.get("stems") if isinstance(metadata, dict) else None
    if not isinstance(entries, dict):
        return None, [f"{track / 'metadata.yaml'} lists no stems; piece left out."]
    stems, plugins, lengths = _stems(track, entries, problems)
    if not stems:
        return None, [*problems, f"{track} has no stem that can be used; left out."]
    mix = _file(_listing(track), "mix")
    about = header(mix, problems) if mix else None
    if mix and about:
        lengths[mix] = about.duration
    problems += uneven(lengths)
    ours = metadata.get("stemwise")
    ours = ours if isinstance(ours, dict) else {}
    tempo = _positive(ours.get("tempo")) or _first_tempo(track / "all_src.mid")
    tags = _tags(ours) if ours else {f"plugin_{name}": text for name, text in plugins.items()}
    piece = Piece(
        id=track.name,
        title=str(ours.get("title") or track.name),
        split=split or str(ours.get("split") or ""),
        duration=max(lengths.values()),
        tempo=tempo,
        tags=tags,
        stems=stems,
        mix=mix if about else None,
    )
    return piece, problems


def _stems(
    track: Path, entries: Mapping[Any, Any], problems: list[str]
) -> tuple[dict[str, tuple[Path, ...]], dict[str, str], dict[Path, float]]:
    """Files by instrument, plugin names by instrument, and every file's length in seconds."""
    files: dict[str, list[Path]] = defaultdict(list)
    plugins: dict[str, set[str]] = defaultdict(set)
    lengths: dict[Path, float] = {}
    there = _listing(track / "stems")
    for key, entry in sorted(entries.items(), key=lambda item: str(item[0])):
        if not isinstance(entry, dict):
            problems.append(f"{track / 'metadata.yaml'} says nothing about stem {key}; left out.")
            continue
        if entry.get("audio_rendered") is False:  # Slakh's own word for: there is no such file
            continue
        drums, program = bool(entry.get("is_drum")), entry.get("program_num")
        if not drums and not isinstance(program, int):
            problems.append(f"{track / 'metadata.yaml'} gives stem {key} no program; left out.")
            continue
        file = _file(there, str(key))
        if file is None:
            problems.append(f"{track / 'stems' / str(key)} is missing; left out.")
            continue
        about = header(file, problems)
        if about is None:
            continue
        instrument = instrument_of(program if isinstance(program, int) else 0, drums)
        files[instrument].append(file)
        lengths[file] = about.duration
        if entry.get("plugin_name"):
            plugins[instrument].add(str(entry["plugin_name"]).removesuffix(".nkm"))
    stems: dict[str, tuple[Path, ...]] = {n: tuple(files[n]) for n in INSTRUMENTS if n in files}
    return stems, {name: ", ".join(sorted(plugins[name])) for name in sorted(plugins)}, lengths


def _listing(folder: Path) -> dict[str, Path]:
    """The files of a folder by lower-case name; one look instead of a guess at each ending."""
    try:
        return {child.name.lower(): child for child in folder.iterdir()}
    except OSError:
        return {}


def _file(there: Mapping[str, Path], name: str) -> Path | None:
    return next((there[name.lower() + e] for e in _ENDINGS if name.lower() + e in there), None)


def _positive(value: Any) -> float | None:
    """A tempo that can be believed, or None."""
    if isinstance(value, int | float) and math.isfinite(value) and value > 0:
        return float(value)
    return None


def _first_tempo(midi: Path) -> float | None:
    """The first tempo of a MIDI file in BPM; None where there is none, or no such file.

    Only the first MIDI track that can hold a tempo is parsed: parsing all the notes of 2,100
    pieces would take minutes.
    """
    try:
        data = midi.read_bytes()
        position = 8 + int.from_bytes(data[4:8], "big")
        if not data.startswith(b"MThd"):
            return None
        while position + 8 <= len(data):
            end = position + 8 + int.from_bytes(data[position + 4 : position + 8], "big")
            chunk = data[position:end]
            position = end
            if not chunk.startswith(b"MTrk") or b"\xff\x51\x03" not in chunk:
                continue
            alone = data[:10] + b"\x00\x01" + data[12:14] + chunk
            for message in mido.MidiFile(file=io.BytesIO(alone), clip=True).tracks[0]:
                if message.type == "set_tempo" and message.tempo > 0:
                    return float(mido.tempo2bpm(message.tempo))
    except (OSError, EOFError, ValueError, LookupError, KeySignatureError):
        return None  # a damaged MIDI file costs the tempo, not the piece
    return None


def _tags(ours: Mapping[Any, Any]) -> dict[str, str]:
    """Flatten our own block: ``soundfonts: {drums: X}`` becomes ``soundfont_drums: X``."""
    tags: dict[str, str] = {}
    for key, value in ours.items():
        if isinstance(value, dict):
            one = str(key).removesuffix("s")
            tags |= {f"{one}_{name}": str(v) for name, v in value.items() if v is not None}
        elif isinstance(value, list | tuple):
            tags[str(key)] = ", ".join(map(str, value))
        elif value is not None and key not in _NOT_TAGS:
            tags[str(key)] = str(value)
    return {key: value for key, value in tags.items() if value}
