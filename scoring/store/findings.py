"""The tables of what was found about records for a person to decide: contradictions, twins, proposals."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scoring.store.access import RecordMark
from scoring.store.base import Base, BigId, Moment, index_where
from scoring.store.models import IngestedFile


class ContradictionRow(Base):
    """An office's statement that stands against a mark. It changes nothing until a person resolves it.

    :ivar mark_id: the mark whose status stands.
    :ivar claimed: the status that the office's row gives.
    :ivar data: the record as it would be by the office's row (``scoring.store.documents``).
    :ivar outcome: None while it is open; agreed: the office's later row says as the mark does; replaced: it
        says something else; marked: another mark was made; undone: its file was taken back. One that is open
        again is another row, raised when a file was taken back.
    """

    __tablename__ = "record_contradictions"
    __table_args__ = (
        index_where("closed_at IS NULL", None, "vocabulary", "record_id", unique=True),
        index_where("closed_at IS NULL", "ix_record_contradictions_open", "vocabulary", "id"),
        sa.Index(None, "file_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    vocabulary: Mapped[str]
    record_id: Mapped[str]
    subject_id: Mapped[str]
    mark_id: Mapped[int] = mapped_column(sa.ForeignKey(RecordMark.id))
    claimed: Mapped[str]
    data: Mapped[str] = mapped_column(sa.Text)
    file_id: Mapped[int] = mapped_column(sa.ForeignKey(IngestedFile.id))
    row_no: Mapped[int]
    sheet: Mapped[str | None]
    raised_at: Mapped[dt.datetime] = mapped_column(Moment)
    closed_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    outcome: Mapped[str | None]
    closed_by: Mapped[str | None]


class TwinsRow(Base):
    """Two records that may be one decision.

    :ivar first_id: the lesser of their numbers.
    :ivar outcome: None while nobody has said; ``same``, and ``kept`` counts; or ``different``.
    """

    __tablename__ = "record_twins"
    __table_args__ = (
        sa.Index(None, "vocabulary", "first_id", "second_id", unique=True),
        index_where("outcome IS NULL", "ix_record_twins_open", "vocabulary", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    vocabulary: Mapped[str]
    subject_id: Mapped[str]
    first_id: Mapped[str]
    second_id: Mapped[str]
    found_at: Mapped[dt.datetime] = mapped_column(Moment)
    outcome: Mapped[str | None]
    kept: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(sa.Text)
    settled_by: Mapped[str | None]
    settled_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class ProposalRow(Base):
    """What the law proposes of a record and only a person confirms: a penalty's gravest class.

    :ivar column: the column that nobody has said.
    :ivar proposed: its code by the law.
    :ivar meanwhile: the code that holds until a person has confirmed the other.
    :ivar because_zh, because_en: the clause.
    :ivar settled: the code that a person said; None while it is open.
    :ivar mark_id: the mark by which they said it.
    """

    __tablename__ = "record_proposals"
    __table_args__ = (
        index_where("closed_at IS NULL", None, "vocabulary", "record_id", "column", unique=True),
        index_where("closed_at IS NULL", "ix_record_proposals_open", "vocabulary", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    vocabulary: Mapped[str]
    record_id: Mapped[str]
    subject_id: Mapped[str]
    column: Mapped[str]
    proposed: Mapped[str]
    meanwhile: Mapped[str]
    because_zh: Mapped[str] = mapped_column(sa.Text)
    because_en: Mapped[str] = mapped_column(sa.Text)
    raised_at: Mapped[dt.datetime] = mapped_column(Moment)
    closed_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    settled: Mapped[str | None]
    mark_id: Mapped[int | None] = mapped_column(sa.ForeignKey(RecordMark.id))
