"""How many subjects will have which tier at each month's end with nothing new known, and what follows.

It is counted from the timelines that a run has published, in the store: nobody is judged again.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from rules.calendar import add_days, add_months
from rules.model import Pack
from rules.titles import Title
from scoring.answers.timelines import UnknownSubjectError, run_of
from scoring.inspections.office import gone
from scoring.inspections.plan import drawn_in
from scoring.runs.published import RunSummary
from scoring.runs.said import DAY_KIND, visible
from scoring.runs.terms import Piece, piece_on, terms_of
from scoring.store import Store
from scoring.store.computed import computed
from scoring.store.packs import stored_pack
from scoring.store.timelines import GradedSubject, Segment, Touch

MOST_MONTHS = 120

Transition = tuple[str | None, str | None, int]
"""From which tier to which, and how many subjects; None for no grade."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month to come.

    :param begins, ends: its first and last day; the first month's first day is the run's, if it is in it.
    :param pack: the version in force on the last day; None with no grades.
    :param tiers: how many subjects have each tier on the last day.
    :param transitions: of those whose tier differs between the last day of the month before and this one's.
    :param up, down: how many of them have a better or a worse tier then, by the version of the last day. A
        tier that this version does not have is neither.
    :param inspections: how many subjects of each tier the month's plan will draw, by how they stand on its
        first day. Those that departments ask for, and inspectors who lack, are not foreseen.
    """

    begins: dt.date
    ends: dt.date
    pack: Pack | None
    tiers: Mapping[str, int]
    transitions: tuple[Transition, ...]
    up: int
    down: int
    inspections: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PopulationForecast:
    """What will be of everybody, by what was known to a run.

    :param pack: the run's.
    :param tiers: how many subjects have each tier on the run's day.
    """

    run: RunSummary
    pack: Pack
    tiers: Mapping[str, int]
    months: tuple[Month, ...]

    @property
    def shown_tiers(self) -> tuple[str, ...]:
        """The tiers of every version that rules in these months, those of the run's pack first."""
        packs = [self.pack, *(month.pack for month in self.months if month.pack is not None)]
        return tuple(dict.fromkeys(tier for pack in packs for tier in pack.tiers))


def population_forecast(store: Store, pack_id: str, months: int = 36) -> PopulationForecast:
    """How everybody will stand at the end of each month after the latest run's day, with no new data.

    :param months: how many, at most :data:`MOST_MONTHS`; fewer where the calendar ends.
    :raises UnknownSubjectError: where there is no run, or it is one of before timelines were kept.

    >>> from fixtures.small import small_store
    >>> found = population_forecast(small_store(), "tourism-credit", months=10)
    >>> found.tiers, found.months[-1].ends.isoformat(), found.months[-1].tiers
    ({'B': 1, 'C': 1}, '2027-06-30', {'B': 2})
    """
    run = run_of(store, pack_id, None)
    if run.kind == DAY_KIND:
        title = Title(
            f"评价{run.id}没有今后的结果;请重新评价", f"run {run.id} says nothing of days to come; start one"
        )
        raise UnknownSubjectError(title, command="xinheng score")
    spans = list(_months(run.as_of, months))
    held = _pairs(store, run, (run.as_of, *(last for _, last in spans)))
    visited = _visited(store, run, [first for first, _ in spans])
    tiers = [_counts(pairs) for pairs in held]
    pieces = terms_of(store, pack_id, run.id)
    found = []
    for number, (first, last) in enumerate(spans, start=1):
        at_first, pack = (_pack_on(pieces, day) for day in (first, last))
        moved = _transitions(tiers[number - 1], held[number])
        up, down = _moves(moved, pack)
        inspections = _drawn(at_first, visited[number - 1], first)
        found.append(Month(first, last, pack, tiers[number], moved, up, down, inspections))
    return PopulationForecast(run, stored_pack(store, run.pack_hash), tiers[0], tuple(found))


def _pack_on(pieces: Sequence[Piece], day: dt.date) -> Pack | None:
    piece = piece_on(pieces, day)
    return None if piece is None else piece.pack


def _months(day: dt.date, number: int) -> Iterator[tuple[dt.date, dt.date]]:
    """First and last days of the months that end after a day."""
    first = day
    while number and first < dt.date.max:
        start = first.replace(day=1)
        is_end = (start.year, start.month) == (dt.date.max.year, dt.date.max.month)
        last = dt.date.max if is_end else add_days(add_months(start, 1), -1)
        if last > day:
            yield first, last
            number -= 1
        if is_end:
            return
        first = add_days(last, 1)


_Pairs = Counter[tuple[str | None, str]]
"""How many subjects have which tier, by the one on the day before in the list; None where they had none."""


@lru_cache(maxsize=8)
def _pairs(store: Store, run: RunSummary, days: tuple[dt.date, ...]) -> Sequence[_Pairs]:
    """By day: who had which tier on the day before in the list, and on this; computed once, for a published
    run never changes.
    """
    asked = ("pairs of tiers", *run.source, *map(str, days))
    rows = computed(store, asked, tuple, lambda: tuple(map(_rows, _count_pairs(store, run, days))))
    return [Counter({(old, tier): subjects for old, tier, subjects in found}) for found in rows]


def _rows(pairs: _Pairs) -> tuple[tuple[str | None, str, int], ...]:
    return tuple((old, tier, subjects) for (old, tier), subjects in pairs.items())


