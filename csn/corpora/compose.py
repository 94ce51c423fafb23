"""Compose a corpus: MMA's grooves, our own lines, one multi-track MIDI file and a sidecar a piece.

``out/{train,validation,test}/TrackNNNNN.mid`` and ``.json``. ``render`` makes audio of them.
"""

import re
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from csn.corpora import arrange, drums, midi, mma, titles
from csn.corpora.grooves import GrooveFile, groove_files, partition
from csn.corpora.harmony import Chord, Key, colours, draw_key, phrase
from csn.corpora.midi import Part, write_pair
from csn.corpora.plan import Plan, Row
from csn.errors import CorpusError, ToolError
from csn.instruments import INSTRUMENTS

SPLITS = ("train", "validation", "test")
DEFAULT_SPLIT: Mapping[str, float] = {"train": 640, "validation": 24, "test": 52}

# Tempi (quarters per minute) that suit a groove, by the first word of its name that is known.
_TEMPI = (
    (r"metal|mtl|punk|thr|hevy|heavy", (116, 176)),
    (r"slow|ballad|bald|lullaby|hymn|spiritual|bolero", (60, 92)),
    (r"viennese|vienese|fastwaltz|quickstep|bebop|fast", (150, 205)),
    (r"hiphop|trip|rb|soul|r&b|ambient|amb", (72, 108)),
    (r"trance|techno|house|disco|dance|euro", (112, 140)),
    (r"waltz|34", (92, 156)),
    (r"swing|bigband|jazz|dixie|charleston|foxtrot|jive|western", (108, 190)),
    (r"samba|mambo|merengue|polka|salsa|calypso|march|bluegrass|twist", (98, 150)),
    (r"bossa|rhumba|beguine|cha|tango|latin|cuban|son", (88, 138)),
)
_WRITERS = {"bass": arrange.bass, "piano": arrange.piano, "guitar": arrange.guitar}
# How often our own line takes the place of MMA's: MMA's is shared by pieces of one groove file.
_REPLACE = {"drums": 0.35, "bass": 0.5, "piano": 0.5, "guitar": 0.5, "others": 0.7}
_ABSENT = 0.2
_ABSENT_CHANCE = (0.15, 0.15, 0.2, 0.25, 0.25)
_FAMILIES = (8, 16, 40, 48, 56, 64, 72, 80, 88, 104)
_UNSUITED = frozenset({47, 55, 58})


@dataclass(frozen=True)
class _Task:
    """What is decided about a piece before it is written."""

    id: str
    title: str
    split: str
    groove: GrooveFile
    key: Key
    tempo: int
    seconds: float
    seed: tuple[int, int]
    out: Path
    spare: tuple[GrooveFile, ...] = ()


def _draw_tempo(rng: np.random.Generator, file: GrooveFile) -> int:
    name = file.path.stem.lower()
    low, high = next((span for p, span in _TEMPI if re.search(p, name)), (84, 142))
    if file.compound:
        low, high = 84, 150
    return int(rng.integers(low, high + 1))


