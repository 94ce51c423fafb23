"""The Model page's tables as plain numbers, to be taken away as CSV."""

from typing import Any

import numpy as np
import pandas as pd

from csn.instruments import INSTRUMENTS
from csn.measures import Ablation, Identity, Individual, Leakage, Measures, Probes, PseudoMixes
from csn.published import CSN_TABLE_1, CSN_TABLE_2, IND_TABLES
from pages.model.words import SLAKH, in_order

Sheets = dict[str, pd.DataFrame]
"""Name of a file, without ``.csv``, to its rows."""


def tests(found: Measures) -> Sheets:
    """P2 of every test and P1, each with its floors and the papers' figures."""
    rows: list[dict[str, Any]] = []
    for test in in_order(found.pseudo_mixes):
        rows += _judged(found.pseudo_mixes[test], test)
    rows += [
        {"test": SLAKH, "system": f"CSN: {name}", "instrument": instrument, "mean": value}
        for name, values in CSN_TABLE_2.items()
        for instrument, value in zip(INSTRUMENTS, values, strict=True)
    ]
    answer = {"pseudo-mixes": pd.DataFrame(rows)}
    if found.identity:
        answer["identity"] = pd.DataFrame(_identity(found.identity))
    return answer


def _judged(measure: PseudoMixes, test: str) -> list[dict[str, Any]]:
    return [
        {"test": test, "system": system, "instrument": name, "mean": s.mean, "sd": s.sd,
         "strict_mean": s.strict, "strict_sd": s.strict_sd, "chance": s.chance}
        for system, scores in measure.scores.items() for name, s in scores.items() if s
    ]  # fmt: skip


def _identity(found: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    measure: Identity
    for test, measure in found.items():
        rows += [
            {"test": test, "seconds": float(length), "system": system, "instrument": name,
             "mean": s.mean, "strict_mean": s.strict, "chance": s.chance}
            for length, systems in measure.lengths.items()
            for system, scores in systems.items() for name, s in scores.items() if s
        ]  # fmt: skip
    return rows + [
        {"test": SLAKH, "seconds": float(what.split()[0]), "instrument": name, "mean": value,
         "system": "CSN: separated sounds" if "separated" in what else "CSN: proposed"}
        for what, values in CSN_TABLE_1.items()
        for name, value in zip(INSTRUMENTS, values, strict=True) if value is not None
    ]  # fmt: skip


def leakage(found: dict[str, Leakage]) -> Sheets:
    """Moves of every system and instrument."""
    rows = [
        {"test": test, "system": system, "instrument": name, **vars(m)}
        for test, measure in found.items()
        for system, moves in measure.moves.items() for name, m in moves.items() if m
    ]  # fmt: skip
    return {"leakage": pd.DataFrame(rows)} if rows else {}


def probes(measure: Probes | None) -> Sheets:
    """A row for each subspace and property."""
    if measure is None:
        return {}
    rows = [
        {"subspace": name, "property": what, **p.right, "chance": p.chance,
         "classes": p.classes, "pieces": p.pieces}
        for name, of in measure.found.items() for what, p in of.items() if p
    ]  # fmt: skip
    return {"probes": pd.DataFrame(rows)}


def recipes(measure: Ablation | None, here: str) -> Sheets:
    """Table 2, ours and the paper's."""
    rows: list[dict[str, Any]] = []
    if measure is not None:
        rows += [
            {"row": row.name, "measured on": here,
             **{f"{n}_{what}": v for n, cell in row.scores.items()
                for what, v in zip(("mean", "sd"), cell, strict=True)},
             "runs": row.runs, "pieces": row.pieces, "mixes_seen": row.mixes,
             "seconds": row.seconds}
            for row in measure.rows
        ]  # fmt: skip
        rows += [
            {"row": name, "measured on": here,
             **{f"{n}_mean": v for n, v in scores.items()}}
            for name, scores in measure.floors.items()
        ]  # fmt: skip
    rows += [
        {"row": name, "measured on": SLAKH, "mean_mean": float(np.mean(values)),
         **{f"{n}_mean": v for n, v in zip(INSTRUMENTS, values, strict=True)}}
        for name, values in CSN_TABLE_2.items()
    ]  # fmt: skip
    return {"table-2": pd.DataFrame(rows)}


def individual(measure: Individual | None) -> Sheets:
    """Music ID, agreement of criteria and MRR; and every distance."""
    if measure is None:
        return {}
    families = {"individual networks": measure.networks, "statistics": measure.floor}
    if measure.subspaces is not None:
        families["subspaces of the model"] = measure.subspaces
    accuracy, pairs, ranks, distances = [], [], [], []
    for family, of in families.items():
        start = {"family": family}
        for name, s in of.accuracy.items():
            accuracy.append(start | {"criterion": name, "mean": s.mean, "sd": s.sd,
                                     "strict_mean": s.strict, "strict_sd": s.strict_sd,
                                     "runs": s.runs})  # fmt: skip
        for pair, value in of.pearson.items():
            pairs.append(start | {"pair": pair, "pearson": value, "spearman": of.spearman[pair]})
        for name, values in of.ranks.items():
            ranks.append(start | {"criterion": name, **_places(values)})
        for name, matrix in of.distances.items():
            for title, line in zip(measure.pieces, matrix, strict=True):
                cells = zip(measure.pieces, line.tolist(), strict=True)
                distances.append(start | {"criterion": name, "piece": title, **dict(cells)})
    papers = {"family": f"IND: {SLAKH}"}
    for name, value in IND_TABLES["accuracy"].items():
        accuracy.append(papers | {"criterion": name, "mean": value})
    for pair, value in IND_TABLES["pearson"].items():
        pairs.append(
            papers | {"pair": pair, "pearson": value, "spearman": IND_TABLES["spearman"][pair]}
        )
    for name, values in IND_TABLES["reciprocal_ranks"].items():
        ranks.append(papers | {"criterion": name, **_places(values)})
    return {
        "music-id": pd.DataFrame(accuracy), "agreement": pd.DataFrame(pairs),
        "reciprocal-ranks": pd.DataFrame(ranks), "distances": pd.DataFrame(distances),
    }  # fmt: skip


def _places(values: Any) -> dict[str, float]:
    return dict(zip(("first", "second", "third"), values, strict=False))
