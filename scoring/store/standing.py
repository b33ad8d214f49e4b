"""How a key stands in a transaction: who began or asked for something may have lost it before it is done."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scoring.store.access import ApiKey

ACTIVE = "active"


def state_of(revoked_at: dt.datetime | None, expires_at: dt.datetime | None, now: dt.datetime) -> str:
    """``active``, ``expired`` or ``revoked``: which a clock that is set back does not undo."""
    if revoked_at is not None:
        return "revoked"
    return "expired" if expires_at is not None and expires_at <= now else ACTIVE


def standing(session: Session, prefix: str) -> str:
    """How a key stands at this moment, as :func:`state_of` says; a key that took its place and works stands
    for it. Who is no key, as the persons of the command line, is active.
    """
    columns = (ApiKey.prefix, ApiKey.revoked_at, ApiKey.expires_at)
    now, line = dt.datetime.now(dt.UTC), list(session.execute(sa.select(*columns).filter_by(prefix=prefix)))
    if not line:
        return ACTIVE
    own = state_of(line[0].revoked_at, line[0].expires_at, now)
    for key in line:  # grows meanwhile
        if state_of(key.revoked_at, key.expires_at, now) == ACTIVE:
            return ACTIVE
        line += session.execute(sa.select(*columns).filter_by(replaces=key.prefix))
    return own
