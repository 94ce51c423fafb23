"""``listening-test study``: make, change, prepare, launch and close studies."""

import argparse
import getpass
import json
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from listening_test.cli_common import a_study, bar, command, find, label, say, table
from listening_test.errors import StudyError
from listening_test.store import Store
from listening_test.store.rows import Version
from listening_test.study import PRESETS, Exclusion, Settings

_WHOLE: Final = ("trials",)  # whole numbers that may be left open
_PARTS: Final = ("catch", "fastest", "one_sided")  # of the rules of exclusion


def commands(group: Any) -> None:
    """Add the commands to the parser's."""
    study = group.add_parser("study", help="Make, prepare, launch and close studies")
    own = study.add_subparsers(dest="what", required=True, metavar="WHAT")

    sub = command(own, "new", _new, "Make a draft from a preset", json=True)
    sub.add_argument("--preset", default="csn", choices=PRESETS, help="where to start from")
    _set_option(sub)

    sub = command(own, "set", _set, "Change the settings of a draft")
    a_study(sub)
    sub.add_argument("changes", nargs="+", metavar="KEY=VALUE", help="see `study new --help`")

    sub = command(own, "list", _list, "List studies and their versions", json=True)
    sub.add_argument("--archived", action="store_true", help="with those that were put away")

    a_study(command(own, "show", _show, "Show a study's settings and state", json=True))

    sub = command(own, "export", _export, "Write a study file, with which anybody can repeat it")
    a_study(sub)
    sub.add_argument("--out", type=Path, help="file; printed when left out")

    sub = command(own, "import", _import, "Make a draft from a study file", json=True)
    sub.add_argument("file", type=Path, metavar="FILE", help="written by export")
    _set_option(sub)

    sub = command(own, "prepare", _prepare, "Make a draft's triplets and sounds", json=True)
    a_study(sub)
    sub.add_argument("--quiet", action="store_true", help="no progress bar")

    sub = command(own, "launch", _launch, "Freeze a draft and open it for listeners")
    a_study(sub)
    sub.add_argument(
        "--simulated", action="store_true", help="only simulated listeners ever take part"
    )

    a_study(command(own, "close", _close, "Let nobody in any more"))
    a_study(command(own, "reopen", _reopen, "Open a closed study again"))
    a_study(command(own, "version", _version, "Make a new draft of a launched study", json=True))


def changed(settings: Settings, changes: Sequence[str]) -> Settings:
    """Settings with some of them changed by words like ``catch=4`` or ``exclusion.catch=0.75``.

    Args:
        settings: to begin with.
        changes: ``KEY=VALUE``; lists have commas, ``questions`` is JSON, nothing stands for none.

    Raises:
        StudyError: no such setting, or a value that it cannot have.
    """
    for change in changes:
        key, sign, value = change.partition("=")
        key = key.strip().replace("-", "_")
        if not sign:
            raise StudyError(f"{change!r} changes nothing; write KEY=VALUE.")
        if key.startswith("exclusion."):
            rule = key.removeprefix("exclusion.")
            rules = replace(settings.exclusion, **{rule: _rule(rule, value)})
            settings = replace(settings, exclusion=rules)
            continue
        known = [item.name for item in fields(Settings) if item.name != "exclusion"]
        if key not in known:
            raise StudyError(f"There is no setting {key!r}; there are: {', '.join(known)}.")
        settings = replace(settings, **{key: _value(key, value)})
    return settings


def _value(key: str, text: str) -> Any:
    text = text.strip()
    default = getattr(Settings(), key)
    try:
        if key in ("questions", "triplets"):
            whole = json.dumps({"format": "stemwise-study-1", key: json.loads(text)})
            return getattr(Settings.from_json(whole, check=False), key)
        if key in _WHOLE:
            return None if text in ("", "all", "none") else int(text)
        if isinstance(default, bool):
            return _yes(text)
        if isinstance(default, tuple):
            items = [item.strip() for item in text.split(",") if item.strip()]
            return tuple(int(item) for item in items) if key == "sets" else tuple(items)
        if isinstance(default, int):
            return int(text)
        return float(text) if isinstance(default, float) else text
    except ValueError as error:
        raise StudyError(f"{key} cannot be {text!r}.") from error


def _rule(rule: str, text: str) -> Any:
    if rule not in {item.name for item in fields(Exclusion)}:
        raise StudyError(f"There is no rule of exclusion {rule!r}; there are: {', '.join(_PARTS)}, "
                         "headphones.")  # fmt: skip
    try:
        if rule not in _PARTS:
            return _yes(text)
        return None if text.strip() in ("", "none") else float(text)
    except ValueError as error:
        raise StudyError(f"exclusion.{rule} cannot be {text!r}.") from error


