"""A claim as a question to the solver: is there a subject of which it is not true?"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, TypeVar

import z3

from rules.language.boxes import Domain, Limits, value_at
from rules.language.expressions import TRUE, Expression, Kind, Level, Name, Value, names
from rules.model import Column, Pack
from rules.tools.prove.cells import FALSE, Cell, Cells
from rules.tools.prove.claims import SCORES, TIERS, Claim
from rules.tools.prove.day import Sheet, on_day, read_by
from rules.tools.prove.kinds import RecordKind, Use, kinds_of
from rules.tools.prove.sums import YES, Facts, Result, Summing, uses_of
from rules.tools.prove.values import Number, Symbol, Terms

SIZES = (0, 1, 2, 4, 8)
"""Of so many records at most a subject is looked for first: a short example says more than a long one."""
MOST_RECORDS = 200
"""Of more records no example is made: nobody reads it (own choice)."""

MOST_SAMPLED = 3
"""A subject taken at random has records of so many kinds at most, and so many of each (own choice)."""

MOST_REFUSED = 30
"""After so many that are not accepted no more are looked for (own choice)."""

T = TypeVar("T")
Row = dict[str, Value | None]


@dataclass(frozen=True, slots=True)
class Found:
    """A subject of which, by the terms, the claim is not true.

    :param records: what is known of it, in the order of their numbers.
    :param more: the record that B judges besides.
    """

    subject: Row
    records: tuple[Row, ...]
    more: Row | None


class Question:
    """Asks for subjects of which a claim is not true, one after the other, the smallest first.

    :param most: how many intervals of a record's column are looked at: fewer than all (None) are quick, and
        prove nothing.
    :ivar left_open: what was held possible beyond what the rules say: measures, rules and tests.
    :raises TooManyKindsError: where rules tell too many kinds of records apart.
    """

    def __init__(self, a: Pack, b: Pack, claim: Claim, day: dt.date, most: int | None = None) -> None:
        self._sizes = (*SIZES, None) if most else (SIZES[-1], None)
        self._table, self._subjects = b.vocabulary.records, b.vocabulary.subject
        self._terms, self._day = Terms(), day
        cells = Cells(day, _codes(a, b), _possible(b), most)
        sheets = [
            read_by(on_day(pack, day), partial(cells.read, side=side)) for pack, side in ((a, "a"), (b, "b"))
        ]
        where, without, adding = (cells.read(c or FALSE) for c in (claim.where, claim.without, claim.adding))
        uses = [*uses_of(sheets[0], cells), *uses_of(sheets[1], cells), Use(adding)]
        self._cells = cells
        self._kinds = kinds_of(uses, cells, self._table, without) if self._table else ()
        self._uses = uses
        self._attributes = self._named(sheets, where)
        counts = [self._terms.whole(low=0) for _ in self._kinds]
        self._before = self._after = Facts(self._kinds, counts)
        self._added: list[Any] = []
        if claim.adding is not None:
            self._added = [self._terms.whole(0, 1) for _ in self._kinds]
            more = [count + new for count, new in zip(counts, self._added, strict=True)]
            self._after = Facts(self._kinds, more, self._before)
        one, other = self._judged(sheets)
        self._solver = z3.SimpleSolver()
        self._solver.set("arith.solver", 2)  # of a few hundred counts the simplex of old is the faster
        self._solver.add(*self._bounds(claim), self._true(where), z3.Not(self._kept(claim, one, other)))
        self._solver.add(*self._terms.sides)
        self.left_open = tuple(dict.fromkeys([*self._terms.left_open, *self._open_tests(sheets)]))

    @property
    def whole(self) -> bool:
        """Whether all kinds of records are looked at."""
        return not self._cells.thinned

    def ask(self, seconds: float, accept: Callable[[Found], T | None]) -> tuple[T | None, bool]:
        """Looks for a subject that is accepted.

        :param accept: what a subject is accepted as; None where it is not.
        :return: that, and whether there is none, certainly.
        """
        until, refused = time.monotonic() + seconds, 0
        for size in self._sizes:
            self._solver.push()
            if size is not None:
                self._solver.add(z3.Sum([z3.IntVal(0), *self._before.counts]) <= size)
            while (answer := self._check(until)) == z3.sat:
                model = self._solver.model()
                found = self._found(model)
                accepted = None if found is None else accept(found)
                if accepted is not None:
                    return accepted, False
                refused += 1
                if refused == MOST_REFUSED:
                    return None, False
                self._solver.add(self._another(model))
            if answer == z3.unknown:
                return None, False
            self._solver.pop()
        return None, not refused and self.whole

    def _check(self, until: float) -> Any:
        left = int((until - time.monotonic()) * 1000)
        if left <= 0:
            return z3.unknown
        self._solver.set("timeout", left)
        return self._solver.check()

    def samples(self, number: int) -> Iterator[Found]:
        """Subjects with few records, taken at random, the same each time.

        Where a score has to lie near a tier's bound the solver is slow, and many a subject has such a score.
        """
        chance, last = Random(0), len(self._uses)
        cells = {n: self._values(n) for n in self._attributes if not n.name.startswith("?")}
        kinds = [kind for kind in self._kinds if last not in kind.conditions]
        more = [kind for kind in kinds if kind.conditions.get(last - 1) == TRUE] if self._added else []
        for _ in range(number if kinds and (more or not self._added) else 0):
            given = {name.name: chance.choice(of).value for name, of in cells.items()}
            subject: Row = {name: value for name, value in given.items() if value is not None}
            taken = [
                kind
                for kind in chance.choices(kinds, k=chance.randint(0, MOST_SAMPLED))
                for _ in range(chance.randint(1, MOST_SAMPLED))
            ]
            extra = self._row(chance.choice(more)) if more else None
            yield Found(subject, tuple(map(self._row, taken)), extra)

    def _values(self, name: Name) -> tuple[Cell, ...]:
        cells = self._cells.of(name)
        return cells[:-1] if name.name in self._subjects.needs else cells

    def _row(self, kind: RecordKind) -> Row:
        row = {name.name: cell.value for name, cell in kind.row.items() if not name.name.startswith("?")}
        return {**self._needed(row), **row}

    # The question

    def _named(self, sheets: list[Sheet], where: Expression) -> dict[Name, Symbol]:
        """The attributes that anybody asks for."""
        asked = [where, *(use.condition for use in self._uses)]
        for sheet in sheets:
            asked += [hit.condition for hit in sheet.hits] + [c for _, c in sheet.measures]
            asked += [hit.rule.per for hit in sheet.hits if hit.rule.per is not None]
            asked += [m.operand for m, _ in sheet.measures if m.operand is not None]
            asked += [condition for _, condition in _rows(sheet)]
        read = {name for node in asked for name in names(node) if name.level is Level.SUBJECT}
        return {name: self._attribute(name) for name in sorted(read, key=lambda n: n.name)}

    def _attribute(self, name: Name) -> Symbol:
        needed = name.name in self._subjects.needs
        if name.type.kind is Kind.NUMBER:
            known = YES if needed else self._terms.flag()
            return Number(known, self._terms.whole(*self._cells.bounds(name)), name.type.scale)
        return self._terms.choice(self._values(name))

    def _judged(self, sheets: list[Sheet]) -> tuple[Result, Result]:
        first = 0
        results = []
        for sheet, facts in zip(sheets, (self._before, self._after), strict=True):
            summing = Summing(sheet, facts, first, self._attributes, self._terms, self._cells)
            first += len(uses_of(sheet, self._cells))
            results.append(summing.result())
        return results[0], results[1]

    def _bounds(self, claim: Claim) -> Iterator[Any]:
        """Which records there are not, and which is added."""
        for kind, count, new in zip(
            self._kinds, self._after.counts, self._added or [None] * len(self._kinds), strict=True
        ):
            last = len(self._uses)
            if last in kind.conditions:
                yield z3.Implies(self._true(kind.conditions[last]), count == 0)
            adding = kind.conditions.get(last - 1, FALSE)
            if new is not None and adding != TRUE:
                yield z3.Implies(z3.Not(self._true(adding)), new == 0)
        if claim.adding is not None:
            yield z3.Sum([z3.IntVal(0), *self._added]) == 1

    def _kept(self, claim: Claim, one: Result, other: Result) -> Any:
        if claim.never is not None:
            return z3.Not(other.hits.get(claim.never, z3.BoolVal(False)))
        symbols: dict[Name, Symbol] = dict(
            zip(SCORES, [Number(YES, r.score, 2) for r in (one, other)], strict=True)
        )
        symbols |= dict(zip(TIERS, [Number(YES, r.rank, 0) for r in (one, other)], strict=True))
        return self._terms.truth(claim.expected, symbols, None).true

    def _true(self, condition: Expression) -> Any:
        return self._terms.truth(condition, self._attributes, None).true

    def _open_tests(self, sheets: list[Sheet]) -> list[str]:
        """The rules and measures that read a test which is left open."""
        tests = frozenset(self._cells.open_tests.values())
        owners = [(hit.rule.id, hit.condition) for sheet in sheets for hit in sheet.hits]
        owners += [(measure.id, condition) for sheet in sheets for measure, condition in sheet.measures]
        owners += [row for sheet in sheets for row in _rows(sheet)]
        return [owner for owner, condition in owners if tests & names(condition)]

    # Answers

    def _another(self, model: Any) -> Any:
        """What is looked for once a subject was refused: one without the open tests it had to meet; where
        it had none, other attributes or other kinds of records. (Nothing can be proved any more.)"""
        there = [kind for kind, count in enumerate(self._after.counts) if _int(model, count)]
        left_open = [kind for kind in there if any(map(_is_open, self._kinds[kind].row.items()))]
        if left_open:
            return z3.And([self._after.counts[kind] == 0 for kind in left_open])
        same = [(count > 0) == (kind in there) for kind, count in enumerate(self._after.counts)]
        for symbol in self._attributes.values():
            term = symbol.value if isinstance(symbol, Number) else symbol.which
            same.append(term == _int(model, term))
        return z3.Not(z3.And(same))

    def _found(self, model: Any) -> Found | None:
        """The subject of a model; None where it has more records than anybody reads."""
        numbers = {kind: _int(model, count) for kind, count in enumerate(self._before.counts)}
        if sum(numbers.values()) > MOST_RECORDS:
            return None
        subject: Row = {
            name.name: value
            for name, symbol in self._attributes.items()
            if not name.name.startswith("?") and (value := _value(model, symbol, name)) is not None
        }
        order = sorted(numbers, key=lambda kind: self._is_latest(model, kind))
        records = [row for kind in order for row in self._rows(model, self._before, kind, numbers[kind])]
        more = [kind for kind, new in enumerate(self._added) if _int(model, new)]
        extra = next((row for kind in more for row in self._rows(model, self._after, kind, 1)), None)
        return Found(subject, tuple(records), extra)

    def _is_latest(self, model: Any, kind: int) -> int:
        """Of how many measures records of the kind give the latest value: of equal dates the last is."""
        return sum(
            kinds.get(kind) is not None and symbol.cells[_int(model, symbol.which)].value == kinds[kind]
            for symbol, kinds in self._before.latest
        )

    def _rows(self, model: Any, facts: Facts, kind: int, number: int) -> Iterator[Row]:
        """The records of a kind: its sums are spread over them evenly."""
        assert self._table is not None
        cells = facts.kinds[kind].row
        given = {name: cell for name, cell in cells.items() if not name.name.startswith("?")}
        for place in range(number):
            row: Row = {name.name: cell.value for name, cell in given.items()}
            for name in given:
                total = facts.totals.get((kind, name))
                if total is not None:
                    before = facts.before.totals.get((kind, name), 0) if facts.before else 0
                    share, rest = divmod(_int(model, total - before), number)
                    row[name.name] = value_at(share + (place < rest), name.type)
            yield {**self._needed(row), **row}

    def _needed(self, row: Row) -> Row:
        """What a record must say although no rule asks for it."""
        table = self._table
        assert table is not None
        kind = table.kinds.get(str(row.get(table.kind or "")))
        wanted = [n for n in (*table.needs, *(kind.needs if kind else ())) if n not in row]
        return {n: self._any(table.columns[n], kind.values.get(n) if kind else None) for n in wanted}

    def _any(self, column: Column, codes: tuple[str, ...] | None) -> Value | None:
        if codes or column.values:
            return (codes or tuple(column.values))[0]
        return self._cells.of(Name(column.name, Level.RECORD, column.type))[0].value


def _rows(sheet: Sheet) -> Iterator[tuple[str, Expression]]:
    """The conditions of the rows of tables that give values, with the table's name."""
    for measure, _ in sheet.measures:
        for condition, _ in measure.decision.rows if measure.decision else ():
            yield measure.id, condition


