"""Tables: values that no row covers, rows that none reaches, rows that match together.

Every input is cut into the pieces that its cells tell apart (codes, points, the open intervals between them);
over their combinations the question is finite.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, product
from math import prod
from typing import Any

from rules.calendar import add_days
from rules.exact import EXACT
from rules.language.boxes import ANYTHING, Boxes
from rules.language.decision_tables import Cell, read_cell
from rules.language.expressions import TRUE, Expression, Kind, Name, Value, render
from rules.language.parse import parse_condition, parse_expression
from rules.language.words import plain
from rules.tools.lint.finding import Finding, Severity
from rules.tools.lint.review import Review

MAX_COMBINATIONS = 50_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Some values of one input that every cell treats alike.

    :param sample: one of them; None stands for an unknown value.
    :param ordered: whether it is one of a series of numbers or dates, rather than a code.
    :param closed: whether the input is known to take it, so that a row should.
    :param rows: the rows that match it, as a bit mask.
    """

    sample: Value | None
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
    kinds = [node.type.kind for node in inputs]
    cells = [
        [read_cell(cell, kind) for cell, kind in zip(_cells(row), kinds, strict=True)] for row in data["rows"]
    ]
    condition = parse_condition(data["where"], review.scope) if data.get("where") else TRUE
    possible = review.possible(condition)
    reads_names = any(cell.reads_names for row in cells for cell in row)
    pieces = tuple(
        tuple(_pieces(review, node, [row[i] for row in cells], possible))
        for i, node in enumerate(() if reads_names else inputs)
    )
    return _Table(data["id"], index, data, _order(data), pieces, reads_names)


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


def _pieces(review: Review, node: Expression, cells: Sequence[Cell], possible: Boxes) -> Iterator[Piece]:
    allowed = [box.domains.get(node, review.limits.get(node, ANYTHING)) for box in possible]
    ordered = node.type.kind in (Kind.NUMBER, Kind.DATE)
    for sample, label in _samples(review, node, cells):
        if not allowed or any(domain.holds(sample) for domain in allowed):
            mask = sum(1 << i for i, cell in enumerate(cells) if cell.holds(sample))
            yield Piece(sample, f"{render(node)} {label}", ordered, sample != _OTHER, mask)
    unknown = sum(1 << i for i, cell in enumerate(cells) if cell.holds(None))
    yield Piece(None, f"{render(node)} unknown", False, False, unknown)


_OTHER = "\0"


def _samples(review: Review, node: Expression, cells: Sequence[Cell]) -> Iterator[tuple[Any, str]]:
    """One value of every piece, and how people write the piece."""
    codes = review.codes(node.name) if isinstance(node, Name) else ()
    named = {value for cell in cells for value in cell.literals}
    if codes:
        yield from ((code, f"= {code}") for code in codes)
    elif node.type.kind is Kind.BOOLEAN:
        yield from ((value, f"= {plain(value)}") for value in (True, False))
    elif node.type.kind is Kind.TEXT:
        yield from ((value, f"= {value}") for value in sorted(map(str, named)))
        yield _OTHER, "anything else"
    else:
        yield from _intervals(sorted(named), node)


def _intervals(points: Sequence[Any], node: Expression) -> Iterator[tuple[Any, str]]:
    """The points and the intervals between and around them, in order."""
    if not points:
        yield Decimal(0) if node.type.kind is Kind.NUMBER else dt.date.min, "any"
        return
    yield from _beside(points[0], -1, node, f"< {plain(points[0])}")
    for low, high in pairwise(points):
        yield low, f"= {plain(low)}"
        between = _beside(low, 1, node, f"between {plain(low)} and {plain(high)}")
        yield from (piece for piece in between if piece[0] < high)
    yield points[-1], f"= {plain(points[-1])}"
    yield from _beside(points[-1], 1, node, f"> {plain(points[-1])}")


def _beside(point: Any, sign: int, node: Expression, label: str) -> Iterator[tuple[Any, str]]:
    """The value next to a point, unless the calendar ends there."""
    if node.type.kind is Kind.NUMBER:
        yield EXACT.add(Decimal(point), Decimal(sign).scaleb(-node.type.scale)), label
    elif (moved := add_days(point, sign)) != point:
        yield moved, label
