"""Workbooks that we write for offices: empty ones to fill in, and bad rows to mend and send back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from itertools import chain, groupby, islice
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from rules.model import Column, Kind, Table, Title
from scoring.characters.spreadsheets import in_cell
from scoring.facts.ingest.decoration import unescaped
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.folding import Cell, Dayless, Shown, Unreadable, Yearless, as_text
from scoring.facts.ingest.forms import Form, FormColumn
from scoring.facts.ingest.headers import REASON_HEADER, Layout
from scoring.facts.ingest.quarantine import MEND, account
from scoring.facts.ingest.returned import marked, to_mend, unmended
from scoring.facts.ingest.rows import EXAMPLE, shown
from scoring.facts.ingest.sheets import Cells, Sheet
from scoring.facts.sifting import is_double
from scoring.store import Store
from scoring.store.models import IngestedFile, Quarantined
from scoring.store.scratch import whole_file

MOST_ROWS = 20_000
"""Bad rows in one sheet (own choice); those beyond stand in the quarantine file."""

COMMENTED_ROWS = 1_000
"""Of these the wrong cells say their reasons as comments too (own choice): a third of the work was theirs."""

_DROP_DOWN_ROWS = 5_000
_WRONG = PatternFill("solid", start_color="FFF2A0A0")
_HEAD = PatternFill("solid", start_color="FFDDE6F0")
_FORMULA_STARTS = ("=", "+", "-", "@")
_LONGEST_CELL = 32_000


# Mend and send back


def write_bad_rows(
    store: Store, file_id: int, tables: Iterable[tuple[Sheet, Layout]], folder: Path
) -> Path | None:
    """The bad rows of a file as they stood, the wrong cells marked, the reasons in a column at the end.

    :param tables: the file's sheets, read once more; the rows that the store's quarantine names are written,
        of each sheet to one of its name.
    :return: the workbook, named after the file and its digest; None where no row may be shown.
    :raises OSError: where it can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    workbook, shown_rows = Workbook(write_only=True), 0
    with store.reading() as session:
        file = session.get_one(IngestedFile, file_id)
        path = account(file, folder, MEND)
        for given, layout in tables:
            query = sa.select(Quarantined).filter_by(file_id=file_id, level="error", sheet=given.name)
            found = session.scalars(
                query.order_by(Quarantined.row_no, Quarantined.id).execution_options(yield_per=1_000)
            )
            rows = ((row, list(some)) for row, some in groupby(found, key=lambda fault: fault.row_no))
            bad = islice(rows, MOST_ROWS)
            if first := next(bad, None):
                workbook.epoch = given.epoch  # days that are plain numbers are counted as they were
                pen = _Pen(workbook.create_sheet(given.name or "退回"))
                lines = _lines(given, layout, chain([first], bad), shown(file.name))
                for number, line in enumerate(lines):
                    pen.write(line, with_comments=number <= COMMENTED_ROWS)
                    shown_rows += number > 0  # the first holds the headers
    if not shown_rows:
        workbook.save(BytesIO())  # so that the sheets let their own files go
        return None
    with whole_file(path) as unfinished:
        workbook.save(unfinished)
    return path


@dataclass(frozen=True, slots=True)
class _Written:
    """What is written in a cell, and why it is wrong."""

    value: Any
    fill: PatternFill | None = None
    number_format: str = ""
    comment: str = ""


class _Pen:
    """Writes the rows of a sheet; each cell is written before the next is made, so one of each look does."""

    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet
        self._cells: dict[tuple[object, ...], Any] = {}
        sheet._values_to_row = self._placed  # its own tries each cell as a value first, at twice the cost

    def write(self, line: Iterable[_Written], with_comments: bool) -> None:
        """Write a row below the last."""
        self._sheet.append([self._made, line, with_comments])

    def _placed(self, row: Any, number: int) -> Iterator[Any]:
        _, line, with_comments = row
        for column, one in enumerate(line, 1):
            if (cell := self._made(one, with_comments)) is not None:
                cell.row, cell.column = number, column
                yield cell

    def _made(self, one: _Written, with_comments: bool) -> Any:
        value, fill = one.value, one.fill
        if value is None and fill is None:
            return None
        quoted = isinstance(value, str) and value.startswith(_FORMULA_STARTS)
        look = type(value), one.number_format, fill is None or fill.fgColor.rgb, quoted
        if (cell := self._cells.get(look)) is None:
            cell = self._cells[look] = WriteOnlyCell(self._sheet)
            cell.quotePrefix = quoted
            if one.number_format:
                cell.number_format = one.number_format
            if fill is not None:
                cell.fill = fill
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"
        cell.comment = (
            Comment(in_cell(one.comment), "信衡 Xinheng") if one.comment and with_comments else None
        )
        return cell


