"""From the rows of a sheet to rows of the vocabulary's table, or to everything that is wrong with them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rules.calendar import today
from rules.model import Title
from scoring.ingest.cells import EMPTY, FILLER, JsonValue, Reading, converter, is_unknown
from scoring.ingest.checks import Finding, row_check
from scoring.ingest.errors import Fault
from scoring.ingest.folding import Cell, as_text, fold_text
from scoring.ingest.headers import Found, HeaderMatcher, Layout
from scoring.ingest.mapping import FileMapping
from scoring.ingest.sheets import Cells, Sheet, is_blank
from scoring.store.versions import Level, Rejected

CACHED_CELLS = 16_384
LONGEST_SHOWN = 400
_NO_POSITION = -1
_json = json.JSONEncoder(ensure_ascii=False).encode


GoodRow = tuple[int, str, str, str]
"""Number, key, subject's key, and the document as :func:`scoring.store.documents.encode` writes it."""


EXAMPLE = "示例 example"
"""As a key: the example row of a template, which is no row of the office's."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row with all of its problems."""

    number: int
    problems: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class OddRow:
    """What is odd about a row that is good all the same; it comes before the row."""

    number: int
    warnings: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class LostRow:
    """A row that is good but for the code of its subject, which is empty or a filler.

    :param values: of its columns, without the subject; None where it clears what is known.
    :param clues: attribute of the subject → what the row says of it; in the order in which they are tried.
    :param problem: why it is bad if its subject isn't found.
    """

    number: int
    key: str
    values: Mapping[str, JsonValue]
    clues: Mapping[str, str]
    problem: Rejected


@dataclass(frozen=True, slots=True)
class ShortRow:
    """A row that says too little for a new key, and may say enough for one that is known.

    :param lacks: why it is bad if its key is new.
    """

    row: GoodRow
    lacks: tuple[Rejected, ...]


AnyRow = GoodRow | BadRow | OddRow | LostRow | ShortRow


def problems_of(row: AnyRow) -> tuple[Rejected, ...]:
    """What keeps a row out where nothing is known of its key and its subject."""
    match row:
        case BadRow(_, problems) | ShortRow(_, problems):
            return problems
        case LostRow():
            return (row.problem,)
        case _:
            return ()


