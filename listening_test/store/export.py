"""Answers on their way out: CSV and Parquet with a codebook; ``loading`` reads them again."""

import csv
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from csn import __version__
from listening_test.errors import StoreError
from listening_test.store.columns import ABOUT, TABLES, Item
from listening_test.store.tables import Tables

FORMAT: Final = "stemwise-answers-1"
FORMATS: Final = ("csv", "parquet")

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # spreadsheets run what begins like this


def export(tables: Tables, folder: Path, formats: Collection[str] = FORMATS) -> list[Path]:
    """Write every table, the codebook, and the settings of every version.

    Args:
        tables: see ``tables.read_tables``.
        folder: a new or empty folder; it appears when everything is in it.
        formats: ``csv``, ``parquet`` or both.

    Returns:
        The files.

    Raises:
        StoreError: the folder has something in it, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoreError(f"{folder} has something in it already; choose a new folder.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            _write(tables, unfinished, formats)
            unfinished.chmod(0o755)
            if folder.exists():
                folder.rmdir()
            unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror or error}.") from error
    return sorted(folder.iterdir())


def export_zip(tables: Tables, formats: Collection[str] = FORMATS) -> bytes:
    """The same as one file, for a browser."""
    with tempfile.TemporaryDirectory() as place:
        files = export(tables, Path(place) / "answers", formats)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, f"answers/{file.name}")
        return packed.getvalue()


def codebook() -> str:
    """What every column of every table means, as Markdown."""
    lines = [
        "# Codebook",
        "",
        f"Format {FORMAT}. One row each, UTF-8, comma-separated, quoted as in RFC 4180; the "
        "Parquet files hold the same. An empty cell means: does not apply, or not known. Times "
        "are ISO 8601 in UTC. Listeners who withdrew and previews are in no table; simulated "
        "listeners are marked; excluded ones are in every table, with the rule.",
        "",
        "Text that a person typed and that a spreadsheet would take for a formula begins with an "
        "apostrophe in CSV; in Parquet it is as it was typed.",
    ]
    for name, items in TABLES.items():
        lines += [
            "",
            f"## {name}",
            "",
            ABOUT[name],
            "",
            "| column | type | meaning |",
            "|---|---|---|",
        ]
        lines += [
            f"| `{item.name}` | {item.kind}{f', {item.unit}' if item.unit else ''} "
            f"| {item.meaning} |"
            for item in items
        ]
    return "\n".join(lines) + "\n"


def _write(tables: Tables, folder: Path, formats: Collection[str]) -> None:
    for name in TABLES:
        table: pd.DataFrame = getattr(tables, name)
        if "parquet" in formats:
            table.to_parquet(folder / f"{name}.parquet", index=False)
        if "csv" in formats:
            written = table.copy()
            for item in TABLES[name]:
                written[item.name] = _plain(table[item.name], item)
            written.to_csv(
                folder / f"{name}.csv", index=False, lineterminator="\r\n",
                quoting=csv.QUOTE_MINIMAL, encoding="utf-8",
            )  # fmt: skip
    (folder / "codebook.md").write_text(codebook(), encoding="utf-8")
    (folder / "codebook.json").write_text(_machine_readable(tables), encoding="utf-8")
    for (study, version), settings in tables.settings.items():
        file = folder / f"study-{study}-version-{version}.json"
        file.write_text(settings.to_json(), encoding="utf-8")


def _machine_readable(tables: Tables) -> str:
    columns = {
        name: [
            {"name": item.name, "type": item.kind, "unit": item.unit, "meaning": item.meaning}
            for item in items
        ]
        for name, items in TABLES.items()
    }
    withdrawn = [
        {"study_id": study, "version": version, "withdrawn": count}
        for (study, version), count in tables.withdrawn.items()
    ]
    content = {"format": FORMAT, "made_with": __version__, "versions": withdrawn, "tables": columns}
    return json.dumps(content, ensure_ascii=False, indent=1)


def _plain(values: pd.Series, item: Item) -> pd.Series:
    """Values as CSV has them."""
    if item.kind == "time":
        moments = values.dt.tz_localize(None).to_numpy("datetime64[ms]")
        text = pd.Series(np.datetime_as_string(moments, timezone="UTC"), index=values.index)
        return text.where(values.notna())
    if item.kind == "yes/no":
        return values.map({True: "true", False: "false"})
    if item.free:
        risky = values.str.startswith(_FORMULA).eq(True)
        return values.where(~risky, "'" + values)
    return values
