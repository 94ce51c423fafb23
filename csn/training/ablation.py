"""Table 2 of CSN on any corpus: its four rows and our recipe, with equal mixes seen.

Every run has a folder of its own and a ``result.json`` once it is judged; the tables are written
anew after each, so the command can be stopped and given again at any time.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from csn.corpora.base import Corpus
from csn.embedding import write_whole
from csn.errors import StemwiseError
from csn.evaluation.pseudo_mixes import PseudoMixSettings, pseudo_mixes
from csn.evaluation.report import columns, mean_and_deviation, number, spread
from csn.evaluation.stems import Stems
from csn.instruments import INSTRUMENTS
from csn.model import Model
from csn.networks.individual import Individual
from csn.training.recipes import (
    INDIVIDUAL,
    PAPER,
    PRETRAINING,
    STEMWISE,
    Recipe,
    seen_as,
    tiny,
)
from csn.training.stages import Workshop, train_individual

PAPERS: Final = {
    "basic": (73.1, 28.9, 26.1, 35.7, 67.2),
    "aux+basic": (76.8, 25.7, 23.5, 35.9, 72.0),
    "aux+basic+add": (82.5, 31.8, 28.5, 40.4, 72.5),
    "aux+basic+add'": (85.5, 37.1, 31.3, 44.7, 74.7),
}
"""CSN's table 2, % right on Slakh, drums to others; ' is the row with six times the pieces."""


@dataclass(frozen=True)
class AblationSettings:
    """What is compared, and how much of it.

    Attributes:
        mixes: that each row's network sees in all, pre-training included.
        pretraining: the part of them that is pre-training, in rows that have it.
        pieces: in the first three rows (CSN: 200); the others have six times as many.
        seeds: runs of the last two rows.
        first_seeds: runs of the first three.
        individual_steps: of each individual network; all rows and runs share those of seed 0.
        own_features: let the papers' rows see sound as published (44.1 kHz); otherwise all rows
            see it as ours does, at half the cost.
        tiny: networks and batches of a test's size.
    """

    mixes: int = 1_536_000
    pretraining: float = 0.2
    pieces: int = 200
    seeds: int = 3
    first_seeds: int = 1
    individual_steps: int = INDIVIDUAL.steps
    own_features: bool = False
    tiny: bool = False


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        recipe: of its network.
        pretrained: whether it begins with the auxiliary loss alone.
        seeds: how many runs.
    """

    recipe: Recipe
    pretrained: bool
    seeds: int


@dataclass(frozen=True)
class Plan:
    """All runs of an ablation.

    Attributes:
        individual: of the networks that make targets.
        pretraining: shared by the rows that have it.
        rows: name to row, in the table's order.
    """

    individual: Recipe
    pretraining: Recipe
    rows: Mapping[str, Row]


