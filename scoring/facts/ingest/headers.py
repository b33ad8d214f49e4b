"""Which column of the vocabulary each column of a file is."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules.model import Column, Table, Title, Vocabulary
from scoring.characters.persons import has_person, without_persons
from scoring.facts.ingest import acts
from scoring.facts.ingest.cells import Reading
from scoring.facts.ingest.errors import Fault, IngestError, NoTableError
from scoring.facts.ingest.folding import Cell, as_text, fold, fold_header, fold_word
from scoring.facts.ingest.form_headers import Bare, FormHeaders, reading_of
from scoring.facts.ingest.forms import Form, forms_of
from scoring.facts.ingest.header_words import either, has_unit, readings, unit_above, unit_alone, unit_in
from scoring.facts.ingest.mapping import Dataset, FileMapping
from scoring.facts.ingest.misread import doubt as misread
from scoring.facts.ingest.numbers import multiplier
from scoring.facts.ingest.refusals import Refuser
from scoring.facts.ingest.sheets import HEAD_ROWS, Cells, Row, is_blank
from scoring.facts.ingest.sources import Code, First, Found, doubt_of

TITLES = {"subject": Title("主体", "subjects"), "record": Title("记录", "records")}

REASON_HEADER = "退回原因 reason (ignored)"
"""Heads the column of a workbook of ours that says what is wrong; it is passed over when it comes back."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is to be read.

    :param row: the number of the row that holds the headers.
    :param file: the file, and the sheet, as a message names it.
    :param width: how many cells a row has.
    :param ignored: headers that name no column of the table.
    :param finders: attributes of the subject in a table of records, by which it is found without its code.
    :param own: where the column of ours that says what was wrong stands, if it came back.
    :param lacking: what is wrong if the rows are those of new keys: they lack a column that such a row needs.
    :param headers: all of them, by position.
    :param form: the official form that the file is one of.
    :param refuser: says which rows nothing is kept of.
    :param private: positions whose cells are not shown.
    :param fields: position → field of the form.
    :param filled: columns that a form, or the law, fills in where the row does not say them.
    :param numbered: the row below the headers that numbers the columns, as printed forms have it.
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
    headers: tuple[str, ...] = ()
    form: Form | None = None
    refuser: Refuser | None = None
    private: frozenset[int] = frozenset()
    fields: Mapping[int, str] = field(default_factory=dict)
    filled: frozenset[str] = frozenset()
    file: str = ""
    numbered: int | None = None

    def header(self, name: str) -> str:
        """What a column is called in the file; where the file has it not, in its form, or else its title."""
        headers = (found.header for found in (*self.found, *self.finders) if found.column.name == name)
        said = self.form.columns.get(name) if self.form is not None else None
        return next(headers, None) or (said.fields[0] if said else self.table.columns[name].title.zh)

    @property
    def number(self) -> tuple[str, ...]:
        """The columns of which the form makes a record's number."""
        return self.form.number if self.form is not None else ()

    def told(self, cells: Cells) -> Cells | None:
        """What may be shown of a row's cells; None where it is nothing.

        Of a row of a form that has cells too many or too few nobody knows which of them are private.
        """
        if any(has_person(as_text(cells[place])) for place in self._codes if place < len(cells)):
            return None
        cells = [_without_persons(cell) for cell in cells]
        if self.refuser is None or not cells:
            return cells
        whole = (*cells, *[None] * (self.width - len(cells)))
        if (len(cells) > self.width and not is_blank(cells[self.width :])) or self.refuser(whole) is not None:
            return None
        return [None if place in self.private else cell for place, cell in enumerate(whole)]

    @property
    def _codes(self) -> list[int]:
        """Where credit codes stand."""
        return [f.position for f in self.found if f.column.format == "uscc" and f.position >= 0]

    @property
    def doubted(self) -> tuple[str, ...]:
        """The headers that may mean something else, with what they are read as and what else it is; and the
        row below them that is read as the numbers of the columns."""
        own = (f for f in self.found if f.position not in self.fields)  # a field of a form means what it says
        doubts = ((f.header, f.column.title, doubt_of(f.column, f.header)) for f in own)
        said = [
            f"“{header}”按“{title.zh}”读取,{why.zh} read as {title.en}: {why.en}"
            for header, title, why in doubts
            if why is not None
        ]
        if self.numbered is not None:
            zh = f"第{self.numbered}行是列号,未作数据读取;如是数据,请移到其他数据行之后"
            said.append(
                f"{zh} row {self.numbered} numbers the columns; if it is data, move it below other rows"
            )
        return tuple(said)

    @property
    def absent(self) -> tuple[Column, ...]:
        """The table's columns that the file doesn't have."""
        present = {found.column.name for found in self.found}
        return tuple(column for name, column in self.table.columns.items() if name not in present)


