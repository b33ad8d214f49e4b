"""When a record may be repaired, and its repair undone (信用修复).

Not before the first day on which a remedy of a pack in force allows it: so the shortest terms of
信用修复管理办法（国家发展改革委令第36号） hold, by the packs that cite it. Where no pack in force has a
remedy for a record, no term is checked. What else an application needs is checked of every record: a document
that shows what was done, and a commitment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.language.evaluate import compiled
from rules.library.loader import ruling_among
from rules.model import Remedy, Vocabulary
from rules.titles import Title
from scoring.facts.bodies import register
from scoring.facts.cases import CaseRefusedError, check_way, marks_of
from scoring.facts.merging import REPAIRED, STATUS
from scoring.facts.objection_case import EFFECTIVE, check_decider, organisation, person
from scoring.facts.records import RecordError
from scoring.facts.repair_case import COURSE, STAGE_TITLES, WAYS, RepairCase
from scoring.store.access import RecordMark
from scoring.store.documents import decode
from scoring.store.models import RecordVersion, SubjectVersion
from scoring.store.rulebook import known_in


class RepairRefusedError(RecordError):
    """A record can't be repaired yet; the message says from when on, or what is missing."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """What whoever applies for a repair promises (信用承诺), and on which day."""

    text: str
    made_on: dt.date


@dataclass(frozen=True, slots=True)
class Term:
    """When a remedy allows the repair of a record.

    :param first: the first day; None where the day from which it runs is unknown.
    """

    remedy: Remedy
    first: dt.date | None

    def is_over(self, day: dt.date) -> bool:
        """Whether the record may be repaired on a day."""
        return self.first is not None and self.first <= day

    @property
    def title(self) -> Title:
        """The remedy, and from when on it may be done."""
        zh, en = self.remedy.title.zh, self.remedy.title.en
        if self.first is None:
            return Title(
                f"{zh}:起算日期未知,尚不能修复", f"{en}: the day from which its term runs is unknown"
            )
        return Title(f"{zh}:最早可于{self.first}修复", f"{en}: not before {self.first}")


def is_repairable(vocabulary: Vocabulary) -> bool:
    """Whether a vocabulary's records can be repaired: those about public bodies know no such status."""
    records = vocabulary.records
    return records is not None and STATUS in records.columns and REPAIRED in records.columns[STATUS].values


def check_application(
    session: Session,
    vocabulary: Vocabulary,
    current: RecordVersion,
    data: Mapping[str, Any],
    evidence: Sequence[Mapping[str, str]],
    commitment: Commitment | None,
    on: dt.date,
) -> None:
    """Refuse an application for repair that can't be granted.

    :param data: what is known of the record.
    :param on: when it was filed.
    :raises CaseRefusedError: where another is open, or an earlier repair was undone.
    :raises RepairRefusedError: where nothing is to be repaired, it is too early, or what it needs is missing.
    """
    if not is_repairable(vocabulary):
        raise RepairRefusedError(
            Title(
                f"{vocabulary.title.zh}的记录不作信用修复;认定有误的,可提出异议",
                f"records of {vocabulary.id} are not repaired: where a finding is wrong, object to it",
            )
        )
    _check_unfavourable(vocabulary, current, data)
    marks = marks_of(session, current.vocabulary, current.record_id)
    case = _last_of(marks)
    if case is not None and case.is_open:
        raise CaseRefusedError(
            Title(
                f"记录{current.record_id}已于{case.filed_on}申请信用修复,正在办理",
                f"the repair of {current.record_id} was applied for on {case.filed_on} and is being decided",
            )
        )
    if any(mark.kind == "breach" for mark in marks):
        raise CaseRefusedError(
            Title(
                f"记录{current.record_id}的信用修复因未履行承诺被撤销,不再修复",
                f"the repair of {current.record_id} was undone for a breach of its commitment, for good",
            )
        )
    if not evidence:
        raise RepairRefusedError(
            Title("缺少履行义务的证明材料", "a document is missing that shows that the duties are fulfilled")
        )
    if commitment is None or not commitment.text.strip():
        raise RepairRefusedError(Title("缺少信用承诺", "the credit commitment is missing"))
    since = data.get(vocabulary.record_date) or commitment.made_on
    if not since <= commitment.made_on <= on:
        raise RepairRefusedError(
            Title(
                f"信用承诺的日期{commitment.made_on}应在{since}至{on}之间",
                f"the commitment is dated {commitment.made_on}: it is made between {since} and {on}",
            )
        )
    check_term(session, vocabulary, current, data, on)


