"""Files as rows of cells, read as a stream: CSV in its encodings and delimiters, and workbooks.

Rows carry the numbers that people see: a workbook's row as the spreadsheet counts it, a CSV's by the line in
which it begins, as an editor counts lines.
"""

from __future__ import annotations

import codecs
import datetime as dt
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from openpyxl.utils.datetime import WINDOWS_EPOCH

from rules.model import Title
from scoring.characters.visible import is_blank as is_nothing
from scoring.characters.visible import visible as marked
from scoring.facts.ingest import bounds
from scoring.facts.ingest.books import Book, no_workbook, other_kind
from scoring.facts.ingest.encoding import find_encoding
from scoring.facts.ingest.errors import Fault, IngestError
from scoring.facts.ingest.folding import Cell
from scoring.facts.ingest.lines import ODD_END, lines
from scoring.facts.ingest.lines import rows as csv_rows
from scoring.facts.ingest.xls import XlsBook
from scoring.facts.ingest.xlsx import XlsxBook

Cells = Sequence[Cell]
Row = tuple[int, Cells | Fault]
Score = Callable[[Sequence[Cells]], tuple[int, int]]

DELIMITERS = ",\t;"
HEAD_ROWS = 10

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of cells.

    :param rows: number and cells of each row, or what is wrong with the row.
    :param ragged: rows may be shorter than the header, for empty cells at their end are not kept.
    :param epoch: the day from which dates are counted.
    :param size: the whole, in the unit of ``position`` (bytes or rows), once rows are read; 0 if not known.
    :param position: how much is read so far.
    :param name: of the sheet in its workbook; None for a CSV.
    :param is_hidden: nobody who opens the workbook sees it.
    :param is_table: it has cells; a chart has none.
    """

    rows: Iterator[Row]
    ragged: bool
    epoch: dt.datetime
    size: Callable[[], int]
    position: Callable[[], int]
    name: str | None = None
    is_hidden: bool = False
    is_table: bool = True


def is_blank(cells: Cells) -> bool:
    """Whether there is nothing to see in a row's cells."""
    return all(cell is None or (isinstance(cell, str) and is_nothing(cell)) for cell in cells)


@contextmanager
def open_sheets(
    path: Path, score: Score, head_rows: int = HEAD_ROWS, encoding: str | None = None
) -> Iterator[tuple[Sheet, ...]]:
    """The sheets of a file, in their order: of a workbook if its content is one, else one of CSV.

    :param score: how well the first ``head_rows`` rows fit what is looked for; the delimiter that fits best
        is taken.
    :param encoding: of a CSV file; by default it is found out.
    :raises IngestError: where the file is neither, is empty, can't be decoded, or is beyond a bound.
    """
    bounds.check(path.name, path.stat().st_size, bounds.LARGEST_FILE, "文件字节数", "bytes of the file")
    with path.open("rb") as stream:
        start = stream.read(512)
    if not start:
        raise IngestError(path.name, Title("文件是空的", "the file is empty"), _WANTED)
    with ExitStack() as opened:
        if start.startswith((_OLE, _ZIP)):
            book: Book = XlsBook(path) if start.startswith(_OLE) else XlsxBook(path)
            opened.callback(book.close)
            yield tuple(_tab(book, number) for number in range(len(book.tabs)))
        else:
            _refuse_others(path, start)
            found = find_encoding(path, encoding)
            _refuse_odd_ends(path, found)
            _refuse_nothing(path, found, start)
            sheet = _csv(path, found, score, head_rows)
            yield (opened.enter_context(sheet),)


@contextmanager
def open_sheet(
    path: Path,
    score: Score,
    head_rows: int = HEAD_ROWS,
    encoding: str | None = None,
    sheet: str | None = None,
) -> Iterator[Sheet]:
    """One sheet of a file: the one that is named, or the first that is not hidden.

    Otherwise as :func:`open_sheets`.
    """
    with open_sheets(path, score, head_rows, encoding) as sheets:
        yield (named(path, sheets, sheet) if sheet else visible(sheets) or sheets)[0]


def visible(sheets: Sequence[Sheet]) -> list[Sheet]:
    """The sheets that people see, and that have cells."""
    return [sheet for sheet in sheets if sheet.is_table and not sheet.is_hidden]


def named(path: Path, sheets: Sequence[Sheet], name: str) -> list[Sheet]:
    """The sheet of a name, alone; a CSV has none, and is what is meant.

    :raises IngestError: naming the sheets there are.
    """
    found = [sheet for sheet in sheets if sheet.name in (name, None)]
    if not found:
        shown = "、".join(sheet.name for sheet in sheets if sheet.name)
        reason = Title(f"没有名为“{name}”的工作表", f"no worksheet is called {name}")
        raise IngestError(path.name, reason, Title(f"现有:{shown}", f"there are: {shown}"))
    return found


_WANTED = Title("需要CSV或XLSX文件", "a CSV or XLSX file with headers")


