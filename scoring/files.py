"""Scoring from file to file: CSV, XLSX or Parquet in, CSV or Parquet out, no database.

A file is read as ``xinheng ingest`` reads it. A row with a value that its column can't hold exactly is set
aside with the reason; the rest is graded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from rules.expressions import literal
from rules.identity import identity
from rules.loader import in_force
from rules.model import Column, Pack, Title, Vocabulary
from rules.plan import rows_in_force
from rules.problems import UnknownPackError
from scoring.engine import grade
from scoring.formulas import inert_sql
from scoring.ingest.cells import Convert, Reading, converter
from scoring.ingest.checks import lacks
from scoring.ingest.errors import Fault, IngestError
from scoring.ingest.files import BATCH_ROWS, rows_of
from scoring.ingest.headers import Found, HeaderMatcher
from scoring.ingest.mapping import NO_MAPPING, Dataset
from scoring.ingest.rows import problems_of
from scoring.sql import quoted, sql_type
from scoring.store.documents import typed_columns
from scoring.store.workspace import workspace

WRITERS = {".csv": "(format csv, header)", ".parquet": "(format parquet)"}
_OPEN_FILES = "/dev/fd/"
_NESTED = ("struct", "map", "union", "blob")


class FileError(Exception):
    """A file that can't be scored from, or to; the message says which, why, and what would be right."""


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
    """
    if not in_force(pack, as_of):
        span = f"from {pack.in_force_from} until {pack.in_force_until or 'further notice'}"
        raise UnknownPackError(f"{pack.id} {pack.version} is not in force on {as_of}: it is {span}")
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
    """A file as a table: its rows are numbered, what can't be read is set aside, the rest is kept."""
    matcher = HeaderMatcher(vocabulary, NO_MAPPING, dataset)
    with _reading(path):
        read = _read_parquet if _is_parquet(path) else _read_sheets
        ignored = read(connection, matcher, path)
    table, name = matcher.tables[dataset], f"{dataset}s"
    key = quoted(table.key)
    doubles = f"row_number() over (partition by {key} order by _order) > 1"
    _set_aside(
        connection, path, table.key, key, _TWICE, f"from raw where {key} is not null qualify {doubles}"
    )
    columns = ", ".join(map(quoted, table.columns))
    connection.execute(
        f"create or replace temp table {name} as select {columns} from raw where not {_noted(path)}"
    )
    connection.execute("drop table raw")
    return (f"{path}: {', '.join(ignored)}",) if ignored else ()


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


# CSV and workbooks


def _read_sheets(
    connection: duckdb.DuckDBPyConnection, matcher: HeaderMatcher, path: Path
) -> tuple[str, ...]:
    """The table ``raw`` from the rows that ingest reads.

    :return: headers of no column.
    """
    (table,) = matcher.tables.values()
    places = "_order bigint, _sheet varchar, _row bigint"
    connection.execute(f"create or replace temp table documents ({places}, data varchar)")
    with rows_of(path, matcher) as (ignored, rows):
        numbered = enumerate(rows)
        while some := list(islice(numbered, BATCH_ROWS)):
            good = [(n, sheet, row[0], row[3]) for n, (sheet, row) in some if isinstance(row, tuple)]
            bad = [(sheet, problem) for _, (sheet, row) in some for problem in problems_of(row)]
            _append(connection, "documents", ("_order", "_sheet", "_row", "data"), good)
            problems = [(str(path), sheet, p.row_no, p.column, p.value, p.reason) for sheet, p in bad]
            _append(connection, "rejected", _REJECTED, problems)
    connection.execute("drop table if exists raw")
    columns = [*typed_columns(table), *_PLACE]
    connection.table("documents").select(*columns).create("raw")
    connection.execute("drop table documents")
    return ignored


_PLACE = [duckdb.ColumnExpression(name) for name in ("_order", "_sheet", "_row")]
_REJECTED = ("file", "sheet", "row_no", "column_name", "value", "reason")