def check_step(
    session: Session, current: RecordVersion, kind: str, evidence: Sequence[Mapping[str, str]]
) -> None:
    """A step of the last application is one that its stage allows, and a breach is shown.

    A repair of before there were applications may be undone as well.

    :raises CaseRefusedError: saying what the stage allows.
    :raises RepairRefusedError: where no document shows the breach.
    """
    if kind == "breach" and not evidence:
        raise RepairRefusedError(Title("缺少未履行承诺的证据", "a document is missing that shows the breach"))
    marks = marks_of(session, current.vocabulary, current.record_id)
    case = _last_of(marks)
    if case is not None:
        what = Title("修复申请", "the application for repair")
        check_way(what, case.stage, STAGE_TITLES[case.stage], WAYS[case.stage], kind)
    elif kind != "breach" or not any(mark.kind == "repair" for mark in marks):
        raise CaseRefusedError(
            Title(
                f"记录{current.record_id}没有修复申请",
                f"nobody has applied for the repair of {current.record_id}",
            )
        )


def check_repairer(session: Session, current: RecordVersion, by: str) -> None:
    """Two persons make a repair: who brought the record in, or applied, does not decide.

    Where the deciding organisation applied itself, neither does who admitted its application.

    :raises CaseRefusedError: saying that somebody else has to.
    """
    check_decider(session, current, by)
    done = list(COURSE.cases(marks_of(session, current.vocabulary, current.record_id)))[-1][1]
    who, applicant = person(session, by), done[0].made_by
    if person(session, applicant) == who:
        raise CaseRefusedError(
            Title(
                f"记录{current.record_id}的修复由本人申请,须由他人决定",
                f"whoever applied for the repair of {current.record_id} does not decide:"
                " somebody else has to",
            )
        )
    has_admitted = any(mark.kind == "admission" and person(session, mark.made_by) == who for mark in done)
    if has_admitted and _are_one_office(session, by, applicant):
        raise CaseRefusedError(
            Title(
                f"记录{current.record_id}的修复由本单位申请、本人受理,须由他人决定",
                f"the same organisation applied for the repair of {current.record_id}: whoever admitted that"
                " does not decide, somebody else has to",
            )
        )


def _are_one_office(session: Session, by: str, other: str) -> bool:
    """Whether two act for one organisation, by whichever of its names; who names none is of the centre."""
    mine, theirs = organisation(session, by), organisation(session, other)
    if mine is None or theirs is None:
        return mine is theirs
    offices = register(session)
    return not offices.names(mine).isdisjoint(offices.names(theirs))


def _check_unfavourable(vocabulary: Vocabulary, current: RecordVersion, data: Mapping[str, Any]) -> None:
    favourable = vocabulary.favourable
    if favourable is not None and compiled(favourable)(data) is True:
        raise RepairRefusedError(
            Title(
                f"记录{current.record_id}不是失信信息,没有可修复的内容;内容有误的,请由认定单位更正或提出异议",
                f"{current.record_id} speaks for its subject, and there is nothing to repair:"
                " where it is wrong, its office corrects it, or an objection is made",
            )
        )


def _last_of(marks: Sequence[RecordMark]) -> RepairCase | None:
    found = list(COURSE.cases(marks))
    return found[-1][0] if found else None


def check_term(
    session: Session, vocabulary: Vocabulary, current: RecordVersion, data: Mapping[str, Any], on: dt.date
) -> None:
    """Refuse a repair, and an application for one, before its time.

    :param data: what is known of the record.
    :param on: when it was applied for, or decided.
    :raises RepairRefusedError: where packs in force on that day have remedies for it, and none allows it yet.
    """
    term = term_of(session, vocabulary, current.subject_id, data, on)
    if term is not None and not term.is_over(on):
        raise RepairRefusedError(term.title)


def term_of(
    session: Session, vocabulary: Vocabulary, subject_id: str, data: Mapping[str, Any], on: dt.date
) -> Term | None:
    """The term of the remedy that allows the repair of a record soonest.

    :param data: what is known of the record.
    :param on: by the packs in force on that day; None where these have no remedy for it.
    """
    row = {**data, **_attributes(session, vocabulary, subject_id), STATUS: EFFECTIVE}
    return min(_terms(session, vocabulary, row, on), key=lambda term: term.first or dt.date.max, default=None)


def _terms(session: Session, vocabulary: Vocabulary, row: Mapping[str, Any], on: dt.date) -> Iterator[Term]:
    for pack in ruling_among(known_in(session), on):
        for remedy in pack.remedies if pack.vocabulary.id == vocabulary.id else ():
            if remedy.changes.get(STATUS) == REPAIRED and compiled(remedy.when)(row) is True:
                yield Term(remedy, on if remedy.after is None else compiled(remedy.after)(row))


def _attributes(session: Session, vocabulary: Vocabulary, subject_id: str) -> Mapping[str, Any]:
    document = session.scalar(
        sa.select(SubjectVersion.data).where(
            SubjectVersion.vocabulary == vocabulary.id,
            SubjectVersion.subject_id == subject_id,
            SubjectVersion.known_until.is_(None),
        )
    )
    return decode(document or "{}", vocabulary.subject)
