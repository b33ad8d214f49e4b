"""The ledger of consequences: which office applied which measure to whom, because of what, until when.

A measure is one of the national list (:mod:`rules.library.sanctions`), applied by one of its clauses; what
takes rights away rests on a record, for a grade is no ground for that (国办发〔2020〕49号). What rests on a
record ends with it: when it is repaired, revoked or taken back (:mod:`scoring.facts.lifting`), and by itself
at the end of its longest term (:mod:`scoring.facts.publicity`). That a breach brings no consequence back, but
an office enters it anew, is our own choice.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.articles import in_english
from rules.calendar import today
from rules.library.loader import load_vocabulary
from rules.library.sanctions import Clause, sanctions
from rules.model import Table, Vocabulary
from rules.titles import Title, UnknownError
from scoring.facts.bodies import Register, UnknownBodyError, register
from scoring.facts.cases import STEP_TITLES
from scoring.facts.entries import wait_for_turn
from scoring.facts.ingest.folding import fold
from scoring.facts.ingest.keys import subject_key
from scoring.facts.objections import check_day, current_version
from scoring.facts.publicity import NEVER, is_shown, shown_until
from scoring.facts.records import RecordError, key_in_store, records_table, unknown_record
from scoring.store import Store
from scoring.store.access import RecordMark
from scoring.store.consequences import ConsequenceRow
from scoring.store.documents import decode
from scoring.store.models import RecordVersion

_ENDED = Title("所依据的记录期限届满", "the record that it rests on has come to its end")
_CORRECTED = Title("认定单位更正或撤回了记录", "the office has changed the record, or taken it back")


class ConsequenceRefusedError(RecordError):
    """A measure can't be applied, or lifted; the message says why."""


class UnknownConsequenceError(UnknownError):
    """There is no consequence of that number, or not for who asks."""


@dataclass(frozen=True, slots=True)
class Grade:
    """A published grade on which a consequence rests."""

    run_id: int
    tier: str


@dataclass(frozen=True, slots=True)
class NewConsequence:
    """What is to be entered.

    :param office: who applies the measure.
    :param clause: of the national list.
    :param ground: the number of the record that it rests on, or the grade.
    """

    subject_id: str
    office: str
    clause: str
    ground: str | Grade
    reason: str
    begins_on: dt.date
    by: str


@dataclass(frozen=True, slots=True)
class Consequence:
    """A measure that was applied.

    :param told: the measure, what it came to and by which clause, as the list said when it was entered.
    :param ends_on: the first day on which the record that it rests on is no longer used.
    :param lifted_on, lifted_by, lifted_because: as it was lifted, or ended by itself.
    :param mark_id: the mark that lifted it.
    :param stands: whether it is still applied.
    """

    id: int
    vocabulary: str
    subject_id: str
    office: str
    clause: str
    told: Title
    record_id: str | None
    run_id: int | None
    tier: str | None
    reason: str
    begins_on: dt.date
    entered_by: str
    entered_at: dt.datetime
    ends_on: dt.date | None
    lifted_on: dt.date | None
    lifted_by: str | None
    lifted_because: Title | None
    mark_id: int | None
    stands: bool


def enter_consequence(store: Store, vocabulary: Vocabulary, wanted: NewConsequence) -> Consequence:
    """Enter a measure that an office applies.

    :raises ConsequenceRefusedError: where the list has no such clause, the register of public bodies no such
        office, the ground doesn't bear it, or the same is entered already.
    :raises UnknownRecordError: where the record is not there, or another subject's.
    """
    clause = _clause(wanted.clause)
    check_day(wanted.begins_on)
    subject = subject_key(vocabulary, wanted.subject_id)
    with store.writing() as session:
        wait_for_turn(session)
        office = _office(register(session), wanted.office)
        row = ConsequenceRow(
            vocabulary=vocabulary.id,
            subject_id=subject,
            office=office,
            clause=clause.id,
            told=json.dumps(_told(clause), ensure_ascii=False),
            record_id=None,
            run_id=None,
            tier=None,
            reason=wanted.reason,
            begins_on=wanted.begins_on,
            entered_by=wanted.by,
            entered_at=dt.datetime.now(dt.UTC),
        )
        if isinstance(wanted.ground, Grade):
            _check_grade(clause)
            row.run_id, row.tier = wanted.ground.run_id, wanted.ground.tier
        else:
            row.record_id = _ground(session, vocabulary, subject, wanted, clause)
        _check_once(session, row)
        session.add(row)
        session.flush()
        return _consequence(session, row, today())


