"""Texts in files that people open in a spreadsheet, so that none of them runs as a formula.

A text that a spreadsheet would run gets an apostrophe before it (OWASP, CSV injection); ingest reads the text
without it (:func:`scoring.ingest.decoration.undecorated`). A workbook needs no apostrophe: its cells say that
they hold text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

FORMULA = r"(?s)^[ \t\r\n\f\v\x{a0}\x{3000}]*(?:[=@＝＠]|[+\-＋－].*[^0-9.])|^[\t\r\n]"  # RE2's spelling
"""What a spreadsheet takes for a formula; ``-5`` is a number."""

_FORMULA = re.compile(FORMULA.replace(r"\x{a0}\x{3000}", "\xa0\u3000"))


def inert(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run."""
    return f"'{text}" if _FORMULA.match(text) else text


def inert_column(column: pa.Array) -> pa.Array:
    """:func:`inert` of every text of an Arrow column; a column of another type stays as it is."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    runs = pc.match_substring_regex(column, FORMULA)
    return pc.if_else(runs, pc.binary_join_element_wise("'", column, ""), column)


def inert_sql(column: str) -> str:
    """:func:`inert` as DuckDB's SQL.

    :param column: a quoted name of a column of text.
    """
    return f"case when regexp_matches({column}, '{FORMULA}') then '''' || {column} else {column} end"


def append_row(sheet: Worksheet, values: Iterable[Any]) -> None:
    """A row below the last of a worksheet; a text is a text, whatever it begins with."""
    sheet.append(list(values))
    for cell in sheet[sheet.max_row]:
        if isinstance(cell, Cell) and cell.data_type == "f":
            cell.data_type = "s"
