"""Every kind of bad file once: a rehearsal of what ``make soak`` does with 2,000."""

from pathlib import Path

import pytest

from soak import bad_files, files
from tests.small_library import Fingerprints


def test_every_bad_file_ends_as_vectors_or_as_one_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert files.main(90, 1, Fingerprints())
    said = capsys.readouterr().out
    assert "; 0 otherwise." in said and "90 files" in said


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    made = [bad_files.make(tmp_path / name, 90, 3) for name in ("one", "two")]
    assert made[0] == made[1] and len(set(made[0].values())) > 75
    for file in (tmp_path / "one").iterdir():
        # Other formats hold a time or a number that is drawn anew.
        if file.suffix in (".flac", ".mp3"):
            assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file
