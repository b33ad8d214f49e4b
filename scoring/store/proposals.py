"""The tables of proposals: runs that are not published yet, who would fall by them, and their answers."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scoring.store.base import Base, BigId, Moment, Points, index_where
from scoring.store.models import Run, StoredPack

OPEN = "open"


class Proposal(Base):
    """A run that is proposed. It holds nobody's grade: when it is published, the same facts are judged again.

    :ivar versions: canonical JSON: identities of the versions of the pack that rule on one day or another.
    :ivar known_at, snapshot_hash: the facts, as a run has them.
    :ivar base: the last run of the pack when it was proposed, which stays the last while it is open.
    :ivar until: the last day on which those who would fall may answer.
    :ivar state: open, published or withdrawn; then ``ended_by`` and ``ended_at`` say by whom and when.
    :ivar reason: why it was withdrawn.
    """

    __tablename__ = "proposals"
    __table_args__ = (index_where("state = 'open'", "uq_proposals_open", "pack_id", unique=True),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    pack_id: Mapped[str]
    pack_hash: Mapped[str] = mapped_column(sa.ForeignKey(StoredPack.hash))
    versions: Mapped[str] = mapped_column(sa.Text)
    vocabulary: Mapped[str]
    as_of: Mapped[dt.date]
    known_at: Mapped[dt.datetime] = mapped_column(Moment)
    snapshot_hash: Mapped[str]
    subjects: Mapped[int]
    base: Mapped[int | None] = mapped_column(sa.ForeignKey(Run.id))
    until: Mapped[dt.date]
    proposed_by: Mapped[str]
    proposed_at: Mapped[dt.datetime] = mapped_column(Moment)
    state: Mapped[str]
    ended_by: Mapped[str | None]
    ended_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    reason: Mapped[str | None] = mapped_column(sa.Text)
    run_id: Mapped[int | None] = mapped_column(sa.ForeignKey(Run.id))


class ProposedFall(Base):
    """A subject that a proposal would give a worse tier than what was last said of its day.

    :ivar told_at: when its notice was first written for it or opened by it; ``told_by`` who did so.
    """

    __tablename__ = "proposed_falls"
    __table_args__ = (sa.Index(None, "subject_id"),)

    proposal_id: Mapped[int] = mapped_column(sa.ForeignKey(Proposal.id), primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    tier_before: Mapped[str]
    tier: Mapped[str]
    score_before: Mapped[int] = mapped_column(Points)
    score: Mapped[int] = mapped_column(Points)
    told_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    told_by: Mapped[str | None]


class ProposalAnswer(Base):
    """What one of those who would fall says to it; later answers stand beside earlier ones."""

    __tablename__ = "proposal_answers"
    __table_args__ = (sa.Index(None, "proposal_id", "subject_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    proposal_id: Mapped[int] = mapped_column(sa.ForeignKey(Proposal.id))
    subject_id: Mapped[str]
    text: Mapped[str] = mapped_column(sa.Text)
    made_by: Mapped[str]
    made_at: Mapped[dt.datetime] = mapped_column(Moment)
