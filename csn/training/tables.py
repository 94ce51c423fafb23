"""Table 2 as text, CSV and JSON, from the runs that are judged so far."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from csn.embedding import write_whole
from csn.evaluation.report import TITLES, columns, mean_and_deviation, number, spread, tidy
from csn.instruments import INSTRUMENTS
from csn.published import CSN_TABLE_2


def tabulate(folder: Path, names_of_rows: Sequence[str], settings: Mapping[str, Any]) -> str:
    """Write ``table.json``, ``table.csv`` and ``table.txt`` from the runs that are judged.

    Args:
        folder: of the ablation.
        names_of_rows: in their order; those without a judged run are left out.
        settings: to be written beside the rows.

    Returns:
        The last of the files: a line for each row, mean ± deviation over its runs; what is had
        without training; what the paper has, on other music.
    """
    rows = []
    for name in names_of_rows:
        files = sorted((folder / name).glob("seed-*/result.json"))
        runs = [json.loads(file.read_text(encoding="utf-8")) for file in files]
        if runs:
            rows.append(_summary(name, runs))
    names = (*INSTRUMENTS, "mean", "strict_mean")
    text = [["", *names, "runs", "pieces", "mixes", "minutes"]]
    table = io.StringIO()
    sheet = csv.writer(table)
    measures = [f"{name}_{what}" for name in names for what in ("mean", "sd")]
    sheet.writerow(["row", *measures, "runs", "pieces", "mixes_seen", "seconds"])
    for r in rows:
        cells = [r["scores"][name] for name in names]
        counts = [r["runs"], r["pieces"], r["mixes_seen"]]
        sheet.writerow([r["row"], *(v for cell in cells for v in cell), *counts, r["seconds"]])
        shown = [
            number(mean) if mean is None or r["runs"] == 1 else spread(mean, sd)
            for mean, sd in cells
        ]
        text.append([r["row"], *shown, *(f"{n:,}" for n in counts), number(r["seconds"] / 60)])
    floors = _floors(folder)
    for name, floor in floors.items():
        shown = [number(floor["scores"].get(i)) for i in INSTRUMENTS]
        text.append([name, *shown, number(floor["mean"]), number(floor["strict_mean"])])
    for name, scores in CSN_TABLE_2.items():
        text.append([f"CSN, Slakh: {name}", *map(number, scores), number(float(np.mean(scores)))])
    answer = columns(text)
    whole = {
        "settings": dict(settings),
        "rows": rows,
        "floors": floors,
        "published_on_slakh": CSN_TABLE_2,
    }
    write_text(folder / "table.json", json.dumps(whole, indent=2))
    write_text(folder / "table.csv", table.getvalue())
    write_text(folder / "table.txt", answer + "\n")
    return answer


def _summary(name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and deviation over the runs of a row; None where an instrument has too few pieces."""
    instruments = [run["p2"]["instruments"] for run in runs]
    parts = {
        **{i: [of[i]["mean"] if of[i] else np.nan for of in instruments] for i in INSTRUMENTS},
        "mean": [run["p2"]["mean"] for run in runs],
        "strict_mean": [run["p2"]["strict_mean"] for run in runs],
    }
    scores = {part: tidy(mean_and_deviation(values)) for part, values in parts.items()}
    return {
        "row": name,
        "scores": scores,
        "runs": len(runs),
        "pieces": runs[0]["pieces"],
        "mixes_seen": runs[0]["mixes_seen"],
        "seconds": round(float(np.mean([run["seconds"] for run in runs])), 1),
    }


def _floors(folder: Path) -> dict[str, Any]:
    """What an untrained network and statistics of the mix have; empty until they are judged."""
    file = folder / "floor.json"
    if not file.is_file():
        return {}
    found = json.loads(file.read_text(encoding="utf-8"))
    return {
        TITLES[name]: {
            "scores": {i: score["mean"] for i, score in found[name].items() if score},
            "mean": found[f"{name}_mean"],
            "strict_mean": found[f"{name}_strict_mean"],
        }
        for name in ("untrained", "floor")
    }


def write_text(path: Path, text: str) -> None:
    """Write a file, moved into place when whole."""
    write_whole(path, lambda file: file.write(text.encode()))
