"""Objection and repair (异议、信用修复): a record gets another status, dated and with what it rests on.

An objection makes an effective record disputed; the decision on it makes it revoked, or effective again, and
so does the one review of a rejection (:mod:`scoring.facts.objection_case`). The repair that was applied for
makes it repaired, and a breach of the commitment effective again (:mod:`scoring.facts.repair_case`). The
record gets a new version, and what a status means for the grade is the pack's.

A mark's status stands against what offices' rows say (:mod:`scoring.facts.merging`). What a person makes of
such a contradiction is a mark as well, and so is that a record is the duplicate of another
(:mod:`scoring.facts.settling`).
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import today
from rules.model import EARLIEST, Vocabulary
from rules.titles import Title
from scoring.facts.bodies import VOCABULARY as BODIES
from scoring.facts.bodies import register
from scoring.facts.cases import STEP_TITLES, CaseRefusedError, check_seen, marks_of, version_of
from scoring.facts.cases import Kind as Kind
from scoring.facts.contradictions import Outcome, close_contradictions
from scoring.facts.entries import FileInfo, Source, new_file, wait_for_turn
from scoring.facts.ingest.dates import FILLERS
from scoring.facts.lifting import STANDS, Lift, lift_on_records
from scoring.facts.merging import AUTHORITY, REPAIRED
from scoring.facts.merging import STATUS as STATUS
from scoring.facts.objection_case import (
    DECISIONS,
    Stage,
    check_decider,
    check_no_asker,
    check_objection,
    check_reviewer,
    check_step,
    last_case,
    outcome_of,
)
from scoring.facts.records import RecordError, is_open_to, is_own, key_in_store, records_table, unknown_record
from scoring.facts.repairs import Commitment, check_application, check_repairer, check_term
from scoring.facts.repairs import check_step as check_repair_step
from scoring.store import Store
from scoring.store.access import CLASSES, STEPS, RecordMark
from scoring.store.changes import note_change
from scoring.store.documents import content_hash, decode, encode
from scoring.store.models import RecordVersion

_FROM = {
    "objection": ("effective",),
    "acknowledgement": ("disputed",),
    "decision": ("disputed",),
    "appeal": ("effective",),
    **dict.fromkeys(("application", "admission", "return", "repair", "refusal"), ("effective", "disputed")),
    "breach": ("repaired",),
}
OF_GRADED = frozenset({"objection", "appeal", "application"})
"""What who is graded does itself; all else is for an office."""

_FINDINGS = frozenset({"negative_finding", "relations_finding"})
"""What is objected to about a public body (own choice): what enterprises say of it, and what its ledgers
say, is no finding."""

_OUTCOMES: Mapping[str, Outcome] = {"confirmation": "confirmed", "acceptance": "accepted"}


@dataclass(frozen=True, slots=True)
class Mark:
    """What was noted about a record: see :class:`scoring.store.access.RecordMark`."""

    id: int
    record_id: str
    subject_id: str
    kind: str
    status_before: str
    status_after: str
    effective_on: dt.date
    reason: str
    evidence: tuple[Mapping[str, str], ...]
    made_by: str
    made_at: dt.datetime
    commitment: str | None
    committed_on: dt.date | None


@dataclass(frozen=True, slots=True)
class MarkRequest:
    """What is to be noted about a record.

    :param status: the record's new status; empty of a step that leaves it as it is.
    :param effective_on: when the objection or application was filed, or the decision made.
    :param evidence: documents, as ``{title, reference}``.
    :param office: for which organisation it is made; None where no key or option says so.
    :param commitment: of an application for repair.
    :param seen: the case's version that was seen (:func:`scoring.facts.cases.version_of`); None where none
        was shown.
    """

    kind: Kind
    status: str
    effective_on: dt.date
    reason: str
    evidence: tuple[Mapping[str, str], ...]
    made_by: str
    office: str | None = None
    commitment: Commitment | None = None
    seen: str | None = None


def mark_record(
    store: Store,
    vocabulary: Vocabulary,
    record_id: str,
    request: MarkRequest,
    authority: str | None = None,
    subject_id: str | None = None,
) -> Mark:
    """Give a record another status, in a new version, with what it rests on. Grades follow at the next run.

    A decision on an objection whose review was asked for is that review.

    :param authority: only if the record is this authority's.
    :param subject_id: only if the record is about this subject, which may see it.
    :raises UnknownRecordError: where there is no such record.
    :raises RecordError: where it is not as it was seen, or the record's status or dates, its case
        (:mod:`scoring.facts.objection_case`, :mod:`scoring.facts.repair_case`), its shortest term
        (:mod:`scoring.facts.repairs`) or whose record it is do not allow it.

    >>> from datetime import date
    >>> from fixtures.small import small_store
    >>> from rules.library.loader import load_vocabulary
    >>> wanted = MarkRequest("objection", "disputed", date(2026, 7, 1), "已向法院起诉", (), "李专员")
    >>> mark = mark_record(small_store(), load_vocabulary("tourism"), "LY-2", wanted)
    >>> mark.record_id, mark.status_before, mark.status_after
    ('LY-2', 'effective', 'disputed')
    """
    table = records_table(vocabulary)
    if request.status and request.status not in (
        table.columns[STATUS].values if STATUS in table.columns else {}
    ):
        raise RecordError(
            Title(
                f"{vocabulary.title.zh}的记录没有状态{request.status}",
                f"records of {vocabulary.id} can't be {request.status}",
            )
        )
    with store.writing() as session:
        wait_for_turn(session)
        current = current_version(session, vocabulary, key_in_store(session, vocabulary, record_id))
        data = decode(current.data, table) if current else {}
        is_theirs = current is not None and is_open_to(subject_id, current.subject_id, data)
        if current is None or not is_theirs or not is_own(session, data, authority):
            raise unknown_record(vocabulary, record_id)
        marks = marks_of(session, vocabulary.id, current.record_id)
        check_seen(request.seen, version_of(current.content_hash, marks))
        _check_mark(request, data, vocabulary)
        _check_order(session, request, current)
        return put_mark(session, current, data, _admitted(session, vocabulary, current, data, request))


def put_mark(
    session: Session,
    current: RecordVersion,
    data: Mapping[str, Any],
    request: MarkRequest,
    before: str | None = None,
    changes: Mapping[str, Any] = MappingProxyType({}),
) -> Mark:
    """Note a mark, and give its record the mark's status; what contradicted an earlier one is closed.

    :param data: what is known of the record.
    :param before: the status before, where it is not the record's own.
    :param changes: what else is known of it from now on.
    """
    request = replace(request, status=request.status or str(data.get(STATUS) or ""))
    after = {**data, **changes, STATUS: request.status}
    if after != data:
        _supersede(session, current, after, request.kind, "program" if changes else "mark")
    mark = _mark_row(current, before or str(data.get(STATUS) or ""), request)
    session.add(mark)
    session.flush()
    if request.status not in STANDS:
        lift = Lift(mark.made_by, request.reason, mark.id)
        lift_on_records(session, mark.vocabulary, [mark.record_id], lift)
    if request.kind in STEPS:
        return mark_of(mark)
    outcome = _OUTCOMES.get(request.kind, "marked")
    close_contradictions(
        session.connection(), mark.vocabulary, [mark.record_id], outcome, mark.made_at, request.made_by
    )
    _note_for_others(session, mark, data)
    return mark_of(mark)


def version_now(store: Store, vocabulary: Vocabulary, record_id: str) -> str:
    """What whoever does something about a record names as seen (:func:`scoring.facts.cases.version_of`).

    It is asked before the record is read: what changes in between is shown, and named by another version.
    Of a record that was taken back nothing is known, but what was done about it.
    """
    with store.reading() as session:
        key = key_in_store(session, vocabulary, record_id)
        current = current_version(session, vocabulary, key)
        return version_of(current.content_hash if current else "", marks_of(session, vocabulary.id, key))


def list_marks(
    store: Store,
    vocabulary_id: str,
    *,
    subject_id: str | None = None,
    record_id: str | None = None,
    limit: int | None = None,
) -> list[Mark]:
    """Objections, decisions and repairs of a subject or of a record, the newest first."""
    wanted = {"subject_id": subject_id, "record_id": record_id}
    query = sa.select(RecordMark).where(RecordMark.vocabulary == vocabulary_id)
    query = query.filter_by(**{name: value for name, value in wanted.items() if value is not None})
    with store.reading() as session:
        return [mark_of(row) for row in session.scalars(query.order_by(RecordMark.id.desc()).limit(limit))]


def current_version(session: Session, vocabulary: Vocabulary, record_id: str) -> RecordVersion | None:
    """What is known of a record now; None where there is none."""
    return session.scalar(
        sa.select(RecordVersion).where(
            RecordVersion.vocabulary == vocabulary.id,
            RecordVersion.record_id == record_id,
            RecordVersion.known_until.is_(None),
        )
    )


def is_contestable(vocabulary: Vocabulary, data: Mapping[str, Any]) -> bool:
    """Whether a record is one that may be objected to: of those about public bodies findings alone are."""
    return vocabulary.id != BODIES or data.get("kind") in _FINDINGS


_NO_FINDING = Title(
    "公共部门可对负面清单认定、政商交往清单认定提出异议;其他记录有误的,请报送单位更正",
    "of the records about a public body findings may be objected to: who sent any other corrects it",
)


def _check_mark(request: MarkRequest, data: Mapping[str, Any], vocabulary: Vocabulary) -> None:
    status, allowed = data.get(STATUS), _FROM[request.kind]
    if status not in allowed:
        raise RecordError(_status_refused(request.kind, status, vocabulary))
    since = data.get(vocabulary.record_date)
    if since is not None and request.effective_on < since:
        raise RecordError(
            Title(
                f"{request.effective_on}早于记录日期{since}",
                f"{request.effective_on} is before the record's own date, {since}",
            )
        )
    check_day(request.effective_on)


def _status_refused(kind: Kind, status: str | None, vocabulary: Vocabulary) -> Title:
    """That a record of a status does not allow a mark, and which status would."""
    titles, allowed = records_table(vocabulary).columns[STATUS].values, _FROM[kind]
    now = titles[status].zh if status else "未知"
    right = "或".join(titles[one].zh for one in allowed if one in titles)
    return Title(
        f"记录状态为{now},不能办理“{STEP_TITLES[kind].zh}”;须为{right}",
        f"the record is {status or 'of unknown status'}; for {kind} it has to be {' or '.join(allowed)}",
    )


def check_day(day: dt.date) -> None:
    """Refuse a mark's day that is still to come, or that nobody believes.

    :raises RecordError: saying which day would be right.
    """
    if day > today():
        raise RecordError(
            Title(
                f"{day}尚未到来:应填提出或办理的日期",
                f"{day} is still to come: a mark is dated when it was filed or done",
            )
        )
    if day < EARLIEST or day.isoformat() in FILLERS:
        raise RecordError(
            Title(
                f"{day}不是可能的日期:应填提出或办理的日期",
                f"{day} is not a possible date: a mark is dated when it was filed or done",
            )
        )


def _admitted(
    session: Session,
    vocabulary: Vocabulary,
    current: RecordVersion,
    data: Mapping[str, Any],
    request: MarkRequest,
) -> MarkRequest:
    """The mark as its case has it: the decision on an appeal is a review.

    :raises CaseRefusedError: where the case does not allow it, or not to this person or office.
    :raises RepairRefusedError: where it is too early for a repair, or what it needs is missing.
    """
    kind, day = request.kind, today()
    if kind == "objection":
        if not is_contestable(vocabulary, data):
            raise RecordError(_NO_FINDING)
        check_objection(session, current, day)
    elif kind in ("acknowledgement", "appeal"):
        check_step(session, current, kind, day)
    elif kind == "application":
        rests_on = request.evidence, request.commitment, request.effective_on
        check_application(session, vocabulary, current, data, *rests_on)
    elif kind in ("admission", "return", "repair", "refusal", "breach"):
        check_repair_step(session, current, kind, request.evidence)
        if kind in ("repair", "refusal"):
            check_repairer(session, current, request.made_by)
        elif kind == "breach":
            check_decider(session, current, request.made_by)
        if kind == "repair":
            check_term(session, vocabulary, current, data, request.effective_on)
    elif kind == "decision":
        if request.office is not None:
            _check_office(session, current, data, request.office)
        check_decider(session, current, request.made_by)
        check_no_asker(session, current, request.made_by)
        case = last_case(session, current)
        if case is not None and case.stage is Stage.APPEALED:
            check_reviewer(session, case, request.made_by)
            return replace(request, kind="review")
    return request


def _check_office(session: Session, current: RecordVersion, data: Mapping[str, Any], office: str) -> None:
    """An office decides on no record that it made, nor on one about itself."""
    record = current.record_id
    if is_own(session, data, office):
        raise CaseRefusedError(
            Title(
                f"记录{record}由{office}认定,须由其他单位决定",
                f"{office} made {record} and does not decide on it",
            )
        )
    if current.vocabulary == BODIES and register(session).is_same(current.subject_id, office):
        raise CaseRefusedError(
            Title(
                f"记录{record}认定的是{office},须由其他单位决定",
                f"{record} is about {office}, which does not decide on it",
            )
        )


def _check_order(session: Session, request: MarkRequest, current: RecordVersion) -> None:
    """A decision is not before its objection. A mark of a day to come, as was once taken, stops nobody."""
    last: dt.date | None = session.scalar(
        sa.select(sa.func.max(RecordMark.effective_on)).where(
            RecordMark.vocabulary == current.vocabulary,
            RecordMark.record_id == current.record_id,
            RecordMark.kind.not_in(CLASSES),  # what is said of a class is no step of a case
        )
    )
    if last is not None and request.effective_on < min(last, today()):
        raise RecordError(
            Title(
                f"{request.effective_on}早于该记录最近一次办理的日期{last}",
                f"{request.effective_on} is before the record's last mark, {last}",
            )
        )


def _supersede(
    session: Session, current: RecordVersion, data: Mapping[str, Any], kind: str, source_kind: Source
) -> None:
    source = FileInfo(uuid.uuid4().hex, f"{kind}: {current.record_id}", source_kind)
    entry = new_file(session, current.vocabulary, "record", source)
    entry.rows_good = 1
    current.known_until = entry.ingested_at
    session.flush()  # before the new version is added: one current version a record
    document = encode(data)
    session.add(
        RecordVersion(
            record_id=current.record_id,
            vocabulary=current.vocabulary,
            subject_id=current.subject_id,
            data=document,
            content_hash=content_hash(document),
            row_no=1,
            known_from=entry.ingested_at,
            known_until=None,
            file_id=entry.id,
        )
    )


def _note_for_others(session: Session, mark: RecordMark, data: Mapping[str, Any]) -> None:
    """What others are told of: a decision, and that a record is repaired, by whichever kind of mark."""
    about = {name: getattr(mark, name) for name in ("vocabulary", "subject_id", "record_id")}
    about |= {"authority": data.get(AUTHORITY), "day": mark.effective_on}
    if mark.kind in DECISIONS:
        note_change(session, "objection_decided", mark.made_at, outcome=outcome_of(mark), **about)
    elif mark.status_after == REPAIRED != data.get(STATUS):
        note_change(session, "record_repaired", mark.made_at, **about)


def _mark_row(current: RecordVersion, status: str, request: MarkRequest) -> RecordMark:
    return RecordMark(
        vocabulary=current.vocabulary,
        record_id=current.record_id,
        subject_id=current.subject_id,
        kind=request.kind,
        status_before=status,
        status_after=request.status,
        effective_on=request.effective_on,
        reason=request.reason,
        evidence=json.dumps([dict(item) for item in request.evidence], ensure_ascii=False, sort_keys=True),
        made_by=request.made_by,
        made_at=dt.datetime.now(dt.UTC),
        commitment=request.commitment and request.commitment.text,
        committed_on=request.commitment and request.commitment.made_on,
    )


def mark_of(row: RecordMark) -> Mark:
    """A mark as it is kept."""
    values = {name: getattr(row, name) for name in Mark.__slots__}
    return Mark(**(values | {"evidence": tuple(json.loads(row.evidence))}))
