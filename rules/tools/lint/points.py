"""Points, caps, windows and dated values that can't mean what they say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from rules.language.boxes import ANYTHING, Box
from rules.language.expressions import Call, Expression, Level, Literal, Name, conjunction, names
from rules.language.words import kind, number
from rules.model import OVER_GROUP, Dimension, Measure, Rule, Table
from rules.tools.lint.finding import Finding, Severity
from rules.tools.lint.review import Review, spans


def zero_points(review: Review) -> Iterator[Finding]:
    """Rules that give nothing; a table's row may well say 0."""
    for rule in review.pack.rules:
        if kind(rule) == "rule" and rule.points and not any(value for _, value in rule.points.steps):
            yield review.finding(
                Severity.WARNING, "zero-points", rule, rule.id, "gives no points: points are 0"
            )


def caps(review: Review) -> Iterator[Finding]:
    """Caps that no points can reach, or that one hit is over."""
    for rule in review.pack.rules:
        if rule.cap is None:
            continue
        values = _values(rule)
        if values and all(value * rule.cap < 0 for value in values):
            message = f"a cap of {number(rule.cap)} can't bind points of the other sign"
            yield review.finding(Severity.ERROR, "cap-sign", rule, rule.id, message)
        elif rule.per is None and any(abs(value) > abs(rule.cap) for value in values if value * rule.cap > 0):
            most = max(values, key=abs)
            message = f"one hit of {number(most)} is already beyond the cap of {number(rule.cap)}"
            yield review.finding(Severity.WARNING, "cap-below-hit", rule, rule.id, message)


def idle_caps(review: Review) -> Iterator[Finding]:
    """Caps of rules that hit a subject once at most."""
    for rule in review.pack.rules:
        once = rule.level is Level.SUBJECT and rule.per is None and rule.table is None
        if once and rule.cap and all(abs(value) <= abs(rule.cap) for value in _values(rule)):
            message = "the cap never binds: the rule hits a subject once at most"
            yield review.finding(Severity.NOTICE, "cap-idle", rule, rule.id, message)


def beyond_dimension(review: Review) -> Iterator[Finding]:
    """Single hits that the dimension's floor or ceiling cuts."""
    dimensions = {d.id: d for d in review.pack.dimensions}
    for rule in review.pack.rules:
        dimension = dimensions.get(rule.dimension or "")
        for value in _values(rule) if dimension and rule.per is None else ():
            if bound := _beyond(_capped(rule, value), dimension):
                message = f"one hit of {number(value)} is beyond the {bound} of {rule.dimension}"
                yield review.finding(Severity.WARNING, "beyond-dimension", rule, rule.id, message)


def _beyond(value: int, dimension: Dimension | None) -> str:
    if dimension and dimension.ceiling is not None and value > max(dimension.ceiling, 0):
        return f"ceiling {number(dimension.ceiling)}"
    if dimension and dimension.floor is not None and value < min(dimension.floor, 0):
        return f"floor {number(dimension.floor)}"
    return ""


def _capped(rule: Rule, value: int) -> int:
    if rule.cap is None or value * rule.cap <= 0:
        return value
    return min(value, rule.cap) if value > 0 else max(value, rule.cap)


def dated_values(review: Review) -> Iterator[Finding]:
    """Dated points that change nothing, or that are of another time than the pack."""
    first, until = review.span
    for rule in review.pack.rules:
        steps = rule.points.steps if rule.points else ()
        for (_, before), (day, after) in pairwise(steps):
            if before == after:
                message = f"the value of {day} is the same as the one before it: {number(after) or 'null'}"
                yield review.finding(Severity.WARNING, "dated-same", rule, rule.id, message)
        used = [value for start, end, value in spans(steps) if start < until and first < end]
        if steps and not any(value is not None for value in used):
            message = f"is never in force while the pack is ({_span(first, until)})"
            yield review.finding(Severity.ERROR, "never-in-force", rule, rule.id, message)
        elif len(used) < len(steps):
            message = f"{len(steps) - len(used)} of its dated values are never in force while the pack is"
            yield review.finding(Severity.NOTICE, "dated-unused", rule, rule.id, message, _span(first, until))


def _span(first: dt.date, until: dt.date) -> str:
    return f"from {first}" if until == dt.date.max else f"{first} until {until}"


