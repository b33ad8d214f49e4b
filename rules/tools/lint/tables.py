"""Tables: values that no row covers, rows that none reaches, rows that match together.

Every input is cut into the pieces that its cells tell apart, which are conditions in normal form
(:mod:`rules.language.boxes`); over their combinations the question is finite.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from rules.language.boxes import ANYTHING, Boxes, Domain, boxes, parts, place_of, value_at
from rules.language.decision_tables import cell_condition, read_cell
from rules.language.expressions import TRUE, Expression, Kind, Name, Type, Value, conjunction, render
from rules.language.parse import Scope, parse_condition, parse_expression
from rules.language.words import plain
from rules.tools.lint.finding import Finding, Severity
from rules.tools.lint.review import Review

MAX_COMBINATIONS = 50_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Some values of one input that every cell treats alike.

    :param ordered: whether it is one of a series of numbers or dates, rather than a code.
    :param closed: whether the input is known to take it, so that a row should.
    :param rows: the rows that match it, as a bit mask.
    """

    label: str
    ordered: bool
    closed: bool
    rows: int


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as its text has it.

    :param order: its rows by index, the one that counts before others first; none where several count.
    :param reads_names: whether a cell compares with another column or measure.
    """

    id: str
    index: int
    data: Mapping[str, Any]
    order: tuple[int, ...]
    pieces: tuple[tuple[Piece, ...], ...]
    reads_names: bool

    def combinations(self) -> Iterator[tuple[tuple[Piece, ...], int]]:
        """Every combination of known and unknown values with the rows that match it."""
        everything = (1 << len(self.data["rows"])) - 1
        for pieces in product(*self.pieces):
            rows = everything
            for piece in pieces:
                rows &= piece.rows
            yield pieces, rows


def tables(review: Review) -> Iterator[Finding]:
    """Gaps, overlaps and rows out of reach."""
    for index, data in enumerate(review.entries("tables")):
        table = _read(review, index, data)
        if table.reads_names:
            message = "cells that read another column or measure: not searched for gaps"
            yield review.finding(Severity.NOTICE, "not-compared", ("tables", index), table.id, message)
            continue
        if prod(len(pieces) for pieces in table.pieces) > MAX_COMBINATIONS:
            message = f"more than {MAX_COMBINATIONS:,} combinations of values: not searched for gaps"
            yield review.finding(Severity.NOTICE, "not-compared", ("tables", index), table.id, message)
            continue
        yield from _gaps(review, table)
        yield from _overlaps(review, table)
        yield from _unreached(review, table)


def _gaps(review: Review, table: _Table) -> Iterator[Finding]:
    if "default" in table.data:
        return
    uncovered = [
        pieces for pieces, rows in table.combinations() if not rows and all(p.closed for p in pieces)
    ]
    between = [pieces for pieces in uncovered if _between(table, pieces)]
    if between:
        message = f"values between its rows match none: {_count(between)}"
        yield _about(review, table, Severity.WARNING, "table-gap", message, between[0])
    codes = [pieces for pieces in uncovered if not any(p.ordered for p in pieces)]
    if codes:
        message = f"codes match no row: {_count(codes)}"
        yield _about(review, table, Severity.NOTICE, "table-code", message, codes[0])
    if uncovered and not between and not codes:
        message = "values before the first or after the last row match no row"
        yield _about(review, table, Severity.NOTICE, "table-open-end", message, uncovered[0])


def _between(table: _Table, pieces: Sequence[Piece]) -> bool:
    """Whether smaller and greater values of one input match a row while all others stay as they are."""
    for index, series in enumerate(table.pieces):
        others = ~0
        for position, piece in enumerate(pieces):
            others &= ~0 if position == index else piece.rows
        place = series.index(pieces[index])
        known = [piece for piece in series if piece.ordered]
        below, above = known[:place], known[place + 1 :]
        if any(p.rows & others for p in below) and any(p.rows & others for p in above):
            return True
    return False


def _about(
    review: Review, table: _Table, severity: Severity, check: str, message: str, case: Sequence[Piece]
) -> Finding:
    return review.finding(severity, check, ("tables", table.index), table.id, message, _case(case))


def _overlaps(review: Review, table: _Table) -> Iterator[Finding]:
    shared = [pieces for pieces, rows in table.combinations() if rows & (rows - 1)]
    if table.data["hit"] == "collect" and shared and not {"take", "gives"} & set(table.data):
        message = f"values match several rows, whose points add up: {_count(shared)}"
        yield _about(review, table, Severity.NOTICE, "table-overlap", message, shared[0])
    if table.data["hit"] in ("first", "any", "priority") and not shared:
        message = "no two rows can match together: hit: unique says so, and keeps it so"
        yield review.finding(
            Severity.NOTICE, "table-unique", ("tables", table.index, "hit"), table.id, message
        )


def _unreached(review: Review, table: _Table) -> Iterator[Finding]:
    matched = {rows for _, rows in table.combinations() if rows}
    reached = {next(row for row in table.order if rows >> row & 1) for rows in matched if table.order}
    for row in sorted(set(table.order) - reached):
        name = f"{table.id}.{row + 1}"
        if review.boxes.get(name) != ():
            message = f"row {row + 1} is never reached: the rows before it take every case of it"
            where = ("tables", table.index, "rows", row)
            yield review.finding(Severity.ERROR, "unreachable-row", where, name, message)


def _count(cases: Sequence[object]) -> str:
    return "1 combination" if len(cases) == 1 else f"{len(cases)} combinations"


def _case(pieces: Sequence[Piece]) -> str:
    return ", ".join(piece.label for piece in pieces)


def _read(review: Review, index: int, data: Mapping[str, Any]) -> _Table:
    texts = [data["input"]] if "input" in data else data["inputs"]
    inputs = [parse_expression(text, review.scope) for text in texts]
    cells = [
        [_domains(cell, node, review.scope) for cell, node in zip(_cells(row), inputs, strict=True)]
        for row in data["rows"]
    ]
    condition = parse_condition(data["where"], review.scope) if data.get("where") else TRUE
    possible = review.possible(condition)
    reads_names = any(domains is None for row in cells for domains in row)
    pieces = tuple(
        tuple(_pieces(review, node, [row[i] or () for row in cells], possible))
        for i, node in enumerate(() if reads_names else inputs)
    )
    return _Table(data["id"], index, data, _order(data), pieces, reads_names)


def _domains(cell: object, node: Expression, scope: Scope) -> tuple[Domain, ...] | None:
    """The values that a cell matches; None where that depends on more than its input."""
    terms = cell_condition(read_cell(cell, node.type.kind), node, scope)
    found = boxes(conjunction(terms))
    if any(box.domains.keys() - {node} for box in found):
        return None
    return tuple(box.domains.get(node, ANYTHING) for box in found)


def _order(data: Mapping[str, Any]) -> tuple[int, ...]:
    """The rows in the order in which they count, where one does."""
    rows = range(len(data["rows"]))
    if data["hit"] == "first":
        return tuple(rows)
    given = [_given(row) for row in data["rows"]]
    if data["hit"] == "priority":
        return tuple(sorted(rows, key=lambda row: list(data["gives"]).index(given[row])))
    if data.get("take") in ("min", "max"):
        return tuple(sorted(rows, key=lambda row: given[row], reverse=data["take"] == "max"))
    return ()


def _given(row: Any) -> Any:
    if isinstance(row, list):
        return row[-1]
    return row["points"] if "points" in row else row["gives"]


def _cells(row: Any) -> list[Any]:
    if isinstance(row, list):
        return row[:-1]
    return row["when"] if isinstance(row["when"], list) else [row["when"]]


def _pieces(
    review: Review, node: Expression, cells: Sequence[tuple[Domain, ...]], possible: Boxes
) -> Iterator[Piece]:
    allowed = [box.domains.get(node, review.limits.get(node, ANYTHING)) for box in possible] or [ANYTHING]
    codes = review.codes(node.name) if isinstance(node, Name) else ()
    for part in parts(node.type, [*allowed, *(domain for cell in cells for domain in cell)], codes):
        if any(map(part.within, allowed)):
            mask = sum(1 << i for i, cell in enumerate(cells) if any(map(part.within, cell)))
            ordered = node.type.kind in (Kind.NUMBER, Kind.DATE) and not part.unknown
            label = f"{render(node)} {_label(part, node.type)}"
            yield Piece(label, ordered, ordered or bool(part.among), mask)


def _label(part: Domain, kind: Type) -> str:
    """The values as a cell has them."""
    if part.unknown:
        return "unknown"
    if part.among:
        [value] = part.among
        return f"= {plain(value)}"
    if part.without:
        return "anything else"
    ends = [_end(op, end, kind) for op, end in ((">", part.low), ("<", part.high)) if end is not None]
    return " and ".join(ends) or "any"


def _end(op: str, end: Value, kind: Type) -> str:
    """An end as people write it: from 70 and below 90, rather than to 89.99."""
    inside = plain(end)
    outside = plain(value_at(int(place_of(end, kind)) + (1 if op == "<" else -1), kind))
    digits, more = (len(text.partition(".")[2]) for text in (inside, outside))
    return f"{op}= {inside}" if digits < more or (digits == more and op == ">") else f"{op} {outside}"
