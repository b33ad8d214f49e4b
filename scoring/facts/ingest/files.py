"""Files into the store: good rows as versions, bad rows into the quarantine, and a report of both."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import chain, count, islice
from pathlib import Path
from typing import Literal, TypeVar

import pyarrow as pa
from sqlalchemy.orm import Session

from rules.calendar import today
from rules.fault import PackError, UnknownPackError
from rules.identity import plain
from rules.library.loader import load_vocabulary
from rules.model import Table, Title, Vocabulary
from rules.titles import system_title
from scoring.characters.persons import has_surely
from scoring.facts.bodies import VOCABULARY as BODIES
from scoring.facts.bodies import claimed_twice, identity_of, same_body
from scoring.facts.confirming import Confirming
from scoring.facts.entries import FileInfo
from scoring.facts.feeding import feeding_of
from scoring.facts.ingest.checks import merge_check, row_check
from scoring.facts.ingest.choice import Look
from scoring.facts.ingest.errors import AccountError, Fault, IngestError, NoTableError
from scoring.facts.ingest.headers import TITLES, HeaderMatcher, Layout
from scoring.facts.ingest.mapping import NO_MAPPING, Dataset, FileMapping
from scoring.facts.ingest.quarantine import Waiting, is_account, write_quarantine
from scoring.facts.ingest.rows import AnyRow, BadRow, Block, OddRow, RowReader, ShortRow
from scoring.facts.ingest.sheets import Row, Sheet, is_blank, named, open_sheets, visible
from scoring.facts.ingest.subjects import any_known, doubt, place
from scoring.facts.ingest.workbooks import write_bad_rows
from scoring.facts.merging import AUTHORITY, ColumnChanges
from scoring.facts.noted import Level, Rejected, as_lacks
from scoring.facts.orphans import NO_ORPHANS, Orphans
from scoring.facts.records import no_office_sends, own_alone
from scoring.facts.sifting import Check
from scoring.facts.staging import Staged
from scoring.facts.twins import likeness
from scoring.facts.versions import Handling, IngestResult, Log, Moved, ingest_rows
from scoring.facts.visit_results import VOCABULARY as RESULTS
from scoring.facts.visit_results import check_rows, take_results, tell_once
from scoring.store import Store

Progress = Callable[[int, int], None]
"""Told how much of a file is read and the whole (0: not known), in bytes or rows."""

BATCH_ROWS = 20_000
READER = "10"
"""Counts up where the same file would be read differently, so that it is read again."""

QUARANTINE = Path("work/quarantine")
SUFFIXES = frozenset(
    {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".et", ".xlsb", ".ods", ".numbers", ".dbf"}
)
"""What may be a table of an office; of those that are not read it is said why."""

_SCHEMA = pa.schema(
    [("row_no", pa.int64())]
    + [(name, pa.string()) for name in ("key", "subject_id", "data", "sheet", "lacks")]
)
_StagedRow = tuple[int, str, str, str, str | None, str | None]
"""A row, its sheet, and what it lacks to be that of a new key."""

_Said = TypeVar("_Said")

SheetState = Literal["read", "hidden", "empty", "not a table", "not asked for"]


@dataclass(frozen=True, slots=True)
class SheetReport:
    """What became of a sheet of a workbook.

    :param why: what keeps it from being a table.
    """

    name: str
    state: SheetState
    why: str = ""

    def __str__(self) -> str:
        said = f"{self.name} {SHEET_STATES[self.state]}"
        return f"{said}: {self.why}" if self.why else said


SHEET_STATES: dict[SheetState, str] = {
    "read": "已读 read",
    "hidden": "隐藏,未读 hidden, not read",
    "empty": "空表 empty",
    "not a table": "不是数据表,未读 not a table, not read",
    "not asked for": "未指定,未读 not asked for, not read",
}


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of a file.

    :param new: rows of keys not known before.
    :param changed: rows that supersede what was known of their key.
    :param rejected: rows that stand in the quarantine.
    :param quarantine: the file that says why, where there are any.
    :param warned: rows that were taken although something about them is odd.
    :param warnings: the file that says what, where there are any.
    :param held: rows that say another status than an objection, a decision or a repair gave their record,
        which stands.
    :param columns: what the rows said of keys that were known before, by column.
    :param file_id: by which the file can be taken back; None in a check.
    :param noted: in a check, what would stand in the quarantine, and what is odd.
    :param mend: the workbook of rejected rows as they stood, to mend and send back.
    :param vocabulary: the one that the file was read by.
    :param forms: the official forms that its tables are of.
    :param ignored: headers that name no column of the table; their cells are not in the store.
    :param doubted: headers that may mean something else than they were read as, with what.
    :param absent: columns of the table that the file has not; they are unknown in its rows. Of several
        sheets, those that any of them has not.
    :param sheets: what became of each sheet, of a workbook.
    :param read_as: the headers that were understood, with the titles of the columns that they name.
    :param orphans: the rows of records that are taken, and whose subject is not known: they count for nobody.
    :param moved: the records of one body that are another's from now on.
    """

    file: str
    dataset: Dataset
    new: int
    changed: int
    unchanged: int
    rejected: int
    quarantine: Path | None
    ignored: tuple[str, ...]
    absent: tuple[str, ...]
    warned: int = 0
    warnings: Path | None = None
    held: int = 0
    columns: Mapping[str, ColumnChanges] = field(default_factory=dict)
    file_id: int | None = None
    noted: tuple[Rejected, ...] = ()
    sheets: tuple[SheetReport, ...] = ()
    mend: Path | None = None
    vocabulary: str = ""
    forms: tuple[Title, ...] = ()
    doubted: tuple[str, ...] = ()
    read_as: tuple[tuple[str, Title], ...] = ()
    orphans: Orphans = NO_ORPHANS
    moved: tuple[Moved, ...] = ()

    @property
    def rows(self) -> int:
        """The rows of the file, without headers and blank rows."""
        return self.new + self.changed + self.unchanged + self.rejected


