"""The table of the credit reports that were issued."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scoring.store.base import Base, Moment


class IssuedReport(Base):
    """A credit report as it was given out. It is written once and never changes.

    :ivar number: day and eight letters, without hyphens, as is its check code.
    :ivar name: of whom it speaks, as on the paper.
    :ivar issued_by: the prefix of the key, or who used the command line.
    :ivar known_at: the moment of its facts.
    :ivar sha256: hex digest of the file.
    """

    __tablename__ = "credit_reports"
    __table_args__ = (sa.Index(None, "subject_id", "issued_at"),)

    number: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    vocabulary: Mapped[str]
    subject_id: Mapped[str]
    name: Mapped[str]
    issued_at: Mapped[dt.datetime] = mapped_column(Moment)
    issued_by: Mapped[str]
    known_at: Mapped[dt.datetime] = mapped_column(Moment)
    sha256: Mapped[str]
    file: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
