"""The tables of tickets and of what was done about them."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scoring.store.base import Base, BigId, Moment


class TicketRow(Base):
    """A ticket as its steps have made it; everything but its number and what it is about follows from them.

    :ivar number: by which people and records name it.
    :ivar counterpart: the enterprise that has it.
    :ivar owner: the body that has to solve it; None before it is assigned.
    """

    __tablename__ = "problems"
    __table_args__ = (
        sa.Index(None, "owner", "id"),
        sa.Index(None, "counterpart", "id"),
        sa.Index(None, "stage", "id"),
        sa.Index(None, "stage", "due_on"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str | None] = mapped_column(unique=True)
    title: Mapped[str] = mapped_column(sa.Text)
    source: Mapped[str]
    counterpart: Mapped[str | None]
    stage: Mapped[str]
    owner: Mapped[str | None]
    urgency: Mapped[str | None]
    opened_on: Mapped[dt.date]
    due_on: Mapped[dt.date | None]
    closed_on: Mapped[dt.date | None]
    reopened: Mapped[int]
    satisfied: Mapped[bool | None]
    reminded: Mapped[bool]
    escalations: Mapped[int]


class StepRow(Base):
    """Something that was done about a ticket. A trigger refuses to change or delete a row.

    :ivar no: 1, 2, 3 … without gaps.
    :ivar by: the person, or the prefix of the key.
    :ivar on: the date on which it was done, as it says.
    :ivar at: when it came.
    :ivar owner, urgency: of an assignment.
    :ivar corrects: of a correction: the number of the step that it takes back.
    """

    __tablename__ = "problem_steps"

    ticket_id: Mapped[int] = mapped_column(
        "problem_id", BigId, sa.ForeignKey("problems.id"), primary_key=True
    )
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    move: Mapped[str]
    actor: Mapped[str]
    by: Mapped[str]
    on: Mapped[dt.date]
    at: Mapped[dt.datetime] = mapped_column(Moment)
    note: Mapped[str | None] = mapped_column(sa.Text)
    owner: Mapped[str | None]
    urgency: Mapped[str | None]
    corrects: Mapped[int | None]