@dataclass(frozen=True, slots=True)
class PathsReport:
    """What became of several files.

    :param failures: files of which nothing was taken.
    :param skipped: files of a directory that are no tables.
    """

    files: tuple[FileReport, ...]
    failures: tuple[IngestError, ...]
    skipped: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read, and where the account of their bad rows goes.

    :param mapping: how the files differ from what the vocabulary expects; it may name another vocabulary.
    :param dataset: the table that the files hold; by default the mapping or the headers decide.
    :param quarantine: the directory for quarantine files.
    :param replace: empty cells clear what is known; by default they say nothing.
    :param check: say what files would change, and change nothing, each as if it came alone.
    :param by: who brings the files; by default a file stands for itself.
    :param authority: take only records of this authority; it is filled in where a row leaves it out.
    :param most_rows: a file with more rows is refused; None: by the bounds of files alone.
    :param log: notes what a file changed, in its transaction.
    """

    mapping: FileMapping = NO_MAPPING
    dataset: Dataset | None = None
    quarantine: Path = QUARANTINE
    replace: bool = False
    check: bool = False
    by: str | None = None
    authority: str | None = None
    most_rows: int | None = None
    log: Log = lambda session, result: None


_DEFAULTS = Reading()


def ingest_paths(
    store: Store,
    paths: Iterable[Path],
    vocabulary: Vocabulary | str | None,
    reading: Reading = _DEFAULTS,
    progress: Callable[[Path], Progress] = lambda path: lambda done, whole: None,
) -> PathsReport:
    """Take files, and the tables among the files of directories; a file that fails doesn't stop the others.

    Files of subjects come before those of records, which may name a subject by what is known of it.

    :param progress: gives the function to tell of each file's progress.
    :raises StoreError: where the database fails; files before the current one are kept.

    >>> from fixtures.small import small_files
    >>> from scoring.store import create_store
    >>> found = ingest_paths(create_store("sqlite:///office.db"), small_files(), "tourism")
    >>> [(report.file, report.dataset, report.new, report.rejected) for report in found.files]
    [('merchants.csv', 'subject', 2, 0), ('records.csv', 'record', 3, 0)]
    """
    chosen, skipped, failures = _choose(paths)
    files = []
    for path, look in _subjects_first(chosen, vocabulary, reading):
        try:
            files.append(_ingest(store, path, look, reading, progress(path)))
        except IngestError as error:
            failures.append(error)
    return PathsReport(tuple(files), tuple(failures), tuple(skipped))


def ingest_file(
    store: Store,
    path: Path,
    vocabulary: Vocabulary | str | None,
    reading: Reading = _DEFAULTS,
    progress: Progress = lambda done, whole: None,
) -> FileReport:
    r"""Take one file in one transaction: all of its good rows, or nothing where it can't be read.

    The same file, read in the same way, changes nothing when it comes again at once; after others it may, and
    where rows were set aside another day or once more is known of subjects.

    :param vocabulary: of the file's subjects or records, or the name of a shared one, which is doubted where
        another one reads the file clearly better; None: the one that reads the file best.
    :raises IngestError: where the file can't be read as a table of the vocabulary.
    :raises AccountError: where it is taken, and the account of its bad rows can't be written.
    :raises StoreError: where the database fails; nothing of the file is kept then.

    >>> from pathlib import Path
    >>> from fixtures.small import small_store
    >>> file = Path("more.csv")
    >>> rows = ["统一社会信用代码,商户名称", "92500159MALQ20RD87,临江大餐馆", "1234,错码店"]
    >>> _ = file.write_text("\n".join(rows), encoding="utf-8")
    >>> report = ingest_file(small_store(), file, "tourism")
    >>> report.new, report.changed, report.rejected, report.quarantine.parent.as_posix()
    (0, 1, 1, 'work/quarantine')
    """
    return _ingest(store, path, lambda: _look(path, vocabulary, reading), reading, progress)


def _ingest(
    store: Store, path: Path, look: Callable[[], Look], reading: Reading, progress: Progress
) -> FileReport:
    with _readable(path):
        vocabulary = look().vocabulary(store)
        mapping = _of_sender(reading, vocabulary)
        matcher = HeaderMatcher(vocabulary, mapping, reading.dataset or mapping.dataset)
        hold = _holder(path)
        info = FileInfo(_digest(path, matcher, reading.replace), path.name)
        with _opened(path, matcher) as opened:
            tables = _bounded(path, vocabulary, opened, reading)
            result = _take(store, matcher, tables, info, progress, reading, hold)
    return FileReport(
        file=path.name,
        dataset=opened.dataset,
        new=result.new,
        changed=result.changed,
        unchanged=result.unchanged,
        rejected=result.rejected,
        quarantine=_quarantine(store, path, result, reading, "error"),
        ignored=opened.columns(lambda layout: layout.ignored),
        absent=opened.columns(
            lambda layout: (
                c.name
                for c in layout.absent
                if c.name not in {*mapping.defaults, *(layout.filled if layout.form else ())}
            )
        ),
        warned=result.warned,
        warnings=_quarantine(store, path, result, reading, "warning"),
        held=result.held,
        columns=result.columns,
        file_id=None if reading.check else result.file_id,
        noted=result.noted,
        sheets=opened.sheets,
        mend=_mend(store, path, matcher, result, reading, hold),
        vocabulary=matcher.vocabulary.id,
        forms=opened.forms,
        doubted=opened.columns(lambda layout: layout.doubted),
        read_as=opened.columns(
            lambda layout: ((item.header, item.column.title) for item in layout.found if item.header)
        ),
        orphans=result.orphans,
        moved=result.moved,
    )


def _of_sender(reading: Reading, vocabulary: Vocabulary) -> FileMapping:
    """The mapping, by which a row that does not say whose it is is the sender's."""
    mapping, table = reading.mapping, vocabulary.records
    if reading.authority is None or table is None or AUTHORITY not in table.columns:
        return mapping
    return replace(mapping, defaults={AUTHORITY: reading.authority, **mapping.defaults})


