"""From the rows of a sheet to rows of the vocabulary's table, or to everything that is wrong with them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from functools import lru_cache
from heapq import merge
from itertools import compress, islice

from rules.calendar import today
from rules.model import Table, Title
from scoring.characters.persons import without_persons
from scoring.characters.visible import mark, visible
from scoring.facts.ingest.cells import (
    EMPTY,
    FILLER,
    REGISTRATION,
    JsonValue,
    Reading,
    converter,
    foot_of,
    is_open_end,
    is_total,
    is_unknown,
    open_is_none,
)
from scoring.facts.ingest.checks import Columns, Finding, RowCheck, row_check, undecided
from scoring.facts.ingest.decoration import undecorated
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.folding import Cell, as_text, fold_header, fold_name
from scoring.facts.ingest.header_words import unit_alone
from scoring.facts.ingest.headers import HeaderMatcher, Layout, numbers_columns, other_headers
from scoring.facts.ingest.lines import ODD_END
from scoring.facts.ingest.numbers import multiplier
from scoring.facts.ingest.proposing import Proposer
from scoring.facts.ingest.returned import unmended
from scoring.facts.ingest.sheets import Cells, Row, Sheet, is_blank
from scoring.facts.ingest.sources import NOWHERE, First, Found
from scoring.facts.merging import AUTHORITY
from scoring.facts.noted import Level, Rejected
from scoring.store.documents import PROPOSED

BLOCK_ROWS = 250
CACHED_CELLS = 16_384
LONGEST_SHOWN = 400
_MOST_DIGITS = 8
"""Of a header: those of a day that it gives as an example. A credit code has more."""

_json = json.JSONEncoder(ensure_ascii=False).encode


GoodRow = tuple[int, str, str, str, Cell]
"""Number, key, subject's key, the document as :func:`scoring.store.documents.encode` writes it, and of a
record what the row calls its subject."""


NAME = "name"
"""The attribute of a subject by which people know it."""

EXAMPLE = "示例 example"
"""As a key: the example row of a template, which is no row of the office's."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row with all of its faults.

    :param key: where it can be read.
    :param lacks: what else is wrong if its key is new.
    """

    number: int
    faults: tuple[Rejected, ...]
    key: str | None = None
    lacks: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True)
class OddRow:
    """What is odd about a row that is good all the same; it comes before the row."""

    number: int
    warnings: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class LostRow:
    """A row that is good but for the code of its subject, which is empty or a filler.

    :param values: of its columns, without the subject; None where it clears what is known.
    :param clues: attribute of the subject → what the row says of it; in the order in which they are tried.
    :param fault: why it is bad if its subject isn't found.
    """

    number: int
    key: str
    values: Mapping[str, JsonValue]
    clues: Mapping[str, str]
    fault: Rejected


@dataclass(frozen=True, slots=True)
class ShortRow:
    """A row that says too little for a new key, and may say enough for one that is known.

    :param lacks: why it is bad if its key is new.
    """

    row: GoodRow
    lacks: tuple[Rejected, ...]


AnyRow = GoodRow | BadRow | OddRow | LostRow | ShortRow


def faults_of(row: AnyRow) -> tuple[Rejected, ...]:
    """What keeps a row out where nothing is known of its key and its subject."""
    match row:
        case BadRow(_, faults, _, lacks):
            return tuple(dict.fromkeys((*faults, *lacks)))
        case ShortRow(_, lacks):
            return lacks
        case LostRow():
            return (row.fault,)
        case _:
            return ()


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that follow each other in a sheet.

    :param numbers: of the good rows.
    :param columns: what these say, by column of the file.
    :param others: what the other rows are, and what is odd about good ones.
    :param names: what the good rows call their subjects.
    :param open: of some columns, which of the good rows say that there is no end.
    """

    numbers: Sequence[int]
    columns: Mapping[str, Sequence[JsonValue]]
    others: Sequence[AnyRow]
    names: Sequence[Cell]
    open: Mapping[str, Sequence[bool]]


