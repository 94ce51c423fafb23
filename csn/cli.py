"""The command line: ``csn compose|render|check|train|ablate|export|embed|libraries|map|search|…``.

Thin on purpose: each command parses its words and calls one function of the package.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from csn import __version__, cli_evaluation, cli_index, cli_training
from csn.console import run
from csn.errors import StemwiseError
from csn.instruments import INSTRUMENTS


def _commit() -> str:
    """The commit of the code, or its version where there is no checkout."""
    here = Path(__file__).resolve().parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=here, capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return __version__
    return found.stdout.strip()


def _say(problems: Sequence[str], most: int = 20) -> None:
    """A line for each problem, on the standard error, until there are too many to read."""
    for line in problems[:most]:
        print(line, file=sys.stderr)
    if len(problems) > most:
        print(f"… and {len(problems) - most} more.", file=sys.stderr)


def _compose(args: argparse.Namespace) -> None:
    from csn.corpora.compose import compose
    from csn.corpora.human import human

    made = compose(args.out, args.pieces, args.seed, seconds=args.seconds, workers=args.workers)
    print(f"{len(made)} pieces composed in {args.out}")
    if not args.no_human:
        cut, problems = human(args.out, seconds=args.seconds)
        print(f"{len(cut)} pieces cut from human-made songs")
        _say(problems)


def _render(args: argparse.Namespace) -> None:
    from csn.corpora.render import TRAINING, render

    problems = render(
        args.midi,
        args.out,
        args.sample_rate,
        only=args.only.read_text(encoding="utf-8").split() if args.only else (),
        workers=args.workers,
        seconds=args.seconds,
        fonts=args.fonts or TRAINING,
        codec=args.codec,
        compression=args.compression,
        mix=not args.no_mix,
        seed=args.seed,
    )
    _say(problems)
    print(f"corpus in {args.out}; {len(problems)} pieces could not be rendered")


def _check(args: argparse.Namespace) -> None:
    from csn.corpora import open_corpus
    from csn.corpora.sound_check import check

    corpus = open_corpus(args.corpus, progress=True)
    problems = [*corpus.problems, *check(corpus, progress=True)]
    for line in problems:
        print(line)
    print(f"{len(corpus)} pieces, {len(problems)} problems")


def _embed(args: argparse.Namespace) -> None:
    from functools import partial

    from csn.collecting.work import Order, embed
    from csn.model import Model

    left_out: list[str] = []
    maps = "" if args.no_maps else args.method
    order = Order(args.corpus, args.model, args.split, args.length, half=args.half, maps=maps,
                  seed=args.seed)  # fmt: skip
    library = embed(
        order, args.out, partial(Model.load, device=args.device),
        resume=not args.anew, say=print, left_out=left_out.extend,
    )  # fmt: skip
    _say(left_out)
    print(
        f"{len(library.segments)} segments of {library.info['pieces']} pieces in {args.out}; "
        f"{len(left_out)} things left out or odd"
    )


def _libraries(args: argparse.Namespace) -> None:
    from csn.collecting.shelf import entries, look
    from csn.home import demo
    from csn.model import Model

    model = Model.load(args.model, "cpu").hash
    for entry in [look(demo() / "library"), *entries()]:
        name = "demo" if entry.folder == demo() / "library" else entry.name
        if not entry.info:
            step = "under way" if entry.working else entry.status.step if entry.status else ""
            print(f"{name}: not a library yet; {step}")
            continue
        info = entry.info
        fits = "fits the model" if info["model"] == model else "made by another model"
        print(
            f"{name}: {info['pieces']} pieces, {info['segments']} segments, "
            f"{entry.size / 1e6:.1f} MB, {fits} ({info['model'][:12]}), "
            f"{entry.uri}"
        )


def _map(args: argparse.Namespace) -> None:
    from csn.library import Library
    from csn.maps import fit_maps

    solid = "3" if args.dimensions == 3 and args.method != "all" else ""
    fit_maps(Library.open(args.library), method=args.method + solid, seed=args.seed)


def _search(args: argparse.Namespace) -> None:
    from csn.library import Library

    library = Library.open(args.library)
    table = library.segments
    rows = table.index[(table["piece"] == args.piece) & (table["start"] <= args.at)]
    if len(rows) == 0:
        raise StemwiseError(
            f"{args.library} holds no segment of {args.piece!r} at {args.at:g} s; "
            f"its pieces are, for instance, {', '.join(table['piece'].unique()[:3])}."
        )
    weights = [float(args.focus in (name, "whole")) for name in INSTRUMENTS]
    found, distances = library.neighbours(
        int(rows[-1]), weights, args.k, same_piece=args.same_piece
    )
    for index, distance in zip(found, distances, strict=True):
        row = table.iloc[int(index)]
        print(f"{distance:7.3f}  {row['piece']}  {row['start']:6.1f} s  {row['title']}")


Command = Callable[[str, Callable[[argparse.Namespace], None], str], Any]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="csn", description="The science of Stemwise.")
    parser.add_argument("--version", action="version", version=f"stemwise {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], about: str) -> Any:
        sub = commands.add_parser(
            name, help=about, description=about,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )  # fmt: skip
        sub.set_defaults(run=run, say=_say, commit=_commit)
        sub.add_argument("--seed", type=int, default=0, help="of everything random")
        return sub

    _corpus_commands(command)
    _model_commands(command)
    _library_commands(command)
    cli_index.add(command)
    return parser


def _existing(name: str) -> Path:
    """A file that is there; argparse says so otherwise."""
    if not Path(name).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {name!r}")
    return Path(name)


def _device(sub: Any) -> None:
    sub.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])


def _corpus_commands(command: Command) -> None:
    def makers(sub: Any) -> None:
        sub.add_argument("--out", type=Path, required=True, help="folder to write to")
        sub.add_argument("--workers", type=int, help="processes; all cores when left out")
        sub.add_argument("--seconds", type=float, default=62.0, help="length of a piece")

    sub = command("compose", _compose, "Compose multi-track MIDI with MMA, and cut human-made MIDI")
    makers(sub)
    sub.add_argument("--pieces", type=int, default=716, help="composed pieces")
    sub.add_argument("--no-human", action="store_true", help="leave human-made MIDI out")

    sub = command("render", _render, "Render multi-track MIDI to stems in Slakh's layout")
    makers(sub)
    sub.add_argument("--midi", type=Path, required=True, help="folder of MIDI files")
    sub.add_argument("--only", type=_existing, help="file that names the pieces to render")
    sub.add_argument("--sample-rate", type=int, default=44100, help="Hz")
    sub.add_argument("--fonts", nargs="+", help="soundfonts, by name or path")
    sub.add_argument("--codec", default="flac", choices=["flac", "opus"])
    sub.add_argument("--compression", type=float, default=0.7, help="of Opus, 0 to 1")
    sub.add_argument("--no-mix", action="store_true", help="write stems only")

    sub = command("check", _check, "Decode a whole corpus and list what is wrong with it")
    sub.add_argument("--corpus", required=True, help="slakh:PATH, stems:PATH, mixes:PATH or demo")


def _model_commands(command: Command) -> None:
    cli_training.add(command, _existing)
    cli_evaluation.add(command)


def _library_commands(command: Command) -> None:
    sub = command(
        "embed", _embed,
        "Embed a corpus into a library, with its maps. The same again brings the library up to "
        "date; Ctrl-C pauses.",
    )  # fmt: skip
    _device(sub)
    sub.add_argument("--corpus", required=True, help="slakh:PATH, stems:PATH, mixes:PATH or demo")
    sub.add_argument("--model", default="demo", help="model file, or demo")
    sub.add_argument("--out", type=Path, required=True, help="folder of the library")
    sub.add_argument("--split", default="", help="one split only")
    sub.add_argument("--length", type=float, default=3.0, help="seconds of a segment")
    sub.add_argument(
        "--half", action=argparse.BooleanOptionalAction,
        help="store vectors as float16; left out: as the library is",
    )  # fmt: skip
    sub.add_argument(
        "--method", default="umap", choices=["umap", "tsne", "pca", "all"], help="of maps"
    )
    sub.add_argument("--no-maps", action="store_true", help="vectors only")
    sub.add_argument("--anew", action="store_true", help="embed everything again")

    sub = command("libraries", _libraries, "List the libraries of this computer")
    sub.add_argument("--model", default="demo", help="which of them fit this model file, or demo")

    sub = command("map", _map, "Compute a library's maps again")
    sub.add_argument("--library", default="demo", help="folder, or demo")
    sub.add_argument("--method", default="umap", choices=["umap", "tsne", "pca", "all"])
    sub.add_argument("--dimensions", type=int, default=2, choices=[2, 3], help="of umap or pca")

    sub = command("search", _search, "List what is nearest to a segment of a library")
    sub.add_argument("--library", default="demo", help="folder, or demo")
    sub.add_argument("--piece", required=True, help="id of a piece")
    sub.add_argument("--at", type=float, default=0.0, help="seconds into the piece")
    sub.add_argument("--focus", default="whole", choices=["whole", *INSTRUMENTS])
    sub.add_argument("-k", type=int, default=10, help="how many")
    sub.add_argument("--same-piece", action="store_true", help="allow the piece itself")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status (``csn.console.run``)."""
    return run(_parser().parse_args(arguments), "csn")


if __name__ == "__main__":
    raise SystemExit(main())
