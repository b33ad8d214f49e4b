"""An objection's case: its state is what the marks of its record say, from the objection on.

An objection is acknowledged, decided, and, where it is rejected, reviewed once if that is asked for; then it
is final. Nobody decides on a record that they made, or that their own office made, and nobody reviews their
own decision. Terms are in working days and run from the day that the objection names; all other steps count
from the day on which they come here, so nobody makes up for a late one by its date.

The steps, who does them and the terms are our own choice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.titles import Title
from rules.workdays import workdays_later
from scoring.facts.cases import CaseRefusedError, Course, Timed, came_on, check_way, marks_of
from scoring.facts.ingest.folding import fold_word
from scoring.store.access import ApiKey, RecordMark
from scoring.store.models import IngestedFile, RecordVersion

ACKNOWLEDGE_WITHIN, DECIDE_WITHIN, APPEAL_WITHIN, REVIEW_WITHIN = 3, 15, 15, 15
"""Working days."""

API = "api: "
"""What the name of a request's file begins with; the prefix of the key follows."""

DISPUTED, EFFECTIVE = "disputed", "effective"

OUTCOMES: Mapping[str, str] = {"upheld": "revoked", "rejected": EFFECTIVE}
"""The status of the record after each outcome."""

OUTCOME_TITLES: Mapping[str, Title] = {
    "upheld": Title("异议成立", "upheld"),
    "rejected": Title("驳回", "rejected"),
}


DECISIONS = ("decision", "review")
"""The steps by which an objection is upheld or rejected."""


class Stage(StrEnum):
    """Where a case stands. ``ended``: something else was done about the record, such as a repair."""

    FILED = "filed"
    ACKNOWLEDGED = "acknowledged"
    DECIDED = "decided"
    APPEALED = "appealed"
    FINAL = "final"
    ENDED = "ended"


OPEN = (Stage.FILED, Stage.ACKNOWLEDGED, Stage.APPEALED)
WAYS: Mapping[Stage, Mapping[str, Stage]] = {
    Stage.FILED: {"acknowledgement": Stage.ACKNOWLEDGED, "decision": Stage.DECIDED},
    Stage.ACKNOWLEDGED: {"decision": Stage.DECIDED},
    Stage.DECIDED: {"appeal": Stage.APPEALED},
    Stage.APPEALED: {"review": Stage.FINAL},
    Stage.FINAL: {},
    Stage.ENDED: {},
}
"""What may be done in each stage, and where it leads. An objection that is upheld is final at once."""


STAGE_TITLES: Mapping[Stage, Title] = {
    Stage.FILED: Title("待受理", "Filed"),
    Stage.ACKNOWLEDGED: Title("已受理", "Acknowledged"),
    Stage.DECIDED: Title("已驳回，可申请复核", "Rejected; its review may be asked for"),
    Stage.APPEALED: Title("复核中", "Under review"),
    Stage.FINAL: Title("已办结", "Final"),
    Stage.ENDED: Title("已另行处理", "Settled otherwise"),
}


@dataclass(frozen=True, slots=True)
class Case(Timed):
    """The state of an objection.

    :param due_on: the last working day of what is to be done next: to acknowledge, decide, ask for the review
        or review it.
    :param outcome: ``upheld`` or ``rejected``, by the last decision.
    :param decided_on, decided_by: of the first decision.
    :param escalations: how often the present term has been escalated.
    """

    filed_on: dt.date
    due_on: dt.date | None
    stage: Stage = Stage.FILED
    outcome: str | None = None
    decided_on: dt.date | None = None
    decided_by: str | None = None
    reviewed_on: dt.date | None = None
    escalations: int = 0

    @property
    def is_open(self) -> bool:
        """Whether an office has to do something."""
        return self.stage in OPEN

    def is_final(self, on: dt.date) -> bool:
        """Whether nothing can follow any more on a day."""
        is_over = self.stage is Stage.DECIDED and self.due_on is not None and self.due_on < on
        return is_over or self.stage in (Stage.FINAL, Stage.ENDED)

    def may_be_reviewed(self, on: dt.date) -> bool:
        """Whether its review may be asked for on a day: it was rejected, and the term is not over."""
        return self.stage is Stage.DECIDED and not self.is_final(on)

    def settled(self) -> Case:
        """The case where something else was done about the record."""
        return replace(self, stage=Stage.ENDED, due_on=None)


def _filed(mark: RecordMark) -> Case:
    return Case(mark.effective_on, workdays_later(mark.effective_on, ACKNOWLEDGE_WITHIN))


def outcome_of(mark: RecordMark) -> str:
    """How a decision or review ends, ``upheld`` or ``rejected``: by the status that it gave the record."""
    return "rejected" if mark.status_after == EFFECTIVE else "upheld"


def _acknowledged(case: Case, mark: RecordMark) -> Case:
    due = workdays_later(case.filed_on, DECIDE_WITHIN)
    return replace(case, stage=Stage.ACKNOWLEDGED, due_on=due, escalations=0)


def _decided(case: Case, mark: RecordMark) -> Case:
    day = came_on(mark)
    done = replace(case, decided_on=day, decided_by=mark.made_by, escalations=0)
    if outcome_of(mark) == "upheld":
        return replace(done, stage=Stage.FINAL, due_on=None, outcome="upheld")
    return replace(done, stage=Stage.DECIDED, due_on=workdays_later(day, APPEAL_WITHIN), outcome="rejected")


def _appealed(case: Case, mark: RecordMark) -> Case:
    return replace(case, stage=Stage.APPEALED, due_on=workdays_later(came_on(mark), REVIEW_WITHIN))


