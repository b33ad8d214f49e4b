"""Rules as spans: which rule is met by which subject, because of which record, from when until when.

The table ``xh_spans``: ``_s``, ``_r`` (null for a rule on the subject), ``rule`` (its number in the plan),
``begins``, ``ends`` (within the period), ``points`` (hundredths, before any cap), ``counts_from`` and
``counts_until`` (what people are shown: null for no bound). Each span is as long as these stay the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

import duckdb
import pyarrow as pa

from rules.calendar import add_days, add_months, first_start_still_open
from rules.language.expressions import Kind, Type
from rules.plan import LARGEST_HIT, Plan, Step, in_force
from scoring.judging.match import Match, Signatures, from_arrow, make_rows, moved
from scoring.judging.measures import Lines
from scoring.judging.operations import merged
from scoring.judging.period import Period
from scoring.judging.sql import of

SPANS = "xh_spans"

_STEPS = "xh_steps"
_ROWS = "xh_rows"
_KEYS = ("_s", "_r", "rule", "points", "counts_from", "counts_until")
_NOBODY = (
    "select 0 as _s, 0 as _r, 0 as rule, current_date as begins, current_date as ends, 0::bigint as points,"
    " current_date as counts_from, current_date as counts_until where false"
)


def make_spans(
    duck: duckdb.DuckDBPyConnection, plan: Plan, period: Period, signatures: Signatures, lines: Lines
) -> None:
    """Make the table ``xh_spans`` of a plan's rules."""
    matches = [
        Match(plan.pack.vocabulary, plan.rules, group, _ROWS, number)
        for number, group in enumerate(plan.groups)
    ]
    queries = []
    if matches:
        from_arrow(duck, _STEPS, step_table(plan.steps, period.first))
        make_rows(duck, matches, signatures, period)
        queries = [_spans(plan, bundle, period, lines) for bundle in _bundles(plan, matches)]
    duck.execute(f"create or replace temp table {SPANS} as {' union all '.join(queries) or _NOBODY}")
    for table in (_STEPS, _ROWS) if matches else ():
        duck.execute(f"drop table {table}")


def step_table(steps: Sequence[Step], day: dt.date) -> pa.Table:
    """The steps of which a value is in force on a day or later as Arrow: one row a :class:`rules.plan.Step`;
    ``earliest`` and ``latest`` are the bounds between which a window starts that is in the step on the day.
    """
    rows = []
    for step in steps:
        if step.until is None or day < step.until:
            earliest, latest = _starts(step, day)
            known = {field.name: getattr(step, field.name) for field in fields(step)}
            rows.append({"kept": step.points, "earliest": earliest, "latest": latest} | known)
    days = dict.fromkeys(("first", "until", "earliest", "latest"), pa.date32())
    numbers = dict.fromkeys(("rule", "since", "till"), pa.int32())
    points = dict.fromkeys(("full", "kept"), pa.int64())
    return pa.Table.from_pylist(rows, schema=pa.schema(numbers | points | days))


def _starts(step: Step, day: dt.date) -> tuple[dt.date | None, dt.date | None]:
    """The first and the last start of a window that is in a step on a day; null, which no start is equal to
    or past, for none: as on the calendar's last day, after which nothing ends."""
    earliest: dt.date | None = dt.date.min
    latest: dt.date | None = dt.date.max
    if step.till is not None:
        first = first_start_still_open(day, step.till)
        earliest = first if add_months(first, step.till) > day else None
    if step.since:
        first = first_start_still_open(day, step.since)
        if add_months(first, step.since) > day:
            latest = None if first == dt.date.min else add_days(first, -1)
    return earliest, latest


def _bundles(plan: Plan, matches: Sequence[Match]) -> Iterable[Sequence[Match]]:
    """Matches taken together of which the same is asked; each that multiplies points stands alone."""
    bundles: dict[Any, list[Match]] = {}
    for match in matches:
        alone = match.number if match.multipliers.expressions else None
        asked = (_decays(plan, match), bool(match.group.dates.measures), bool(_repeating(plan, match)), alone)
        bundles.setdefault(asked, []).append(match)
    return bundles.values()


