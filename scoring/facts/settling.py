"""What only a person settles: contradictions of what was decided here, twins, and the gravest class."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from rules.library.loader import load_vocabulary
from rules.model import Column, Vocabulary
from rules.titles import Title
from scoring.facts.bodies import identity_of, register
from scoring.facts.confirming import change_of, is_awaited
from scoring.facts.entries import wait_for_turn
from scoring.facts.ingest.proposing import Proposer
from scoring.facts.objections import STATUS, Mark, MarkRequest, check_day, current_version, mark_of, put_mark
from scoring.facts.records import RecordError, UnknownRecordError, is_own, records_table
from scoring.facts.twins import WITHOUT_EFFECT, are_twins, likeness, note_twins
from scoring.store import Store
from scoring.store.access import CLASSES, RecordMark
from scoring.store.documents import decode
from scoring.store.findings import ContradictionRow, ProposalRow, TwinsRow
from scoring.store.models import RecordVersion


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An office's row that says another status than a mark gave. It has changed nothing.

    :param status: the status that stands, by the mark of ``mark_kind``.
    :param claimed: the status that the office's row gives.
    :param ours: what is known of the record.
    :param theirs: the record as it would be by the office's row.
    :param file_id: the file in which the row stands at ``row_no``.
    """

    id: int
    record_id: str
    subject_id: str
    mark_kind: str
    status: str
    claimed: str
    ours: Mapping[str, Any]
    theirs: Mapping[str, Any]
    file_id: int
    row_no: int
    raised_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Twins:
    """Two records of a subject that may be one decision under two numbers, and would both count.

    :param records: by their numbers, what is known of them.
    """

    id: int
    subject_id: str
    records: Mapping[str, Mapping[str, Any]]
    found_at: dt.datetime


@dataclass(frozen=True, slots=True)
class OpenProposal:
    """What the law proposes of a record, and what a person said of it.

    :param column: of the record, that nobody has said.
    :param proposed: its code by the law; ``meanwhile`` holds until somebody has said it.
    :param because: the clause.
    :param record: what is known of the record.
    :param settled: what a person said, at ``closed_at``.
    :param is_open: whether a person's word is awaited; not of a record that was corrected or repaired.
    :param version: of the record, by which it is told whether it changes before somebody says something.
    :param marks: what was said of the record's class, and what fell, in order; where one proposal is shown.
    """

    id: int
    record_id: str
    subject_id: str
    column: str
    proposed: str
    meanwhile: str
    because: Title
    record: Mapping[str, Any]
    raised_at: dt.datetime
    settled: str | None = None
    closed_at: dt.datetime | None = None
    is_open: bool = True
    version: int | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """Why somebody settles something, and on which day."""

    reason: str
    made_by: str
    on: dt.date


def list_contradictions(
    store: Store, vocabulary: Vocabulary, *, after: int = 0, limit: int | None = None
) -> list[Contradiction]:
    """Contradictions that nobody has resolved, in the order in which they came.

    :param after: only those with a greater id.
    :raises RecordError: where the vocabulary has no records.
    """
    table, row, current = records_table(vocabulary), ContradictionRow, RecordVersion
    query = (
        sa.select(row, RecordMark, current)
        .join(RecordMark, RecordMark.id == row.mark_id)
        .join(current, _is_current(current, vocabulary, row.record_id))
        .where(row.vocabulary == vocabulary.id, row.closed_at.is_(None), row.id > after)
        .order_by(row.id)
        .limit(limit)
    )
    with store.reading() as session:
        return [
            Contradiction(
                **{name: getattr(found, name) for name in _TAKEN},
                subject_id=ours.subject_id,
                mark_kind=mark.kind,
                status=mark.status_after,
                ours=decode(ours.data, table),
                theirs=decode(found.data, table),
            )
            for found, mark, ours in session.execute(query)
        ]


_TAKEN = ("id", "record_id", "claimed", "file_id", "row_no", "raised_at")