def _bounded(
    path: Path, vocabulary: Vocabulary, opened: _Opened, reading: Reading
) -> Sequence[tuple[Sheet, Layout]]:
    """The tables of a file that this reader may bring, which fail once they have too many rows.

    :raises IngestError: where an office brings anything but records, or those that are no office's.
    """
    if reading.authority is not None and opened.dataset != "record":
        reason = Title("各单位只报送记录,主体由信用中心导入", "an office sends records alone, no subjects")
        raise IngestError(
            path.name,
            reason,
            Title("请改报记录,或交信用中心导入", "records, or have the credit centre take it"),
        )
    if reading.authority is not None and AUTHORITY not in opened.tables[0][1].table.columns:
        hint = Title("请交信用中心导入", "have the credit centre take it")
        raise IngestError(path.name, no_office_sends(vocabulary), hint)
    if reading.most_rows is None:
        return opened.tables
    numbers = count(1)
    return [
        (replace(sheet, rows=_counted(path, sheet.rows, layout.row, numbers, reading.most_rows)), layout)
        for sheet, layout in opened.tables
    ]


def _counted(
    path: Path, rows: Iterable[Row], headers: int, numbers: Iterator[int], most: int
) -> Iterator[Row]:
    """The rows of a sheet; those below its headers are counted with those of the file's other sheets."""
    for row in rows:
        if row[0] > headers and next(numbers) > most:
            reason = Title(f"超过{most:,}行", f"more than {most:,} rows")
            hint = Title(
                "请拆分后分次报送,或请系统管理员用命令行导入",
                "send it in parts, or have the operator take it",
            )
            raise IngestError(path.name, reason, hint)
        yield row


