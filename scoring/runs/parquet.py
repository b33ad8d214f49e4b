"""Parquet files as rows of the vocabulary's table, most of which never leave DuckDB.

What ingest makes of a cell depends on its text alone. So the cells of a column that are not *plain*, as most
are, are read once each, however often they come; and the few values that checks look at together are looked
at once each. A row in which anything is doubted is read by itself, as ingest reads it: only there is it said
what is wrong.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa
from openpyxl.utils.datetime import WINDOWS_EPOCH

from rules.language.expressions import literal
from rules.model import Title
from scoring.facts.ingest.cells import (
    CODE,
    CODE_SIGNS,
    CODE_WEIGHTS,
    MAYBE_A_PERSON,
    NOT_PLAIN,
    PLAIN_TEXT,
)
from scoring.facts.ingest.checks import Columns
from scoring.facts.ingest.choice import check_heads
from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.folding import as_text
from scoring.facts.ingest.headers import HeaderMatcher, Layout
from scoring.facts.ingest.misread import MAYBE_MISREAD
from scoring.facts.ingest.numbers import INTEGER_DIGITS, PLAIN, PLAIN_WHOLE, SCALE, WHOLE_DIGITS
from scoring.facts.ingest.rows import Block, RowReader
from scoring.facts.ingest.sheets import HEAD_ROWS, Sheet
from scoring.facts.ingest.sources import Found
from scoring.judging.sql import all_of, quoted, sql_type
from scoring.runs.file_error import FileError

OPEN_FILES = "/dev/fd/"
_ROWS_AT_ONCE = 250
_NESTED = ("struct", "map", "union", "blob")
_NUMBER = r"u?(?:tiny|small|big|huge)?int(?:eger)?|decimal\([0-9]+,(?P<scale>[0-9]+)\)"
_NUMBERS = re.compile(_NUMBER)
_SAME_TEXT = re.compile(f"{_NUMBER}|date|boolean|varchar")
"""Types of which two values are equal where their texts are."""


@dataclass(frozen=True, slots=True)
class ParquetRows:
    """The rows of a file.

    :param good: a query of those that are good at sight: the table's columns, typed, and ``_row``, from 1.
    :param others: the other rows, as ingest reads them.
    :param ignored: the file's columns that the table has not.
    :param doubted: those that may mean something else than they are read as, with what.
    """

    good: str
    others: Iterator[Block]
    ignored: tuple[str, ...]
    doubted: tuple[str, ...]


@contextmanager
def open_parquet(
    duck: duckdb.DuckDBPyConnection,
    matcher: HeaderMatcher,
    path: Path,
    name: str,
    day: dt.date | None = None,
) -> Iterator[ParquetRows]:
    """The rows of a file for the one table that the matcher knows.

    The file is opened here, so that no name is taken for a pattern, and read where it lies: the query serves
    within the block.

    :param name: begins the names of the tables that are made.
    :param day: on which the file is read, for the check of dates ahead; by default today.
    :raises IngestError: on a file without a column that is needed.
    :raises FileError: where a column holds other than plain values, or the file was changed meanwhile.
    """
    with path.open("rb") as file:
        source = f"read_parquet('{OPEN_FILES}{file.fileno()}', hive_partitioning = false)"
        kinds = [str(row[1]).lower() for row in duck.execute(f"describe from {source}").fetchall()]
        layout = _layout(duck, matcher, path, file)
        names = layout.headers
        _check_vocabulary(duck, matcher, path, source, layout)
        if layout.form is not None:
            raise _no_form(path, layout.form.title)
        if layout.lacking is not None:
            raise layout.lacking
        for found in layout.found:
            _require_plain(path, names[found.position], kinds[found.position])
        cells = f"{source} as t({', '.join(f'c{n}' for n in range(len(names)))})"
        with _unchanged(path, file):
            reader = RowReader(layout, matcher, WINDOWS_EPOCH, day=day)
            yield _Reading(duck, reader, layout, cells, kinds, name).rows()


def parquet_layout(duck: duckdb.DuckDBPyConnection, matcher: HeaderMatcher, path: Path) -> Layout:
    """How the columns of a file are read."""
    with path.open("rb") as file:
        return _layout(duck, matcher, path, file)


def _layout(duck: duckdb.DuckDBPyConnection, matcher: HeaderMatcher, path: Path, file: BinaryIO) -> Layout:
    return matcher.layout([(0, _headers(duck, file))], path.name)


def _check_vocabulary(
    duck: duckdb.DuckDBPyConnection, matcher: HeaderMatcher, path: Path, source: str, layout: Layout
) -> None:
    """Doubts that a file is of the matcher's vocabulary, by its columns and its first rows."""
    cells = f"{source} as t({', '.join(f'c{n}' for n in range(len(layout.headers)))})"
    texts = ", ".join(f"cast(c{n} as varchar)" for n in range(len(layout.headers)))
    first = duck.execute(f"select {texts} from {cells} limit {HEAD_ROWS}").fetchall()
    check_heads(matcher.vocabulary, path, {"": list(enumerate([layout.headers, *first]))}, layout.dataset)