def lift_consequence(
    store: Store, number: int, because: str, by: str, on: dt.date, office: str | None = None
) -> Consequence:
    """Lift a measure.

    :param office: only if it is this office's.
    :raises ConsequenceRefusedError: where it no longer stands, or did not yet on that day.
    :raises UnknownConsequenceError: where there is none, or it is another office's.
    """
    check_day(on)
    with store.writing() as session:
        wait_for_turn(session)
        row = _row(session, number, office=office)
        if not _consequence(session, row, today()).stands:
            raise ConsequenceRefusedError(Title("该措施已解除", "it is lifted already"))
        if on < row.begins_on:
            raise ConsequenceRefusedError(
                Title(f"该措施自{row.begins_on}起实施", f"it was applied from {row.begins_on} on")
            )
        row.lifted_on, row.lifted_at = on, dt.datetime.now(dt.UTC)
        row.lifted_by, row.lifted_because = by, because
        return _consequence(session, row, today())


def show_consequence(
    store: Store, number: int, subject_id: str | None = None, office: str | None = None
) -> Consequence:
    """A measure that was applied.

    :param subject_id: only if it was applied to this subject.
    :param office: only if it was this office's.
    :raises UnknownConsequenceError: where there is none, or it is another's.
    """
    with store.reading() as session:
        return _consequence(session, _row(session, number, subject_id, office), today())


def list_consequences(
    store: Store,
    vocabulary_id: str,
    *,
    subject_id: str | None = None,
    office: str | None = None,
    standing: bool = False,
    after: int = 0,
    limit: int | None = None,
) -> list[Consequence]:
    """Measures in the order in which they were entered.

    :param office: only those of this office, by whichever of its names.
    :param standing: only those that are still applied.
    :param after: those with a greater id.
    """
    query = sa.select(ConsequenceRow).where(
        ConsequenceRow.vocabulary == vocabulary_id, ConsequenceRow.id > after
    )
    if subject_id is not None:
        query = query.where(ConsequenceRow.subject_id == subject_id)
    if standing:
        query = query.where(ConsequenceRow.lifted_at.is_(None))
    with store.reading() as session:
        if office is not None:
            query = query.where(ConsequenceRow.office.in_(sorted(register(session).names(office))))
        found = _read(session, session.scalars(query.order_by(ConsequenceRow.id)).all())
        return list(islice((one for one in found if one.stands or not standing), limit))


def _read(session: Session, rows: Sequence[ConsequenceRow]) -> Iterator[Consequence]:
    day = today()
    return (_consequence(session, row, day) for row in rows)


def _clause(name: str) -> Clause:
    clause = sanctions().clauses.get(name)
    if clause is None:
        known = ", ".join(sanctions().clauses)
        raise ConsequenceRefusedError(
            Title(
                f"{sanctions().title.zh}中没有条款{name};可用:{known}",
                f"the national list has no clause {name}; there are {known}",
            )
        )
    return clause


def _office(bodies: Register, name: str) -> str:
    """What the office is called now; where nothing is registered, nobody can be told from another."""
    try:
        return fold(bodies.body(name).name if bodies.bodies else name)
    except UnknownBodyError as error:
        zh = f"实施单位须在部门名录中:{error.title.zh};请按名录中的全称填写,或先导入该单位"
        en = f"a body of the register applies it: {error}; write its full name, or take it in first"
        raise ConsequenceRefusedError(Title(zh, en)) from error


def _told(clause: Clause) -> list[str]:
    return [
        f"{clause.number}. {clause.measure.zh}：{clause.what.zh}（{clause.basis}）",
        f"{clause.number}. {clause.measure.en}: {clause.what.en} ({in_english(clause.basis)})",
    ]


def _check_grade(clause: Clause) -> None:
    if clause.reduces:
        raise ConsequenceRefusedError(
            Title(
                f"“{clause.measure.zh}”减损权益或增加义务,不能仅以等级为依据,须依据具体记录",
                f"'{clause.measure.en}' takes rights away: it rests on a record, a grade is no ground for it",
            )
        )
    if clause.records:
        raise ConsequenceRefusedError(
            Title(
                f"{clause.basis}须依据具体记录,不能仅以等级为依据",
                f"{in_english(clause.basis)} names the records that it rests on: a grade is no ground for it",
            )
        )


