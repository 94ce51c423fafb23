"""A report as a folder: page, figures, tables, tidy data with codebook, R script.

report.html            self-contained
figures/               PNG (300 dpi), SVG and PDF of each figure
tables/                CSV (all digits) and LaTeX (booktabs) of each table
answers/               the export: CSV, Parquet, codebook, settings; mixed-model.R beside them
"""

import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from csn import __version__
from listening_test.store.export import export
from listening_test.store.tables import Tables
from results.analysis import Analysis, analyse
from results.errors import ResultsError
from results.figures import figures, weights_figure
from results.images import FORMATS, write_images
from results.page import page
from results.published import published
from results.r_script import r_script
from results.tables import tables
from results.weights import Weights, fit_weights

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class _How:
    """Formats of figures, whom to tell, and what was said already."""

    formats: Collection[str]
    tell: Progress
    said: tuple[str, ...]


def write_report(
    answered: Tables,
    out: Path,
    *,
    formats: Collection[str] = FORMATS,
    baselines: Mapping[str, pd.DataFrame] | None = None,
    progress: Progress | None = None,
) -> tuple[Analysis, tuple[str, ...]]:
    """Write a report.

    Args:
        answered: everything about one or more versions (``listening_test.store.tables``).
        out: a new or empty folder; it appears when everything is in it.
        formats: of the figures' files; none for the page alone.
        baselines: distances of other systems, for ``spaces``.
        progress: called with what happens and the part that is done.

    Returns:
        The analysis, and sentences about what could not be made.

    Raises:
        ResultsError: the folder has something in it or cannot be written, or people and simulated
            listeners are in one table.
    """
    tell = progress or (lambda words, part: None)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ResultsError(f"{out} has something in it already; choose a new folder.")
    tell("Analysing", 0.0)
    found = analyse(answered.answers, baselines=baselines)
    tell("Fitting weights", 0.25)
    weights, problems = _weights(found)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            how = _How(formats, tell, tuple(problems))
            problems += _fill(answered, found, weights, unfinished, how)
            unfinished.chmod(0o755)
            if out.exists():
                out.rmdir()
            unfinished.rename(out)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as error:
        raise ResultsError(f"{out} cannot be written: {error.strerror or error}.") from error
    tell("Done", 1.0)
    return found, tuple(problems)


def report_zip(
    answered: Tables,
    name: str,
    *,
    formats: Collection[str] = FORMATS,
    baselines: Mapping[str, pd.DataFrame] | None = None,
    progress: Progress | None = None,
) -> tuple[bytes, tuple[str, ...]]:
    """A report as one file, for a browser.

    Args:
        answered: see ``write_report``, as all else.
        name: of the folder in it.
        formats: of the figures' files.
        baselines: distances of other systems.
        progress: called with what happens and the part that is done.

    Returns:
        The zip, and sentences about what could not be made.

    Raises:
        ResultsError: see ``write_report``.
    """
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / name
        _, problems = write_report(
            answered, out, formats=formats, baselines=baselines, progress=progress
        )
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(out.rglob("*")):
                archive.write(file, file.relative_to(place))
    return packed.getvalue(), problems


def _weights(found: Analysis) -> tuple[Weights | None, list[str]]:
    if not found.n:
        return None, []
    try:
        return fit_weights(found.answers), []
    except ResultsError as error:
        return None, [f"No focus was fitted: {error}"]


def _fill(
    answered: Tables, found: Analysis, weights: Weights | None, folder: Path, how: "_How"
) -> list[str]:
    """Write everything into the folder; sentences about what could not be made."""
    problems: list[str] = []
    protocols = {own.protocol for own in answered.settings.values()}
    papers = published(protocols.pop()) if len(protocols) == 1 else ()
    drawn = dict(figures(found, papers))
    if weights is not None:
        drawn["weights"] = weights_figure(weights)
    how.tell("Drawing figures", 0.4)
    try:
        write_images(drawn, folder / "figures", how.formats)
    except ResultsError as error:
        problems.append(str(error))
    how.tell("Writing tables and data", 0.8)
    made = tables(found, papers, weights)
    for name, table in made.items():
        _write(folder / "tables" / f"{name}.csv", table.csv())
        _write(folder / "tables" / f"{name}.tex", table.latex())
    export(answered, folder / "answers")
    _write(folder / "answers" / "mixed-model.R", r_script())
    notes = [*found.notes, *how.said, *problems]
    summary = {
        "made_with": __version__, "simulated": found.simulated, "answers": found.n,
        "listeners": found.listeners, "triplets": found.triplets, "notes": notes,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    _write(folder / "summary.json", json.dumps(summary, ensure_ascii=False, indent=1))
    html = page(
        _title(answered), _lead(found), notes, made, drawn, simulated=found.simulated
    )  # the page last: a folder without it is no report
    _write(folder / "report.html", html)
    return problems


def _title(answered: Tables) -> str:
    names = dict.fromkeys(
        f"{own.title}, version {version}" for (_, version), own in answered.settings.items()
    )
    return "; ".join(names) or "Answers"


def _lead(found: Analysis) -> str:
    day = datetime.now(UTC).date().isoformat()
    return (
        f"{found.n:,} answers of {found.listeners:,} listeners to {found.triplets:,} triplets. "
        f"Stemwise {__version__}, {day}."
    )


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="")