def _append(
    connection: duckdb.DuckDBPyConnection, table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    if rows:
        columns = zip(*rows, strict=True)
        arrow = pa.table([pa.array(column) for column in columns], list(names))
        connection.from_arrow(arrow).insert_into(table)


# Parquet: DuckDB reads the file, and ingest each value once that is not of its column's type


def _is_parquet(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"PAR1" or path.suffix.lower() == ".parquet"


def _read_parquet(
    connection: duckdb.DuckDBPyConnection, matcher: HeaderMatcher, path: Path
) -> tuple[str, ...]:
    """The table ``raw`` from a file that is opened here: no name is taken for a pattern."""
    with path.open("rb") as file:
        source = f"read_parquet('{_OPEN_FILES}{file.fileno()}', hive_partitioning = false)"
        described = [
            (str(row[0]), str(row[1]).lower())
            for row in connection.execute(f"describe from {source}").fetchall()
        ]
        layout = matcher.layout([(0, [name for name, _ in described])], path.name)
        if layout.lacking is not None:
            raise layout.lacking
        for found in layout.found:
            _require_plain(path, *described[found.position])
        found_columns = ", ".join(
            f"{quoted(described[found.position][0])} as {quoted(found.column.name)}" for found in layout.found
        )
        connection.execute("set preserve_insertion_order = true")  # the rows are numbered as they stand
        connection.execute(
            f"create or replace temp table given as select {found_columns}, row_number() over () as _row"
            f" from {source}"
        )
        connection.execute("set preserve_insertion_order = false")
    required = matcher.required(layout.dataset)
    columns = {
        found.column.name: _values(
            connection, path, found, described[found.position][1], found.column.name in required
        )
        for found in layout.found
    }
    values = ", ".join(
        f"{columns.get(name, 'null')}::{sql_type(column.type)} as {quoted(name)}"
        for name, column in layout.table.columns.items()
    )
    connection.execute(
        f"create or replace temp table raw as"
        f" select {values}, _row as _order, null::varchar as _sheet, _row from given"
    )
    connection.execute("drop table given")
    for kind, name, fault in lacks(layout.table):
        is_of_kind = f"{quoted(str(layout.table.kind))} = {literal(kind)} and " if kind else ""
        rows = f"from raw where {is_of_kind}{quoted(name)} is null"
        _set_aside(connection, path, layout.header(name), "''", fault, rows)
    return layout.ignored


def _require_plain(path: Path, name: str, kind: str) -> None:
    if kind.startswith(_NESTED) or kind.endswith("]"):
        raise FileError(f"{path}: the column {name} holds {kind}; plain values are needed")


def _values(
    connection: duckdb.DuckDBPyConnection, path: Path, found: Found, given: str, is_required: bool
) -> str:
    """A column's values, as SQL; rows whose value is none are set aside.

    What SQL proves to be right is taken as it stands; each other value is read once, as ingest reads it.
    """
    column, raw = found.column, f"nullif(trim(cast({quoted(found.column.name)} as varchar)), '')"
    own, proof = _proved(column, raw, given) if found.per == 1 else (raw, "false")
    read = converter(Reading(column, is_required, found.per))
    open_to_doubt = f"from given where {raw} is not null and not coalesce({proof}, false)"
    texts = [text for (text,) in connection.execute(f"select distinct {raw} {open_to_doubt}").fetchall()]
    table = f"read {column.name}"
    connection.execute(
        f"create or replace temp table {quoted(table)} (raw varchar, value varchar, why varchar)"
    )
    readings = [_reading_of(text, read) for text in (*texts, *([None] if is_required else []))]
    _append(connection, table, ("raw", "value", "why"), readings)
    connection.execute(
        f"insert into rejected select {literal(str(path))}, null, _row, {literal(found.header)},"
        " given.raw, why"
        f" from (select _row, {raw} as raw from given) given join {quoted(table)} read"
        " on given.raw is not distinct from read.raw where why is not null"
    )
    kind = sql_type(column.type)
    judged = f"(select value from {quoted(table)} read where read.raw = {raw})"
    return f"case when {proof} then cast({own} as {kind}) else cast({judged} as {kind}) end"


def _reading_of(text: str | None, read: Convert) -> tuple[str | None, str | None, str | None]:
    """A value as it stands, as it is read, and why it can't be."""
    value = read(text)
    if isinstance(value, Fault):
        return text, None, str(value)
    return text, None if value is None else str(value), None


def _proved(column: Column, raw: str, given: str) -> tuple[str, str]:
    """A column's value as SQL, and when it certainly is what ingest would make of it."""
    own = quoted(column.name)
    match column.declared:
        case "text" if column.values:
            return raw, f"{raw} in ({', '.join(literal(code) for code in column.values)})"
        case "text" if column.format == "uscc":
            return raw, f"regexp_full_match({raw}, '{_CODE}') and {_check_sign(raw)} = substr({raw}, 18, 1)"
        case "text":
            return raw, f"regexp_full_match({raw}, '[A-Za-z0-9][A-Za-z0-9 ._:-]{{5,200}}')"
        case "date" if given == "date":
            return own, f"{own} between date '0001-01-01' and date '9999-12-31'"
        case "integer" if given == "bigint":
            return own, f"{own} between -{10**18 - 1} and {10**18 - 1}"
        case "decimal" | "boolean" if given == sql_type(column.type):
            return own, "true"
        case _:
            return raw, "false"


_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CODE = f"[0-9]{{8}}[{_SIGNS}]{{10}}"


def _check_sign(raw: str) -> str:
    """The last sign that a credit code should have by its others (GB 32100-2015)."""
    total = " + ".join(
        f"{pow(3, place, 31)} * (strpos('{_SIGNS}', substr({raw}, {place + 1}, 1)) - 1)"
        for place in range(17)
    )
    return f"substr('{_SIGNS}', (31 - ({total}) % 31) % 31 + 1, 1)"


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
    _append(connection, "rows_of_tables", ("rule", "tbl"), list(tables.items()))
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
