"""Objections that wait and are decided, and a repair that waits for its second person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rules.calendar import add_days, today
from rules.library.loader import load_vocabulary
from scoring.access.keys import Role
from scoring.cli.demo.penalties import VOCABULARY, Penalty
from scoring.cli.demo.people import People
from scoring.facts.objection_case import OUTCOMES
from scoring.facts.objections import Kind, MarkRequest, list_marks, mark_record
from scoring.facts.repairs import Commitment
from scoring.live.events import records_arrived
from scoring.store import Store


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that is done about a record.

    :param by: the role of the person who does it.
    :param days_ago: the day that it names.
    :param proof: the title of a document.
    """

    kind: Kind
    by: Role
    reason: str
    days_ago: int = 0
    status: str = ""
    proof: str | None = None


_WAITS = (
    _Step("objection", Role.SUBJECT, "样例：处罚对象系同名企业", 1, "disputed", "营业执照副本（样例）"),
    _Step("acknowledgement", Role.REGULATOR, "样例：材料齐全，予以受理", 1, "disputed"),
)
_DECIDED = (
    _Step("objection", Role.REGULATOR, "样例：企业来窗口书面提出，称罚款数额有误", 9, "disputed"),
    _Step("acknowledgement", Role.REGULATOR, "样例：材料齐全，予以受理", 8, "disputed"),
    _Step("decision", Role.REGULATOR, "样例：经核对处罚决定书，数额无误", 0, OUTCOMES["rejected"]),
)
_REPAIR = (
    _Step("application", Role.DEPARTMENT, "样例：企业来窗口书面申请，罚款已缴清", 1, "", "缴款凭证（样例）"),
    _Step("admission", Role.DEPARTMENT, "样例：材料齐全，予以受理；须由他人决定"),
)
_COURSES = (_WAITS, _REPAIR, _DECIDED)
_PROMISE = "样例：所附材料真实，如有违背，愿承担相应责任"


def take_up_cases(store: Store, people: People, chosen: Sequence[Penalty]) -> None:
    """Deal with a case each about the first penalties that are chosen."""
    words, arrived = load_vocabulary(VOCABULARY), list[str]()
    for penalty, course in zip(chosen, _COURSES, strict=False):
        for request in _missing(store, people, penalty, course):
            mark_record(store, words, penalty.record_id, request)
            arrived.append(penalty.record_id)
    if arrived:
        records_arrived(store, VOCABULARY, list(dict.fromkeys(arrived)))


def _missing(
    store: Store, people: People, penalty: Penalty, course: Sequence[_Step]
) -> Iterator[MarkRequest]:
    """The steps of a course that nobody has taken yet."""
    done = {mark.kind for mark in list_marks(store, VOCABULARY, record_id=penalty.record_id)}
    for number, step in enumerate(course, start=1):
        if step.kind in done:
            continue
        key, day = people[step.by], add_days(today(), -step.days_ago)
        evidence = [{"title": step.proof, "reference": f"YL-{number}"}] if step.proof else []
        promise = Commitment(_PROMISE, day) if step.kind == "application" else None
        yield MarkRequest(
            step.kind, step.status, day, step.reason, tuple(evidence), key.prefix, key.organisation, promise
        )
