"""The tables of timelines: what runs said of the subjects that they touched, from a day on.

Rows are added and never change. What a run says of a day is what the last run up to it says that touched the
subject for that day or earlier: see docs/time.md. Subjects and rules are small numbers here, for there are
many rows; days are numbers of days. ``run`` is no foreign key: rows are written together with their run, and
checking each would double the time of publishing in PostgreSQL.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from scoring.store.base import Base, BigId, Moment, Points
from scoring.store.models import StoredPack

_EPOCH = dt.date(1970, 1, 1).toordinal()


def day_number(day: dt.date) -> int:
    """The number of days from 1970 on."""
    return day.toordinal() - _EPOCH


class Day(TypeDecorator[dt.date]):
    """A date as the number of days since 1970: in SQLite two or three bytes, where a text takes ten."""

    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: dt.date | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else day_number(value)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> dt.date | None:
        return None if value is None else dt.date.fromordinal(value + _EPOCH)


class Term(Base):
    """Which version of a pack is in force when, as one was told; rows of one ``no`` belong together.

    :ivar no: grows with every decision. The rows of the latest hold, those of earlier ones are what held.
    :ivar decided_at: when the first run by them was published.
    :ivar decided_by: who ran it.
    """

    __tablename__ = "terms"

    pack_id: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    begins: Mapped[dt.date] = mapped_column(primary_key=True)
    ends: Mapped[dt.date | None]
    pack_hash: Mapped[str] = mapped_column(sa.ForeignKey(StoredPack.hash))
    decided_at: Mapped[dt.datetime] = mapped_column(Moment)
    decided_by: Mapped[str]


class GradedSubject(Base):
    """The number of a subject of a pack."""

    __tablename__ = "graded_subjects"
    __table_args__ = (sa.Index(None, "pack_id", "subject_id", unique=True),)

    number: Mapped[int] = mapped_column(primary_key=True)
    pack_id: Mapped[str]
    subject_id: Mapped[str]


class GradedRule(Base):
    """The number of a rule of a pack, in all of its versions."""

    __tablename__ = "graded_rules"
    __table_args__ = (sa.Index(None, "pack_id", "rule", unique=True),)

    number: Mapped[int] = mapped_column(primary_key=True)
    pack_id: Mapped[str]
    rule: Mapped[str]


class _Said:
    """A part of what a run says of a subject. SQLite keeps the rows by key, as they are written and read."""

    subject: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, sort_order=-2)
    run: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False, sort_order=-1)


class Touch(_Said, Base):
    """A run says something of a subject, from a day on: also that it is not graded any more."""

    __tablename__ = "touches"
    __table_args__ = ({"sqlite_with_rowid": False},)

    from_day: Mapped[dt.date] = mapped_column(Day)


class Segment(_Said, Base):
    """The days on which a grade stays the same: from ``begins`` to before ``ends``, None for ever."""

    __tablename__ = "segments"
    __table_args__ = ({"sqlite_with_rowid": False},)

    begins: Mapped[dt.date] = mapped_column(Day, primary_key=True)
    ends: Mapped[dt.date | None] = mapped_column(Day)
    score: Mapped[int] = mapped_column(Points)
    tier: Mapped[str]
    band: Mapped[str]
    veto: Mapped[str | None]
    known: Mapped[int]
    total: Mapped[int]


class Span(_Said, Base):
    """A rule met by a subject because of one record, or of its own attributes and measures: on which days.

    :ivar no: the span's number in what the run says of the subject.
    :ivar rule: the number of a :class:`GradedRule`.
    :ivar points: hundredths, before any cap. What a hit keeps under its cap is computed when it is read.
    """

    __tablename__ = "spans"
    __table_args__ = ({"sqlite_with_rowid": False},)

    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rule: Mapped[int]
    record_id: Mapped[str | None]
    begins: Mapped[dt.date] = mapped_column(Day)
    ends: Mapped[dt.date | None] = mapped_column(Day)
    points: Mapped[int] = mapped_column(Points)
    counts_from: Mapped[dt.date | None] = mapped_column(Day)
    counts_until: Mapped[dt.date | None] = mapped_column(Day)


class Tally(Base):
    """How many more subjects have a tier from a day on than by all runs before."""

    __tablename__ = "tallies"
    __table_args__ = ({"sqlite_with_rowid": False},)

    run: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    begins: Mapped[dt.date] = mapped_column(Day, primary_key=True)
    tier: Mapped[str] = mapped_column(primary_key=True)
    delta: Mapped[int]
