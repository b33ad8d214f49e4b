"""A text as an editor's lines, and lines as the rows of a CSV file."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from typing import TextIO

from rules.model import Title
from scoring.facts.ingest import bounds
from scoring.facts.ingest.errors import Fault

LINE_END = r"\r\r\n|\r\n|\n|\r"
"""CR CR LF is what a program writes that turns LF into CR LF twice."""

ODD_END = re.compile("[\v\f\x1c-\x1e\x85\u2028\u2029]")
"""What some programs end a line with; to editors, to spreadsheets and here it stands within one."""

_LINE_END = re.compile(LINE_END)
_BLOCK = 1 << 16
_MARK = "\ufeff"

Line = tuple[int, str]


def lines(stream: TextIO, file: str, longest: int = bounds.LONGEST_LINE) -> Iterator[Line]:
    """Number and text of each line; however a line ends, its text ends in one LF.

    A byte-order mark at the beginning of a line, as joined files have it, is left out.

    :param longest: so many characters a line has at most.
    :raises IngestError: naming a line that is too long.
    """
    number, rest = 0, ""
    while block := stream.read(_BLOCK):
        text = rest + block
        whole = text.rstrip("\r")  # a line end may go on in the next block
        *ended, last = _folded(whole).split("\n")
        for line in ended:
            number += 1
            yield number, line + "\n"
        rest = last + text[len(whole) :]
        if len(rest) > longest:
            where, most = number + 1, f"{longest:,}"
            zh, en = f"第{where}行超过{most}个字", f"line {where} has more than {most} characters"
            raise bounds.too_much(file, zh, en)
    if rest:
        for line in _folded(rest).removesuffix("\n").split("\n"):
            number += 1
            yield number, line + "\n"


def _folded(text: str) -> str:
    """Whole lines with LF alone at their ends, and no byte-order mark before them."""
    if "\r\r\n" in text:
        text = _LINE_END.sub("\n", text)
    elif "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"\n{text}".replace(f"\n{_MARK}", "\n")[1:] if _MARK in text else text


def rows(source: Iterator[Line], delimiter: str) -> Iterator[tuple[int, list[str] | Fault]]:
    """The rows of a CSV file, numbered by the line in which each begins.

    A row whose quotes do not match costs its first line alone; the rows after it are read from the next line
    on.
    """
    feed = _Feed(source)
    for first, line in feed:
        if '"' not in line:  # nearly all; the reader of the library would give the same, slower
            yield first, line[:-1].split(delimiter) if line != "\n" else []
            continue
        try:
            cells = next(csv.reader(feed.row(line), delimiter=delimiter, strict=True))
        except csv.Error as error:
            fault = _fault(first, feed.open_ended, str(error))
            feed.give_back()
            yield first, fault
        else:
            yield first, cells


class _Feed:
    """Lines of which those after a row's first can be given back, as far as a quoted cell may reach."""

    def __init__(self, source: Iterator[Line]) -> None:
        self._source = source
        self._ahead: deque[Line] = deque()
        self._given: list[Line] = []
        self.open_ended = False

    def __iter__(self) -> Iterator[Line]:
        ahead = self._ahead
        while True:
            while ahead:
                yield ahead.popleft()
            for line in self._source:
                yield line
                if ahead:
                    break
            else:
                return

    def row(self, first: str) -> Iterator[str]:
        """The lines of the row that begins with a line, as many as a row may have."""
        self._given.clear()
        self.open_ended = False
        yield first
        size = 0
        while size < bounds.LONGEST_QUOTED and len(self._given) < bounds.MOST_QUOTED_LINES:
            line = self._ahead.popleft() if self._ahead else next(self._source, None)
            if line is None:
                break
            self._given.append(line)
            size += len(line[1])
            yield line[1]
        self.open_ended = True

    def give_back(self) -> None:
        """Give back all lines of the row but the first."""
        self._ahead.extendleft(reversed(self._given))


def _fault(line: int, open_ended: bool, said: str) -> Fault:
    if open_ended:
        return _never_closed(line)
    return _TOO_LONG if said.startswith("field larger") else _broken_quotes(line)


_TOO_LONG = Fault(
    Title("单元格过长", f"a cell of more than {csv.field_size_limit():,} characters"),
    Title("请核对引号和分隔符", "check quotes and delimiters"),
)


def _broken_quotes(line: int) -> Fault:
    return Fault(
        Title(
            f"引号不配对,第{line}行无法读取",
            f"quotes don't match; the row that begins in line {line} can't be read",
        ),
        Title('单元格内的引号应写成两个""', 'a quote inside a quoted cell is written twice: ""'),
    )


def _never_closed(line: int) -> Fault:
    return Fault(
        Title(f"第{line}行的引号没有结束", f"the quote opened in line {line} is never closed"),
        Title("请补上引号,或删去多余的引号", "close the quoted cell, or delete the quote"),
    )
