"""How a key and its line stand in a transaction: who began something may have lost it before it is done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scoring.store.access import ApiKey

ACTIVE = "active"


def state_of(revoked_at: dt.datetime | None, expires_at: dt.datetime | None, now: dt.datetime) -> str:
    """``active``, ``expired`` or ``revoked``: which a clock that is set back does not undo."""
    if revoked_at is not None:
        return "revoked"
    return "expired" if expires_at is not None and expires_at <= now else ACTIVE


def successors(session: Session, prefix: str) -> Iterator[ApiKey]:
    """The line of a key: itself, and all that took its place, or the place of one that did; the oldest
    first. None where no key is called so.
    """
    line = list(session.scalars(sa.select(ApiKey).filter_by(prefix=prefix)))
    for key in line:  # grows meanwhile
        yield key
        line += session.scalars(sa.select(ApiKey).filter_by(replaces=key.prefix).order_by(ApiKey.created_at))


def beginning(session: Session, prefix: str) -> str:
    """The first of the keys that took one another's place, down to this one."""
    while before := session.scalar(sa.select(ApiKey.replaces).filter_by(prefix=prefix)):
        prefix = before
    return prefix


def standing(session: Session, prefix: str) -> str:
    """How a key stands at this moment, as :func:`state_of` says; a key that took its place and works stands
    for it. Who is no key, as the persons of the command line, is active.
    """
    now, own = dt.datetime.now(dt.UTC), None
    for key in successors(session, prefix):  # further on only where none works so far: that is a search
        state = state_of(key.revoked_at, key.expires_at, now)
        if state == ACTIVE:
            return ACTIVE
        own = own or state
    return own or ACTIVE
