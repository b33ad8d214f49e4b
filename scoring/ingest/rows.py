"""From the rows of a sheet to rows of the vocabulary's table, or to everything that is wrong with them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from rules.model import Title
from scoring.ingest.cells import Reading, converter
from scoring.ingest.errors import Fault
from scoring.ingest.folding import Cell, as_text
from scoring.ingest.headers import Found, HeaderMatcher, Layout
from scoring.ingest.mapping import FileMapping
from scoring.ingest.sheets import Cells, Sheet, is_blank
from scoring.store.versions import Rejected

CACHED_CELLS = 16_384
LONGEST_SHOWN = 400
_NO_POSITION = -1
_json = json.JSONEncoder(ensure_ascii=False).encode


GoodRow = tuple[int, str, str, str]
"""Number, key, subject's key, and the document as :func:`scoring.store.documents.encode` writes it."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row with all of its problems."""

    number: int
    problems: tuple[Rejected, ...]


class RowReader:
    """Reads the rows below a sheet's headers.

    :param epoch: the day from which a workbook counts its dates.
    :param replace: an empty cell says that its column is unknown; by default it says nothing.
    """

    def __init__(
        self, layout: Layout, matcher: HeaderMatcher, epoch: dt.datetime, replace: bool = False
    ) -> None:
        found = (*layout.found, *_defaulted(layout, matcher.mapping))
        required = matcher.required(layout.dataset)
        self.layout = layout
        self._columns = sorted(found, key=lambda item: item.column.name)
        self._readers = [
            (
                item.position,
                _part_reader(_reading(item, matcher.mapping, item.column.name in required, epoch), replace),
            )
            for item in self._columns
        ]
        names = [item.column.name for item in self._columns]
        self._key, self._subject = names.index(required[0]), names.index(required[-1])

    def rows(self, sheet: Sheet) -> Iterator[GoodRow | BadRow]:
        """Good and bad rows in the order of the file; blank rows are passed over."""
        for number, cells in sheet.rows:
            if number <= self.layout.row:
                continue
            if isinstance(cells, Fault):
                yield BadRow(number, (Rejected(number, None, None, str(cells)),))
            elif not is_blank(cells) and not self._repeats_headers(cells):
                yield self._row(number, _fit(cells, self.layout.width) if sheet.ragged else cells)

    def _repeats_headers(self, cells: Cells) -> bool:
        """Whether a row says the headers again: merged over two rows, on each page, or in joined files."""
        return all(
            found.position < len(cells) and as_text(cells[found.position]).strip() == found.header
            for found in self.layout.found
        )

    def _row(self, number: int, cells: Cells) -> GoodRow | BadRow:
        if len(cells) != self.layout.width:
            lines = sum(cell.count("\n") for cell in cells if isinstance(cell, str))
            fault = _wrong_width(
                len(cells), self.layout.width, "" if not lines else f"{number}–{number + lines}"
            )
            shown = " | ".join(map(as_text, cells))
            return BadRow(number, (Rejected(number, None, _printable(shown), str(fault)),))
        parts = [read(cells[position] if position >= 0 else None) for position, read in self._readers]
        good = [part for part in parts if isinstance(part, str)]
        if len(good) < len(parts):
            return BadRow(number, tuple(self._problems(number, cells, parts)))
        return number, _key(good[self._key]), _key(good[self._subject]), f"{{{','.join(filter(None, good))}}}"

    def _problems(self, number: int, cells: Cells, parts: list[str | Fault]) -> Iterator[Rejected]:
        for found, part in zip(self._columns, parts, strict=True):
            if isinstance(part, Fault):
                cell = as_text(cells[found.position]) if found.position >= 0 else ""
                yield Rejected(number, _printable(found.header), _printable(cell), str(part))


def _part_reader(reading: Reading, replace: bool) -> Callable[[Cell], str | Fault]:
    """A function from a cell to its part of the document, ``"kind":"penalty"``; empty where it is unknown, or
    ``"kind":null`` where that replaces what is known.

    It keeps its answers of the latest :data:`CACHED_CELLS` different cells.
    """
    convert = converter(reading)
    name = _json(reading.column.name)

    @lru_cache(maxsize=CACHED_CELLS, typed=True)
    def read(cell: Cell) -> str | Fault:
        value = convert(cell)
        if isinstance(value, Fault):
            return value
        return "" if value is None and not replace else f"{name}:{_json(value)}"

    return read


@lru_cache(maxsize=CACHED_CELLS)
def _key(part: str) -> str:
    """The value in a part of a document, as text."""
    return str(json.loads(part[part.index(":") + 1 :]))


def _reading(found: Found, mapping: FileMapping, required: bool, epoch: dt.datetime) -> Reading:
    name = found.column.name
    return Reading(
        column=found.column,
        required=required,
        per=found.per,
        replacements=mapping.values.get(name, {}),
        default=mapping.defaults.get(name, ""),
        epoch=epoch,
    )


def _defaulted(layout: Layout, mapping: FileMapping) -> tuple[Found, ...]:
    """The columns that the file hasn't and the mapping gives a default for."""
    return tuple(
        Found(column, _NO_POSITION, column.title.zh, 1)
        for column in layout.absent
        if column.name in mapping.defaults
    )


def _fit(cells: Cells, width: int) -> Cells:
    """A row of a workbook at the width of its headers; only empty cells are added or cut."""
    if len(cells) > width and is_blank(cells[width:]):
        return cells[:width]
    return (*cells, *[None] * (width - len(cells)))


def _wrong_width(cells: int, width: int, lines: str) -> Fault:
    """:param lines: of a row of several, which a quote may have swallowed."""
    if lines:
        return Fault(
            Title(
                f"第{lines}行应有{width}个单元格,实有{cells}个",
                f"{cells} cells in lines {lines}, {width} headers",
            ),
            Title("请核对引号和分隔符", "look for a quote or a delimiter too many or too few"),
        )
    return Fault(
        Title(f"应有{width}个单元格,实有{cells}个", f"{cells} cells where the headers have {width}"),
        Title("请核对多余或缺少的分隔符", "look for a delimiter too many or too few"),
    )


def _printable(text: str) -> str:
    """What a database, a spreadsheet and a terminal can show of a text."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text[:LONGEST_SHOWN])
