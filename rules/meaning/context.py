"""What every part of the second pass shares: the names in scope, and where faults are gathered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from rules.fault import Fault
from rules.language.expressions import TEXT, TRUE, Expression, Level, Name
from rules.language.parse import ConditionError, Scope, UndeclaredNameError, parse_condition, parse_expression
from rules.language.time_terms import take_time_out
from rules.model import Column, Measure, Vocabulary, When
from rules.text.source import Document, Path
from rules.titles import Title

T = TypeVar("T")


class Context:
    """The document that is read, its vocabulary, and the faults found so far.

    :ivar record_scope: what conditions of measures may name: a record's columns.
    :ivar subject_scope: a subject's attributes.
    :ivar faulty: measures that are declared and could not be built; to name one is no second fault.
    :ivar measures: those that were built.
    :ivar scope: what rules may name: columns, attributes and, once they are built, measures.
    """

    def __init__(self, document: Document, vocabulary: Vocabulary) -> None:
        self.document, self.vocabulary = document, vocabulary
        self.faults: list[Fault] = []
        self.faulty: set[str] = set()
        self.attributes = vocabulary.subject.columns
        self.records = vocabulary.records.columns if vocabulary.records else {}
        self.record_scope = scope_of(self.records, Level.RECORD)
        self.subject_scope = scope_of(self.attributes, Level.SUBJECT)
        self.scope = self.record_scope
        self.measures: tuple[Measure, ...] = ()

    def declare(self, measures: Iterable[Measure]) -> None:
        """Makes attributes and measures known beside the records' columns."""
        self.measures = tuple(measures)
        known = dict(self.record_scope.names)
        known.pop(self.vocabulary.record_subject, None)
        known |= self.subject_scope.names
        values = {**self.record_scope.values, **self.subject_scope.values}
        for measure in self.measures:
            known[measure.id] = Name(measure.id, Level.MEASURE, measure.type)
            if isinstance(measure.operand, Name) and measure.type == TEXT and measure.operand.name in values:
                values[measure.id] = values[measure.operand.name]
        self.scope = Scope(known, {**values, **_codes(self.measures)})

    def subject_and(self, measures: Iterable[Measure]) -> Scope:
        """What may be named of a subject: its attributes and these measures."""
        measures = tuple(measures)
        known = {m.id: Name(m.id, Level.MEASURE, m.type) for m in measures}
        scope = self.subject_scope
        return Scope({**scope.names, **known}, {**scope.values, **_codes(measures)})

    def report(self, path: Path, text: str, message: str, hint: str = "", offset: int = 0) -> None:
        """Notes a fault with the value at ``path``."""
        self.faults.append(self.document.fault(path, text, message, hint, offset))

    def attempt(self, path: Path, text: str, build: Callable[[], T]) -> T | None:
        """What ``build`` makes of the text at ``path``; None, and a fault noted, where it can't."""
        try:
            return build()
        except ConditionError as error:
            if not (isinstance(error, UndeclaredNameError) and error.text in self.faulty):
                offset = max(0, text.find(error.text)) if error.offset is None else error.offset
                self.report(path, error.text or text, error.message, error.hint, offset)
            return None

    def condition(self, text: str | None, path: Path, scope: Scope | None = None) -> Expression | None:
        """The condition at ``path``; no condition is always true."""
        if text is None:
            return TRUE
        return self.attempt(path, text, lambda: parse_condition(text, scope or self.scope))

    def when(self, text: str | None, path: Path, scope: Scope | None = None) -> When | None:
        """The condition at ``path`` with its time taken apart."""
        found = self.condition(text, path, scope)
        return None if found is None else self.attempt(path, text or "", lambda: take_time_out(found))

    def expression(self, text: str, path: Path, scope: Scope | None = None) -> Expression | None:
        """The expression at ``path``."""
        return self.attempt(path, text, lambda: parse_expression(text, scope or self.scope))


def _codes(measures: Iterable[Measure]) -> dict[str, Mapping[str, Title]]:
    """The texts that tables can give."""
    return {m.id: dict(m.decision.codes) for m in measures if m.decision and m.decision.codes}


def scope_of(columns: Mapping[str, Column], level: Level) -> Scope:
    """What conditions about columns may name."""
    return Scope(
        {name: Name(name, level, column.type) for name, column in columns.items()},
        {name: column.values for name, column in columns.items() if column.values},
    )