def _form(
    rng: np.random.Generator, key: Key, groove: GrooveFile, tempo: float, seconds: float
) -> tuple[tuple[str, ...], tuple[Chord, ...]]:
    """Sections and chords for at least ``seconds``."""
    bars = int(np.ceil((seconds + 1.0) * tempo / 60 / groove.bar / 4)) * 4
    unit = 4 if bars <= 20 else 8
    shapes = ("AABABCAB", "ABABCAB", "AABBACAB", "ABACABAC", "AABCABCB")
    shape = shapes[int(rng.integers(len(shapes)))] * 8
    letters = tuple(shape[bar // unit] for bar in range(bars))
    colour = str(rng.choice(colours(), p=[0.3, 0.35, 0.25, 0.1]))
    split = float(rng.choice([0.0, 0.1, 0.3])) if groove.beats in (2, 4, 6) else 0.0
    written = {x: phrase(rng, key, unit, colour, split) for x in sorted(set(letters))}
    chords = []
    for bar, letter in enumerate(letters):
        at = bar * groove.bar
        for root, quality, share in written[letter][bar % unit]:
            chords.append(Chord(root, quality, at, share * groove.bar))
            at += share * groove.bar
    return letters, tuple(chords)


def _coverage(rows: list[Row], plan: Plan) -> float:
    """Share of bars in which a line sounds."""
    bars = {
        bar
        for start, length, *_ in rows
        for bar in range(int(start // plan.bar), int((start + length * 0.9) // plan.bar) + 1)
    }
    return len(bars) / plan.bars


def _program(rng: np.random.Generator, instrument: str, old: int | None, kind: str) -> int:
    """Draw a program within the class of the role."""
    if instrument == "drums":
        return int(rng.choice(drums.KITS))
    first = {"piano": 0, "guitar": 24, "bass": 32}.get(instrument)
    if first is not None:
        return first + int(rng.integers(8))
    if kind or old is None:
        return int(rng.choice(arrange.OTHERS[kind or "melody"]))
    base = old // 8 * 8
    base = base if base in _FAMILIES else 48
    return int(rng.choice([p for p in range(base, base + 8) if p not in _UNSUITED]))


def _humanise(rng: np.random.Generator, rows: list[Row], plan: Plan) -> np.ndarray:
    """Rows in quarters to notes in seconds, with a hand's small errors."""
    notes = np.array(rows, dtype=np.float64).reshape(-1, 4)
    notes[:, :2] *= 60.0 / plan.tempo
    count = len(notes)
    notes[:, 0] += rng.normal(rng.normal(0, 0.004), rng.uniform(0.002, 0.007), count)
    notes[:, 1] = np.maximum(notes[:, 1], 0.04)
    notes[:, 3] += rng.normal(0, rng.uniform(2, 6), count)
    notes[:, 3] = np.clip(notes[:, 3], 18, 124)
    return midi.tidy(notes)


def _warped(plan: Plan, rows: list[Row]) -> list[Row]:
    if plan.swing == 0.5 or not rows:
        return rows
    starts = plan.warp(np.array([r[0] for r in rows]))
    return [(float(s), *r[1:]) for s, r in zip(starts, rows, strict=True)]


def _lines(
    rng: np.random.Generator, plan: Plan, played: dict[str, tuple[list[Row], int]]
) -> tuple[dict[str, Part], dict[str, str]]:
    """Every instrument's part, and who wrote it (``mma`` or ``own``)."""
    parts, writer = {}, {}
    for instrument in INSTRUMENTS:
        rows, old = played.get(instrument, ([], None))
        kind = ""
        least = 0.85 if instrument == "drums" else 0.6
        if _coverage(rows, plan) >= least and rng.random() >= _REPLACE[instrument]:
            writer[instrument] = "mma"
            rows = drums.vary(rng, plan, rows) if instrument == "drums" else rows
        else:
            writer[instrument] = "own"
            if instrument == "drums":
                rows = drums.own(rng, plan)
            elif instrument == "others":
                rows, kind = arrange.others(rng, plan)
            else:
                rows = _WRITERS[instrument](rng, plan)
            rows = _warped(plan, rows)
        program = _program(rng, instrument, old, kind)
        notes = _humanise(rng, rows, plan)
        parts[instrument] = Part(program, instrument == "drums", notes, name=instrument)
    return parts, writer


def _piece(task: _Task) -> str:
    """Write one piece, from another groove file of its split if MMA fails on its own."""
    if (task.out / task.split / f"{task.id}.json").exists():
        return task.id
    problem: ToolError | None = None
    for file in (task.groove, *task.spare):
        title = task.title if file == task.groove else titles.title(file, task.key, task.tempo)
        try:
            return _write(replace(task, groove=file, title=title))
        except ToolError as error:
            problem = error
    raise problem or ToolError(f"{task.id} has no groove file; reinstall mma")


def _write(task: _Task) -> str:
    rng = np.random.default_rng(task.seed)
    file = task.groove
    letters, chords = _form(rng, task.key, file, task.tempo, task.seconds)
    text, used = mma.score(rng, file, task.tempo, letters, chords, seed=task.seed[1])
    played = mma.lines(rng, mma.play(text, file.address), task.tempo / 60.0)
    swing = mma.swing(played.get("drums", ([], 0))[0], file.compound)
    plan = Plan(task.key, task.tempo, file.bar, file.compound, letters, chords, swing)
    parts, writer = _lines(rng, plan, played)
    absent = []
    if rng.random() < _ABSENT:
        absent = [str(rng.choice(INSTRUMENTS, p=_ABSENT_CHANCE))]
        parts = {name: part for name, part in parts.items() if name not in absent}
    data = midi.to_bytes(list(parts.values()), task.tempo, file.signature)
    sidecar = {
        "id": task.id,
        "title": task.title,
        "tempo": task.tempo,
        "key": str(task.key),
        "signature": "{}/{}".format(*file.signature),
        "groove": used["A"],
        "groove_file": file.address,
        "source": "mma",
        "split": task.split,
        "licence": "composed by Stemwise with MMA grooves",
        "programs": {name: part.program for name, part in parts.items()},
        "written_by": {name: writer[name] for name in parts},
        "absent": absent,
        "seed": list(task.seed),
    }
    write_pair(task.out / task.split, task.id, data, sidecar)
    return task.id


def _shares(pieces: int, split: Mapping[str, float]) -> dict[str, int]:
    unknown = set(split) - set(SPLITS)
    if unknown or not split or min(split.values()) < 0 or sum(split.values()) <= 0:
        raise CorpusError(f"cannot split a corpus as {dict(split)}; give shares of {SPLITS}")
    total = sum(split.values())
    counts = {name: int(pieces * split.get(name, 0.0) / total) for name in SPLITS}
    largest = max(SPLITS, key=lambda name: split.get(name, 0.0))
    counts[largest] += pieces - sum(counts.values())
    return counts


def _tasks(
    out: Path, counts: Mapping[str, int], seed: int, seconds: float, first: int
) -> list[_Task]:
    rng = np.random.default_rng([seed, 1])
    files = partition(groove_files())
    tasks: list[_Task] = []
    taken: set[str] = set()
    for split in SPLITS:
        order: list[int] = []
        while len(order) < counts[split]:
            order += rng.permutation(len(files[split])).tolist()
        for i in order[: counts[split]]:
            file = files[split][i]
            for _ in range(100):
                key, tempo = draw_key(rng), _draw_tempo(rng, file)
                title = titles.title(file, key, tempo)
                if title not in taken:
                    break
            taken.add(title)
            number = first + len(tasks)
            name = f"Track{number:05d}"
            piece_seed = (seed, int(rng.integers(2**31)))
            # Files that no piece of the split has, if there are any; MMA fails very seldom.
            spare = tuple(
                files[split][order[(counts[split] + len(tasks) + k) % len(order)]] for k in range(3)
            )
            tasks.append(
                _Task(name, title, split, file, key, tempo, seconds, piece_seed, out, spare)
            )
    return tasks


def compose(
    out: Path,
    pieces: int,
    seed: int = 0,
    split: Mapping[str, float] = DEFAULT_SPLIT,
    *,
    seconds: float = 62.0,
    first: int = 1,
    workers: int | None = None,
    progress: bool = True,
) -> list[Path]:
    """Compose pieces over as many groove files as there are.

    The groove FILES are divided once and for all between train, validation and test (see
    ``grooves.partition``); a split's pieces take its files in turn, so up to the number of its
    files each piece has a file of its own. Pieces already there are kept.

    Args:
        out: folder for ``{split}/TrackNNNNN.mid`` and ``.json``.
        pieces: how many.
        seed: of everything; the same seed gives the same corpus.
        split: shares of the pieces, such as ``{"train": 0.9, "test": 0.1}``.
        seconds: length of a piece, at least.
        first: number of the first piece.
        workers: processes; as many as there are processors by default.
        progress: whether to show a bar.

    Returns:
        The MIDI files, in order.

    Raises:
        ToolError: MMA is missing or fails.
        CorpusError: the split makes no sense.
    """
    if pieces < 1:
        raise CorpusError(f"cannot compose {pieces} pieces; ask for at least 1")
    tasks = _tasks(Path(out), _shares(pieces, split), seed, seconds, first)
    with ProcessPoolExecutor(workers) as pool:
        done = pool.map(_piece, tasks, chunksize=4)
        for _ in tqdm(done, total=len(tasks), desc="compose", unit="piece", disable=not progress):
            pass
    return [task.out / task.split / f"{task.id}.mid" for task in tasks]
