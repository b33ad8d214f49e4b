"""Scoring from file to file: CSV, XLSX or Parquet in, CSV or Parquet out, no database.

A file is read as ``xinheng ingest`` reads it. A row with a value that its column can't hold exactly is set
aside with the reason; the rest is graded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from openpyxl.utils.datetime import WINDOWS_EPOCH

from rules.fault import UnknownPackError
from rules.identity import identity
from rules.language.expressions import literal
from rules.library.loader import in_force
from rules.model import Pack, Table, Title, Vocabulary
from rules.plan import rows_in_force
from scoring.characters.formulas import inert_sql
from scoring.characters.visible import one_line
from scoring.facts.ingest.cells import JsonValue
from scoring.facts.ingest.errors import Fault, IngestError
from scoring.facts.ingest.files import blocks_of
from scoring.facts.ingest.headers import HeaderMatcher
from scoring.facts.ingest.mapping import NO_MAPPING, Dataset
from scoring.facts.ingest.rows import Block, RowReader, faults_of
from scoring.facts.ingest.sheets import Sheet
from scoring.judging.engine import grade
from scoring.judging.sql import quoted, sql_type
from scoring.store.workspace import workspace

WRITERS = {".csv": "(format csv, header)", ".parquet": "(format parquet)"}
_OPEN_FILES = "/dev/fd/"
_NESTED = ("struct", "map", "union", "blob")


class FileError(Exception):
    """A file that can't be scored from, or to; the message says which, why, and what would be right."""

    def __init__(self, message: str) -> None:
        said, mark, right = message.partition("\n    right: ")
        super().__init__(one_line(said) + mark + right)


@dataclass(frozen=True, slots=True)
class FileRun:
    """What a run from file to file did.

    :param orphans: records of subjects that the file of subjects does not have; they count for nobody.
    :param tiers: tier → how many subjects have it.
    :param rejected: how many values were set aside, with their rows.
    :param ignored: for each file that has columns that the vocabulary has not, which.
    :param written: the files written.
    """

    pack: Pack
    pack_hash: str
    as_of: dt.date
    subjects: int
    records: int
    orphans: int
    hits: int
    tiers: dict[str, int]
    rejected: int
    ignored: tuple[str, ...]
    written: tuple[Path, ...]


def score_files(
    pack: Pack,
    as_of: dt.date,
    subjects: Path,
    records: Path | None,
    out: Path,
    memory_limit: str | None = None,
) -> FileRun:
    """Grades the subjects of a file and writes scores, hits and dimension scores: all of the files or none.

    :param out: the file of scores, ``.csv`` or ``.parquet``; hits and dimension scores go beside it, as
        ``NAME.hits.csv`` and ``NAME.dimensions.csv``, and what was set aside as ``NAME.rejected.csv``. Points
        in the files are decimal points, not hundredths. ``unmatched`` of a score names the tables in force
        of which no row matched the subject.
    :param memory_limit: what DuckDB may use before it spills (:func:`scoring.store.workspace.workspace`).
    :raises UnknownPackError: where the pack is not in force on the day.
    :raises FileError: on a file that can't be read or written.
    :raises StoreError: where memory and disk do not suffice.

    >>> from pathlib import Path
    >>> from fixtures.small import AS_OF, small_files
    >>> from rules.library.loader import find_pack
    >>> register, records = small_files()
    >>> found = score_files(find_pack("tourism-credit", AS_OF), AS_OF, register, records, Path("scores.csv"))
    >>> lines = Path("scores.csv").read_text(encoding="utf-8-sig").splitlines()
    >>> [line.split(",")[:3] for line in lines[1:]]
    [['92500159MA4TP7FD8M', '79.50', 'B'], ['92500159MALQ20RD87', '67.00', 'C']]
    """
    if not in_force(pack, as_of):
        span = f"from {pack.in_force_from} until {pack.in_force_until or 'further notice'}"
        en = f"{pack.id} {pack.version} is not in force on {as_of}: it is {span}"
        raise UnknownPackError(Title(f"{pack.id} {pack.version}在{as_of}不生效", en))
    _check_out(out, subjects, records)
    with workspace(memory_limit) as connection:
        ignored = open_files(connection, pack.vocabulary, subjects, records)
        grade(connection, pack, as_of, records="records" if pack.vocabulary.records else None)
        return _summary(connection, pack, as_of, ignored, _write(connection, out, rows_in_force(pack, as_of)))


