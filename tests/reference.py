"""The rule language in plain Python: docs/rule-language.md said again, as directly as it can be said.

What every engine is held to, to the last digit. It reads the checked pack and nothing that an engine reads:
no plan, no rows, no SQL. Numbers are fractions, so that nothing is rounded but what the language rounds.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rules.language.expressions import (
    And,
    Arithmetic,
    AsOf,
    Call,
    Compare,
    Expression,
    In,
    IsNull,
    IsTrue,
    Level,
    Like,
    Literal,
    Name,
    Not,
    Or,
    Round,
    Shift,
    conjuncts,
    names,
    reads_as_of,
)  # fmt: skip
from rules.model import DERIVED, Aggregate, Decision, Measure, Pack, Rule, Window

Row = Mapping[str, Any]
LARGEST_HIT = 100_000_000
OPERATORS = {"=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
             ">=": operator.ge, "+": operator.add, "-": lambda a, b: less(a, b),
             "*": operator.mul}  # fmt: skip

FUNCTIONS = {"coalesce": lambda v: v[0], "least": min, "greatest": max, "abs": lambda v: abs(v[0]),
             "start_of_year": lambda v: v[0].replace(month=1, day=1),
             "start_of_month": lambda v: v[0].replace(day=1)}  # fmt: skip


@dataclass(frozen=True)
class Hit:
    """One rule met by one subject because of one record, or of the subject itself (``record`` None)."""

    subject: Any
    rule: Rule
    record: Any
    before: int
    points: int
    counts_from: dt.date | None
    counts_until: dt.date | None


@dataclass(frozen=True)
class Score:
    """What is known of one subject on one day."""

    score: int
    tier: str
    band: str
    veto: str | None
    inputs_known: int
    inputs_total: int
    dimensions: Mapping[str, tuple[int, int]]
    hits: tuple[Hit, ...]


def grade(pack: Pack, day: dt.date, subjects: Sequence[Row], records: Sequence[Row]) -> dict[Any, Score]:
    """Every subject's score, by its key."""
    own = by_subject(pack, records)
    people = measured(pack, day, subjects, records)
    return {k: score(pack, day, k, row, own[k]) for k, row in people.items()}


def measured(
    pack: Pack, day: dt.date, subjects: Sequence[Row], records: Sequence[Row]
) -> dict[Any, dict[str, Any]]:
    """Every subject's attributes and measures, by its key."""
    own = by_subject(pack, records)
    people = {subject[pack.vocabulary.subject.key]: exact_row(subject) for subject in subjects}
    for measure in pack.measures:
        values = {k: value_of(measure, people, k, own[k], pack, day) for k in people}
        people = {k: {**row, measure.id: values[k]} for k, row in people.items()}
    return people


def by_subject(pack: Pack, records: Sequence[Row]) -> dict[Any, list[Row]]:
    """The records about each subject, by its key."""
    own: dict[Any, list[Row]] = defaultdict(list)
    for record in records:
        own[record.get(pack.vocabulary.record_subject)].append(exact_row(record))
    return own


def score(pack: Pack, day: dt.date, key: Any, subject: Row, records: Sequence[Row]) -> Score:
    """Rules 5 to 8 and 10 of "Meaning, to the last digit"."""
    in_force = [r for r in pack.rules if r.tier or r.lowers or points_on(r, day) is not None]
    found = [hit for rule in in_force for hit in hits(pack, rule, day, key, subject, records)]
    capped = tuple(hit for group in by_cap(found).values() for hit in hold_at_cap(group))
    dimensions = {}
    for dimension in pack.dimensions:
        own = [hit.points for hit in capped if hit.rule.dimension == dimension.id]
        if own:
            dimensions[dimension.id] = sum(own), hold(sum(own), dimension.floor, dimension.ceiling)
    total = pack.score.start + sum(points for _, points in dimensions.values())
    total = hold(total, pack.score.min, pack.score.max)
    asked = {"score": total} | {name: points for name, (_, points) in dimensions.items()}
    capped = tuple(h for h in capped if all(asked.get(name, 0) < bound for name, bound in h.rule.below))
    reached = [i for i, g in enumerate(pack.grades) if g.lowest is not None and total >= g.lowest]
    band = min(reached, default=max(i for i, g in enumerate(pack.grades) if g.lowest is not None))
    rules = [hit.rule for hit in capped if hit.rule.tier or hit.rule.lowers]
    vetoes = [
        (-limit(pack, rule, band), rule.lowers is not None, -(rule.lowers or 0), rule.id) for rule in rules
    ]
    worst, _, _, veto = min(vetoes, default=(0, False, 0, None))
    inputs = {n.name for rule in in_force for n in read_by(rule) if n.level is not Level.RECORD}
    known = sum(subject.get(name) is not None for name in inputs)
    tier = pack.tiers[max(band, -worst)]
    return Score(total, tier, pack.tiers[band], veto, known, len(inputs), dimensions, capped)


