"""Texts in files that people open in a spreadsheet, so that none of them runs as a formula.

A workbook needs no apostrophe (:mod:`scoring.characters.formulas`): its cells say that they hold text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from scoring.characters.formulas import FORMULA


def inert_column(column: pa.Array) -> pa.Array:
    """:func:`inert` of every text of an Arrow column; a column of another type stays as it is."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    runs = pc.match_substring_regex(column, FORMULA)
    return pc.if_else(runs, pc.binary_join_element_wise("'", column, ""), column)


def append_row(sheet: Worksheet, values: Iterable[Any]) -> None:
    """A row below the last of a worksheet; a text is a text, whatever it begins with.

    >>> from openpyxl import Workbook
    >>> sheet = Workbook().active
    >>> append_row(sheet, ["=1+1", 2])
    >>> [(cell.value, cell.data_type) for cell in sheet[1]]
    [('=1+1', 's'), (2, 'n')]
    """
    sheet.append(list(values))
    for cell in sheet[sheet.max_row]:
        if isinstance(cell, Cell) and cell.data_type == "f":
            cell.data_type = "s"