# Reading


def open_files(
    connection: duckdb.DuckDBPyConnection, vocabulary: Vocabulary, subjects: Path, records: Path | None
) -> tuple[str, ...]:
    """Creates the tables ``subjects``, ``records`` and ``rejected`` (file, sheet, row_no,
    column_name, value, reason).

    Headers and values are read as ``xinheng ingest`` reads them.

    :param records: None for a population without records, or one that has none yet.
    :return: for each file that has columns that the vocabulary has not, which.
    :raises FileError: on a file that is missing, unreadable or without a column that is needed.
    """
    connection.execute(
        "create or replace temp table rejected"
        " (file varchar, sheet varchar, row_no bigint, column_name varchar, value varchar, reason varchar)"
    )
    ignored = _read(connection, vocabulary, "subject", subjects)
    if vocabulary.records is None:
        if records is not None:
            raise FileError(f"{records}: the vocabulary {vocabulary.id} has no records; leave out --records")
        return ignored
    if records is None:
        columns = ", ".join(f"{quoted(n)} {sql_type(c.type)}" for n, c in vocabulary.records.columns.items())
        connection.execute(f"create or replace temp table records ({columns})")
        return ignored
    return ignored + _read(connection, vocabulary, "record", records)


def _read(
    connection: duckdb.DuckDBPyConnection, vocabulary: Vocabulary, dataset: Dataset, path: Path
) -> tuple[str, ...]:
    """A file as a table: what can't be read is set aside, the rest is kept."""
    matcher = HeaderMatcher(vocabulary, NO_MAPPING, dataset)
    table, name = matcher.tables[dataset], f"{dataset}s"
    with _reading(path):
        opened = _parquet(connection, matcher, path) if _is_parquet(path) else blocks_of(path, matcher)
        with opened as (ignored, blocks):
            _fill(connection, table, path, blocks)
    key = quoted(table.key)
    twice = f"{key} in (select {key} from raw group by {key} having count(*) > 1)"
    doubles = f"row_number() over (partition by {key} order by _block, _row) > 1"
    _set_aside(connection, path, table.key, key, _TWICE, f"from raw where {twice} qualify {doubles}")
    columns = ", ".join(map(quoted, table.columns))
    connection.execute(
        f"create or replace temp table {name} as select {columns} from raw where not {_noted(path)}"
    )
    connection.execute("drop table raw")
    return (f"{path}: {', '.join(ignored)}",) if ignored else ()


def _fill(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    path: Path,
    blocks: Iterator[tuple[str | None, Block]],
) -> None:
    """The good rows to a new table ``raw``, with their places; what is wrong with others to ``rejected``."""
    kinds = {name: sql_type(column.type) for name, column in table.columns.items()} | _PLACE
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds.items())
    connection.execute(f"create or replace temp table raw ({columns})")
    numbered = ((number, sheet, block) for number, (sheet, block) in enumerate(blocks))
    while some := list(islice(numbered, _BLOCKS_AT_ONCE)):
        good = [[value for *_, block in some for value in _said(block, name)] for name in table.columns]
        places = (
            [number for number, _, block in some for _ in block.numbers],
            [sheet for _, sheet, block in some for _ in block.numbers],
            [row for *_, block in some for row in block.numbers],
        )
        _append(connection, "raw", list(kinds), [*good, *places])
        bad = [
            (str(path), sheet, fault.row_no, fault.column, fault.value, fault.reason)
            for _, sheet, block in some
            for row in block.others
            for fault in faults_of(row)
        ]
        _append(connection, "rejected", _REJECTED, list(zip(*bad, strict=True)))


def _said(block: Block, name: str) -> Iterable[JsonValue]:
    """What the good rows say in a column; nothing where the file has it not."""
    return block.columns.get(name) or repeat(None, len(block.numbers))


_BLOCKS_AT_ONCE = 80
_PLACE = {"_block": "bigint", "_sheet": "varchar", "_row": "bigint"}
_REJECTED = ("file", "sheet", "row_no", "column_name", "value", "reason")

_TWICE = Fault(
    Title("主键与前面的行重复", "the key stands in an earlier row"), Title("每个主键一行", "one row a key")
)