def _lines(
    given: Sheet, layout: Layout, bad: Iterator[tuple[int, list[Quarantined]]], file: str
) -> Iterator[list[_Written]]:
    """The headers and the bad rows; both streams come in the order of the rows.

    :param file: of which the rows are that the reasons name.
    """
    headers: list[str] = []
    names: list[str] = []
    number, faults = next(bad, (0, []))
    for row, whole in given.rows:
        cells = () if isinstance(whole, Fault) else whole
        if row == layout.row:
            headers = [as_text(cell).strip() for cell in _but(cells, layout.own)]
            while headers and not headers[-1]:
                headers.pop()
            yield [_written(header, _HEAD) for header in (*headers, REASON_HEADER)]
            names = [shown(header) for header in headers]
        if row == number:
            if (told := layout.told(cells)) is not None:
                lost = _LOST if not given.ragged and 0 < len(cells) < layout.width else None
                told = told[: len(cells)] if lost else told
                again = "" if layout.own is None or not unmended(told, layout.own) else told[layout.own]
                yield _line(names, _but(told, layout.own), faults, file, as_text(again), lost)
            number, faults = next(bad, (0, []))
            if not faults:
                return


def _but(cells: Cells, position: int | None) -> Cells:
    """The cells without those of our own column, if it came back."""
    return cells if position is None else (*cells[:position], *cells[position + 1 :])


_LOST = Unreadable(Fault(Title("缺少单元格", "a cell too few"), Title("请逐列核对", "compare all columns")))


def _line(
    headers: Sequence[str],
    cells: Cells,
    faults: Sequence[Quarantined],
    file: str,
    again: str,
    lost: Cell,
) -> list[_Written]:
    """A bad row; cells beyond its headers come behind the reason, for a person to put in their places.

    :param headers: as the faults name them.
    :param file: where it stood.
    :param again: the reason with which it went out before, if it is the same row still.
    :param lost: stands for the cells that it has too few, of which nobody knows where.
    """
    reasons: dict[str, str] = {}
    for fault in faults:
        reasons.setdefault(fault.column or "", fault.reason)
    width, is_wrong = len(headers), "" in reasons
    line = []
    for n, header in enumerate(headers):
        reason = reasons.get(header, "")
        fill = _WRONG if reason or is_wrong else None
        line.append(_written(cells[n] if n < len(cells) else lost, fill, reason))
    beyond = [_written(value, _WRONG if value else None) for value in cells[width:]]
    said = "; ".join(f"{column}: {reason}" if column else reason for column, reason in reasons.items())
    place = f"{file} 第{faults[0].row_no}行 row {faults[0].row_no}"
    why = again or f"{place}: {said}"
    if not again and (is_wrong or any(is_double(fault.reason) for fault in faults)):
        why = marked(why, [_read_again(one.value) for one in (*line, *beyond)])
    return [*line, _written(why), *beyond]


_SHOWS = {Yearless: "m-d", Dayless: "yyyy-mm"}
"""The formats in which a day that is refused comes back as it stood."""


def _written(value: Any, fill: PatternFill | None = None, comment: str = "") -> _Written:
    """A value that runs nothing; where nothing was read, it says so when it comes back."""
    if isinstance(value, Unreadable):
        value = to_mend(value)
    elif isinstance(value, Shown):
        value = value.text
    if isinstance(value, str):
        return _Written(in_cell(value[:_LONGEST_CELL]), fill, "@", comment)
    return _Written(value, fill, _SHOWS.get(type(value), ""), comment)


def _read_again(value: Any) -> Any:
    """What is written, as it is read when it comes back."""
    return unescaped(value) if isinstance(value, str) else value


# Templates


def write_template(table: Table, required: Collection[str], stream: IO[bytes]) -> None:
    """An empty workbook for a table: headers with units, drop-downs of closed lists, and an example row.

    :param required: the columns that no file may lack; a star marks them, and those that every row fills.
    """
    template, example = _Template("填报"), _example(table)
    for column in table.columns.values():
        header = _header(column, column.name in (*required, *table.needs))
        template.add(header, column.declared == "date", _choices(column), example[column.name])
    template.workbook.save(stream)


