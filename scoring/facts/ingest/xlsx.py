"""XLSX workbooks, read as a stream in bounded memory.

openpyxl does not tell a formula without a saved value from an empty cell, reads merged cells only where it
holds the whole workbook, and believes what a file says of its size; so the parts that matter are read here.
Source of the form: ECMA-376 part 1, 18; parts are known by their local names, for the strict form has others.
"""

from __future__ import annotations

import datetime as dt
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.parsers import expat

from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

from scoring.facts.ingest import bounds
from scoring.facts.ingest.books import (
    UNSAVED,
    Merge,
    Numbered,
    Tab,
    archive,
    check_merges,
    fill,
    locked,
    no_workbook,
    other_kind,
)
from scoring.facts.ingest.decoration import unescaped
from scoring.facts.ingest.folding import Cell, Unreadable
from scoring.facts.ingest.formats import Show, show

_BLOCK = 1 << 16
_OTHER_KINDS = {
    "xl/workbook.bin": ".xlsb",
    "content.xml": ".ods",
    "word/document.xml": ".docx",
    "ppt/presentation.xml": ".pptx",
    "Index/Document.iwa": ".numbers",
}
"""The parts by which packages of other programs are told."""

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    EOFError,
    LookupError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    UnicodeError,
    ValueError,
)
_TRUE = ("1", "true", "on")

Start = Callable[[str, dict[str, str]], None]


class XlsxBook:
    """An open workbook: a :class:`scoring.facts.ingest.books.Book`.

    :raises IngestError: where it is none, is damaged, or goes beyond :mod:`scoring.facts.ingest.bounds`; so
        does every step of reading it.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.name
        with self._sound():
            self._archive = zipfile.ZipFile(path)
            packed = path.stat().st_size
            self._check_size(packed)
            self._refuse_other_kinds()
            self._read_workbook()
        self._cells = 0
        self._most_cells = min(bounds.MOST_CELLS, bounds.FREE_CELLS + bounds.CELLS_A_BYTE * packed)
        self._sizes: dict[int, int] = {}

    def close(self) -> None:
        """Let the file go."""
        self._archive.close()

    def size(self, tab: int) -> int:
        """How many rows a sheet has; asked once the first of them is read."""
        return self._sizes[tab]

    def rows(self, tab: int) -> Iterator[Numbered]:
        """The rows of a sheet that hold anything, with their numbers, and the cells as they are shown."""
        with self._sound():
            survey = _Survey(self._file, self._cells, self._most_cells)
            for _ in self._parse(self._parts[tab], survey.start):
                pass
            self._cells = survey.cells
            self._sizes[tab] = survey.rows
            check_merges(self._file, survey.merges)
            sheet = _Sheet(self._file, self._strings, self._shows, self._are_formulas_unsaved)
            yield from fill(self._read(self._parts[tab], sheet), survey.merges)

    def _read(self, part: str, sheet: _Sheet) -> Iterator[Numbered]:
        for _ in self._parse(part, sheet.start, sheet.end, sheet.text):
            yield from sheet.rows
            sheet.rows.clear()

    @contextmanager
    def _sound(self) -> Iterator[None]:
        try:
            yield
        except _BROKEN:
            raise no_workbook(self._file) from None

    def _check_size(self, packed: int) -> None:
        entries = self._archive.infolist()
        if any(entry.flag_bits & 1 for entry in entries):
            raise locked(self._file)
        unpacked = sum(entry.file_size for entry in entries)
        bounds.check(self._file, unpacked, bounds.LARGEST_UNPACKED, "解压后字节数", "bytes when unpacked")
        if unpacked > bounds.FREE_UNPACKED:
            ratio = unpacked // max(packed, 1)
            bounds.check(self._file, ratio, bounds.HIGHEST_RATIO, "压缩比", "bytes unpacked for each packed")

    def _refuse_other_kinds(self) -> None:
        parts = self._archive.namelist()
        for part in parts:
            if part in _OTHER_KINDS:
                raise other_kind(self._file, _OTHER_KINDS[part])
        if not any(part.endswith(".rels") for part in parts):
            raise archive(self._file)

    def _parse(
        self,
        part: str,
        start: Start,
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> Iterator[None]:
        """Send a part of the package through handlers, block by block; names come without their prefix."""
        parser = expat.ParserCreate()
        depth = _Depth(self._file)
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_declarations
        parser.StartElementHandler = depth.entering(start)
        parser.EndElementHandler = depth.leaving(end)
        if text is not None:
            parser.CharacterDataHandler = text
        read = 0
        with self._archive.open(part) as stream:
            while block := stream.read(_BLOCK):
                parser.Parse(block)
                read += len(block)
                pending = read - max(parser.CurrentByteIndex, 0)
                bounds.check(self._file, pending, bounds.LONGEST_TAG, "单个标记字节数", "bytes of one tag")
                yield
            parser.Parse(b"", True)
            yield

    def _refuse_declarations(self, *_: Any) -> None:
        raise no_workbook(self._file)

    def _all(self, part: str, start: Start) -> None:
        for _ in self._parse(part, start):
            pass

    def _read_workbook(self) -> None:
        main = self._main_part()
        targets = self._relations(main)
        self._epoch_is_mac = self._are_formulas_unsaved = False
        self.tabs: list[Tab] = []
        self._parts: list[str] = []

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "sheet":
                kind, part = targets[_relation_id(attributes)]
                hidden = attributes.get("state", "visible") != "visible"
                self.tabs.append(Tab(attributes["name"], hidden, kind == "worksheet"))
                self._parts.append(part)
                bounds.check(self._file, len(self.tabs), bounds.MOST_SHEETS, "工作表", "sheets")
            elif name == "workbookPr":
                self._epoch_is_mac = attributes.get("date1904") in _TRUE
            elif name == "calcPr":
                self._are_formulas_unsaved = attributes.get("fullCalcOnLoad") in _TRUE

        self._all(main, start)
        if not self.tabs:
            raise no_workbook(self._file)
        self._others = dict(targets.values())
        self.epoch: dt.datetime = MAC_EPOCH if self._epoch_is_mac else WINDOWS_EPOCH

    def _main_part(self) -> str:
        for kind, part in self._relations("").values():
            if kind == "officeDocument" and not part.endswith(".bin"):
                return part
        raise no_workbook(self._file)

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Id → kind and part, of what a part refers to inside the package."""
        folder, name = posixpath.split(part)
        found: dict[str, tuple[str, str]] = {}

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, attributes["Target"])).lstrip("/")
                found[attributes["Id"]] = attributes["Type"].rpartition("/")[2], target
                bounds.check(self._file, len(found), bounds.MOST_STYLES, "部件", "parts")

        self._all(posixpath.join(folder, "_rels", f"{name}.rels"), start)
        return found

    @cached_property
    def _strings(self) -> list[str]:
        part = self._others.get("sharedStrings")
        if part is None:
            return []
        size = self._archive.getinfo(part).file_size
        bounds.check(self._file, size, bounds.LARGEST_STRINGS, "共享文本字节数", "bytes of shared texts")
        strings = _Strings(self._file)
        for _ in self._parse(part, strings.start, strings.end, strings.text):
            pass
        return strings.found

    @cached_property
    def _shows(self) -> list[Show]:
        """What the style of each number does with a number."""
        part = self._others.get("styles")
        if part is None:
            return []
        codes: dict[int, str] = {}
        formats: list[int] = []
        inside: list[str] = []

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "numFmt":
                codes[int(attributes["numFmtId"])] = attributes["formatCode"]
                bounds.check(self._file, len(codes), bounds.MOST_STYLES, "数字格式", "formats of numbers")
            elif name in ("cellXfs", "cellStyleXfs"):
                inside[:] = [name]
            elif name == "xf" and inside == ["cellXfs"]:
                formats.append(int(attributes.get("numFmtId", 0)))
                bounds.check(self._file, len(formats), bounds.MOST_STYLES, "单元格样式", "styles of cells")

        self._all(part, start)
        made = {number: show(codes.get(number), number, self.epoch) for number in set(formats)}
        return [made[number] for number in formats]


