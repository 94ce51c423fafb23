"""Render multi-track MIDI to stems with soundfonts, in Slakh's layout."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml
from tqdm import tqdm

from csn.corpora import crew, midi
from csn.corpora.midi import Part
from csn.corpora.soundfonts import TRAINING, SoundFont, installed
from csn.corpora.synth import Synth
from csn.errors import CorpusError
from csn.instruments import INSTRUMENTS

# dBFS of the sounding parts of each instrument, before the mix is normalised: our guess at a
# usual balance.
LEVELS: Mapping[str, float] = {
    "drums": -19.0, "bass": -20.0, "piano": -21.0, "guitar": -21.5, "others": -21.5,
}  # fmt: skip
_SPREAD = 3.0
_PEAK = 0.89
_SILENT = 10 ** (-60 / 20)
_FRAME = 0.05
_SPLITS = ("train", "validation", "test")
_OPUS_RATE = 48_000


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

    sample_rate: int = 44_100
    seconds: float = 62.0
    fonts: tuple[SoundFont, ...] = ()
    codec: str = "flac"
    compression: float = 0.7
    mix: bool = True
    seed: int = 0


@dataclass(frozen=True)
class _Job:
    source: Path
    target: Path
    split: str
    number: int


def active_rms(audio: np.ndarray, sample_rate: int) -> float:
    """Root mean square of the 50-ms frames above -60 dBFS; 0 if there are none.

    Args:
        audio: [samples] mono.
        sample_rate: Hz.

    Returns:
        Linear amplitude.
    """
    size = max(round(_FRAME * sample_rate), 1)
    whole = audio[: len(audio) // size * size].reshape(-1, size).astype(np.float64)
    power = np.mean(whole**2, axis=1) if len(whole) else np.zeros(0)
    loud = power[power > _SILENT**2]
    return float(np.sqrt(loud.mean())) if len(loud) else 0.0


def draw_font(
    rng: np.random.Generator, part: Part, fonts: Sequence[SoundFont]
) -> SoundFont | None:
    """One of the fonts that hold the part's program; None if none does."""
    fit = [font for font in fonts if font.has(part.program, part.is_drum)]
    return fit[int(rng.integers(len(fit)))] if fit else None


def _with_kit(part: Part, fonts: Sequence[SoundFont]) -> Part:
    """The part, with the standard kit if no font has its own (odd kits of odd files)."""
    if part.is_drum and not any(font.has(part.program, True) for font in fonts):
        return Part(0, True, part.notes, part.controls, part.name)
    return part


