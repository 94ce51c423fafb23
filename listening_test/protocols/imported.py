"""Triplets that an experimenter brings along, as a CSV file.

Columns, in any order; others are kept in the triplet's notes:

- ``instrument``: what is asked about: drums, bass, piano, guitar, others or mix;
- ``x_piece``, ``a_piece``, ``b_piece``: ids of pieces in the study's library;
- ``x_start``, ``a_start``, ``b_start``: where the excerpt begins, seconds; where it is empty or
  the column is missing, a place in which the instrument sounds is drawn at random.

The file is UTF-8 with a header; commas, semicolons or tabs part the columns. Its rows become
``Settings.triplets``, so that a study's JSON file holds them too.
"""

import csv
import io
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from csn.errors import CorpusError
from csn.instruments import INSTRUMENTS
from listening_test.errors import StudyError
from listening_test.hearing import space_of
from listening_test.stimuli import Stimuli
from listening_test.study import Settings
from listening_test.triplets import MIX, Excerpt, Triplet

SOUNDS: Final = ("x", "a", "b")
NEEDED: Final = ("instrument", *(f"{sound}_piece" for sound in SOUNDS))
KNOWN: Final = (*NEEDED, *(f"{sound}_start" for sound in SOUNDS), "line")
"""Columns with a meaning; ``line`` is the row's line in the file, for messages."""

_MOST: Final = 20_000  # rows
_SAID: Final = 20  # problems in one message


def read_csv(content: str | bytes) -> tuple[dict[str, Any], ...]:
    """Rows for ``Settings.triplets``.

    Args:
        content: of the file.

    Returns:
        For each row: ``line``, ``instrument``, ``x_piece`` …, ``x_start`` … (seconds or None),
        and what else the file holds, as text.

    Raises:
        StudyError: one sentence for every row that cannot be used, each on a line of its own.
    """
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    except UnicodeDecodeError:
        raise StudyError("The file is not UTF-8 text; save it as CSV (UTF-8).") from None
    text = text.removeprefix("\ufeff")
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        if missing := [name for name in NEEDED if name not in names]:
            raise StudyError(
                f"The file has no column {', '.join(missing)}; its first line must name the "
                f"columns {', '.join(NEEDED)}."
            )
        reader.fieldnames = names
        for row in reader:
            if any(value for value in row.values() if value):
                _take(row, reader.line_num, rows, problems)
            if len(rows) > _MOST:
                raise StudyError(f"The file has more than {_MOST} rows; split it.")
    except csv.Error as error:
        raise StudyError(f"Line {reader.line_num + 1} is no CSV ({error}).") from error
    if problems:
        raise StudyError(_together(problems))
    if not rows:
        raise StudyError("The file has a header but no rows.")
    return tuple(rows)


def make(settings: Settings, stimuli: Stimuli, progress: Callable[[float], None]) -> list[Triplet]:
    """The triplets in the order of the rows.

    Raises:
        StudyError: one sentence for every row that the library cannot give, each on its own line.
    """
    rng = np.random.default_rng(settings.seed)
    triplets: list[Triplet] = []
    problems: list[str] = []
    for number, given in enumerate(settings.triplets, 1):
        row = given if isinstance(given, Mapping) else {}  # a study file may hold anything
        line = f"Line {row.get('line', number + 1)}"
        try:
            instrument = _instrument(row)
            x = _excerpt(stimuli, row, "x", rng)
            a, b = (_excerpt(stimuli, row, sound, rng, apart=x) for sound in ("a", "b"))
        except StudyError as error:
            problems.append(f"{line}: {error}")
            continue
        triplets.append(
            Triplet(
                number=number,
                protocol="triplets",
                set=0,
                instrument=instrument,
                x=x,
                first=a,
                second=b,
                distances=stimuli.hearing.distances(instrument, x, a, b),
                space=space_of(instrument),
                source=settings.source,
                notes={key: value for key, value in row.items() if key not in KNOWN},
            )
        )
        progress(number / settings.asked)
    if problems:
        raise StudyError(_together(problems))
    return triplets


def _take(
    row: Mapping[Any, Any], line: int, rows: list[dict[str, Any]], problems: list[str]
) -> None:
    """Append the row, or what is wrong with it."""
    if None in row or None in row.values():
        problems.append(f"Line {line} has more or fewer fields than the header.")
        return
    taken: dict[str, Any] = {"line": line} | {
        key: value.strip() for key, value in row.items() if key and value
    }
    try:
        taken["instrument"] = _instrument(taken)
        for sound in SOUNDS:
            if not taken.get(f"{sound}_piece"):
                raise StudyError(f"{sound}_piece is empty.")
            taken[f"{sound}_start"] = _start(taken, sound)
    except StudyError as error:
        problems.append(f"Line {line}: {error}")
        return
    rows.append(taken)


def _instrument(row: Mapping[str, Any]) -> str:
    named = str(row.get("instrument", "")).strip().lower()
    if named not in (*INSTRUMENTS, MIX):
        raise StudyError(
            f"the instrument is {named!r}; it must be one of {', '.join((*INSTRUMENTS, MIX))}."
        )
    return named


def _start(row: Mapping[str, Any], sound: str) -> float | None:
    """Seconds; None where the row leaves it open."""
    value = row.get(f"{sound}_start")
    if value is None or value == "":
        return None
    try:
        start = float(value)
    except (TypeError, ValueError):
        start = math.nan
    if not (math.isfinite(start) and start >= 0):
        raise StudyError(f"{sound}_start is {value!r}; it must be seconds, 0 or more.")
    return start


def _excerpt(
    stimuli: Stimuli,
    row: Mapping[str, Any],
    sound: str,
    rng: np.random.Generator,
    *,
    apart: Excerpt | None = None,
) -> Excerpt:
    """The row's excerpt, or a StudyError that says why it cannot be heard.

    A place that is left open does not overlap ``apart``, if that is of the same piece.
    """
    instrument = _instrument(row)
    piece_id = str(row.get(f"{sound}_piece", ""))
    try:
        piece = stimuli.corpus[piece_id]
    except CorpusError:
        raise StudyError(f"the library holds no piece {piece_id!r} ({sound}_piece).") from None
    if piece not in stimuli.pieces(instrument):
        raise StudyError(f"{piece_id} has no {instrument} ({sound}_piece).")
    start = _start(row, sound)
    already = len(stimuli.refusals)
    if start is None:
        beside = apart if apart is not None and apart.piece == piece_id else None
        found = stimuli.find(piece_id, instrument, rng, apart=beside)
    elif start + stimuli.length > piece.duration + 1e-3:
        raise StudyError(
            f"{piece_id} ends at {piece.duration:.2f} s, within the excerpt of "
            f"{stimuli.length:g} s from {start:g} s ({sound}_start)."
        )
    else:
        found = stimuli.excerpt(piece_id, instrument, start)
        if not stimuli.usable(found, instrument):
            found = None
    if found is None:
        why = [s for s in stimuli.refusals[already:] or stimuli.refusals if piece_id in s]
        raise StudyError(f"{piece_id} cannot be heard ({sound}): {(why or ['refused.'])[-1]}")
    return found


def _together(problems: list[str]) -> str:
    """One problem a line, until there are too many to read."""
    more = [f"… and {len(problems) - _SAID} more."] if len(problems) > _SAID else []
    return "\n".join([*problems[:_SAID], *more])
