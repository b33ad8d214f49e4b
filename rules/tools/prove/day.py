"""A pack on one day: every rule and measure as a condition that is true of what counts on that day.

Windows, ends, decay and terms about the day become tests of dates, so that what is left to look at is which
values a record's columns have.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from rules.language.expressions import (
    DATE,
    Compare,
    Expression,
    IsNull,
    Literal,
    Or,
    Shift,
    conjunction,
)
from rules.model import DERIVED, Measure, Pack, Rule, When, Window
from rules.plan import LARGEST_HIT, round_half_away, rules_in_force, used_measures


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule while one step of its decay holds.

    :param points: hundredths; of a rule with ``per`` what is multiplied, of a veto 0.
    """

    rule: Rule
    condition: Expression
    points: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A pack on a day.

    :param measures: those that rules read, each behind what it is made of, with the condition of what takes
        part: of records, or of the subject that has a value.
    """

    pack: Pack
    hits: tuple[Hit, ...]
    measures: tuple[tuple[Measure, Expression], ...]


def on_day(pack: Pack, day: dt.date) -> Sheet:
    """What a pack says on a day, as if it were in force.

    >>> from datetime import date
    >>> from rules.language.expressions import render
    >>> from rules.library.loader import find_pack
    >>> sheet = on_day(find_pack("tourism-credit", date(2026, 8, 31)), date(2026, 8, 31))
    >>> sheet.hits[0].rule.id, sheet.hits[0].points
    ('scheme.joined', 200)
    >>> render(sheet.hits[0].condition)
    "state = 'operating' and joined_on + interval 6 month <= date '2026-08-31'"
    """
    rules = rules_in_force(pack, day)
    measures = ((m, _when(m.where, m.window, day)) for m in used_measures(pack, rules))
    return Sheet(pack, tuple(hit for rule in rules for hit in _hits(rule, day)), tuple(measures))


def read_by(sheet: Sheet, read: Callable[[Expression], Expression]) -> Sheet:
    """A pack on a day with each condition as somebody reads it."""
    hits = tuple(replace(hit, condition=read(hit.condition)) for hit in sheet.hits)
    measures = tuple((_row_by_row(m, read), read(condition)) for m, condition in sheet.measures)
    return replace(sheet, hits=hits, measures=measures)


def _row_by_row(measure: Measure, read: Callable[[Expression], Expression]) -> Measure:
    table = measure.decision
    if table is None:
        return measure
    rows = tuple((read(condition), given) for condition, given in table.rows)
    return replace(measure, decision=replace(table, rows=rows))


def counted(measure: Measure, day: dt.date) -> Expression | None:
    """Which records take part in a measure on a day; None where it is made of measures."""
    return None if measure.aggregate in DERIVED else _when(measure.where, measure.window, day)


def _hits(rule: Rule, day: dt.date) -> Iterator[Hit]:
    full = (rule.points.on(day) if rule.points else 0) or 0
    condition = _when(rule.when, rule.window, day)
    if rule.window is None or not rule.window.decay:
        yield Hit(rule, condition, full)
        return
    steps = [(0, full), *((step.months, _kept(full * step.keep)) for step in rule.window.decay)]
    for (since, points), (till, _) in pairwise([*steps, (None, 0)]):
        begins = () if not since else (_at(Shift(rule.window.start, since, 0), "<=", day),)
        ends = () if till is None else (_at(Shift(rule.window.start, till, 0), ">", day),)
        yield Hit(rule, conjunction((condition, *begins, *ends)), points)


def _kept(points: object) -> int:
    return max(-LARGEST_HIT, min(LARGEST_HIT, round_half_away(points)))  # type: ignore[arg-type]


def _when(when: When, window: Window | None, day: dt.date) -> Expression:
    begins = [*when.begins]
    ends = [*when.ends]
    parts = [when.condition]
    if window is not None:
        begins.append(window.start)
        ends += [Shift(window.start, window.months, 0)] if window.months else []
        ends += [Shift(window.start, 0, window.days)] if window.days else []
        if window.until is not None:
            parts.append(Or((_at(window.until, ">", day), IsNull(window.until))))
    parts += [_at(begin, "<=", day) for begin in begins]
    parts += [_at(end, ">", day) for end in ends]
    return conjunction(tuple(parts))


def _at(date: Expression, op: str, day: dt.date) -> Expression:
    return Compare(op, date, Literal(day, DATE))