def _quantised(stems: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Scale stems together so that their sum peaks at ``_PEAK``, and round to 16 bits.

    The mix is then the sum of these whole numbers, exactly.
    """
    total = np.sum(stems, axis=0)
    peak = max(float(np.abs(total).max()), max(float(np.abs(s).max()) for s in stems), 1e-9)
    return [np.round(stem * (_PEAK / peak) * 32767).astype(np.int16) for stem in stems]


def _write_audio(path: Path, audio: np.ndarray, settings: Settings) -> Path:
    """Write one stem; gives its path with the codec's suffix."""
    if settings.codec == "opus":
        path = path.with_suffix(".opus")
        with soundfile.SoundFile(
            str(path), "w", _OPUS_RATE, 1, subtype="OPUS", format="OGG",
            compression_level=settings.compression,
        ) as file:  # fmt: skip
            for start in range(0, len(audio), _OPUS_RATE):
                file.write(audio[start : start + _OPUS_RATE])
        return path
    path = path.with_suffix(".flac")
    soundfile.write(str(path), audio, settings.sample_rate, subtype="PCM_16", format="FLAC")
    return path


class _Renderer:
    """Does the jobs of one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        rate = _OPUS_RATE if settings.codec == "opus" else settings.sample_rate
        self.synth = Synth(settings.fonts, rate)

    def __call__(self, job: _Job) -> dict[str, Any]:
        sidecar = _sidecar(job.source)
        parts, tempo = midi.read(job.source)
        parts = [_with_kit(part, self.settings.fonts) for part in parts]
        parts.sort(key=lambda p: (INSTRUMENTS.index(p.instrument), p.program))
        if not parts:
            raise CorpusError(f"{job.source} holds no notes; remove it")
        rng = np.random.default_rng([self.settings.seed, job.number])
        half = job.target.with_name(f".{job.target.name}.part")
        shutil.rmtree(half, ignore_errors=True)
        (half / "stems").mkdir(parents=True)
        (half / "MIDI").mkdir()
        try:
            summary = self._piece(job, half, parts, tempo, sidecar, rng)
            shutil.rmtree(job.target, ignore_errors=True)
            half.replace(job.target)
        finally:
            shutil.rmtree(half, ignore_errors=True)
        return summary

    def _sound(self, part: Part, rng: np.random.Generator) -> tuple[np.ndarray, str, float] | None:
        """A part's audio at its level, its font and its loudness; None if it stays silent."""
        font = draw_font(rng, part, self.settings.fonts)
        room = float(rng.choice([0.0, 0.0, rng.uniform(0.1, 0.5), rng.uniform(0.3, 0.9)]))
        level = LEVELS[part.instrument] + float(rng.uniform(-_SPREAD, _SPREAD))
        if font is None:
            return None
        last = float((part.notes[:, 0] + part.notes[:, 1]).max()) + 2.0
        audio = self.synth.render(part, font.name, min(self.settings.seconds, last), room)
        loud = active_rms(audio, self.synth.sample_rate)
        if loud == 0.0:
            return None
        return audio * np.float32(10 ** (level / 20) / loud), font.name, level

    def _piece(
        self, job: _Job, half: Path, parts: list[Part], tempo: float, sidecar: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> dict[str, Any]:  # fmt: skip
        settings = self.settings
        sounds = [self._sound(part, rng) for part in parts]
        heard = [sound for sound in sounds if sound is not None]
        if not heard:
            raise CorpusError(f"{job.source} renders to silence with these soundfonts; remove it")
        length = max(len(audio) for audio, _, _ in heard)
        padded = [np.pad(audio, (0, length - len(audio))) for audio, _, _ in heard]
        stems = _quantised(padded)
        described, fonts, files = {}, {}, iter(stems)
        for i, (part, sound) in enumerate(zip(parts, sounds, strict=True)):
            name = f"S{i:02d}"
            (half / "MIDI" / f"{name}.mid").write_bytes(midi.to_bytes([part], tempo))
            described[name] = _described(part, sound)
            if sound is not None:
                _write_audio(half / "stems" / name, next(files), settings)
                fonts[part.instrument] = sound[1]
        if settings.mix:
            total = np.sum(stems, axis=0, dtype=np.int32).astype(np.int16)
            soundfile.write(str(half / "mix.flac"), total, self.synth.sample_rate, subtype="PCM_16")
        shutil.copyfile(job.source, half / "all_src.mid")
        absent = [name for name in INSTRUMENTS if name not in fonts]
        metadata = {
            "UUID": job.source.stem,
            "audio_dir": "stems",
            "midi_dir": "MIDI",
            "normalized": False,
            "overall_gain": 1.0,
            "target_peak": _PEAK,
            "stems": described,
            "stemwise": {
                "title": job.source.stem, "tempo": round(tempo, 3), "source": "midi",
                **sidecar, "split": job.split, "soundfonts": fonts, "absent": absent,
                "render_seed": settings.seed,
            },
        }  # fmt: skip
        text = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True)
        (half / "metadata.yaml").write_text(text, encoding="utf-8")
        return {"seconds": length / self.synth.sample_rate, "stems": len(stems)}


def _described(part: Part, sound: tuple[np.ndarray, str, float] | None) -> dict[str, Any]:
    """A stem's entry in ``metadata.yaml``, as Slakh2100 has it."""
    return {
        "audio_rendered": sound is not None,
        "inst_class": part.instrument.capitalize(),
        "integrated_loudness": round(sound[2], 2) if sound else None,
        "is_drum": part.is_drum,
        "midi_program_name": part.name or part.instrument,
        "midi_saved": True,
        "plugin_name": sound[1] if sound else None,
        "program_num": part.program,
    }


def _sidecar(source: Path) -> dict[str, Any]:
    path = source.with_suffix(".json")
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} is not JSON ({error}); compose the piece again") from error
    return {k: v for k, v in found.items() if k != "id"}


