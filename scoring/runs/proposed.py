"""Proposals as they stand: which are open, who would fall by each, and what they say to it.

A proposal is a run that is not published yet. It is no run: no reader of grades knows of it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.model import Pack
from rules.titles import Title, TitledError, UnknownError
from scoring.store import Store
from scoring.store.batches import parts
from scoring.store.packs import stored_pack
from scoring.store.proposals import OPEN, Proposal, ProposalAnswer, ProposedFall

STATES: Mapping[str, Title] = {
    OPEN: Title("征求意见", "Open"),
    "published": Title("已发布", "Published"),
    "withdrawn": Title("已撤回", "Withdrawn"),
}


class ProposalRefusedError(TitledError):
    """A proposal does not allow something, or not yet, or not any more; the message says why."""


class HeldError(ProposalRefusedError):
    """An open proposal of the pack holds its runs."""


class UnknownProposalError(UnknownError):
    """There is no proposal of that number, or nobody falls by it who asks."""


@dataclass(frozen=True, slots=True)
class ProposalSummary:
    """A proposal: see :class:`scoring.store.proposals.Proposal`.

    :param falls: how many would fall; of these ``told`` have been told, and ``answered`` have answered.
    """

    id: int
    pack_id: str
    pack_hash: str
    vocabulary: str
    as_of: dt.date
    known_at: dt.datetime
    subjects: int
    base: int | None
    until: dt.date
    proposed_by: str
    proposed_at: dt.datetime
    state: str
    ended_by: str | None
    ended_at: dt.datetime | None
    reason: str | None
    run_id: int | None
    falls: int
    told: int
    answered: int

    def may_answer(self, on: dt.date) -> bool:
        """Whether those who would fall may answer on a day."""
        return self.state == OPEN and on <= self.until

    def may_publish(self, on: dt.date) -> bool:
        """Whether it may be published on a day: when all could answer, or nobody has to."""
        return self.state == OPEN and (on > self.until or not self.falls)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one of those who would fall says: see :class:`scoring.store.proposals.ProposalAnswer`."""

    id: int
    text: str
    made_by: str
    made_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Fall:
    """Who would fall: see :class:`scoring.store.proposals.ProposedFall`. Scores in hundredths."""

    subject_id: str
    tier_before: str
    tier: str
    score_before: int
    score: int
    told_at: dt.datetime | None
    told_by: str | None
    answers: tuple[Answer, ...]


def held_until(store: Store, pack_id: str) -> dt.date | None:
    """The last day for answers to the open proposal of a pack, until whose end no run of it is published."""
    with store.reading() as session:
        held = session.scalar(_open(pack_id))
        return held.until if held is not None else None


def _open(pack_id: str) -> sa.Select[Proposal]:
    return sa.select(Proposal).where(Proposal.pack_id == pack_id, Proposal.state == OPEN)


def refuse_held(session: Session, pack_id: str, but: int | None = None) -> None:
    """Refuse what would publish a run of a pack of which a proposal is open.

    :param but: the proposal that may be published.
    :raises HeldError: naming the proposal and its term.
    """
    held = session.scalar(_open(pack_id))
    if held is not None and held.id != but:
        raise HeldError(
            Title(
                f"{pack_id}的拟发布评价{held.id}号征求意见至{held.until},发布或撤回之前不另作评价",
                f"proposal {held.id} of {pack_id} is open, for answers until {held.until}: no other run of"
                " the pack before it is published or withdrawn",
            )
        )