def _headers(duck: duckdb.DuckDBPyConnection, file: BinaryIO) -> list[str]:
    """The names of the columns as the file has them: DuckDB calls one otherwise that comes a second time."""
    query = f"select name, num_children from parquet_schema('{OPEN_FILES}{file.fileno()}')"
    nodes = iter(duck.execute(query).fetchall())

    def column() -> str:
        name, parts = next(nodes)
        for _ in range(parts or 0):
            column()
        return str(name)

    _, columns = next(nodes)
    return [column() for _ in range(columns or 0)]


def _no_form(path: Path, form: Title) -> IngestError:
    reason = Title(
        f"Parquet文件不能是{form.zh}表",
        f"a Parquet file in the form of {form.en}: its columns are a vocabulary's",
    )
    return IngestError(path.name, reason, Title("请改用CSV或XLSX", "CSV or XLSX"))


@contextmanager
def _unchanged(path: Path, file: BinaryIO) -> Iterator[None]:
    """What was looked at is what is read later, or nothing."""
    before = os.fstat(file.fileno())
    try:
        yield
    finally:
        after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            reason = Title("读取期间文件有变动", "the file was changed while it was read")
            raise FileError(
                path, reason, Title("请在文件写完之后重新执行", "run again once the file is written")
            )


def _require_plain(path: Path, name: str, kind: str) -> None:
    if kind.startswith(_NESTED) or kind.endswith("]"):
        reason = Title(f"列{name}为{kind}", f"the column {name} holds {kind}")
        raise FileError(path, reason, Title("每格一个值", "plain values are needed"))


