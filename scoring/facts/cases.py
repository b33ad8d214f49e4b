"""What cases about records share: a case is the marks from its first one on; it has a term, and a clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, ClassVar, Generic, Literal, Protocol, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import SHANGHAI
from rules.titles import Title
from rules.workdays import workdays_between
from scoring.facts.records import RecordError
from scoring.store.access import RecordMark

CLOCK = "clock"
"""Who makes the marks by which a case escalates."""

ESCALATES_AFTER = (0, 5)
"""Working days past the due date after which the clock escalates, each once."""


Kind = Literal[
    "objection", "acknowledgement", "decision", "appeal", "review", "escalation",
    "application", "admission", "return", "repair", "refusal", "reminder", "breach",
    "confirmation", "acceptance", "duplicate", "classification", "lapse",
]  # fmt: skip
"""Of marks, by what was done."""


class CaseRefusedError(RecordError):
    """A case does not allow something now, or not to this person or office."""


class Waiting(Protocol):
    """A case of which something may be due."""

    @property
    def due_on(self) -> dt.date | None: ...

    @property
    def escalations(self) -> int: ...

    @property
    def is_open(self) -> bool: ...


class Timed:
    """How late a case is."""

    __slots__ = ()

    def is_overdue(self: Waiting, on: dt.date) -> bool:
        """Whether what an office has to do is late on a day."""
        return self.is_open and self.due_on is not None and self.due_on < on

    def escalates(self: Waiting, on: dt.date) -> bool:
        """Whether the clock is to escalate on a day."""
        if not self.is_open or self.due_on is None or self.escalations >= len(ESCALATES_AFTER):
            return False
        return workdays_between(self.due_on, on) > ESCALATES_AFTER[self.escalations]


def came_on(mark: RecordMark) -> dt.date:
    """The day on which a mark came here."""
    return mark.made_at.astimezone(SHANGHAI).date()


class Folded(Waiting, Protocol):
    """A case as marks make it."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def stage(self) -> str: ...

    def settled(self) -> Self: ...


CaseT = TypeVar("CaseT", bound=Folded)


@dataclass(frozen=True, slots=True)
class Course(Generic[CaseT]):
    """How the marks of a record make the state of its cases of one sort.

    :param first: the kind of the mark with which a case begins; it lasts until the next one.
    :param clock: the kind of the mark that escalates one that is open.
    :param stands: the statuses of the record with which one that is open goes on; any other settles it.
    :param ways: stage → the kinds of marks that it allows.
    :param begin, step: the case that the first mark makes, and what one that its stage allows makes of it.
    """

    first: str
    clock: Kind
    stands: Collection[str]
    ways: Mapping[Any, Collection[str]]
    begin: Callable[[RecordMark], CaseT]
    step: Callable[[CaseT, RecordMark], CaseT]

    def cases(self, marks: Iterable[RecordMark]) -> Iterator[tuple[CaseT, tuple[RecordMark, ...]]]:
        """The cases of a record, each with its marks.

        :param marks: all of the record's, in the order in which they came.
        """
        for own in _from_each(marks, self.first):
            yield reduce(self._after, own[1:], self.begin(own[0])), own

    def _after(self, case: CaseT, mark: RecordMark) -> CaseT:
        if mark.kind in self.ways[case.stage]:
            return self.step(case, mark)
        if not case.is_open:
            return case
        if mark.kind == self.clock:
            return replace(case, escalations=case.escalations + 1)
        return case if mark.status_after in self.stands else case.settled()


def _from_each(marks: Iterable[RecordMark], first: str) -> Iterator[tuple[RecordMark, ...]]:
    own: list[RecordMark] = []
    for mark in marks:
        if mark.kind == first and own:
            yield tuple(own)
            own = []
        if own or mark.kind == first:
            own.append(mark)
    if own:
        yield tuple(own)


def marks_of(session: Session, vocabulary_id: str, record_id: str) -> list[RecordMark]:
    """The marks of a record, in the order in which they came."""
    query = sa.select(RecordMark).where(
        RecordMark.vocabulary == vocabulary_id, RecordMark.record_id == record_id
    )
    return list(session.scalars(query.order_by(RecordMark.id)))


def version_of(content_hash: str, marks: Iterable[RecordMark]) -> str:
    """What whoever does something about a record names as seen: what is known of it, and the last thing that
    somebody has done about it. That the clock escalates changes nothing of what there is to decide.

    :param content_hash: of the record's current version; empty where there is none.
    :param marks: all of the record's.
    """
    last = max((mark.id for mark in marks if mark.made_by != CLOCK), default=0)
    return f"{content_hash[:12]}-{last}"


def check_seen(seen: str | None, version: str) -> None:
    """What was seen when something was decided is what there is.

    :param seen: None of who was shown nothing, as on the command line.
    :raises CaseRefusedError: where the record has changed since, or somebody has done something about it.
    """
    if seen not in (None, version):
        raise CaseRefusedError(_CHANGED_SINCE)


_CHANGED_SINCE = Title(
    "查看之后,记录有变更或他人已有办理,请重新查看后再办理",
    "since you saw it the record has changed, or somebody has done something about it: look at it again",
)


def check_way(what: Title, stage: str, stage_title: Title, ways: Collection[str], kind: str) -> None:
    """A step of a case is one that its stage allows.

    :param what: the case.
    :param ways: the kinds of marks that its stage allows.
    :raises CaseRefusedError: saying what the stage allows.
    """
    if kind in ways:
        return
    named = "、".join(STEP_TITLES[step].zh for step in ways) or "无"
    raise CaseRefusedError(
        Title(
            f"{what.zh}{stage_title.zh},不能办理“{STEP_TITLES[kind].zh}”。可办理:{named}",
            f"{what.en} is {stage}; {kind} is not allowed, but {' or '.join(ways) or 'nothing'}",
        )
    )


STEP_TITLES = {
    "objection": Title("提出异议", "Objection"),
    "acknowledgement": Title("受理", "Acknowledgement"),
    "decision": Title("作出决定", "Decision"),
    "appeal": Title("申请复核", "Asked for a review"),
    "review": Title("复核决定", "Review"),
    "escalation": Title("逾期升级", "Escalated"),
    "application": Title("申请信用修复", "Application for repair"),
    "admission": Title("受理修复申请", "Application admitted"),
    "return": Title("退回修复申请", "Application returned"),
    "repair": Title("信用修复", "Repair"),
    "refusal": Title("不予修复", "Repair refused"),
    "reminder": Title("修复逾期升级", "Repair escalated"),
    "breach": Title("撤销修复", "Repair undone"),
    "confirmation": Title("维持原决定", "Confirmation"),
    "acceptance": Title("采纳报送", "Acceptance"),
    "duplicate": Title("重复记录", "Duplicate"),
    "classification": Title("确认失信程度", "Class confirmed"),
    "lapse": Title("原确认失效", "Confirmed class no longer holds"),
}
"""What each kind of mark is called."""
