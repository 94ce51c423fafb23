"""The part of the command line that trains: ``csn train|ablate|export``."""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csn.errors import StemwiseError

if TYPE_CHECKING:
    from csn.training.recipes import Recipe
    from csn.training.stages import Workshop

Command = Callable[[str, Callable[[argparse.Namespace], None], str], Any]


def _workshop(args: argparse.Namespace, commit: str) -> "Workshop":
    """Open the corpus and join the other processes, if there are any."""
    import torch

    from csn.corpora import open_corpus
    from csn.training.distributed import join
    from csn.training.stages import Workshop

    if args.threads:
        torch.set_num_threads(args.threads)
    world = join()
    quiet = args.quiet or world.rank > 0
    corpus = open_corpus(args.corpus, progress=not quiet)
    if not quiet:
        args.say(corpus.problems)
    card = {
        "commit": commit,
        "corpus": corpus.name,
        "corpus_fingerprint": corpus.only(args.train_split).fingerprint(),
        "torch": torch.__version__,
    }
    return Workshop(
        corpus, args.train_split, args.validation_split, args.device, args.workers,
        args.validate_every, not quiet, card, world,
    )  # fmt: skip


def _tell(shop: "Workshop", words: str) -> None:
    """Say what came of a run, once and not from each of its processes."""
    if shop.world.rank == 0:
        print(words)


def _changed(recipe: "Recipe", args: argparse.Namespace) -> "Recipe":
    """The recipe with what was given on the command line."""
    given = {"steps": args.steps, "batch": args.batch, "rate": args.rate, "most": args.pieces}
    return replace(recipe, **{name: value for name, value in given.items() if value is not None})


def _train(args: argparse.Namespace) -> None:
    from csn.model import Model
    from csn.training import recipes
    from csn.training.stages import Stages, train_individual, train_paper

    shop = _workshop(args, args.commit())
    small = recipes.tiny if args.recipe.startswith("tiny") else lambda recipe: recipe
    if args.what == "individual":
        recipe = _changed(small(recipes.INDIVIDUAL), args)
        if args.features != "own":
            recipe = recipes.seen_as(recipe, small(recipes.STEMWISE).model.features)
        for seed in range(args.seed, args.seed + args.seeds):
            train_individual(shop, args.out / f"seed-{seed}", seed, recipe)
        _tell(shop, f"individual networks in {args.out}")
        return
    if args.recipe in ("paper", "tiny-paper"):
        alone, before, papers = (
            small(r) for r in (recipes.INDIVIDUAL, recipes.PRETRAINING, recipes.PAPER)
        )
        stages = [
            alone if args.individual_steps is None else replace(alone, steps=args.individual_steps),
            before
            if args.pretraining_steps is None
            else replace(before, steps=args.pretraining_steps),
            _changed(papers, args),
        ]
        if args.features != "own":
            seen = small(recipes.STEMWISE).model.features
            stages = [recipes.seen_as(recipe, seen) for recipe in stages]
        model = train_paper(shop, args.out, args.seed, Stages(*stages))
        reached = {"steps": model.card["steps"], "validation": model.card["validation"]}
    else:
        start = Model.load(args.start, args.device) if args.start else None
        recipe = _changed(small(recipes.STEMWISE), args)
        if start is not None:  # whose network may be older than the recipe
            recipe = replace(recipe, model=start.settings)
        trainer = shop.trainer(recipe, args.out, args.seed, start=start)
        trainer.run(validate_every=args.validate_every, progress=shop.progress)
        reached = {"steps": trainer.step, "validation": trainer.best}
    _tell(shop, f"{json.dumps(reached)}\nmodel in {args.out / 'model.safetensors'}")


def _ablate(args: argparse.Namespace) -> None:
    from csn.evaluation import PseudoMixSettings
    from csn.training.ablation import AblationSettings, ablate

    shop = _workshop(args, args.commit())
    test = shop.corpus.only(args.test_split)
    if args.source:
        test = test.tagged("source", args.source)
    given = {
        "mixes": args.mixes, "pieces": args.pieces, "seeds": args.seeds,
        "first_seeds": args.first_seeds, "individual_steps": args.individual_steps,
        "pretraining": args.pretraining, "rate": args.rate,
    }  # fmt: skip
    settings = AblationSettings(
        **{name: value for name, value in given.items() if value is not None},
        own_features=args.features == "own",
        tiny=args.tiny,
    )
    judging = PseudoMixSettings(
        draws=args.draws, pieces=args.draw_pieces, length=args.length, seed=args.seed
    )
    _tell(shop, ablate(shop, test, args.out, settings, judging))


