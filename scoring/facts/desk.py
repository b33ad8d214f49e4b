"""Cases about records in the store: listed with their due dates, escalated, and gathered by office.

What is done about one is a mark (:func:`scoring.facts.objections.mark_record`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, Generic, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from rules.model import Vocabulary
from rules.titles import Title, UnknownError
from scoring.facts.bodies import register
from scoring.facts.cases import CLOCK, Course, Folded, marks_of, version_of
from scoring.facts.entries import wait_for_turn
from scoring.facts.lifting import STANDS
from scoring.facts.merging import AUTHORITY, STATUS
from scoring.facts.objections import Mark, MarkRequest, current_version, mark_of, put_mark
from scoring.facts.records import records_table
from scoring.store import Store
from scoring.store.access import RecordMark
from scoring.store.batches import parts
from scoring.store.documents import decode
from scoring.store.models import RecordVersion

Marks = type[RecordMark]


class UnknownCaseError(UnknownError):
    """There is no case of that number, or not for who asks."""


class AnyCase(Folded, Protocol):
    """The state of a case."""

    @property
    def filed_on(self) -> dt.date: ...

    def is_overdue(self, on: dt.date) -> bool: ...

    def escalates(self, on: dt.date) -> bool: ...


CaseT = TypeVar("CaseT", bound=AnyCase)


@dataclass(frozen=True, slots=True)
class Filed(Generic[CaseT]):
    """A case with everything that was done about it while the record was about its subject.

    :param id: the number of its first mark.
    :param version: see :func:`scoring.facts.cases.version_of`.
    :param authority: whose record it is, as the record says now; None where it says nothing.
    """

    id: int
    version: str
    vocabulary: str
    record_id: str
    subject_id: str
    authority: str | None
    case: CaseT
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases are wanted.

    :param authority: those about this authority's records, by whichever of its names.
    :param overdue_on: those of which something is late on this day.
    :param after: those with a greater id.
    """

    subject_id: str | None = None
    authority: str | None = None
    is_open: bool = False
    overdue_on: dt.date | None = None
    after: int = 0