def _without_persons(cell: Cell) -> Cell:
    """A cell that may be shown: what holds a person's number is a text without it."""
    said = as_text(cell)
    kept = without_persons(said)
    return cell if kept == said else kept


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a row serves as the headers of a table.

    :param columns: how many of its cells name a column.
    :param missing: the required columns that none of them names.
    :param lacking: the columns that a new row needs, and that none of them names.
    :param form: how they are those of an official form.
    """

    dataset: Dataset
    row: int
    cells: Cells
    columns: int
    missing: tuple[str, ...]
    lacking: tuple[str, ...]
    form: FormHeaders | None = None

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
        self.forms = forms_of(vocabulary.id) if "record" in self.tables else ()
        self._words = {name: _known_words(table) for name, table in self.tables.items()}
        finders = {name: vocabulary.subject.columns[name] for name in vocabulary.find_by}
        key = vocabulary.subject.key
        self._codes = _known_words(
            replace(vocabulary.subject, columns={key: vocabulary.subject.columns[key]})
        )
        self._finders = _known_words(replace(vocabulary.subject, columns=finders))
        _check_columns(vocabulary, mapping)

    def required(self, dataset: Dataset) -> tuple[str, ...]:
        """The columns without which the table's rows mean nothing: its key, and a record's subject."""
        if dataset == "subject":
            return (self.vocabulary.subject.key,)
        return (self.tables[dataset].key, self.vocabulary.record_subject)

    def best(self, head: Sequence[Row]) -> Fit | None:
        """How well the row that serves best as the headers does."""
        return max(self._fits(head), key=lambda fit: fit.rank, default=None)

    @property
    def head_rows(self) -> int:
        """How many rows of a file are looked at for the headers."""
        return HEAD_ROWS + (self.mapping.skip_rows or 0)

    def score(self, rows: Sequence[Cells]) -> tuple[int, int]:
        """How well the best of some rows serves as the headers: columns recognised, and cells."""
        fits = self._fits(list(enumerate(rows, start=1)))
        return max((fit.columns for fit in fits), default=0), max(map(len, rows), default=0)

    def layout(self, head: Sequence[Row], file: str) -> Layout:
        """The layout by the first rows of a file; titles may stand above the headers.

        :raises IngestError: where the best row lacks a required column, fits both tables, names one column
            twice, or would be that of subjects and speaks of records.
        """
        fits = self._fits(head)
        if not fits:
            reason = Title(
                f"没有表头,前{len(head)}行是空的", f"no row of headers: the first {len(head)} are blank"
            )
            raise NoTableError(file, reason, Title("第一行应为表头", "the first row holds the headers"))
        best = max(fits, key=lambda fit: fit.rank)
        if not best.complete:
            raise self._missing(best, (*best.missing, *best.lacking), file)
        best = _meant(best, fits, head, file)
        _refuse_rows_between(best, fits, head, file)
        if [fit.rank for fit in fits if fit.form is None or fit is best].count(best.rank) > 1:
            reason = Title("表头既像主体表又像记录表", "the headers fit subjects as well as records")
            hint = Title(
                "请指明是哪一种表,或用对照文件说明", "say which it is, or by a mapping file: dataset: record"
            )
            raise IngestError(file, reason, hint, "--table record")
        self._refuse_records(best, file)
        named = [(Title(item.column.title.zh, item.column.name), item.header) for item in self._found(best)]
        _refuse_doubles(best.form.meant if best.form else named, file)
        rows = [row for row in _possible_headers(head, self.mapping) if row[0] != best.row]
        _refuse_unit_beside(self._bare(best), best, rows, file)
        if best.form is not None:
            _refuse_no_unit(best.form.form, best.form.in_no_unit, file)
        layout = self.read_as(best, file)
        return replace(layout, numbered=_numbers_below(layout, head))

    def _fits(self, head: Sequence[Row]) -> list[Fit]:
        """How well each row serves as the headers of each table, and of each form whose signs it shows."""
        rows = _possible_headers(head, self.mapping)
        fits = [self._fit(dataset, number, cells) for number, cells in rows for dataset in self.tables]
        if not self.forms:
            return fits
        of_forms = (self._by_form(form, cells) for _, cells in rows for form in self.forms)
        numbers = (number for number, _ in rows for _ in self.forms)
        signed = (pair for pair in zip(numbers, of_forms, strict=True) if pair[1].is_signed)
        return fits + [self._form_fit(number, headers) for number, headers in signed]

    def _by_form(self, form: Form, cells: Cells) -> FormHeaders:
        """A row as the headers of a form."""
        own = self._match("record", cells)
        finders = self._find_by([*map(as_text, cells)], own)
        return FormHeaders(form, self.vocabulary, self.mapping, cells, own, finders)

    def _form_fit(self, row: int, headers: FormHeaders) -> Fit:
        present = headers.present | set(self.mapping.defaults)
        return Fit(
            dataset="record",
            row=row,
            cells=headers.cells,
            columns=len(headers.named),
            missing=tuple(name for name in headers.required if name not in present),
            lacking=tuple(name for name in headers.needed if name not in present),
            form=headers,
        )

    def _fit(self, dataset: Dataset, row: int, cells: Cells) -> Fit:
        matches = self._match(dataset, cells)
        present = {name for name, _ in matches.values()} | set(self.mapping.defaults)
        required = self.required(dataset)
        missing = tuple(name for name in required if name not in present)
        needs = self.tables[dataset].needs
        lacking = tuple(name for name in needs if name not in present and name not in required)
        return Fit(dataset, row, cells, len(matches), missing, lacking)

    def _refuse_records(self, fit: Fit, file: str) -> None:
        """Refuse headers that would be those of subjects, and that say no less of acts than of these. Where
        somebody says that they are subjects, there is no other table."""
        if fit.dataset != "subject" or "record" not in self.tables:
            return
        subjects, records = self._match("subject", fit.cells), self._match("record", fit.cells)
        others = [as_text(cell).strip() for n, cell in enumerate(fit.cells) if n not in subjects]
        unsaid = [header for header in others if not self._is_mapped(header)]
        of_acts = [header for header in unsaid if acts.speaks_of_act(header, self.forms)]
        names = {self.vocabulary.subject.key, *self.vocabulary.find_by, "name"}
        if of_acts and len(of_acts) >= len({name for name, _ in subjects.values()} - names):
            known = {name for name, _ in records.values()} | set(self.mapping.defaults)
            table = self.tables["record"]
            needs = [*self.required("record"), *table.needs]
            lacking = [table.columns[name].title.zh for name in needs if name not in known]
            raise acts.refusal(of_acts, self.forms, lacking, file)

    def _is_mapped(self, header: str) -> bool:
        return any(word in self.mapping.columns for word, _ in readings(header))

    def named(self, layout: Layout, cells: Cells) -> dict[int, tuple[str, int]]:
        """What each cell of a row would mean as a header of the table: position → name and multiplier."""
        if layout.form is not None:
            return self._by_form(layout.form, cells).meanings
        own = self._match(layout.dataset, cells)
        if layout.dataset == "subject":
            return own
        finders = self._find_by([*map(as_text, cells)], own)
        return {**{finder.position: (finder.column.name, 1) for finder in finders}, **own}

    def _found(self, fit: Fit) -> list[Found]:
        if fit.form is not None:
            return list(fit.form.found.values())
        columns, link = self.tables[fit.dataset].columns, self.vocabulary.record_subject
        found = []
        for position, (name, per) in self._match(fit.dataset, fit.cells).items():
            header = as_text(fit.cells[position]).strip()
            is_either = fit.dataset == "record" and name == link and self._finder_beside(header)
            found.append(
                Found(columns[name], position, header, per, Code(First((position,))) if is_either else None)
            )
        return found

    def _bare(self, fit: Fit) -> list[Bare]:
        """The amounts whose headers have no unit."""
        if fit.form is not None:
            return fit.form.bare
        amounts = (item for item in self._found(fit) if item.column.declared == "decimal")
        return [Bare(item.header, item.position, 1) for item in amounts if not has_unit(item.header)]

    def read_as(self, fit: Fit, file: str = "") -> Layout:
        """The layout of a file whose headers are those of a row."""
        dataset, cells, form = fit.dataset, fit.cells, fit.form
        found = self._found(fit)
        matches = {item.position for item in found} | (form.named if form else set())
        headers = tuple(as_text(cell).strip() for cell in cells)
        own = next((n for n, header in enumerate(headers) if fold_header(header) == _OWN), None)
        if form is not None:
            finders = form.finders
        else:
            finders = self._find_by(headers, {*matches, own}) if dataset == "record" else ()
        passed = {own, *matches, *(finder.position for finder in finders)}
        width = max(max(n for n, header in enumerate(headers) if header) + 1, len(cells))
        return Layout(
            dataset=dataset,
            table=self.tables[dataset],
            row=fit.row,
            width=width,
            found=tuple(found),
            ignored=tuple(header for n, header in enumerate(headers) if header and n not in passed),
            finders=finders,
            own=own,
            lacking=self._missing(fit, fit.lacking, file) if fit.lacking else None,
            headers=headers,
            form=form.form if form else None,
            refuser=form.refuser if form else None,
            private=form.private if form else frozenset(),
            fields=form.fields if form else {},
            filled=form.filled if form else self._proposed(dataset),
            file=file,
        )

    def _proposed(self, dataset: Dataset) -> frozenset[str]:
        """The columns that the law fills in."""
        proposals = self.vocabulary.proposals if dataset == "record" else ()
        return frozenset(proposal.column for proposal in proposals)

    def reading(self, layout: Layout, found: Found, required: bool = False) -> Reading:
        """How the cells of a column of a file are read."""
        return replace(reading_of(layout.form, found.column, self.mapping), required=required, per=found.per)

    def _find_by(self, headers: Sequence[str], taken: Container[int | None]) -> tuple[Found, ...]:
        """The attributes of the subject among the headers, in the order in which they are tried."""
        names: dict[str, Found] = {}
        for position, header in enumerate(headers):
            found = (self._finders.get(word) for word, _ in readings(header))
            name = next((name for name in found if name is not None), None)
            if name is not None and position not in taken:
                names.setdefault(name, Found(self.vocabulary.subject.columns[name], position, header, 1))
        for position, header in enumerate(headers):
            if (name := self._finder_beside(header)) is not None:
                names.setdefault(name, Found(self.vocabulary.subject.columns[name], position, header, 1))
        return tuple(names[name] for name in self.vocabulary.find_by if name in names)

    def _finder_beside(self, header: str) -> str | None:
        """The number of the subject that a header names beside its code."""
        words = either(header)
        named = {self._finders.get(word) for word in words} - {None, "name"}
        is_code = any(word in self._codes for word in words)
        return named.pop() if is_code and named else None

    def _match(self, dataset: Dataset, cells: Cells) -> dict[int, tuple[str, int]]:
        """Position → column name and multiplier, for the cells that are headers of the table; a header that
        may mean something else names its column where no other does."""
        found, doubted = {}, set()
        for position, cell in enumerate(cells):
            if cell is None or cell == "":
                continue
            column, per = self._column(dataset, as_text(cell))
            if column is not None:
                found[position] = (column, per or 1)
                if doubt_of(self.tables[dataset].columns[column], as_text(cell)) is not None:
                    doubted.add(position)
        sure = {column for position, (column, _) in found.items() if position not in doubted}
        return {n: named for n, named in found.items() if n not in doubted or named[0] not in sure}

    def _column(self, dataset: Dataset, header: str) -> tuple[str | None, int]:
        for word, per in readings(header):
            if word in self.mapping.columns:
                name = self.mapping.columns[word]
                return (name if name in self.tables[dataset].columns else None), readings(header)[-1][1]
            if word in self._words[dataset]:
                return self._words[dataset][word], per
        return (self.required(dataset)[-1] if self._finder_beside(header) else None), 1

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
        form = fit.form.form if fit.form else None
        known = "; ".join(_known_headers(column, form) for column in missing)
        near = self._near(fit, file) if form is None else Title("", "")
        return NoTableError(
            file,
            Title(
                f"{title.zh}表缺少必需的列:{titles};各列识别为:{taken}",
                f"the table of {title.en} needs the column {', '.join(names)}; taken for: {english}",
            ),
            Title(
                f"{near.zh}可用的表头如下{default.zh}",
                f"{near.en}headers known: {known}{default.en}",
            ),
        )

    def _near(self, fit: Fit, file: str) -> Title:
        """What headers lack to be those of the official forms that have the most of them."""
        near = acts.near_forms([*map(as_text, fit.cells)], self.forms, file)
        zh = "".join(f"如为{title.zh}表,还缺{'、'.join(fields)};" for title, fields in near)
        en = "".join(f"as the form {title.en} it lacks {', '.join(fields)}; " for title, fields in near)
        return Title(zh, en)

    def _taken_for(self, fit: Fit) -> tuple[str, str]:
        """Each header and the column that it was taken for, in Chinese and by name."""
        columns = self.tables[fit.dataset].columns
        matches = fit.form.meanings if fit.form else self._match(fit.dataset, fit.cells)
        zh, en = [], []
        for position, cell in enumerate(fit.cells):
            header = as_text(cell).strip()
            name = matches[position][0] if position in matches else None
            title = columns[name].title.zh if name and name in columns else name
            if header:
                doubt = misread(header)
                zh.append(f"{header}→{title or '未识别'}{doubt.zh}")
                en.append(f"{header} → {name or '?'}{doubt.en}")
        return "、".join(zh), ", ".join(en)


def numbers_columns(cells: Cells, width: int) -> bool:
    """Whether a row says 1, 2, 3 … of its columns, and nothing else; so do (1) and ①.

    >>> numbers_columns(["①", "②"], 2), numbers_columns(["（1）", "（2）"], 2), numbers_columns(["1", "3"], 2)
    (True, True, False)
    """
    words = {n: word for n, cell in enumerate(cells) if (word := fold(as_text(cell)).strip("()"))}
    return len(words) > 1 and words == {n: str(n + 1) for n in range(width)}


def _numbers_below(layout: Layout, head: Sequence[Row]) -> int | None:
    """The row that numbers the columns: the first below the headers that has a digit in it."""
    below = ((number, _cells(cells)) for number, cells in head if number > layout.row)
    said = ((n, cells) for n, cells in below if any(c.isdigit() for c in "".join(map(as_text, cells))))
    number, cells = next(said, (0, ()))
    return number if numbers_columns(cells, layout.width) else None


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


_OWN = fold_header(REASON_HEADER)


def _known_words(table: Table) -> dict[str, str]:
    """Every word by which a header can name a column; a name goes before a title, a title before an alias."""
    words: dict[str, str] = {}
    columns = table.columns.values()
    for kind in (
        [(column.name, column.name) for column in columns],
        [(title, column.name) for column in columns for title in (column.title.zh, column.title.en)],
        [(alias, column.name) for column in columns for alias in (*column.aliases, *column.doubted)],
    ):
        for word, name in kind:
            words.setdefault(fold_header(word), name)
    return words


def _known_headers(column: Column, form: Form | None) -> str:
    """The headers by which a column is known; in a form the titles of its fields first."""
    fields = form.columns[column.name].fields if form and column.name in form.columns else ()
    return "、".join(dict.fromkeys((*fields, column.title.zh, *column.aliases, column.title.en, column.name)))


def _meant(best: Fit, fits: Sequence[Fit], head: Sequence[Row], file: str) -> Fit:
    """Of the forms whose headers a row shows, the one that is surely meant, or by whose name the file, its
    sheet or its title goes; any of them where all read the rows alike.

    :raises IngestError: where nothing says which; with the columns that tell them apart.
    """
    shown = [(fit.form, fit) for fit in fits if fit.row == best.row and fit.form is not None]
    if best.form is None or len(shown) < 2:
        return best
    sure = [fit for headers, fit in shown if headers.is_sure]
    if len(sure) == 1:
        return sure[0]
    above = (as_text(cell) for number, cells in head for cell in _cells(cells) if number < best.row)
    names = fold_word(" ".join((file, *above)))
    called = [fit for headers, fit in shown if any(fold_word(word) in names for word in headers.form.called)]
    if len(called) == 1:
        return called[0]
    if all(headers.reads_as(best.form) for headers, _ in shown):
        return best
    raise _of_several([headers for headers, _ in shown], file)


def _of_several(shown: Sequence[FormHeaders], file: str) -> IngestError:
    """The refusal of headers that may be those of several forms: which columns tell these apart."""
    own = [_own_headers(headers, [other for other in shown if other is not headers]) for headers in shown]
    listed = [
        Title(
            f"{title.zh}（独有{'、'.join(headers)}）" if headers else title.zh,
            f"{title.en} ({', '.join(headers)})" if headers else title.en,
        )
        for title, headers in zip((headers.form.title for headers in shown), own, strict=True)
    ]
    zh, en = "、".join(title.zh for title in listed), ", ".join(title.en for title in listed)
    if sum(map(bool, own)) > 1:
        hint = Title(
            "请只用一种表的表头;不同种类的数据分成几个文件",
            "the headers of one form alone; rows of several kinds in a file for each",
        )
    else:
        telling = [(h.form.title, _telling(h.form.sure or h.form.signs[0], h, shown)) for h in shown]
        is_called = any(headers.form.called for headers in shown)
        hint = Title(
            f"请用能区分的表头:{'、'.join(f'{title.zh}用“{field}”' for title, field in telling)}"
            + (";或在文件名、工作表名或标题中写明名称" if is_called else ""),
            f"a header that tells: {'; '.join(f'{title.en}: {field}' for title, field in telling)}"
            + ("; or the name in that of the file or its sheet, or above the headers" if is_called else ""),
        )
    return IngestError(
        file, Title(f"表头分不出是哪一种:{zh}", f"the headers are those of several forms: {en}"), hint
    )


def _own_headers(headers: FormHeaders, others: Sequence[FormHeaders]) -> list[str]:
    """The headers of a row that one form knows, and the others do not."""
    alone = headers.named.difference(*(other.named for other in others))
    return [as_text(headers.cells[position]).strip() for position in sorted(alone)]


def _telling(fields: Collection[str], headers: FormHeaders, shown: Sequence[FormHeaders]) -> str:
    """The first of some fields of a form that no other form has under its title."""
    others = [other.form for other in shown if other is not headers]
    alone = (
        title
        for title in headers.form.fields
        if title in fields and all(other.field_of(fold_header(title)) is None for other in others)
    )
    return next(alone, "")


def _cells(cells: Cells | Fault) -> Cells:
    return () if isinstance(cells, Fault) else cells


def _refuse_doubles(named: Iterable[tuple[Title, str]], file: str) -> None:
    """:param named: what each header means, with the header."""
    first: dict[Title, str] = {}
    for meaning, header in named:
        if meaning in first:
            raise IngestError(
                file,
                Title(
                    f"“{first[meaning]}”和“{header}”都对应“{meaning.zh}”",
                    f"{first[meaning]} and {header} both mean {meaning.en}",
                ),
                Title("请在对照文件中舍去一列", f"leave one out by a mapping file: columns: {{{header}: }}"),
            )
        first[meaning] = header


def _refuse_rows_between(best: Fit, fits: Sequence[Fit], head: Sequence[Row], file: str) -> None:
    """Refuse headers below others that serve as well, and below rows of these, which would not be read."""
    others = {fit.row for fit in fits if fit.dataset == best.dataset and fit.complete and fit.columns > 1}
    between = (
        cells for row, cells in head if min(others, default=best.row) < row < best.row and row not in others
    )
    if any(isinstance(cells, Fault) or not is_blank(cells) for cells in between):
        raise other_headers(best.row, file)


def other_headers(row: int, file: str) -> IngestError:
    """The refusal of a file in which headers come again that are not those at its top."""
    return IngestError(
        file,
        Title(
            f"第{row}行又是一行表头,与上面的表头不一致", f"row {row} holds other headers than those above it"
        ),
        Title(
            "请分成两个文件,或把各列的名称、次序和单位调成一致",
            "a file for each, or the same columns, units and order under both",
        ),
    )


def _refuse_unit_beside(bare: Sequence[Bare], fit: Fit, head: Sequence[tuple[int, Cells]], file: str) -> None:
    """Refuse a unit other than that in which an amount without one is read: of which it holds, nobody says.

    It may stand above the headers, right below them, or in the header of another amount of acts.
    """
    for place, unit in _units_beside(bare, fit, head) if bare else ():
        other = next((item for item in bare if multiplier(unit) != item.per), None)
        if other is not None:
            header, said = other.header, unit.removesuffix("元") + "元"
            usual = "元" if other.per == 1 else "万元"
            raise IngestError(
                file,
                Title(
                    f"{place.zh}写明单位为{said},而“{header}”的表头没有单位",
                    f"{place.en} says that amounts are in {said}, and the header {header} has no unit",
                ),
                Title(
                    f"请把单位写入表头:{header}（{said}）;以{usual}计的写:{header}（{usual}）",
                    f"the unit in the header: {header}({said}), or {header}({usual}) where it is that",
                ),
            )


def _refuse_no_unit(form: Form, amounts: Sequence[Bare], file: str) -> None:
    """Refuse amounts without a unit that the form would take for ten thousands, and a ledger for yuan."""
    for header in (item.header for item in amounts if item.per != 1):
        raise IngestError(
            file,
            Title(
                f"按“{form.title.zh}”表读取,而“{header}”的表头没有单位:元还是万元无从判断",
                f"it reads as a form ({form.title.en}), and the header {header} has no unit",
            ),
            Title(
                f"请把单位写入表头:{header}（元）或{header}（万元）",
                f"the unit in the header: {header}(元) for yuan, or {header}(万元) for ten thousands",
            ),
        )


def _units_beside(
    bare: Sequence[Bare], fit: Fit, head: Sequence[tuple[int, Cells]]
) -> Iterator[tuple[Title, str]]:
    """The units that a file says outside of the headers of some amounts, and where."""
    for number, cells in head:
        if number < fit.row:
            unit = unit_above("|".join(as_text(cell) for cell in cells if cell is not None))
        else:
            below = (cells[item.position] for item in bare if item.position < len(cells))
            unit = next(filter(None, map(unit_alone, below)), None) if number == fit.row + 1 else None
        if unit is not None:
            yield Title(f"第{number}行", f"row {number}"), unit
    for header in map(as_text, fit.cells):
        unit = unit_in(header)
        if unit is not None and acts.speaks_of_act(header, ()):
            yield Title(f"“{header.strip()}”", f"the header {header.strip()}"), unit


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
