"""The table of what offices sent: of each file, whose rows it held and what became of them."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scoring.store.base import Base
from scoring.store.models import IngestedFile


class FeedRow(Base):
    """The rows of records of one authority in one file. An undoing has the same numbers less than none.

    It is written with the file and never changes. What stayed as it was leaves no version, and the row of a
    record that could not be read leaves no record: only here stands whose it was.

    :ivar authority: as the rows say it; empty where they say nobody.
    :ivar came_on: the day in Shanghai on which the file came; of an undoing that of the file taken back.
    :ivar taken: rows that were kept and said what was not known.
    :ivar refused: rows that are in the quarantine for an error, once of a text that comes again.
    :ivar late: rows of new records that came too late after their decision (:mod:`scoring.facts.feeding`).
    :ivar backlog: those of them that were decided before anything came from the authority.
    :ivar corrected: rows that say another value than an earlier row of the record.
    :ivar contradicted: rows whose status stands against what was decided here.
    """

    __tablename__ = "feeds"
    __table_args__ = (sa.Index(None, "authority", "came_on"), sa.Index(None, "came_on"))

    file_id: Mapped[int] = mapped_column(sa.ForeignKey(IngestedFile.id), primary_key=True)
    authority: Mapped[str] = mapped_column(primary_key=True)
    came_on: Mapped[dt.date]
    taken: Mapped[int]
    refused: Mapped[int]
    late: Mapped[int]
    backlog: Mapped[int]
    corrected: Mapped[int]
    contradicted: Mapped[int]


COUNTS = ("taken", "refused", "late", "backlog", "corrected", "contradicted")
"""The columns that count rows."""
