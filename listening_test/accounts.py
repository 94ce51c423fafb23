"""Experimenters: how they get an account, sign in, and stay signed in.

The first account is made through a link that only the person who starts the app sees; every other
through a link that an experimenter gives to a colleague. All secrets of links and sessions have
256 random bits; the database keeps only their hashes, and passwords as argon2.
"""

import os
import secrets
import time
import unicodedata
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, exists, select, update
from sqlalchemy.exc import IntegrityError

from listening_test.errors import AccessError
from listening_test.store import Store
from listening_test.store.rows import insert_one
from listening_test.store.schema import accounts, tickets
from listening_test.throttle import forgive, take_turn
from listening_test.tickets import (
    ENTRY,
    INVITATION,
    RECOVERY,
    SESSION,
    SET_UP,
    STALE,
    digest,
    issue,
    use,
    valid,
)

SHORTEST, LONGEST = 12, 200
"""Characters of a password."""

ALLOWED: Final = "STEMWISE_EXPERIMENTERS"
"""Environment variable: e-mail addresses, separated by commas, that may sign in through OIDC."""

_WRONG: Final = "The name or the password is wrong."
_hasher: Final = PasswordHasher()  # RFC 9106: 64 MiB, three passes
_dummy: Final = _hasher.hash(secrets.token_hex())  # unknown names take as long as known ones
_turns: Final = BoundedSemaphore(2)  # many sign-ins at once may not use up the memory


@dataclass(frozen=True)
class Account:
    """An experimenter.

    Attributes:
        id: in the database.
        name: in small letters; for OIDC the e-mail address.
        external: whether another identity provider vouches; such an account has no password.
    """

    id: int
    name: str
    external: bool


def any_account(store: Store) -> bool:
    """Whether the first account has been made."""
    with store.read() as read:
        return bool(read.execute(select(exists().select_from(accounts))).scalar())


def list_accounts(store: Store) -> list[Account]:
    """Everybody who has an account, by name."""
    with store.read() as read:
        rows = read.execute(select(accounts).order_by(accounts.c.name)).all()
    return [_account(row.id, row.name, row.password) for row in rows]


def set_up(store: Store) -> str | None:
    """A secret that makes the first account; None when there is one already."""
    with store.write() as write:
        if write.execute(select(exists().select_from(accounts))).scalar():
            return None
        return issue(write, SET_UP)


def invite(store: Store) -> str:
    """A secret by which a colleague makes an account."""
    with store.write() as write:
        return issue(write, INVITATION)


def recover(store: Store, name: str) -> str:
    """A secret that sets a new password for an account.

    Raises:
        AccessError: there is no such account, or it has no password.
    """
    wanted = _name(name)
    with store.write() as write:
        row = write.execute(select(accounts).where(accounts.c.name == wanted)).one_or_none()
        if row is None or not row.password:
            raise AccessError(f"There is no account {wanted!r} with a password of its own.")
        return issue(write, RECOVERY, row.id)


def usable(store: Store, secret: str, kind: str) -> bool:
    """Whether a link still works."""
    with store.read() as read:
        good = read.execute(select(tickets.c.hash).where(valid(secret, kind))).first() is not None
    return good and not (kind == SET_UP and any_account(store))


def make_account(store: Store, secret: str, kind: str, name: str, password: str) -> Account:
    """Use a set-up link or an invitation; it works once.

    Args:
        store: where.
        secret: of the link.
        kind: ``SET_UP`` or ``INVITATION``.
        name: at most 80 characters; small and capital letters are the same.
        password: at least ``SHORTEST`` characters.

    Raises:
        AccessError: the link does not work (any more), or name or password will not do; then the
            link may be used again.
    """
    name = _name(name)
    hashed = _hash(name, password)
    try:
        with store.write() as write:
            if kind == SET_UP:
                store.keep_out(write, accounts)
            use(write, secret, kind)
            if kind == SET_UP:
                taken = write.execute(select(exists().select_from(accounts))).scalar()
                if taken:
                    raise AccessError("There is an account already; ask its owner to invite you.")
                write.execute(delete(tickets).where(tickets.c.kind == SET_UP))
            return _insert(write, name, hashed)
    except IntegrityError as error:
        raise AccessError(
            f"There is an account called {name!r} already; choose another."
        ) from error


def new_password(store: Store, secret: str, password: str) -> Account:
    """Use a recovery link; every session of the account ends.

    Raises:
        AccessError: the link does not work (any more), or the password will not do.
    """
    owner = select(accounts).join(tickets, tickets.c.account_id == accounts.c.id)
    with store.read() as read:
        row = read.execute(owner.where(valid(secret, RECOVERY))).one_or_none()
    if row is None:
        raise AccessError(STALE)
    hashed = _hash(row.name, password)  # takes its time, and must not hold up those who write
    with store.write() as write:
        # The account before its links: of two links used at once, neither waits for the other's.
        write.execute(update(accounts).where(accounts.c.id == row.id).values(password=hashed))
        use(write, secret, RECOVERY)
        write.execute(delete(tickets).where(tickets.c.account_id == row.id))
        return _account(row.id, row.name, hashed)


