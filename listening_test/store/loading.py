"""Answers that come back: an export is read again, from its folder, its zip, or one table alone."""

import io
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import pandas as pd

from listening_test.errors import StoreError, StudyError
from listening_test.store.columns import TABLES, TYPES, Item
from listening_test.store.tables import Tables
from listening_test.study import Settings

LARGEST: Final = 2 * 1024**3
"""Bytes that the files of a zip may have together, unpacked."""

_LOCKED: Final = (NotImplementedError, RuntimeError)  # a zip with a password, or an odd packing
_SETTINGS: Final = re.compile(r"study-(\d+)-version-(\d+)\.json")
_WANTED: Final = re.compile(rf"({'|'.join(TABLES)})\.(csv|parquet)|{_SETTINGS.pattern}")


def load_answers(folder: Path) -> pd.DataFrame:
    """Read the table of answers of an export.

    Args:
        folder: that ``export.export`` made.

    Returns:
        The columns of ``columns.ANSWERS``, typed as ``columns.TYPES`` says.

    Raises:
        StoreError: it is no export of answers.
    """
    return load_table(folder, "answers")


def load_table(folder: Path, name: str) -> pd.DataFrame:
    """Read any table of an export: from Parquet if there is one, else from CSV.

    Raises:
        StoreError: it is not there, or has other columns.
    """
    parquet, text = folder / f"{name}.parquet", folder / f"{name}.csv"
    try:
        if parquet.is_file():
            table = pd.read_parquet(parquet)
        else:
            table = pd.read_csv(text, dtype="str", keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder} holds no table {name!r} of an export ({error}).") from error
    missing = [item.name for item in TABLES[name] if item.name not in table]
    if missing:
        raise StoreError(f"The table {name!r} in {folder} lacks the column {missing[0]!r}.")
    columns = {}
    for item in TABLES[name]:
        try:
            columns[item.name] = _typed(table[item.name], item)
        except (ValueError, TypeError, OverflowError) as error:
            raise StoreError(
                f"The column {item.name!r} of the table {name!r} holds something that is no "
                f"{item.kind} ({error})."
            ) from error
    return pd.DataFrame(columns)


def load_tables(place: Path | BinaryIO) -> Tables:
    """Read an export whole.

    Args:
        place: its folder, its zip, or the table of answers alone as CSV or Parquet; what a file
            is, its content says.

    Returns:
        The tables that are there, the others empty. Settings that are not there are the default
        ones, with the title and protocol of the answers.

    Raises:
        StoreError: it is no export of answers, or larger than ``LARGEST`` when unpacked.
    """
    if isinstance(place, Path) and place.is_dir():
        return _from_folder(place)
    called = str(place if isinstance(place, Path) else getattr(place, "name", "The file"))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        try:
            if zipfile.is_zipfile(place):
                _unpack(place, folder)
            else:
                _copy(place, folder)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, *_LOCKED) as error:
            raise StoreError(f"{called} cannot be read ({error}).") from error
        try:
            return _from_folder(folder)
        except StoreError as error:
            said = str(error).replace(str(folder), called)
            raise StoreError(said) from error


def _from_folder(folder: Path) -> Tables:
    answers = load_answers(folder)
    others = {
        name: load_table(folder, name)
        if any((folder / f"{name}.{kind}").is_file() for kind in ("csv", "parquet"))
        else pd.DataFrame({item.name: pd.Series([], dtype=TYPES[item.kind]) for item in items})
        for name, items in TABLES.items()
        if name != "answers"
    }
    # Headphone checks have no protocol, so the first answer that has one says it.
    said = answers.groupby(["study_id", "version"])[["study", "protocol"]].first().dropna()
    settings: dict[tuple[int, int], Settings] = {
        (int(study), int(version)): Settings(title=str(title), protocol=str(protocol))
        for study, version, title, protocol in said.reset_index().itertuples(index=False)
    }
    settings |= _settings(folder)
    return Tables(answers=answers, **others, settings=settings, withdrawn={})


def _settings(folder: Path) -> Mapping[tuple[int, int], Settings]:
    found = {}
    for file in sorted(folder.glob("study-*.json")):
        if name := _SETTINGS.fullmatch(file.name):
            try:
                own = Settings.from_json(file.read_bytes(), check=False)
            except StudyError as error:
                raise StoreError(f"{file.name} holds no settings of a study: {error}") from error
            found[int(name[1]), int(name[2])] = own
    return found


def _unpack(place: Path | BinaryIO, folder: Path) -> None:
    with zipfile.ZipFile(place) as archive:
        left = LARGEST
        for member in archive.infolist():
            name = member.filename.rpartition("/")[2]
            if not _WANTED.fullmatch(name):
                continue
            with archive.open(member) as packed, (folder / name).open("wb") as out:
                while block := packed.read(1024**2):  # its header may lie about its size
                    left -= len(block)
                    if left < 0:
                        raise StoreError(
                            f"This zip holds more than {LARGEST / 1e9:.0f} GB of tables; read "
                            "its folder with the command line instead."
                        )
                    out.write(block)


def _copy(place: Path | BinaryIO, folder: Path) -> None:
    content: BinaryIO = place.open("rb") if isinstance(place, Path) else place
    try:
        content.seek(0)
        first = content.read(4)
        kind = "parquet" if first == b"PAR1" else "csv"
        with (folder / f"answers.{kind}").open("wb") as out:
            shutil.copyfileobj(io.BytesIO(first), out)
            shutil.copyfileobj(content, out)
    finally:
        if isinstance(place, Path):
            content.close()


def _typed(values: pd.Series, item: Item) -> pd.Series:
    kind: Any = TYPES[item.kind]
    if not isinstance(values.dtype, pd.StringDtype) or item.kind == "text":
        return values.astype(kind)
    if item.kind == "time":
        return pd.to_datetime(values, utc=True, format="ISO8601").astype(kind)
    if item.kind == "yes/no":
        return values.map({"true": True, "false": False}).astype("boolean")
    return values.astype("Int64" if item.kind == "integer" else "float64")
