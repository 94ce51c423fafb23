"""MIDI in and out: parts of notes in seconds, and nothing else of the format's many corners."""

import io
import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mido
import numpy as np

from csn.errors import CorpusError
from csn.instruments import instrument_of

TICKS = 480
"""Ticks per quarter note in every file that we write."""

BEND = 128
"""The number under which a pitch bend stands among the controllers."""

_PartKey = tuple[int, int, int]  # track, channel, program
_DRUMS = 9
_SHORTEST = 0.03
_KEPT_CONTROLLERS = frozenset({1, 7, 10, 11, 64})


@dataclass
class Part:
    """One line of one instrument.

    Attributes:
        program: General MIDI program, 0-127; the kit's number for drums.
        is_drum: whether it sounds on MIDI channel 10.
        notes: [n, 4] float64: start and duration in seconds, pitch, velocity.
        controls: (seconds, controller, value), in time order; controller ``BEND`` holds 0-16383.
        name: the name of the MIDI track.
    """

    program: int
    is_drum: bool
    notes: np.ndarray
    controls: list[tuple[float, int, int]] = field(default_factory=list)
    name: str = ""

    @property
    def instrument(self) -> str:
        """One of the five instruments."""
        return instrument_of(self.program, self.is_drum)


def tidy(notes: np.ndarray) -> np.ndarray:
    """Sort notes and shorten each so that it ends before its own pitch starts again.

    Args:
        notes: [n, 4] start, duration (any one unit), pitch, velocity.

    Returns:
        [m, 4] float64, sorted by start; pitches and velocities are whole and legal MIDI.
    """
    if len(notes) == 0:
        return np.zeros((0, 4))
    notes = np.asarray(notes, dtype=np.float64)
    notes = notes[(notes[:, 1] > 0) & (notes[:, 2] >= 0) & (notes[:, 2] <= 127)].copy()
    notes[:, 0] = np.maximum(notes[:, 0], 0.0)
    notes[:, 2] = np.round(notes[:, 2])
    notes[:, 3] = np.clip(np.round(notes[:, 3]), 1, 127)
    notes = notes[np.lexsort((notes[:, 0], notes[:, 2]))]
    if len(notes) > 1:
        gap = np.diff(notes[:, 0])
        same = notes[1:, 2] == notes[:-1, 2]
        notes[:-1, 1] = np.where(same, np.minimum(notes[:-1, 1], gap), notes[:-1, 1])
    notes = notes[notes[:, 1] > 1e-3]
    return notes[np.argsort(notes[:, 0], kind="stable")]


def _length(value: int) -> bytes:
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))


def _chunk(events: list[tuple[int, int, bytes]]) -> bytes:
    body, now = bytearray(), 0
    for tick, _, data in sorted(events, key=lambda e: e[:2]):
        body += _length(tick - now) + data
        now = tick
    body += b"\x00\xff\x2f\x00"
    return b"MTrk" + struct.pack(">I", len(body)) + bytes(body)


def _events(part: Part, channel: int, rate: float) -> list[tuple[int, int, bytes]]:
    name = (part.name or part.instrument).encode("utf-8", "replace")[:120]
    events = [
        (0, 0, b"\xff\x03" + _length(len(name)) + name),
        (0, 1, bytes([0xC0 | channel, part.program])),
    ]
    for seconds, controller, value in part.controls:
        tick = round(seconds * rate)
        if controller == BEND:
            events.append((tick, 2, bytes([0xE0 | channel, value & 0x7F, value >> 7])))
        else:
            events.append((tick, 2, bytes([0xB0 | channel, controller, value])))
    for start, duration, pitch, velocity in tidy(part.notes):
        on = round(start * rate)
        off = max(round((start + duration) * rate), on + 1)
        events.append((on, 4, bytes([0x90 | channel, int(pitch), int(velocity)])))
        # A note-off sorts before a note-on of the same tick, or it would end the new note.
        events.append((off, 3, bytes([0x80 | channel, int(pitch), 0])))
    return events


def to_bytes(parts: Sequence[Part], tempo: float, signature: tuple[int, int] = (4, 4)) -> bytes:
    """Write parts as a type-1 MIDI file, one track a part.

    Args:
        parts: any number; pitched parts share the fifteen pitched channels in turn.
        tempo: quarter notes per minute, written once at the start.
        signature: time signature, such as (6, 8).

    Returns:
        The file's bytes.
    """
    rate = TICKS * tempo / 60.0
    header = [
        (0, 0, b"\xff\x51\x03" + round(6e7 / tempo).to_bytes(3, "big")),
        (0, 1, bytes([0xFF, 0x58, 4, signature[0], signature[1].bit_length() - 1, 24, 8])),
    ]
    pitched = [c for c in range(16) if c != _DRUMS]
    chunks, used = [_chunk(header)], 0
    for part in parts:
        channel = _DRUMS if part.is_drum else pitched[used % len(pitched)]
        used += not part.is_drum
        chunks.append(_chunk(_events(part, channel, rate)))
    return b"MThd" + struct.pack(">IHHH", 6, 1, len(chunks), TICKS) + b"".join(chunks)