class _Depth:
    """Handlers of elements, bounded in how deep these stand in one another."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._depth = 0

    def entering(self, start: Start) -> Start:
        """The handler of the beginnings of elements."""

        def enter(name: str, attributes: dict[str, str]) -> None:
            self._depth += 1
            if self._depth > bounds.DEEPEST_ELEMENT:
                bounds.check(self._file, self._depth, bounds.DEEPEST_ELEMENT, "嵌套层数", "nested elements")
            start(name.rpartition(":")[2] if ":" in name else name, attributes)

        return enter

    def leaving(self, end: Callable[[str], None] | None) -> Callable[[str], None]:
        """The handler of the ends of elements."""

        def leave(name: str) -> None:
            self._depth -= 1
            if end is not None:
                end(name.rpartition(":")[2] if ":" in name else name)

        return leave


class _Survey:
    """A first look at a sheet: its size, and the merged cells that stand after its rows."""

    def __init__(self, file: str, cells: int, most_cells: int) -> None:
        self._file, self._most_cells = file, most_cells
        self.cells, self.rows = cells, 0
        self.merges: list[Merge] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take an element in."""
        if name == "c":
            self.cells += 1
            if self.cells > self._most_cells:
                bounds.check(self._file, self.cells, self._most_cells, "单元格", "cells")
        elif name == "row":
            self.rows += 1
            bounds.check(self._file, self.rows, bounds.MOST_ROWS, "行", "rows")
        elif name == "mergeCell":
            self.merges.append(_merge(attributes["ref"]))
            bounds.check(self._file, len(self.merges), bounds.MOST_MERGES, "合并单元格", "merged blocks")