class RowReader:
    """Reads the rows below a sheet's headers.

    :param epoch: the day from which a workbook counts its dates.
    :param replace: an empty cell says that its column is unknown; by default it says nothing.
    :param day: the day on which the rows come, for the check of dates ahead.
    """

    def __init__(
        self,
        layout: Layout,
        matcher: HeaderMatcher,
        epoch: dt.datetime,
        replace: bool = False,
        day: dt.date | None = None,
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
        self._names = [item.column.name for item in self._columns]
        self._headers = {item.column.name: item for item in self._columns}
        self._key, self._subject = (self._names.index(required[n]) for n in (0, -1))
        self._replace = replace
        self._check = row_check(layout.table, day or today())

    def rows(self, sheet: Sheet) -> Iterator[AnyRow]:
        """The rows in the order of the file; blank ones and a template's example are passed over."""
        for number, cells in sheet.rows:
            if number <= self.layout.row:
                continue
            if isinstance(cells, Fault):
                yield BadRow(number, (Rejected(number, None, None, str(cells)),))
                continue
            if self.layout.own is not None:
                cells = _without(cells, self.layout.own)
            if not is_blank(cells) and not self._is_example(cells) and not self._repeats_headers(cells):
                yield from self._row(number, _fit(cells, self.layout.width) if sheet.ragged else cells)

    def _is_example(self, cells: Cells) -> bool:
        position = self._columns[self._key].position
        return 0 <= position < len(cells) and cells[position] == EXAMPLE

    def _repeats_headers(self, cells: Cells) -> bool:
        """Whether a row says the headers again: merged over two rows, on each page, or in joined files."""
        return all(
            found.position < len(cells) and as_text(cells[found.position]).strip() == found.header
            for found in self.layout.found
        )

    def _row(self, number: int, cells: Cells) -> Iterator[AnyRow]:
        if len(cells) != self.layout.width:
            lines = sum(cell.count("\n") for cell in cells if isinstance(cell, str))
            fault = _wrong_width(
                len(cells), self.layout.width, "" if not lines else f"{number}–{number + lines}"
            )
            whole = " | ".join(map(as_text, cells))
            yield BadRow(number, (Rejected(number, None, shown(whole), str(fault)),))
            return
        parts = [read(cells[position] if position >= 0 else None) for position, read in self._readers]
        values = {
            name: part[0] for name, part in zip(self._names, parts, strict=True) if part.__class__ is tuple
        }
        findings = self._check(values)
        if len(values) == len(parts) and not findings:
            yield self._good(number, parts)
            return
        found = [f for f in findings if f.column not in self._headers or f.column in values]
        errors = [*self._unreadable(number, cells, parts), *self._impossible(number, cells, found)]
        lacks = tuple(self._said(number, cells, f.column, f.fault) for f in found if f.lacking)
        lost = len(errors) == 1 and not lacks and parts[self._subject] in (EMPTY, FILLER)
        clues = self._clues(cells) if lost else {}
        if errors and not clues:
            yield BadRow(number, (*errors, *lacks))
            return
        yield OddRow(
            number, tuple(self._said(number, cells, f.column, f.fault, "warning") for f in findings if f.odd)
        )
        if clues:
            said = {name: value for name, value in values.items() if value is not None or self._replace}
            yield LostRow(number, str(values[self._names[self._key]]), said, clues, errors[0])
        else:
            good = self._good(number, parts)
            yield ShortRow(good, lacks) if lacks else good

    def _good(self, number: int, parts: Sequence[Part]) -> GoodRow:
        good = [part for part in parts if not isinstance(part, Fault)]
        document = ",".join([text for _, text in good if text])
        return number, str(good[self._key][0]), str(good[self._subject][0]), f"{{{document}}}"

    def _unreadable(self, number: int, cells: Cells, parts: Sequence[Part]) -> Iterator[Rejected]:
        for name, part in zip(self._names, parts, strict=True):
            if isinstance(part, Fault):
                yield self._said(number, cells, name, part)

    def _impossible(self, number: int, cells: Cells, findings: Iterable[Finding]) -> Iterator[Rejected]:
        """The findings that keep the row out, whatever is known."""
        for finding in findings:
            if not finding.odd and not finding.lacking:
                yield self._said(number, cells, finding.column, finding.fault)

    def _said(self, number: int, cells: Cells, name: str, fault: Fault, level: Level = "error") -> Rejected:
        found = self._headers.get(name)
        header = found.header if found else self.layout.table.columns[name].title.zh
        cell = as_text(cells[found.position]) if found and found.position >= 0 else ""
        return Rejected(number, shown(header), shown(cell), str(fault), level)

    def _clues(self, cells: Cells) -> dict[str, str]:
        said = {
            finder.column.name: fold_text(as_text(cells[finder.position])) for finder in self.layout.finders
        }
        return {name: text for name, text in said.items() if not is_unknown(text)}


Part = tuple[JsonValue, str] | Fault
"""The value of a cell and its part of the document, ``"kind":"penalty"``: empty where it is unknown, or
``"kind":null`` where that replaces what is known.
"""


def _part_reader(reading: Reading, replace: bool) -> Callable[[Cell], Part]:
    """A function from a cell to its part; it keeps its answers of the latest :data:`CACHED_CELLS` cells."""
    convert = converter(reading)
    name = _json(reading.column.name)

    @lru_cache(maxsize=CACHED_CELLS, typed=True)
    def read(cell: Cell) -> Part:
        value = convert(cell)
        if isinstance(value, Fault):
            return value
        return value, "" if value is None and not replace else f"{name}:{_json(value)}"

    return read


def _without(cells: Cells, position: int) -> Cells:
    """The cells with one emptied; none where the row ends before it."""
    return (*cells[:position], None, *cells[position + 1 :]) if position < len(cells) else cells


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


def shown(text: str) -> str:
    """What a database, a spreadsheet and a terminal can show of a text."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text[:LONGEST_SHOWN])