def resolve_contradiction(
    store: Store, vocabulary: Vocabulary, contradiction_id: int, accept: bool, ruling: Ruling
) -> Mark:
    """Accept the office's status, or confirm ours; either is a mark, which stands.

    After an acceptance the office's rows say the record's status again.

    :raises UnknownRecordError: where there is no such contradiction.
    :raises RecordError: where it is resolved already, or the day can't be a mark's.
    """
    with store.writing() as session:
        wait_for_turn(session)
        row = session.get(ContradictionRow, contradiction_id)
        current = current_version(session, vocabulary, row.record_id) if row else None
        if row is None or current is None or row.vocabulary != vocabulary.id:
            en = f"there is no contradiction {contradiction_id} of {vocabulary.id}"
            raise UnknownRecordError(Title(f"{vocabulary.title.zh}没有编号为{contradiction_id}的矛盾", en))
        if row.closed_at is not None:
            raise RecordError(
                Title(
                    f"矛盾{contradiction_id}已处理",
                    f"the contradiction {contradiction_id} is closed: {row.outcome}",
                )
            )
        data = decode(current.data, records_table(vocabulary))
        if accept:
            return put_mark(session, current, data, _request("acceptance", row.claimed, ruling))
        return put_mark(
            session, current, data, _request("confirmation", str(data[STATUS]), ruling), row.claimed
        )


def list_twins(
    store: Store, vocabulary: Vocabulary, *, after: int = 0, limit: int | None = None
) -> list[Twins]:
    """Twins that nobody has settled and that still would both count, in the order in which they were found.

    :param after: only those with a greater id.
    :raises RecordError: where the vocabulary has no records.
    """
    alike, found = likeness(vocabulary, identity_of(store)), []
    first, second = aliased(RecordVersion), aliased(RecordVersion)
    query = (
        sa.select(TwinsRow, first.subject_id, first.data, second.data)
        .join(first, _is_current(first, vocabulary, TwinsRow.first_id))
        .join(second, _is_current(second, vocabulary, TwinsRow.second_id))
        .where(TwinsRow.vocabulary == vocabulary.id, TwinsRow.outcome.is_(None), TwinsRow.id > after)
        .where(first.subject_id == second.subject_id)
        .order_by(TwinsRow.id)
    )
    table = records_table(vocabulary)
    with store.reading() as session:
        for row, subject_id, one, other in session.execute(query, execution_options={"yield_per": limit}):
            if are_twins(json.loads(one), json.loads(other), alike):
                records = {row.first_id: decode(one, table), row.second_id: decode(other, table)}
                found.append(Twins(row.id, subject_id, records, row.found_at))
            if len(found) == limit:
                break
    return found


def search_twins(store: Store, vocabulary: Vocabulary, at: dt.datetime) -> None:
    """Look for twins among all records; those that files bring are found as they come.

    :raises RecordError: where the vocabulary has no records.
    """
    records_table(vocabulary)
    with store.writing() as session:
        wait_for_turn(session)
        alike = likeness(vocabulary, register(session).identity)
        note_twins(session.connection(), vocabulary.id, alike, at)


def settle_twins(
    store: Store, vocabulary: Vocabulary, twins_id: int, keep: str | None, ruling: Ruling
) -> str | None:
    """Say of twins that they are one decision, of which one record counts, or that they are two decisions.

    :param keep: the record that counts; the other is revoked, with a mark. None: they are two decisions.
    :return: the record that was revoked.
    :raises UnknownRecordError: where there are no such twins.
    :raises RecordError: where they are settled, ``keep`` is none of them, a correction has made them differ
        since, or the day can't be a mark's.
    """
    with store.writing() as session:
        wait_for_turn(session)
        row = session.get(TwinsRow, twins_id)
        if row is None or row.vocabulary != vocabulary.id:
            en = f"there are no twins {twins_id} of {vocabulary.id}"
            raise UnknownRecordError(Title(f"{vocabulary.title.zh}没有编号为{twins_id}的重复记录", en))
        if row.outcome is not None:
            raise RecordError(
                Title(f"重复记录{twins_id}已处理", f"the twins {twins_id} are settled: {row.outcome}")
            )
        numbers = [row.first_id, row.second_id]
        if keep is not None and keep not in numbers:
            raise RecordError(
                Title(
                    f"{keep}不在这两条记录之中:{'、'.join(numbers)}",
                    f"{keep} is none of the two: {', '.join(numbers)}",
                )
            )
        if keep is not None:
            _check_twins(session, vocabulary, numbers)
        row.outcome, row.kept = ("different", None) if keep is None else ("same", keep)
        row.reason, row.settled_by, row.settled_at = ruling.reason, ruling.made_by, dt.datetime.now(dt.UTC)
        if keep is None:
            return None
        other = numbers[numbers.index(keep) - 1]
        _revoke(session, vocabulary, other, ruling)
        _look_again(session, vocabulary, keep, row.settled_at)
        return other


