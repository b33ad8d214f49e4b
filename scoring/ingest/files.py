"""Files into the store: good rows as versions, bad rows into the quarantine, and a report of both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import pyarrow as pa

from rules.loader import load_vocabulary
from rules.model import Title, Vocabulary
from rules.problems import PackError, UnknownPackError
from scoring.ingest.errors import IngestError
from scoring.ingest.headers import HeaderMatcher, Layout
from scoring.ingest.mapping import NO_MAPPING, Dataset, FileMapping
from scoring.ingest.quarantine import Waiting, write_quarantine
from scoring.ingest.rows import BadRow, GoodRow, RowReader
from scoring.ingest.sheets import Sheet, open_sheet
from scoring.store import Store
from scoring.store.versions import FileInfo, IngestResult, ingest_rows

Progress = Callable[[int, int], None]
"""Told how much of a file is read and the whole (0: not known), in bytes or rows."""

BATCH_ROWS = 20_000
READER = "1"
"""Counts up where the same file would be read differently, so that it is read again."""

QUARANTINE = Path("work/quarantine")
SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm"})
_SCHEMA = pa.schema(
    [("key", pa.string()), ("subject_id", pa.string()), ("data", pa.string()), ("row_no", pa.int64())]
)


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of a file.

    :param new: rows of keys not known before.
    :param changed: rows that supersede what was known of their key.
    :param rejected: rows that stand in the quarantine.
    :param quarantine: the file that says why, where there are any.
    :param ignored: headers that name no column of the table; their cells are not in the store.
    :param absent: columns of the table that the file has not; they are unknown in its rows.
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
    """

    mapping: FileMapping = NO_MAPPING
    dataset: Dataset | None = None
    quarantine: Path = QUARANTINE


_DEFAULTS = Reading()


def ingest_paths(
    store: Store,
    paths: Iterable[Path],
    vocabulary: Vocabulary | str,
    reading: Reading = _DEFAULTS,
    progress: Callable[[Path], Progress] = lambda path: lambda done, whole: None,
) -> PathsReport:
    """Take files, and the tables among the files of directories; a file that fails doesn't stop the others.

    :param progress: gives the function to tell of each file's progress.
    :raises StoreError: where the database fails; files before the current one are kept.
    """
    chosen, skipped = _choose(paths)
    files, failures = [], []
    for path in chosen:
        try:
            files.append(ingest_file(store, path, vocabulary, reading, progress(path)))
        except IngestError as error:
            failures.append(error)
    return PathsReport(tuple(files), tuple(failures), tuple(skipped))


def ingest_file(
    store: Store,
    path: Path,
    vocabulary: Vocabulary | str,
    reading: Reading = _DEFAULTS,
    progress: Progress = lambda done, whole: None,
) -> FileReport:
    """Take one file in one transaction: all of its good rows, or nothing where it can't be read.

    The same file, read in the same way, changes nothing when it comes again.

    :param vocabulary: of the file's subjects or records, or the name of a shared one.
    :raises IngestError: where the file can't be read as a table of the vocabulary.
    :raises StoreError: where the database fails; nothing of the file is kept then.
    """
    mapping = reading.mapping
    matcher = HeaderMatcher(_vocabulary(vocabulary, mapping), mapping, reading.dataset or mapping.dataset)
    with _readable(path):
        info = FileInfo(_digest(path, matcher), path.name)
        with _opened(path, matcher) as (sheet, layout):
            result = _take(store, matcher, sheet, layout, info, progress)
    return FileReport(
        file=path.name,
        dataset=layout.dataset,
        new=result.new,
        changed=result.changed,
        unchanged=result.unchanged,
        rejected=result.rejected,
        quarantine=_quarantine(store, path, result, reading.quarantine),
        ignored=layout.ignored,
        absent=tuple(c.name for c in layout.absent if c.name not in mapping.defaults),
    )


@contextmanager
def rows_of(path: Path, matcher: HeaderMatcher) -> Iterator[tuple[Layout, Iterator[GoodRow | BadRow]]]:
    """A file's layout and rows as :func:`ingest_file` reads them, for those who keep them elsewhere.

    :raises IngestError: where the file can't be read as a table of the matcher's vocabulary.
    """
    with _readable(path), _opened(path, matcher) as (sheet, layout):
        yield layout, RowReader(layout, matcher, sheet.epoch).rows(sheet)