def plan(s: AblationSettings) -> Plan:
    """The runs that settings ask for."""
    papers, before, alone, ours = PAPER, PRETRAINING, INDIVIDUAL, STEMWISE
    if s.tiny:
        papers, before, alone, ours = (tiny(r) for r in (papers, before, alone, ours))
    if not s.own_features:
        seen = ours.model.features
        papers, before, alone = (seen_as(r, seen) for r in (papers, before, alone))
    first = round(s.mixes * s.pretraining / before.mixes)
    before = replace(before, steps=first, most=s.pieces)
    alone = replace(alone, steps=s.individual_steps, most=s.pieces)

    def row(recipe: Recipe, seeds: int, pretrained: bool = True, **changes: Any) -> Row:
        left = s.mixes - (before.steps * before.mixes if pretrained else 0)
        steps = round(left / recipe.mixes)
        warmup = min(recipe.warmup, steps // 10)
        return Row(replace(recipe, steps=steps, warmup=warmup, **changes), pretrained, seeds)

    few, many = s.pieces, 6 * s.pieces
    rows = {
        "basic": row(papers, s.first_seeds, False, auxiliary=0.0, interchanged=False, most=few),
        "aux+basic": row(papers, s.first_seeds, interchanged=False, most=few),
        "aux+basic+add": row(papers, s.first_seeds, most=few),
        "aux+basic+add'": row(papers, s.seeds, most=many),
        "stemwise": row(ours, s.seeds, False, most=many),
    }
    before = replace(before, warmup=min(before.warmup, before.steps // 10))
    alone = replace(alone, warmup=min(alone.warmup, alone.steps // 10))
    return Plan(alone, before, rows)


def ablate(
    shop: Workshop,
    test: Corpus,
    folder: Path,
    settings: AblationSettings | None = None,
    judging: PseudoMixSettings | None = None,
) -> str:
    """Train and judge every row; run again to resume.

    Args:
        shop: stems and machine.
        test: pieces for P2.
        folder: for runs and tables (``table.json``, ``table.csv``, ``table.txt``).
        settings: what to compare.
        judging: how P2 is carried out.

    Returns:
        The table as text.

    Raises:
        StemwiseError: the folder holds an ablation with other settings.
    """
    settings, judging = settings or AblationSettings(), judging or PseudoMixSettings()
    _keep_to(folder, test, settings, judging)
    planned = plan(settings)
    heard: dict[int, Stems] = {}
    for name, seed in _order(planned):
        row, place = planned.rows[name], folder / name / f"seed-{seed}"
        if (place / "result.json").is_file():
            continue
        networks = start = None
        if row.recipe.auxiliary or row.pretrained:
            networks = train_individual(
                shop, folder / "individual", 0, planned.individual, INSTRUMENTS
            )
        if row.pretrained:
            start = shop.run(
                planned.pretraining, folder / "pretraining" / f"seed-{seed}", seed,
                individual=networks,
            )  # fmt: skip
        if shop.progress:
            print(f"{name}, seed {seed}")
        model = shop.run(row.recipe, place, seed, individual=networks, start=start)
        if shop.world.rank:
            continue
        rate = model.settings.sample_rate
        if rate not in heard:
            heard[rate] = Stems(test, rate, progress=shop.progress)
        report = pseudo_mixes(
            model, test, judging, baselines=False, stems=heard[rate], progress=shop.progress
        )
        result = _result(name, seed, model, start, networks) | {"p2": report.to_json()}
        _write(place / "result.json", json.dumps(result, indent=2))
        tabulate(folder, settings)
    return tabulate(folder, settings)


def _keep_to(
    folder: Path, test: Corpus, settings: AblationSettings, judging: PseudoMixSettings
) -> None:
    """Note what is compared; refuse a folder that holds another comparison."""
    what = {**asdict(settings), "p2": asdict(judging), "test": test.fingerprint()}
    del what["seeds"], what["first_seeds"]  # runs may be added
    file = folder / "settings.json"
    if file.is_file() and json.loads(file.read_text(encoding="utf-8")) != what:
        raise StemwiseError(f"{folder} holds an ablation with other settings; give another --out.")
    _write(file, json.dumps(what, indent=2))


def _order(planned: Plan) -> Iterator[tuple[str, int]]:
    """Every row's first run, then every second one, so that an early table is a whole one."""
    for seed in range(max(row.seeds for row in planned.rows.values())):
        yield from ((name, seed) for name, row in planned.rows.items() if seed < row.seeds)


def _result(
    name: str, seed: int, model: Model, start: Model | None, networks: Individual | None
) -> dict[str, Any]:
    """What a run cost."""
    card, before = model.card, start.card if start else {}
    alone = [m.card for m in networks.models.values()] if networks else []
    return {
        "row": name,
        "seed": seed,
        "model": model.hash,
        "pieces": card["pieces"],
        "mixes_seen": card["mixes_seen"] + before.get("mixes_seen", 0),
        "pretraining_mixes": before.get("mixes_seen", 0),
        "seconds": card["seconds"] + before.get("seconds", 0.0),
        "individual_sounds_seen": sum(c["mixes_seen"] for c in alone),
        "individual_seconds": sum(c["seconds"] for c in alone),
        "corpus_fingerprint": card.get("corpus_fingerprint"),
        "recipe": card["recipe"],
    }


def tabulate(folder: Path, settings: AblationSettings) -> str:
    """Write ``table.json``, ``table.csv`` and ``table.txt`` from the runs that are judged.

    Returns:
        The last of them: a line for each row, mean ± deviation over its runs.
    """
    rows = []
    for name in plan(settings).rows:
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
        shown = [spread(*cell) if r["runs"] > 1 else number(cell[0]) for cell in cells]
        text.append([r["row"], *shown, *(f"{n:,}" for n in counts), number(r["seconds"] / 60)])
    for name, scores in PAPERS.items():
        text.append([f"CSN, Slakh: {name}", *map(number, scores), number(float(np.mean(scores)))])
    answer = columns(text)
    whole = {"settings": asdict(settings), "rows": rows, "published_on_slakh": PAPERS}
    _write(folder / "table.json", json.dumps(whole, indent=2))
    _write(folder / "table.csv", table.getvalue())
    _write(folder / "table.txt", answer + "\n")
    return answer


def _summary(name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and deviation over the runs of a row."""
    parts = {
        **{i: [run["p2"]["instruments"][i]["mean"] for run in runs] for i in INSTRUMENTS},
        "mean": [run["p2"]["mean"] for run in runs],
        "strict_mean": [run["p2"]["strict_mean"] for run in runs],
    }
    scores = {part: [round(v, 2) for v in mean_and_deviation(all_)] for part, all_ in parts.items()}
    return {
        "row": name,
        "scores": scores,
        "runs": len(runs),
        "pieces": runs[0]["pieces"],
        "mixes_seen": runs[0]["mixes_seen"],
        "seconds": round(float(np.mean([run["seconds"] for run in runs])), 1),
    }


def _write(path: Path, text: str) -> None:
    write_whole(path, lambda file: file.write(text.encode()))