class RowReader:
    """Reads the rows below a sheet's headers.

    Most rows are good and say what others have said, so they are read a block at a time, column by column,
    each text once, and of values that stand together each pair is checked once. A row in which anything is
    doubted then is judged by itself; what is to be said of a row is said there alone.

    :param epoch: the day from which a workbook counts its dates.
    :param replace: an empty cell says that its column is unknown; by default it says nothing.
    :param day: the day on which the rows come, for the check of dates ahead.
    """

    def __init__(
        self,
        layout: Layout,
        matcher: HeaderMatcher,
        epoch: dt.datetime,
        replace: bool = False,
        day: dt.date | None = None,
    ) -> None:
        fixed = layout.form.fixed if layout.form else {}
        self._proposer = Proposer(matcher.vocabulary, fixed) if layout.filled else None
        found = (*layout.found, *_without_cells(layout, {*matcher.mapping.defaults, *layout.filled}))
        required = matcher.required(layout.dataset)
        self.layout = layout
        self._columns = sorted(found, key=lambda item: item.column.name)
        self._headers = {item.column.name: item for item in self._columns}
        self._key, self._subject = required[0], required[-1]
        self._name = next((finder for finder in layout.finders if finder.column.name == NAME), None)
        self._is_coded = self._headers[self._subject].column.format is not None
        self._check = row_check(layout.table, day or today())
        self._readers = {
            name: _ColumnReader(
                replaced(matcher.reading(layout, item, name in required), epoch=epoch),
                self._check,
                name != self._key,
            )
            for name, item in self._headers.items()
        }
        ends = [item for item in self._columns if open_is_none(item.column) and _is_alone(item)]
        self._ends = [item.column.name for item in ends]
        self._clears = {name for name, item in self._headers.items() if replace and item.position >= 0}
        written = (*self._headers, PROPOSED) if self._proposer else (*self._headers,)
        self._writers = {
            name: _ColumnWriter(name, name in self._clears, name != self._key) for name in written
        }
        together = [reads for reads in self._check.reads if len(reads) > 1 or reads[0] not in self._headers]
        self._together: dict[Columns, set[tuple[JsonValue, ...]]] = {reads: set() for reads in together}
        self._matcher, self._named = matcher, matcher.named(layout, layout.headers)
        self._titles = {fold_header(header) for header in layout.headers if header}
        read = self._readers[self._key]
        own = str(self._headers[self._key].position + 1)  # as a row that numbers the columns has it
        self._below = range(0)  # where the row stands that follows headers that came again
        no_keys = (EXAMPLE, own, f"({own})", *layout.headers, *_headers_of(layout.table))
        self._no_keys = {read[text] for text in no_keys}

    def alone(self, name: str, cell: Cell) -> tuple[JsonValue, bool]:
        """What a cell of a column says, and whether its row is doubted for it."""
        value = self._readers[name].read(cell)
        if isinstance(value, Fault):
            return None, True
        return value, self._readers[name].doubts(value) or (name == self._key and value in self._no_keys)

    @property
    def no_keys(self) -> tuple[str, ...]:
        """What stands in the column of keys where a row is not one of the office's."""
        return tuple(str(key) for key in self._no_keys if key is not None)

    @property
    def together(self) -> tuple[Columns, ...]:
        """The columns of which a check looks at more than one; the file may not have all of them."""
        return tuple(self._together)

    def doubts(self, reads: Columns, values: Sequence[JsonValue]) -> bool:
        """Whether a row that says these values together is doubted for it."""
        return self._check.says(reads, values)

    def rows(self, sheet: Sheet) -> Iterator[AnyRow]:
        """The rows in the order of the file; blank ones and a template's example are passed over."""
        for block in self.blocks(sheet):
            good = self._good_rows(block)
            yield from merge(block.others, good, key=_number) if block.others else good

    def blocks(self, sheet: Sheet) -> Iterator[Block]:
        """The rows in blocks, otherwise as :meth:`rows`."""
        rows = self._fitted(sheet)
        while some := list(islice(rows, BLOCK_ROWS)):
            yield self._block(some)

    def _fitted(self, sheet: Sheet) -> Iterator[Row]:
        """The rows below the headers, without the column of ours; those of a workbook at their width. In the
        place of one that was to be mended, and is not, stands its reason."""
        own, width = self.layout.own, self.layout.width
        for number, cells in sheet.rows:
            if number <= self.layout.row:
                continue
            if not isinstance(cells, Fault):
                if own is not None:
                    if (reason := unmended(cells, own)) is not None:
                        yield number, reason
                        continue
                    cells = _without(cells, own)
                if sheet.ragged:
                    cells = _fit(cells, width)
            yield number, cells

    def _block(self, rows: Sequence[Row]) -> Block:
        width, nothing = self.layout.width, [None] * len(rows)
        blank = [None] * width  # without its key a row is doubted
        whole = [
            cells if not isinstance(cells, Fault) and len(cells) == width else blank for _, cells in rows
        ]
        columns: list[Sequence[Cell]] = [*zip(*whole, strict=True), nothing]
        cells = {
            name: [item.cell(row) for row in whole] if item.source else columns[item.position]
            for name, item in self._headers.items()
        }
        values = {name: reader.all(cells[name]) for name, reader in self._readers.items()}
        odd = self._propose(values, rows) if self._proposer else set()
        doubted = self._doubted(cells, values, nothing) | odd
        if not self._is_coded:
            doubted |= {n for n, row in enumerate(whole) if foot_of(as_text(_first(row)))}
        numbers = [number for number, _ in rows]
        names = columns[self._name.position] if self._name else nothing
        if not doubted:
            return Block(numbers, values, (), names, self._open(cells, values))
        judged = {n: list(self._judged(*rows[n])) for n in sorted(doubted)}
        others = [row for found in judged.values() for row in found if not isinstance(row, tuple)]
        good = [n not in judged or any(isinstance(row, tuple) for row in judged[n]) for n in range(len(rows))]
        kept = {name: list(compress(some, good)) for name, some in values.items()}
        open_ends = {name: list(compress(some, good)) for name, some in self._open(cells, values).items()}
        names = list(compress(names, good))
        return Block(list(compress(numbers, good)), kept, others, names, open_ends)

    def _open(
        self, cells: Mapping[str, Sequence[Cell]], values: Mapping[str, Sequence[JsonValue]]
    ) -> dict[str, Sequence[bool]]:
        """Of each column of ends in which any row says that there is none, which ones do."""
        found: dict[str, Sequence[bool]] = {}
        for name in self._ends:
            nothing = {cell for cell, value in zip(cells[name], values[name], strict=True) if value is None}
            if words := set(filter(is_open_end, nothing)):
                found[name] = [cell in words for cell in cells[name]]
        return found

    def _propose(self, values: dict[str, list[JsonValue]], rows: Sequence[Row]) -> set[int]:
        """Fill in what is left open; which rows are to be looked at one by one."""
        assert self._proposer is not None
        nothing: list[JsonValue] = [None] * len(rows)
        columns = [values.get(name, nothing) for name in self._proposer.reads]
        found = [self._proposer.of(said) for said in zip(*columns, strict=True)]
        for name in (*self._proposer.fills, PROPOSED):
            before = values.get(name, nothing)
            values[name] = [f.values.get(name, old) for f, old in zip(found, before, strict=True)]
        if self.layout.form is None:
            return set()
        return {
            n
            for n, (number, cells) in enumerate(rows)
            if isinstance(cells, Fault) or self._is_apart(number, cells)
        }

    def _is_apart(self, number: int, cells: Cells) -> bool:
        """Whether a row of a form is refused, or none of the office's."""
        refuser = self.layout.refuser
        is_refused = refuser is not None and refuser(cells) is not None
        return is_refused or self._is_example(cells) or self._repeats_headers(number, cells)

    def _doubted(
        self,
        cells: Mapping[str, Sequence[Cell]],
        values: Mapping[str, Sequence[JsonValue]],
        nothing: Sequence[None],
    ) -> set[int]:
        """Which rows of a block are perhaps not good, or not rows of the office's."""
        if self._headers[self._key].position == NOWHERE:
            return set(range(len(nothing)))
        doubted: set[int] = set()
        for name, reader in self._readers.items():
            is_filled = name in self.layout.filled
            wrong = reader.unreadable if is_filled else reader.doubted
            if wrong:
                doubted.update(n for n, cell in enumerate(cells[name]) if cell in wrong)
            if is_filled and (lacking := {value for value in set(values[name]) if reader.doubts(value)}):
                doubted.update(n for n, value in enumerate(values[name]) if value in lacking)
        if not self._no_keys.isdisjoint(values[self._key]):
            doubted.update(n for n, key in enumerate(values[self._key]) if key in self._no_keys)
        for reads, fine in self._together.items():
            columns = [values.get(name, nothing) for name in reads]
            new = set(zip(*columns, strict=True)) - fine
            odd = {some for some in new if self._check.says(reads, some)}
            if len(fine) > CACHED_CELLS:
                fine.clear()
            fine |= new - odd
            if odd:
                doubted.update(n for n, some in enumerate(zip(*columns, strict=True)) if some in odd)
        return doubted

    def _good_rows(self, block: Block) -> Iterator[GoodRow]:
        texts = [
            writer.all(block.columns[name], block.open.get(name)) for name, writer in self._writers.items()
        ]
        documents = map(_document, zip(*texts, strict=True))
        keys, subjects = (map(str, block.columns[name]) for name in (self._key, self._subject))
        return zip(block.numbers, keys, subjects, documents, block.names, strict=True)

    def _judged(self, number: int, cells: Cells | Fault) -> Iterator[AnyRow]:
        """What a row is, by itself; nothing where it is not one of the office's."""
        if isinstance(cells, Fault):
            yield BadRow(number, (Rejected(number, None, None, str(cells)),))
        elif not is_blank(cells) and not self._is_example(cells) and not self._repeats_headers(number, cells):
            yield from self._row(number, cells)

    def _is_example(self, cells: Cells) -> bool:
        if self.layout.form is not None:
            return EXAMPLE in cells
        position = self._headers[self._key].position
        return 0 <= position < len(cells) and cells[position] == EXAMPLE

    def _repeats_headers(self, number: int, cells: Cells) -> bool:
        """Whether a row says the headers again: merged over two rows, on each page, or in joined files.

        :raises IngestError: where they are others, for the rows that follow are not those of this table.
        """
        place = self._headers[self._subject].position
        if 0 <= place < len(cells) and sum(map(str.isdigit, as_text(cells[place]))) > _MOST_DIGITS:
            return False
        if self.layout.numbered is not None and numbers_columns(cells, self.layout.width):
            return number == self.layout.numbered or number in self._below
        words = {n: text for n, cell in enumerate(cells) if (text := as_text(cell).strip())}
        titles = {n for n, text in words.items() if fold_header(text) in self._titles}
        named = self._matcher.named(self.layout, cells)
        alike = titles | named.keys()
        if 2 * len(alike) < len(words) or len(named) < min(2, len(self._named)):
            return False
        if any(not _is_same(self._named.get(n), named.get(n), text) for n, text in words.items()):
            raise other_headers(number, self.layout.file)
        self._below = range(number + 1, number + 2 + "".join(words.values()).count("\n"))
        return True

    def _foot(self, cells: Cells) -> int | None:
        """Where a row says that it is a total or the foot of a page; None where it is none, or is whole."""
        said = {n: text for n, cell in enumerate(cells) if (text := as_text(cell).strip())}
        whole = (*cells, *[None] * (self.layout.width - len(cells)))
        key, code = (
            self._readers[name].read(self._headers[name].cell(whole)) for name in (self._key, self._subject)
        )
        is_whole = self._is_coded and not isinstance(key, Fault) and not isinstance(code, Fault)
        first = next(iter(said))
        if foot_of(said[first]) and not is_whole and code not in (FILLER, REGISTRATION):
            return first
        return next((n for n, text in said.items() if code == EMPTY and is_total(text)), None)

    def _row(self, number: int, cells: Cells) -> Iterator[AnyRow]:
        if (foot := self._foot(cells)) is not None:
            header = (*self.layout.headers, *[""] * len(cells))[foot]
            word = foot_of(as_text(cells[foot]))
            yield BadRow(number, (Rejected(number, shown(header), word, str(_FOOT)),))
            return
        refused = self.layout.refuser(cells) if self.layout.refuser else None
        if refused is not None:
            place, fault = refused
            yield BadRow(number, (Rejected(number, shown(self.layout.headers[place]), None, str(fault)),))
            return
        if len(cells) != self.layout.width:
            lines = sum(cell.count("\n") for cell in cells if isinstance(cell, str))
            odd = ODD_END.search("".join(map(as_text, cells)))
            fault = _wrong_width(
                len(cells),
                self.layout.width,
                "" if not lines else f"{number}–{number + lines}",
                visible(odd[0]) if odd else "",
            )
            whole = " | ".join(map(as_text, cells)) if not self.layout.private else ""
            yield BadRow(number, (Rejected(number, None, shown(whole), str(fault)),))
            return
        read = {name: self._readers[name].read(item.cell(cells)) for name, item in self._headers.items()}
        values = {name: value for name, value in read.items() if not isinstance(value, Fault)}
        unreadable = {name: value for name, value in read.items() if isinstance(value, Fault)}
        if self._proposer is not None:
            values |= self._proposer(values).values
        findings = self._check(values)
        if not unreadable and not findings:
            yield self._good(number, cells, values)
            return
        follows = self.layout.filled if unreadable.keys() - {self._subject, self._key} else ()
        seen = (f for f in findings if f.column not in unreadable)
        found = [f for f in seen if not (f.lacking and f.column in follows)]
        errors = [self._said(number, cells, name, fault) for name, fault in unreadable.items()]
        errors += self._impossible(number, cells, found)
        lacks = tuple(self._lacking(number, cells, values, f) for f in found if f.lacking)
        lost = (
            len(errors) == 1 and not lacks and unreadable.get(self._subject) in (EMPTY, FILLER, REGISTRATION)
        )
        clues = self._clues(cells) if lost else {}
        if errors and not clues:
            key = values.get(self._key)
            yield BadRow(number, tuple(dict.fromkeys(errors)), None if key is None else str(key), lacks)
            return
        yield OddRow(
            number, tuple(self._said(number, cells, f.column, f.fault, "warning") for f in findings if f.odd)
        )
        if clues:
            cleared = self._clears | self._open_in(cells)
            said = {name: v for name, v in values.items() if v is not None or name in cleared}
            yield LostRow(number, str(values[self._key]), said, clues, errors[0])
        else:
            good = self._good(number, cells, values)
            yield ShortRow(good, lacks) if lacks else good

    def _good(self, number: int, cells: Cells, values: Mapping[str, JsonValue]) -> GoodRow:
        cleared = self._open_in(cells)
        texts = (self._writers[name].write(value, name in cleared) for name, value in values.items())
        name = self._name.cell(cells) if self._name else None
        return number, str(values[self._key]), str(values[self._subject]), _document(texts), name

    def _open_in(self, cells: Cells) -> set[str]:
        """The columns in which a row says that there is no end."""
        return {name for name in self._ends if is_open_end(self._headers[name].cell(cells))}

    def _impossible(self, number: int, cells: Cells, findings: Iterable[Finding]) -> Iterator[Rejected]:
        """The findings that keep the row out, whatever is known."""
        for finding in findings:
            if not finding.odd and not finding.lacking:
                yield self._said(number, cells, finding.column, finding.fault)

    def _lacking(
        self, number: int, cells: Cells, values: Mapping[str, JsonValue], finding: Finding
    ) -> Rejected:
        """What a row would have to say; of what the law would fill in, by which column of the file."""
        columns, name = self.layout.table.columns, finding.column
        awaited = self._proposer.awaits(name, values) if self._proposer else {}
        if not awaited:
            return self._said(number, cells, name, finding.fault)
        other, codes = next(iter(awaited.items()))
        own = self._headers.get(name)
        place = other if own is None or own.position == NOWHERE else name
        fault = undecided(columns[name], columns[other], self._header(cells, other), codes)
        return self._said(number, cells, place, fault)

    def _said(self, number: int, cells: Cells, name: str, fault: Fault, level: Level = "error") -> Rejected:
        found = self._headers.get(name)
        place = found.place(cells) if found else NOWHERE
        header = self._header(cells, name)
        cell = as_text(cells[place]) if place >= 0 and place not in self.layout.private else ""
        whose = self._whose(cells) if level == "error" else None
        return Rejected(number, shown(header), shown(cell), str(fault), level, authority=whose)

    def _header(self, cells: Cells, name: str) -> str:
        """What a column is called in the file, or would be."""
        found = self._headers.get(name)
        place = found.place(cells) if found and found.source else NOWHERE
        return self.layout.headers[place] if place >= 0 else self.layout.header(name)

    def _whose(self, cells: Cells) -> str | None:
        """Whose record a row speaks of, as far as it says so."""
        found = self._headers.get(AUTHORITY)
        if found is None:
            return None
        value = self._readers[AUTHORITY].read(found.cell(cells))
        return value if isinstance(value, str) else None

    def _clues(self, cells: Cells) -> dict[str, str]:
        said = {
            finder.column.name: fold_name(undecorated(as_text(cells[finder.position])))
            for finder in self.layout.finders
        }
        return {name: text for name, text in said.items() if not is_unknown(text)}


