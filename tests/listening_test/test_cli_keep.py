"""Backups and accounts as somebody types them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from listening_test import accounts
from listening_test.cli import main
from listening_test.store import Store, open_store
from listening_test.store.listeners import invite
from tests.listening_test import small_study

PASSWORD = "correct horse battery staple"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STEMWISE_DATABASE_URL", raising=False)
    with closing(open_store()) as opened:
        yield opened


def test_a_backup_moves_house(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    version = small_study.make(store)
    invite(store, version.id, 2)
    (version.folder / "0000.flac").unlink()
    file = str(tmp_path / "all.zip")
    assert main(["backup", file]) == 0
    said = capsys.readouterr().out
    assert "1 studies, 2 listeners, 0 answers and " in said
    assert f"missing: the sound {version.folder_name}/0000.flac was not there" in said
    assert main(["backup", file]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["verify", file]) == 0
    assert "is whole" in capsys.readouterr().out
    assert main(["restore", file]) == 2
    assert "exists already" in capsys.readouterr().err
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path / "new"))
    assert main(["restore", file]) == 0
    assert "Restored 1 studies, 2 listeners" in capsys.readouterr().out
    assert (tmp_path / "new" / "studies" / version.folder_name / "0001.flac").is_file()
    Path(file).write_bytes(Path(file).read_bytes()[:-100])
    assert main(["verify", file]) == 2
    assert "only a part of one" in capsys.readouterr().err


def test_accounts(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accounts", "list"]) == 0
    assert "no account yet" in capsys.readouterr().out
    assert main(["accounts", "invite", "--address", "https://lab.example/"]) == 0
    site, _, secret = capsys.readouterr().out.strip().rpartition("/invite/")
    assert site == "https://lab.example"
    accounts.make_account(store, secret, accounts.INVITATION, "Ada", PASSWORD)
    assert main(["accounts", "list"]) == 0
    assert "ada   by password" in capsys.readouterr().out
    assert main(["accounts", "recover", "ada"]) == 0
    site, _, secret = capsys.readouterr().out.strip().rpartition("/recover/")
    assert site == "http://localhost:8501"
    assert accounts.new_password(store, secret, "another good sentence").name == "ada"
    assert main(["accounts", "recover", "eve"]) == 2
    assert "no account 'eve'" in capsys.readouterr().err
