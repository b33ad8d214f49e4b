"""Examples: worked cases whose columns and values are checked as those of real rows are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rules.exact import EXACT
from rules.language.expressions import Level, Name, Value
from rules.meaning.context import Context
from rules.model import Column, Example, Rule
from rules.nearest import one_of
from rules.text.source import IN_QUOTES, Path, unquoted

Row = dict[str, Value | None]


def build_examples(
    context: Context, data: Sequence[Mapping[str, Any]], path: Path, rule: Rule | None, is_value: bool = False
) -> tuple[Example, ...]:
    """The examples of a rule, or of the whole pack where ``rule`` is None.

    :param is_value: whether they are those of a table that gives a value.
    """
    built = (_example(context, entry, (*path, index), rule, is_value) for index, entry in enumerate(data))
    return tuple(example for example in built if example)


def _example(
    context: Context, data: Mapping[str, Any], path: Path, rule: Rule | None, is_value: bool
) -> Example | None:
    faults = len(context.faults)
    subject = typed_row(context, data["subject"], context.attributes, (*path, "subject"))
    records = [
        typed_row(context, record, context.records, (*path, "records", index))
        for index, record in enumerate(data["records"])
    ]
    if data["given"] is not None:
        _give(context, data["given"], (*path, "given"), rule, subject, records)
    _date_records(context, records, data["as_of"], rule)
    hit = _expected_hit(data, rule)
    if is_value is not ("value" in data):
        hint = "value: what the table gives, or null" if is_value else "points, hit, score or tier"
        context.report(path, "", "a value is expected of a table that gives one, and of nothing else", hint)
    elif not is_value and (hit if rule else data["tier"] if data["score"] is None else data["score"]) is None:
        hint = "points: -4, hit: false or tier: D" if rule else "score: 80 or tier: B"
        context.report(path, "", "nothing is expected", hint)
    if len(context.faults) > faults:
        return None
    place = context.document.place(path)
    return Example(
        subject,
        tuple(records),
        data["as_of"],
        hit,
        data["points"],
        data["score"],
        data["tier"],
        place,
        data.get("value"),
    )


def _expected_hit(data: Mapping[str, Any], rule: Rule | None) -> bool | None:
    if data["hit"] is not None or rule is None:
        return data["hit"]  # type: ignore[no-any-return]
    return True if data["points"] is not None or data["tier"] is not None else None


def _give(
    context: Context,
    given: Mapping[str, Any],
    path: Path,
    rule: Rule | None,
    subject: Row,
    records: list[Row],
) -> None:
    """Parts the columns of ``given`` into the subject's and one record's."""
    own = {name: value for name, value in given.items() if name in context.attributes}
    rest = {name: value for name, value in given.items() if name not in context.attributes}
    subject |= typed_row(context, own, context.attributes, path)
    if rest or (rule and rule.level is Level.RECORD):
        records.append(typed_row(context, rest, context.records or context.attributes, path))


def _date_records(context: Context, records: Sequence[Row], as_of: dt.date, rule: Rule | None) -> None:
    """A record of an example that says nothing of its date is of the example's day."""
    start = rule.window.start if rule and rule.window else None
    of_record = isinstance(start, Name) and start.level is Level.RECORD
    column = start.name if isinstance(start, Name) and of_record else context.vocabulary.record_date
    for record in records:
        record.setdefault(column, as_of)


def typed_row(context: Context, data: Mapping[str, Any], columns: Mapping[str, Column], path: Path) -> Row:
    """Values of columns, each of its column's type; a fault noted for each that is not."""
    row: Row = {}
    for name, value in data.items():
        column = columns.get(name)
        if column is None:
            hint = one_of(name, {n: c.title for n, c in columns.items()}, "one of none: there are no records")
            context.report((*path, name, "?"), name, "no such column", hint)
        elif value is None or _fits(column, value):
            row[name] = Decimal(value) if column.declared == "decimal" and value is not None else value
        else:
            context.report((*path, name), str(value), *_misfit(column, value))
    return row


def _misfit(column: Column, value: object) -> tuple[str, str]:
    """What is wrong with a value of a column, and what would be right."""
    if column.values:
        return f"not a value of {column.name}", one_of(str(value), column.values)
    bare = unquoted(value)
    if bare is not value and _fits(column, bare):
        return IN_QUOTES, f"{value}, without quotes"
    return f"not a value of {column.name}", f"a value of type {column.declared}"


def _fits(column: Column, value: object) -> bool:
    if column.values:
        return isinstance(value, str) and value in column.values
    match column.declared:
        case "text":
            return isinstance(value, str)
        case "date":
            return isinstance(value, dt.date)
        case "boolean":
            return isinstance(value, bool)
        case _:
            return _fits_number(column, value)


def _fits_number(column: Column, value: object) -> bool:
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return False
    number = Decimal(value)
    grain = Decimal(1).scaleb(-column.type.scale)
    return EXACT.abs(number) < Decimal(10) ** column.type.whole and EXACT.remainder(number, grain) == 0
