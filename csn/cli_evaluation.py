"""The part of the command line that judges: ``csn evaluate``."""

import argparse
import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from csn.errors import ModelError

Command = Callable[[str, Callable[[argparse.Namespace], None], str], Any]
MEASURES = ("identity", "pseudo-mixes", "leakage", "retrieval", "probes", "individual")


def _evaluate(args: argparse.Namespace) -> None:
    from csn import evaluation
    from csn.corpora import open_corpus
    from csn.model import Model

    args.quiet = args.quiet or args.json
    alone = args.measure == "individual"
    model = None if alone and args.model is None else Model.load(args.model or "demo", args.device)
    networks = _networks(args.individual, args.device) if alone or args.individual else {}
    corpus = open_corpus(args.corpus, progress=not args.quiet).only(args.split)
    if args.source:
        corpus = corpus.tagged("source", args.source)
    if model is None or alone:
        _individual(args, corpus, networks, model)
        return
    common: dict[str, Any] = {"seed": args.seed, "progress": not args.quiet}
    length = args.length[0] if args.length else 10.0
    found: dict[str, Any]
    if args.measure == "identity":
        report: Any = evaluation.identity(
            model, corpus, length=args.length or 3.0, k=args.k, **common
        )
    elif args.measure == "pseudo-mixes":
        held = None
        if args.hold:
            from csn.evaluation.held import Held

            held = Held(corpus, model.settings.sample_rate, args.hold, **common)
        report = evaluation.pseudo_mixes(
            model, corpus, length=length, draws=args.draws, pieces=args.pieces or 10, k=args.k,
            mixes=args.mixes, backings=args.backings, levels=args.levels, stems=held, **common,
        )  # fmt: skip
    elif args.measure == "retrieval":
        from csn.evaluation.retrieval import retrieval

        report = retrieval(model, corpus, length=length, mixes=args.mixes, **common)
    elif args.measure == "probes":
        from csn.evaluation.probes import probes

        report = probes(model, corpus, length=length, pieces=args.pieces or 300, **common)
    else:
        report = evaluation.leakage(model, corpus, length=length, **common)
    found, shown = report.to_json(), report.table()
    if args.measure == "identity" and networks:
        from csn.evaluation.clean import clean_identity, table
        from csn.measures import CLEAN

        lengths = args.length or [3.0]
        clean = clean_identity(networks, corpus, lengths=lengths, k=args.k, progress=not args.quiet)
        found[CLEAN], shown = clean, f"{shown}\n\n{table(clean)}"
    text = json.dumps(found, indent=2)
    print(text if args.json else shown)
    if args.out is not None:
        _write(args.out / f"{args.measure}.json", text)
        _write(args.out / f"{args.measure}.txt", shown + "\n")


def _networks(folder: Path | None, device: str) -> dict[int, Any]:
    """The individual networks of every seed in a folder.

    Raises:
        ModelError: there are none.
    """
    from csn.networks.individual import Individual

    if folder is None:
        raise ModelError("Which networks? Give --individual FOLDER of `csn train individual`.")
    places = {int(place.name[5:]): place for place in sorted(folder.glob("seed-*"))}
    if not places:
        raise ModelError(
            f"{folder} holds no seed-0, seed-1 …; give a folder that `csn train individual` wrote."
        )
    return {seed: Individual.load(place, device) for seed, place in sorted(places.items())}


