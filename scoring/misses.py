"""Why not: what kept each rule from hitting a subject, judged by the record that came nearest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.evaluate import Row, evaluate, window_on
from rules.expressions import TRUE, Expression, Level, conjuncts, names, reads_as_of, render
from rules.model import Rule, When
from scoring.day_plan import DayPlan


@dataclass(frozen=True, slots=True)
class Failed:
    """A term of a condition that was not true, and the values that it saw."""

    term: str
    found: Mapping[str, Any]
    unknown: bool


@dataclass(frozen=True, slots=True)
class Miss:
    """A rule that did not hit, judged by the record that came nearest.

    :param record_id: that record; None for a rule on the subject, or where there is no record at all.
        A rule of which no record meets the first term has none either, and that term alone has failed.
    :param failed: the terms that kept it out.
    :param window: where the condition holds: the days on which it counted or will count. Where the day of the
        run is one of them, what the points are multiplied by is unknown.
    """

    rule: Rule
    record_id: str | None
    failed: tuple[Failed, ...]
    window: tuple[dt.date, dt.date | None] | None


@dataclass(frozen=True, slots=True)
class _Condition:
    """A rule with its condition taken apart.

    :param terms: all of them must be true.
    :param moving: those of them that move with the day.
    :param on_subject: those that read no record.
    :param first: the first that reads the record; ``true`` where none does.
    """

    rule: Rule
    terms: tuple[Expression, ...]
    moving: tuple[Expression, ...]
    on_subject: tuple[Expression, ...]
    first: Expression
    timed: When

    @classmethod
    def of(cls, rule: Rule) -> _Condition:
        terms = conjuncts(rule.when.written)
        on_record = [term for term in terms if any(n.level is Level.RECORD for n in names(term))]
        return cls(
            rule=rule,
            terms=terms,
            moving=tuple(term for term in terms if reads_as_of(term)),
            on_subject=tuple(term for term in terms if term not in on_record),
            first=on_record[0] if on_record else TRUE,
            timed=rule.when,
        )


class Misses:
    """Finds the misses of a plan's rules, with their conditions taken apart once for all subjects."""

    def __init__(self, plan: DayPlan) -> None:
        self._plan = plan
        self._conditions = tuple(_Condition.of(rule) for rule in plan.rules)

    def of(self, subject: Row, records: Sequence[Row], hit: set[str]) -> Iterable[Miss]:
        """A miss for each rule, and for each table of which no row hit the row that came nearest.

        :param subject: its attributes and measures.
        :param records: the records about it.
        :param hit: the ids of the rules that hit.
        """
        tables = {rule.table for rule in self._plan.rules if rule.table and rule.id in hit}
        candidates = _Candidates([{**subject, **record} for record in records], self._plan.as_of)
        nearest: dict[str, Miss] = {}
        for condition in self._conditions:
            rule = condition.rule
            if rule.id in hit or rule.table in tables:
                continue
            miss = self._miss(condition, subject, candidates)
            owner = f"table {rule.table}" if rule.table else f"rule {rule.id}"
            if owner not in nearest or len(miss.failed) < len(nearest[owner].failed):
                nearest[owner] = miss
        return nearest.values()

    def _miss(self, condition: _Condition, subject: Row, candidates: _Candidates) -> Miss:
        rule, vocabulary = condition.rule, self._plan.pack.vocabulary
        if rule.level is not Level.RECORD or vocabulary.records is None:
            return self._judged(condition, subject, None)
        rows = candidates.meeting(condition.first)
        if not rows:
            missing = () if condition.first == TRUE else (Failed(render(condition.first), {}, False),)
            others = [term for term in self._failing(condition, subject) if term in condition.on_subject]
            return Miss(rule, None, missing + tuple(self._failed(term, subject) for term in others), None)
        row = min(rows, key=lambda candidate: self._distance(condition, candidate))
        return self._judged(condition, row, str(row[vocabulary.records.key]))

    def _judged(self, condition: _Condition, row: Row, record_id: str | None) -> Miss:
        failing = self._failing(condition, row)
        window = None if failing else self._days(condition, row)
        return Miss(condition.rule, record_id, tuple(self._failed(term, row) for term in failing), window)

    def _distance(self, condition: _Condition, row: Row) -> tuple[int, int]:
        """How near a row is to being a hit: terms that fail, then days by which its window misses the day."""
        failing = self._failing(condition, row)
        days = None if failing else self._days(condition, row)
        if days is None:
            return len(failing), dt.date.max.toordinal()
        (start, end), as_of = days, self._plan.as_of
        return 0, max((start - as_of).days, (as_of - end).days if end else 0)

    def _failing(self, condition: _Condition, row: Row) -> list[Expression]:
        """The terms that keep a row out. Where only the day does, the window says so."""
        as_of = self._plan.as_of
        failing = [term for term in condition.terms if evaluate(term, row, as_of) is not True]
        if all(term in condition.moving and evaluate(term, row, as_of) is False for term in failing):
            return []
        return failing

    def _days(self, condition: _Condition, row: Row) -> tuple[dt.date, dt.date | None] | None:
        """The days on which a row counts, by the rule's window and the moving terms of its condition."""
        as_of, rule, timed = self._plan.as_of, condition.rule, condition.timed
        window = window_on(rule.window, row, as_of) if rule.window else (dt.date.min, None)
        if window is None:
            return None
        begins = [evaluate(date, row, as_of) for date in timed.begins]
        ends = [evaluate(date, row, as_of) for date in timed.ends] + ([window[1]] if window[1] else [])
        return max([window[0], *begins]), min(ends, default=None)

    def _failed(self, term: Expression, row: Row) -> Failed:
        seen = {n.name: row.get(n.name) for n in sorted(names(term), key=lambda n: n.name)}
        return Failed(render(term), seen, evaluate(term, row, self._plan.as_of) is None)


class _Candidates:
    """A subject's records with its own values. Many rules begin alike: whom a first term lets in is kept."""

    def __init__(self, rows: Sequence[Row], as_of: dt.date) -> None:
        self._rows, self._as_of = rows, as_of
        self._meeting: dict[Expression, list[Row]] = {}

    def meeting(self, first: Expression) -> list[Row]:
        """The rows of which a term is true."""
        if first not in self._meeting:
            self._meeting[first] = [r for r in self._rows if evaluate(first, r, self._as_of) is True]
        return self._meeting[first]