@contextmanager
def blocks_of(
    path: Path, matcher: HeaderMatcher, day: dt.date | None = None
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], Iterator[tuple[str | None, Block]]]]:
    """A file's rows as :func:`ingest_file` reads them, for those who keep them elsewhere.

    :param day: on which they come, for the check of dates ahead; by default today.
    :return: headers that name no column; what else a reader should know, sheets that are not read and
        headers that are doubted; and each block of rows with its sheet. No subject is looked up.
    :raises IngestError: where the file can't be read as a table of the matcher's vocabulary, or lacks a
        column that every row needs.
    """
    with _readable(path), _opened(path, matcher) as opened:
        for _, layout in opened.tables:
            if layout.lacking is not None:
                raise layout.lacking
        blocks = (
            (sheet.name, block)
            for sheet, layout in opened.tables
            for block in RowReader(layout, matcher, sheet.epoch, day=day).blocks(sheet)
        )
        notes = [str(sheet) for sheet in opened.sheets if sheet.state != "read"]
        notes += opened.columns(lambda layout: layout.doubted)
        yield opened.columns(lambda layout: layout.ignored), tuple(notes), blocks


def key_headers(path: Path, matcher: HeaderMatcher) -> Mapping[str | None, str]:
    """What the column of keys is called in each sheet of a file that is read."""
    with _opened(path, matcher) as opened:
        return {sheet.name: layout.header(layout.table.key) for sheet, layout in opened.tables}


@dataclass(frozen=True, slots=True)
class _Opened:
    """The tables of a file, all of one dataset, and what its other sheets are."""

    tables: tuple[tuple[Sheet, Layout], ...]
    sheets: tuple[SheetReport, ...]

    @property
    def dataset(self) -> Dataset:
        return self.tables[0][1].dataset

    @property
    def forms(self) -> tuple[Title, ...]:
        """The official forms that the tables are of."""
        return tuple(dict.fromkeys(layout.form.title for _, layout in self.tables if layout.form))

    def columns(self, names: Callable[[Layout], Iterable[_Said]]) -> tuple[_Said, ...]:
        """What is said of any table, in its order."""
        return tuple(dict.fromkeys(name for _, layout in self.tables for name in names(layout)))


