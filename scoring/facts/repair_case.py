"""A case of repair (信用修复): its state is what the marks of its record say, from the application on.

An application is admitted or returned, and, once admitted, the record is repaired, or that is refused. A
repair that rests on a false commitment is undone; then the record is not repaired again. Nobody decides on a
record that they made.

What is asked for is the law's: the shortest term, duties fulfilled, a commitment (信用修复管理办法,
国家发展改革委令第36号, 2025; chapter three). So is that whoever made the determination repairs
(谁认定、谁修复). Working days follow 国办发〔2025〕22号, whose numbers we have seen only in excerpts; that a
repair which was undone is not repeated is our own choice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from rules.titles import Title
from rules.workdays import workdays_later
from scoring.facts.cases import Course, Timed, came_on
from scoring.facts.objection_case import DISPUTED, EFFECTIVE
from scoring.store.access import RecordMark

ADMIT_WITHIN, DECIDE_WITHIN = 3, 10
"""Working days."""


class Stage(StrEnum):
    """Where a case stands. ``ended``: something else was done about the record, such as a revocation."""

    APPLIED = "applied"
    ADMITTED = "admitted"
    RETURNED = "returned"
    REPAIRED = "repaired"
    REFUSED = "refused"
    UNDONE = "undone"
    ENDED = "ended"


OPEN = (Stage.APPLIED, Stage.ADMITTED)
WAYS: Mapping[Stage, Mapping[str, Stage]] = {
    Stage.APPLIED: {"admission": Stage.ADMITTED, "return": Stage.RETURNED},
    Stage.ADMITTED: {"repair": Stage.REPAIRED, "refusal": Stage.REFUSED},
    Stage.RETURNED: {},
    Stage.REPAIRED: {"breach": Stage.UNDONE},
    Stage.REFUSED: {},
    Stage.UNDONE: {},
    Stage.ENDED: {},
}
"""What may be done in each stage, and where it leads. After a return or a refusal one may apply anew."""

STAGE_TITLES: Mapping[Stage, Title] = {
    Stage.APPLIED: Title("待受理", "Applied for"),
    Stage.ADMITTED: Title("已受理", "Admitted"),
    Stage.RETURNED: Title("已退回", "Returned"),
    Stage.REPAIRED: Title("已修复", "Repaired"),
    Stage.REFUSED: Title("不予修复", "Refused"),
    Stage.UNDONE: Title("修复已撤销", "Undone"),
    Stage.ENDED: Title("已另行处理", "Settled otherwise"),
}


@dataclass(frozen=True, slots=True)
class RepairCase(Timed):
    """The state of an application for repair.

    :param filed_on: the day that the application names.
    :param due_on: the last working day to admit or return it, then to decide.
    :param decided_on: when the record was repaired, or that was refused.
    :param escalations: how often the present term has been escalated.
    """

    filed_on: dt.date
    due_on: dt.date | None
    stage: Stage = Stage.APPLIED
    decided_on: dt.date | None = None
    escalations: int = 0

    @property
    def is_open(self) -> bool:
        """Whether an office has to do something."""
        return self.stage in OPEN

    def settled(self) -> RepairCase:
        """The case where something else was done about the record."""
        return replace(self, stage=Stage.ENDED, due_on=None)


def _applied(mark: RecordMark) -> RepairCase:
    return RepairCase(mark.effective_on, workdays_later(mark.effective_on, ADMIT_WITHIN))


def _step(case: RepairCase, mark: RecordMark) -> RepairCase:
    stage = WAYS[case.stage][mark.kind]
    if stage is Stage.ADMITTED:
        due = workdays_later(came_on(mark), DECIDE_WITHIN)
        return replace(case, stage=stage, due_on=due, escalations=0)
    is_decided = stage in (Stage.REPAIRED, Stage.REFUSED)
    return replace(
        case, stage=stage, due_on=None, decided_on=came_on(mark) if is_decided else case.decided_on
    )


COURSE = Course(
    first="application",
    clock="reminder",
    stands=(EFFECTIVE, DISPUTED),
    ways=WAYS,
    begin=_applied,
    step=_step,
)
"""An application for repair and what follows it."""
