"""A folder of small measures, as the commands write them, with figures that can be told apart."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from csn.instruments import INSTRUMENTS

MODEL = "a" * 64
TITLES = ["Slow waltz", "*Fast* march", "<b>Bolero</b>"]


def score(mean: float, strict: float) -> dict[str, Any]:
    return {"mean": mean, "sd": 2.5, "strict_mean": strict, "strict_sd": 3.5, "chance": 10.0,
            "segments": 40}  # fmt: skip


def judged(first: float, **missing: None) -> dict[str, Any]:
    """Model from ``first`` on, downwards by ten; floors at 20 and 30; ``missing`` have no score."""
    parts: dict[str, Any] = {"instruments": {}, "untrained": {}, "floor": {}}
    for c, name in enumerate(INSTRUMENTS):
        for key, mean in (("instruments", first - 10 * c), ("untrained", 20 + c), ("floor", 30)):
            parts[key][name] = None if name in missing else score(mean, mean - 1)
    return parts


def about(**more: Any) -> dict[str, Any]:
    return {"settings": {"model": MODEL, "draws": 3, **more}, "problems": ["One piece less."]}


def pseudo_mixes(first: float = 90.0, **missing: None) -> dict[str, Any]:
    return judged(first, **missing) | about(levels=6.0, corpus_pieces=7)


def identity() -> dict[str, Any]:
    """Individual networks on clean stems were asked at three seconds only, and not for others."""
    clean = {"3": {name: score(99.5 - c, 98.5) for c, name in enumerate(INSTRUMENTS[:-1])}}
    lengths = {"3": judged(99.0), "10": judged(97.0)}
    return {"lengths": lengths, "individual_clean": clean} | about()


def leakage() -> dict[str, Any]:
    def moves(others: float, own: float) -> dict[str, Any]:
        return {name: {"others": others, "own": own, "ratio": others / own, "segments": 9}
                for name in INSTRUMENTS}  # fmt: skip

    parts = {"instruments": moves(0.25, 1.0), "untrained": moves(1.0, 0.5), "floor": moves(0.9, 1)}
    parts["floor"]["bass"] = None  # type: ignore[assignment]
    return parts | about()


def probes() -> dict[str, Any]:
    probe = {"right": {"model": 80.0, "untrained": 30.0, "floor": 40.0}, "chance": 50.0,
             "classes": 4, "pieces": 33}  # fmt: skip
    found = {name: {"program": probe, "groove file": None} for name in INSTRUMENTS}
    return {"instruments": found} | about()


def individual() -> dict[str, Any]:
    def family(*names: str) -> dict[str, Any]:
        pairs = {f"{a}-{b}": 0.5 for i, a in enumerate(names) for b in names[i + 1 :]}
        matrix = [[0.0, 0.2, 0.4], [0.2, 0.0, 0.6], [0.4, 0.6, 0.0]]
        return {
            "accuracy": {n: score(95.0, 94.0) | {"runs": [94.0, 96.0]} for n in names},
            "distances": dict.fromkeys(names, matrix),
            "pearson": pairs, "spearman": {pair: -0.25 for pair in pairs},
            "reciprocal_ranks": {n: [0.5, 0.25, 0.125] for n in names[:-1]},
        }  # fmt: skip

    found = {"individual": family(*INSTRUMENTS, "mix"), "floor": family(*INSTRUMENTS, "mix"),
             "subspaces": family("whole", *INSTRUMENTS), "pieces": TITLES}  # fmt: skip
    return found | about()


def table() -> dict[str, Any]:
    names = (*INSTRUMENTS, "mean", "strict_mean")
    rows = [
        {"row": name, "scores": {n: [50.0 + at, 1.5 * at] for n in names}, "runs": 1 + at,
         "pieces": 134, "mixes_seen": 48000, "seconds": 240.0}
        for at, name in enumerate(("basic", "stemwise"))
    ]  # fmt: skip
    floor = {"scores": dict.fromkeys(INSTRUMENTS, 15.0), "mean": 15.0, "strict_mean": 12.0}
    return {"settings": {"mixes": 48000}, "rows": rows, "floors": {"untrained": floor},
            "published_on_slakh": {}}  # fmt: skip


def picture() -> dict[str, Any]:
    """Two squares; the first has a trace in each of Plotly's two ways of writing numbers."""
    coded = {"dtype": "f4", "bdata": base64.b64encode(np.float32([1.5, 2.5]).tobytes()).decode()}
    trace = {"type": "scatter", "y": [3.0, 4.0], "xaxis": "x", "hovertext": TITLES[1],
             "marker": {"color": "rgb(1, 2, 3)", "size": 5}}  # fmt: skip
    return {
        "data": [trace | {"x": coded}, trace | {"x": [5, 6], "xaxis": "x2"}],
        "layout": {"annotations": [{"text": "drums"}, {"text": "bass"}]},
    }


EVERYTHING = {
    "composed/pseudo-mixes": pseudo_mixes(),
    "shared-backings/pseudo-mixes": pseudo_mixes(60.0, piano=None),
    "composed/identity": identity(),
    "composed/leakage": leakage(),
    "probes/probes": probes(),
    "individual/individual": individual(),
    "individual/subspaces-t-sne": picture(),
    "recipes/table": table(),
}


def write(folder: Path, found: dict[str, Any] | None = None) -> Path:
    """Write measures as ``test/file`` to content."""
    for name, content in (EVERYTHING if found is None else found).items():
        file = folder / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder
