"""The tables of facts, packs, runs and results.

Keys of subjects and records are text, whatever their type in the vocabulary. Moments are UTC; dates are
calendar dates; points are integer hundredths.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from scoring.store.base import Base, BigId, Moment, index_where
from scoring.store.inside import ValueIn


class StoreIdentity(Base):
    """One row: what tells this store from all others. It stays when the database is moved."""

    __tablename__ = "store_identity"

    id: Mapped[str] = mapped_column(primary_key=True)


class IngestedFile(Base):
    """A file whose rows are in the store. Each change of a version comes with one.

    The same file may come again after another, and is then news.

    :ivar ingested_at: when its rows became known; it grows from file to file, as files are taken one by one.
    :ivar source: what it is: ``file``, ``api`` (a request), ``mark``, ``program`` or ``undo``.
    :ivar undoes: the file that it takes back.
    """

    __tablename__ = "ingested_files"
    __table_args__ = (
        sa.Index(None, "vocabulary", "table", "id"),
        sa.Index(None, "ingested_at"),
        sa.Index(None, "sha256"),
        index_where("undoes IS NOT NULL", None, "undoes"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sha256: Mapped[str]
    name: Mapped[str]
    vocabulary: Mapped[str]
    table: Mapped[str]
    rows_good: Mapped[int]
    rows_bad: Mapped[int]
    ingested_at: Mapped[dt.datetime] = mapped_column(Moment)
    source: Mapped[str] = mapped_column(server_default="file")
    undoes: Mapped[int | None] = mapped_column(sa.ForeignKey("ingested_files.id"))


class _Version:
    """What was known of one subject or record from one moment to the next.

    :ivar data: the known columns of the vocabulary as canonical JSON (``scoring.store.documents``).
    :ivar row_no: the row that said it; in its sheet, where the file is a workbook.
    :ivar known_until: None in the current version.
    """

    id: Mapped[int] = mapped_column(BigId, primary_key=True, sort_order=-1)
    vocabulary: Mapped[str]
    subject_id: Mapped[str]
    data: Mapped[str] = mapped_column(sa.Text)
    content_hash: Mapped[str]
    row_no: Mapped[int]
    sheet: Mapped[str | None]
    known_from: Mapped[dt.datetime] = mapped_column(Moment)
    known_until: Mapped[dt.datetime | None] = mapped_column(Moment)

    @declared_attr
    def file_id(cls) -> Mapped[int]:  # noqa: N805
        return mapped_column(sa.ForeignKey("ingested_files.id"))


def _current(*columns: str) -> sa.Index:
    """One current version a key."""
    return index_where("known_until IS NULL", None, *columns, unique=True)


def _ended(name: str) -> sa.Index:
    """The versions that ended, by when."""
    return index_where("known_until IS NOT NULL", name, "known_until")


class SubjectVersion(_Version, Base):
    """A version of a subject's attributes."""

    __tablename__ = "subject_versions"
    __table_args__ = (
        _current("vocabulary", "subject_id"),
        _ended("ix_subject_versions_ended"),
        sa.Index(None, "vocabulary", "subject_id", "known_from"),
    )


class RecordVersion(_Version, Base):
    """A version of a record about a subject."""

    __tablename__ = "record_versions"
    __table_args__ = (
        _current("vocabulary", "record_id"),
        _ended("ix_record_versions_ended"),
        sa.Index(None, "vocabulary", "record_id", "known_from"),
        sa.Index(None, "vocabulary", "subject_id", "known_from"),
        sa.Index(None, "file_id"),
    )

    record_id: Mapped[str]


def known_at(
    version: type[SubjectVersion] | type[RecordVersion], moment: dt.datetime
) -> sa.ColumnElement[bool]:
    """The condition that a version was what was known at a moment."""
    return sa.and_(
        version.known_from <= moment, sa.or_(version.known_until.is_(None), version.known_until > moment)
    )


for _clue in ("registration_number", "name"):  # by which a subject without a usable code is found
    sa.Index(
        f"ix_subject_versions_{_clue}",
        SubjectVersion.vocabulary,
        ValueIn(SubjectVersion.data, _clue),
        SubjectVersion.subject_id,
        sqlite_where=SubjectVersion.known_until.is_(None),
        postgresql_where=SubjectVersion.known_until.is_(None),
    )

sa.Index(
    "ix_record_versions_authority",
    RecordVersion.vocabulary,
    ValueIn(RecordVersion.data, "authority"),
    RecordVersion.record_id,
    sqlite_where=RecordVersion.known_until.is_(None),
    postgresql_where=RecordVersion.known_until.is_(None),
)


class Quarantined(Base):
    """One thing that kept a row of a file out of the store, or that is odd about a row that was taken.

    :ivar row_no: the row in the file, counted from 1; in its sheet, where the file is a workbook.
    :ivar sheet: the sheet of the workbook, None for a file of another kind.
    :ivar column: the column it is about, None where it is about the whole row.
    :ivar level: error, or warning where the row was taken.
    :ivar authority: of an error, whose row it is as far as that is known.
    """

    __tablename__ = "quarantine"
    __table_args__ = (sa.Index(None, "file_id", "row_no"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    file_id: Mapped[int] = mapped_column(sa.ForeignKey("ingested_files.id"))
    row_no: Mapped[int]
    column: Mapped[str | None]
    value: Mapped[str | None]
    reason: Mapped[str]
    level: Mapped[str] = mapped_column(server_default="error")
    sheet: Mapped[str | None]
    authority: Mapped[str | None]


class StoredPack(Base):
    """A pack as it was loaded, so that an old run can be explained, and had again, by its own rules.

    :ivar hash: the pack's identity.
    :ivar source: the text of the file, exactly.
    :ivar vocabulary_source: the text of the shared vocabulary that it was read with; None for one in place.
    """

    __tablename__ = "packs"
    __table_args__ = (sa.Index(None, "pack_id", "version"),)

    hash: Mapped[str] = mapped_column(primary_key=True)
    pack_id: Mapped[str]
    version: Mapped[str]
    file_name: Mapped[str]
    source: Mapped[str] = mapped_column(sa.Text)
    vocabulary_source: Mapped[str | None] = mapped_column(sa.Text)
    stored_at: Mapped[dt.datetime] = mapped_column(Moment)


class Run(Base):
    """One published batch. The row comes into being together with all of its results and never changes.

    :ivar as_of: the date that the results speak about.
    :ivar known_at: the state of knowledge that was judged: the moment of the last file that counted. Files
        come one by one, each with a later moment: what changed between two runs lies between their moments.
    :ivar orphans: how many of the records are about a subject that is not in the store; they were not graded.
    :ivar snapshot_hash: a fingerprint of what was graded; equal data have equal fingerprints.
    :ivar subjects_print, records_print: what it is made of, to make the next run's of what changed.
    :ivar kind: ``full`` where everybody was judged, ``touch`` where those were for whom something changed,
        ``day`` for a run of before timelines were kept, which says nothing of other days.
    :ivar base: the run that it builds on: the last before whose day is not after its own; None for a first.
    :ivar touched: of how many subjects it says something, all others being as they were.
    :ivar terms_no: the rules in force when, by :class:`scoring.store.timelines.Term`.
    :ivar program: which Xinheng judged.
    """

    __tablename__ = "runs"
    __table_args__ = (sa.Index(None, "pack_id", "as_of"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    pack_hash: Mapped[str] = mapped_column(sa.ForeignKey("packs.hash"))
    pack_id: Mapped[str]
    vocabulary: Mapped[str]
    as_of: Mapped[dt.date]
    known_at: Mapped[dt.datetime] = mapped_column(Moment)
    engine: Mapped[str]
    started_at: Mapped[dt.datetime] = mapped_column(Moment)
    published_at: Mapped[dt.datetime] = mapped_column(Moment)
    subjects: Mapped[int]
    records: Mapped[int]
    orphans: Mapped[int]
    snapshot_hash: Mapped[str]
    subjects_print: Mapped[str | None]
    records_print: Mapped[str | None]
    kind: Mapped[str] = mapped_column(server_default="day")
    base: Mapped[int | None] = mapped_column(BigId)
    touched: Mapped[int] = mapped_column(server_default="0")
    terms_no: Mapped[int | None]
    program: Mapped[str | None]


def last_ingest(session: Session, at: dt.datetime | None = None) -> dt.datetime | None:
    """When the last file became known, of all or of those up to a moment; None before the first."""
    last = sa.select(sa.func.max(IngestedFile.ingested_at))
    return session.scalar(last if at is None else last.where(IngestedFile.ingested_at <= at))


def last_ingest_of(session: Session, vocabulary: str, at: dt.datetime) -> dt.datetime | None:
    """When the last file of a vocabulary up to a moment became known: nothing of it has changed since."""
    of_it = sa.select(IngestedFile.ingested_at).where(
        IngestedFile.vocabulary == vocabulary, IngestedFile.ingested_at <= at
    )
    return session.scalar(of_it.order_by(IngestedFile.ingested_at.desc()).limit(1))