def counts_forever(review: Review) -> Iterator[Finding]:
    """Records that are held against a subject for ever."""
    for rule in review.pack.rules:
        window = rule.window
        if window is None or rule.level is not Level.RECORD or window.months or window.days or window.until:
            continue
        against = rule.is_veto or rule.consequence or any(value < 0 for value in _values(rule))
        if against and not rule.when.ends:
            message = "counts for ever: no months, no days, no until"
            yield review.finding(
                Severity.WARNING, "counts-forever", rule, rule.id, message, "counts: {months: 12, from: …}"
            )


def no_way_out(review: Review) -> Iterator[Finding]:
    """Rules that cost points for a record, have no end, and have no remedy for such records."""
    for rule in review.pack.rules:
        if rule.level is not Level.RECORD or not any(value < 0 for value in _values(rule)):
            continue
        window = rule.window
        ends = rule.when.ends or (window and (window.months or window.days or window.until))
        both = (conjunction((rule.when.written, remedy.when)) for remedy in review.pack.remedies)
        if not ends and all(review.possible(condition) == () for condition in both):
            message = "costs points for ever: it has no end, and no remedy is for its records"
            yield review.finding(Severity.NOTICE, "no-way-out", rule, rule.id, message)


def idle_decay(review: Review) -> Iterator[Finding]:
    """Steps of a decay that leave more than the step before, or the same."""
    for rule in review.pack.rules:
        kept = [step.keep for step in rule.window.decay] if rule.window else []
        if any(later >= earlier for earlier, later in pairwise([Fraction(1), *kept])):
            message = "a step of the decay keeps as much as the time before it, or more"
            yield review.finding(Severity.WARNING, "decay-idle", rule, rule.id, message, _shares(kept))


def _shares(kept: list[Fraction]) -> str:
    return "keep " + ", ".join(str(share) for share in kept)


def endless_measures(review: Review) -> Iterator[Finding]:
    """Measures that count records of any age."""
    for measure in review.pack.measures:
        window = measure.window
        if window and not (window.months or window.days or window.until or measure.where.ends):
            yield review.finding(
                Severity.NOTICE, "measure-endless", ("measures", measure.id), measure.id,
                "measures records of any age: it has no window",
            )  # fmt: skip


def groups_of_nothing(review: Review) -> Iterator[Finding]:
    """Measures that leave out records without a sound: those of which ``by`` can be unknown."""
    for measure in review.pack.measures:
        if measure.by is None or measure.aggregate in OVER_GROUP or _has_a_last_word(measure.by):
            continue
        lost = sorted(n.name for n in names(measure.by) if not _is_known(review, measure, n))
        if lost:
            yield review.finding(
                Severity.NOTICE, "by-unknown", ("measures", measure.id, "by"), measure.id,
                f"a record of which {', '.join(lost)} is unknown is in no group, and does not count",
            )  # fmt: skip


def _has_a_last_word(by: Expression) -> bool:
    """Whether a value stands in where another is unknown."""
    return isinstance(by, Call) and any(isinstance(value, Literal) for value in by.arguments)


def _is_known(review: Review, measure: Measure, column: Name) -> bool:
    """Whether every record that takes part has a value in a column: as every record of its kind must, since
    the window begins with it, or because the measure asks for one."""
    table, window = review.pack.vocabulary.records, measure.window
    if table is None or column.name in (*table.needs, table.key, review.pack.vocabulary.record_subject):
        return True
    if window is not None and column in names(window.start):
        return True
    return all(
        not box.domains.get(column, ANYTHING).unknown or _of_its_kind(table, box, column.name)
        for box in review.possible(measure.where.written)
    )


def _of_its_kind(table: Table, box: Box, column: str) -> bool:
    """Whether the records of a box are all of kinds that fill the column."""
    named = [
        domain for name, domain in box.domains.items() if isinstance(name, Name) and name.name == table.kind
    ]
    asked = named[0].among if named else None
    kinds = [table.kinds.get(str(code)) for code in asked or ()]
    return bool(kinds) and all(kind is not None and column in kind.needs for kind in kinds)


def _values(rule: Rule) -> list[int]:
    """The points that the rule ever gives, zeros left out."""
    return [value for _, value in rule.points.steps if value] if rule.points else []
