"""Who is an experimenter: links that work once, passwords, sessions, and waits for who guesses."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, text, update

from listening_test import accounts, throttle
from listening_test.accounts import Account
from listening_test.errors import AccessError
from listening_test.store import Store
from listening_test.store.schema import accounts as table
from listening_test.store.schema import failures, metadata, tickets
from listening_test.tickets import INVITATION, LIFETIMES, RECOVERY, SESSION, SET_UP

PASSWORD = "correct horse battery staple"
HOME = "192.0.2.7"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing that costs little; one test looks at the real thing."""
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(accounts, "_hasher", cheap)
    monkeypatch.setattr(accounts, "_dummy", cheap.hash("nobody's"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """A function that lets time pass."""
    now = [time.time()]
    monkeypatch.setattr(time, "time", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    yield wait


@pytest.fixture
def ada(sqlite_store: Store) -> Store:
    """A store with one account."""
    make(sqlite_store, "Ada")
    return sqlite_store


def make(store: Store, name: str) -> Account:
    if accounts.any_account(store):
        return accounts.make_account(store, accounts.invite(store), INVITATION, name, PASSWORD)
    secret = accounts.set_up(store)
    assert secret
    return accounts.make_account(store, secret, SET_UP, name, PASSWORD)


def everything(store: Store) -> str:
    """All that is kept, as one text."""
    with store.read() as read:
        rows = [read.execute(select(each)).all() for each in metadata.sorted_tables]
    return repr(rows)


# ---- links ----------------------------------------------------------------------------------


def test_from_the_set_up_link_to_a_session(store: Store) -> None:
    assert not accounts.any_account(store)
    secret = accounts.set_up(store)
    other = accounts.set_up(store)  # a second process that starts
    assert secret and other and secret != other and len(secret) >= 43
    assert accounts.usable(store, secret, SET_UP)
    assert not accounts.usable(store, secret, INVITATION)
    made = accounts.make_account(store, secret, SET_UP, "  Ada ", PASSWORD)
    assert (made.name, made.external) == ("ada", False)
    for used in (secret, other):
        assert not accounts.usable(store, used, SET_UP)
        with pytest.raises(AccessError, match="used already or is too old"):
            accounts.make_account(store, used, SET_UP, "eve", PASSWORD)
    assert accounts.set_up(store) is None
    session = accounts.sign_in(store, "ADA", PASSWORD, HOME)
    assert accounts.who(store, session) == made
    accounts.sign_out(store, session)
    assert accounts.who(store, session) is None


def test_only_hashes_are_kept(store: Store) -> None:
    make(store, "ada")
    links = [accounts.invite(store), accounts.recover(store, "ada")]
    session = accounts.sign_in(store, "ada", PASSWORD, HOME)
    with pytest.raises(AccessError):
        accounts.sign_in(store, "my secret password!", "x", HOME)
    kept = everything(store)
    for secret in (*links, session, PASSWORD, "my secret password!", HOME):
        assert secret not in kept
    assert "$argon2id$" in kept


@pytest.mark.parametrize("kind", [SET_UP, INVITATION, RECOVERY, SESSION])
def test_every_secret_grows_old(
    sqlite_store: Store, kind: str, clock: Callable[[float], None]
) -> None:
    store = sqlite_store
    secret = accounts.set_up(store) if kind == SET_UP else ""
    if kind != SET_UP:
        make(store, "ada")
        secret = {
            INVITATION: lambda: accounts.invite(store),
            RECOVERY: lambda: accounts.recover(store, "ada"),
            SESSION: lambda: accounts.sign_in(store, "ada", PASSWORD, HOME),
        }[kind]()
    assert secret
    clock(LIFETIMES[kind] - 1)
    assert accounts.usable(store, secret, kind)
    clock(2)
    assert not accounts.usable(store, secret, kind)
    assert accounts.who(store, secret) is None
    with pytest.raises(AccessError, match="too old"):
        if kind == RECOVERY:
            accounts.new_password(store, secret, PASSWORD)
        else:
            accounts.make_account(store, secret, kind, "eve", PASSWORD)


def test_no_secret_does_for_another(ada: Store) -> None:
    invitation, session = accounts.invite(ada), accounts.sign_in(ada, "ada", PASSWORD, HOME)
    assert accounts.who(ada, invitation) is None
    for secret, kind in ((session, INVITATION), (invitation, SET_UP), ("", INVITATION)):
        with pytest.raises(AccessError, match="used already"):
            accounts.make_account(ada, secret, kind, "eve", PASSWORD)
    with pytest.raises(AccessError, match="used already"):
        accounts.enter(ada, session)
    assert accounts.who(ada, session)
    for nobody in (None, "", "x", "x" * 10_000, "\ud800"):
        assert accounts.who(ada, nobody) is None


@pytest.mark.parametrize("attempt", range(4))
def test_of_many_who_use_a_link_at_once_one_gets_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, attempt: int
) -> None:
    first, second = accounts.set_up(store), accounts.set_up(store)
    assert first and second
    said = race(
        monkeypatch,
        [
            partial(accounts.make_account, store, secret, SET_UP, f"racer {k}", PASSWORD)
            for k, secret in enumerate([first, second] * 3)
        ],
    )
    assert len(said) == 6 and sum(map(bool, said)) == 1
    with store.read() as read:
        assert len(read.execute(select(table)).all()) == 1


@pytest.mark.parametrize("attempt", range(4))
def test_of_many_new_passwords_at_once_one_is_set(
    store: Store, monkeypatch: pytest.MonkeyPatch, attempt: int
) -> None:
    make(store, "ada")
    secrets = [accounts.recover(store, "ada") for _ in range(2)] * 2
    passwords = [f"a new sentence, number {k}" for k in range(4)]  # more would have to wait
    said = race(
        monkeypatch,
        [
            partial(accounts.new_password, store, secret, password)
            for secret, password in zip(secrets, passwords, strict=True)
        ],
    )
    assert len(said) == 4 and sum(map(bool, said)) == 1
    works = []
    for password in passwords:
        with suppress(AccessError):
            works.append(accounts.sign_in(store, "ada", password, HOME))
    assert len(works) == 1


def race(monkeypatch: pytest.MonkeyPatch, tries: list[Callable[[], Account]]) -> list[str]:
    """Let all reach the database at the same moment; the names that came back, "" for none."""
    gate, hashed = threading.Barrier(len(tries)), accounts._hash
    said: list[str] = []

    def together(name: str, password: str) -> str:
        made = hashed(name, password)
        gate.wait(30)
        return made

    def run(use: Callable[[], Account]) -> None:
        try:
            said.append(use().name)
        except AccessError:
            said.append("")

    monkeypatch.setattr(accounts, "_hash", together)
    racers = [threading.Thread(target=run, args=(use,)) for use in tries]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    return said


@pytest.mark.parametrize(
    ("name", "password", "sentence"),
    [
        ("", PASSWORD, "1 to 80 characters"),
        (" \t ", PASSWORD, "1 to 80 characters"),
        ("a\nb", PASSWORD, "all of them visible"),
        ("x" * 81, PASSWORD, "1 to 80"),
        ("ada", PASSWORD, "already"),
        ("ＡＤＡ", PASSWORD, "already"),  # the same letters, wide
        ("bob", "short", "12 to 200"),
        ("bob", "x" * 201, "12 to 200"),
        ("bob", "aaaaaaaaaaaaaa", "easy to guess"),
        ("bob the builder", "Bob the Builder", "easy to guess"),
    ],
)
def test_what_will_not_do_leaves_the_link_alone(
    ada: Store, name: str, password: str, sentence: str
) -> None:
    secret = accounts.invite(ada)
    with pytest.raises(AccessError, match=sentence):
        accounts.make_account(ada, secret, INVITATION, name, password)
    assert accounts.make_account(ada, secret, INVITATION, "Grace", PASSWORD).name == "grace"


# ---- passwords ------------------------------------------------------------------------------


def test_a_wrong_password_and_a_wrong_name_are_told_alike(ada: Store) -> None:
    said = set()
    for name, password in (("ada", "wrong"), ("nobody", PASSWORD), ("", ""), ("x" * 999, "y")):
        with pytest.raises(AccessError) as caught:
            accounts.sign_in(ada, name, password, HOME)
        said.add(str(caught.value))
    assert said == {"The name or the password is wrong."}


def test_an_unknown_name_takes_as_long_as_a_known_one(
    ada: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    class Looking:
        def verify(self, hashed: str, password: str) -> bool:
            looked.append(hashed)
            return cheap.verify(hashed, password)

    cheap = PasswordHasher()
    monkeypatch.setattr(accounts, "_hasher", Looking())
    for name in ("ada", "nobody", ""):
        with pytest.raises(AccessError):
            accounts.sign_in(ada, name, "wrong", HOME)
    assert len(looked) == 3  # one hash each, whoever it was
    assert len({hashed.split("$")[1] for hashed in looked}) == 1


def test_the_real_hashes_are_costly() -> None:
    cost = PasswordHasher()
    assert (cost.type.name, cost.memory_cost, cost.time_cost) == ("ID", 65536, 3)


def test_a_password_is_changed(ada: Store) -> None:
    one, two = (accounts.sign_in(ada, "ada", PASSWORD, HOME) for _ in range(2))
    me = accounts.who(ada, one)
    assert me
    with pytest.raises(AccessError, match="wrong"):
        accounts.change_password(ada, me, "not mine at all", "another good sentence", HOME)
    with pytest.raises(AccessError, match="12 to 200"):
        accounts.change_password(ada, me, PASSWORD, "short", HOME)
    assert accounts.who(ada, two) == me
    fresh = accounts.change_password(ada, me, PASSWORD, "another good sentence", HOME)
    assert accounts.who(ada, one) is accounts.who(ada, two) is None
    assert accounts.who(ada, fresh) == me
    with pytest.raises(AccessError, match="wrong"):
        accounts.sign_in(ada, "ada", PASSWORD, HOME)
    assert accounts.sign_in(ada, "ada", "another good sentence", HOME)


def test_a_forgotten_password(ada: Store) -> None:
    session = accounts.sign_in(ada, "ada", PASSWORD, HOME)
    secret = accounts.recover(ada, "Ada")
    with pytest.raises(AccessError, match="easy"):
        accounts.new_password(ada, secret, "ababababababab")
    assert accounts.new_password(ada, secret, "another good sentence").name == "ada"
    assert accounts.who(ada, session) is None
    with pytest.raises(AccessError, match="used already"):
        accounts.new_password(ada, secret, "and once more, please")
    with pytest.raises(AccessError, match="no account 'nobody'"):
        accounts.recover(ada, "nobody")


# ---- who guesses has to wait ----------------------------------------------------------------


def guess(store: Store, name: str = "ada", address: str = HOME, password: str = "x") -> str:
    try:
        accounts.sign_in(store, name, password, address)
    except AccessError as error:
        return str(error)
    return ""


def test_guessing_a_name_s_password_takes_longer_and_longer(
    store: Store, clock: Callable[[float], None]
) -> None:
    make(store, "ada")
    waits = []
    for number in range(20):
        said = guess(store, address=f"198.51.100.{number}")  # from everywhere
        if said.startswith("Too many"):
            waits.append(int(said.split()[-2]) - 1)
            assert guess(store, password=PASSWORD, address="203.0.113.1").startswith("Too many")
            clock(waits[-1] + 0.1)
            said = guess(store, address=f"198.51.100.{number}")
        assert "wrong" in said
    assert waits == [min(2 * 2**k, 600) for k in range(15)]
    clock(600)
    assert guess(store, password=PASSWORD) == ""  # its owner comes in
    assert "wrong" in guess(store)  # and all is forgiven


def test_guessing_from_one_address(ada: Store, clock: Callable[[float], None]) -> None:
    make(ada, "grace")
    said = [guess(ada, f"name {k}") for k in range(19)]
    assert all("wrong" in each for each in said)
    assert guess(ada, "grace", password=PASSWORD) == ""  # a right one is no failure,
    assert "wrong" in guess(ada, "another")  # but does not pay for the wrong ones
    assert guess(ada, "another").startswith("Too many")
    assert guess(ada, "ada", "192.0.2.8", PASSWORD) == ""
    clock(throttle.MEMORY)
    assert guess(ada, "ada", HOME, PASSWORD) == ""


def test_one_subscriber_of_ipv6_is_one_address(ada: Store) -> None:
    for k in range(20):
        guess(ada, f"name {k}", f"2001:db8::{k:x}")
    assert guess(ada, "ada", "2001:db8::ffff", PASSWORD).startswith("Too many")
    assert guess(ada, "ada", "2001:db8:0:1::1", PASSWORD) == ""
    assert guess(ada, "ada", "not an address", PASSWORD) == ""
    assert guess(ada, "ada", "::ffff:192.0.2.9", PASSWORD) == ""  # IPv4 in IPv6's clothes
    assert throttle._network("::ffff:192.0.2.9") == throttle._network("192.0.2.9") == "192.0.2.9"


def test_many_guesses_at_once_gain_nothing(store: Store) -> None:
    make(store, "ada")
    said: list[str] = []
    guessers = [
        threading.Thread(target=lambda: said.append(guess(store, address="198.51.100.1")))
        for _ in range(24)
    ]
    for guesser in guessers:
        guesser.start()
    for guesser in guessers:
        guesser.join()
    assert len(said) == 24
    assert sum("wrong" in each for each in said) == throttle.FREE["name"]


def test_old_failures_are_cleared_away(ada: Store, clock: Callable[[float], None]) -> None:
    guess(ada)
    clock(throttle.MEMORY + 1)
    guess(ada, "somebody")
    with ada.read() as read:
        assert len(read.execute(select(failures)).all()) == 2  # the new one's name and address


# ---- another identity provider --------------------------------------------------------------


def test_who_another_provider_knows(ada: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(accounts.ALLOWED, "Grace@Example.org, alan@example.org;")
    secret = accounts.vouch(ada, "grace@example.ORG")
    session = accounts.enter(ada, secret)
    me = accounts.who(ada, session)
    assert me and (me.name, me.external) == ("grace@example.org", True)
    with pytest.raises(AccessError, match="used already"):
        accounts.enter(ada, secret)
    again = accounts.who(ada, accounts.enter(ada, accounts.vouch(ada, "grace@example.org")))
    assert again == me
    for password in ("", "x", PASSWORD):
        assert "wrong" in guess(ada, "grace@example.org", password=password)
    for stranger in ("eve@example.org", "", "ada"):
        with pytest.raises(AccessError):
            accounts.vouch(ada, stranger)
    monkeypatch.setenv(accounts.ALLOWED, "alan@example.org")
    assert accounts.who(ada, session) is None  # struck off the list, signed out at once
    monkeypatch.setenv(accounts.ALLOWED, "ada")
    with pytest.raises(AccessError, match="has a password"):
        accounts.vouch(ada, "ada")


def test_a_ticket_is_nothing_without_its_account(ada: Store) -> None:
    session = accounts.sign_in(ada, "ada", PASSWORD, HOME)
    with ada.write() as write:
        write.execute(update(tickets).values(account_id=None))
    assert accounts.who(ada, session) is None
    with ada.read() as read:
        assert read.execute(text("SELECT count(*) FROM accounts")).scalar() == 1
