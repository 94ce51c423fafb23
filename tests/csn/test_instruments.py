import pytest

from csn.instruments import EMBEDDING, INSTRUMENTS, instrument_of, subspace


def test_programs_follow_the_papers_grouping() -> None:
    expected = {"piano": range(8), "guitar": range(24, 32), "bass": range(32, 40)}
    for program in range(128):
        name = next((name for name, programs in expected.items() if program in programs), "others")
        assert instrument_of(program, is_drum=False) == name
        assert instrument_of(program, is_drum=True) == "drums"


def test_subspaces_tile_the_embedding() -> None:
    columns = [i for name in INSTRUMENTS for i in range(EMBEDDING)[subspace(name)]]
    assert columns == list(range(EMBEDDING))
    assert subspace("piano") == subspace(2) == slice(256, 384)


def test_an_unknown_instrument_is_refused() -> None:
    with pytest.raises(ValueError, match="no instrument 5"):
        subspace(5)
