"""Tables that give a number or a text: every one becomes a measure, that rules and other tables can read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from rules.language.decision_tables import Branch, decided
from rules.language.expressions import (
    DECIMAL,
    TEXT,
    Kind,
    Level,
    Literal,
    Type,
    Value,
    names,
    reads_as_of,
)
from rules.language.parse import Scope
from rules.meaning.context import Context
from rules.meaning.examples import build_examples
from rules.meaning.references import References
from rules.meaning.tables import check_policy, read_table
from rules.model import Aggregate, Decision, Measure, When
from rules.nearest import one_of
from rules.text.fields import is_number
from rules.text.shape import NUMBER, POINTS
from rules.text.source import Path


def undecided(references: References, tables: Sequence[Mapping[str, Any]]) -> dict[str, Undecided]:
    """The entries of ``tables`` that give no points, by id."""
    return {
        data["id"]: Undecided(references, data, ("tables", index))
        for index, data in enumerate(tables)
        if data["gives"] != POINTS
    }


@dataclass(frozen=True)
class Undecided:
    """A table that is to give a value."""

    references: References
    data: Mapping[str, Any]
    path: Path

    @cached_property
    def mentioned(self) -> set[str]:
        """The words in which it may name measures and other tables."""
        data = self.data
        texts = [data["where"] or "", data.get("input", ""), *data.get("inputs", ())]
        texts += [text for row in data["rows"] for cell in row["cells"] for text in _texts(cell)]
        return set(re.findall(r"[a-z][a-z0-9_]*", " ".join(texts)))

    def measure(self, context: Context, scope: Scope) -> Measure | None:
        """What the table is; None where something is wrong with it.

        :param scope: what it may name.
        """
        faults = len(context.faults)
        data, path = self.data, self.path
        asked = read_table(context, self.references, data, path, scope)
        given = [
            self._given(context, row["gives"], path=(*path, "rows", n)) for n, row in enumerate(data["rows"])
        ]
        default = data["default"]
        if default is not None:
            default = self._given(context, default, (*path, "default"))
        if asked is not None and reads_as_of(asked.where.written):
            hint = "a condition on attributes and measures"
            context.report((*path, "where"), data["where"], "as_of in a table that gives a value", hint)
        if asked is None or len(context.faults) > faults:
            return None
        check_policy(context, data["hit"], asked.conditions, given, path)
        rows = [(c, value) for c, value in zip(asked.conditions, given, strict=True) if value is not None]
        take = (data["take"] or "sum") if data["hit"] == "collect" else None
        codes = () if data["gives"] == NUMBER else tuple(data["gives"].items())
        operand = decided(self._first_first(rows), take, default)
        where = When(asked.where.written, asked.where.written)
        read = names(operand) | names(where.written)
        return Measure(
            id=data["id"],
            title=data["title"],
            aggregate=Aggregate.VALUE,
            operand=operand,
            where=where,
            window=None,
            by=None,
            take=None,
            parts=tuple(sorted({name.name for name in read if name.level is Level.MEASURE})),
            descending=True,
            type=operand.type,
            decision=Decision(
                codes=codes,
                citations=data["basis"],
                note=data["note"],
                hit=data["hit"],
                take=take,
                rows=tuple(rows),
                default=default,
                examples=build_examples(context, data["examples"], (*path, "examples"), None, is_value=True),
            ),
            place=context.document.place(path),
        )

    def _first_first(self, rows: Sequence[Branch]) -> Sequence[Branch]:
        """The rows in the order in which they count."""
        if self.data["hit"] != "priority":
            return rows
        order = list(self.data["gives"])
        return sorted(rows, key=lambda row: order.index(row[1].value))

    def _given(self, context: Context, value: Any, path: Path) -> Literal | None:
        """What a row gives; None, and a fault noted, where the table does not give that."""
        if self.data["gives"] == NUMBER:
            if is_number(value) and DECIMAL.holds(value):
                return Literal(value, _size(value))
            hint = "a number of at most 14 digits before the point and 4 after it"
            context.report(path, str(value), "not a number that a table can give", hint)
        elif isinstance(value, str) and value in self.data["gives"]:
            return Literal(value, TEXT)
        else:
            hint = one_of(str(value), self.data["gives"])
            context.report(path, str(value), "not one of the texts that the table gives", hint)
        return None


def _size(value: Value) -> Type:
    number = Decimal(value)  # type: ignore[arg-type]
    _, digits, exponent = number.as_tuple()
    scale = max(0, -int(exponent))
    return Type(Kind.NUMBER, max(1, len(digits) - scale), scale)


def _texts(cell: object) -> Iterator[str]:
    """The texts of a cell in which it may name a column or measure."""
    if isinstance(cell, str):
        yield cell
    elif isinstance(cell, list):
        for item in cell:
            yield from _texts(item)
    elif isinstance(cell, dict):
        yield from _texts(cell.get("not"))