def _decays(plan: Plan, match: Match) -> bool:
    return any(w and w.decay for w in (plan.rules[row.owner].window for row in match.group.rows))


def _repeating(plan: Plan, match: Match) -> set[int]:
    """The rules that may say the same again where a piece or a dated value ends."""
    owners = {row.owner for row in match.group.rows}
    if match.group.dates.measures:
        return owners
    return {owner for owner in owners if len(in_force(plan.rules[owner])) > 1}


def _spans(plan: Plan, bundle: Sequence[Match], period: Period, lines: Lines) -> str:
    """What the rules of a bundle meet, cut by pieces, dated values and steps of decay."""
    found = " union all ".join(match.query(period, lines.pieces) for match in bundle)
    begins, ends = [period.first_sql, "m._begins_on"], [period.until_sql, "m._ends_on"]
    decays = _decays(plan, bundle[0])
    on = f"t.rule = m._owner and t.first < {period.until_sql}"
    if period.is_one_day:
        begins, ends = begins[:1], ends[:1]
        on += " and m._starts_on between t.earliest and t.latest" if decays else ""
    else:
        if bundle[0].group.dates.measures:
            begins.append("m._first")
            ends.append("m._until")
        if any(step.first > period.first or step.until for step in plan.steps):
            begins.append("t.first")
            ends.append("t.until")
        if decays:
            begins.append(f"case when t.since > 0 then {moved('add_months', 'm._starts_on', 't.since')} end")
            ends.append(moved("add_months", "m._starts_on", "t.till"))
    query = (
        f"select m._s, m._r, m._owner as rule, cast({of('greatest', begins)} as date) as begins,"
        f" cast({of('least', ends)} as date) as ends, {_points(bundle[0])} as points,"
        " m._begins_on as counts_from, m._ends_on as counts_until"
        f" from ({found}) m join {_STEPS} t on {on}"
    )
    if period.is_one_day:
        return query
    query = f"select * from ({query}) where begins < ends"
    repeating = set().union(*(_repeating(plan, match) for match in bundle))
    if not repeating:
        return query
    owners = ", ".join(map(str, sorted(repeating)))
    columns = f"{', '.join(_KEYS[:3])}, begins, ends, {', '.join(_KEYS[3:])}"
    again = merged(f"(select * from found where rule in ({owners}))", _KEYS)
    return (
        f"select {columns} from (with found as materialized ({query})"
        f" select {columns} from found where rule not in ({owners})"
        f" union all select {columns} from ({again}))"
    )


def _points(match: Match) -> str:
    """Hundredths, or hundredths × value, rounded half away from zero as SQL rounds exact decimals."""
    products = [
        f"when {n} then cast(round({_exact('t.full', _POINTS)} * {_factor(f'm._times{n}', e.type)}, 0)"
        " as decimal(38, 0))"
        for n, e in enumerate(match.multipliers.expressions)
    ]
    if not products:
        return "t.kept"
    product = f"case m._per {' '.join(products)} end"
    held = f"cast(greatest(-{LARGEST_HIT}, least({LARGEST_HIT}, {product})) as bigint)"
    return f"case when m._per is null then t.kept else {held} end"


_POINTS = Type(Kind.NUMBER, 19, 0)


def _factor(value: str, kind: Type) -> str:
    """What multiplies points: what is out of these bounds gives the most that a hit can give all the same."""
    most = 10 * LARGEST_HIT
    return _exact(f"greatest(-{most}, least({most}, {value}))", replace(kind, whole=10))


def _exact(value: str, kind: Type) -> str:
    return f"cast({value} as decimal({kind.whole + kind.scale}, {kind.scale}))"
