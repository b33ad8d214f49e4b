"""The kinds of records that the rules can tell apart, each with a record that stands for it.

Columns are given values one by one, cell by cell; records of which the rules then still ask the same are one
kind (as in a decision diagram). What a rule asks of the subject stays open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rules.language.expressions import TRUE, Expression, Kind, Level, Name, Value, names
from rules.model import Table
from rules.tools.prove.cells import FALSE, Cell, Cells, fold, held

MOST_KINDS = 20_000
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
    :param conditions: by use that can meet them, what it still asks of the subject.
    """

    row: Mapping[Name, Cell]
    conditions: Mapping[int, Expression]


def kinds_of(
    uses: Sequence[Use], cells: Cells, table: Table, without: Expression = FALSE
) -> tuple[RecordKind, ...]:
    """The kinds of records that any of the uses can meet.

    :param without: which records there are not: a last use, where it depends on the subject.
    :raises TooManyKindsError: where they are more than :data:`MOST_KINDS`.
    """
    return _Telling((*uses, Use(without)), cells, table).kinds()


@dataclass(frozen=True, slots=True)
class _State:
    """Rows of which some columns are given; (use, number of what it asks), of the uses that can meet them."""

    row: Mapping[Name, Cell]
    asked: tuple[tuple[int, int], ...]


class _Telling:
    """:param uses: the last says which records there are not."""

    def __init__(self, uses: Sequence[Use], cells: Cells, table: Table) -> None:
        self._uses, self._cells, self._table = uses, cells, table
        self._numbers: dict[Expression, int] = {}
        self._conditions: list[Expression] = []
        self._names: list[frozenset[Name]] = []
        self._folded: dict[tuple[Name, Value | None], dict[int, int]] = defaultdict(dict)
        self._never, self._always = self._number(FALSE), self._number(TRUE)

    def kinds(self) -> tuple[RecordKind, ...]:
        """What is left when all columns are given."""
        asked = ((use, self._number(made.condition)) for use, made in enumerate(self._uses))
        states = [_State({}, tuple(asked))]
        for column in self._columns():
            found: dict[object, _State] = {}
            for state in states:
                for after in self._given(state, column):
                    if self._counts(after):
                        found.setdefault(self._told_apart(after), after)
            states = list(found.values())
            if len(states) > MOST_KINDS:
                raise TooManyKindsError
        return tuple(
            RecordKind(state.row, {use: self._conditions[c] for use, c in state.asked}) for state in states
        )

    def _counts(self, state: _State) -> bool:
        """Whether somebody can meet the rows, and there can be any."""
        last = len(self._uses) - 1
        return any(use != last for use, _ in state.asked) and (last, self._always) not in state.asked

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
        left_open = set(self._cells.open_tests.values())
        return sorted(
            read, key=lambda n: (n.name != self._table.kind, n in left_open, order.index(n.type.kind), n.name)
        )

    def _given(self, state: _State, column: Name) -> Iterator[_State]:
        """The state with each value that the column can have; itself where nobody asks for it."""
        if not any(column in self._names[c] or column in self._uses[use].watched for use, c in state.asked):
            yield state
            return
        for cell in self._possible(column, state.row):
            known = self._folded[column, cell.value]
            for number in {c for _, c in state.asked} - known.keys():
                known[number] = self._fold(number, column, cell.value)
            folded = ((use, known[c]) for use, c in state.asked)
            asked = tuple((use, c) for use, c in folded if c != self._never)
            yield _State({**state.row, column: cell}, asked)

    def _fold(self, number: int, column: Name, value: Value | None) -> int:
        condition = self._conditions[number]
        folded = held(fold(condition, {column: value})) if column in self._names[number] else condition
        return self._number(folded)

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
        watched = frozenset().union(*(self._uses[use].watched for use, _ in state.asked))
        undecided = any(self._names[c] for _, c in state.asked)
        told = (
            (n, c) for n, c in state.row.items() if n in watched or (undecided and n.name == self._table.kind)
        )
        return state.asked, frozenset(told)