def _noted(path: Path) -> str:
    """Whether a row is set aside already, as SQL."""
    return (
        f"exists (select 1 from rejected r where r.file = {literal(str(path))}"
        " and r.sheet is not distinct from _sheet and r.row_no = _row)"
    )


def _set_aside(
    connection: duckdb.DuckDBPyConnection, path: Path, column: str, value: str, reason: Fault, rows: str
) -> None:
    """Notes rows of the table ``raw`` that are not noted yet."""
    connection.execute(
        f"insert into rejected select {literal(str(path))}, _sheet, _row, {literal(column)},"
        f" cast({value} as varchar), {literal(str(reason))}"
        f" from (select * {rows}) where not {_noted(path)}"
    )


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What keeps a file from being read, under the name by which it was given."""
    try:
        yield
    except IngestError as error:
        raise FileError(f"{path}: {error.reason}\n    right: {error.hint}") from None
    except (duckdb.InvalidInputException, duckdb.SerializationException, duckdb.IOException) as error:
        if isinstance(error, duckdb.IOException) and _OPEN_FILES not in str(error):
            raise
        raise FileError(f"{path}: this is no Parquet file, or a damaged one ({_reason(error)})") from None
    except OSError as error:
        raise FileError(f"{path}: can't be read: {error.strerror}") from None


def _append(
    connection: duckdb.DuckDBPyConnection, table: str, names: Sequence[str], columns: Sequence[Sequence[Any]]
) -> None:
    if columns and columns[-1]:
        connection.from_arrow(pa.table(list(map(pa.array, columns)), list(names))).insert_into(table)


# Parquet: DuckDB unpacks the cells, and ingest reads them


def _is_parquet(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"PAR1" or path.suffix.lower() == ".parquet"


@contextmanager
def _parquet(
    connection: duckdb.DuckDBPyConnection, matcher: HeaderMatcher, path: Path
) -> Iterator[tuple[tuple[str, ...], Iterator[tuple[str | None, Block]]]]:
    """As :func:`blocks_of`, of a file that is opened here: no name is taken for a pattern."""
    with path.open("rb") as file, connection.cursor() as cursor:
        source = f"read_parquet('{_OPEN_FILES}{file.fileno()}', hive_partitioning = false)"
        described = [
            (str(row[0]), str(row[1]).lower()) for row in cursor.execute(f"describe from {source}").fetchall()
        ]
        layout = matcher.layout([(0, [name for name, _ in described])], path.name)
        if layout.lacking is not None:
            raise layout.lacking
        for found in layout.found:
            _require_plain(path, *described[found.position])
        texts = ", ".join(f"cast({quoted(name)} as varchar)" for name, _ in described)
        cursor.execute("set preserve_insertion_order = true")  # the rows are numbered as they stand
        cursor.execute(f"select {texts} from {source}")
        rows = enumerate(chain.from_iterable(iter(lambda: cursor.fetchmany(_ROWS_AT_ONCE), [])), start=1)
        sheet = Sheet(rows, False, WINDOWS_EPOCH, size=lambda: 0, position=lambda: 0)
        yield (
            layout.ignored,
            ((None, block) for block in RowReader(layout, matcher, sheet.epoch).blocks(sheet)),
        )
        cursor.execute("set preserve_insertion_order = false")


_ROWS_AT_ONCE = 250


def _require_plain(path: Path, name: str, kind: str) -> None:
    if kind.startswith(_NESTED) or kind.endswith("]"):
        raise FileError(f"{path}: the column {name} holds {kind}; plain values are needed")


# Writing


def _outputs(out: Path) -> dict[str, Path]:
    return {
        "scores": out,
        "hits": out.with_suffix(f".hits{out.suffix}"),
        "dimensions": out.with_suffix(f".dimensions{out.suffix}"),
        "rejected": out.with_suffix(".rejected.csv"),
    }


def _check_out(out: Path, *inputs: Path | None) -> None:
    if out.suffix.lower() not in WRITERS:
        raise FileError(f"{out}: results are written as .csv or .parquet")
    if not out.parent.is_dir():
        raise FileError(f"{out}: there is no folder {out.parent}")
    taken = {path.resolve() for path in inputs if path is not None}
    for path in _outputs(out).values():
        if path.is_dir():
            raise FileError(f"{path}: this is a folder; results need a file")
        if path.resolve() in taken:
            raise FileError(
                f"{path}: the results would overwrite what they are made from; name another --out"
            )


def _write(connection: duckdb.DuckDBPyConnection, out: Path, tables: Mapping[str, str]) -> tuple[Path, ...]:
    """Writes every file under another name, then gives all of them theirs.

    :param tables: rule → table, for the rows of tables in force.
    """
    connection.execute("create or replace temp table rows_of_tables (rule varchar, tbl varchar)")
    _append(connection, "rows_of_tables", ("rule", "tbl"), list(zip(*tables.items(), strict=True)))
    paths = _outputs(out)
    queries = {
        paths["scores"]: (_in_points(_with_unmatched(tables.values()), "score"), "subject_id"),
        paths["hits"]: (_in_points("hits", "points_before", "points"), "subject_id, rule, record_id"),
        paths["dimensions"]: (
            _in_points("dimension_scores", "points_before", "points"),
            "subject_id, dimension",
        ),
    }
    if _count(connection, "rejected"):
        queries[paths["rejected"]] = ("from rejected", "file, sheet, row_no, column_name")
    partial = {path: path.with_name(f".{path.name}.partial") for path in queries}
    try:
        for path, (query, order) in queries.items():
            shown = _inert(connection, query) if path.suffix.lower() == ".csv" else query
            _copy(connection, f"{shown} order by {order}", path, partial[path])
        for path in queries:
            partial[path].replace(path)
        if paths["rejected"] not in queries:
            paths["rejected"].unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"{out}: can't be written: {error.strerror}") from None
    finally:
        for path in partial.values():
            path.unlink(missing_ok=True)
    return tuple(queries)


def _inert(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The query with texts that no spreadsheet runs."""
    columns = connection.execute(f"describe {query}").fetchall()
    texts = [quoted(name) for name, kind, *_ in columns if kind == "VARCHAR"]
    replaced = ", ".join(f"{inert_sql(name)} as {name}" for name in texts)
    return f"select * replace ({replaced}) from ({query})" if texts else query


