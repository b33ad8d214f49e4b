"""Visits with a code as they stand: listed, counted by office, and whose visits find nothing.

They are issued by :mod:`scoring.inspections.codes`; what came of them is kept by
:mod:`scoring.facts.visit_results`. Who is flagged is our own choice.
"""

from __future__ import annotations

import datetime as dt
import json
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import add_months
from rules.library.loader import load_vocabulary
from rules.titles import Title
from scoring.facts.bodies import register
from scoring.facts.visit_results import PASSED, unknown_visit, visit_row
from scoring.inspections.office import INSPECTORS
from scoring.store import Store
from scoring.store.batches import parts
from scoring.store.documents import decode
from scoring.store.models import SubjectVersion
from scoring.store.visits import VisitRow

IDLE_VISITS = 3
"""So many visits in a row without a finding have an inspector flagged."""

PLANNED = "planned"
GROUNDS: Mapping[str, Title] = {
    PLANNED: Title("计划内检查", "Of the month's plan"),
    "complaint": Title("投诉举报", "Complaint or report"),
    "handed_over": Title("转办交办", "Handed over or assigned"),
    "monitoring": Title("数据监测", "What data showed"),
    "emergency": Title("应急响应", "Safety or another emergency"),
    "request": Title("企业申请", "The enterprise asked for it"),
}
OUTSIDE = tuple(ground for ground in GROUNDS if ground != PLANNED)
_NO = "国办发〔2024〕54号"
CLAUSES = {
    True: Title(f"{_NO}：按计划检查，不超过年度频次上限", f"{_NO}: by plan, within the yearly number"),
    False: Title(
        f"{_NO}：个案检查不受年度频次上限限制，但不得明显超过合理频次",
        f"{_NO}: a check for cause is not bound by the yearly number, but stays within reason",
    ),
}
"""What a visit of a plan, and one outside it, rests on."""


class State(StrEnum):
    """Where a visit stands."""

    ISSUED = "issued"
    MADE = "made"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"


STATE_TITLES: Mapping[State, Title] = {
    State.ISSUED: Title("待检查", "To be made"),
    State.MADE: Title("已检查", "Made"),
    State.LAPSED: Title("已失效", "Lapsed"),
    State.CANCELLED: Title("已取消", "Cancelled"),
}


