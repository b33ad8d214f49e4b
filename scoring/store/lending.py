"""The tables of lenders and of the consents that subjects gave them."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scoring.store.base import Base, BigId, Moment


class LenderRow(Base):
    """A lender that has consents, or is stopped: what a check and a stop take turns at.

    :ivar stopped_at: since when its checks are refused; None while they are answered.
    :ivar stopped_by: the prefix of the key, or who used the command line.
    """

    __tablename__ = "lenders"

    name: Mapped[str] = mapped_column(primary_key=True)
    stopped_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    stopped_by: Mapped[str | None]
    stopped_why: Mapped[str | None] = mapped_column(sa.Text)


class ConsentRow(Base):
    """That a subject lets a lender ask for its tier.

    :ivar reference: the number of the signed document, of which a lender has one for each subject.
    :ivar document_sha256: SHA-256 (hex) of the signed document; None where no lender registered it.
    :ivar purposes: what the tier may be asked for: codes, with commas between.
    :ivar valid_until: the last day on which it holds.
    :ivar registered_role: subject, lender, regulator or operator.
    :ivar verdict: of an audit: ``found`` or ``missing``.
    """

    __tablename__ = "consents"
    __table_args__ = (
        sa.UniqueConstraint("lender", "reference"),
        sa.UniqueConstraint("lender", "document_sha256"),
        sa.Index(None, "subject_id", "id"),
        sa.Index(None, "lender", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    lender: Mapped[str] = mapped_column(sa.ForeignKey("lenders.name"))
    subject_id: Mapped[str]
    reference: Mapped[str]
    document_sha256: Mapped[str | None]
    purposes: Mapped[str]
    valid_from: Mapped[dt.date]
    valid_until: Mapped[dt.date]
    registered_at: Mapped[dt.datetime] = mapped_column(Moment)
    registered_by: Mapped[str]
    registered_role: Mapped[str]
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    withdrawn_by: Mapped[str | None]
    withdrawn_why: Mapped[str | None] = mapped_column(sa.Text)
    judged_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    judged_by: Mapped[str | None]
    verdict: Mapped[str | None]
