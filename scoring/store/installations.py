"""The table of versions of packs that one person proposes, and another approves, into the store."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scoring.store.base import Base, BigId, Moment, index_where
from scoring.store.models import StoredPack

PROPOSED, APPROVED, REFUSED, WITHDRAWN = "proposed", "approved", "refused", "withdrawn"


class Installation(Base):
    """A version of a pack that is to rule from a day on, or was to.

    :ivar begins: the day, as the text says it.
    :ivar state: proposed; then approved or refused by another person; or withdrawn, before the day.
    :ivar reason: why it was proposed; ``decision`` and ``withdrawal`` why so it ended.
    """

    __tablename__ = "installations"
    __table_args__ = (
        index_where(
            f"state IN ('{PROPOSED}', '{APPROVED}')", "uq_installations_standing", "pack_hash", unique=True
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    pack_id: Mapped[str]
    version: Mapped[str]
    pack_hash: Mapped[str] = mapped_column(sa.ForeignKey(StoredPack.hash))
    begins: Mapped[dt.date]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(sa.Text)
    proposed_by: Mapped[str]
    proposed_at: Mapped[dt.datetime] = mapped_column(Moment)
    decision: Mapped[str | None] = mapped_column(sa.Text)
    decided_by: Mapped[str | None]
    decided_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    withdrawal: Mapped[str | None] = mapped_column(sa.Text)
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(Moment)
