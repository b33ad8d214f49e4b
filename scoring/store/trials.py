"""The tables of candidates that are graded beside the pack in force, and of whom they grade otherwise."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scoring.store.base import Base, BigId, Moment, index_where
from scoring.store.models import Run, StoredPack


class PackTrial(Base):
    """A version of a pack that is tried beside the one in force, and publishes nothing.

    :ivar after_run: runs of the pack with a greater number are tried.
    :ivar ended_by: None while it goes on.
    """

    __tablename__ = "pack_trials"
    __table_args__ = (index_where("ended_by IS NULL", "uq_pack_trials_open", "pack_hash", unique=True),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    pack_id: Mapped[str]
    version: Mapped[str]
    pack_hash: Mapped[str] = mapped_column(sa.ForeignKey(StoredPack.hash))
    reason: Mapped[str] = mapped_column(sa.Text)
    after_run: Mapped[int] = mapped_column(sa.BigInteger)
    started_by: Mapped[str]
    started_at: Mapped[dt.datetime] = mapped_column(Moment)
    ending: Mapped[str | None] = mapped_column(sa.Text)
    ended_by: Mapped[str | None]
    ended_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class TrialNight(Base):
    """One published run beside which a candidate was graded, by the same facts, for the same day.

    :ivar differ: how many subjects have another score or tier.
    :ivar moved: how many of them another tier.
    """

    __tablename__ = "trial_nights"

    trial_id: Mapped[int] = mapped_column(sa.ForeignKey(PackTrial.id), primary_key=True)
    run_id: Mapped[int] = mapped_column(sa.ForeignKey(Run.id), primary_key=True)
    as_of: Mapped[dt.date]
    subjects: Mapped[int]
    differ: Mapped[int]
    moved: Mapped[int]


class TrialMove(Base):
    """A subject with another tier by a candidate, from one of its days to another.

    :ivar rules: ids of the rules whose hits differ on the last of its days, joined by spaces.
    :ivar until: the first day on which it was not so; None while it is.
    """

    __tablename__ = "trial_moves"

    trial_id: Mapped[int] = mapped_column(sa.ForeignKey(PackTrial.id), primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[dt.date] = mapped_column(primary_key=True)
    until: Mapped[dt.date | None]
    tier_before: Mapped[str]
    tier: Mapped[str]
    rules: Mapped[str] = mapped_column(sa.Text)