class _Reading:
    """Makes a table of the cells of each column that are not what they seem, and one of doubted rows."""

    def __init__(
        self,
        duck: duckdb.DuckDBPyConnection,
        reader: RowReader,
        layout: Layout,
        cells: str,
        kinds: Sequence[str],
        name: str,
    ) -> None:
        self._duck, self._reader, self._layout, self._cells, self._name = duck, reader, layout, cells, name
        self._found = {item.column.name: _Cells(item, kinds[item.position]) for item in layout.found}
        self._width = len(kinds)
        self._odd: list[str] = []
        self._doubted = quoted(f"{name}_doubted")
        self._any_doubted = False

    def rows(self) -> ParquetRows:
        self._duck.execute(f"create or replace table {self._doubted} (row bigint)")
        for name in self._found:
            self._read(name)
        for reads in self._reader.together:
            self._read_together(reads)
        return ParquetRows(self._good(), self._others(), self._layout.ignored, self._layout.doubted)

    def _read(self, name: str) -> None:
        """Reads the cells of a column that are not plain; keeps those that are not what they seem."""
        cells = self._found[name]
        is_key = name == self._layout.table.key
        no_keys = self._reader.no_keys if is_key else ()
        are_no_keys = f" or {cells.text} in ({', '.join('?' * len(no_keys))})" if no_keys else ""
        source = self._cells if is_key or cells.is_number else cells.each_of(self._cells)
        query = f"select distinct {cells.cell} as cell, {cells.text} as text from {source}"
        query += f" where {cells.name} is not null and (not ({cells.plain}){are_no_keys})"
        found = self._duck.sql(query, params=list(no_keys)).to_arrow_table()
        texts = found["text"].to_pylist()
        read = [self._reader.alone(name, text) for text in texts]
        odd = [
            doubted or value is None or as_text(value) != text
            for text, (value, doubted) in zip(texts, read, strict=True)
        ]
        if any(odd):
            values = pa.array([None if value is None else as_text(value) for value, _ in read], pa.string())
            columns = {"cell": found["cell"], "value": values, "doubted": [doubted for _, doubted in read]}
            self._keep(self._odd_table(name), pa.table(columns).filter(pa.array(odd)))
            self._odd.append(name)
        if any(doubted for _, doubted in read):
            self._doubt(f"{cells.cell} in (select cell from {self._odd_table(name)} where doubted)")
        if self._reader.alone(name, None)[1]:
            self._doubt(f"{cells.name} is null")

    def _read_together(self, reads: Columns) -> None:
        columns = self._layout.table.columns
        texts = [f"cast({quoted(name)} as varchar)" for name in reads]
        good = f"({self._good()})"
        if columns[reads[-1]].possible.not_before == reads[0]:  # in that order both are fine
            good = f"(from {good} where {quoted(reads[-1])} < {quoted(reads[0])})"
        found = self._duck.sql(f"select distinct {', '.join(texts)} from {good}").to_arrow_table()
        rows = zip(*(column.to_pylist() for column in found.columns), strict=True)
        doubted = [self._reader.doubts(reads, row) for row in rows]
        if any(doubted):
            odd = quoted(f"{self._name}_odd_together")
            self._keep(
                odd, found.filter(pa.array(doubted)).rename_columns([f"v{n}" for n in range(len(reads))])
            )
            same = all_of(f"{text} is not distinct from v{n}" for n, text in enumerate(texts))
            self._duck.execute(
                f"insert into {self._doubted} select _row from {good} semi join {odd} on {same}"
            )
            self._any_doubted = True

    def _doubt(self, condition: str) -> None:
        found = f"select {_ROW} from {self._cells} where {condition}"
        count = self._duck.execute(f"insert into {self._doubted} {found}").fetchone()
        self._any_doubted = self._any_doubted or count != (0,)

    def _keep(self, table: str, rows: pa.Table) -> None:
        self._duck.register("xh_rows", rows)
        self._duck.execute(f"create or replace table {table} as from xh_rows")
        self._duck.unregister("xh_rows")

    def _odd_table(self, name: str) -> str:
        return quoted(f"{self._name}_odd_{name}")

    def _good(self) -> str:
        """The rows that are not doubted so far."""
        columns, joins = [], ""
        for number, (name, column) in enumerate(self._layout.table.columns.items()):
            kind = sql_type(column.type)
            value = self._found[name].value if name in self._found else f"cast(null as {kind})"
            if name in self._odd:
                odd = f"o{number}"
                value = f"case when {odd}.cell is null then {value} else cast({odd}.value as {kind}) end"
                joins += f" left join {self._odd_table(name)} {odd} on {odd}.cell = {self._found[name].cell}"
            columns.append(f"{value} as {quoted(name)}")
        where = f" where {_ROW} not in (select row from {self._doubted})" if self._any_doubted else ""
        return f"select {', '.join(columns)}, {_ROW} as _row from {self._cells}{joins}{where}"

    def _others(self) -> Iterator[Block]:
        texts = ", ".join(f"cast(c{n} as varchar)" for n in range(self._width))
        with self._duck.cursor() as cursor:
            cursor.execute(
                f"select {_ROW}, {texts} from {self._cells}"
                f" where {_ROW} in (select row from {self._doubted}) order by 1"
            )
            found = chain.from_iterable(iter(lambda: cursor.fetchmany(_ROWS_AT_ONCE), []))
            rows = ((number, cells) for number, *cells in found)
            sheet = Sheet(rows, False, WINDOWS_EPOCH, size=lambda: 0, position=lambda: 0)
            yield from self._reader.blocks(sheet)