def _yes(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.strip().lower() not in words:
        raise ValueError(text)
    return words[text.strip().lower()]


def _set_option(sub: Any) -> None:
    sub.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help="change a setting, as often as you like: title=…, instruments=drums,bass, "
        "confidence=yes, exclusion.catch=0.75 …",
    )  # fmt: skip


def _new(args: argparse.Namespace, store: Store) -> None:
    _made(args, store, changed(PRESETS[args.preset], args.set))


def _import(args: argparse.Namespace, store: Store) -> None:
    try:
        content = args.file.read_bytes()
    except OSError as error:
        raise StudyError(f"{args.file} cannot be read: {error.strerror}.") from error
    _made(args, store, changed(Settings.from_json(content), args.set))


def _made(args: argparse.Namespace, store: Store, settings: Settings) -> None:
    from listening_test.store.studies import create_study

    made = create_study(store, settings.check(), getpass.getuser())
    say(args, _facts(made), f"study {label(made)}: {settings.title}, {settings.shown} trials, "
        f"about {settings.minutes:.0f} minutes")  # fmt: skip


def _set(args: argparse.Namespace, store: Store) -> None:
    from listening_test.store.studies import save_draft

    version = find(store, args.study)
    settings = changed(version.settings, args.changes)
    save_draft(store, version.id, settings.check())
    print(f"study {label(version)}: {', '.join(args.changes)}")


def _list(args: argparse.Namespace, store: Store) -> None:
    from listening_test.store.progress import progress
    from listening_test.store.studies import list_studies

    everybody = progress(store)
    rows = []
    for _, versions in list_studies(store, archived=args.archived):
        for version in versions:
            own = [one for one in everybody if one.listener.version_id == version.id]
            here = [one for one in own if one.withdrawn_at is None]
            finished = sum(one.finished_at is not None for one in here)
            rows.append(_facts(version) | {"listeners": len(here), "finished": finished})
    shown = [
        {name: row[name] for name in ("study", "state", "listeners", "finished", "title")}
        for row in rows
    ]
    say(args, rows, table(shown, "There are no studies yet; `listening-test study new` makes one."))


def _show(args: argparse.Namespace, store: Store) -> None:
    version = find(store, args.study)
    settings = json.loads(version.settings.to_json())
    lines = [f"{name:18} {_short(value)}" for name, value in _facts(version).items()]
    lines += [""] + [f"{name:18} {_short(value)}" for name, value in settings.items()]
    say(args, _facts(version) | {"settings": settings}, "\n".join(lines))


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= 100 else text[:99] + "…"


def _facts(version: Version) -> dict[str, Any]:
    settings = version.settings
    return {
        "study": label(version), "id": version.id, "title": settings.title,
        "state": version.state, "simulated": version.simulated, "trials": settings.shown,
        "minutes": round(settings.minutes, 1), "prepared": version.prepared_at is not None,
        "model": version.model, "corpus": version.corpus, "join_token": version.join_token,
    }  # fmt: skip


def _export(args: argparse.Namespace, store: Store) -> None:
    text = find(store, args.study).settings.to_json() + "\n"
    if args.out is None:
        print(text, end="")
        return
    from csn.embedding import write_whole

    try:
        write_whole(args.out, lambda file: file.write(text.encode()))
    except OSError as error:
        raise StudyError(f"{args.out} cannot be written: {error.strerror}.") from error
    print(f"study file in {args.out}")


def _prepare(args: argparse.Namespace, store: Store) -> None:
    from listening_test.store.studies import prepare_version, triplet_rows

    version = find(store, args.study)
    with bar(args.quiet or args.json) as told:
        version = prepare_version(store, version.id, told)
    triplets = [row for row in triplet_rows(store, version.id) if not row.practice]
    found = _facts(version) | {"triplets": len(triplets), "refusals": list(version.refusals)}
    lines = [f"study {label(version)}: {len(triplets)} triplets, {version.target:.1f} LUFS; "
             f"{len(version.refusals)} excerpts refused", *version.refusals]  # fmt: skip
    say(args, found, "\n".join(lines))


def _launch(args: argparse.Namespace, store: Store) -> None:
    from listening_test.store.studies import launch

    version = launch(store, find(store, args.study).id, simulated=args.simulated)
    print(f"study {label(version)} is live and stays as it is; its open link ends in "
          f"/join/{version.join_token}")  # fmt: skip


def _close(args: argparse.Namespace, store: Store) -> None:
    from listening_test.store.studies import close

    print(f"study {label(close(store, find(store, args.study).id))} is closed")


def _reopen(args: argparse.Namespace, store: Store) -> None:
    from listening_test.store.studies import reopen

    print(f"study {label(reopen(store, find(store, args.study).id))} is live again")


def _version(args: argparse.Namespace, store: Store) -> None:
    from listening_test.store.studies import new_version

    made = new_version(store, find(store, args.study).id)
    say(args, _facts(made), f"study {label(made)} is a draft with the same settings")
