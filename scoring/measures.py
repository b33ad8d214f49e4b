"""Measures as SQL: one value a subject, and the first day on which it would change by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from rules.calendar import add_days, first_start_still_open
from rules.expressions import TOTAL
from rules.model import DERIVED, OVER_GROUP, Aggregate, Measure, Pack, Window
from scoring.day_plan import DayPlan, TimedMeasure
from scoring.sql import all_of, cast, date, of, quoted, sql_type, to_sql

_TOTAL = sql_type(TOTAL)


def frame_sql(plan: DayPlan, subjects: str, records: str | None) -> str:
    """A query for all subjects with their attributes, the plan's measures and ``_change_on``.

    :param subjects: the table of subjects.
    :param records: the table of records.
    """
    base = [m for m in plan.measures if m.measure.aggregate not in DERIVED]
    query = _base_sql(plan, base, subjects, str(records))
    for derived in (m.measure for m in plan.measures if m.measure.aggregate in DERIVED):
        query = f"select f.* {_replaced(derived)}, {_derived(derived)} from ({query}) f"
    return query


def _base_sql(plan: DayPlan, measures: Sequence[TimedMeasure], subjects: str, records: str) -> str:
    """The subjects with the measures that are made of records."""
    key = quoted(plan.pack.vocabulary.subject.key)
    if not measures:
        return f"select s.*, cast(null as date) as _change_on from {subjects} s"
    plain = [m for m in measures if m.measure.by is None]
    parts = [_plain_sql(plan, plain, records)] if plain else []
    parts += [_grouped_sql(plan, m, records) for m in measures if m.measure.by is not None]
    joins = " ".join(
        f"left join ({part}) p{i} on p{i}._subject_key = s.{key}" for i, part in enumerate(parts)
    )
    changes = [f"p{i}._change_on" for i in range(len(parts))]
    values = ", ".join(_value(m.measure) for m in measures)
    return f"select s.*, {values}, {of('least', changes)} as _change_on from {subjects} s {joins}"


def _replaced(measure: Measure) -> str:
    """A rank depends on the whole group: it may change when any subject's measures do."""
    if measure.aggregate not in OVER_GROUP:
        return ""
    return "replace (min(_change_on) over () as _change_on)"


def _value(measure: Measure) -> str:
    """The measure's column; counts and sums of nothing are 0, everything else of nothing is unknown."""
    column = quoted(measure.id)
    adds_up = {measure.aggregate, measure.take} & {Aggregate.COUNT, Aggregate.SUM}
    value = f"coalesce({column}, 0)" if adds_up else column
    return f"cast({value} as {sql_type(measure.type)}) as {column}"


def _plain_sql(plan: DayPlan, measures: Sequence[TimedMeasure], records: str) -> str:
    """All measures without groups, in one pass over the records."""
    link, record = _keys(plan.pack)
    values = ", ".join(
        f"{_aggregate(m, record, _counts(m, plan.as_of))} as {quoted(m.measure.id)}" for m in measures
    )
    changes = [f"min({_change(m, plan.as_of)}) filter (where {_ahead(m, plan.as_of)})" for m in measures]
    taking_part = " or ".join(f"({_ahead(m, plan.as_of)})" for m in measures)
    return (
        f"select {link} as _subject_key, {values}, {of('least', changes)} as _change_on"
        f" from {records} where {taking_part} group by {link}"
    )


def _grouped_sql(plan: DayPlan, timed: TimedMeasure, records: str) -> str:
    """A measure by group, and of the groups the one value that ``take`` makes."""
    measure = timed.measure
    link, record = _keys(plan.pack)
    group = quoted(str(measure.by))
    counts = _counts(timed, plan.as_of)
    inner = (
        f"select {link} as _subject_key, {_aggregate(timed, record, counts)} as _value,"
        f" count(*) filter (where {counts}) as _taking_part,"
        f" min({_change(timed, plan.as_of)}) as _change_on"
        f" from {records} where {_ahead(timed, plan.as_of)} and {group} is not null group by {link}, {group}"
    )
    taken = f"{measure.take}(_value) filter (where _taking_part > 0)"
    change = "min(_change_on) as _change_on"
    return f"select _subject_key, {taken} as {quoted(measure.id)}, {change} from ({inner}) group by 1"


def _keys(pack: Pack) -> tuple[str, str]:
    records = pack.vocabulary.records
    assert records is not None
    return quoted(pack.vocabulary.record_subject), quoted(records.key)