class _ColumnReader(dict[Cell, JsonValue]):
    """From the cells of a column to their values; it keeps those of some :data:`CACHED_CELLS` latest texts.

    :param keeps: texts come again.
    :ivar read: gives the value of a cell, or why it can't be read.
    :ivar doubted: of the latest cells those that can't be read, or of whose values a check says something.
    :ivar unreadable: those of them that can't be read.
    """

    def __init__(self, reading: Reading, check: RowCheck, keeps: bool) -> None:
        super().__init__()
        self.read = lru_cache(maxsize=CACHED_CELLS, typed=True)(converter(reading))  # 1 is not TRUE
        self.doubted: set[Cell] = set()
        self.unreadable: set[Cell] = set()
        self._check = check
        self._reads = (reading.column.name,) if (reading.column.name,) in check.reads else ()
        self._keeps = keeps

    def all(self, cells: Iterable[Cell]) -> list[JsonValue]:
        """The values of cells; None for those that can't be read."""
        if len(self) + len(self.doubted) > CACHED_CELLS:
            self.clear()
            self.doubted.clear()
            self.unreadable.clear()
        return list(map(self.__getitem__, cells))

    def doubts(self, value: JsonValue) -> bool:
        """Whether a check says something of a value by itself."""
        return bool(self._reads) and self._check.says(self._reads, (value,))

    def __missing__(self, cell: Cell) -> JsonValue:
        value = self.read(cell)
        if isinstance(value, Fault) or self.doubts(value):
            self.doubted.add(cell)
        if isinstance(value, Fault):
            self.unreadable.add(cell)
            value = None
        if self._keeps and (cell is None or isinstance(cell, str)):
            self[cell] = value
        return value


