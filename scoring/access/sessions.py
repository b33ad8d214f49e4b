"""Sign-ins on the pages, kept in the store: one that has ended opens nothing, whoever kept its cookie."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

import sqlalchemy as sa

from scoring.access.keys import Key, get_key
from scoring.store import Store
from scoring.store.access import PageSession

LASTS = dt.timedelta(hours=8)
"""How long a sign-in lasts: a working day."""


def begin_session(store: Store, key: Key) -> str:
    """Sign a key's bearer in: the number of the session, which only its visitor gets to know.

    >>> from fixtures.small import small_store
    >>> from scoring.access.keys import Role, create_key
    >>> store = small_store()
    >>> key = create_key(store, Role.REGULATOR, "李专员").key
    >>> number = begin_session(store, key)
    >>> signed_in_key(store, number) == key
    True
    >>> end_session(store, number)
    >>> signed_in_key(store, number) is None
    True
    """
    number, now = secrets.token_urlsafe(32), dt.datetime.now(dt.UTC)
    with store.writing() as session:
        session.execute(sa.delete(PageSession).where(PageSession.begun_at < now - LASTS))
        session.add(PageSession(id_hash=_hash(number), key=key.prefix, begun_at=now))
    return number


def end_session(store: Store, number: str) -> None:
    """Sign out; nothing happens where the session has ended already."""
    with store.writing() as session:
        session.execute(sa.delete(PageSession).where(PageSession.id_hash == _hash(number)))


def signed_in_key(store: Store, number: str) -> Key | None:
    """The key of a session's visitor; None where it has ended, or begins later (the clock was set back)."""
    with store.reading() as session:
        row = session.get(PageSession, _hash(number))
    is_on = row is not None and dt.timedelta() <= dt.datetime.now(dt.UTC) - row.begun_at < LASTS
    return get_key(store, row.key) if row is not None and is_on else None


def _hash(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()
