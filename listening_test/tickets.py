"""Secrets of links and sessions: 256 random bits, of which the database keeps only a hash."""

import hashlib
import secrets
import time
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, insert

from listening_test.errors import AccessError
from listening_test.store.schema import tickets

SET_UP, INVITATION, RECOVERY, ENTRY, SESSION = "setup", "invitation", "recovery", "entry", "session"
LIFETIMES: Final = {
    SET_UP: 24 * 3600.0,
    INVITATION: 7 * 24 * 3600.0,
    RECOVERY: 24 * 3600.0,
    ENTRY: 60.0,
    SESSION: 14 * 24 * 3600.0,
}
"""What a secret is good for, and for how many seconds. ``recovery`` sets a new password, ``entry``
carries somebody whom another identity provider knows into a session."""

STALE: Final = "This link was used already or is too old; ask for a new one."


def issue(write: Connection, kind: str, account_id: int | None = None) -> str:
    """Make a secret.

    Args:
        write: in a transaction.
        kind: what it is good for.
        account_id: whose it is, where it belongs to an account.
    """
    secret, now = secrets.token_urlsafe(32), time.time()
    row = {
        "hash": digest(secret), "kind": kind, "account_id": account_id, "created_at": now,
        "expires_at": now + LIFETIMES[kind],
    }  # fmt: skip
    write.execute(insert(tickets).values(row))
    return secret


def valid(secret: str, kind: str) -> ColumnElement[bool]:
    """The condition that finds a secret of this kind while it is good."""
    c = tickets.c
    return (c.hash == digest(secret)) & (c.kind == kind) & (c.expires_at > time.time())


def use(write: Connection, secret: str, kind: str) -> int | None:
    """Use a secret up; of several who try at the same time, one succeeds.

    Returns:
        The account that it belongs to.

    Raises:
        AccessError: it is not good, or not any more.
    """
    used = write.execute(
        delete(tickets).where(valid(secret, kind)).returning(tickets.c.account_id)
    ).all()
    if not used:
        raise AccessError(STALE)
    owner: int | None = used[0].account_id
    return owner


def digest(secret: str) -> str:
    """What the database keeps of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