@dataclass(frozen=True, slots=True)
class CodedVisit:
    """A visit that has a code: see :class:`scoring.store.visits.VisitRow`."""

    id: int
    code: str
    pack_id: str
    vocabulary: str
    subject_id: str
    plan_id: int | None
    ground: str
    why: str | None
    tier: str | None
    over_cap: bool
    authorities: tuple[str, ...]
    inspectors: tuple[str, ...]
    begins_on: dt.date
    ends_on: dt.date
    report_until: dt.date
    issued_by: str
    issued_at: dt.datetime
    done_on: dt.date | None
    went: tuple[str, ...]
    outcome: str | None
    findings: str | None
    measures: str | None
    entered_by: str | None
    entered_at: dt.datetime | None
    record_id: str | None
    cancel_reason: str | None
    cancelled_at: dt.datetime | None
    rating: int | None
    rating_words: str | None
    rated_by: str | None

    @property
    def clause(self) -> Title:
        """What it rests on."""
        return CLAUSES[self.ground == PLANNED]

    @property
    def typed(self) -> str:
        """The code as people read and type it."""
        return " ".join(self.code[place : place + 4] for place in (0, 4, 8))

    def state(self, on: dt.date) -> State:
        """Where it stands on a day."""
        if self.outcome is not None:
            return State.MADE
        if self.cancelled_at is not None:
            return State.CANCELLED
        return State.LAPSED if self.report_until < on else State.ISSUED


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which visits are wanted.

    :param month: any day of the month in which they begin.
    :param office: those in which this office takes part, by whichever of its names.
    :param state: those that stand so.
    :param before: those with a lesser number.
    """

    month: dt.date | None = None
    office: str | None = None
    state: State | None = None
    subject_id: str | None = None
    before: int | None = None


def list_visits(store: Store, wanted: Wanted, on: dt.date, limit: int | None = None) -> list[CodedVisit]:
    """Visits, the code that was issued last first.

    :param on: the day on which their states are meant.

    >>> from datetime import date
    >>> from fixtures.small import small_store
    >>> list_visits(small_store(), Wanted(state=State.MADE), date(2026, 8, 31))
    []
    """
    with store.reading() as session:
        query = _of(session, wanted, on)
        if wanted.before is not None:
            query = query.where(VisitRow.id < wanted.before)
        return [visit_of(row) for row in session.scalars(query.order_by(VisitRow.id.desc()).limit(limit))]


def visit_months(store: Store) -> list[dt.date]:
    """The first days of the months from that of the first visit to that of the last, the newest first."""
    first, last = (sa.select(end(VisitRow.begins_on)).scalar_subquery() for end in (sa.func.min, sa.func.max))
    with store.reading() as session:
        begins, ends = session.execute(sa.select(first, last)).one()
    months = (ends.year - begins.year) * 12 + ends.month - begins.month if begins else -1
    return [add_months(ends.replace(day=1), -back) for back in range(months + 1)]


def find_visit(
    store: Store, code: str, office: str | None = None, subject_id: str | None = None
) -> CodedVisit:
    """The visit of a code, in any spelling.

    :param office: only if this office takes part in it.
    :param subject_id: only if it is of this enterprise.
    :raises UnknownVisitError: where there is none.
    """
    with store.reading() as session:
        row = visit_row(session, code, office)
        if subject_id not in (None, row.subject_id):
            raise unknown_visit(code)
        return visit_of(row)


def inspector_names(store: Store, inspectors: Iterable[str]) -> dict[str, str]:
    """What inspectors are called; those without a name are left out."""
    found: dict[str, str] = {}
    with store.reading() as session:
        for key, data in _people(session, set(inspectors)).items():
            if name := json.loads(data).get("name"):
                found[key] = name
    return found


@dataclass(frozen=True, slots=True)
class Figures:
    """An office's visits; a joint one is among those of each office that took part.

    :param found: of those made, how many had a finding.
    :param over_cap: how many exceeded a cap.
    :param mean_rating: None where nobody rated one.
    """

    office: str
    issued: int
    made: int
    lapsed: int
    cancelled: int
    over_cap: int
    found: int
    rated: int
    mean_rating: float | None


def figures(store: Store, wanted: Wanted, on: dt.date) -> list[Figures]:
    """Visits by office, those with most first."""
    own: dict[str, list[CodedVisit]] = defaultdict(list)
    with store.reading() as session:
        names = None if wanted.office is None else register(session).names(wanted.office)
        for row in session.scalars(_of(session, wanted, on)):
            visit = visit_of(row)
            for office in visit.authorities:
                if names is None or office in names:
                    own[office].append(visit)
    found = [_figures(office, visits, on) for office, visits in own.items()]
    return sorted(found, key=lambda one: (-one.issued, one.office))


def _figures(office: str, visits: Sequence[CodedVisit], on: dt.date) -> Figures:
    states = [visit.state(on) for visit in visits]
    ratings = [visit.rating for visit in visits if visit.rating is not None]
    return Figures(
        office=office,
        issued=len(visits),
        made=states.count(State.MADE),
        lapsed=states.count(State.LAPSED),
        cancelled=states.count(State.CANCELLED),
        over_cap=sum(visit.over_cap for visit in visits),
        found=sum(visit.outcome not in (None, PASSED) for visit in visits),
        rated=len(ratings),
        mean_rating=sum(ratings) / len(ratings) if ratings else None,
    )


@dataclass(frozen=True, slots=True)
class Idle:
    """An inspector whose last visits had no finding.

    :param in_a_row: how many, up to the last.
    :param codes: of the last :data:`IDLE_VISITS` of them.
    """

    inspector_id: str
    name: str | None
    authority: str | None
    in_a_row: int
    codes: tuple[str, ...]


def idle_inspectors(store: Store, office: str | None = None) -> list[Idle]:
    """Inspectors who found nothing on their last :data:`IDLE_VISITS` visits or more, the most first.

    :param office: those of this office alone.
    """
    rows: dict[str, list[str]] = defaultdict(list)
    with store.reading() as session:
        query = sa.select(VisitRow.code, VisitRow.went, VisitRow.outcome).where(VisitRow.outcome.is_not(None))
        for code, went, outcome in session.execute(query.order_by(VisitRow.done_on, VisitRow.id)):
            for inspector in json.loads(went or "[]"):
                rows[inspector] = [*rows[inspector], code] if outcome == PASSED else []
        idle = {key: codes for key, codes in rows.items() if len(codes) >= IDLE_VISITS}
        table, bodies = load_vocabulary(INSPECTORS).subject, register(session)
        names = None if office is None else bodies.names(office)
        found = []
        for key, data in _people(session, idle).items():
            person = decode(data, table)
            if names is None or person["authority"] in names:
                codes = tuple(idle[key][-IDLE_VISITS:])
                found.append(Idle(key, person["name"], person["authority"], len(idle[key]), codes))
    return sorted(found, key=lambda one: (-one.in_a_row, one.inspector_id))


def _people(session: Session, inspectors: Iterable[str]) -> dict[str, str]:
    """What is known of inspectors, as documents."""
    found: dict[str, str] = {}
    for some in parts(sorted(inspectors)):
        found |= dict(session.execute(current_subjects(INSPECTORS, some)).all())
    return found


def _of(session: Session, wanted: Wanted, on: dt.date) -> sa.Select[VisitRow]:
    query = sa.select(VisitRow)
    if wanted.month is not None:
        first = wanted.month.replace(day=1)
        query = query.where(VisitRow.begins_on >= first, VisitRow.begins_on <= month_end(first))
    if wanted.office is not None:
        names = sorted(register(session).names(wanted.office))
        query = query.where(
            sa.or_(*(VisitRow.authorities.contains(_json([name])[1:-1], autoescape=True) for name in names))
        )
    if wanted.state is not None:
        query = query.where(_IS[wanted.state](on))
    if wanted.subject_id is not None:
        query = query.where(VisitRow.subject_id == wanted.subject_id)
    return query


_OPEN = sa.and_(VisitRow.outcome.is_(None), VisitRow.cancelled_at.is_(None))
_IS: Mapping[State, Callable[[dt.date], sa.ColumnElement[bool]]] = {
    State.MADE: lambda on: VisitRow.outcome.is_not(None),
    State.CANCELLED: lambda on: VisitRow.cancelled_at.is_not(None),
    State.ISSUED: lambda on: sa.and_(_OPEN, VisitRow.report_until >= on),
    State.LAPSED: lambda on: sa.and_(_OPEN, VisitRow.report_until < on),
}
"""What each state of :meth:`CodedVisit.state` is in the table."""


def visit_of(row: VisitRow) -> CodedVisit:
    """A visit as it is kept."""
    lists = ("authorities", "inspectors", "went")
    values = {name: getattr(row, name) for name in CodedVisit.__slots__}
    return CodedVisit(**values | {name: tuple(json.loads(values[name] or "[]")) for name in lists})


def _json(values: Iterable[str]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


def month_end(day: dt.date) -> dt.date:
    """The last day of a day's month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def current_subjects(vocabulary: str, keys: Sequence[str]) -> sa.Select[str, str]:
    """Keys and documents of subjects as they are known now."""
    version = SubjectVersion
    return sa.select(version.subject_id, version.data).where(
        version.vocabulary == vocabulary, version.known_until.is_(None), version.subject_id.in_(keys)
    )
