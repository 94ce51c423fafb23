"""``listening-test export|simulate|report``: answers out, tried, and what their sounds are like."""

import argparse
from pathlib import Path
from typing import Any

from listening_test.cli_common import a_study, bar, command, find, label, say, table
from listening_test.errors import StudyError
from listening_test.store import Store


def commands(group: Any) -> None:
    """Add the commands to the parser's."""
    sub = command(group, "export", _export, "Write answers as CSV and Parquet, with a codebook")
    sub.add_argument("study", metavar="STUDY", nargs="*", help="numbers; all when left out")
    sub.add_argument("--out", type=Path, required=True, help="a new folder")
    sub.add_argument("--format", nargs="+", default=["csv", "parquet"], choices=["csv", "parquet"])

    sub = command(group, "simulate", _simulate, "Let simulated listeners take a study", json=True)
    a_study(sub)
    sub.add_argument("--listeners", type=int, default=24, help="how many")
    sub.add_argument("--seed", type=int, default=0, help="of everything they do")

    report = group.add_parser("report", help="What a study's sounds are like")
    own = report.add_subparsers(dest="what", required=True, metavar="WHAT")
    sub = command(own, "loudness", _loudness, "Measure every sound of a study again", json=True)
    a_study(sub)


def _export(args: argparse.Namespace, store: Store) -> None:
    from listening_test.store.export import export
    from listening_test.store.tables import read_tables

    versions = [find(store, name).id for name in args.study] or None
    tables = read_tables(store, versions)
    for file in export(tables, args.out, args.format):
        print(file)
    print(f"{len(tables.answers)} answers of {len(tables.listeners)} listeners")


def _simulate(args: argparse.Namespace, store: Store) -> None:
    from listening_test.simulate import simulate

    version = find(store, args.study)
    with bar(args.json) as told:
        made = simulate(store, version.id, args.listeners, seed=args.seed, progress=told)
    say(args, {"listeners": [one.number + 1 for one in made]},
        f"{len(made)} simulated listeners took study {label(version)}")  # fmt: skip


def _loudness(args: argparse.Namespace, store: Store) -> None:
    import soundfile as sf

    from listening_test.loudness import loudness, true_peak
    from listening_test.store.studies import sound_rows

    version = find(store, args.study)
    sounds = [row for row in sound_rows(store, version.id) if row.kind == "excerpt"]
    if not sounds:
        raise StudyError(f"Study {label(version)} has no sounds yet; prepare it first.")
    rows = []
    for row in sounds:
        try:
            sound, rate = sf.read(version.folder / row.file)
        except (OSError, sf.LibsndfileError) as error:
            raise StudyError(f"{version.folder / row.file} cannot be read: {error}.") from error
        rows.append(
            {
                "piece": row.piece, "part": row.part, "start": row.start,
                "lufs": round(loudness(sound, rate), 3), "dbtp": round(true_peak(sound, rate), 3),
            }
        )  # fmt: skip
    levels = [row["lufs"] for row in rows]
    found = {
        "study": label(version), "target_lufs": version.target, "excerpts": len(rows),
        "lowest_lufs": min(levels), "highest_lufs": max(levels),
        "spread_lu": round(max(levels) - min(levels), 3),
        "highest_dbtp": max(row["dbtp"] for row in rows),
    }  # fmt: skip
    lines = "\n".join(f"{name:14} {value}" for name, value in found.items())
    say(args, found | {"sounds": rows}, f"{table(rows, '')}\n\n{lines}")
