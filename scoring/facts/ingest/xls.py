"""The old XLS workbooks (BIFF), by xlrd, which knows number formats, merged and hidden cells of them.

python-calamine is faster, but does not say in which format a number stands, so that 0001 would become 1.
"""

from __future__ import annotations

import datetime as dt
import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xlrd
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

from rules.model import Title
from scoring.facts.ingest import bounds
from scoring.facts.ingest.books import UNSAVED, Merge, Numbered, Tab, check_merges, fill
from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.folding import Cell, Unreadable
from scoring.facts.ingest.formats import Show, show

_END, _FORMULA, _CALCULATE_ON_LOAD = 0x000A, 0x0006, 2
_ZERO, _EMPTY = b"\0" * 8, b"\x03\0\0\0\0\0\xff\xff"
_HISTORY = 12
"""Where the first record says which programs have saved the file."""


class XlsBook:
    """An open workbook: a :class:`scoring.facts.ingest.books.Book`.

    :raises IngestError: where it is damaged, has a password or is too large; so does every step of reading.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.name
        size = path.stat().st_size
        bounds.check(self._file, size, bounds.LARGEST_OLD_WORKBOOK, "xls文件字节数", "bytes of an .xls")
        try:
            self._book = xlrd.open_workbook(path, logfile=io.StringIO(), formatting_info=True, on_demand=True)
            self.tabs = [self._tab(number, name) for number, name in enumerate(self._book.sheet_names())]
        except Exception:  # xlrd answers damage with whatever it stumbles over
            raise self._damaged() from None
        self.epoch: dt.datetime = MAC_EPOCH if self._book.datemode else WINDOWS_EPOCH
        self._shows: dict[int, Show] = {}
        self._sizes: dict[int, int] = {}

    def close(self) -> None:
        """Let the file go."""
        self._book.release_resources()

    def size(self, tab: int) -> int:
        """How many rows a sheet has; asked once the first of them is read."""
        return self._sizes[tab]

    def rows(self, tab: int) -> Iterator[Numbered]:
        """The rows of a sheet that hold anything, with their numbers, and the cells as they are shown."""
        try:
            sheet = self._book.sheet_by_index(tab)
            merges = [
                Merge(top + 1, bottom, left, right - 1) for top, bottom, left, right in sheet.merged_cells
            ]
            unsaved = _unsaved_formulas(self._book.mem, self._book.base, self._book._sh_abs_posn[tab])
        except Exception:  # as above
            raise self._damaged() from None
        self._sizes[tab] = sheet.nrows
        check_merges(self._file, merges)
        yield from fill(self._rows(sheet, unsaved), merges)

    def _rows(self, sheet: Any, unsaved: set[tuple[int, int]]) -> Iterator[Numbered]:
        for row in range(sheet.nrows):
            cells = [
                Unreadable(UNSAVED) if (row, column) in unsaved else self._cell(cell)
                for column, cell in enumerate(sheet.row(row))
            ]
            yield row + 1, cells

    def _cell(self, cell: Any) -> Cell:
        match cell.ctype:
            case xlrd.XL_CELL_TEXT:
                return str(cell.value) or None
            case xlrd.XL_CELL_NUMBER | xlrd.XL_CELL_DATE:
                return self._show(cell.xf_index)(cell.value + 0)
            case xlrd.XL_CELL_BOOLEAN:
                return bool(cell.value)
            case xlrd.XL_CELL_ERROR:
                return str(xlrd.error_text_from_code.get(cell.value, "#N/A"))
            case _:
                return None

    def _show(self, style: int) -> Show:
        found = self._shows.get(style)
        if found is None:
            number = self._book.xf_list[style].format_key
            known = self._book.format_map.get(number)
            found = self._shows[style] = show(known and known.format_str, number, self.epoch)
        return found

    def _tab(self, number: int, name: str) -> Tab:
        return Tab(name, self._book._sheet_visibility[number] != 0)

    def _damaged(self) -> IngestError:
        reason = Title("xls工作簿已损坏或已加密", "a damaged .xls workbook, or one with a password")
        return IngestError(
            self._file, reason, Title("请另存为不加密的xlsx", "save it as .xlsx without a password")
        )


def _unsaved_formulas(stream: Any, first: int, start: int) -> set[tuple[int, int]]:
    """The cells of a sheet whose formula has no value yet; xlrd gives such a cell as an empty text, or 0.

    An empty text is the value of many a formula, but not in a file that no spreadsheet has saved.
    Source of the form: MS-XLS 2.4.21 and 2.4.127.
    """
    never_calculated = not any(stream[first + _HISTORY : first + _HISTORY + 4])
    found = set()
    while start + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, start)
        if kind == _END:
            break
        if kind == _FORMULA and length >= 16:
            row, column, _, value, flags = struct.unpack_from("<HHH8sH", stream, start + 4)
            on_load = flags & _CALCULATE_ON_LOAD and value in (_ZERO, _EMPTY)
            if on_load or (never_calculated and value == _EMPTY):
                found.add((row, column))
        start += 4 + length
    return found