def _count_pairs(store: Store, run: RunSummary, days: tuple[dt.date, ...]) -> Sequence[_Pairs]:
    held = _held(run, days).subquery()
    lag = sa.select(
        *(held.c.first, held.c.after, held.c.tier),
        *(
            sa.func.lag(column).over(partition_by=held.c.subject, order_by=held.c.first).label(name)
            for name, column in (("tier_before", held.c.tier), ("first_without", held.c.after))
        ),
    ).subquery()
    before = sa.case((lag.c.first_without == lag.c.first, lag.c.tier_before)).label("before")
    held_from = sa.select(lag.c.first, lag.c.after, before, lag.c.tier).subquery()
    query = sa.select(*held_from.c, sa.func.count().label("subjects")).group_by(*held_from.c)
    found: list[_Pairs] = [Counter() for _ in days]
    with store.reading() as session:
        for row in session.execute(query):
            found[row.first][row.before, row.tier] += row.subjects
            for no in range(row.first + 1, row.after):
                found[no][row.tier, row.tier] += row.subjects
    return found


def _visited(store: Store, run: RunSummary, days: Sequence[dt.date]) -> list[Counter[str]]:
    """By day: how many of those who are in business have each tier."""
    held = _held(run, days, GradedSubject.subject_id.not_in(gone(run))).subquery()
    alike = (held.c.first, held.c.after, held.c.tier)
    query = sa.select(*alike, sa.func.count().label("subjects")).group_by(*alike)
    found: list[Counter[str]] = [Counter() for _ in days]
    with store.reading() as session:
        for row in session.execute(query):
            for no in range(row.first, row.after):
                found[no][row.tier] += row.subjects
    return found


def _held(
    run: RunSummary, days: Sequence[dt.date], *of_whom: sa.ColumnElement[bool]
) -> sa.Select[*tuple[Any, ...]]:
    """Who has which tier from which of the days to before which, by their places in the list.

    :param days: in their order. After the last comes a place that is none's.
    """
    subjects = sa.select(GradedSubject.number).where(GradedSubject.pack_id == run.pack_id, *of_whom)
    told = visible(Segment, Touch.subject.in_(subjects), run.id, run.as_of).subquery()
    has_begun, is_over = (
        [sa.and_(told.c.begins <= day, told.c.from_day <= day) for day in days],
        [sa.or_(told.c.ends <= day, told.c.hidden_from <= day) for day in days],
    )
    first, after = (
        sa.case(*((is_so, no) for no, is_so in enumerate(on_days)), else_=len(days))
        for on_days in (has_begun, is_over)
    )
    held = sa.select(told.c.subject, told.c.tier, first.label("first"), after.label("after")).subquery()
    return sa.select(*held.c).where(held.c.first < held.c.after)


def _counts(pairs: _Pairs) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for (_, tier), subjects in pairs.items():
        counts[tier] += subjects
    return dict(sorted(counts.items()))


def _transitions(before: Mapping[str, int], pairs: _Pairs) -> tuple[Transition, ...]:
    """Those whose tier differs; who is in no pair has no grade any more."""
    left: dict[str, int] = defaultdict(int, before)
    for (old, _), subjects in pairs.items():
        if old is not None:
            left[old] -= subjects
    moved: list[Transition] = [
        (old, tier, subjects) for (old, tier), subjects in pairs.items() if old != tier
    ]
    moved += [(old, None, subjects) for old, subjects in left.items() if subjects]
    return tuple(sorted(moved, key=lambda move: (move[0] or "", move[1] or "")))


def _moves(transitions: Sequence[Transition], pack: Pack | None) -> tuple[int, int]:
    """How many go up, and how many down."""
    places = {tier: place for place, tier in enumerate(pack.tiers)} if pack else {}
    steps = [
        (places[tier] - places[old], subjects)
        for old, tier, subjects in transitions
        if old in places and tier in places
    ]
    return sum(n for step, n in steps if step < 0), sum(n for step, n in steps if step > 0)


def _drawn(pack: Pack | None, tiers: Mapping[str, int], month: dt.date) -> dict[str, int]:
    """How many of each tier are drawn in a month."""
    supervision = pack.supervision if pack else ()
    return {rules.tier: drawn_in(rules, tiers.get(rules.tier, 0), month) for rules in supervision}


def population_document(found: PopulationForecast) -> dict[str, Any]:
    """The forecast as JSON has it. The API's OpenAPI document states its form (``PopulationForecast``)."""
    return {
        "pack_id": found.run.pack_id,
        "run_id": found.run.id,
        "known_at": found.run.known_at.isoformat(),
        "as_of": found.run.as_of.isoformat(),
        "tiers": _by_tier(found.pack, found.tiers),
        "months": [_month_document(month) for month in found.months],
    }


def _month_document(month: Month) -> dict[str, Any]:
    return {
        "begins": month.begins.isoformat(),
        "ends": month.ends.isoformat(),
        "version": month.pack and month.pack.version,
        "tiers": _by_tier(month.pack, month.tiers),
        "up": month.up,
        "down": month.down,
        "transitions": [
            {"tier_before": old, "tier": tier, "subjects": subjects}
            for old, tier, subjects in month.transitions
        ],
        "inspections": dict(month.inspections),
    }


def _by_tier(pack: Pack | None, tiers: Mapping[str, int]) -> dict[str, int]:
    return {tier: tiers.get(tier, 0) for tier in pack.tiers} if pack else {}