class _ColumnWriter(dict[JsonValue, str]):
    """From the values of a column to their parts of documents, ``"kind":"penalty"``.

    Empty where a value is unknown, or ``"kind":null`` where that replaces what is known.

    :param keeps: values come again.
    """

    def __init__(self, name: str, replace: bool, keeps: bool) -> None:
        super().__init__()
        self._name = _json(name)
        self._replace = replace
        self._keeps = keeps

    def write(self, value: JsonValue, clears: bool = False) -> str:
        """The part of a value.

        :param clears: that there is none replaces what is known.
        """
        return "" if value is None and not self._replace and not clears else f"{self._name}:{_json(value)}"

    def all(self, values: Iterable[JsonValue], clears: Sequence[bool] | None = None) -> list[str]:
        """The parts of values, which are all of one type."""
        if clears is not None:
            return list(map(self.write, values, clears))
        if len(self) > CACHED_CELLS:
            self.clear()
        return list(map(self.__getitem__ if self._keeps else self.write, values))

    def __missing__(self, value: JsonValue) -> str:
        self[value] = text = self.write(value)
        return text


_FOOT = Fault(
    Title("合计行或页脚,不是一条数据", "a total, or the foot of a page, and no row of data"),
    Title("请删去该行", "leave the row out"),
)