class _Clock:
    """Ticks to seconds under a tempo map."""

    def __init__(self, file: mido.MidiFile) -> None:
        changes = {0: 500_000}
        for track in file.tracks:
            tick = 0
            for message in track:
                tick += message.time
                if message.type == "set_tempo":
                    changes[tick] = message.tempo
        self.ticks = np.array(sorted(changes))
        self.micro = np.array([changes[t] for t in self.ticks])
        self.per_beat = file.ticks_per_beat
        spans = np.diff(self.ticks) * self.micro[:-1] / self.per_beat / 1e6
        self.starts = np.concatenate([[0.0], np.cumsum(spans)])

    def __call__(self, tick: int) -> float:
        i = int(np.searchsorted(self.ticks, tick, side="right")) - 1
        passed = (tick - self.ticks[i]) * self.micro[i] / self.per_beat / 1e6
        return float(self.starts[i] + passed)

    def tempo(self, end: int) -> float:
        """The tempo that holds for the longest time up to tick ``end``."""
        lengths = np.diff(np.append(self.ticks, max(end, self.ticks[-1] + 1)))
        totals: dict[int, float] = {}
        for micro, length in zip(self.micro, lengths * self.micro, strict=True):
            totals[int(micro)] = totals.get(int(micro), 0.0) + float(length)
        return 6e7 / max(totals, key=lambda m: totals[m])


def _open(source: Path | bytes, name: str) -> mido.MidiFile:
    try:
        data = source if isinstance(source, bytes) else source.read_bytes()
        # Some editors write key signatures that mido refuses; nothing here needs them.
        data = re.sub(rb"\xff\x59\x02..", b"\xff\x59\x02\x00\x00", data, flags=re.DOTALL)
        return mido.MidiFile(file=io.BytesIO(data), clip=True)
    except (OSError, EOFError, ValueError, KeyError, IndexError) as error:
        raise CorpusError(
            f"{name} is not a MIDI file that can be read ({error or type(error).__name__}); "
            "remove it or replace it"
        ) from error


class _Reader:
    """Gathers parts while the messages of a file pass, in time order."""

    def __init__(self) -> None:
        self.programs = [0] * 16
        self.state: list[dict[int, int]] = [{} for _ in range(16)]
        self.parts: dict[_PartKey, Part] = {}
        self.rows: dict[_PartKey, list[tuple[float, float, int, int]]] = {}
        self.sounding: dict[tuple[int, int], list[tuple[_PartKey, float, int]]] = {}

    def note_on(self, track: int, name: str, now: float, message: mido.Message) -> None:
        channel = message.channel
        key = (track, channel, self.programs[channel])
        if key not in self.parts:
            held = [(now, c, v) for c, v in self.state[channel].items()]
            self.parts[key] = Part(key[2], channel == _DRUMS, np.zeros((0, 4)), held, name)
            self.rows[key] = []
        pair = (channel, message.note)
        self.sounding.setdefault(pair, []).append((key, now, message.velocity))

    def note_off(self, now: float, message: mido.Message) -> None:
        started = self.sounding.get((message.channel, message.note))
        if started:
            key, start, velocity = started.pop(0)
            self.rows[key].append((start, max(now - start, _SHORTEST), message.note, velocity))

    def control(self, now: float, channel: int, number: int, value: int) -> None:
        self.state[channel][number] = value
        for key, part in self.parts.items():
            if key[1] == channel:
                part.controls.append((now, number, value))

    def take(self, track: int, name: str, now: float, message: mido.Message) -> None:
        kind = message.type
        if kind == "program_change":
            self.programs[message.channel] = message.program
        elif kind == "note_on" and message.velocity > 0:
            self.note_on(track, name, now, message)
        elif kind in ("note_on", "note_off"):
            self.note_off(now, message)
        elif kind == "pitchwheel":
            self.control(now, message.channel, BEND, message.pitch + 8192)
        elif kind == "control_change" and message.control in _KEPT_CONTROLLERS:
            self.control(now, message.channel, message.control, message.value)

    def finish(self) -> list[Part]:
        for key, part in self.parts.items():
            part.notes = tidy(np.array(self.rows[key]).reshape(-1, 4))
        return [part for part in self.parts.values() if len(part.notes)]


def read(source: Path | bytes, name: str = "") -> tuple[list[Part], float]:
    """Read a MIDI file: one part per track, channel and program.

    Args:
        source: a file or its bytes.
        name: what to call it in errors; the path by default.

    Returns:
        The parts that hold notes, and the tempo (quarter notes per minute) that lasts longest.

    Raises:
        CorpusError: missing, or not MIDI.
    """
    file = _open(source, name or str(source if isinstance(source, Path) else "a MIDI file"))
    clock, reader = _Clock(file), _Reader()
    merged: list[tuple[int, int, mido.Message]] = []
    for index, track in enumerate(file.tracks):
        tick = 0
        for message in track:
            tick += message.time
            if not message.is_meta and message.type != "sysex":
                merged.append((tick, index, message))
    merged.sort(key=lambda event: event[0])
    names = [track.name.strip() for track in file.tracks]
    for tick, index, message in merged:
        reader.take(index, names[index], clock(tick), message)
    return reader.finish(), clock.tempo(merged[-1][0] if merged else 1)


def write_pair(folder: Path, name: str, data: bytes, sidecar: Mapping[str, Any]) -> Path:
    """Write a MIDI file and its JSON sidecar, each moved into place when it is whole.

    The sidecar comes last: where it stands, the piece is complete.

    Args:
        folder: made if it is not there.
        name: of both files, without suffix.
        data: the MIDI file.
        sidecar: what is known of the piece.

    Returns:
        The MIDI file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(sidecar, indent=1, ensure_ascii=False) + "\n"
    for suffix, content in ((".mid", data), (".json", text.encode())):
        half = folder / f".{name}{suffix}.part"
        half.write_bytes(content)
        half.replace(folder / f"{name}{suffix}")
    return folder / f"{name}.mid"
