"""Which column of the vocabulary each column of a file is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rules.model import Column, Table, Title, Vocabulary
from scoring.ingest.errors import Fault, IngestError, NoTableError
from scoring.ingest.folding import as_text, fold, fold_word
from scoring.ingest.mapping import Dataset, FileMapping
from scoring.ingest.numbers import multiplier
from scoring.ingest.sheets import HEAD_ROWS, Cells, Row, is_blank

TITLES = {"subject": Title("主体", "subjects"), "record": Title("记录", "records")}

_UNIT = re.compile(r"(?P<title>.+)\((?:单位:?)?(?P<unit>元|千元|万元|百万元|千万元|亿元|人|万人|个|家)\)")
_MARKS = "*:"


@dataclass(frozen=True, slots=True)
class Found:
    """A column of the vocabulary in a file.

    :param position: of its cells in a row, from 0.
    :param header: as it stands in the file.
    :param per: what the header multiplies bare numbers by: 10000 for 金额(万元).
    """

    column: Column
    position: int
    header: str
    per: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is to be read.

    :param row: the number of the row that holds the headers.
    :param width: how many cells a row has.
    :param ignored: headers that name no column of the table.
    """

    dataset: Dataset
    table: Table
    row: int
    width: int
    found: tuple[Found, ...]
    ignored: tuple[str, ...]

    @property
    def absent(self) -> tuple[Column, ...]:
        """The table's columns that the file doesn't have."""
        present = {found.column.name for found in self.found}
        return tuple(column for name, column in self.table.columns.items() if name not in present)


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well a row serves as the headers of a table.

    :param columns: how many of its cells name a column.
    :param missing: the required columns that none of them names.
    """

    dataset: Dataset
    row: int
    cells: Cells
    columns: int
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def rank(self) -> tuple[int, bool, int]:
        """Most columns, then all that are required, then the upper row."""
        return self.columns, self.complete, -self.row


class HeaderMatcher:
    """Reads headers by a column's name, title or alias, or as a mapping says.

    :param dataset: look for this table alone; by default the one that fits the headers better.
    :raises IngestError: where the mapping names a column that the vocabulary hasn't.
    """

    def __init__(self, vocabulary: Vocabulary, mapping: FileMapping, dataset: Dataset | None = None) -> None:
        self.vocabulary = vocabulary
        self.mapping = mapping
        self.tables = _tables(vocabulary, dataset)
        self._words = {name: _known_words(table) for name, table in self.tables.items()}
        _check_columns(vocabulary, mapping)

    def required(self, dataset: Dataset) -> tuple[str, ...]:
        """The columns without which the table's rows mean nothing: its key, and a record's subject."""
        if dataset == "subject":
            return (self.vocabulary.subject.key,)
        return (self.tables[dataset].key, self.vocabulary.record_subject)

    @property
    def head_rows(self) -> int:
        """How many rows of a file are looked at for the headers."""
        return HEAD_ROWS if self.mapping.skip_rows is None else self.mapping.skip_rows + 1

    def score(self, rows: Sequence[Cells]) -> tuple[int, int]:
        """How well the best of some rows serves as the headers: columns recognised, and cells."""
        matches = [len(self._match(dataset, cells)) for cells in rows for dataset in self.tables]
        return max(matches, default=0), max(map(len, rows), default=0)

    def layout(self, head: Sequence[Row], file: str) -> Layout:
        """The layout by the first rows of a file; titles may stand above the headers.

        :raises IngestError: where the best row lacks a required column, fits both tables, or names one column
            twice.
        """
        rows = _possible_headers(head, self.mapping)
        if not rows:
            reason = Title("没有表头", "no row of headers")
            raise NoTableError(file, reason, Title("第一行应为表头", "the first row holds the headers"))
        fits = [self._fit(dataset, number, cells) for number, cells in rows for dataset in self.tables]
        best = max(fits, key=lambda fit: fit.rank)
        if not best.complete:
            raise self._missing(best, file)
        if [fit.rank for fit in fits].count(best.rank) > 1:
            reason = Title("表头既像主体表又像记录表", "the headers fit subjects as well as records")
            hint = Title(
                "请用--table或对照文件说明", "say which by --table, or by a mapping file: dataset: record"
            )
            raise IngestError(file, reason, hint)
        return self._layout(best.dataset, best.row, best.cells, file)

    def _fit(self, dataset: Dataset, row: int, cells: Cells) -> _Fit:
        matches = self._match(dataset, cells)
        present = {name for name, _ in matches.values()} | set(self.mapping.defaults)
        missing = [name for name in self.required(dataset) if name not in present]
        return _Fit(dataset, row, cells, len(matches), tuple(missing))

    def _layout(self, dataset: Dataset, row: int, cells: Cells, file: str) -> Layout:
        matches = self._match(dataset, cells)
        found = [
            Found(self.tables[dataset].columns[name], position, as_text(cells[position]).strip(), per)
            for position, (name, per) in matches.items()
        ]
        _refuse_doubles(found, file)
        headers = [as_text(cell).strip() for cell in cells]
        ignored = [header for position, header in enumerate(headers) if header and position not in matches]
        width = max(position for position, header in enumerate(headers) if header) + 1
        return Layout(
            dataset, self.tables[dataset], row, max(width, len(cells)), tuple(found), tuple(ignored)
        )

    def _match(self, dataset: Dataset, cells: Cells) -> dict[int, tuple[str, int]]:
        """Position → column name and multiplier, for the cells that are headers of the table."""
        found = {}
        for position, cell in enumerate(cells):
            if cell is None or cell == "":
                continue
            column, per = self._column(dataset, as_text(cell))
            if column is not None:
                found[position] = (column, per)
        return found

    def _column(self, dataset: Dataset, header: str) -> tuple[str | None, int]:
        word = _header_word(header)
        title = _UNIT.fullmatch(word)
        bare, per = (title["title"], multiplier(title["unit"])) if title else (word, 1)
        for candidate, times in ((word, 1), (bare, per)):
            if candidate in self.mapping.columns:
                name = self.mapping.columns[candidate]
                return (
                    name if name in self.tables[dataset].columns else None
                ), times if title is None else per
            if candidate in self._words[dataset]:
                return self._words[dataset][candidate], times
        return None, 1

    def _missing(self, fit: _Fit, file: str) -> NoTableError:
        missing = [self.tables[fit.dataset].columns[name] for name in fit.missing]
        shown = "、".join(as_text(cell).strip() for cell in fit.cells if as_text(cell).strip())
        names = "、".join(column.title.zh for column in missing)
        return NoTableError(
            file,
            Title(
                f"{TITLES[fit.dataset].zh}表缺少必需的列:{names};现有:{shown}",
                f"the table of {TITLES[fit.dataset].en} needs the column {', '.join(fit.missing)}",
            ),
            Title("可用的表头", "headers known: " + "; ".join(_known_headers(column) for column in missing)),
        )


def _tables(vocabulary: Vocabulary, dataset: Dataset | None) -> dict[Dataset, Table]:
    tables: dict[Dataset, Table] = {"subject": vocabulary.subject}
    if vocabulary.records is not None:
        tables["record"] = vocabulary.records
    if dataset is None:
        return tables
    if dataset not in tables:
        reason = Title("该词汇表没有记录表", f"the vocabulary {vocabulary.id} has no table of records")
        raise IngestError(vocabulary.id, reason, Title("请使用主体表", "subject"))
    return {dataset: tables[dataset]}


def _possible_headers(head: Sequence[Row], mapping: FileMapping) -> list[tuple[int, Cells]]:
    """The rows of the head that can hold the headers: those with a text, or the one after ``skip_rows``."""
    rows = [(number, cells) for number, cells in head if not isinstance(cells, Fault) and not is_blank(cells)]
    if mapping.skip_rows is None:
        return rows
    return [(number, cells) for number, cells in rows if number == mapping.skip_rows + 1]


def _header_word(header: str) -> str:
    return fold_word(fold(header).strip(_MARKS))


def _known_words(table: Table) -> dict[str, str]:
    """Every word by which a header can name a column; a name goes before a title, a title before an alias."""
    words: dict[str, str] = {}
    columns = table.columns.values()
    for kind in (
        [(column.name, column.name) for column in columns],
        [(title, column.name) for column in columns for title in (column.title.zh, column.title.en)],
        [(alias, column.name) for column in columns for alias in column.aliases],
    ):
        for word, name in kind:
            words.setdefault(_header_word(word), name)
    return words


def _known_headers(column: Column) -> str:
    return "、".join(dict.fromkeys((column.title.zh, *column.aliases, column.title.en, column.name)))


def _refuse_doubles(found: Sequence[Found], file: str) -> None:
    by_name: dict[str, Found] = {}
    for item in found:
        first = by_name.setdefault(item.column.name, item)
        if first is not item:
            raise IngestError(
                file,
                Title(
                    f"“{first.header}”和“{item.header}”都对应“{item.column.title.zh}”",
                    f"{first.header} and {item.header} both mean {item.column.name}",
                ),
                Title(
                    "请在对照文件中舍去一列",
                    f"leave one out by a mapping file: columns: {{{item.header}: }}",
                ),
            )


def _check_columns(vocabulary: Vocabulary, mapping: FileMapping) -> None:
    known: dict[str, Column] = {**vocabulary.subject.columns}
    if vocabulary.records is not None:
        known |= vocabulary.records.columns
    unknown = sorted(mapping.named_columns - set(known))
    if unknown:
        raise IngestError(
            mapping.name,
            Title(
                f"词汇表没有这些列:{'、'.join(unknown)}", f"the vocabulary {vocabulary.id} has no such column"
            ),
            Title("可用的列", f"one of {', '.join(known)}"),
        )