def _reviewed(case: Case, mark: RecordMark) -> Case:
    return replace(case, stage=Stage.FINAL, due_on=None, outcome=outcome_of(mark), reviewed_on=came_on(mark))


_STEPS: Mapping[str, Callable[[Case, RecordMark], Case]] = {
    "acknowledgement": _acknowledged,
    "decision": _decided,
    "appeal": _appealed,
    "review": _reviewed,
}
COURSE = Course(
    first="objection",
    clock="escalation",
    stands=(DISPUTED,),
    ways=WAYS,
    begin=_filed,
    step=lambda case, mark: _STEPS[mark.kind](case, mark),
)
"""An objection and what follows it."""


# What may be done


def last_case(session: Session, current: RecordVersion) -> Case | None:
    """The last objection's case of a record; None where nobody has objected."""
    found = list(COURSE.cases(marks_of(session, current.vocabulary, current.record_id)))
    return found[-1][0] if found else None


def check_objection(session: Session, current: RecordVersion, on: dt.date) -> None:
    """A rejected objection is not made again: its review is asked for, and then it is final.

    What the office has changed since may be objected to anew.

    :raises CaseRefusedError: saying what can be done, or why nothing can.
    """
    case = last_case(session, current)
    file = session.get_one(IngestedFile, current.file_id)
    if case is None or case.outcome != "rejected" or file.source != "mark":
        return
    if case.is_final(on):
        day = case.reviewed_on or case.decided_on
        raise CaseRefusedError(
            Title(
                f"对记录{current.record_id}的异议已于{day}最终驳回;记录有变更后方可再次提出",
                f"the objection to {current.record_id} was rejected for good on {day}; another needs that the"
                " record has changed",
            )
        )
    raise CaseRefusedError(
        Title(
            f"对记录{current.record_id}的异议已于{case.decided_on}驳回;可在{case.due_on}前申请复核",
            f"the objection to {current.record_id} was rejected on {case.decided_on}; its review may be asked"
            f" for until {case.due_on}",
        )
    )


def check_step(session: Session, current: RecordVersion, kind: str, on: dt.date) -> None:
    """A step of the last case is one that its stage allows, within its term.

    :raises CaseRefusedError: saying what the stage allows.
    """
    case = last_case(session, current)
    if case is None:
        raise CaseRefusedError(
            Title(f"记录{current.record_id}没有异议", f"nobody has objected to {current.record_id}")
        )
    check_way(Title("异议", "the objection"), case.stage, STAGE_TITLES[case.stage], WAYS[case.stage], kind)
    if kind == "appeal" and case.is_final(on):
        raise CaseRefusedError(
            Title(
                f"决定已终结:申请复核的期限为{case.due_on}",
                f"the decision is final: a review could be asked for until {case.due_on}",
            )
        )


def check_decider(session: Session, current: RecordVersion, by: str) -> None:
    """Whoever decides did not bring the record in, by whichever of their keys.

    :raises CaseRefusedError: where they did.
    """
    query = (
        sa.select(IngestedFile.name)
        .join(RecordVersion, RecordVersion.file_id == IngestedFile.id)
        .where(
            RecordVersion.vocabulary == current.vocabulary,
            RecordVersion.record_id == current.record_id,
            IngestedFile.source == "api",
        )
        .distinct()
    )
    said = Title(
        f"记录{current.record_id}由本人录入,须由他人决定",
        f"whoever made {current.record_id} does not decide on it: somebody else has to",
    )
    _refuse_any(session, by, (name.removeprefix(API) for name in session.scalars(query)), said)


def check_no_asker(session: Session, current: RecordVersion, by: str) -> None:
    """Whoever decides did not ask for it on behalf of who is graded, or of a department, by another key.

    Who enters at the desk what came on paper asks for nobody's.

    :raises CaseRefusedError: where they did.
    """
    query = (
        sa.select(ApiKey.prefix)
        .join(RecordMark, RecordMark.made_by == ApiKey.prefix)
        .where(
            RecordMark.vocabulary == current.vocabulary,
            RecordMark.record_id == current.record_id,
            RecordMark.kind.in_(("objection", "appeal")),
            ApiKey.role.in_(_ASKERS),
        )
        .distinct()
    )
    said = Title(
        f"对记录{current.record_id}的异议由本人提出,须由他人决定",
        f"whoever objected to {current.record_id} does not decide on it: somebody else has to",
    )
    _refuse_any(session, by, session.scalars(query), said)


_ASKERS = ("department", "subject")
"""The roles of keys that ask for those whom they belong to."""


def check_reviewer(session: Session, case: Case, by: str) -> None:
    """Whoever reviews a decision did not make it, by whichever of their keys.

    :raises CaseRefusedError: where they did.
    """
    said = Title(
        "原决定由本人作出,须由他人复核",
        "whoever decided does not review the decision: somebody else has to",
    )
    _refuse_any(session, by, filter(None, [case.decided_by]), said)


def _refuse_any(session: Session, by: str, others: Iterable[str], said: Title) -> None:
    """Refuse who is the person behind one of several keys."""
    if person(session, by) in {person(session, other) for other in others}:
        raise CaseRefusedError(said)


def organisation(session: Session, by: str) -> str | None:
    """For whom a key acts; None of one that names nobody, and of anything else, such as ``cli:user``."""
    return session.scalar(sa.select(ApiKey.organisation).where(ApiKey.prefix == by))


def person(session: Session, by: str) -> str:
    """Who is behind the prefix of a key, or is ``cli:user``: one of one name, however it is written there."""
    owner: str | None = session.scalar(sa.select(ApiKey.owner).where(ApiKey.prefix == by))
    return fold_word(by.removeprefix("cli:") if owner is None else owner)