def _take(
    store: Store, matcher: HeaderMatcher, sheet: Sheet, layout: Layout, info: FileInfo, progress: Progress
) -> IngestResult:
    reader = RowReader(layout, matcher, sheet.epoch)
    key = matcher.required(layout.dataset)[0]
    header = next((found.header for found in layout.found if found.column.name == key), key)
    with closing(Waiting()) as rejected:
        rows = _good_rows(reader.rows(sheet), rejected)
        batches = _batches(rows, lambda: progress(sheet.position(), sheet.size))
        arrow = pa.RecordBatchReader.from_batches(_SCHEMA, batches)
        return ingest_rows(store, matcher.vocabulary.id, layout.dataset, arrow, info, rejected, header)


def _good_rows(rows: Iterable[GoodRow | BadRow], rejected: Waiting) -> Iterator[GoodRow]:
    """The good rows; the problems of the others are laid aside."""
    for row in rows:
        if isinstance(row, BadRow):
            rejected.add(row.problems)
        else:
            yield row


def _batches(rows: Iterator[GoodRow], read: Callable[[], None]) -> Iterator[pa.RecordBatch]:
    while some := list(islice(rows, BATCH_ROWS)):
        numbers, keys, subjects, documents = zip(*some, strict=True)
        read()
        columns = (keys, subjects, documents, numbers)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)


@contextmanager
def _opened(path: Path, matcher: HeaderMatcher) -> Iterator[tuple[Sheet, Layout]]:
    mapping = matcher.mapping
    with open_sheet(path, matcher.score, matcher.head_rows, mapping.encoding, mapping.sheet) as sheet:
        head = list(islice(sheet.rows, matcher.head_rows))
        layout = matcher.layout(head, path.name)
        yield replace(sheet, rows=chain(head, sheet.rows)), layout


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


def _digest(path: Path, matcher: HeaderMatcher) -> str:
    """SHA-256 of the file's bytes and of everything else that decides how it is read."""
    with path.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    reading = (READER, content, matcher.vocabulary, replace(matcher.mapping, name=""), list(matcher.tables))
    return hashlib.sha256(repr(reading).encode("utf-8", "backslashreplace")).hexdigest()


def _quarantine(store: Store, path: Path, result: IngestResult, folder: Path) -> Path | None:
    if not result.rejected:
        return None
    try:
        return write_quarantine(store, result.file_id, folder)
    except OSError as error:
        raise IngestError(
            path.name,
            Title(
                f"数据已入库,但隔离文件无法写入{folder}",
                f"its rows are in the store, but the quarantine file can't be written: {error.strerror}",
            ),
            Title(
                "请指定可写目录后重新导入", "name a directory that can be written, and ingest the file again"
            ),
        ) from None


def _vocabulary(given: Vocabulary | str, mapping: FileMapping) -> Vocabulary:
    named = mapping.vocabulary or given
    if isinstance(named, Vocabulary):
        return named
    try:
        return load_vocabulary(named)
    except UnknownPackError as error:
        hint = Title("请使用已有的词汇表", "one of the vocabularies named")
        raise IngestError(mapping.name or named, Title("没有这个词汇表", str(error)), hint) from None
    except PackError as error:
        hint = Title("请按提示改正", "see the places named")
        raise IngestError(named, Title("词汇表有误", str(error)), hint) from None


def _choose(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Files as they are named; of a directory the tables under it, and apart from them what is none."""
    chosen, skipped = [], []
    for path in paths:
        if not path.is_dir():
            chosen.append(path)
            continue
        inside = sorted(file for file in path.rglob("*") if file.is_file())
        chosen += [file for file in inside if _is_table(file)]
        skipped += [file for file in inside if not _is_table(file)]
    return chosen, skipped


def _is_table(path: Path) -> bool:
    """Hidden files, the lock files of spreadsheets and quarantine files are no tables of an office."""
    own = path.name.startswith((".", "~$")) or path.name.endswith(".quarantine.csv")
    return path.suffix.casefold() in SUFFIXES and not own
