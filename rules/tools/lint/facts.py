"""One fact that several rules count, where the pack does not say that it is meant.

A rule that is judged once a record counts that record; one that is judged once a subject, the records that
take part in the measures which its condition reads. (Measures in a rule on records are circumstances.) What
can't be taken apart (:mod:`rules.language.boxes`) is held to be met: a pair too many can be named, but of one
record none is left out. That two records tell of one fact, nobody can see from the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from rules.language.boxes import Box, Domain
from rules.language.expressions import Expression, Level, Name, Shift, names
from rules.model import DERIVED, Aggregate, Measure, Rule, Window
from rules.tools.lint.conditions import MAX_COMPARED
from rules.tools.lint.finding import Finding, Severity
from rules.tools.lint.review import Review

_SOME = Domain(low=Decimal(1))


@dataclass(frozen=True, slots=True)
class _Counted:
    """Records that a rule counts: what they and their subject hold, and when they count."""

    box: Box
    window: Window | None


def facts_met_twice(review: Review) -> Iterator[Finding]:
    """Pairs of rules that one record can meet, and that the pack does not name together."""
    rules = [rule for rule in review.pack.rules if _does_something(rule)]
    if review.pack.authority is None or len(rules) > MAX_COMPARED:
        return
    counted = {rule.id: list(_counted(review, rule)) for rule in rules}
    told: set[frozenset[str]] = set()
    for one, other in combinations(rules, 2):
        pair = frozenset((_name(one), _name(other)))
        if pair in told or not _both_count(review, one, other) or _stated(review, one, other):
            continue
        met = next(_met(counted[one.id], counted[other.id]), None)
        if met is not None:
            told.add(pair)
            yield review.finding(
                Severity.WARNING, "one-fact-twice", other, other.id,
                f"one record can count for it and for {one.id}: say why in together, or let one give way",
                _shown(met),
            )  # fmt: skip


def _does_something(rule: Rule) -> bool:
    if rule.consequence:
        return False
    return rule.points is None or any(value for _, value in rule.points.steps)


def _name(rule: Rule) -> str:
    return rule.table or rule.id


def _both_count(review: Review, one: Rule, other: Rule) -> bool:
    """Whether both can weigh on one result: of two vetoes the worse does, of some tables' rows one."""
    if one.is_veto and other.is_veto:
        return False
    if one.table is not None and one.table == other.table:
        index = int(review.path(one)[1])
        if review.entries("tables")[index]["hit"] != "collect":
            return False
    return review.together(one, other)


def _stated(review: Review, one: Rule, other: Rule) -> bool:
    return any(
        {one.id, _name(one)} & set(entry.rules) and {other.id, _name(other)} & set(entry.rules)
        for entry in review.pack.together
    )


def _met(ones: list[_Counted], others: list[_Counted]) -> Iterator[Box]:
    for one in ones:
        for other in others:
            both = one.box.both(other.box)
            if (
                not both.empty
                and not _apart(one.window, other.window)
                and not _apart(other.window, one.window)
            ):
                yield both


def _apart(earlier: Window | None, later: Window | None) -> bool:
    """Whether the first window, certainly, has ended when the second begins."""
    if earlier is None or later is None or earlier.months is None:
        return False
    start, months = _shifted(earlier.start)
    then, after = _shifted(later.start)
    return start == then and months + earlier.months <= after


def _shifted(date: Expression) -> tuple[Expression, int]:
    if isinstance(date, Shift) and date.days == 0:
        return date.operand, date.months
    return date, 0


def _counted(review: Review, rule: Rule) -> Iterator[_Counted]:
    """The record that a rule is judged by; of one that is judged once a subject, those of its measures."""
    measures = {measure.id: measure for measure in review.pack.measures}
    for box in review.boxes[rule.id]:
        if rule.level is Level.RECORD:
            yield _Counted(box, rule.window)
            continue
        for operand, domain in box.domains.items():
            for name in _measured(operand):
                asked = domain if operand == name else None
                for found in _of_measure(review, measures, measures[name.name], asked):
                    yield _Counted(found.box.both(box), found.window)


def _measured(operand: Expression) -> list[Name]:
    return sorted((n for n in names(operand) if n.level is Level.MEASURE), key=lambda n: n.name)


def _of_measure(
    review: Review, measures: Mapping[str, Measure], measure: Measure, asked: Domain | None
) -> Iterator[_Counted]:
    """The records that take part in a measure while it has one of the values asked for."""
    if measure.aggregate in DERIVED:
        for part in measure.parts:
            yield from _of_measure(review, measures, measures[part], None)
        return
    is_count = {Aggregate.COUNT, Aggregate.RUN} & {measure.aggregate, measure.take}
    if asked is not None and is_count and not asked.meets(_SOME):
        return  # such a record keeps the rule from being met
    latest: dict[Expression, Domain] = {}
    if asked is not None and measure.aggregate is Aggregate.LATEST and not measure.take and measure.operand:
        latest = {measure.operand: asked}
    for box in review.possible(measure.where.written):
        both = box.both(Box(latest))
        if not both.empty:
            yield _Counted(both, measure.window)


def _shown(box: Box) -> str:
    """A record of both, by the codes of its columns."""
    coded = [(o.name, d.among) for o, d in box.domains.items() if isinstance(o, Name) and d.among]
    return ", ".join(f"{name} = {min(map(str, codes))}" for name, codes in coded)