def _take(
    store: Store,
    matcher: HeaderMatcher,
    tables: Sequence[tuple[Sheet, Layout]],
    info: FileInfo,
    progress: Progress,
    reading: Reading,
    hold: Callable[[], None],
) -> IngestResult:
    layout = tables[0][1]
    header = layout.header(matcher.required(layout.dataset)[0])
    with closing(Waiting()) as noted:
        rows = chain.from_iterable(_rows(store, matcher, *table, noted, reading) for table in tables)
        batches = _batches(rows, lambda: progress(*_progress(tables)), hold)
        arrow = pa.RecordBatchReader.from_batches(_SCHEMA, batches)
        vocabulary, dataset = matcher.vocabulary, layout.dataset
        checks = [_under_headers(check, tables) for check in _checks(vocabulary, dataset, reading)]
        identity = identity_of(store)
        is_of_records = dataset == "record"
        handling = Handling(
            header=layout.header,
            same_body=same_body(identity),
            key_column=header,
            checks=checks,
            judge=merge_check(
                row_check(layout.table, today()),
                layout.header,
                vocabulary,
                layout.table,
                same_body(identity),
                layout.number,
            ),
            twins=likeness(vocabulary, identity),
            confirming=Confirming(vocabulary, layout.header, reading.by or info.name)
            if is_of_records
            else None,
            feeding=feeding_of(vocabulary, reading.authority) if is_of_records else None,
            follow=take_results if vocabulary.id == RESULTS else tell_once,
            log=reading.log,
        )
        return ingest_rows(store, vocabulary.id, dataset, arrow, info, noted, handling, reading.check)


def _checks(vocabulary: Vocabulary, dataset: Dataset, reading: Reading) -> Iterator[Check]:
    """What else may keep rows out: of bodies and results of visits, and of an office's own records."""
    if dataset == "subject" and vocabulary.id in _CHECKS:
        yield _CHECKS[vocabulary.id]
    if dataset == "record" and reading.authority is not None:
        yield own_alone(reading.authority)


def _under_headers(check: Check, tables: Sequence[tuple[Sheet, Layout]]) -> Check:
    """A check whose faults name the headers of the file, each sheet's own."""
    layouts = {sheet.name: layout for sheet, layout in tables}

    def under_headers(session: Session, rows: Sequence[Staged]) -> Iterator[Rejected]:
        for fault in check(session, rows):
            layout = layouts[fault.sheet]
            is_named = fault.column in layout.table.columns
            yield replace(fault, column=layout.header(str(fault.column))) if is_named else fault

    return under_headers


_CHECKS = {BODIES: claimed_twice, RESULTS: check_rows}


def _rows(
    store: Store, matcher: HeaderMatcher, sheet: Sheet, layout: Layout, noted: Waiting, reading: Reading
) -> Iterator[_StagedRow]:
    """The rows to take; the faults of the others, and what is odd about these, are laid aside."""
    read = RowReader(layout, matcher, sheet.epoch, reading.replace).rows(sheet)
    placed = place(
        store.reading, matcher.vocabulary, layout.dataset, _known_or_whole(store, matcher, layout, read)
    )
    for row in doubt(store.reading, matcher.vocabulary, layout.table, placed, layout.header):
        match row:
            case BadRow(_, notes) | OddRow(_, notes):
                noted.add(replace(note, sheet=sheet.name) for note in notes)
            case ShortRow((number, key, subject, data, _), lacks):
                yield number, key, subject, data, sheet.name, as_lacks(lacks)
            case (number, key, subject, data, _):
                yield number, key, subject, data, sheet.name, None