def _check_twins(session: Session, vocabulary: Vocabulary, numbers: Sequence[str]) -> None:
    """Nothing is revoked as the duplicate of what it is not like any more."""
    known = [current_version(session, vocabulary, number) for number in numbers]
    one, other = (json.loads(version.data) if version else {} for version in known)
    subjects = {version and version.subject_id for version in known}
    if len(subjects) > 1 or not are_twins(one, other, likeness(vocabulary, register(session).identity)):
        raise RecordError(
            Title(
                f"{'、'.join(numbers)}已有变动,不再是重复记录",
                f"{' and '.join(numbers)} have changed and may be one decision no more",
            )
        )


def list_proposals(
    store: Store,
    vocabulary: Vocabulary,
    *,
    authority: str | None = None,
    after: int = 0,
    limit: int | None = None,
) -> list[OpenProposal]:
    """What waits for a person's word, in the order in which it came.

    What a later row of an office has said itself, and what is repaired or revoked, waits no more.

    :param authority: only of this authority's records.
    :param after: only those with a greater id.
    :raises RecordError: where the vocabulary has no records.
    """
    table, row, found = records_table(vocabulary), ProposalRow, []
    proposer = Proposer(vocabulary)
    query = (
        sa.select(row, RecordVersion)
        .join(RecordVersion, _is_current(RecordVersion, vocabulary, row.record_id))
        .where(row.vocabulary == vocabulary.id, row.closed_at.is_(None), row.id > after)
        .order_by(row.id)
    )
    with store.reading() as session:
        for waiting, current in session.execute(query, execution_options={"yield_per": 1_000}):
            data = decode(current.data, table)
            if is_awaited(waiting, json.loads(current.data), proposer) and is_own(session, data, authority):
                found.append(_proposal(waiting, current, data))
            if len(found) == limit:
                break
    return found


def show_proposal(store: Store, proposal_id: int, authority: str | None = None) -> tuple[str, OpenProposal]:
    """The vocabulary of what waits for a person's word, and itself.

    :param authority: only if the record is this authority's.
    :raises UnknownRecordError: where there is no such proposal.
    """
    with store.reading() as session:
        row = session.get(ProposalRow, proposal_id)
        if row is None:
            raise _no_proposal(proposal_id)
        vocabulary = load_vocabulary(row.vocabulary)
        current, data = _proposed_record(session, vocabulary, row, authority)
        is_open = is_awaited(row, json.loads(current.data), Proposer(vocabulary))
        said = sa.select(RecordMark).filter_by(vocabulary=row.vocabulary, record_id=row.record_id)
        said = said.where(RecordMark.kind.in_(CLASSES)).order_by(RecordMark.id)
        marks = tuple(mark_of(mark) for mark in session.scalars(said))
        return row.vocabulary, replace(_proposal(row, current, data), is_open=is_open, marks=marks)


def settle_proposal(
    store: Store,
    vocabulary: Vocabulary,
    proposal_id: int,
    code: str,
    ruling: Ruling,
    authority: str | None = None,
    seen: int | None = None,
) -> Mark:
    """Say of a record what the law proposes, or another code, as :func:`settle_proposals` does of several."""
    (mark,) = settle_proposals(store, vocabulary, {proposal_id: seen}, code, ruling, authority)
    return mark


def settle_proposals(
    store: Store,
    vocabulary: Vocabulary,
    proposals: Mapping[int, int | None],
    code: str | None,
    ruling: Ruling,
    authority: str | None = None,
) -> list[Mark]:
    """Say of records what the law proposes of each, or another code; of all or, where one can't be, of none.

    :param proposals: each with the version of its record that was looked at; None: not known.
    :param code: None: of each what is proposed.
    :param authority: only if the records are this authority's.
    :return: a mark for each, with its clause.
    :raises UnknownRecordError: where there is no such proposal.
    :raises RecordError: where one is settled, the code is none of its column's, or its record is another than
        was seen.
    """
    with store.writing() as session:
        wait_for_turn(session)
        return [
            _settle(session, _awaited(session, vocabulary, number, seen, authority), code, ruling)
            for number, seen in proposals.items()
        ]


@dataclass(frozen=True, slots=True)
class _Awaited:
    """What waits for a person's word, and the version of its record that is known."""

    row: ProposalRow
    column: Column
    current: RecordVersion
    data: Mapping[str, Any]