def _with_unmatched(tables: Iterable[str]) -> str:
    """The scores with the tables of which no row matched the subject, separated by spaces."""
    listed = f"[{', '.join(map(literal, sorted(set(tables))))}]::varchar[]"
    return (
        "(select s.*, array_to_string(list_filter("
        f"{listed}, lambda name: not list_contains(coalesce(matched, []), name)), ' ') as unmatched"
        " from scores s left join (select subject_id, list(distinct tbl) as matched"
        " from hits join rows_of_tables using (rule) group by subject_id) using (subject_id))"
    )


def _in_points(table: str, *columns: str) -> str:
    replaced = ", ".join(f"cast({name} as decimal(18, 0)) * 0.01 as {name}" for name in columns)
    return f"select * replace ({replaced}) from {table}"


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path, partial: Path) -> None:
    try:
        target = literal(str(partial.absolute()))
        connection.execute(f"copy ({query}) to {target} {WRITERS[path.suffix.lower()]}")
    except duckdb.IOException as error:
        if partial.name not in str(error):
            raise
        raise FileError(f"{path}: can't be written: {_reason(error)}") from None


def _summary(
    connection: duckdb.DuckDBPyConnection,
    pack: Pack,
    as_of: dt.date,
    ignored: tuple[str, ...],
    written: tuple[Path, ...],
) -> FileRun:
    found = dict(connection.execute("select tier, count(*) from scores group by tier").fetchall())
    has_records = pack.vocabulary.records is not None
    return FileRun(
        pack=pack,
        pack_hash=identity(pack),
        as_of=as_of,
        subjects=_count(connection, "subjects"),
        records=_count(connection, "records") if has_records else 0,
        orphans=_count(connection, _orphans(pack.vocabulary)) if has_records else 0,
        hits=_count(connection, "hits"),
        tiers={tier: found.get(tier, 0) for tier in pack.tiers},
        rejected=_count(connection, "rejected"),
        ignored=ignored,
        written=written,
    )


def _orphans(vocabulary: Vocabulary) -> str:
    link, key = quoted(vocabulary.record_subject), quoted(vocabulary.subject.key)
    return f"records r anti join subjects s on r.{link} = s.{key}"


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    row = connection.execute(f"select count(*) from {source}").fetchone()
    return int(row[0]) if row else 0


def _reason(error: Exception) -> str:
    """The system's reason at the end of DuckDB's sentence about a file."""
    return str(error).splitlines()[0].rpartition(": ")[2]
