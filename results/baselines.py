"""What the model's subspaces must beat on the same answers: log-mel, and the untrained network.

The whole mix in the model's own space is in the table of answers; these two have to listen to the
study's excerpts again. Both are those of ``csn.evaluation.baselines``: mean and deviation over
time of each log-mel band, standardised over the study's excerpts, and the same network with random
weights.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from csn.corpora import Corpus
from csn.evaluation.baselines import Embeds, System, systems
from csn.instruments import INSTRUMENTS
from listening_test.prepare import find_library, find_model
from listening_test.store.tables import Tables
from listening_test.triplets import MIX
from results.data import Floats, trials
from results.errors import ResultsError

NAMES: Final = {"floor": "log-mel", "untrained": "untrained network"}
"""What the systems are called in tables and figures."""

_SOUNDS: Final = ("x", "first", "second")
Place = tuple[str, str, float]  # piece, part, start in seconds


def baseline_distances(
    answers: pd.DataFrame,
    corpus: Corpus,
    model: Embeds,
    length: float,
    *,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> Mapping[str, pd.DataFrame]:
    """Distances of the baselines for the triplets of a study.

    Args:
        answers: the table of answers.
        corpus: whose pieces were heard.
        model: that was judged; gives the features and the network's shape.
        length: of an excerpt, seconds.
        seed: of the untrained network.
        progress: called with what happens and the part that is done.

    Returns:
        By system and input (``log-mel, mix`` …): ``triplet_id``, ``first`` and ``second``, the
        Euclidean distances from X, for ``spaces.spaces``. Stem inputs are missing where the
        corpus has no stems, or where the mix was asked about.

    Raises:
        CorpusError: a piece is not in the corpus.
        AudioError: a file cannot be read.
    """
    table = triplets_of(answers)
    judged = [one for one in systems(model, seed=seed) if one.name in NAMES]
    wanted: dict[str, list[tuple[int, tuple[Place, Place, Place]]]] = {"mix": [], "stem": []}
    for row in table.to_dict("records"):
        asked = row["instrument"]
        parts = {"mix": MIX}
        if asked in INSTRUMENTS and corpus[row["x_piece"]].stems:
            parts["stem"] = asked
        for source, part in parts.items():
            x, first, second = (
                (str(row[f"{one}_piece"]), part, float(row[f"{one}_start"])) for one in _SOUNDS
            )
            wanted[source].append((int(row["triplet_id"]), (x, first, second)))
    places = {place for rows in wanted.values() for _, three in rows for place in three}
    tell = progress or (lambda words, part: None)
    rate = model.settings.sample_rate
    heard: dict[str, dict[Place, Floats]] = {one.name: {} for one in judged}
    for done, place in enumerate(sorted(places)):
        tell("Listening with the baselines", done / len(places))
        piece, part, start = place
        sound = corpus[piece].audio(part, rate, start=start, length=length)
        sound = np.pad(sound, (0, max(round(length * rate) - len(sound), 0)))
        for system in judged:
            heard[system.name][place] = system.embed(sound, np.zeros(1), length)[0]
    found = {}
    for system in judged:
        for source, rows in wanted.items():
            if rows:
                vectors = _comparable(system, heard[system.name], rows)
                found[f"{NAMES[system.name]}, {source}"] = _distances(vectors, rows)
    return found


def study_baselines(
    answered: Tables, progress: Callable[[str, float], None] | None = None
) -> Mapping[str, pd.DataFrame]:
    """The same for one version, with its own library and model.

    Raises:
        ResultsError: there is more than one version.
        StudyError: its library or model is not on this computer.
        CorpusError: see ``baseline_distances``.
        AudioError: see there.
    """
    if len(answered.settings) != 1:
        raise ResultsError("Baselines are judged for one version of a study at a time.")
    (settings,) = answered.settings.values()
    library = find_library(settings.library)
    model: Any = find_model(library.info["model"])
    return baseline_distances(
        answered.answers, library.corpus(), model, settings.excerpt, progress=progress
    )


def triplets_of(answers: pd.DataFrame) -> pd.DataFrame:
    """One row for each triplet that was answered: where its three excerpts begin.

    Returns:
        ``triplet_id``, ``instrument``, and ``x_piece``, ``x_start``, ``first_piece`` ….
    """
    table = trials(answers).drop_duplicates("triplet_id")
    swapped = table["swapped"].eq(True)
    columns = {name: table[name] for name in ("triplet_id", "instrument", "x_piece", "x_start")}
    for which, plain, turned in (("first", "a", "b"), ("second", "b", "a")):
        for what in ("piece", "start"):
            straight, other = table[f"{plain}_{what}"], table[f"{turned}_{what}"]
            columns[f"{which}_{what}"] = straight.where(~swapped, other)
    return pd.DataFrame(columns).reset_index(drop=True)


def _distances(
    vectors: Mapping[Place, Floats], rows: list[tuple[int, tuple[Place, Place, Place]]]
) -> pd.DataFrame:
    found = [
        (one, *(float(np.linalg.norm(vectors[x] - vectors[other])) for other in (first, second)))
        for one, (x, first, second) in rows
    ]
    return pd.DataFrame(found, columns=["triplet_id", "first", "second"])


def _comparable(
    system: System,
    heard: Mapping[Place, Floats],
    rows: list[tuple[int, tuple[Place, Place, Place]]],
) -> dict[Place, Floats]:
    """Vectors whose distances mean something, over the excerpts of one input."""
    places = sorted({place for _, three in rows for place in three})
    scaled = system.comparable(np.stack([heard[place] for place in places]))
    return dict(zip(places, scaled, strict=True))
