"""Who fails to sign in has to wait, longer each time: by name and by address, kept in the database.

A failure is counted before the password is looked at and taken back when it was right, so that
many attempts at once gain nothing, and neither does a restart of the app.
"""

import hashlib
import ipaddress
import time
from typing import Final

from sqlalchemy import delete, func, insert, select

from listening_test.errors import AccessError
from listening_test.store import Store
from listening_test.store.schema import failures

MEMORY: Final = 24 * 3600.0
"""Seconds after which a failure is forgotten."""

FREE: Final = {"name": 5, "address": 20}
"""Failures before the first wait; a laboratory may share one address."""

LONGEST_WAIT: Final = 600.0
"""Seconds; the first wait is 2, each further one twice as long."""


def take_turn(store: Store, name: str, address: str) -> None:
    """Count an attempt.

    Args:
        store: where failures are kept.
        name: that somebody wants to sign in with.
        address: of the browser.

    Raises:
        AccessError: too many failed; says how long to wait.
    """
    free, now = dict(zip(_keys(name, address), FREE.values(), strict=True)), time.time()
    table = failures.c
    query = (
        select(table.name, func.count().label("n"), func.max(table.at).label("last"))
        .where(table.name.in_(free), table.at > now - MEMORY)
        .group_by(table.name)
    )
    with store.write() as write:
        store.keep_out(write, failures)
        for row in write.execute(query):
            over = row.n - free[row.name]
            wait = row.last + min(2.0 ** (over + 1), LONGEST_WAIT) - now
            if over >= 0 and wait > 0:
                raise AccessError(f"Too many attempts failed; try again in {wait + 1:.0f} seconds.")
        write.execute(delete(failures).where(table.at < now - MEMORY))
        write.execute(insert(failures), [{"name": key, "at": now} for key in free])


def forgive(store: Store, name: str, address: str) -> None:
    """The last attempt was right.

    Nothing that was tried with this name counts any more; what was tried from this address does,
    or one known password would pay for guessing others.
    """
    by_name, by_address = _keys(name, address)
    last = select(func.max(failures.c.id)).where(failures.c.name == by_address).scalar_subquery()
    with store.write() as write:
        write.execute(delete(failures).where(failures.c.name == by_name))
        write.execute(delete(failures).where(failures.c.id == last))


def _keys(name: str, address: str) -> tuple[str, str]:
    # Hashed, because people type passwords where the name should be.
    return _key("name", name), _key("address", _network(address))


def _key(kind: str, value: str) -> str:
    return f"{kind}:{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()}"


def _network(address: str) -> str:
    """An address, or the /64 that one subscriber has of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