def _individual(
    args: argparse.Namespace, corpus: Any, networks: dict[int, Any], model: Any
) -> None:
    from csn.evaluation import figures
    from csn.evaluation.draws import PseudoMixSettings
    from csn.evaluation.individual import individual
    from csn.evaluation.stems import Stems

    report = individual(
        networks, corpus, model=model, pieces=args.pieces or 20,
        length=args.length[0] if args.length else 3.0, k=args.k, seed=args.seed,
        progress=not args.quiet,
    )  # fmt: skip
    found = report.to_json()
    print(json.dumps(found, indent=2) if args.json else report.table())
    if args.out is None:
        return
    _write(args.out / "individual.json", json.dumps(found))
    _write(args.out / "individual.txt", report.table() + "\n")
    for family in ("individual", "subspaces"):
        if found[family]:
            _sheets(args.out, family, found[family], found["pieces"])
    families = [("individual", report.networks, report.segments)]
    if report.subspaces is not None:
        families.append(("subspaces", report.subspaces, report.subspace_segments))
    for name, criteria, heard in families:
        maps = figures.heat_maps(criteria.distances, report.titles)
        figures.save(
            maps, args.out, f"{name}-distances", f"Distances between pieces, {corpus.name}"
        )
        for method in figures.METHODS:
            drawn = figures.points(heard, report.titles, method, args.seed)
            figures.save(drawn, args.out, f"{name}-{method.lower()}", f"{method}, {corpus.name}")
    if model is not None:
        stems = Stems(corpus, model.settings.sample_rate, progress=not args.quiet)
        settings = PseudoMixSettings(seed=args.seed, pieces=min(args.pieces or 10, 10))
        for method in figures.METHODS:
            drawn = figures.pseudo_mix_points(
                model, stems, settings, method, progress=not args.quiet
            )
            title = f"Pseudo-mixes by {method}, {corpus.name}: colour in focus, symbol behind"
            figures.save(drawn, args.out, f"pseudo-mixes-{method.lower()}", title)


def _sheets(folder: Path, family: str, found: dict[str, Any], titles: list[str]) -> None:
    """The tables as CSV."""
    names = ["mean", "sd", "variance", "strict_mean", "strict_sd"]
    rows = [["criterion", *names]]
    rows += [[name, *(score[n] for n in names)] for name, score in found["accuracy"].items()]
    _sheet(folder / f"{family}-accuracy.csv", rows)
    rows = [["pair", "pearson", "spearman"]]
    rows += [[pair, value, found["spearman"][pair]] for pair, value in found["pearson"].items()]
    _sheet(folder / f"{family}-correlations.csv", rows)
    rows = [["criterion", "first", "second", "third"]]
    rows += [[name, *ranks] for name, ranks in found.get("reciprocal_ranks", {}).items()]
    _sheet(folder / f"{family}-reciprocal-ranks.csv", rows)
    rows = [["criterion", "piece", *titles]]
    for name, matrix in found["distances"].items():
        rows += [[name, title, *line] for title, line in zip(titles, matrix, strict=True)]
    _sheet(folder / f"{family}-distances.csv", rows)


def _sheet(path: Path, rows: list[list[Any]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    _write(path, text.getvalue())


def _write(path: Path, text: str) -> None:
    from csn.embedding import write_whole

    write_whole(path, lambda file: file.write(text.encode()))


def add(command: Command) -> None:
    """Add the command to the parser."""
    sub = command("evaluate", _evaluate, "Judge a model as the papers do, and by harder tests")
    sub.add_argument("measure", choices=MEASURES)
    sub.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    sub.add_argument("--model", help="model file, or demo, which is what it is if left out")
    sub.add_argument("--individual", type=Path, help="folder of `csn train individual`")
    sub.add_argument("--corpus", default="demo", help="slakh:PATH, stems:PATH or demo")
    sub.add_argument("--split", default="test", help="split, or all")
    sub.add_argument("--source", help="only pieces of this source, e.g. mma or human")
    sub.add_argument(
        "--length", type=float, nargs="+", help="seconds; 3 for pieces' identity, 10 otherwise"
    )
    sub.add_argument("--draws", type=int, default=10, help="random draws of pieces (P2)")
    sub.add_argument("--pieces", type=int, help="10 in a draw of P2, 20 individual, 300 probes")
    sub.add_argument("--mixes", type=int, default=4, help="pseudo-mixes of a piece (P2, retrieval)")
    sub.add_argument("--backings", default="tempo", choices=["tempo", "shared"], help="(P2)")
    sub.add_argument("--levels", type=float, default=0.0, help="random level of the focus, dB (P2)")
    sub.add_argument(
        "--hold", choices=["timbre", "notes"],
        help="play the focus anew so that all pieces share this, and only the other differs (P2)",
    )  # fmt: skip
    sub.add_argument("-k", type=int, default=5, help="neighbours that vote")
    sub.add_argument("--json", action="store_true", help="print JSON alone")
    sub.add_argument("--quiet", action="store_true", help="no progress bars")
    sub.add_argument("--out", type=Path, help="folder for JSON, tables and figures")
