"""What workbooks of all kinds have in common: sheets, merged cells, and refusals."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from rules.model import Title
from scoring.facts.ingest import bounds
from scoring.facts.ingest.errors import Fault, IngestError
from scoring.facts.ingest.folding import Cell, Unreadable

Numbered = tuple[int, list[Cell]]


@dataclass(frozen=True, slots=True)
class Tab:
    """A sheet of a workbook.

    :param is_table: it has cells; a chart has none.
    """

    name: str
    is_hidden: bool
    is_table: bool = True


class Book(Protocol):
    """An open workbook."""

    tabs: list[Tab]
    epoch: dt.datetime

    def rows(self, tab: int) -> Iterator[Numbered]:
        """The rows of a sheet that hold anything, with their numbers, and the cells as they are shown."""

    def size(self, tab: int) -> int:
        """How many rows a sheet has, as soon as the first of them is read."""

    def close(self) -> None:
        """Let the file go."""


class Merge(NamedTuple):
    """A block of merged cells, from 0 but for its rows, which count from 1."""

    top: int
    bottom: int
    left: int
    right: int


_SEVERAL = Unreadable(
    Fault(
        Title("合并单元格跨越多列", "merged cells over several columns"),
        Title("请取消合并,逐列填写", "unmerge them, and fill in each column"),
    )
)


def fill(rows: Iterable[Numbered], merges: Iterable[Merge]) -> Iterator[Numbered]:
    """Rows in which every cell of a block downwards has the value that is shown for the block.

    Which of several columns the value is meant for is not guessed: it is in the first, and the others can't
    be read. A row with nothing in it but what the block gives stays blank.
    """
    waiting = deque(sorted(merges))
    under: dict[int, tuple[int, Cell]] = {}
    for number, cells in rows:
        blank = all(cell is None for cell in cells)
        for column, (bottom, value) in list(under.items()):
            if bottom < number:
                del under[column]
            elif not blank:
                _put(cells, column, value)
        while waiting and waiting[0].top <= number:
            merge = waiting.popleft()
            value = cells[merge.left] if merge.top == number and merge.left < len(cells) else None
            if value is None:
                continue
            under[merge.left] = merge.bottom, value
            for column in range(merge.left + 1, merge.right + 1):
                under[column] = merge.bottom, _SEVERAL
                _put(cells, column, _SEVERAL)
        yield number, cells


def _put(cells: list[Cell], column: int, value: Cell) -> None:
    cells += [None] * (column + 1 - len(cells))
    cells[column] = value


def check_merges(file: str, merges: list[Merge]) -> None:
    """Refuse more merged cells than anybody merges.

    :raises IngestError: naming the bound.
    """
    bounds.check(file, len(merges), bounds.MOST_MERGES, "合并单元格", "merged blocks")
    width = sum(merge.right - merge.left for merge in merges)
    bounds.check(file, width, bounds.MOST_CELLS, "合并单元格列数", "columns of merged blocks")


UNSAVED = Fault(
    Title("公式没有保存结果", "a formula without a saved value"),
    Title("请用表格软件打开并保存后再报送", "open the file in a spreadsheet and save it"),
)


def no_workbook(file: str) -> IngestError:
    """The refusal of a file that is not what its first bytes or its name say."""
    reason = Title("不是有效的xlsx工作簿", "not an XLSX workbook, or a damaged one")
    return IngestError(
        file, reason, Title("请用表格软件重新另存", "open it in a spreadsheet and save it again")
    )


def other_kind(file: str, kind: str) -> IngestError:
    """The refusal of a file of another kind, whatever it is called."""
    reason = Title(f"{kind}文件", f"a file of the kind {kind}")
    hint = Title(
        "请用表格软件打开其中的表格,另存为xlsx", "open its table in a spreadsheet and save it as .xlsx"
    )
    return IngestError(file, reason, hint)


def archive(file: str) -> IngestError:
    """The refusal of an archive of files."""
    reason = Title("ZIP压缩包,不是表格文件", "a ZIP archive, not a table")
    return IngestError(
        file, reason, Title("请解压后选择其中的表格文件", "unpack it, and choose the tables in it")
    )


def locked(file: str) -> IngestError:
    """The refusal of a workbook with a password."""
    reason = Title("加密的工作簿", "a workbook with a password")
    return IngestError(file, reason, Title("请另存为不加密的xlsx", "save it as .xlsx without a password"))
