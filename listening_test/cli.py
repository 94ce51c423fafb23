"""The command line: ``listening-test study|listeners|export|simulate|report|backup|accounts|…``.

Thin on purpose: each command parses its words and calls one function of the package. A study is
named by its number, 3, which means its newest version; 3.1 is its first.
"""

import argparse
from collections.abc import Sequence

from csn import __version__
from csn.console import run
from listening_test import cli_answers, cli_keep, cli_listeners, cli_study


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="listening-test", description="Blind listening tests.")
    parser.add_argument("--version", action="version", version=f"stemwise {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for part in (cli_study, cli_listeners, cli_answers, cli_keep):
        part.commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status (``csn.console.run``)."""
    return run(_parser().parse_args(arguments), "listening-test")


if __name__ == "__main__":
    raise SystemExit(main())
