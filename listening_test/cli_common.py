"""What the commands share: finding a study by its number, tables, progress, JSON."""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from listening_test.errors import StudyError
from listening_test.store import Store, open_store
from listening_test.store.rows import Version
from listening_test.store.studies import list_studies

Run = Callable[[argparse.Namespace, Store], None]


def command(group: Any, name: str, run: Run, about: str, *, json: bool = False) -> Any:
    """Add a command that works on the store.

    Args:
        group: subparsers of argparse.
        name: of the command.
        run: what it does.
        about: what it does, in words.
        json: whether ``--json`` prints one JSON value instead of words for people.
    """
    sub = group.add_parser(
        name, help=about, description=about, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )

    def opened(args: argparse.Namespace) -> None:
        with closing(open_store()) as store:
            run(args, store)

    sub.set_defaults(run=opened)
    if json:
        sub.add_argument("--json", action="store_true", help="print JSON alone")
    return sub


def a_study(sub: Any) -> None:
    """Let a command take a study."""
    sub.add_argument("study", metavar="STUDY", help="number of a study; 3.1 is its first version")


def find(store: Store, name: str) -> Version:
    """The version that somebody means by ``3`` (the newest of study 3) or ``3.1``.

    Raises:
        StudyError: there is none.
    """
    if not re.fullmatch(r"\d+(\.\d+)?", name):
        raise StudyError(f"{name!r} names no study; give its number, like 3, or 3.1 for a version.")
    number, _, version = name.partition(".")
    for study, versions in list_studies(store, archived=True):
        if study.id == int(number):
            for one in versions:
                if not version or one.number == int(version):
                    return one
            raise StudyError(f"Study {number} has no version {version}; it has {len(versions)}.")
    raise StudyError(f"There is no study {number}; `listening-test study list` shows them all.")


def label(version: Version) -> str:
    """How a version is called on the command line."""
    return f"{version.study_id}.{version.number}"


def say(args: argparse.Namespace, value: Any, words: str) -> None:
    """Print JSON where it is wanted, else words."""
    wanted = getattr(args, "json", False)
    print(json.dumps(value, ensure_ascii=False, indent=1, default=str) if wanted else words)


def table(rows: Sequence[Mapping[str, object]], empty: str) -> str:
    """Rows in columns as wide as what is in them."""
    if not rows:
        return empty
    names = list(rows[0])
    cells = [names, *([str(row[name]) for name in names] for row in rows)]
    wide = [max(len(line[i]) for line in cells) for i in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(size) for cell, size in zip(line, wide, strict=True)).rstrip()
        for line in cells
    )


@contextmanager
def bar(quiet: bool = False) -> Iterator[Callable[[str, float], None]]:
    """A progress bar on the standard error, as a function of what is done and how far it is."""
    from tqdm import tqdm

    form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(total=1.0, bar_format=form, file=sys.stderr, disable=quiet or None) as shown:

        def told(words: str, part: float) -> None:
            shown.set_description_str(words)
            shown.update(max(part - shown.n, 0.0))

        yield told