_MARKUP = re.compile(r"<(?:[!?]|[a-z][a-z0-9:]*[\s/>])", re.IGNORECASE)
_KINDS = {
    b"MIME-Version:": "MHTML",
    b"%PDF-": "PDF",
    b"Rar!": "RAR",
    b"PAR1": "Parquet",
    b"\x03": "dBASE",
    b"7z\xbc\xaf": "7z",
    b"\x1f\x8b": "gzip",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    **dict.fromkeys(
        (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08\x08\x00"), "Excel 2–5"
    ),
}
"""How files begin that are often called .xls, .xlsx or .csv, and are none."""
_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be", codecs.BOM_UTF8: "utf-8"}


def _refuse_others(path: Path, start: bytes) -> None:
    """Refuse what is no text of cells: a page that is called .xls, say, would be nonsense as CSV."""
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if _MARKUP.match(start.decode(encoding or "latin-1", "replace").lstrip("\ufeff \t\r\n")):
        raise other_kind(path.name, "HTML/XML")
    kind = next((kind for begin, kind in _KINDS.items() if start.startswith(begin)), None)
    if kind is not None:
        raise other_kind(path.name, kind)
    if path.suffix.casefold() in _BOOKS and b"\0" in start and encoding is None:
        raise no_workbook(path.name)


def _refuse_nothing(path: Path, encoding: str, start: bytes) -> None:
    """Refuse a file in which there is nothing to see, naming what there is."""
    signs: set[str] = set()
    with path.open(encoding=encoding, newline="") as stream:
        while block := stream.read(bounds.LONGEST_QUOTED):
            signs.update(block)
            if not is_nothing("".join(signs - _PARTING)):
                return
    found = {
        Title("编码标记(BOM)", "a byte-order mark"): start.startswith(tuple(_MARKS)),
        Title("零字节", "zero bytes"): "\0" in signs,
        Title("分隔符", "delimiters"): not signs.isdisjoint(_PARTING),
        Title("空格、空行", "spaces and empty lines"): bool(signs - _PARTING - {"\0"}),
    }
    there = [title for title, is_there in found.items() if is_there]
    zh, en = "、".join(title.zh for title in there), ", ".join(title.en for title in there)
    raise IngestError(
        path.name,
        Title(f"文件里只有{zh},没有内容", f"there is nothing in the file but {en}"),
        Title("请重新导出,并打开文件核对", "export it again, and see that its rows are there"),
    )


_PARTING = frozenset(f'{DELIMITERS}"')


def _refuse_odd_ends(path: Path, encoding: str) -> None:
    """Refuse a file that is all one line where its rows seem to end in what ends no line."""
    with path.open(encoding=encoding, newline="") as stream:
        said = (line.strip() for _, line in lines(stream, path.name) if line.strip())
        first, second = next(said, ""), next(said, None)
    if second is None and (sign := ODD_END.search(first)):
        shown = marked(sign[0])
        raise IngestError(
            path.name,
            Title(f"全文只有一行,似以{shown}分行", f"all is one line, whose rows seem to end in {shown}"),
            Title("请以换行符(CR LF或LF)分行", "an end of line, CR LF or LF, behind each row"),
        )


_BOOKS = (".xlsx", ".xlsm", ".xls", ".et", ".xlsb", ".ods")


def _tab(book: Book, number: int) -> Sheet:
    tab, reached = book.tabs[number], [0]

    def rows() -> Iterator[Row]:
        for row, cells in book.rows(number):
            reached[0] += 1
            yield row, cells

    return Sheet(
        rows=rows(),
        ragged=True,
        epoch=book.epoch,
        size=lambda: book.size(number),
        position=lambda: reached[0],
        name=tab.name,
        is_hidden=tab.is_hidden,
        is_table=tab.is_table,
    )


@contextmanager
def _csv(path: Path, encoding: str, score: Score, head_rows: int) -> Iterator[Sheet]:
    delimiter = max(DELIMITERS, key=lambda d: score(_head(path, encoding, d, head_rows)))
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding, newline="") as stream:
        yield Sheet(
            rows=_rows(path, stream, delimiter),
            ragged=False,
            epoch=WINDOWS_EPOCH,
            size=lambda: path.stat().st_size,
            position=raw.tell,
        )


def _head(path: Path, encoding: str, delimiter: str, head_rows: int) -> list[Cells]:
    with path.open("r", encoding=encoding, newline="") as stream:
        rows = islice(_rows(path, stream, delimiter), head_rows)
        return [cells for _, cells in rows if not isinstance(cells, Fault)]


def _rows(path: Path, stream: io.TextIOWrapper, delimiter: str) -> Iterator[Row]:
    for row in csv_rows(lines(stream, path.name), delimiter):
        number, cells = row
        if not isinstance(cells, Fault) and len(cells) > bounds.MOST_COLUMNS:
            zh, en = f"第{number}行的列", f"columns in line {number}"
            bounds.check(path.name, len(cells), bounds.MOST_COLUMNS, zh, en)
        yield row