def write_form_template(form: Form, table: Table, stream: IO[bytes]) -> None:
    """An empty workbook in an official form: its titles with units, drop-downs, and an example row.

    :param table: of the vocabulary that the form speaks.
    """
    said = {field: (name, how) for name, how in form.columns.items() for field in how.fields}
    needed = {form.columns[name].fields[0] for name in (*table.needs, *form.number) if name in form.columns}
    template, sample = _Template(form.title.zh[:30]), _example(table, form.fixed.get(table.kind or ""))
    for title in form.asked:
        name, how = said.get(title, ("", _NO_COLUMN))
        column = table.columns.get(name)
        is_date = column is not None and column.declared == "date"
        unit = "（年/月/日）" if is_date else "（万元）" if how.per == _TEN_THOUSAND else ""
        kinds = [column.values[code].zh for code in how.gravest] if column is not None else []
        header = f"{'*' if title in needed else ''}{title}{unit}"
        example = _filling(form, title) if column is None else sample[name]
        if column is not None and column.declared == "decimal":
            example = f"{Decimal(example) / how.per:f}"
        template.add(header, is_date, kinds, EXAMPLE if title == form.asked[0] else example)
    template.workbook.save(stream)


def _filling(form: Form, title: str) -> str:
    """What stands in the example for a field that is no column; nothing of a person or of an older code."""
    if title.endswith("统一社会信用代码"):
        return "18位代码"
    is_left_out = title in form.private or "证件" in title or "代码" in title
    return "" if is_left_out else "2026-03-01" if title.endswith("日期") else "文字"


_NO_COLUMN = FormColumn(())
_TEN_THOUSAND = 10_000


class _Template:
    """A workbook to fill in, which gets a column after another."""

    def __init__(self, title: str) -> None:
        self.workbook = Workbook()
        sheet: Any = self.workbook.active
        sheet.title, sheet.freeze_panes = title, "A2"
        lists: Any = self.workbook.create_sheet("代码")
        lists.sheet_state = "hidden"
        self._sheet, self._lists, self._columns = sheet, lists, 0

    def add(self, header: str, is_date: bool, choices: Sequence[str], example: str) -> None:
        """Add a column, with a drop-down where there are choices."""
        self._columns += 1
        number, letter = self._columns, get_column_letter(self._columns)
        head = self._sheet.cell(1, number, header)
        head.font, head.fill = Font(bold=True), _HEAD
        self._sheet.cell(2, number, example).font = Font(italic=True, color="FF808080")
        dimension = self._sheet.column_dimensions[letter]
        dimension.width = max(12, 2 * len(header) + 2)
        dimension.number_format = "yyyy-mm-dd" if is_date else "@"
        for row, title in enumerate(choices, 1):
            self._lists.cell(row, number, title)
        if choices:
            allowed = DataValidation("list", formula1=f"代码!${letter}$1:${letter}${len(choices)}")
            allowed.add(f"{letter}2:{letter}{_DROP_DOWN_ROWS}")
            self._sheet.add_data_validation(allowed)


def _header(column: Column, needed: bool) -> str:
    unit = (
        "（元）"
        if column.title.en.endswith("(yuan)")
        else "（年-月-日）"
        if column.declared == "date"
        else ""
    )
    return f"{'*' if needed else ''}{column.title.zh}{unit}"


def _choices(column: Column) -> list[str]:
    if column.declared == "boolean":
        return ["是", "否"]
    return [title.zh for title in column.values.values()]


def _example(table: Table, code: str | None = None) -> Mapping[str, str]:
    """A row that shows the form of each column; its key says that it is none.

    :param code: its kind; by default the first that the table says more of.
    """
    code = code or next(iter(table.kinds), "")
    kind = table.kinds.get(code, Kind((), {}))
    said: dict[str, str] = {}
    for name, column in table.columns.items():
        codes = [code] if name == table.kind and code else kind.values.get(name, tuple(column.values))
        titles = [column.values[code].zh for code in codes] if column.values else _choices(column)
        said[name] = titles[0] if titles else "" if column.values else _form(column)
    return {**said, table.key: EXAMPLE}


def _form(column: Column) -> str:
    if column.declared in ("integer", "decimal"):
        most, least = column.possible.most, column.possible.least
        number = max(least or 1, min(most or 1_000, 1_000 if column.declared == "decimal" else 1))
        return f"{Decimal(number):f}"
    return "2026-03-01" if column.declared == "date" else "18位代码" if column.format else "文字"
