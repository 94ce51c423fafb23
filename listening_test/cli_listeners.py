"""``listening-test listeners``: invite people, see how far they are, let them withdraw."""

import argparse
from pathlib import Path
from typing import Any, Final

from listening_test.cli_common import a_study, command, find, label, say, table
from listening_test.errors import StudyError
from listening_test.store import Store
from listening_test.store.rows import Version

ADDRESS: Final = "http://localhost:8501"
"""Where the app is, unless somebody says otherwise."""


def commands(group: Any) -> None:
    """Add the commands to the parser's."""
    listeners = group.add_parser("listeners", help="Invite, list and withdraw listeners")
    own = listeners.add_subparsers(dest="what", required=True, metavar="WHAT")

    sub = command(own, "invite", _invite, "Make a link for each of some listeners", json=True)
    a_study(sub)
    sub.add_argument("--count", type=int, default=1, help="how many")
    sub.add_argument("--labels", nargs="+", default=[], help="your own words, one link for each")
    sub.add_argument("--labels-from", type=Path, metavar="FILE", help="the same, a line for each")
    sub.add_argument("--preview", action="store_true", help="for yourself; never counted")
    sub.add_argument("--address", default=ADDRESS, help="of the app, as listeners reach it")

    sub = command(own, "list", _list, "How far the listeners of a study are", json=True)
    a_study(sub)

    sub = command(own, "withdraw", _withdraw, "Take a listener out of a study")
    a_study(sub)
    sub.add_argument("number", type=int, help="of the listener, as the listener sees it at the end")
    sub.add_argument("--reason", default="", help="for the record")
    sub.add_argument("--erase", action="store_true", help="remove the answers for good, too")


def _invite(args: argparse.Namespace, store: Store) -> None:
    from listening_test.store.listeners import invite

    version = find(store, args.study)
    labels = [*args.labels, *_lines(args.labels_from)]
    made = invite(store, version.id, args.count, labels=labels, preview=args.preview)
    rows = [
        {
            "number": one.number + 1,
            "label": one.label,
            "link": f"{args.address.rstrip('/')}/t/{one.token}",
        }
        for one in made
    ]
    say(args, rows, table(rows, ""))


def _lines(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{file} cannot be read as text: {error}.") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _list(args: argparse.Namespace, store: Store) -> None:
    version = find(store, args.study)
    rows = listener_rows(store, version)
    shown = [
        {
            "number": row["number"],
            "label": row["label"],
            "state": row["state"],
            "answers": f"{row['answered']}/{row['total']}",
            "excluded": row["exclusion"] or "",
            "flags": row["flags"] or "",
        }
        for row in rows
    ]
    say(args, rows, table(shown, f"Study {label(version)} has no listeners yet."))


def listener_rows(store: Store, version: Version) -> list[dict[str, Any]]:
    """What is to be said of each listener of a version; who withdrew has neither flag nor rule."""
    from listening_test.store.progress import progress
    from listening_test.store.tables import read_tables

    judged = read_tables(store, [version.id], events=False).listeners.set_index("listener_id")
    rows = []
    for one in progress(store, version):
        who = one.listener
        known = judged.loc[who.id] if who.id in judged.index else None
        words = {
            name: str(known[name]) if known is not None and isinstance(known[name], str) else None
            for name in ("flags", "exclusion")
        }
        row = {
            "number": who.number + 1, "label": who.label, "external_id": who.external_id,
            "state": one.state, "answered": one.answered, "total": one.total,
            "started_at": one.started_at, "last_at": one.last_at, "finished_at": one.finished_at,
            "withdrawn_at": one.withdrawn_at, "erased": one.erased, "simulated": who.simulated,
        }  # fmt: skip
        rows.append(row | words)
    return rows


def _withdraw(args: argparse.Namespace, store: Store) -> None:
    from listening_test.store.listeners import list_listeners, withdraw

    version = find(store, args.study)
    found = [one for one in list_listeners(store, version.id) if one.number + 1 == args.number]
    if not found:
        raise StudyError(f"Study {label(version)} has no listener {args.number}.")
    removed = withdraw(store, found[0].id, reason=args.reason, erase=args.erase)
    words = f"; {removed} answers were removed for good" if args.erase else ""
    print(f"listener {args.number} of study {label(version)} has withdrawn{words}")
