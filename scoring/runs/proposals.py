"""Proposing a run, so that those who would fall by it are heard before it is published.

A proposal is the rules, the day and the moment of the facts, with the list of who would fall; it keeps no
grades. To publish it is to judge again from the same facts, which gives the same, or nothing is published.
While a proposal is open no other run of its pack is: neither is anybody's fall published unannounced, nor
does a proposal bring old facts back over newer ones (docs/preview.md).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import add_days, today
from rules.fault import UnknownPackError
from rules.model import Pack
from rules.titles import Title
from scoring.facts.snapshot import moment_known, take_snapshot
from scoring.judging.engine import grade_coded
from scoring.runs.batch import Confirm, Outcome, Progress, last_run, ruled_by, run
from scoring.runs.proposed import (
    Fall,
    ProposalRefusedError,
    ProposalSummary,
    fall_of,
    proposal_row,
    refuse_held,
    show_proposal,
    summary_of,
    versions_in,
)
from scoring.runs.publish import wait_to_publish
from scoring.runs.published import summary_of as run_summary
from scoring.runs.results import moved
from scoring.runs.said import said
from scoring.store import Store, bulk
from scoring.store.base import database_time, table_of
from scoring.store.batches import BATCH_ROWS
from scoring.store.models import Run
from scoring.store.packs import PackText, keep_pack, stored_pack
from scoring.store.proposals import OPEN, Proposal, ProposalAnswer, ProposedFall
from scoring.store.rulebook import require_approval, standing_in, standing_of
from scoring.store.timelines import GradedSubject, Segment
from scoring.store.workspace import workspace

MOST_DAYS = 90
"""For how long a run may be proposed at the most (own choice)."""

_SAID = pa.schema([("subject_id", pa.string()), ("tier", pa.string()), ("score", pa.int64())])


def propose(
    store: Store,
    pack: Pack,
    as_of: dt.date,
    days: int,
    by: str,
    *,
    on: dt.date | None = None,
    text: PackText | None = None,
    versions: Sequence[Pack] | None = None,
    progress: Progress = lambda step, rows: None,
    confirm: Confirm = lambda session, proposal_id: None,
) -> ProposalSummary:
    """Propose a run of what is known now: who would fall is kept, and nothing is published.

    :param days: for how many days those who would fall may answer, the present one not counted.
    :param on: the present day; by default today.
    :param text: where the pack comes from, if not from its file.
    :param versions: the versions of the pack that are in force on other days; by default those that the store
        knows.
    :param confirm: called with the proposal's number at the end of its transaction.
    :raises UnknownPackError: where the pack is not in force on ``as_of``, or a later version is.
    :raises HeldError: where another proposal of the pack is open.
    :raises ProposalRefusedError: where grades until now have tiers that the pack does not know.

    >>> from fixtures.small import AS_OF, RESTAURANT, small_store
    >>> from rules.library.loader import PACKS, load_text
    >>> from scoring.runs.proposed import list_falls
    >>> from scoring.store.packs import PackText
    >>> text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8").replace("start: 75", "start: 55")
    >>> strict, store = load_text(text, "strict.yaml"), small_store()
    >>> given = propose(store, strict, AS_OF, 10, "李", text=PackText(text, "strict.yaml"))
    >>> [(fall.subject_id == RESTAURANT, fall.tier_before, fall.tier) for fall in list_falls(store, given.id)]
    [(False, 'B', 'C'), (True, 'C', 'D')]
    """
    until = add_days(on or today(), days)
    while True:  # where a run was published meanwhile, it is compared to that one
        standing = standing_of(store, pack.id)
        pieces = ruled_by(store, pack, as_of, versions)
        with store.reading() as session:
            refuse_held(session, pack.id)
            base = last_run(session, pack.id)
            moment = moment_known(store, session, pack.vocabulary, None)
        with workspace() as duck:
            snapshot = take_snapshot(store, pack.vocabulary, duck, moment)
            progress("snapshot", snapshot.subjects + snapshot.records)
            grade_coded(duck, pack, as_of, ahead=False)
            _find_falls(store, duck, pack, base, as_of)
            progress("grade", snapshot.subjects)
            with store.writing() as session:
                wait_to_publish(session, pack.id)
                refuse_held(session, pack.id)
                if last_run(session, pack.id) != base or standing_in(session, pack.id) != standing:
                    continue
                digest = keep_pack(session, pack, text)
                row = Proposal(
                    pack_id=pack.id,
                    pack_hash=digest,
                    versions=json.dumps([keep_pack(session, piece.pack) for piece in pieces]),
                    vocabulary=pack.vocabulary.id,
                    as_of=as_of,
                    known_at=snapshot.known_at,
                    snapshot_hash=snapshot.hash,
                    subjects=snapshot.subjects,
                    base=base or None,
                    until=until,
                    proposed_by=by,
                    proposed_at=database_time(session),
                    state=OPEN,
                )
                session.add(row)
                session.flush()
                falls = duck.sql(f"select {row.id} as proposal_id, * from falls order by subject_id")
                rows = falls.to_arrow_reader(BATCH_ROWS)
                bulk.append(session.connection(), table_of(ProposedFall), rows)
                confirm(session, row.id)
                return summary_of(session, row)


def publish_proposal(
    store: Store,
    proposal_id: int,
    by: str,
    *,
    on: dt.date | None = None,
    progress: Progress = lambda step, rows: None,
    confirm: Confirm = lambda session, run_id: None,
) -> Outcome:
    """Publish what was proposed: the same rules on the same facts. What came since is the next run's.

    :param on: the present day; by default today.
    :param confirm: called with the run's number in the transaction that publishes it.
    :raises UnknownProposalError: where there is none.
    :raises ProposalRefusedError: where it is not open, its term is not over, it would not give the same, or
        a version that it is by was withdrawn.
    """
    check_publication(store, proposal_id, on)
    wanted = show_proposal(store, proposal_id)
    pack, versions = stored_pack(store, wanted.pack_hash), versions_in(store, proposal_id)

    def settle(session: Session, run_id: int) -> None:
        row = proposal_row(session, proposal_id)
        _require_open(row)
        _require_law(session, proposal_id, versions)
        _require_same(session, row, session.get_one(Run, run_id), pack)
        _end(session, row, "published", by)
        row.run_id = run_id
        confirm(session, run_id)

    return run(
        store,
        pack,
        wanted.as_of,
        wanted.known_at,
        progress=progress,
        confirm=settle,
        versions=versions,
        decided_by=by,
        proposal=proposal_id,
    )


def check_publication(store: Store, proposal_id: int, on: dt.date | None = None) -> None:
    """Refuse to publish a proposal that may not be published on a day.

    :raises UnknownProposalError, ProposalRefusedError: as :func:`publish_proposal`.
    """
    found = show_proposal(store, proposal_id)
    if found.state != OPEN:
        raise _ended(proposal_id, found.state)
    if not found.may_publish(on or today()):
        raise ProposalRefusedError(
            Title(
                f"拟发布评价{proposal_id}号征求意见至{found.until},期满后方可发布:{found.falls}户等级将下降",
                f"proposal {proposal_id} is open for answers until {found.until}, and published after that"
                f" day: {found.falls} would fall",
            )
        )
    versions = versions_in(store, proposal_id)
    with store.reading() as session:
        _require_law(session, proposal_id, versions)


def withdraw_proposal(store: Store, proposal_id: int, reason: str, by: str) -> ProposalSummary:
    """Withdraw a proposal; nothing of it is published.

    :raises UnknownProposalError, ProposalRefusedError: where there is none, or it is not open any more.
    """
    with store.writing() as session:
        row = proposal_row(session, proposal_id)
        wait_to_publish(session, row.pack_id)
        session.refresh(row)
        _require_open(row)
        _end(session, row, "withdrawn", by)
        row.reason = reason
        session.flush()
        return summary_of(session, row)


def answer_proposal(
    store: Store, proposal_id: int, subject_id: str, text: str, by: str, on: dt.date | None = None
) -> Fall:
    """Note what one of those who would fall says to it; an earlier answer stays beside it.

    :param on: the present day; by default today.
    :raises UnknownProposalError: where there is none, or the subject would not fall by it.
    :raises ProposalRefusedError: where it is not open any more, or its term is over.
    """
    fall_of(store, proposal_id, subject_id)
    with store.writing() as session:
        row = proposal_row(session, proposal_id)
        wait_to_publish(session, row.pack_id)
        session.refresh(row)
        _require_open(row)
        if (on or today()) > row.until:
            raise ProposalRefusedError(
                Title(
                    f"拟发布评价{proposal_id}号的意见期限为{row.until},已过",
                    f"proposal {proposal_id} could be answered until {row.until}",
                )
            )
        answer = ProposalAnswer(proposal_id=proposal_id, subject_id=subject_id, text=text, made_by=by)
        answer.made_at = database_time(session)
        session.add(answer)
    return fall_of(store, proposal_id, subject_id)


def note_told(store: Store, proposal_id: int, subject_id: str, by: str) -> None:
    """Note that a subject has its notice, unless that was noted before."""
    with store.writing() as session:
        session.execute(
            sa.update(ProposedFall)
            .where(
                ProposedFall.proposal_id == proposal_id,
                ProposedFall.subject_id == subject_id,
                ProposedFall.told_at.is_(None),
            )
            .values(told_at=database_time(session), told_by=by)
        )


def _find_falls(store: Store, duck: duckdb.DuckDBPyConnection, pack: Pack, base: int, as_of: dt.date) -> None:
    """Make the table ``falls``, from ``scores`` and what was last said of the day."""
    columns = (GradedSubject.subject_id, Segment.tier, Segment.score)
    with store.reading() as session:
        rows = bulk.stream(session.connection(), said(Segment, pack.id, base, as_of, *columns), _SAID)
        duck.register("xh_said", pa.Table.from_batches(rows, _SAID))
    unknown = duck.execute(
        "select distinct tier from xh_said where not list_contains($tiers, tier) order by 1",
        {"tiers": [*pack.tiers]},
    ).fetchall()
    if unknown:
        names = ", ".join(tier for (tier,) in unknown)
        raise ProposalRefusedError(
            Title(
                f"{pack.id} {pack.version}没有现行等级{names},无法判断谁的等级下降",
                f"{pack.id} {pack.version} does not know the tiers {names} of the grades until now: nobody"
                " can say who would fall",
            )
        )
    duck.execute(
        "create or replace temp table falls as select subject_id, o.tier as tier_before, n.tier,"
        " o.score as score_before, n.score from scores n join xh_said o using (subject_id)"
        " where list_position($tiers, n.tier) > list_position($tiers, o.tier)",
        {"tiers": [*pack.tiers]},
    )
    duck.unregister("xh_said")


def _require_open(row: Proposal) -> None:
    if row.state != OPEN:
        raise _ended(row.id, row.state)


def _require_law(session: Session, proposal_id: int, versions: Sequence[Pack]) -> None:
    """Refuse where a version that the proposal is by, on one day or another, has been withdrawn since."""
    for pack in versions:
        try:
            require_approval(session, pack)
        except UnknownPackError as error:
            raise ProposalRefusedError(
                Title(
                    f"{error.title.zh};拟发布评价{proposal_id}号请撤回后重新提出",
                    f"{error.title.en}; withdraw proposal {proposal_id} and propose it anew",
                )
            ) from None


def _ended(proposal_id: int, state: str) -> ProposalRefusedError:
    zh = {"published": "发布", "withdrawn": "撤回"}[state]
    return ProposalRefusedError(
        Title(f"拟发布评价{proposal_id}号已{zh}", f"proposal {proposal_id} is {state} already")
    )


def _require_same(session: Session, row: Proposal, made: Run, pack: Pack) -> None:
    """The run that is about to be published is the one that was proposed."""
    falls = session.execute(
        sa.select(
            ProposedFall.subject_id,
            ProposedFall.tier_before,
            ProposedFall.tier,
            ProposedFall.score_before,
            ProposedFall.score,
        ).where(ProposedFall.proposal_id == row.id)
    )
    again = set(_falls_between(session, row, made, pack))
    if (made.snapshot_hash, made.pack_hash) == (row.snapshot_hash, row.pack_hash) and again == {
        tuple(fall) for fall in falls
    }:
        return
    raise ProposalRefusedError(
        Title(
            f"重新评价的结果与拟发布评价{row.id}号不同,未发布;请撤回后重新提出",
            f"judged again, proposal {row.id} is not what was proposed, and nothing is published: withdraw it"
            " and propose it anew",
        )
    )


def _falls_between(
    session: Session, row: Proposal, made: Run, pack: Pack
) -> Iterator[tuple[str, str, str, int, int]]:
    """Who falls by a run, from what was last said of its day."""
    if row.base is None:
        return
    before = replace(run_summary(session.get_one(Run, row.base)), as_of=row.as_of)
    place = {tier: number for number, tier in enumerate(pack.tiers)}
    for move in session.execute(moved(before, run_summary(made))):
        if place[move.tier] > place[move.tier_before]:
            yield move.subject_id, move.tier_before, move.tier, move.score_before, move.score


def _end(session: Session, row: Proposal, state: str, by: str) -> None:
    row.state, row.ended_by, row.ended_at = state, by, database_time(session)
