"""Table 2 of CSN on any corpus: its four rows and our recipe, with equal mixes seen.

Every run has a folder of its own and a ``result.json`` once it is judged; the tables are written
anew after each, so the command can be stopped and given again at any time.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from csn.corpora.base import Corpus
from csn.errors import StemwiseError
from csn.evaluation.pseudo_mixes import PseudoMixSettings, pseudo_mixes
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
from csn.training.tables import tabulate, write_text


@dataclass(frozen=True)
class AblationSettings:
    """What is compared, and how much of it.

    Attributes:
        mixes: that each row's network sees in all, pre-training included; as many as our recipe.
        pretraining: the part of them that is pre-training, in rows that have it.
        pieces: in the first three rows (CSN: 200); the others have six times as many.
        seeds: runs of the last two rows.
        first_seeds: runs of the first three.
        rate: peak learning rate of the papers' rows, which is unpublished, after pre-training.
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
    rate: float = PAPER.rate
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
    papers, before, alone, ours = replace(PAPER, rate=s.rate), PRETRAINING, INDIVIDUAL, STEMWISE
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
        write_text(place / "result.json", json.dumps(result, indent=2))
        tabulate(folder, list(planned.rows), asdict(settings))
    if not (folder / "floor.json").is_file() and not shop.world.rank:
        ours = Model.untrained(planned.rows["stemwise"].recipe.model, judging.seed)
        floor = pseudo_mixes(ours, test, judging, progress=shop.progress).to_json()
        write_text(folder / "floor.json", json.dumps(floor, indent=2))
    return tabulate(folder, list(planned.rows), asdict(settings))


def _keep_to(
    folder: Path, test: Corpus, settings: AblationSettings, judging: PseudoMixSettings
) -> None:
    """Note what is compared; refuse a folder that holds another comparison."""
    usual = asdict(AblationSettings())
    what = {**asdict(settings), "p2": asdict(judging), "test": test.fingerprint()}
    for of in (usual, what):
        del of["seeds"], of["first_seeds"]  # runs may be added
    file = folder / "settings.json"
    # A setting that there was not yet had its usual value.
    if file.is_file() and usual | json.loads(file.read_text(encoding="utf-8")) != what:
        raise StemwiseError(f"{folder} holds an ablation with other settings; give another --out.")
    write_text(file, json.dumps(what, indent=2))


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