def _is_open(given: tuple[Name, Cell]) -> bool:
    """Whether a column stands for a test that is left open, and the test is not unknown."""
    name, cell = given
    return name.name.startswith("?") and cell.value is not None


def _int(model: Any, term: Any) -> int:
    if isinstance(term, int):
        return term
    return int(model.eval(term, model_completion=True).as_long())


def _value(model: Any, symbol: Symbol, name: Name) -> Value | None:
    if isinstance(symbol, Number):
        known = z3.is_true(model.eval(symbol.known, model_completion=True))
        return value_at(_int(model, symbol.value), name.type) if known else None
    return symbol.cells[_int(model, symbol.which)].value


def _codes(a: Pack, b: Pack) -> dict[Name, tuple[str, ...]]:
    """The codes of columns and of measures that are one of them."""
    found: dict[Name, tuple[str, ...]] = {}
    for pack in (a, b):
        vocabulary = pack.vocabulary
        records = vocabulary.records.columns if vocabulary.records else {}
        for level, columns in ((Level.SUBJECT, vocabulary.subject.columns), (Level.RECORD, records)):
            found |= {Name(n, level, c.type): tuple(c.values) for n, c in columns.items() if c.values}
        for measure in pack.measures:
            if measure.decision and measure.decision.codes:
                name, codes = Name(measure.id, Level.MEASURE, measure.type), dict(measure.decision.codes)
                found[name] = tuple(dict.fromkeys((*found.get(name, ()), *codes)))
            operand = measure.operand
            if isinstance(operand, Name) and operand in found and measure.type == operand.type:
                found[Name(measure.id, Level.MEASURE, measure.type)] = found[operand]
    return found


def _possible(pack: Pack) -> Limits:
    vocabulary = pack.vocabulary
    records = vocabulary.records.columns if vocabulary.records else {}
    return {
        Name(name, level, column.type): Domain(low=bounds.least, high=bounds.most, unknown=True)
        for level, columns in ((Level.SUBJECT, vocabulary.subject.columns), (Level.RECORD, records))
        for name, column in columns.items()
        for bounds in [column.possible]
    }