def _jobs(midi_dir: Path, out: Path) -> list[_Job]:
    sources = sorted(
        p for p in midi_dir.rglob("*") if p.suffix.lower() in (".mid", ".midi") and p.is_file()
    )
    jobs = []
    for number, source in enumerate(sources):
        inner = source.relative_to(midi_dir).parts[0]
        split = inner if inner in _SPLITS else ""
        stem = source.stem
        name = stem if stem.startswith("Track") else f"Track{number + 1:05d}"
        digits = "".join(c for c in name if c.isdigit())
        jobs.append(_Job(source, out / split / name, split, int(digits or number)))
    return jobs


def _start(settings: Settings) -> Callable[[_Job], dict[str, Any]]:
    return _Renderer(settings)


def render(
    midi_dir: Path,
    out: Path,
    sample_rate: int = 44_100,
    *,
    workers: int | None = None,
    seconds: float = 62.0,
    fonts: Sequence[str] = TRAINING,
    codec: str = "flac",
    compression: float = 0.7,
    mix: bool = True,
    seed: int = 0,
    timeout: float = 120.0,
    progress: bool = True,
) -> list[str]:
    """Render every MIDI file of a folder to a corpus in Slakh's layout.

    A piece is ``out/{split}/TrackNNNNN`` with ``stems/Sxx.flac``, ``MIDI/Sxx.mid``, ``mix.flac``,
    ``metadata.yaml`` and ``all_src.mid``. The stems sum to the mix exactly. A piece that is
    already there is kept, so a broken run can be started again.

    Args:
        midi_dir: searched with its subfolders; ``train``, ``validation`` and ``test`` are splits.
            A ``.json`` beside a file (as ``compose`` writes) is carried into the metadata.
        out: folder of the corpus.
        sample_rate: Hz. Opus is always 48 kHz.
        workers: processes; as many as there are processors by default.
        seconds: longest piece.
        fonts: names of soundfonts, or paths; each stem draws one that has its program.
        codec: ``flac`` or ``opus``.
        compression: 0 to 1, for Opus.
        mix: whether to write ``mix.flac`` (a reader can sum the stems).
        seed: of fonts, levels and rooms.
        timeout: seconds for one piece; what takes longer is ended and reported.
        progress: whether to show a bar.

    Returns:
        One line for each piece that could not be rendered.

    Raises:
        CorpusError: there is no MIDI, or a setting makes no sense.
        ToolError: libfluidsynth or every named font is missing.
    """
    if codec not in ("flac", "opus"):
        raise CorpusError(f"there is no codec {codec!r}; choose flac or opus")
    found = installed(fonts)
    jobs = _jobs(Path(midi_dir), Path(out))
    if not jobs:
        raise CorpusError(f"{midi_dir} holds no MIDI files; compose some first")
    missing = [job for job in jobs if not (job.target / "metadata.yaml").exists()]
    for folder in {job.target.parent for job in missing}:
        folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(sample_rate, seconds, tuple(found), codec, compression, mix, seed)
    problems = []
    bar = tqdm(
        total=len(jobs), initial=len(jobs) - len(missing), desc="render", unit="piece",
        disable=not progress,
    )  # fmt: skip
    with bar:
        count = workers or os.cpu_count() or 1
        for index, how, what in crew.run(missing, _start, settings, count, timeout):
            bar.update()
            if how != "done":
                problems.append(f"{missing[index].source}: {what}")
    return problems