def change_password(store: Store, account: Account, old: str, new: str, address: str) -> str:
    """Change one's own password; every session ends, and a new one begins.

    Returns:
        The new session's secret.

    Raises:
        AccessError: the old password is wrong, or the new one will not do.
    """
    hashed = _hash(account.name, new)
    _verify(store, account.name, old, address)
    with store.write() as write:
        write.execute(update(accounts).where(accounts.c.id == account.id).values(password=hashed))
        write.execute(delete(tickets).where(tickets.c.account_id == account.id))
        return issue(write, SESSION, account.id)


def sign_in(store: Store, name: str, password: str, address: str) -> str:
    """Begin a session.

    Args:
        store: where.
        name: of the account.
        password: its password.
        address: of the browser; who fails often from one address, or with one name, has to wait.

    Returns:
        The session's secret, for the browser's cookie alone.

    Raises:
        AccessError: wrong name or password (which of them is not said), or too many failures.
    """
    try:
        wanted = _name(name)
    except AccessError:
        wanted = ""  # takes its time, and fails
    row_id = _verify(store, wanted, password, address)
    with store.write() as write:
        write.execute(delete(tickets).where(tickets.c.expires_at < time.time()))
        return issue(write, SESSION, row_id)


def vouch(store: Store, email: str) -> str:
    """A one-minute secret that begins a session of somebody whom an OIDC provider has named.

    Raises:
        AccessError: the address is not among ``STEMWISE_EXPERIMENTERS``.
    """
    name = _name(email)
    if name not in _allowed():
        raise AccessError(
            f"{name} may not sign in here; whoever runs this app can add it to {ALLOWED}."
        )
    with store.write() as write:
        row = write.execute(select(accounts).where(accounts.c.name == name)).one_or_none()
        if row is not None and row.password:
            raise AccessError(f"The account {name!r} has a password; sign in with that.")
        account_id = row.id if row is not None else _insert(write, name, "").id
        return issue(write, ENTRY, account_id)


def enter(store: Store, secret: str) -> str:
    """Change the secret of ``vouch`` into a session's.

    Raises:
        AccessError: it does not work (any more).
    """
    with store.write() as write:
        return issue(write, SESSION, use(write, secret, ENTRY))


def who(store: Store, secret: str | None) -> Account | None:
    """Whose session it is; None when it is nobody's, or has ended."""
    if not secret or len(secret) > 100:
        return None
    query = select(accounts).join(tickets, tickets.c.account_id == accounts.c.id)
    with store.read() as read:
        row = read.execute(query.where(valid(secret, SESSION))).one_or_none()
    if row is None or not (row.password or row.name in _allowed()):
        return None
    return _account(row.id, row.name, row.password)


def sign_out(store: Store, secret: str) -> None:
    """End a session, whichever browser still has its secret."""
    with store.write() as write:
        write.execute(delete(tickets).where(tickets.c.hash == digest(secret)))


def _account(number: int, name: str, password: str) -> Account:
    return Account(number, name, external=not password)


def _insert(write: Connection, name: str, password: str) -> Account:
    values = {"name": name, "password": password, "created_at": time.time()}
    return _account(insert_one(write, accounts, values), name, password)


def _allowed() -> set[str]:
    listed = os.environ.get(ALLOWED, "").replace(";", ",").split(",")
    return {_fold(item) for item in listed if item.strip()}


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _name(name: str) -> str:
    name = _fold(name)
    if not name or len(name) > 80 or not name.isprintable():
        raise AccessError("A name has 1 to 80 characters, all of them visible.")
    return name


def _hash(name: str, password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccessError(
            f"A password has {SHORTEST} to {LONGEST} characters; a sentence is a good one."
        )
    if len({*password}) < 5 or _fold(password) in (name, name * 2):
        raise AccessError("This password is too easy to guess; choose another.")
    with _turns:
        return _hasher.hash(password)


def _verify(store: Store, name: str, password: str, address: str) -> int:
    """The account's number if this is its password, at the same pace for every name."""
    take_turn(store, name, address)
    with store.read() as read:
        row = read.execute(select(accounts).where(accounts.c.name == name)).one_or_none()
    hashed = row.password if row is not None else ""
    try:
        with _turns:
            _hasher.verify(hashed or _dummy, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError) as error:
        raise AccessError(_WRONG) from error
    if row is None or not hashed:
        raise AccessError(_WRONG)
    forgive(store, name, address)
    return int(row.id)