class _Strings:
    """The texts that cells refer to by their number; how Chinese or Japanese is spoken is no part of them."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._parts: list[str] = []
        self._is_text = self._is_spoken = False
        self.found: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element in."""
        if name == "t":
            self._is_text = not self._is_spoken
        elif name == "rPh":
            self._is_spoken = True

    def text(self, text: str) -> None:
        """Take text in."""
        if self._is_text:
            self._parts.append(text)

    def end(self, name: str) -> None:
        """Take the end of an element in."""
        if name == "t":
            self._is_text = False
        elif name == "rPh":
            self._is_spoken = False
        elif name == "si":
            self.found.append(unescaped("".join(self._parts)))
            self._parts.clear()
            if len(self.found) > bounds.MOST_STRINGS:
                bounds.check(self._file, len(self.found), bounds.MOST_STRINGS, "共享文本", "shared texts")


class _Sheet:
    """The rows of a sheet, as their elements come by."""

    def __init__(self, file: str, strings: list[str], shows: list[Show], are_formulas_unsaved: bool) -> None:
        self._file = file
        self._strings, self._shows, self._are_unsaved = strings, shows, are_formulas_unsaved
        self.rows: list[Numbered] = []
        self._number = self._column = self._padded = 0
        self._cells: list[Cell] = []
        self._type = self._style = ""
        self._value: str | None = None
        self._formula: str | None = None
        self._parts: list[str] | None = None
        self._is_spoken = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element in."""
        if name == "c":
            place = attributes.get("r")
            self._column = _column(place) if place else self._column + 1
            self._type, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._value = self._formula = None
        elif name in ("v", "f") or (name == "t" and not self._is_spoken):
            self._parts = []
        elif name == "rPh":
            self._is_spoken = True
        elif name == "row":
            number = int(attributes.get("r", self._number + 1))
            if not self._number < number <= bounds.MOST_ROWS:
                raise no_workbook(self._file)
            self._number, self._column, self._cells = number, -1, []

    def text(self, text: str) -> None:
        """Take text in."""
        if self._parts is not None:
            self._parts.append(text)

    def end(self, name: str) -> None:
        """Take the end of an element in."""
        if name == "v":
            self._value = self._taken()
        elif name == "c":
            cell = self._cell()
            if cell is not None:
                self._put(cell)
        elif name == "t":
            self._value = (self._value or "") + self._taken()
        elif name == "f":
            self._formula = self._taken()
        elif name == "row":
            self.rows.append((self._number, self._cells))
        elif name == "rPh":
            self._is_spoken = False

    def _taken(self) -> str:
        text, self._parts = "".join(self._parts or ()), None
        return text

    def _put(self, cell: Cell) -> None:
        missing = self._column - len(self._cells)
        if missing < 0:
            raise no_workbook(self._file)
        bounds.check(self._file, self._column + 1, bounds.MOST_COLUMNS, "列", "columns")
        if missing:
            self._padded += missing
            bounds.check(self._file, self._padded, bounds.MOST_CELLS, "单元格", "cells")
            self._cells += [None] * missing
        self._cells.append(cell)

    def _cell(self) -> Cell:
        value, kind = self._value, self._type
        if self._formula is not None and not self._is_saved():
            return Unreadable(UNSAVED, f"={self._formula}")
        if value is None or (value == "" and kind != "s"):
            return None
        match kind:
            case "s":
                return self._strings[int(value)] if value.isdecimal() else None
            case "n":
                return self._number_cell(value)
            case "b":
                return value in _TRUE
            case "d":
                return dt.datetime.fromisoformat(value).replace(tzinfo=None)
            case "e":
                return value
            case _:
                return unescaped(value)

    def _is_saved(self) -> bool:
        """Whether a formula's value stands in the file; that of a text may be empty.

        A program that can't calculate leaves it out, or writes 0 for the spreadsheet to calculate.
        """
        if self._are_unsaved and self._value == "0":
            return False
        return bool(self._value) or (self._value == "" and self._type == "str")

    def _number_cell(self, text: str) -> Cell:
        number: int | float = int(text) if text.isdecimal() else float(text) + 0
        style = int(self._style) if self._style else 0
        return self._shows[style](number) if style < len(self._shows) else number


def _relation_id(attributes: dict[str, str]) -> str:
    """The relationship's id; the sheet's own id has no prefix."""
    for name, value in attributes.items():
        if name.endswith(":id"):
            return value
    raise KeyError("id")


_LETTERS: dict[str, int] = {}


def _column(place: str) -> int:
    """The column of a place such as AB12, from 0."""
    letters = place.rstrip("0123456789")
    found = _LETTERS.get(letters)
    if found is None:
        if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
            raise ValueError(place)
        found = -1
        for letter in letters.upper():
            found = (found + 1) * 26 + ord(letter) - ord("A")
        _LETTERS[letters] = found
    if found >= bounds.MOST_COLUMNS:
        raise ValueError(place)
    return found


def _merge(reference: str) -> Merge:
    first, _, last = reference.partition(":")
    last = last or first
    return Merge(_row(first), _row(last), _column(first), _column(last))


def _row(place: str) -> int:
    return int(place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
