"""MMA as a player: a score in its language goes in, a line for each instrument comes out."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from csn.corpora import midi
from csn.corpora.grooves import GrooveFile, main_grooves, run_mma
from csn.corpora.harmony import Chord
from csn.corpora.midi import Part
from csn.corpora.plan import Row
from csn.errors import ToolError
from csn.instruments import instrument_of


def score(
    rng: np.random.Generator,
    file: GrooveFile,
    tempo: int,
    letters: Sequence[str],
    chords: Sequence[Chord],
    *,
    seed: int,
) -> tuple[str, dict[str, str]]:
    """Write a piece in MMA's language.

    Args:
        rng: source of chance.
        file: its grooves are drawn from; each section keeps to one.
        tempo: quarter notes per minute.
        letters: the section of each bar.
        chords: of the whole piece.
        seed: of MMA's own chance.

    Returns:
        The text, and the groove of each section.
    """
    used = {}
    pool = list(rng.permutation(main_grooves(file)))
    for i, letter in enumerate(sorted(set(letters))):
        used[letter] = str(pool[i % min(len(pool), 3)])
    lines = [f"Tempo {tempo * (2 if file.compound else 1)}", f"RndSeed {seed}"]
    before = ""
    for bar, letter in enumerate(letters):
        if letter != before:
            lines.append(f"Groove {file.address}:{used[letter]}")
            before = letter
        here = [c for c in chords if bar * file.bar <= c.start + 1e-6 < (bar + 1) * file.bar]
        symbols = ["/"] * file.beats
        for chord in here:
            place = (chord.start - bar * file.bar) * (2 if file.compound else 1)
            symbols[min(int(place), file.beats - 1)] = chord.name
        lines.append(f"{bar + 1} {' '.join(symbols)}")
    return "\n".join(lines) + "\n", used


def play(text: str, address: str) -> list[Part]:
    """Let MMA play a score; ``address`` is named in errors.

    Raises:
        ToolError: MMA is missing, or fails on it.
    """
    with tempfile.TemporaryDirectory(prefix="stemwise-") as folder:
        source, target = Path(folder) / "piece.mma", Path(folder) / "piece.mid"
        source.write_text(text, encoding="ascii")
        run_mma("-f", str(target), str(source))
        if not target.exists():
            raise ToolError(f"mma wrote nothing for {address}; choose another groove")
        return midi.read(target)[0]


def _role(part: Part) -> str:
    name = part.name.upper()
    if part.is_drum or name.startswith("DRUM"):
        return "drums"
    if name.startswith(("BASS", "WALK")):
        return "bass"
    found = instrument_of(part.program, False)
    return "others" if found == "bass" else found


def _rows(part: Part, per_second: float) -> list[Row]:
    scaled = part.notes * np.array([per_second, per_second, 1.0, 1.0])
    return [(float(a), float(b), float(c), float(d)) for a, b, c, d in scaled]


def lines(
    rng: np.random.Generator, parts: list[Part], per_second: float
) -> dict[str, tuple[list[Row], int]]:
    """Choose MMA's line for each instrument that it plays.

    Args:
        rng: source of chance.
        parts: what MMA played.
        per_second: quarter notes per second.

    Returns:
        For each instrument the notes (in quarters) and the program.
    """
    groups: dict[str, list[Part]] = {}
    for part in parts:
        groups.setdefault(_role(part), []).append(part)
    found = {}
    for role, group in groups.items():
        group.sort(key=lambda p: -len(np.unique(p.notes[:, 0].round(2))))
        whole = role == "drums" or rng.random() < 0.4
        chosen = group if whole and role != "others" else group[:1]
        rows = [row for part in chosen for row in _rows(part, per_second)]
        found[role] = (rows, group[0].program)
    return found


def swing(rows: list[Row], compound: bool) -> float:
    """Where the second eighth falls, judged from MMA's drums (0.5 if it cannot be told)."""
    if compound or not rows:
        return 0.5
    part = np.array([r[0] for r in rows]) % 1.0
    straight = float(np.sum(np.abs(part - 0.5) < 0.05))
    swung = float(np.sum(np.abs(part - 2 / 3) < 0.06))
    return 0.66 if swung > straight and swung > 0.05 * len(rows) else 0.5
