"""Make the mel store of a corpus, which ``stems.py`` opens."""

import hashlib
import json
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import torch
from filelock import AcquireReturnProxy, FileLock, Timeout
from tqdm import tqdm

from csn import home
from csn.audio import SILENCE_DBFS
from csn.corpora.base import Corpus, Piece
from csn.errors import AudioError, CorpusError
from csn.features import FeatureSettings, LogMel
from csn.instruments import INSTRUMENTS


def prepare_stems(
    corpus: Corpus, features: FeatureSettings, *, workers: int | None = None, progress: bool = True
) -> Path:
    """Write a corpus's stems as mel magnitudes, once; a second call finds them again.

    Args:
        corpus: pieces with stems.
        features: settings of the spectrograms.
        workers: processes; all cores by default.
        progress: show a bar.

    Returns:
        The folder of the store, below ``home()/cache``, for ``StemStore``. Of two runs that begin
        at once, the second waits for the first one's.

    Raises:
        CorpusError: no piece has stems.
    """
    pieces = [piece for piece in corpus if piece.stems]
    if not pieces:
        raise CorpusError(f"{corpus.uri} holds no stems; training needs them (slakh: or stems:).")
    key = json.dumps([corpus.fingerprint(), asdict(features)], sort_keys=True)
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    folder = home.home() / "cache" / "stems" / name
    if (folder / "index.json").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / "lock"):
        if not (folder / "index.json").is_file():
            _write(folder, pieces, features, workers, progress)
    return folder


def _alone(file: Path) -> AcquireReturnProxy:
    """Hold a lock, after waiting for whoever holds it."""
    lock = FileLock(file)
    try:
        return lock.acquire(timeout=1)
    except Timeout:
        print("Another run is preparing these stems; this one waits for it.", file=sys.stderr)
        return lock.acquire()


def _write(
    folder: Path,
    pieces: Sequence[Piece],
    features: FeatureSettings,
    workers: int | None,
    progress: bool,
) -> None:
    """A store, from nothing or over an unfinished one."""
    rows = [
        [features.frames(piece.duration) if i in piece.stems else 0 for i in INSTRUMENTS]
        for piece in pieces
    ]
    frames = np.array(rows, np.int64)
    first = np.concatenate([[0], frames.ravel().cumsum()[:-1]]).reshape(frames.shape)
    mel = np.lib.format.open_memmap(
        folder / "mel.npy", "w+", np.float16, (int(frames.sum()), features.bands)
    )
    active = np.zeros(int(frames.sum()), bool)
    onset = np.zeros_like(frames)
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    with ProcessPoolExecutor(workers or os.cpu_count(), mp_context=context) as pool:
        made = pool.map(_measure, pieces, [features] * len(pieces))
        for p, (stems, problems) in enumerate(
            tqdm(made, "stems to mel", len(pieces), unit="piece", disable=not progress)
        ):
            for problem in problems:
                tqdm.write(f"Left out: {problem}", file=sys.stderr)
            for c, (magnitude, sounding) in stems.items():
                count = min(len(magnitude), int(frames[p, c]))
                at = int(first[p, c])
                mel[at : at + count] = magnitude[:count]
                active[at : at + count] = sounding[:count]
                heard = np.flatnonzero(sounding)
                onset[p, c] = heard[0] if len(heard) else 0
    mel.flush()
    np.save(folder / "table.npy", np.stack([first, frames, onset], axis=-1))
    np.save(folder / "active.npy", active)
    index = {
        "features": asdict(features),
        "pieces": [piece.id for piece in pieces],
        "tempos": [piece.tempo for piece in pieces],
    }
    # Written last and moved into place: a store without it is unfinished.
    (folder / "index.json.part").write_text(json.dumps(index))
    os.replace(folder / "index.json.part", folder / "index.json")


@cache
def _mel(features: FeatureSettings) -> LogMel:
    torch.set_num_threads(1)
    return LogMel(features)


def _measure(
    piece: Piece, features: FeatureSettings
) -> tuple[dict[int, tuple[np.ndarray, np.ndarray]], list[str]]:
    """Mel magnitudes and sounding frames of every stem of a piece, and what cannot be read."""
    stems, problems = {}, []
    for c, name in enumerate(INSTRUMENTS):
        if name not in piece.stems:
            continue
        try:
            sound = piece.audio(name, features.sample_rate)
        except AudioError as error:
            problems.append(str(error))
            continue
        with torch.inference_mode():
            power = _mel(features).power(torch.from_numpy(sound)[None])[0]
        stems[c] = (power.sqrt().half().numpy(), _sounding(sound, features.hop, len(power)))
    return stems, problems


def _sounding(sound: np.ndarray, hop: int, frames: int) -> np.ndarray:
    """Whether the hop around each frame is above the silence threshold: [frames] bool."""
    padded = np.zeros(frames * hop, np.float32)
    centred = sound[: len(padded) - hop // 2]
    padded[hop // 2 : hop // 2 + len(centred)] = centred
    power = np.square(padded.reshape(frames, hop)).mean(axis=1)
    return np.asarray(power > 10 ** (SILENCE_DBFS / 10))