def limit(pack: Pack, veto: Rule, band: int) -> int:
    """Rule 8: the tier that a veto forces, or to which it lowers the one that the score gives."""
    if veto.tier:
        return pack.tiers.index(veto.tier)
    left = [n for n, grade in enumerate(pack.grades) if grade.lowest is not None and n >= band]
    return left[: 1 + veto.lowers][-1]


def read_by(rule: Rule) -> frozenset[Name]:
    window = [rule.window.start, rule.window.until] if rule.window else []
    return frozenset().union(*(names(part) for part in (rule.when.written, rule.per, *window) if part))


# Hits


def hits(
    pack: Pack, rule: Rule, day: dt.date, key: Any, subject: Row, records: Sequence[Row]
) -> Iterator[Hit]:
    """What the rule hits on the day, before caps."""
    link = pack.vocabulary.record_subject
    rows: Sequence[Row] = [subject]
    if rule.level is Level.RECORD and pack.vocabulary.records:
        rows = [{**record, **subject, pack.vocabulary.subject.key: record[link]} for record in records]
    for row in rows:
        record = (
            row[pack.vocabulary.records.key]
            if rule.level is Level.RECORD and pack.vocabulary.records
            else None
        )
        counts = rule.window is None or open_on(rule.window, row, day)
        per = value(rule.per, row, day) if rule.per else Fraction(1)
        if value(rule.when.written, row, day) is True and counts and per is not None:
            begins, ends = bounds(rule, row, day)
            if is_over(ends, day):
                continue
            points = rounded((points_on(rule, day) or 0) * per * kept(rule.window, row, day))
            points = hold(points, -LARGEST_HIT, LARGEST_HIT)
            yield Hit(key, rule, record, points, points, max(begins, default=None), min(ends, default=None))


def points_on(rule: Rule, day: dt.date) -> int | None:
    """Rule 5: the value in force on the day."""
    steps = [step for step in rule.points.steps if step[0] <= day] if rule.points else []
    return max(steps)[1] if steps else None


def open_on(window: Window, row: Row, day: dt.date) -> bool:
    """from ≤ day < the earliest of from + months, from + days, until."""
    start = value(window.start, row, day)
    return start is not None and start <= day and all(day < end for end in ends_of(window, row, day))


def ends_of(window: Window, row: Row, day: dt.date) -> list[dt.date]:
    start = value(window.start, row, day)
    ends = [add_months(start, window.months)] if window.months else []
    ends += [add_days(start, window.days)] if window.days else []
    until = value(window.until, row, day) if window.until else None
    return ends + ([until] if until is not None else [])


def kept(window: Window | None, row: Row, day: dt.date) -> Fraction:
    """The part of the points that is left after the months that have passed."""
    share = Fraction(1)
    for step in window.decay if window else ():
        if add_months(value(window.start, row, day), step.months) <= day:
            share = step.keep
    return share


def is_over(ends: Sequence[dt.date], day: dt.date) -> bool:
    """Whatever has an end has ended on the calendar's last day, after which none can be."""
    return any(end <= day for end in ends)


def bounds(owner: Rule | Measure, row: Row, day: dt.date) -> tuple[list[dt.date], list[dt.date]]:
    """The dates from and until which a hit counts: of its window and of its terms with ``as_of``."""
    begins = [value(owner.window.start, row, day)] if owner.window else []
    ends = ends_of(owner.window, row, day) if owner.window else []
    for term in conjuncts(owner.when.written if isinstance(owner, Rule) else owner.where.written):
        if isinstance(term, Compare) and reads_as_of(term):
            date, op = (term.left, term.op) if isinstance(term.right, AsOf) else (term.right, mirror(term.op))
            limit = value(date, row, day)
            begins += [add_days(limit, op == "<")] if op in ("<", "<=", "=") else []
            ends += [add_days(limit, op != ">")] if op in (">", ">=", "=") else []
    return begins, ends


def mirror(op: str) -> str:
    return op.translate(str.maketrans("<>", "><"))


# Dates: the language's own words again, so that nothing is shared with an engine


def add_months(day: dt.date, months: int) -> dt.date:
    """Rule 4: the same day so many months on or, where the month is shorter, its last."""
    years, month = divmod(day.month - 1 + months, 12)
    if not dt.MINYEAR <= day.year + years <= dt.MAXYEAR:
        return dt.date.max if months > 0 else dt.date.min
    next_month = dt.date(day.year + years, month + 1, 28)
    while day.day > next_month.day and add_days(next_month, 1).day > 1:
        next_month += dt.timedelta(days=1)
    return next_month.replace(day=min(day.day, next_month.day))