def _known_or_whole(
    store: Store, matcher: HeaderMatcher, layout: Layout, rows: Iterator[AnyRow]
) -> Iterator[AnyRow]:
    """The rows. A table without a column that new rows need must speak of what is known.

    :raises IngestError: where none of its first rows does: the column may be one whose header was not known.
    """
    if layout.lacking is None:
        return rows
    first = list(islice(rows, BATCH_ROWS))
    short = [row.row[1] for row in first if isinstance(row, ShortRow)]
    bad = [row.key for row in first if isinstance(row, BadRow) and row.key is not None]
    if not any_known(store, matcher.vocabulary, layout.dataset, short + bad):
        raise layout.lacking
    return chain(first, rows)


def _progress(tables: Sequence[tuple[Sheet, Layout]]) -> tuple[int, int]:
    return sum(sheet.position() for sheet, _ in tables), sum(sheet.size() for sheet, _ in tables)


def _batches(
    rows: Iterator[_StagedRow], read: Callable[[], None], end: Callable[[], None]
) -> Iterator[pa.RecordBatch]:
    while some := list(islice(rows, BATCH_ROWS)):
        read()
        columns = zip(*some, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)
    end()


@contextmanager
def _opened(path: Path, matcher: HeaderMatcher) -> Iterator[_Opened]:
    mapping = matcher.mapping
    with open_sheets(path, matcher.score, matcher.head_rows, mapping.encoding) as found:
        sheets = [_without_person(number, sheet) for number, sheet in enumerate(found, start=1)]
        asked = named(path, sheets, mapping.sheet) if mapping.sheet else visible(sheets)
        seen = [_seen(path, matcher, sheet, sheet in asked) for sheet in sheets]
        tables = tuple(table for table, _ in seen if isinstance(table, tuple))
        reports = tuple(report for _, report in seen)
        if not tables:
            raise _no_table(path, [why for why, _ in seen if isinstance(why, NoTableError)], reports)
        if len({layout.dataset for _, layout in tables}) > 1:
            raise _two_tables(path, tables)
        yield _Opened(tables, reports if tables[0][0].name is not None else ())


def _without_person(number: int, sheet: Sheet) -> Sheet:
    """The sheet, by its place where its name holds a natural person's number."""
    return replace(sheet, name=f"［名称不予保存］{number}") if has_surely(sheet.name or "") else sheet


def _seen(
    path: Path, matcher: HeaderMatcher, sheet: Sheet, is_asked: bool
) -> tuple[tuple[Sheet, Layout] | NoTableError | None, SheetReport]:
    """A sheet with its layout, or why it has none."""
    name = sheet.name or ""
    if not is_asked:
        states: tuple[tuple[bool, SheetState], ...] = (
            (sheet.is_hidden, "hidden"),
            (not sheet.is_table, "not a table"),
        )
        return None, SheetReport(name, next((state for met, state in states if met), "not asked for"))
    head = list(islice(sheet.rows, matcher.head_rows))
    if sheet.name and all(not isinstance(cells, Fault) and is_blank(cells) for _, cells in head):
        return None, SheetReport(name, "empty")
    try:
        layout = matcher.layout(head, f"{path.name} {name}".strip())
    except NoTableError as error:
        return error, SheetReport(name, "not a table", str(error.reason))
    return (replace(sheet, rows=chain(head, sheet.rows)), layout), SheetReport(name, "read")


def _no_table(path: Path, errors: Sequence[NoTableError], reports: Sequence[SheetReport]) -> IngestError:
    """Why no sheet of a file is a table."""
    if len(reports) == 1 and errors:
        return IngestError(path.name, errors[0].reason, errors[0].hint, errors[0].option)
    shown = "; ".join(map(str, reports))
    reason = Title("没有一张工作表是数据表", f"no sheet is a table: {shown}")
    hints = dict.fromkeys(error.hint for error in errors) or (
        Title("第一行应为表头", "headers in the first row"),
    )
    hint = Title("; ".join(hint.zh for hint in hints), "; ".join(hint.en for hint in hints))
    return IngestError(path.name, reason, hint)


