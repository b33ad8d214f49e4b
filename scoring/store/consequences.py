"""The table of consequences: which measure was applied to whom, because of what, until when."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scoring.store.access import RecordMark
from scoring.store.base import Base, BigId, Moment, index_where
from scoring.store.models import Run


class ConsequenceRow(Base):
    """A measure that an office applied to a subject; once it is lifted, that is all that changes.

    :ivar clause: of the national list (``rules.library.sanctions``); with what it then said in ``told``.
    :ivar record_id: the record that it rests on; else it rests on a grade: ``tier`` in the run ``run_id``.
    :ivar lifted_by: a key's prefix, who used the command line, or the office's file that took it back.
    :ivar lifted_because: in a person's words; NULL where the office has changed the record, or taken
        it back.
    :ivar mark_id: the mark by which it was lifted, where it was.
    """

    __tablename__ = "consequences"
    __table_args__ = (
        sa.Index(None, "vocabulary", "subject_id", "id"),
        sa.Index(None, "vocabulary", "office", "id"),
        index_where("lifted_at IS NULL", "ix_consequences_standing", "vocabulary", "record_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    vocabulary: Mapped[str]
    subject_id: Mapped[str]
    office: Mapped[str]
    clause: Mapped[str]
    told: Mapped[str] = mapped_column(sa.Text)
    record_id: Mapped[str | None]
    run_id: Mapped[int | None] = mapped_column(sa.ForeignKey(Run.id))
    tier: Mapped[str | None]
    reason: Mapped[str] = mapped_column(sa.Text)
    begins_on: Mapped[dt.date]
    entered_by: Mapped[str]
    entered_at: Mapped[dt.datetime] = mapped_column(Moment)
    lifted_on: Mapped[dt.date | None]
    lifted_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    lifted_by: Mapped[str | None]
    lifted_because: Mapped[str | None] = mapped_column(sa.Text)
    mark_id: Mapped[int | None] = mapped_column(sa.ForeignKey(RecordMark.id))
