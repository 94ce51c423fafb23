"""What all command lines do alike: run a command, and say in one line what is wrong."""

import argparse
import sys

from csn.errors import StemwiseError


def run(args: argparse.Namespace, program: str) -> int:
    """Run the command that was parsed, ``args.run``.

    Args:
        args: the words of the command line.
        program: what the line on the standard error begins with.

    Returns:
        0, or 2 for an error that people can mend, as for words that the parser does not know; 130
        where it was stopped.
    """
    try:
        args.run(args)
    except StemwiseError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever reads has read enough, as `head` does
        sys.stdout = None  # nothing is left to flush it to
    except KeyboardInterrupt as stop:
        print(f"{program}: {stop or 'stopped.'}", file=sys.stderr)
        return 130
    return 0
