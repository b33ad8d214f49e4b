"""Texts in files that people open in a spreadsheet, so that none of them runs as a formula.

A workbook needs no apostrophe (:mod:`scoring.characters.formulas`): its cells say that they hold text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from scoring.characters.formulas import FORMULA
from scoring.characters.visible import mark


def inert_column(column: pa.Array) -> pa.Array:
    """:func:`inert` of every text of an Arrow column; a column of another type stays as it is."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    runs = pc.match_substring_regex(column, FORMULA)
    return pc.if_else(runs, pc.binary_join_element_wise("'", column, ""), column)


def in_cell(text: str, end: str = "") -> str:
    r"""A text as a cell of a workbook holds it: controls, and what XML has no form for, which would make the
    whole file unreadable, as their numbers, ``_xHHHH_`` as it stands, and cut where it is longer than a cell
    takes.

    :param end: stands at the end of a text that was cut.

    Source: XML 1.0, 2.2 (Char); ECMA-376 part 1, 22.9.2.19 (ST_Xstring).

    >>> in_cell("a\uffffb"), in_cell("_x0041_")
    ('a⟨U+FFFF⟩b', '_x005F_x0041_')
    """
    if len(text) <= _LONGEST // 2 and "_x" not in text and _UNSEEN.search(text) is None:
        return text
    units = _ESCAPED.sub("_x005F_", _UNSEEN.sub(lambda found: mark(found[0]), text)).encode("utf-16-le")
    if len(units) > _LONGEST * 2:
        units = units[: (_LONGEST - len(end)) * 2] + end.encode("utf-16-le")
    return units.decode("utf-16-le", "ignore")


_UNSEEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_LONGEST = 32_767
"""Of a cell, in the two bytes that a spreadsheet counts."""


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