def _is_alone(found: Found) -> bool:
    """Whether one cell alone says a column, so that it says the whole of it."""
    return found.source is None or (isinstance(found.source, First) and len(found.source.places) == 1)


def _document(texts: Iterable[str]) -> str:
    return f"{{{','.join(filter(None, texts))}}}"


def _is_same(first: tuple[str, int] | None, again: tuple[str, int] | None, text: str) -> bool:
    """Whether a header means what the first one does; the codes of a form say no unit, and a unit below an
    amount's header may stand alone.

    :param text: of the second one.
    """
    if first == again or first is None:
        return first == again
    unit = unit_alone(text) if again is None else None
    return again == (first[0], 0) or (unit is not None and multiplier(unit) == (first[1] or 1))


def _headers_of(table: Table) -> Iterator[str]:
    """The words by which files name the columns of a table."""
    for column in table.columns.values():
        yield from (column.name, column.title.zh, column.title.en, *column.aliases)


def _first(cells: Cells) -> Cell:
    """The first cell that says something."""
    return next((cell for cell in cells if not is_blank((cell,))), None)


def _number(row: AnyRow) -> int:
    return row[0] if isinstance(row, tuple) else row.row[0] if isinstance(row, ShortRow) else row.number


def _without(cells: Cells, position: int) -> Cells:
    """The cells with one emptied; none where the row ends before it."""
    return (*cells[:position], None, *cells[position + 1 :]) if position < len(cells) else cells


