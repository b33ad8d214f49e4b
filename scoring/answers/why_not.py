"""Why not: what kept each rule from hitting a subject, judged by the record that came nearest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.language.evaluate import Counting, Function, Row, compiled
from rules.language.expressions import TRUE, Expression, Level, conjuncts, names, reads_as_of, render
from rules.model import Pack, Rule
from rules.plan import rules_in_force


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
class _Term:
    """A term of a condition.

    :param moving: whether it moves with the day.
    :param on_record: whether it reads the record.
    """

    expression: Expression
    value: Function
    moving: bool
    on_record: bool

    @classmethod
    def of(cls, term: Expression) -> _Term:
        on_record = any(name.level is Level.RECORD for name in names(term))
        return cls(term, compiled(term), reads_as_of(term), on_record)


@dataclass(frozen=True, slots=True)
class _Condition:
    """A rule with its condition taken apart.

    :param terms: all of them must be true.
    :param first: the first that reads the record; ``true`` where none does.
    """

    rule: Rule
    terms: tuple[_Term, ...]
    first: _Term
    counting: Counting

    @classmethod
    def of(cls, rule: Rule) -> _Condition:
        terms = tuple(map(_Term.of, conjuncts(rule.when.written)))
        first = next((term for term in terms if term.on_record), _Term.of(TRUE))
        return cls(rule, terms, first, Counting.of(rule.window, rule.when))


class Misses:
    """Finds the misses of the rules in force on a day, their conditions taken apart once for all subjects."""

    def __init__(self, pack: Pack, as_of: dt.date) -> None:
        self._vocabulary, self._as_of, self._rules = pack.vocabulary, as_of, rules_in_force(pack, as_of)
        self._conditions = tuple(_Condition.of(rule) for rule in self._rules)

    def of(self, subject: Row, records: Sequence[Row], hit: set[str]) -> Iterable[Miss]:
        """A miss for each rule, and for each table of which no row hit the row that came nearest.

        :param subject: its attributes and measures.
        :param records: the records about it.
        :param hit: the ids of the rules that hit.
        """
        tables = {rule.table for rule in self._rules if rule.table and rule.id in hit}
        subject = {**subject, "as_of": self._as_of}
        candidates = _Candidates([{**subject, **record} for record in records])
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
        rule, vocabulary = condition.rule, self._vocabulary
        if rule.level is not Level.RECORD or vocabulary.records is None:
            return self._judged(condition, subject, None)
        rows = candidates.meeting(condition.first)
        if not rows:
            first = condition.first.expression
            missing = () if first == TRUE else (Failed(render(first), {}, False),)
            others = [term for term in _failing(condition, subject) if not term.on_record]
            return Miss(rule, None, missing + tuple(_failed(term, subject) for term in others), None)
        row = min(rows, key=lambda candidate: self._distance(condition, candidate))
        return self._judged(condition, row, str(row[vocabulary.records.key]))

    def _judged(self, condition: _Condition, row: Row, record_id: str | None) -> Miss:
        failing = _failing(condition, row)
        window = None if failing else _days(condition, row)
        return Miss(condition.rule, record_id, tuple(_failed(term, row) for term in failing), window)

    def _distance(self, condition: _Condition, row: Row) -> tuple[int, int]:
        """How near a row is to being a hit: terms that fail, then days by which its window misses the day."""
        failing = _failing(condition, row)
        days = None if failing else _days(condition, row)
        if days is None:
            return len(failing), dt.date.max.toordinal()
        (start, end), as_of = days, self._as_of
        return 0, max((start - as_of).days, (as_of - end).days if end else 0)


def _failing(condition: _Condition, row: Row) -> list[_Term]:
    """The terms that keep a row out. Where only the day does, the window says so."""
    found = [(term, value) for term in condition.terms if (value := term.value(row)) is not True]
    if all(term.moving and value is False for term, value in found):
        return []
    return [term for term, _ in found]


def _days(condition: _Condition, row: Row) -> tuple[dt.date, dt.date | None] | None:
    """The days on which a row counts, by the rule's window and the moving terms of its condition."""
    counted = condition.counting.on(row)
    return None if counted is None else (counted.first or dt.date.min, counted.until)


def _failed(term: _Term, row: Row) -> Failed:
    seen = {n.name: row.get(n.name) for n in sorted(names(term.expression), key=lambda n: n.name)}
    return Failed(render(term.expression), seen, term.value(row) is None)


class _Candidates:
    """A subject's records with its own values. Many rules begin alike: whom a first term lets in is kept."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._meeting: dict[Expression, list[Row]] = {}

    def meeting(self, first: _Term) -> list[Row]:
        """The rows of which a term is true."""
        if first.expression not in self._meeting:
            self._meeting[first.expression] = [row for row in self._rows if first.value(row) is True]
        return self._meeting[first.expression]
