"""The command line: ``listening-test study|listeners|export|simulate|report|backup|accounts|…``.

Thin on purpose: each command parses its words and calls one function of the package. A study is
named by its number, 3, which means its newest version; 3.1 is its first.
"""

import argparse
import sys
from collections.abc import Sequence

from csn import __version__
from csn.errors import StemwiseError
from listening_test import cli_answers, cli_keep, cli_listeners, cli_study


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="listening-test", description="Blind listening tests.")
    parser.add_argument("--version", action="version", version=f"stemwise {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for part in (cli_study, cli_listeners, cli_answers, cli_keep):
        part.commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an error that people can mend is one line on the standard error.

    Returns:
        0, or 2 for an error, as for words that the parser does not know; 130 where it was stopped.
    """
    args = _parser().parse_args(arguments)
    try:
        args.run(args)
    except StemwiseError as error:
        print(f"listening-test: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever reads has read enough, as `head` does
        sys.stdout = None  # nothing is left to flush it to
    except KeyboardInterrupt:
        print("listening-test: stopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