def _awaited(
    session: Session, vocabulary: Vocabulary, number: int, seen: int | None, authority: str | None
) -> _Awaited:
    row = session.get(ProposalRow, number)
    if row is None or row.vocabulary != vocabulary.id:
        raise _no_proposal(number)
    current, data = _proposed_record(session, vocabulary, row, authority)
    column = records_table(vocabulary).columns[row.column]
    if not is_awaited(row, json.loads(current.data), Proposer(vocabulary)):
        raise RecordError(_waits_no_more(row, column, data))
    if seen not in (None, current.id):
        raise RecordError(
            Title(
                f"记录{row.record_id}刚有变动,请看过现在的内容再认定",
                f"{row.record_id} has changed meanwhile: look at it as it is now",
            )
        )
    return _Awaited(row, column, current, data)


def _settle(session: Session, found: _Awaited, code: str | None, ruling: Ruling) -> Mark:
    row, column, code = found.row, found.column, code or found.row.proposed
    if code not in column.values:
        known = "、".join(word.zh for word in column.values.values())
        raise RecordError(
            Title(
                f"{column.title.zh}不能为{code};可为:{known}",
                f"{row.column} can't be {code}; one of {', '.join(column.values)}",
            )
        )
    clause = Title(row.because_zh, row.because_en)
    request = replace(
        _request("classification", str(found.data[STATUS]), ruling),
        evidence=({"title": str(clause), "reference": change_of(column, row.meanwhile, code)},),
    )
    mark = put_mark(session, found.current, found.data, request, changes={row.column: code})
    row.settled, row.closed_at, row.mark_id = code, mark.made_at, mark.id
    return mark


def _proposed_record(
    session: Session, vocabulary: Vocabulary, row: ProposalRow, authority: str | None
) -> tuple[RecordVersion, Mapping[str, Any]]:
    current = current_version(session, vocabulary, row.record_id)
    data = decode(current.data, records_table(vocabulary)) if current is not None else {}
    if current is None or not is_own(session, data, authority):
        raise _no_proposal(row.id)
    return current, data


def _waits_no_more(row: ProposalRow, column: Column, data: Mapping[str, Any]) -> Title:
    known = data[row.column]
    said = column.values[known].zh if known in column.values else known
    return Title(
        f"记录{row.record_id}无需确认:{column.title.zh}为{said}",
        f"{row.record_id} waits for nobody's word: {row.column} is {known}",
    )


def _proposal(row: ProposalRow, current: RecordVersion, data: Mapping[str, Any]) -> OpenProposal:
    known = ["id", "record_id", "column", "proposed", "meanwhile", "raised_at"]
    known += ["settled", "closed_at"]
    taken = {name: getattr(row, name) for name in known}
    because = Title(row.because_zh, row.because_en)
    taken |= {"subject_id": current.subject_id, "version": current.id}
    return OpenProposal(**taken, because=because, record=data)


def _no_proposal(proposal_id: int) -> UnknownRecordError:
    return UnknownRecordError(
        Title(f"没有编号为{proposal_id}的待确认事项", f"there is no proposal {proposal_id}")
    )


def _revoke(session: Session, vocabulary: Vocabulary, record_id: str, ruling: Ruling) -> None:
    current, table = current_version(session, vocabulary, record_id), records_table(vocabulary)
    if current is None or WITHOUT_EFFECT not in (
        table.columns[STATUS].values if STATUS in table.columns else {}
    ):
        raise RecordError(
            Title(f"记录{record_id}不能撤销", f"the record {record_id} can't be {WITHOUT_EFFECT}")
        )
    data = decode(current.data, table)
    put_mark(session, current, data, _request("duplicate", WITHOUT_EFFECT, ruling))


def _look_again(session: Session, vocabulary: Vocabulary, kept: str, at: dt.datetime) -> None:
    """The record that is kept may have another twin, which was only compared with the one that is not."""
    session.flush()
    subject = sa.select(RecordVersion.subject_id).where(_is_current(RecordVersion, vocabulary, kept))
    alike = likeness(vocabulary, register(session).identity)
    note_twins(session.connection(), vocabulary.id, alike, at, subject)


def _is_current(version: Any, vocabulary: Vocabulary, record_id: Any) -> sa.ColumnElement[bool]:
    return sa.and_(
        version.vocabulary == vocabulary.id, version.record_id == record_id, version.known_until.is_(None)
    )


def _request(kind: Any, status: str, ruling: Ruling) -> MarkRequest:
    check_day(ruling.on)
    return MarkRequest(kind, status, ruling.on, ruling.reason, (), ruling.made_by)
