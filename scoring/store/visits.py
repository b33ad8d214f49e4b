"""The table of visits that have a code."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scoring.store.base import Base, BigId, Moment
from scoring.store.inspections import InspectionPlan


class VisitRow(Base):
    """A visit that was given a code, and what came of it; lists are JSON.

    :ivar ground: ``planned``, or why it is no visit of a plan.
    :ivar why: of a visit outside the plan: what its office says beside the ground.
    :ivar tier: the enterprise's when the code was issued; None without a grade.
    :ivar over_cap: whether it exceeded a cap, as a visit outside the plan may.
    :ivar begins_on, ends_on: the first and last day on which it may take place, of one month.
    :ivar report_until: the last day on which its result can be entered; then it has lapsed.
    :ivar went: the inspectors who came.
    :ivar outcome: None until it was made.
    :ivar record_id: the record that tells of it: of the code's own number, or its office's.
    """

    __tablename__ = "visits"
    __table_args__ = (
        sa.UniqueConstraint("code"),
        sa.Index(None, "subject_id", "begins_on"),
        sa.Index(None, "begins_on", "id"),
        sa.Index(None, "plan_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str]
    pack_id: Mapped[str]
    vocabulary: Mapped[str]
    subject_id: Mapped[str]
    plan_id: Mapped[int | None] = mapped_column(sa.ForeignKey(InspectionPlan.id))
    ground: Mapped[str]
    why: Mapped[str | None] = mapped_column(sa.Text)
    tier: Mapped[str | None]
    over_cap: Mapped[bool]
    authorities: Mapped[str] = mapped_column(sa.Text)
    inspectors: Mapped[str] = mapped_column(sa.Text)
    begins_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]
    report_until: Mapped[dt.date]
    issued_by: Mapped[str]
    issued_at: Mapped[dt.datetime] = mapped_column(Moment)
    done_on: Mapped[dt.date | None]
    went: Mapped[str | None] = mapped_column(sa.Text)
    outcome: Mapped[str | None]
    findings: Mapped[str | None] = mapped_column(sa.Text)
    measures: Mapped[str | None] = mapped_column(sa.Text)
    entered_by: Mapped[str | None]
    entered_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    record_id: Mapped[str | None]
    cancel_reason: Mapped[str | None] = mapped_column(sa.Text)
    cancelled_by: Mapped[str | None]
    cancelled_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    rating: Mapped[int | None]
    rating_words: Mapped[str | None] = mapped_column(sa.Text)
    rated_by: Mapped[str | None]
    rated_at: Mapped[dt.datetime | None] = mapped_column(Moment)


def counts(on: dt.date) -> sa.ColumnElement[bool]:
    """The condition that a visit counts against caps on a day: it was made, or may still be."""
    is_open = sa.and_(VisitRow.cancelled_at.is_(None), VisitRow.report_until >= on)
    return sa.or_(VisitRow.outcome.is_not(None), is_open)


def lock_visits(session: Session) -> None:
    """Have whatever changes visits wait for one another, so that what is checked is what is kept.

    In SQLite a writer is alone anyway. Who also takes files in waits for that turn first.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("LOCK TABLE visits IN SHARE ROW EXCLUSIVE MODE"))
