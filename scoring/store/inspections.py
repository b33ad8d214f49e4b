"""The tables of inspection plans."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scoring.store.base import Base, BigId, Moment
from scoring.store.models import Run


class InspectionPlan(Base):
    """A month's plan, never changed. Of several plans of one month the last one made is in force.

    :ivar month: its first day.
    :ivar run_id: the run whose tiers it rests on.
    """

    __tablename__ = "inspection_plans"
    __table_args__ = (sa.Index(None, "pack_id", "month"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    pack_id: Mapped[str]
    month: Mapped[dt.date]
    seed: Mapped[str]
    run_id: Mapped[int] = mapped_column(sa.ForeignKey(Run.id))
    made_at: Mapped[dt.datetime] = mapped_column(Moment)
    visits: Mapped[int]
    refusals: Mapped[int]


class PlannedVisit(Base):
    """A visit of a plan; lists are JSON.

    :ivar requests: the records of the requests that it answers.
    """

    __tablename__ = "planned_visits"
    __table_args__ = ({"sqlite_with_rowid": False},)

    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("inspection_plans.id"), primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    tier: Mapped[str]
    drawn: Mapped[bool]
    complaint: Mapped[bool]
    requests: Mapped[str] = mapped_column(sa.Text)
    authorities: Mapped[str] = mapped_column(sa.Text)
    inspectors: Mapped[str] = mapped_column(sa.Text)


class RefusedVisit(Base):
    """What a plan can't have, and why.

    :ivar no: its number within the plan.
    :ivar record_id: the record of the request; None for a drawn visit.
    """

    __tablename__ = "refused_visits"
    __table_args__ = ({"sqlite_with_rowid": False},)

    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("inspection_plans.id"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subject_id: Mapped[str]
    record_id: Mapped[str | None]
    authority: Mapped[str | None]
    reason: Mapped[str]
