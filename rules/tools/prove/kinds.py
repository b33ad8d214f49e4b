"""The kinds of records that the rules can tell apart, each with a record that stands for it.

Columns are given values one by one, cell by cell; records of which the rules then still ask the same are one
kind (as in a decision diagram). What a rule asks of the subject stays open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rules.language.expressions import Expression, Kind, Level, Name, Value, names
from rules.model import Table
from rules.tools.prove.cells import FALSE, Cell, Cells, fold, held

MOST_KINDS = 5_000
"""Of more kinds no solver says anything in the time that a person waits (own choice)."""


class TooManyKindsError(Exception):
    """The rules tell more kinds of records apart than can be looked at."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a rule or a measure makes of records.

    :param condition: of which.
    :param watched: the columns whose values it goes on with: what is summed, grouped, taken.
    """

    condition: Expression
    watched: frozenset[Name] = frozenset()


@dataclass(frozen=True, slots=True)
class RecordKind:
    """Records that no rule tells apart.

    :param row: the cells in which their columns lie; of a column that is not here, anything.
    :param conditions: by use, what it still asks of the subject.
    """

    row: Mapping[Name, Cell]
    conditions: tuple[Expression, ...]


def kinds_of(uses: Sequence[Use], cells: Cells, table: Table) -> tuple[RecordKind, ...]:
    """The kinds of records that any of the uses can meet.

    :raises TooManyKindsError: where they are more than :data:`MOST_KINDS`.
    """
    return _Telling(uses, cells, table).kinds()


@dataclass(frozen=True, slots=True)
class _State:
    """Rows of which some columns are given; conditions are known by their numbers."""

    row: Mapping[Name, Cell]
    conditions: tuple[int, ...]


class _Telling:
    def __init__(self, uses: Sequence[Use], cells: Cells, table: Table) -> None:
        self._uses, self._cells, self._table = uses, cells, table
        self._numbers: dict[Expression, int] = {}
        self._conditions: list[Expression] = []
        self._names: list[frozenset[Name]] = []
        self._folded: dict[tuple[int, Name, Value | None], int] = {}
        self._never = self._number(FALSE)

    def kinds(self) -> tuple[RecordKind, ...]:
        states = [_State({}, tuple(self._number(use.condition) for use in self._uses))]
        for column in self._columns():
            found: dict[object, _State] = {}
            for state in states:
                for after in self._given(state, column):
                    if any(condition != self._never for condition in after.conditions):
                        found.setdefault(self._told_apart(after), after)
            states = list(found.values())
            if len(states) > MOST_KINDS:
                raise TooManyKindsError
        return tuple(RecordKind(s.row, tuple(self._conditions[c] for c in s.conditions)) for s in states)

    def _number(self, condition: Expression) -> int:
        number = self._numbers.setdefault(condition, len(self._conditions))
        if number == len(self._conditions):
            self._conditions.append(condition)
            self._names.append(frozenset(n for n in names(condition) if n.level is Level.RECORD))
        return number

    def _columns(self) -> list[Name]:
        """Which kind first, then what has a list, since it decides the most."""
        read = frozenset().union(*self._names, *(use.watched for use in self._uses))
        order = [Kind.TEXT, Kind.BOOLEAN, Kind.NUMBER, Kind.DATE]
        return sorted(
            read,
            key=lambda n: (n.name != self._table.kind, n in self._cells.open_tests.values(), order.index(n.type.kind), n.name),
        )

    def _given(self, state: _State, column: Name) -> Iterator[_State]:
        """The state with each value that the column can have; itself where nobody asks for it."""
        pairs = zip(state.conditions, self._uses, strict=True)
        if not any(column in self._names[c] or (c != self._never and column in use.watched) for c, use in pairs):
            yield state
            return
        for cell in self._possible(column, state.row):
            conditions = tuple(self._fold(c, column, cell.value) for c in state.conditions)
            yield _State({**state.row, column: cell}, conditions)

    def _fold(self, number: int, column: Name, value: Value | None) -> int:
        if column not in self._names[number]:
            return number
        key = number, column, value
        if key not in self._folded:
            self._folded[key] = self._number(held(fold(self._conditions[number], {column: value})))
        return self._folded[key]

    def _possible(self, column: Name, row: Mapping[Name, Cell]) -> list[Cell]:
        """The cells in which the column of a row can lie, by what its vocabulary says of rows."""
        table = self._table
        kind = next((table.kinds.get(str(c.value)) for n, c in row.items() if n.name == table.kind), None)
        needed = column.name in table.needs or (kind is not None and column.name in kind.needs)
        codes = kind.values.get(column.name) if kind else None
        return [
            cell
            for cell in self._cells.of(column)
            if (not needed if cell.value is None else codes is None or cell.value in codes)
        ]

    def _told_apart(self, state: _State) -> object:
        """What tells rows from others: what is asked of them, and the values that somebody goes on with."""
        alive = (use.watched for use, c in zip(self._uses, state.conditions, strict=True) if c != self._never)
        watched = frozenset().union(*alive)
        undecided = any(self._names[condition] for condition in state.conditions)
        told = (
            (n, c) for n, c in state.row.items() if n in watched or (undecided and n.name == self._table.kind)
        )
        return state.conditions, frozenset(told)