def _export(args: argparse.Namespace) -> None:
    from csn.model import Model

    model = Model.load(args.model, "cpu")
    reports = model.card.setdefault("evaluation", {})
    for file in args.reports:
        try:
            reports[file.stem] = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise StemwiseError(
                f"{file} is no JSON; give a file written by `csn evaluate --json`."
            ) from error
    model.save(args.out, half=True)
    print(f"model {model.hash[:12]} in {args.out}, {args.out.stat().st_size / 1e6:.1f} MB")


def _training(sub: Any) -> None:
    """What every command that trains can be told."""
    sub.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    sub.add_argument("--corpus", required=True, help="slakh:PATH or stems:PATH")
    sub.add_argument("--out", type=Path, required=True, help="folder of the run")
    sub.add_argument("--train-split", default="train", help="split to learn from")
    sub.add_argument("--validation-split", default="validation", help="split to check on")
    sub.add_argument("--validate-every", type=int, default=500, help="steps")
    sub.add_argument("--threads", type=int, help="of the network; all cores when left out")
    sub.add_argument("--workers", type=int, help="processes that read the corpus")
    sub.add_argument("--quiet", action="store_true", help="no progress bars")
    sub.add_argument("--individual-steps", type=int, help="of each individual network (paper)")


def add(command: Command, existing: Callable[[str], Path]) -> None:
    """Add the commands to the parser."""
    sub = command("train", _train, "Train a model; run again to resume")
    _training(sub)
    sub.add_argument(
        "what", nargs="?", default="model", choices=["model", "individual"],
        help="a model of all instruments, or a network for each and one for the mix",
    )  # fmt: skip
    sub.add_argument(
        "--recipe", default="stemwise", choices=["stemwise", "paper", "tiny", "tiny-paper"],
    )  # fmt: skip
    sub.add_argument(
        "--start", help="model to go on from with its own network: a file or demo (stemwise)"
    )
    sub.add_argument(
        "--steps", type=int, help="instead of the recipe's; a resumed run may change it"
    )
    sub.add_argument("--batch", type=int, help="instead of the recipe's")
    sub.add_argument("--rate", type=float, help="peak learning rate instead of the recipe's")
    sub.add_argument("--pieces", type=int, help="train on so many, instead of the recipe's")
    sub.add_argument("--seeds", type=int, default=5, help="runs of each individual network")
    sub.add_argument("--pretraining-steps", type=int, help="of pre-training (paper)")
    sub.add_argument(
        "--features", default="own", choices=["own", "stemwise"],
        help="spectrograms of individual networks and of the paper's recipe",
    )  # fmt: skip

    sub = command("ablate", _ablate, "Fill CSN's table 2, with our recipe as a fifth row; resumes")
    _training(sub)
    sub.add_argument("--mixes", type=int, help="that each row's network sees")
    sub.add_argument("--pretraining", type=float, help="part of them that is pre-training")
    sub.add_argument("--pieces", type=int, help="of the first rows; six times as many for others")
    sub.add_argument("--seeds", type=int, help="runs of the last two rows")
    sub.add_argument("--first-seeds", type=int, help="runs of the first three rows")
    sub.add_argument("--rate", type=float, help="peak learning rate of the paper's rows")
    sub.add_argument(
        "--features", default="own", choices=["own", "stemwise"], help="of the paper's rows"
    )
    sub.add_argument("--test-split", default="test", help="split to judge on")
    sub.add_argument("--source", help="judge only on pieces of this source, e.g. mma")
    sub.add_argument("--draws", type=int, default=10, help="random draws of pieces (P2)")
    sub.add_argument("--draw-pieces", type=int, default=10, help="pieces in a draw (P2)")
    sub.add_argument("--length", type=float, default=10.0, help="seconds of a segment (P2)")
    sub.add_argument("--tiny", action="store_true", help="networks of a test's size")

    sub = command("export", _export, "Write a model as fp16, with reports in its card")
    sub.add_argument("--model", required=True, help="model file")
    sub.add_argument("--out", type=Path, required=True, help="file to write")
    sub.add_argument(
        "--reports", type=existing, nargs="*", default=[], help="JSON of csn evaluate --json"
    )