def list_proposals(
    store: Store,
    *,
    subject_id: str | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> list[ProposalSummary]:
    """Proposals, the newest first.

    :param subject_id: only those by which this subject would fall, its own answers alone counted.
    :param before: only those with a smaller number: the last of the page before.
    """
    query = sa.select(Proposal).order_by(Proposal.id.desc()).limit(limit)
    if subject_id is not None:
        own = sa.select(ProposedFall.proposal_id).where(ProposedFall.subject_id == subject_id)
        query = query.where(Proposal.id.in_(own))
    if before is not None:
        query = query.where(Proposal.id < before)
    with store.reading() as session:
        return [summary_of(session, row, subject_id) for row in session.scalars(query)]


def show_proposal(store: Store, proposal_id: int, subject_id: str | None = None) -> ProposalSummary:
    """A proposal.

    :param subject_id: only if this subject would fall by it, its own answers alone counted.
    :raises UnknownProposalError: where there is none.
    """
    with store.reading() as session:
        found = summary_of(session, proposal_row(session, proposal_id), subject_id)
    if subject_id is not None and not found.falls:
        raise _unknown(proposal_id)
    return found


def list_falls(
    store: Store, proposal_id: int, after: str | None = None, limit: int | None = None
) -> list[Fall]:
    """Who would fall by a proposal, by subject, with their answers.

    :param after: only subjects with a greater id: the last of the page before.
    """
    query = sa.select(ProposedFall).where(ProposedFall.proposal_id == proposal_id)
    if after is not None:
        query = query.where(ProposedFall.subject_id > after)
    with store.reading() as session:
        rows = session.scalars(query.order_by(ProposedFall.subject_id).limit(limit)).all()
        answers = _answers(session, proposal_id, [row.subject_id for row in rows])
        return [_fall(row, answers.get(row.subject_id, ())) for row in rows]


def fall_of(store: Store, proposal_id: int, subject_id: str) -> Fall:
    """How a subject would fall by a proposal.

    :raises UnknownProposalError: where it would not, or there is no such proposal.
    """
    with store.reading() as session:
        row = session.get(ProposedFall, (proposal_id, subject_id))
        if row is None:
            proposal_row(session, proposal_id)
            raise UnknownProposalError(
                Title(
                    f"{subject_id}的等级不因拟发布评价{proposal_id}号下降",
                    f"{subject_id} would not fall by proposal {proposal_id}",
                )
            )
        return _fall(row, _answers(session, proposal_id, [subject_id]).get(subject_id, ()))


def versions_in(store: Store, proposal_id: int) -> list[Pack]:
    """The versions of the pack that rule on one day or another by a proposal, each as one object."""
    with store.reading() as session:
        digests = json.loads(proposal_row(session, proposal_id).versions)
    return [stored_pack(store, digest) for digest in digests]


def proposal_row(session: Session, proposal_id: int) -> Proposal:
    """The row of a proposal.

    :raises UnknownProposalError: where there is none.
    """
    row = session.get(Proposal, proposal_id)
    if row is None:
        raise _unknown(proposal_id)
    return row


def summary_of(session: Session, row: Proposal, subject_id: str | None = None) -> ProposalSummary:
    """A proposal's row as others see it.

    :param subject_id: count this subject alone.
    """
    falls = sa.select(sa.func.count(), sa.func.count(ProposedFall.told_at))
    falls = falls.where(ProposedFall.proposal_id == row.id)
    answered = sa.select(sa.func.count(ProposalAnswer.subject_id.distinct()))
    answered = answered.where(ProposalAnswer.proposal_id == row.id)
    if subject_id is not None:
        falls = falls.where(ProposedFall.subject_id == subject_id)
        answered = answered.where(ProposalAnswer.subject_id == subject_id)
    number, told = session.execute(falls).one()
    counts: dict[str, Any] = {"falls": number, "told": told, "answered": session.scalar(answered)}
    known = {name: getattr(row, name) for name in ProposalSummary.__slots__ if name not in counts}
    return ProposalSummary(**known, **counts)


def _unknown(proposal_id: int) -> UnknownProposalError:
    return UnknownProposalError(
        Title(f"没有编号为{proposal_id}的拟发布评价", f"there is no proposal {proposal_id}")
    )


def _answers(session: Session, proposal_id: int, subject_ids: Sequence[str]) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = defaultdict(list)
    for some in parts(subject_ids):
        query = sa.select(ProposalAnswer).where(
            ProposalAnswer.proposal_id == proposal_id, ProposalAnswer.subject_id.in_(some)
        )
        for row in session.scalars(query.order_by(ProposalAnswer.id)):
            found[row.subject_id].append(Answer(row.id, row.text, row.made_by, row.made_at))
    return found


def _fall(row: ProposedFall, answers: Sequence[Answer]) -> Fall:
    known: dict[str, Any] = {name: getattr(row, name) for name in Fall.__slots__ if name != "answers"}
    return Fall(**known, answers=tuple(answers))