def add_days(day: dt.date, days: int) -> dt.date:
    try:
        return day + dt.timedelta(days=days)
    except OverflowError:
        return dt.date.max if days > 0 else dt.date.min


# Caps


def by_cap(found: Sequence[Hit]) -> dict[tuple[str, str], list[Hit]]:
    """A table's rows share the table's cap."""
    groups = defaultdict(list)
    for hit in found:
        groups["table" if hit.rule.table else "rule", hit.rule.table or hit.rule.id].append(hit)
    return groups


def hold_at_cap(group: Sequence[Hit]) -> Iterator[Hit]:
    """Rule 6: each hit keeps what the running sum, held at the cap, grows by."""
    running = 0
    cap = group[0].rule.cap
    low, high = (None, None) if cap is None else (cap, None) if cap < 0 else (None, cap)
    for hit in sorted(
        group, key=lambda h: (h.counts_from or dt.date.min, h.record is not None, h.record, h.rule.id)
    ):
        before, running = running, running + hit.before
        yield replace(hit, points=hold(running, low, high) - hold(before, low, high))


def held_at(cap: Any, amount: Any) -> Any:
    """A positive cap is the most, a negative one the least."""
    return amount if cap is None else min(amount, exact(cap)) if cap > 0 else max(amount, exact(cap))


def hold(points: int, low: int | None, high: int | None) -> int:
    points = points if high is None else min(points, high)
    return points if low is None else max(points, low)


def rounded(number: Fraction) -> int:
    """Rule 2: half away from zero."""
    whole = int(abs(number) + Fraction(1, 2))
    return whole if number >= 0 else -whole


# Measures


def value_of(
    measure: Measure, people: Mapping[Any, Row], key: Any, records: Sequence[Row], pack: Pack, day: dt.date
) -> Any:
    """A measure's value for the subject ``key`` with these records."""
    if measure.aggregate in DERIVED:
        return (
            derived(measure, people, key, day)
            if value(measure.where.written, people[key], day) is True
            else None
        )
    taking_part = [
        r
        for r in records
        if value(measure.where.written, r, day) is True
        and open_on(measure.window, r, day)
        and not is_over(bounds(measure, r, day)[1], day)
    ]
    if measure.by is None:
        return aggregate(measure, taking_part, pack, day)
    groups = defaultdict(list)
    for record in taking_part:
        groups[value(measure.by, record, day)].append(record)
    groups.pop(None, None)
    of_groups = {by: aggregate(measure, group, pack, day) for by, group in groups.items()}
    known = [held_at(measure.each, v) for v in of_groups.values() if v is not None]
    if measure.take is Aggregate.RUN:
        years = measure.by.function == "start_of_year"
        return Fraction(longest_run({by for by, v in of_groups.items() if v is not None}, years))
    if not known and measure.aggregate in (Aggregate.COUNT, Aggregate.SUM):
        return Fraction(0)
    return combine(measure.take, known)


def longest_run(there: set[dt.date], years: bool) -> int:
    """How many first days of months, or years, follow one another at the most."""
    months, longest = {(day.year, day.month) for day in there}, 0
    for year, month in months:
        length = 0
        while (year, month) in months:
            length += 1
            year, month = (year + 1, 1) if years or month == 12 else (year, month + 1)
        longest = max(longest, length)
    return longest


def aggregate(measure: Measure, records: Sequence[Row], pack: Pack, day: dt.date) -> Any:
    if measure.aggregate is Aggregate.COUNT:
        return Fraction(len(records))
    pairs = [(value(measure.operand, r, day), r) for r in records]
    pairs = [(v, r) for v, r in pairs if v is not None]
    if measure.aggregate is Aggregate.LATEST:
        order = [(value(measure.window.start, r, day), r[pack.vocabulary.records.key], v) for v, r in pairs]
        return max(order, key=lambda entry: entry[:2])[2] if order else None
    return combine(measure.aggregate, [v for v, _ in pairs])


def combine(how: Aggregate, known: Sequence[Any]) -> Any:
    match how:
        case Aggregate.COUNT:
            return Fraction(len(known))
        case Aggregate.SUM:
            return sum(known, Fraction(0))
        case Aggregate.MEAN:
            return four_decimals(sum(known, Fraction(0)) / len(known)) if known else None
        case _:
            return (min if how is Aggregate.MIN else max)(known, default=None)


def derived(measure: Measure, people: Mapping[Any, Row], key: Any, day: dt.date) -> Fraction | None:
    """A measure made of measures, for a subject that its ``where`` lets take part."""
    if measure.decision is not None:
        return decided(measure.decision, people[key], day)
    if measure.aggregate is Aggregate.VALUE:
        return value(measure.operand, people[key], day)
    if measure.aggregate is Aggregate.RATIO:
        part, whole = (people[key][name] for name in measure.parts)
        return None if part is None or not whole else fits(four_decimals(part / whole))
    return among_peers(measure, people, key, day)


