"""Render multi-track MIDI to stems with soundfonts, in Slakh's layout."""

import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml
from tqdm import tqdm

from csn.corpora import crew, levels, midi
from csn.corpora.midi import Part
from csn.corpora.soundfonts import TRAINING, SoundFont, installed
from csn.corpora.synth import Synth, open_synth
from csn.errors import CorpusError
from csn.instruments import INSTRUMENTS

_SPLITS = ("train", "validation", "test")
_TAIL = 2.0  # seconds left for the last note to die away


@dataclass(frozen=True)
class Settings:
    """How to render.

    Attributes:
        sample_rate: of the stems, Hz.
        seconds: longest piece; later sound is cut.
        fonts: drawn from, one a stem.
        codec: ``flac``, or ``opus`` (Ogg, 48 kHz) for small stems.
        compression: 0-1, for Opus: higher is smaller.
        mix: whether to write ``mix.flac``.
        seed: of fonts, levels and rooms.
    """

    sample_rate: int
    seconds: float
    fonts: tuple[SoundFont, ...]
    codec: str
    compression: float
    mix: bool
    seed: int


@dataclass(frozen=True)
class _Job:
    source: Path
    target: Path
    split: str
    number: int


@dataclass(frozen=True)
class _Sound:
    """A stem as it was rendered: [samples] float32, its font's name, its level in dBFS."""

    audio: np.ndarray
    font: str
    level: float


def draw_font(rng: np.random.Generator, part: Part, fonts: Sequence[SoundFont]) -> SoundFont | None:
    """One of the fonts that hold the part's program; None if none does."""
    fit = [font for font in fonts if font.has(part.program, part.is_drum)]
    return fit[int(rng.integers(len(fit)))] if fit else None


def _with_kit(part: Part, fonts: Sequence[SoundFont]) -> Part:
    """The part, with the standard kit if no font has the kit of its (odd) number."""
    if part.is_drum and not any(font.has(part.program, True) for font in fonts):
        return Part(0, True, part.notes, part.controls, part.name)
    return part


class _Renderer:
    """Does the jobs of one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.rate = levels.OPUS_RATE if settings.codec == "opus" else settings.sample_rate
        self.synth: Synth = open_synth(settings.fonts, self.rate)

    def __call__(self, job: _Job) -> float:
        """Render a piece into its place; gives its duration in seconds."""
        sidecar = _sidecar(job.source)
        parts, tempo = midi.read(job.source)
        parts = [_with_kit(part, self.settings.fonts) for part in parts]
        parts.sort(key=lambda p: (INSTRUMENTS.index(p.instrument), p.program))
        if not parts:
            raise CorpusError(f"{job.source} holds no notes; remove it")
        half = job.target.with_name(f".{job.target.name}.part")
        shutil.rmtree(half, ignore_errors=True)
        (half / "stems").mkdir(parents=True)
        (half / "MIDI").mkdir()
        try:
            rng = np.random.default_rng([self.settings.seed, job.number])
            sounds = [self._sound(part, rng) for part in parts]
            duration = self._write(job, half, parts, sounds, tempo)
            shutil.copyfile(job.source, half / "all_src.mid")
            about = _metadata(job, parts, sounds, {"tempo": round(tempo, 3)} | sidecar)
            text = yaml.safe_dump(about, sort_keys=False, allow_unicode=True)
            (half / "metadata.yaml").write_text(text, encoding="utf-8")
            shutil.rmtree(job.target, ignore_errors=True)
            half.replace(job.target)
        finally:
            shutil.rmtree(half, ignore_errors=True)
        return duration

    def _sound(self, part: Part, rng: np.random.Generator) -> _Sound | None:
        """Render a part with a font, room and level of its own; None if it stays silent."""
        font = draw_font(rng, part, self.settings.fonts)
        room = float(rng.choice([0.0, 0.0, rng.uniform(0.1, 0.5), rng.uniform(0.3, 0.9)]))
        level = levels.LEVELS[part.instrument] + float(rng.uniform(-1, 1)) * levels.SPREAD
        if font is None:
            return None
        last = float((part.notes[:, 0] + part.notes[:, 1]).max()) + _TAIL
        audio = self.synth.render(part, font.name, min(self.settings.seconds, last), room)
        loud = levels.to_level(audio, self.rate, level)
        return None if loud is None else _Sound(loud, font.name, level)

    def _write(
        self,
        job: _Job,
        half: Path,
        parts: Sequence[Part],
        sounds: Sequence[_Sound | None],
        tempo: float,
    ) -> float:
        settings = self.settings
        heard = [sound.audio for sound in sounds if sound is not None]
        if not heard:
            raise CorpusError(f"{job.source} is silent with these soundfonts; remove it")
        stems = levels.quantised(heard)
        left = iter(stems)
        for i, (part, sound) in enumerate(zip(parts, sounds, strict=True)):
            (half / "MIDI" / f"S{i:02d}.mid").write_bytes(midi.to_bytes([part], tempo))
            if sound is not None:
                path = half / "stems" / f"S{i:02d}"
                levels.write(path, next(left), self.rate, settings.codec, settings.compression)
        if settings.mix:
            mix = levels.summed(stems)
            soundfile.write(str(half / "mix.flac"), mix, self.rate, subtype="PCM_16")
        return len(stems[0]) / self.rate


def _metadata(
    job: _Job,
    parts: Sequence[Part],
    sounds: Sequence[_Sound | None],
    sidecar: Mapping[str, Any],
) -> dict[str, Any]:
    """What ``metadata.yaml`` holds: Slakh2100's keys, and ``stemwise`` with ours."""
    stems, fonts, programs = {}, {}, {}
    for i, (part, sound) in enumerate(zip(parts, sounds, strict=True)):
        stems[f"S{i:02d}"] = {
            "audio_rendered": sound is not None,
            "inst_class": part.instrument.capitalize(),
            "integrated_loudness": round(sound.level, 2) if sound else None,
            "is_drum": part.is_drum,
            "midi_program_name": part.name or part.instrument,
            "midi_saved": True,
            "plugin_name": sound.font if sound else None,
            "program_num": part.program,
        }
        if sound is not None:
            fonts[part.instrument] = sound.font
            programs[part.instrument] = part.program
    return {
        "UUID": job.source.stem,
        "audio_dir": "stems",
        "midi_dir": "MIDI",
        "normalized": False,
        "overall_gain": 1.0,
        "target_peak": levels.PEAK,
        "stems": stems,
        "stemwise": {
            "title": job.source.stem,
            "source": "midi",
            "programs": programs,
            **sidecar,
            "split": job.split,
            "soundfonts": fonts,
            "absent": [name for name in INSTRUMENTS if name not in fonts],
        },
    }