def _aggregate(timed: TimedMeasure, record: str, condition: str) -> str:
    measure = timed.measure
    operand = to_sql(measure.operand) if measure.operand else "*"
    only = f"filter (where {condition})"
    match measure.aggregate:
        case Aggregate.SUM:
            return f"coalesce(sum(cast({operand} as {_TOTAL})) {only}, 0)"
        case Aggregate.MEAN:
            total = f"scaled4(cast(sum(cast({operand} as {_TOTAL})) {only} as {_TOTAL}))"
            return f"unscaled4(half_away({total}, count({operand}) {only}))"
        case Aggregate.LATEST:
            return f"max_by({operand}, row({to_sql(_window(timed).start)}, {record})) {only}"
        case _:
            return f"{measure.aggregate}({operand}) {only}"


MACROS = (
    "create or replace macro scaled4(x) as cast(cast(x as decimal(33, 4)) * 10000 as hugeint)",
    "create or replace macro half_away(n, d) as sign(n) * sign(d) * ((2 * abs(n) + abs(d)) // (2 * abs(d)))",
    f"create or replace macro unscaled4(n) as cast(try_cast(n as decimal(28, 0)) * 0.0001 as {_TOTAL})",
)
"""Exact quotients by integer arithmetic, rounded half away from zero to 4 decimals; none past 24 digits."""


def _derived(measure: Measure) -> str:
    """The column of a measure that is made of measures."""
    takes_part = f"coalesce({to_sql(measure.where.condition)}, false)"
    column = quoted(measure.id)
    if measure.aggregate is Aggregate.RATIO:
        part, whole = (f"scaled4({quoted(p)})" for p in measure.parts)
        quotient = f"unscaled4(half_away({part} * 10000, {whole}))"
        return f"case when {takes_part} and {whole} <> 0 then {quotient} end as {column}"
    if measure.operand is not None:
        return f"case when {takes_part} then {cast(measure.operand, measure.type)} end as {column}"
    ranked = quoted(measure.parts[0])
    takes_part = f"({takes_part} and {ranked} is not null)"
    if measure.by:
        takes_part = f"({takes_part} and {quoted(measure.by)} is not null)"
    group = f"partition by {takes_part}" + (f", {quoted(measure.by)}" if measure.by else "")
    order = f" order by {ranked} {'desc' if measure.descending else 'asc'}"
    number = (
        f"rank() over ({group}{order})" if measure.aggregate is Aggregate.RANK else f"count(*) over ({group})"
    )
    return f"case when {takes_part} then {number} end as {column}"


# Windows


def _window(timed: TimedMeasure) -> Window:
    assert timed.measure.window is not None
    return timed.measure.window


def _begins(timed: TimedMeasure) -> str:
    starts = [_window(timed).start, *timed.timed.begins]
    return of("greatest", [to_sql(start) for start in starts])


def _ends(timed: TimedMeasure) -> str:
    window = _window(timed)
    start = to_sql(window.start)
    ends = [to_sql(e) for e in timed.timed.ends]
    ends += [f"add_months({start}, {window.months})"] if window.months else []
    ends += [f"add_days({start}, {window.days})"] if window.days else []
    ends += [to_sql(window.until)] if window.until else []
    return of("least", ends) if ends else "cast(null as date)"


def _ahead(timed: TimedMeasure, as_of: dt.date) -> str:
    """Whether a record takes part on the day or will later."""
    window = _window(timed)
    start = to_sql(window.start)
    earliest = dt.date.min
    if window.months:
        earliest = first_start_still_open(as_of, window.months)
    if window.days:
        earliest = add_days(as_of, 1 - window.days)
    terms = ["false"] if window.is_over(as_of) else []
    terms += [to_sql(timed.timed.condition), f"{start} >= {date(earliest)}"]
    terms += [f"{to_sql(b)} is not null" for b in timed.timed.begins]
    terms += [f"{to_sql(e)} > {date(as_of)}" for e in timed.timed.ends]
    terms += [f"coalesce({to_sql(window.until)} > {date(as_of)}, true)"] if window.until else []
    return all_of(terms)


def _counts(timed: TimedMeasure, as_of: dt.date) -> str:
    operand = timed.measure.operand
    known = (
        [f"{to_sql(operand)} is not null"] if operand and timed.measure.aggregate is Aggregate.LATEST else []
    )
    return all_of([_ahead(timed, as_of), f"{_begins(timed)} <= {date(as_of)}", *known])


def _change(timed: TimedMeasure, as_of: dt.date) -> str:
    """The day on which a record that takes part now stops, or one that does not yet begins."""
    return f"case when {_begins(timed)} > {date(as_of)} then {_begins(timed)} else {_ends(timed)} end"
