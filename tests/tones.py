"""Tiny corpora of synthetic tones in Slakh's layout, for every test that needs sound."""

from collections.abc import Collection, Mapping
from pathlib import Path

import mido
import numpy as np
import soundfile as sf
import yaml

from csn.instruments import INSTRUMENTS

RATE = 22_050
PROGRAMS = {"drums": 128, "bass": 33, "piano": 0, "guitar": 27, "others": 48}
_OCTAVE = {"drums": 0, "bass": -2, "piano": 1, "guitar": 0, "others": 1}


def tone(instrument: str, piece: int, seconds: float, tempo: float, rate: int = RATE) -> np.ndarray:
    """A stem that no other piece has: the timbre and the tune follow from the piece's number.

    Drums are bursts of noise around a band of their own, the others decaying or held partials
    whose slope differs from piece to piece, one note on every beat.

    Returns:
        [samples] float32, peaks below 0.2.
    """
    rng = np.random.default_rng([piece, INSTRUMENTS.index(instrument)])
    beat = 60 / tempo
    t = np.arange(int(beat * rate)) / rate
    centre = 220.0 * 2 ** (_OCTAVE[instrument] + (piece * 5 % 12) / 12)
    slope = 0.5 + 0.25 * (piece % 7)
    notes = []
    for step in (0, 3, 7, 5):  # four notes are made, and played again and again
        if instrument == "drums":
            carrier = np.cos(2 * np.pi * (600 + 350 * piece) * t * (1 + step / 7))
            note = rng.standard_normal(len(t)) * carrier * np.exp(-t * (12 + 3 * piece % 20))
        else:
            pitch = centre * 2 ** (step / 12)
            note = sum(np.sin(2 * np.pi * pitch * k * t) / k**slope for k in range(1, 9))
            decay = {"bass": 3.0, "piano": 6.0, "guitar": 10.0, "others": 1.0}[instrument]
            note = note * np.exp(-decay * t) * np.minimum(t * 200, 1)
        notes.append(note / np.abs(note).max())
    line = np.concatenate([notes[i] for i in rng.integers(0, 4, int(seconds / beat) + 2)])
    return (0.19 * line[: round(seconds * rate)]).astype(np.float32)


def write_track(
    folder: Path,
    stems: Mapping[str, np.ndarray],
    *,
    rate: int = RATE,
    suffix: str = ".flac",
    tempo: float = 120.0,
    stemwise: Mapping[str, object] | None = None,
    mix: bool = True,
) -> Path:
    """Write one piece as Slakh does, one file for each instrument.

    Args:
        folder: of the piece, ``.../TrackNNNNN``; created.
        stems: instrument → [samples].
        rate: Hz.
        suffix: of the audio files, with its dot.
        tempo: BPM, written to ``all_src.mid``.
        stemwise: our own block of the metadata; None leaves it out, as in real Slakh.
        mix: whether to write the mix.
    """
    (folder / "stems").mkdir(parents=True)
    entries = {}
    for number, (instrument, sound) in enumerate(stems.items()):
        write_sound(folder / "stems" / f"S{number:02d}{suffix}", sound, rate)
        entries[f"S{number:02d}"] = {
            "audio_rendered": True,
            "inst_class": instrument.capitalize(),
            "integrated_loudness": -20.0,
            "is_drum": instrument == "drums",
            "midi_program_name": instrument,
            "midi_saved": True,
            "plugin_name": f"{instrument}_plugin.nkm",
            "program_num": PROGRAMS[instrument],
        }
    if mix:
        longest = max(map(len, stems.values()))
        total = np.zeros(longest, np.float32)
        for sound in stems.values():
            total[: len(sound)] += sound
        write_sound(folder / f"mix{suffix}", total, rate)
    metadata: dict[str, object] = {"UUID": folder.name, "audio_dir": "stems", "stems": entries}
    if stemwise is not None:
        metadata["stemwise"] = dict(stemwise)
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata), encoding="utf-8")
    midi = mido.MidiFile()
    midi.tracks.append(mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo))]))
    midi.save(folder / "all_src.mid")
    return folder


def write_sound(file: Path, sound: np.ndarray, rate: int = RATE) -> Path:
    """Write audio in the format that the file's ending names."""
    formats = {".ogg": ("OGG", "VORBIS"), ".opus": ("OGG", "OPUS"), ".mp3": ("MP3", None)}
    container, coding = formats.get(file.suffix, (None, None))
    options = {"compression_level": 0.0} if file.suffix == ".flac" else {}  # the fastest
    channels = 1 if sound.ndim == 1 else sound.shape[1]
    with sf.SoundFile(
        file, "w", rate, channels, format=container, subtype=coding, **options
    ) as out:
        for begin in range(0, len(sound), rate):  # one large Vorbis write crashes libsndfile
            out.write(sound[begin : begin + rate])
    return file


def write_slakh(
    root: Path,
    splits: Mapping[str, int],
    *,
    seconds: float = 14.0,
    tempos: Collection[float] = (102.0, 132.0),
    suffix: str = ".flac",
    mix: bool = True,
    absent: Mapping[int, Collection[str]] | None = None,
) -> Path:
    """Write a corpus of tones.

    Args:
        root: where; created.
        splits: split → number of pieces in it, e.g. ``{"train": 4, "test": 4}``.
        seconds: length of each piece.
        tempos: taken in turn, plus half a BPM from one round to the next, so that each begins
            a tempo group with members in every split.
        suffix: of the audio files.
        mix: whether to write the mixes.
        absent: number of a piece (from 1) → instruments that it lacks.
    """
    number = 0
    for split, count in splits.items():
        for _ in range(count):
            tempo = list(tempos)[number % len(tempos)] + 0.5 * (number // len(tempos) % 4)
            number += 1
            gone = (absent or {}).get(number, ())
            present = [name for name in INSTRUMENTS if name not in gone]
            write_track(
                root / split / f"Track{number:05d}",
                {name: tone(name, number, seconds, tempo) for name in present},
                suffix=suffix,
                tempo=tempo,
                mix=mix,
                stemwise={
                    "title": f"Tones number {number}, {tempo:g} BPM",
                    "tempo": tempo,
                    "key": "CDEFGAB"[number % 7],
                    "groove": f"groove {number}",
                    "groove_file": f"file {number}",
                    "source": "tones",
                    "soundfonts": {name: f"font {number % 3}" for name in present},
                    "programs": {name: PROGRAMS[name] for name in present},
                    "absent": list(gone),
                },
            )
    return root