def _without_cells(layout: Layout, names: Container[str]) -> tuple[Found, ...]:
    """The columns that the file hasn't, and that are said all the same."""
    return tuple(
        Found(column, NOWHERE, column.title.zh, 1) for column in layout.absent if column.name in names
    )


def _fit(cells: Cells, width: int) -> Cells:
    """A row of a workbook at the width of its headers; only empty cells are added or cut."""
    if len(cells) > width and is_blank(cells[width:]):
        return cells[:width]
    return (*cells, *[None] * (width - len(cells)))


def _wrong_width(cells: int, width: int, lines: str, odd: str) -> Fault:
    """:param lines: of a row of several, which a quote may have swallowed.
    :param odd: a sign in it that some programs take for the end of a line.
    """
    if odd and cells > width:
        return Fault(
            Title(
                f"应有{width}个单元格,实有{cells}个,其间有{odd}",
                f"{cells} cells where the headers have {width}, and {odd} among them",
            ),
            Title(f"{odd}不是换行;请以CR LF或LF分行", f"an end of line, CR LF or LF, and not {odd}"),
        )
    if lines:
        return Fault(
            Title(
                f"第{lines}行应有{width}个单元格,实有{cells}个",
                f"{cells} cells in lines {lines}, {width} headers",
            ),
            Title("请核对引号和分隔符", "look for a quote or a delimiter too many or too few"),
        )
    return Fault(
        Title(f"应有{width}个单元格,实有{cells}个", f"{cells} cells where the headers have {width}"),
        Title("请核对多余或缺少的分隔符", "look for a delimiter too many or too few"),
    )


def shown(text: str) -> str:
    """What a database, a spreadsheet and a terminal can show of a text."""
    kept = without_persons(text)[:LONGEST_SHOWN]
    if kept.isprintable():
        return kept
    return "".join(c if c.isprintable() else " " if c.isspace() else mark(c) for c in kept)[:LONGEST_SHOWN]