def _two_tables(path: Path, tables: Sequence[tuple[Sheet, Layout]]) -> IngestError:
    shown = ", ".join(f"{sheet.name}: {TITLES[layout.dataset]}" for sheet, layout in tables)
    reason = Title("工作表中既有主体又有记录", f"sheets of subjects and of records: {shown}")
    return IngestError(
        path.name,
        reason,
        Title("请按主体、记录分两次导入", "take it in twice, as subjects and as records"),
        "--table subject, --table record",
    )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Says what keeps a file from being read."""
    try:
        if path.is_dir():
            reason = Title("这是目录,不是文件", "a directory, not a file")
            raise IngestError(str(path), reason, Title("请指定文件", "name the files in it"))
        if path.exists() and not path.is_file():
            reason = Title("不是普通文件", "not a regular file")
            raise IngestError(str(path), reason, Title("请指定CSV或XLSX文件", "a CSV or XLSX file"))
        yield
    except FileNotFoundError:
        reason = Title("文件不存在", "no such file")
        raise IngestError(str(path), reason, Title("请核对路径", "check the path")) from None
    except PermissionError:
        reason = Title("没有读取权限", "no permission to read it")
        raise IngestError(str(path), reason, Title("请开放读取权限", "let this user read it")) from None


def _holder(path: Path) -> Callable[[], None]:
    """A function that raises an :class:`IngestError` once the file is another than now: copied on, say."""

    def state() -> tuple[int, int]:
        found = path.stat()
        return found.st_size, found.st_mtime_ns

    def hold() -> None:
        if state() != first:
            reason = Title("文件在读取过程中有改动", "the file was changed while it was read")
            raise IngestError(
                path.name, reason, Title("请在文件完整后重新导入", "ingest it again once it is whole")
            )

    first = state()
    return hold


def _digest(path: Path, matcher: HeaderMatcher, replaces: bool) -> str:
    """SHA-256 of the file's bytes and of everything else that decides how it is read."""
    with path.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    mapping = replace(matcher.mapping, name="")
    reading = (READER, content, matcher.vocabulary, mapping, list(matcher.tables), replaces, matcher.forms)
    return hashlib.sha256(json.dumps(plain(reading)).encode()).hexdigest()


def _quarantine(
    store: Store, path: Path, result: IngestResult, reading: Reading, level: Level
) -> Path | None:
    if reading.check or not (result.rejected if level == "error" else result.warned):
        return None
    with _written(path, reading.quarantine, result.file_id):
        return write_quarantine(store, result.file_id, reading.quarantine, level)


def _mend(
    store: Store,
    path: Path,
    matcher: HeaderMatcher,
    result: IngestResult,
    reading: Reading,
    hold: Callable[[], None],
) -> Path | None:
    """The bad rows as they stood; they are read once more, for only now it is known which they are."""
    if reading.check or not result.rejected:
        return None
    with _written(path, reading.quarantine, result.file_id), _opened(path, matcher) as opened:
        hold()
        return write_bad_rows(store, result.file_id, opened.tables, reading.quarantine)


@contextmanager
def _written(path: Path, folder: Path, file_id: int) -> Iterator[None]:
    """Says what keeps the account of a file's bad rows from being written."""
    try:
        yield
    except OSError as error:
        why = system_title(error.strerror)
        raise AccountError(
            path.name,
            Title(
                f"数据已入库,但隔离文件无法写入{folder}:{why.zh}",
                f"its rows are in the store, but the quarantine file can't be written: {why.en}",
            ),
            Title(
                "请指定可写目录后重新导入", "name a directory that can be written, and ingest the file again"
            ),
            file_id,
        ) from None


def _look(path: Path, given: Vocabulary | str | None, reading: Reading) -> Look:
    """A look at a file for the vocabulary that the mapping or the caller names, or the one it speaks.

    :raises IngestError: where there is none of that name.
    """
    mapping, dataset = reading.mapping, reading.dataset or reading.mapping.dataset
    named = mapping.vocabulary or given
    is_certain = bool(mapping.vocabulary) or isinstance(named, Vocabulary)
    vocabulary = _named(named, mapping) if isinstance(named, str) else named
    return Look(path, vocabulary, is_certain, mapping, dataset)


