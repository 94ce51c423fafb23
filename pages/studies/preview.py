"""Somebody who only looks: the listener behind “Preview as a listener”."""

from listening_test.store.listeners import invite, list_listeners
from listening_test.store.rows import Version
from pages.studies.desk import listener_link, store


def link(version: Version) -> str:
    """The address of the newest preview of a version, made on first use.

    Raises:
        StudyError: its sounds are not made.
    """
    looks = [one for one in list_listeners(store(), version.id, previews=True) if one.preview]
    look = looks[-1] if looks else invite(store(), version.id, preview=True)[0]
    return listener_link(look.token)


def another(version: Version) -> None:
    """Let the preview begin from the start again."""
    invite(store(), version.id, preview=True)