@dataclass(frozen=True, slots=True)
class Desk(Generic[CaseT]):
    """Where the cases of one sort are dealt with.

    :param title: what one is called.
    :param course: how marks make one.
    :param may_be_open: of the first mark of a case, and of a later one of its record: what is so of every
        open case, for a query to leave out most of the others.
    """

    title: Title
    course: Course[CaseT]
    may_be_open: Callable[[Marks, Marks], sa.ColumnElement[bool]]

    def list(
        self, store: Store, vocabulary_id: str, wanted: Wanted, limit: int | None = None
    ) -> Sequence[Filed[CaseT]]:
        """Cases in the order in which they came: the longest waiting first."""
        with store.reading() as session:
            return [*islice(self._wanted(session, vocabulary_id, wanted), limit)]

    def show(
        self, store: Store, number: int, subject_id: str | None = None, authority: str | None = None
    ) -> Filed[CaseT]:
        """A case.

        :param subject_id: only if it is about this subject's record.
        :param authority: only if it is about this authority's record.
        :raises UnknownCaseError: where there is none, or it is another's.
        """
        with store.reading() as session:
            mark = session.get(RecordMark, number)
            if mark is not None and mark.kind == self.course.first and subject_id in (None, mark.subject_id):
                (found,) = self._folded(session, mark.vocabulary, [number])
                if authority is None or found.authority in register(session).names(authority):
                    return found
        raise UnknownCaseError(
            Title(f"没有编号为{number}的{self.title.zh}", f"there is no {self.title.en} {number}")
        )

    def by_office(
        self, store: Store, vocabulary_id: str, since: dt.date | None = None
    ) -> dict[str | None, Sequence[CaseT]]:
        """The cases about each office's records, by what it is called now; None of records that name none.

        :param since: only those filed on this day or later.
        """
        found: dict[str | None, list[CaseT]] = defaultdict(list)
        with store.reading() as session:
            offices = register(session)
            for one in self._wanted(session, vocabulary_id, Wanted()):
                if since is None or since <= one.case.filed_on:
                    office = None if one.authority is None else offices.title(one.authority)
                    found[office].append(one.case)
        return dict(found)

    def tick(self, store: Store, vocabulary: Vocabulary, on: dt.date) -> Sequence[Filed[CaseT]]:
        """Let the clock look at what is overdue: it escalates once, and once more a working week later.

        :return: what it escalated.
        """
        late = self.list(store, vocabulary.id, Wanted(overdue_on=on))
        done = [found.id for found in late if self._escalate(store, vocabulary, found.record_id, on)]
        return [self.show(store, number) for number in done]

    def _escalate(self, store: Store, vocabulary: Vocabulary, record_id: str, on: dt.date) -> bool:
        """Note that a case is overdue, if it still is and that has not been noted; whether it was."""
        table, is_done = records_table(vocabulary), False
        with store.writing() as session:
            wait_for_turn(session)
            current = current_version(session, vocabulary, record_id)
            while current is not None and (case := self._last(session, current)) and case.escalates(on):
                reason = Title(f"应于{case.due_on}前办理，已逾期", f"overdue: it was due on {case.due_on}")
                request = MarkRequest(self.course.clock, "", on, reason.both, (), CLOCK)
                put_mark(session, current, decode(current.data, table), request)
                is_done = True
        return is_done

    def _last(self, session: Session, current: RecordVersion) -> CaseT | None:
        found = [
            case for case, _ in self.course.cases(marks_of(session, current.vocabulary, current.record_id))
        ]
        return _as_known(found[-1], json.loads(current.data)) if found else None

    def _wanted(self, session: Session, vocabulary_id: str, wanted: Wanted) -> Iterator[Filed[CaseT]]:
        names = None if wanted.authority is None else register(session).names(wanted.authority)
        for numbers in parts(self._filed(session, vocabulary_id, wanted)):
            for found in self._folded(session, vocabulary_id, numbers):
                case = found.case
                if wanted.is_open and not case.is_open:
                    continue
                if wanted.overdue_on is not None and not case.is_overdue(wanted.overdue_on):
                    continue
                if names is None or found.authority in names:
                    yield found

    def _filed(self, session: Session, vocabulary_id: str, wanted: Wanted) -> Sequence[int]:
        """The numbers of cases; of the open ones those that nothing has ended since, which a seek tells."""
        filed, later = RecordMark, aliased(RecordMark)
        query = sa.select(filed.id).where(
            filed.vocabulary == vocabulary_id, filed.kind == self.course.first, filed.id > wanted.after
        )
        if wanted.subject_id is not None:
            query = query.where(filed.subject_id == wanted.subject_id)
        if wanted.is_open or wanted.overdue_on is not None:
            query = query.where(self.may_be_open(filed, later))
        return session.scalars(query.order_by(filed.id)).all()

    def _folded(self, session: Session, vocabulary_id: str, numbers: Sequence[int]) -> Iterable[Filed[CaseT]]:
        """Cases with what the marks after their first ones made of them."""
        of_record = sa.select(RecordMark.record_id).where(RecordMark.id.in_(numbers))
        marks = session.scalars(
            sa.select(RecordMark)
            .where(RecordMark.vocabulary == vocabulary_id, RecordMark.record_id.in_(of_record))
            .order_by(RecordMark.record_id, RecordMark.id)
        )
        wanted = set(numbers)
        found: dict[int, tuple[CaseT, tuple[RecordMark, ...]]] = {}
        of_records: dict[str, list[RecordMark]] = {}
        for record_id, group in groupby(marks, key=lambda mark: mark.record_id):
            own = of_records[record_id] = list(group)
            found.update(
                (marks[0].id, (case, marks))
                for case, marks in self.course.cases(own)
                if marks[0].id in wanted
            )
        records = _known(session, vocabulary_id, numbers)
        for number in numbers:
            case, own_marks = found[number]
            first = own_marks[0]
            content_hash, record = records.get(first.record_id, ("", {}))
            yield Filed(
                number,
                version_of(content_hash, of_records[first.record_id]),
                vocabulary_id,
                first.record_id,
                first.subject_id,
                record.get(AUTHORITY),
                _as_known(case, record),
                tuple(mark_of(mark) for mark in own_marks if mark.subject_id == first.subject_id),
            )


def _known(
    session: Session, vocabulary_id: str, numbers: Sequence[int]
) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """What is known now of the records that cases are about, and its hash; nothing of one taken back."""
    query = sa.select(RecordVersion.record_id, RecordVersion.content_hash, RecordVersion.data).where(
        RecordVersion.vocabulary == vocabulary_id,
        RecordVersion.record_id.in_(sa.select(RecordMark.record_id).where(RecordMark.id.in_(numbers))),
        RecordVersion.known_until.is_(None),
    )
    return {record_id: (digest, json.loads(data)) for record_id, digest, data in session.execute(query)}


def _as_known(case: CaseT, record: Mapping[str, Any]) -> CaseT:
    """A case of which nothing is left to be done where its office's own list has repaired, revoked or taken
    back the record; said otherwise by that list, it goes on."""
    return case if not case.is_open or record.get(STATUS) in STANDS else case.settled()
