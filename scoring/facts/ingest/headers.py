"""Which column of the vocabulary each column of a file is."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rules.model import Column, Table, Title, Vocabulary
from scoring.facts.ingest.errors import Fault, IngestError, NoTableError
from scoring.facts.ingest.folding import as_text, fold, fold_word
from scoring.facts.ingest.mapping import Dataset, FileMapping
from scoring.facts.ingest.numbers import multiplier
from scoring.facts.ingest.sheets import HEAD_ROWS, Cells, Row, is_blank

TITLES = {"subject": Title("主体", "subjects"), "record": Title("记录", "records")}

REASON_HEADER = "退回原因 reason (ignored)"
"""Heads the column of a workbook of ours that says what is wrong; it is passed over when it comes back."""

_MARKS = "*:\u2731\u2217\u2605\u203b"
_NUMBER_BEFORE = re.compile(r"^\(?(?:[0-9]{1,2}[.、):]?|[一二三四五六七八九十]{1,3}[.、):])(?=[^0-9])")
_REMARK = re.compile(r"(?P<title>.+)[(\[【{](?P<remark>[^()\[\]【】{}]+)[)\]】}]")
_UNIT = re.compile(r"(?:单位:?)?(?P<unit>元|千元|万元|百万元|千万元|亿元|人|万人|个|家|yuan)")
_UNIT_ABOVE = re.compile(
    r"(?:单位:?[|]*|[(])(?:人民币)?(?P<unit>[百千]?[万亿]?元|[百千]?[万亿](?![\u4e00-\u9fff]))"
)
"""What a line above the headers says of all amounts: 单位：万元."""

_FORM = re.compile(
    r"(?:非|不)?必填项?|选填项?|可选|可空|可不填|required|optional"
    r"|(?:格式|如|例如?):?[-0-9/.年月日ymd]+|[年月日/.-]{2,}|y{2,4}[-/.年]?m{1,2}[-/.月]?d{1,2}日?"
    r"|(?:文本|日期|数字|常规)(?:格式|型)?|下拉选择|单选|是/否|18位(?:代码|编码)?"
)


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
    :param finders: attributes of the subject in a table of records, by which it is found without its code.
    :param own: where the column of ours that says what was wrong stands, if it came back.
    :param lacking: what is wrong if the rows are those of new keys: they lack a column that such a row needs.
    """

    dataset: Dataset
    table: Table
    row: int
    width: int
    found: tuple[Found, ...]
    ignored: tuple[str, ...]
    finders: tuple[Found, ...] = ()
    own: int | None = None
    lacking: NoTableError | None = None

    def header(self, name: str) -> str:
        """What a column is called in the file; its title where the file has it not."""
        headers = (found.header for found in self.found if found.column.name == name)
        return next(headers, self.table.columns[name].title.zh)

    @property
    def absent(self) -> tuple[Column, ...]:
        """The table's columns that the file doesn't have."""
        present = {found.column.name for found in self.found}
        return tuple(column for name, column in self.table.columns.items() if name not in present)


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a row serves as the headers of a table.

    :param columns: how many of its cells name a column.
    :param missing: the required columns that none of them names.
    :param lacking: the columns that a new row needs, and that none of them names.
    """

    dataset: Dataset
    row: int
    cells: Cells
    columns: int
    missing: tuple[str, ...]
    lacking: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def rank(self) -> tuple[int, bool, bool, int]:
        """Most columns, then all that are required, then all that new rows need, then the upper row."""
        return self.columns, self.complete, not self.lacking, -self.row


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
        finders = {name: vocabulary.subject.columns[name] for name in vocabulary.find_by}
        self._finders = _known_words(replace(vocabulary.subject, columns=finders))
        _check_columns(vocabulary, mapping)

    def required(self, dataset: Dataset) -> tuple[str, ...]:
        """The columns without which the table's rows mean nothing: its key, and a record's subject."""
        if dataset == "subject":
            return (self.vocabulary.subject.key,)
        return (self.tables[dataset].key, self.vocabulary.record_subject)

    def best(self, head: Sequence[Row]) -> Fit | None:
        """How well the row that serves best as the headers does."""
        rows = _possible_headers(head, self.mapping)
        fits = [self._fit(dataset, number, cells) for number, cells in rows for dataset in self.tables]
        return max(fits, key=lambda fit: fit.rank, default=None)

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
            raise self._missing(best, (*best.missing, *best.lacking), file)
        if [fit.rank for fit in fits].count(best.rank) > 1:
            reason = Title("表头既像主体表又像记录表", "the headers fit subjects as well as records")
            hint = Title(
                "请用--table或对照文件说明", "say which by --table, or by a mapping file: dataset: record"
            )
            raise IngestError(file, reason, hint)
        found = self._found(best)
        _refuse_doubles(found, file)
        _refuse_unit_above(found, [row for row in rows if row[0] < best.row], file)
        return self.read_as(best, file)

    def _fit(self, dataset: Dataset, row: int, cells: Cells) -> Fit:
        matches = self._match(dataset, cells)
        present = {name for name, _ in matches.values()} | set(self.mapping.defaults)
        required = self.required(dataset)
        missing = tuple(name for name in required if name not in present)
        needs = self.tables[dataset].needs
        lacking = tuple(name for name in needs if name not in present and name not in required)
        return Fit(dataset, row, cells, len(matches), missing, lacking)

    def _found(self, fit: Fit) -> list[Found]:
        return [
            Found(self.tables[fit.dataset].columns[name], position, as_text(fit.cells[position]).strip(), per)
            for position, (name, per) in self._match(fit.dataset, fit.cells).items()
        ]

    def read_as(self, fit: Fit, file: str = "") -> Layout:
        """The layout of a file whose headers are those of a row."""
        dataset, cells = fit.dataset, fit.cells
        found = self._found(fit)
        matches = {item.position for item in found}
        headers = [as_text(cell).strip() for cell in cells]
        own = next((n for n, header in enumerate(headers) if _header_word(header) == _OWN), None)
        finders = self._find_by(headers, {*matches, own}) if dataset == "record" else ()
        passed = {own, *matches, *(finder.position for finder in finders)}
        return Layout(
            dataset=dataset,
            table=self.tables[dataset],
            row=fit.row,
            width=max(max(n for n, header in enumerate(headers) if header) + 1, len(cells)),
            found=tuple(found),
            ignored=tuple(header for n, header in enumerate(headers) if header and n not in passed),
            finders=finders,
            own=own,
            lacking=self._missing(fit, fit.lacking, file) if fit.lacking else None,
        )

    def _find_by(self, headers: Sequence[str], taken: Container[int | None]) -> tuple[Found, ...]:
        """The attributes of the subject among the headers, in the order in which they are tried."""
        names: dict[str, Found] = {}
        for position, header in enumerate(headers):
            found = (self._finders.get(word) for word, _ in _readings(header))
            name = next((name for name in found if name is not None), None)
            if name is not None and position not in taken:
                names.setdefault(name, Found(self.vocabulary.subject.columns[name], position, header, 1))
        return tuple(names[name] for name in self.vocabulary.find_by if name in names)

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
        for word, per in _readings(header):
            if word in self.mapping.columns:
                name = self.mapping.columns[word]
                return (name if name in self.tables[dataset].columns else None), _readings(header)[-1][1]
            if word in self._words[dataset]:
                return self._words[dataset][word], per
        return None, 1

    def _missing(self, fit: Fit, names: Sequence[str], file: str) -> NoTableError:
        missing = [self.tables[fit.dataset].columns[name] for name in names]
        titles = "、".join(column.title.zh for column in missing)
        taken, english = self._taken_for(fit)
        title = TITLES[fit.dataset]
        common = [name for name in names if name not in self.required(fit.dataset)]
        default = Title("", "")
        if common:
            line = f"defaults: {{{common[0]}: …}}"
            default = Title(f",或在对照文件中写明{line}", f"; or for all rows, in a mapping file: {line}")
        return NoTableError(
            file,
            Title(
                f"{title.zh}表缺少必需的列:{titles};各列识别为:{taken}",
                f"the table of {title.en} needs the column {', '.join(names)}; taken for: {english}",
            ),
            Title(
                f"可用的表头如下{default.zh}",
                f"headers known: {'; '.join(_known_headers(column) for column in missing)}{default.en}",
            ),
        )

    def _taken_for(self, fit: Fit) -> tuple[str, str]:
        """Each header and the column that it was taken for, in Chinese and by name."""
        matches, columns = self._match(fit.dataset, fit.cells), self.tables[fit.dataset].columns
        zh, en = [], []
        for position, cell in enumerate(fit.cells):
            header = as_text(cell).strip()
            name = matches[position][0] if position in matches else None
            if header:
                zh.append(f"{header}→{columns[name].title.zh if name else '未识别'}")
                en.append(f"{header} → {name or '?'}")
        return "、".join(zh), ", ".join(en)


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


_OWN = _header_word(REASON_HEADER)


@lru_cache(maxsize=4_096)
def _readings(header: str) -> tuple[tuple[str, int], ...]:
    """What a header can mean: as it stands first, at last without a number before it and remarks behind it.

    :return: words, each with what a unit among the remarks left out multiplies bare numbers by.
    """
    word, per = _header_word(header), 1
    readings = [(word, per)]
    readings.append((_NUMBER_BEFORE.sub("", word, count=1), per))
    bare = readings[-1][0]
    while (found := _REMARK.fullmatch(bare)) and (times := _remark(found["remark"])):
        if times > 1 and per > 1:  # two units: which of them counts, nobody knows
            break
        bare, per = found["title"].strip(_MARKS), per * times
        readings.append((bare, per))
    return tuple(dict.fromkeys(readings))


def _remark(text: str) -> int | None:
    """What a remark behind a header multiplies by; None where it is none of units, formats and "required"."""
    per = 1
    for part in re.split("[,;、]", text):
        unit = _UNIT.fullmatch(part)
        if unit is None and not _FORM.fullmatch(part):
            return None
        per *= multiplier(unit["unit"]) if unit else 1
    return per


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


def _refuse_unit_above(found: Sequence[Found], above: Sequence[tuple[int, Cells]], file: str) -> None:
    """Refuse a unit above the headers where one of an amount has none: of which it holds, nobody says."""
    bare = [item for item in found if item.column.declared == "decimal" and not _has_unit(item.header)]
    for number, cells in above if bare else ():
        line = "|".join(as_text(cell) for cell in cells if cell is not None)
        unit = _UNIT_ABOVE.search(fold_word(line))
        if unit and multiplier(unit["unit"]) > 1:
            header, said = bare[0].header, unit["unit"].removesuffix("元") + "元"
            raise IngestError(
                file,
                Title(
                    f"第{number}行写明单位为{said},而“{header}”的表头没有单位",
                    f"row {number} says that amounts are in {said}, and the header {header} has no unit",
                ),
                Title(
                    f"请把单位写入表头:{header}（{said}）;以元计的写:{header}（元）",
                    f"the unit in the header: {header}({said}), or {header}(元) where it is yuan",
                ),
            )


def _has_unit(header: str) -> bool:
    remarks = re.findall(r"[(\[【{]([^()\[\]【】{}]+)[)\]】}]", _header_word(header))
    return any(_UNIT.fullmatch(part) for remark in remarks for part in re.split("[,;、]", remark))


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
