"""``listening-test backup|restore|verify|accounts``: keep answers safe, and let people in again."""

import argparse
import time
from pathlib import Path
from typing import Any

from listening_test.cli_common import bar, command, table
from listening_test.cli_listeners import ADDRESS
from listening_test.store import Store


def commands(group: Any) -> None:
    """Add the commands to the parser's."""
    sub = command(group, "backup", _backup, "Write all studies, answers and sounds into one file")
    sub.add_argument("file", type=Path, metavar="FILE", help="a new file, like answers.zip")

    sub = command(group, "restore", _restore, "Put a backup into an empty database and home")
    sub.add_argument("file", type=Path, metavar="FILE", help="written by backup")

    verify = group.add_parser("verify", help="Compare every checksum of a backup")
    verify.add_argument("file", type=Path, metavar="FILE", help="written by backup")
    verify.set_defaults(run=_verify)

    accounts = group.add_parser("accounts", help="Experimenters' accounts")
    own = accounts.add_subparsers(dest="what", required=True, metavar="WHAT")
    command(own, "list", _list, "Who has an account")
    for name, run, about in (
        ("invite", _invite, "Make a link with which one colleague makes an account"),
        ("recover", _recover, "Make a link that sets a new password"),
    ):
        sub = command(own, name, run, about)
        if name == "recover":
            sub.add_argument("name", help="of the account")
        sub.add_argument("--address", default=ADDRESS, help="of the app, as that person reaches it")


def _backup(args: argparse.Namespace, store: Store) -> None:
    from listening_test.store.backup import backup

    with bar() as told:
        contents = backup(store, args.file, told)
    print(f"{args.file}: {_said(contents)}")
    for name in contents.missing:
        print(f"  missing: the sound {name} was not there")


def _restore(args: argparse.Namespace, store: Store) -> None:
    from listening_test.store.backup import restore

    with bar() as told:
        contents = restore(args.file, store, told)
    print(f"Restored {_said(contents)}")


def _verify(args: argparse.Namespace) -> None:
    from listening_test.store.backup import verify

    print(f"{args.file} is whole: {_said(verify(args.file))}")


def _said(contents: Any) -> str:
    made = time.strftime("%Y-%m-%d %H:%M", time.gmtime(contents.made_at))
    rows = contents.rows
    return (
        f"{rows['studies']} studies, {rows['listeners']} listeners, {rows['answers']} answers and "
        f"{len(contents.files)} sounds as of {made} UTC"
    )


def _list(_args: argparse.Namespace, store: Store) -> None:
    from listening_test.accounts import list_accounts

    rows = [
        {"name": one.name, "signs in": "by OIDC" if one.external else "by password"}
        for one in list_accounts(store)
    ]
    print(table(rows, "There is no account yet; start the app, it prints the link for the first."))


def _invite(args: argparse.Namespace, store: Store) -> None:
    from listening_test.accounts import invite

    print(f"{args.address.rstrip('/')}/invite/{invite(store)}")


def _recover(args: argparse.Namespace, store: Store) -> None:
    from listening_test.accounts import recover

    print(f"{args.address.rstrip('/')}/recover/{recover(store, args.name)}")