def _check_record(clause: Clause, table: Table, number: str, data: Mapping[str, Any]) -> None:
    if clause.rests_on(data.get("kind"), data.get("level")):
        return
    right = list(_bearing(clause, table))
    zh, en = "、".join(title.zh for title in right), ", ".join(title.en for title in right)
    raise ConsequenceRefusedError(
        Title(
            f"记录{number}不是{clause.basis}所称的依据;须为:{zh or '无'}",
            f"the record {number} is no ground by {in_english(clause.basis)}; right would be: {en or 'none'}",
        )
    )


def _bearing(clause: Clause, table: Table) -> Iterator[Title]:
    """The kinds of records that bear a clause, with their levels, as people read them."""
    kinds, codes = table.columns["kind"].values, table.columns["level"].values
    for kind, names in clause.records.items():
        if kind in kinds:
            levels = [codes[name] for name in names if name in codes]
            zh, en = (
                f"（{'、'.join(one.zh for one in levels)}）",
                f" ({', '.join(one.en for one in levels)})",
            )
            yield Title(kinds[kind].zh + (zh if levels else ""), kinds[kind].en + (en if levels else ""))


def _ground(
    session: Session, vocabulary: Vocabulary, subject: str, wanted: NewConsequence, clause: Clause
) -> str:
    """The record, if it bears the consequence."""
    number, day = str(wanted.ground), wanted.begins_on
    key = key_in_store(session, vocabulary, number)
    current = current_version(session, vocabulary, key)
    if current is None or current.subject_id != subject:
        raise unknown_record(vocabulary, number)
    table = records_table(vocabulary)
    data = decode(current.data, table)
    _check_record(clause, table, key, data)
    since = data.get(vocabulary.record_date)
    if data.get("status") != "effective" or not is_shown(vocabulary, data, today()):
        raise ConsequenceRefusedError(
            Title(
                f"记录{key}已不是有效记录,不能作为依据", f"the record {key} is not effective, and no ground"
            )
        )
    if since is not None and day < since:
        raise ConsequenceRefusedError(
            Title(f"{day}早于记录日期{since}", f"{day} is before the record's own date, {since}")
        )
    return key


def _check_once(session: Session, row: ConsequenceRow) -> None:
    names = ("vocabulary", "subject_id", "office", "clause", "record_id", "run_id")
    same = sa.select(ConsequenceRow.id).filter_by(
        lifted_at=None, **{name: getattr(row, name) for name in names}
    )
    number = session.scalar(same.limit(1))
    if number is not None:
        raise ConsequenceRefusedError(
            Title(f"该措施已登记,编号{number}", f"the same is entered already, as {number}")
        )


def _row(
    session: Session, number: int, subject_id: str | None = None, office: str | None = None
) -> ConsequenceRow:
    row = session.get(ConsequenceRow, number)
    is_theirs = row is not None and subject_id in (None, row.subject_id)
    if row is None or not is_theirs or (office and row.office not in register(session).names(office)):
        raise UnknownConsequenceError(
            Title(f"没有编号为{number}的惩戒措施", f"there is no consequence {number}")
        )
    return row


def _consequence(session: Session, row: ConsequenceRow, on: dt.date) -> Consequence:
    computed = ("told", "ends_on", "stands", "lifted_because")
    values: dict[str, Any] = {
        name: getattr(row, name) for name in Consequence.__slots__ if name not in computed
    }
    because = _because(session, row) if row.lifted_at else None
    ends = None if row.record_id is None else _ends(session, row)
    shown = None if ends == NEVER else ends
    has_ended = row.lifted_at is None and ends is not None and ends <= on
    if has_ended:
        values["lifted_on"], because = shown, _ENDED
    stands = row.lifted_at is None and not has_ended
    told = Title(*json.loads(row.told))
    return Consequence(**values, told=told, ends_on=shown, stands=stands, lifted_because=because)


def _because(session: Session, row: ConsequenceRow) -> Title:
    """Why a measure was lifted: by a step on its record, an office's correction of it, or a person."""
    words = row.lifted_because
    if words is None:
        return _CORRECTED
    mark = session.get(RecordMark, row.mark_id) if row.mark_id else None
    if mark is None:
        return Title(words, words)
    step = STEP_TITLES[mark.kind]
    return Title(f"{step.zh}：{words}", f"{step.en}: {words}")


def _ends(session: Session, row: ConsequenceRow) -> dt.date | None:
    vocabulary = load_vocabulary(row.vocabulary)
    data = session.scalar(
        sa.select(RecordVersion.data).where(
            RecordVersion.vocabulary == row.vocabulary,
            RecordVersion.record_id == row.record_id,
            RecordVersion.known_until.is_(None),
        )
    )
    return NEVER if data is None else shown_until(vocabulary, decode(data, records_table(vocabulary)))
