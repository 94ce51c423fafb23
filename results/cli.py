"""The command line: ``results report|agreement|weights|plan|votes``.

Thin on purpose: each command parses its words and calls one function of the package. A study is
named by its number, 3, which means its newest version; 3.1 is its first.
"""

import argparse
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csn import __version__
from csn.console import run

if TYPE_CHECKING:
    import pandas as pd

    from listening_test.store.tables import Tables


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="results", description="What listeners' answers mean.")
    parser.add_argument("--version", action="version", version=f"stemwise {__version__}")
    group = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    sub = _command(
        group, "report", _report, "Write a report: page, figures, tables, data, R script"
    )
    _study(sub)
    sub.add_argument("--out", type=Path, required=True, help="a new folder")
    kinds = ["png", "svg", "pdf"]
    sub.add_argument("--figures", nargs="*", default=kinds, choices=kinds,
                     help="files of each figure; none without words")  # fmt: skip
    sub.add_argument("--baselines", action="store_true",
                     help="let log-mel and an untrained network listen, too")  # fmt: skip

    sub = _command(group, "agreement", _agreement, "How often listeners take what the model takes")
    _study(sub)
    sub.add_argument("--everyone", action="store_true", help="with those the rules leave out")
    sub.add_argument("--json", action="store_true", help="print JSON alone")

    sub = _command(group, "weights", _weights, "Fit a focus to the answers")
    _study(sub)
    sub.add_argument("--instrument", default="all", help="only answers about it")
    sub.add_argument("--source", default="mix", choices=["mix", "stem"], help="the model's input")
    sub.add_argument("--save", metavar="NAME", help="save it as a focus preset")
    sub.add_argument(
        "--replace", action="store_true", help="a preset of that name, if there is one"
    )

    sub = _command(group, "plan", _plan, "How many listeners and triplets a study needs")
    sub.add_argument("--listeners", type=int, nargs="+", default=[10, 15, 20, 30])
    sub.add_argument("--triplets", type=int, nargs="+", default=[8, 16, 24], help="per instrument")
    sub.add_argument("--study", help="take effects and length from this study")
    sub.add_argument("--share", type=float, help="assumed agreement, 0 to 1; else 0.7")
    sub.add_argument("--listener-sd", type=float, help="log-odds; else 0.5")
    sub.add_argument("--triplet-sd", type=float, help="log-odds; else 1")
    sub.add_argument("--seed", type=int, default=0)

    sub = _command(group, "votes", _votes, "Triplet scores on triplets with votes, as dim-sim has")
    sub.add_argument("file", type=Path, help="CSV with votes and distances")
    sub.add_argument("--least", type=float, default=0.9, help="part of the votes that decides")
    return parser


def _command(group: Any, name: str, run: Any, about: str) -> Any:
    sub = group.add_parser(
        name, help=about, description=about, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    sub.set_defaults(run=run)
    return sub


def _study(sub: Any) -> None:
    sub.add_argument(
        "study",
        metavar="STUDY",
        help="number of a study, 3.1 for its first version; or an export: its folder, its zip or "
        "its table of answers (./3 for a folder called 3)",
    )


def _tables(name: str, *, events: bool = False) -> "Tables":
    from listening_test.cli_common import find
    from listening_test.store import open_store
    from listening_test.store.loading import load_tables
    from listening_test.store.tables import read_tables

    if not name[:1].isdigit() and (place := Path(name)).exists():
        return load_tables(place)
    with closing(open_store()) as store:
        return read_tables(store, [find(store, name).id], events=events)


def _report(args: argparse.Namespace) -> None:
    from listening_test.cli_common import bar
    from results.baselines import study_baselines
    from results.report import write_report

    with bar() as told:
        told("Reading answers", 0.0)
        answered = _tables(args.study, events=True)
        others = study_baselines(answered, told) if args.baselines else None
        found, problems = write_report(
            answered, args.out, formats=args.figures, baselines=others, progress=told
        )
    for sentence in (*found.notes, *problems):
        print(sentence)
    print(args.out / "report.html")


def _agreement(args: argparse.Namespace) -> None:
    from results.agreement import agreement
    from results.exclusions import kept
    from results.tables import limits, p_value, percent

    answers = _tables(args.study).answers
    found = agreement(answers if args.everyone else kept(answers))
    if args.json:
        rows = [asdict(row) for row in found.rows]
        plain = json.loads(found.table.to_json(orient="records")) if rows else []
        print(json.dumps(plain, ensure_ascii=False, indent=1))
        return
    from listening_test.cli_common import table

    rows = [
        {
            "instrument": row.instrument, "set": row.set, "agree %": percent(row.share),
            "95 % interval": limits(row.low, row.high), "n": row.n,
            "p": p_value(row.p), "p clustered": p_value(row.p_clustered),
        }
        for row in found.rows
    ]  # fmt: skip
    print(table(rows, "Nobody has answered yet."))


def _weights(args: argparse.Namespace) -> None:
    from listening_test.cli_common import table
    from results import presets
    from results.exclusions import kept
    from results.tables import percent
    from results.weights import fit_weights

    answered = _tables(args.study)
    answers = kept(answered.answers)
    found = fit_weights(answers, args.instrument, args.source)
    print(table([_rounded(row) for row in found.table.to_dict("records")], ""))
    for one in found.held:
        print(f"held out, {one.name}: {percent(one.share)} %")
    if args.save:
        first = answers.iloc[0]
        preset = presets.of_weights(
            args.save, found, str(first["study"]), simulated=bool(first["simulated"]),
            model=str(first["model"]),
        )  # fmt: skip
        print(presets.save(preset, replace=args.replace))


def _rounded(row: Any) -> dict[str, object]:
    return {
        key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()
    }


def _plan(args: argparse.Namespace) -> None:
    from listening_test.cli_common import table
    from results.exclusions import kept
    from results.mixed import mixed
    from results.planner import effects_of, grid
    from results.simulation import Effects

    effects, settings = Effects(), None
    if args.study:
        answered = _tables(args.study)
        effects = effects_of(mixed(kept(answered.answers)))
        settings = next(iter(answered.settings.values()))
    named = {"share": args.share, "listener_sd": args.listener_sd, "triplet_sd": args.triplet_sd}
    effects = Effects(**asdict(effects) | {k: v for k, v in named.items() if v is not None})
    found: pd.DataFrame = grid(args.listeners, args.triplets, effects, settings, seed=args.seed)
    print(", ".join(f"{name} {value:.3g}" for name, value in asdict(effects).items()))
    print(table([_rounded(row) for row in found.to_dict("records")], ""))


def _votes(args: argparse.Namespace) -> None:
    from listening_test.cli_common import table
    from results.tables import limits, percent
    from results.votes import read_votes, score_votes

    rows = [
        {
            "input": one.source, "subspaces": one.space, "score %": percent(one.score),
            "95 % interval": limits(one.interval.low, one.interval.high), "n": one.n,
        }
        for one in score_votes(read_votes(args.file), args.least)
    ]  # fmt: skip
    print(table(rows, ""))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status (``csn.console.run``)."""
    return run(_parser().parse_args(arguments), "results")


if __name__ == "__main__":
    raise SystemExit(main())