def table_named(vocabulary: str, dataset: Dataset) -> tuple[Table, tuple[str, ...]]:
    """A table of a shared vocabulary, and the columns that no file of it may lack.

    :raises IngestError: where there is no such vocabulary, or no such table in it.
    """
    matcher = HeaderMatcher(_named(vocabulary, NO_MAPPING), NO_MAPPING, dataset)
    return matcher.tables[dataset], matcher.required(dataset)


def _named(named: str, mapping: FileMapping) -> Vocabulary:
    try:
        return load_vocabulary(named)
    except UnknownPackError as error:
        hint = Title("请使用已有的词汇表", "one of the vocabularies named")
        raise IngestError(mapping.name or named, Title("没有这个词汇表", str(error)), hint) from None
    except PackError as error:
        hint = Title("请按提示改正", "see the places named")
        raise IngestError(named, Title("词汇表有误", str(error)), hint) from None


def _subjects_first(
    paths: Sequence[Path], vocabulary: Vocabulary | str | None, reading: Reading
) -> Sequence[tuple[Path, Callable[[], Look]]]:
    """The files in their order, each with its look, but for those of subjects, which come first; where it is
    said what all of them are, nobody looks before."""
    looks = [(path, cache(partial(_look, path, vocabulary, reading))) for path in paths]
    if len(paths) < 2 or reading.dataset or reading.mapping.dataset:
        return looks
    return sorted(looks, key=lambda look: not _is_of_subjects(*look))


def _is_of_subjects(path: Path, look: Callable[[], Look]) -> bool:
    """Whether a file is one of subjects; why it is none is said when it is taken."""
    try:
        with _readable(path):
            return look().dataset == "subject"
    except IngestError:
        return False


def _choose(paths: Iterable[Path]) -> tuple[list[Path], list[Path], list[IngestError]]:
    """Files as they are named; of a directory the tables under it, and apart from them what is none.

    Links to other directories are not followed, for they may lead in a circle; hidden ones are passed over.
    Directories that can't be listed are failures, for nobody knows what they hold; so are those without any
    table, for somebody meant some.
    """
    chosen: list[Path] = []
    skipped: list[Path] = []
    failures: list[IngestError] = []
    for path in paths:
        if not path.is_dir():
            chosen.append(path)
            continue
        listed = len(failures)
        inside = sorted(_inside(path, failures))
        tables = [file for file in inside if _is_table(file)]
        if not tables and len(failures) == listed:
            failures.append(_no_tables(path))
        chosen += tables
        skipped += [file for file in inside if not _is_table(file)]
    return chosen, skipped, failures


def _inside(path: Path, failures: list[IngestError]) -> Iterator[Path]:
    """What stands in a directory and its folders, and what of them is not looked into."""
    for folder, folders, files in os.walk(path, onerror=lambda error: failures.append(_not_listed(error))):
        closed = [name for name in folders if name.startswith(".") or Path(folder, name).is_symlink()]
        yield from (Path(folder, name) for name in (*closed, *files))
        folders[:] = [name for name in folders if name not in closed]


def _no_tables(path: Path) -> IngestError:
    looked_for = ", ".join(sorted(SUFFIXES))
    reason = Title("目录中没有表格文件", "no table in the directory")
    hint = Title("请核对目录;查找的扩展名如下", f"check the directory; looked for {looked_for}")
    return IngestError(str(path), reason, hint)


def _not_listed(error: OSError) -> IngestError:
    why = system_title(error.strerror)
    reason = Title(f"目录无法读取:{why.zh}", f"the directory can't be read: {why.en}")
    return IngestError(str(error.filename), reason, Title("请开放读取权限", "let this user read it"))


def _is_table(path: Path) -> bool:
    """Hidden files, the lock files of spreadsheets and accounts of files are no tables of an office."""
    own = path.name.startswith((".", "~$")) or is_account(path)
    return path.suffix.casefold() in SUFFIXES and not own and not path.is_dir()
