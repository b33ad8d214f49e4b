"""Files as rows of cells, read as a stream: CSV in its encodings and delimiters, and XLSX.

Rows carry the numbers that a spreadsheet shows: the first row of the file is 1, blank rows count.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.datetime import WINDOWS_EPOCH
from openpyxl.utils.exceptions import InvalidFileException

from rules.model import Title
from scoring.ingest.encoding import find_encoding
from scoring.ingest.errors import Fault, IngestError
from scoring.ingest.folding import Cell

Cells = Sequence[Cell]
Row = tuple[int, Cells | Fault]
Score = Callable[[Sequence[Cells]], tuple[int, int]]

DELIMITERS = ",\t;"
HEAD_ROWS = 10
LARGEST_WORKBOOK = 4 << 30
"""Bytes of an unpacked workbook (own choice): a packed file of little size can hold any amount."""

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_BROKEN_WORKBOOK = (
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
    AttributeError,
    EOFError,
    KeyError,
    SyntaxError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of cells.

    :param rows: number and cells of each row, or what is wrong with the row.
    :param ragged: rows may be shorter than the header, for empty cells at their end are not kept.
    :param epoch: the day from which dates are counted.
    :param size: the whole, in the unit of ``position`` (bytes or rows); 0 where it is not known.
    :param position: how much is read so far.
    """

    rows: Iterator[Row]
    ragged: bool
    epoch: dt.datetime
    size: int
    position: Callable[[], int]


def is_blank(cells: Cells) -> bool:
    """Whether a row's cells hold nothing but spaces."""
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells)


@contextmanager
def open_sheet(
    path: Path,
    score: Score,
    head_rows: int = HEAD_ROWS,
    encoding: str | None = None,
    sheet: str | None = None,
) -> Iterator[Sheet]:
    """The rows of a file: a workbook if its content is one, else CSV.

    :param score: how well the first ``head_rows`` rows fit what is looked for; the delimiter that fits best
        is taken.
    :param encoding: of a CSV file; by default it is found out.
    :param sheet: the worksheet's name; by default the first one.
    :raises IngestError: where the file is neither, is empty, or can't be decoded.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    if not start:
        raise IngestError(path.name, Title("文件是空的", "the file is empty"), _WANTED)
    if start == _OLE:
        reason = Title("旧版xls或加密文件", "an old .xls workbook, or one with a password")
        raise IngestError(
            path.name, reason, Title("请另存为不加密的xlsx", "save it as .xlsx without a password")
        )
    if start == _ZIP or path.suffix.casefold() in (".xlsx", ".xlsm"):
        with _open_workbook(path, sheet) as opened:
            yield opened
    else:
        with _open_csv(path, find_encoding(path, encoding), score, head_rows) as opened:
            yield opened


_WANTED = Title("需要CSV或XLSX文件", "a CSV or XLSX file with headers")


@contextmanager
def _open_csv(path: Path, encoding: str, score: Score, head_rows: int) -> Iterator[Sheet]:
    delimiter = max(DELIMITERS, key=lambda d: score(_head(path, encoding, d, head_rows)))
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding, newline="") as stream:
        yield Sheet(
            rows=_csv_rows(stream, delimiter),
            ragged=False,
            epoch=WINDOWS_EPOCH,
            size=path.stat().st_size,
            position=raw.tell,
        )


def _head(path: Path, encoding: str, delimiter: str, head_rows: int) -> list[Cells]:
    with path.open("r", encoding=encoding, newline="") as stream:
        rows = islice(_csv_rows(stream, delimiter), head_rows)
        return [cells for _, cells in rows if not isinstance(cells, Fault)]


def _csv_rows(stream: Iterable[str], delimiter: str) -> Iterator[Row]:
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    number = lines = 0
    while True:
        try:
            for cells in reader:
                number, lines = number + 1, reader.line_num
                yield number, cells
            return
        except csv.Error:
            first, number = number + 1, number + reader.line_num - lines
            lines = reader.line_num
            yield first, _broken_quotes(first, number)


def _broken_quotes(first: int, last: int) -> Fault:
    return Fault(
        Title(
            f"引号不配对,第{first}至{last}行无法读取",
            f"quotes don't match; rows {first} to {last} can't be read",
        ),
        Title('单元格内的引号应写成两个""', 'a quote inside a quoted cell is written twice: ""'),
    )


@contextmanager
def _open_workbook(path: Path, sheet: str | None) -> Iterator[Sheet]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        workbook = _load(path)
        try:
            worksheet = _worksheet(path, workbook, sheet)
            size = worksheet.max_row or 0
            worksheet.reset_dimensions()
            reached = [0]
            yield Sheet(
                rows=_workbook_rows(path, worksheet, reached),
                ragged=True,
                epoch=workbook.epoch,
                size=size,
                position=lambda: reached[0],
            )
        finally:
            workbook.close()


def _load(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > LARGEST_WORKBOOK:
            reason = Title("解压后过大", f"{unpacked:,} bytes when unpacked")
            raise IngestError(path.name, reason, Title("请分成多个文件", "split it into several files"))
        return load_workbook(path, read_only=True, data_only=True)
    except _BROKEN_WORKBOOK:
        raise _no_workbook(path) from None


def _no_workbook(path: Path) -> IngestError:
    reason = Title("不是有效的xlsx工作簿", "not an XLSX workbook, or a damaged one")
    return IngestError(
        path.name, reason, Title("请用表格软件重新另存", "open it in a spreadsheet and save it again")
    )


def _worksheet(path: Path, workbook: Any, name: str | None) -> Any:
    sheets = {worksheet.title: worksheet for worksheet in workbook.worksheets}
    if not sheets:
        raise _no_workbook(path)
    if name is None:
        return workbook.worksheets[0]
    if name not in sheets:
        shown = "、".join(sheets)
        reason = Title(f"没有名为“{name}”的工作表", f"no worksheet is called {name}")
        raise IngestError(path.name, reason, Title(f"现有:{shown}", f"there are: {shown}"))
    return sheets[name]


def _workbook_rows(path: Path, worksheet: Any, reached: list[int]) -> Iterator[Row]:
    """The rows as far as they hold anything; ``reached`` is told the number of the latest."""
    try:
        for number, cells in enumerate(worksheet.iter_rows(values_only=True), 1):
            reached[0] = number
            yield number, cells
    except _BROKEN_WORKBOOK:
        raise _no_workbook(path) from None
