"""A pack under review: the pack, its text, and what the checks share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from rules.language.boxes import Boxes, Domain, Limits, boxes
from rules.language.expressions import Call, Expression, Level, Name
from rules.language.parse import Scope
from rules.model import Aggregate, Column, Measure, Pack, Rule
from rules.text.source import Document, Path
from rules.tools.lint.finding import Finding, Severity

_ZERO = Decimal(0)


@dataclass(frozen=True)
class Review:
    """What a check reads. Findings are placed in the text that the pack was loaded from."""

    pack: Pack
    document: Document

    def finding(
        self,
        severity: Severity,
        check: str,
        about: Rule | Path,
        subject: str,
        message: str,
        example: str = "",
    ) -> Finding:
        """A finding about a rule, or about what stands at a path of the document."""
        path = self.path(about) if isinstance(about, Rule) else about
        return Finding(self.document.place(path), severity, check, subject, message, example)

    def path(self, rule: Rule) -> Path:
        """Where a rule, table row or veto stands in the document."""
        return self._paths[rule.id]

    def path_of(self, measure: Measure) -> Path:
        """Where a measure stands in the document, or the table that gives it."""
        if measure.decision is None:
            return ("measures", measure.id, "?")
        [index] = [i for i, table in enumerate(self.entries("tables")) if table["id"] == measure.id]
        return ("tables", index)

    @cached_property
    def _paths(self) -> Mapping[str, Path]:
        paths: dict[str, Path] = {}
        for part in ("rules", "vetoes", "consequences"):
            paths |= {str(entry["id"]): (part, i) for i, entry in enumerate(self.entries(part))}
        for i, table in enumerate(self.entries("tables")):
            paths |= {f"{table['id']}.{n + 1}": ("tables", i, "rows", n) for n in range(len(table["rows"]))}
            paths[f"{table['id']}.default"] = ("tables", i, "default")
        return paths

    def entries(self, part: str) -> list[dict[str, Any]]:
        """A list of the document; empty where the pack has none."""
        return list(self.document.data.get(part) or [])

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """Every column that a condition can name."""
        vocabulary = self.pack.vocabulary
        records = vocabulary.records.columns if vocabulary.records else {}
        return {**records, **vocabulary.subject.columns}

    @cached_property
    def scope(self) -> Scope:
        """The names of the pack's conditions."""
        attributes = self.pack.vocabulary.subject.columns
        names = {
            n: Name(n, Level.SUBJECT if n in attributes else Level.RECORD, c.type)
            for n, c in self.columns.items()
        }
        names |= {m.id: Name(m.id, Level.MEASURE, m.type) for m in self.pack.measures}
        return Scope(names, {n: c.values for n, c in self.columns.items() if c.values})

    @cached_property
    def limits(self) -> Limits:
        """What values the columns and measures can have at all."""
        domains = {n: _coded(c.values) for n, c in self.columns.items() if c.values}
        domains |= {m.id: found for m in self.pack.measures if (found := self._measured(m))}
        return {self.scope.names[name]: domain for name, domain in domains.items()}

    def _measured(self, measure: Measure) -> Domain | None:
        if measure.take in (Aggregate.COUNT, Aggregate.RUN):
            return Domain(low=_ZERO, high=_most_periods(measure))
        if measure.aggregate is Aggregate.COUNT and measure.take in (None, Aggregate.SUM):
            return Domain(low=_ZERO)
        if measure.aggregate is Aggregate.RANK:
            return Domain(low=_ZERO + 1, unknown=True)
        if measure.aggregate is Aggregate.PERCENTILE:
            return Domain(low=_ZERO, high=_ZERO + 100, unknown=True)
        codes = self.codes(measure.id)
        return _coded(codes) if codes else None

    def codes(self, name: str) -> tuple[str, ...]:
        """The codes that a column, or a measure that takes its latest value, can have; empty for any text."""
        for measure in self.pack.measures:
            if measure.id == name and measure.decision is not None:
                return tuple(dict(measure.decision.codes))
            if measure.id == name and measure.take is None and isinstance(measure.operand, Name):
                name = measure.operand.name
        return tuple(self.columns[name].values) if name in self.columns else ()

    @cached_property
    def boxes(self) -> Mapping[str, Boxes]:
        """Rule id → the alternatives in which it can hit."""
        return {rule.id: self.possible(rule.when.written) for rule in self.pack.rules}

    def possible(self, condition: Expression) -> Boxes:
        """The alternatives of a condition that something can meet. What rows before a row take is not looked
        into: it is a matter of the table, see :mod:`rules.tools.lint.tables`."""
        return boxes(condition, limits=self.limits, open_is_true=False)

    @cached_property
    def span(self) -> tuple[dt.date, dt.date]:
        """The days on which the pack is in force: from the first until before the second."""
        return self.pack.in_force_from, self.pack.in_force_until or dt.date.max

    def in_force(self, rule: Rule) -> list[tuple[dt.date, dt.date]]:
        """The days on which pack and rule are in force: each from the first until before the second."""
        first, until = self.span
        used = spans(rule.points.steps) if rule.points else [(dt.date.min, dt.date.max, 0)]
        days = [(max(start, first), min(end, until)) for start, end, value in used if value is not None]
        return [(start, end) for start, end in days if start < end]

    def together(self, one: Rule, other: Rule) -> bool:
        """Whether there is a day on which both rules are in force."""
        days = {self.span[0], *(start for r in (one, other) if r.points for start, _ in r.points.steps)}
        return any(
            in_force(one, day) and in_force(other, day) for day in days if self.span[0] <= day < self.span[1]
        )


def _most_periods(measure: Measure) -> Decimal | None:
    """How many months or years the records of a window can lie in that begins on the date that is grouped."""
    window, by = measure.window, measure.by
    if measure.months_long is None or not isinstance(by, Call) or not window or window.months is None:
        return None
    whole = -(-window.months // measure.months_long)
    return Decimal(whole + 1) if window.start == by.arguments[0] else None


def _coded(codes: Iterable[str]) -> Domain:
    return Domain(frozenset(codes), unknown=True)


def in_force(rule: Rule, day: dt.date) -> bool:
    """Whether a rule has points on the day; a veto always is in force."""
    return rule.points is None or rule.points.on(day) is not None


def spans(
    steps: tuple[tuple[dt.date, int | None], ...],
) -> Iterator[tuple[dt.date, dt.date, int | None]]:
    """Dated values with the days on which each is in force: from the first until before the second."""
    ends = [*(start for start, _ in steps[1:]), dt.date.max][: len(steps)]
    yield from ((start, end, value) for (start, value), end in zip(steps, ends, strict=True))