def decided(table: Decision, row: Row, day: dt.date) -> Any:
    """What a table gives, by its hit policy."""
    met = [exact(given.value) for condition, given in table.rows if value(condition, row, day) is True]
    if table.take == "count":
        return Fraction(len(met))
    if not met:
        return None if table.default is None else exact(table.default.value)
    match table.take:
        case "sum":
            return sum(met, Fraction(0))
        case "min":
            return min(met)
        case "max":
            return max(met)
    return min(met, key=[code for code, _ in table.codes].index) if table.hit == "priority" else met[0]


def among_peers(measure: Measure, people: Mapping[Any, Row], key: Any, day: dt.date) -> Fraction | None:
    """A rank, a percentile, or how many subjects are ranked, among those of one group."""
    ranked, me = measure.parts[0], people[key]
    if me[ranked] is None or group_of(measure, me, day) is None:
        return None
    taking_part = [
        row
        for row in people.values()
        if row[ranked] is not None and value(measure.where.written, row, day) is True
    ]
    peers = [row[ranked] for row in taking_part if group_of(measure, row, day) == group_of(measure, me, day)]
    if measure.aggregate is Aggregate.PEERS:
        return Fraction(len(peers))
    better, worse = (operator.gt, operator.lt) if measure.descending else (operator.lt, operator.gt)
    if measure.aggregate is Aggregate.RANK:
        return Fraction(1 + sum(better(other, me[ranked]) for other in peers))
    if len(peers) < (measure.fewest or 2):
        return None
    return four_decimals(Fraction(100 * sum(worse(other, me[ranked]) for other in peers), len(peers) - 1))


def group_of(measure: Measure, row: Row, day: dt.date) -> Any:
    """By what a subject is grouped: the band's lowest value; None for no group."""
    if measure.by is None:
        return True
    own = value(measure.by, row, day)
    if own is None or not measure.bands:
        return own
    return max((exact(bound) for bound in measure.bands if exact(bound) <= own), default=None)


def less(one: Any, other: Any) -> Fraction:
    """Of dates the days between them."""
    return Fraction((one - other).days) if isinstance(one, dt.date) else one - other


def rounded_to(number: Fraction, digits: int) -> Fraction | None:
    return fits(Fraction(rounded(number * 10**digits), 10**digits))


def four_decimals(number: Fraction) -> Fraction:
    return Fraction(rounded(number * 10_000), 10_000)


def fits(number: Fraction) -> Fraction | None:
    """A quotient of more than 24 digits before the point is unknown."""
    return number if abs(number) < 10**24 else None


# Expressions: SQL's three-valued logic, None for unknown


def value(node: Expression, row: Row, day: dt.date) -> Any:
    match node:
        case Name():
            return row.get(node.name)
        case Literal():
            return exact(node.value)
        case AsOf():
            return day
        case Round():
            return known(lambda a, b: rounded_to(a / b, node.digits) if b else None,
                         value(node.operand, row, day), value(node.divisor, row, day))  # fmt: skip
        case Compare() | Arithmetic():
            return known(OPERATORS[node.op], value(node.left, row, day), value(node.right, row, day))
        case Shift():
            return known(
                lambda d: add_days(add_months(d, node.months), node.days), value(node.operand, row, day)
            )
        case In():
            return known(
                lambda v: v in [exact(item.value) for item in node.values], value(node.operand, row, day)
            )
        case Like():
            pattern = re.escape(node.pattern).replace("%", ".*").replace("_", ".")
            return known(
                lambda t: re.fullmatch(pattern, t, re.DOTALL) is not None, value(node.operand, row, day)
            )
        case IsNull():
            return value(node.operand, row, day) is None
        case IsTrue():
            return value(node.operand, row, day) is True
        case Not():
            return known(operator.not_, value(node.operand, row, day))
        case And() | Or():
            parts = {value(part, row, day) for part in node.parts}
            decisive = isinstance(node, Or)
            return decisive if decisive in parts else None if None in parts else not decisive
        case Call():
            return call(node.function, [value(argument, row, day) for argument in node.arguments])


def known(function: Any, *arguments: Any) -> Any:
    return None if None in arguments else function(*arguments)


def call(function: str, arguments: Sequence[Any]) -> Any:
    given = [argument for argument in arguments if argument is not None]
    return FUNCTIONS[function](given) if given else None


def exact(given: Any) -> Any:
    return Fraction(given) if isinstance(given, int | Decimal) and not isinstance(given, bool) else given


def exact_row(row: Row) -> dict[str, Any]:
    return {name: exact(given) for name, given in row.items()}
