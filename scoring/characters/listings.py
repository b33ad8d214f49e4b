"""A list that people take away: its columns with titles and kinds of value, its rows; and a workbook of it.

What a page shows and what a command lists is written to a spreadsheet from one description: numbers as
numbers, dates as dates, points never as hundredths, and no text as a formula.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import IO, Any, Literal

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from rules.calendar import SHANGHAI
from rules.model import Title
from scoring.characters.spreadsheets import in_cell
from scoring.characters.visible import visible

MOST_ROWS = 100_000
"""A sheet says when there were more."""

Kind = Literal["text", "number", "count", "points", "date", "moment"]
_FORMATS: Mapping[Kind, str] = {
    "text": "@",
    "number": "General",
    "count": "#,##0",
    "points": "0.00",
    "date": "yyyy-mm-dd",
    "moment": "yyyy-mm-dd hh:mm",
}
_FIRST_YEAR = 1900
"""Of the days that a spreadsheet counts; an earlier one is a text."""
_WIDTHS: Mapping[Kind, int] = {"text": 24, "number": 12, "count": 10, "points": 10, "date": 12, "moment": 17}


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a list.

    :param kind: of its values; those of ``points`` are hundredths.
    """

    title: Title
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list.

    :param asked: what was asked for: what a filter is called, and its value.
    :param rows: by the names of the fields; read once.
    """

    title: Title
    asked: tuple[tuple[Title, str], ...]
    fields: Mapping[str, Field]
    rows: Iterable[Mapping[str, Any]]


def write_workbook(listing: Listing, into: IO[bytes], say: Callable[[Title], str] = str) -> None:
    """Write a list as XLSX, row by row.

    :param say: the title in the language of who reads it.

    >>> import io
    >>> from openpyxl import load_workbook
    >>> from rules.model import Title
    >>> fields = {"name": Field(Title("名称", "Name")), "score": Field(Title("得分", "Score"), "points")}
    >>> found = Listing(Title("主体", "Subjects"), (), fields, [{"name": "=1+1", "score": 7950}])
    >>> file = io.BytesIO()
    >>> write_workbook(found, file, lambda title: title.en)
    >>> [[cell.value for cell in row] for row in load_workbook(file).active][2:]
    [['Name', 'Score'], ['=1+1', 79.5]]
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet(say(listing.title)[:31].translate(_NOT_IN_NAMES))
    for place, field in enumerate(listing.fields.values(), 1):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS[field.kind]
    sheet.freeze_panes = "A4"

    def cell(value: Any, kind: Kind = "text", bold: bool = False) -> Cell:
        made: Cell = WriteOnlyCell(sheet, _plain(value, kind))
        if isinstance(made.value, str):
            made.data_type = "s"
        made.number_format = _FORMATS[kind]
        if bold:
            made.font = Font(bold=True)
        return made

    sheet.append([cell(say(listing.title), bold=True)])
    asked = "; ".join(f"{say(title)}: {value}" for title, value in listing.asked)
    sheet.append([cell(asked or say(Title("全部", "All")))])
    sheet.append([cell(say(field.title), bold=True) for field in listing.fields.values()])
    rows = iter(listing.rows)
    for row in islice(rows, MOST_ROWS):
        sheet.append([cell(row.get(name), field.kind) for name, field in listing.fields.items()])
    if next(rows, None) is not None:
        more = Title(f"仅列出前{MOST_ROWS}行", f"only the first {MOST_ROWS} rows are listed")
        sheet.append([cell(say(more), bold=True)])
    book.save(into)


_NOT_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\", " "))


def _plain(value: Any, kind: Kind) -> Any:
    """A value as a cell holds it."""
    match value:
        case None:
            return None
        case bool():
            return "是" if value else "否"
        case int() if kind == "points":
            return Decimal(value).scaleb(-2)
        case int() | float() | Decimal():
            return value if kind != "text" else str(value)
        case dt.datetime():
            return value.astimezone(SHANGHAI).replace(tzinfo=None, second=0, microsecond=0)
        case dt.date():
            return value if value.year >= _FIRST_YEAR else value.isoformat()
        case list() | tuple():
            return _plain("、".join(map(str, value)), kind)
    return in_cell(visible(str(value)), "…")