def _sidecar(source: Path) -> dict[str, Any]:
    path = source.with_suffix(".json")
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CorpusError(f"{path} is not JSON ({error}); compose the piece again") from error
    return {key: value for key, value in found.items() if key != "id"}


def _jobs(midi_dir: Path, out: Path, only: Collection[str]) -> list[_Job]:
    sources = [p for p in midi_dir.rglob("*") if p.suffix.lower() in (".mid", ".midi")]
    sources = sorted(p for p in sources if not p.name.startswith("."))
    jobs = []
    for i, source in enumerate(sources, start=1):
        folder = source.relative_to(midi_dir).parts[0]
        split = folder if folder in _SPLITS else ""
        if only and source.stem not in only:
            continue
        name = source.stem if source.stem.startswith("Track") else f"Track{i:05d}"
        digits = "".join(c for c in name if c.isdigit())
        jobs.append(_Job(source, out / split / name, split, int(digits or i)))
    return jobs


def render(
    midi_dir: Path,
    out: Path,
    sample_rate: int = 44_100,
    *,
    only: Collection[str] = (),
    workers: int | None = None,
    seconds: float = 62.0,
    fonts: Sequence[str] = TRAINING,
    codec: str = "flac",
    compression: float = 0.7,
    mix: bool = True,
    seed: int = 0,
    timeout: float = 180.0,
    progress: bool = True,
) -> list[str]:
    """Render every MIDI file of a folder to a corpus in Slakh's layout.

    A piece is ``out/{split}/TrackNNNNN`` with ``stems/Sxx.flac``, ``MIDI/Sxx.mid``, ``mix.flac``,
    ``metadata.yaml`` and ``all_src.mid``. The stems sum to the mix exactly. A piece that is
    already there is kept, so a run that broke off can be started again.

    Args:
        midi_dir: searched with its subfolders; ``train``, ``validation`` and ``test`` are splits.
            A ``.json`` beside a file (as ``compose`` writes) is carried into the metadata.
        out: folder of the corpus.
        sample_rate: Hz. Opus is always 48 kHz.
        only: names of the MIDI files to render, without suffix; none means all.
        workers: processes; as many as there are processors by default.
        seconds: longest piece.
        fonts: names of soundfonts, or paths; each stem draws one that has its program.
        codec: ``flac`` or ``opus``.
        compression: 0 to 1, for Opus: higher is smaller.
        mix: whether to write ``mix.flac`` (a reader can sum the stems).
        seed: of fonts, levels and rooms.
        timeout: seconds for one piece; what takes longer is ended and reported.
        progress: whether to show a bar.

    Returns:
        One line for each piece that could not be rendered.

    Raises:
        CorpusError: there is no MIDI, none of a name in ``only``, or no such codec.
        ToolError: there is no synthesiser, or none of the fonts.
    """
    if codec not in levels.CODECS:
        raise CorpusError(f"there is no codec {codec!r}; choose one of {levels.CODECS}")
    found = tuple(installed(fonts))
    jobs = _jobs(Path(midi_dir), Path(out), frozenset(only))
    absent = sorted(set(only) - {job.source.stem for job in jobs})
    if absent:
        raise CorpusError(
            f"{midi_dir} holds no MIDI file of the name {absent[0]}; compose it first"
        )
    if not jobs:
        raise CorpusError(f"{midi_dir} holds no MIDI files; compose some first")
    missing = [job for job in jobs if not (job.target / "metadata.yaml").exists()]
    for folder in {job.target.parent for job in missing}:
        folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(sample_rate, seconds, found, codec, compression, mix, seed)
    bar = tqdm(desc="render", unit="piece", total=len(jobs), disable=not progress)
    bar.update(len(jobs) - len(missing))
    problems = []
    with bar:
        count = workers or os.cpu_count() or 1
        reports = crew.run(missing, _Renderer, settings, workers=count, timeout=timeout)
        for index, how, what in reports:
            bar.update()
            if how != "done":
                problems.append(f"{missing[index].source}: {what}")
    return problems