_ROW = "t.file_row_number + 1"


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of a column of the file, as SQL.

    :param kind: their type.
    """

    found: Found
    kind: str

    @property
    def name(self) -> str:
        return f"c{self.found.position}"

    @property
    def text(self) -> str:
        return self.name if self.kind == "varchar" else f"cast({self.name} as varchar)"

    @property
    def cell(self) -> str:
        """What is the same where the texts are."""
        return self.name if _SAME_TEXT.fullmatch(self.kind) else self.text

    @property
    def value(self) -> str:
        """What the text says by itself."""
        column = self.found.column
        is_same = self.is_number or self.kind == sql_type(column.type)
        return f"try_cast({self.name if is_same else self.text} as {sql_type(column.type)})"

    @property
    def is_number(self) -> bool:
        """Whether they are numbers that their column takes with as many decimals: these are compared, not
        read."""
        found = _NUMBERS.fullmatch(self.kind)
        return found is not None and int(found["scale"] or 0) <= self._decimals

    @property
    def _decimals(self) -> int:
        """How many decimals the column takes; less than none where it is of no numbers."""
        return {"decimal": SCALE, "integer": 0}.get(self.found.column.declared, -1)

    @property
    def plain(self) -> str:
        """Whether a cell is its column's value as its text stands. Where columns have few values (codes,
        days, yes or no), none is taken for plain."""
        column = self.found.column
        if column.values or column.declared in ("date", "boolean"):
            return "false"
        if column.declared in ("decimal", "integer"):
            return "false" if self.found.per != 1 else all_of([self._has_digits(), *self._in_range()])
        if column.format == "uscc":
            return all_of([self._has(CODE), self._right(), self._no_filler(), self._no(MAYBE_A_PERSON)])
        never = (f"^{NOT_PLAIN}", MAYBE_A_PERSON, MAYBE_MISREAD)
        return all_of([self._has(PLAIN_TEXT), *map(self._no, never)])

    def each_of(self, cells: str) -> str:
        """Where the cells are, each once: they are not looked at before."""
        return f"(select any_value({self.name}) as {self.name} from {cells} group by {self.cell})"

    def _has(self, pattern: str) -> str:
        return f"regexp_full_match({self.text}, {literal(pattern)})"

    def _no(self, pattern: str) -> str:
        return f"not regexp_matches({self.text}, {literal(pattern)})"

    def _has_digits(self) -> str:
        """That a number has no more digits than its column takes."""
        is_whole = self.found.column.declared == "integer"
        if not self.is_number:
            return self._has(PLAIN_WHOLE if is_whole else PLAIN)
        most = "9" * INTEGER_DIGITS if is_whole else f"{'9' * WHOLE_DIGITS}.{'9' * SCALE}"
        return f"{self.name} between -{most} and {most}"

    def _in_range(self) -> Iterator[str]:
        possible = self.found.column.possible
        if possible.least is not None:
            yield f"{self.value} >= {possible.least:f}"
        if possible.most is not None:
            yield f"{self.value} <= {possible.most:f}"

    def _right(self) -> str:
        """That the check character of a code is right, as :func:`is_right` says it."""
        signs = literal(CODE_SIGNS)
        worth = (
            f"(strpos({signs}, substr({self.text}, {place}, 1)) - 1) * {weight}"
            for place, weight in enumerate(CODE_WEIGHTS, start=1)
        )
        return f"({' + '.join(worth)}) % 31 = 0"

    def _no_filler(self) -> str:
        fillers = self.found.column.fillers
        return f"{self.text} not in ({', '.join(map(literal, fillers))})" if fillers else "true"
