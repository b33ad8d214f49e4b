"""Scoring from file to file: CSV or Parquet in and out, no database.

Values are read in SQL, a column at a time. A row with a value that its column can't hold exactly is set aside
with the reason; the rest is graded.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from rules.expressions import Kind, literal
from rules.identity import identity
from rules.loader import in_force
from rules.model import Column, Pack, Table, Vocabulary
from rules.problems import UnknownPackError
from scoring.engine import grade
from scoring.spreadsheets import inert_sql
from scoring.sql import quoted, sql_type
from scoring.store.workspace import workspace

WRITERS = {".csv": "(format csv, header)", ".parquet": "(format parquet)"}
_EXACT = "decimal(38, 18)"
_DATE = "[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}( 00:00:00)?"
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
        in the files are decimal points, not hundredths.
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
        return _summary(connection, pack, as_of, ignored, _write(connection, out))


# Reading


def open_files(
    connection: duckdb.DuckDBPyConnection, vocabulary: Vocabulary, subjects: Path, records: Path | None
) -> tuple[str, ...]:
    """Creates the tables ``subjects``, ``records`` and ``rejected`` (file, row, column, value, reason).

    :param records: None for a population without records, or one that has none yet.
    :return: for each file that has columns that the vocabulary has not, which.
    :raises FileError: on a file that is missing, unreadable or without a column that is needed.
    """
    connection.execute(
        "create or replace temp table rejected"
        " (file varchar, row_no bigint, column_name varchar, value varchar, reason varchar)"
    )
    ignored = _read(connection, vocabulary.subject, subjects, "subjects", [vocabulary.subject.key])
    if vocabulary.records is None:
        if records is not None:
            raise FileError(f"{records}: the vocabulary {vocabulary.id} has no records; leave out --records")
        return ignored
    if records is None:
        columns = ", ".join(f"{quoted(n)} {sql_type(c.type)}" for n, c in vocabulary.records.columns.items())
        connection.execute(f"create or replace temp table records ({columns})")
        return ignored
    needed = [vocabulary.records.key, vocabulary.record_subject, vocabulary.record_date]
    return ignored + _read(connection, vocabulary.records, records, "records", needed)


def _read(
    connection: duckdb.DuckDBPyConnection, table: Table, path: Path, name: str, needed: list[str]
) -> tuple[str, ...]:
    source, present = _source(connection, path)
    _require(table, path, needed, present)
    columns = [column for column in table.columns.values() if column.name in present]
    _load(connection, path, source, [column.name for column in columns], f"raw_{name}")
    exact = {column.name for column in columns if _is_exact(column, present[column.name])}
    checks = [_faults(column, path, name, column.name in needed, column.name in exact) for column in columns]
    checks.append(_duplicates(table.columns[table.key], path, name))
    for check in checks:
        connection.execute(f"insert into rejected {check}")
    values = ", ".join(_selected(column, present, exact) for column in table.columns.values())
    bad = f"select row_no from rejected where file = {literal(str(path))}"
    connection.execute(
        f"create or replace temp table {name} as select {values} from raw_{name} where _row not in ({bad})"
    )
    connection.execute(f"drop table raw_{name}")
    unknown = [column for column in present if column and column not in table.columns]
    return (f"{path}: {', '.join(unknown)}",) if unknown else ()


def _require(table: Table, path: Path, needed: Iterable[str], present: Mapping[str, str]) -> None:
    missing = [f"{name} ({table.columns[name].title})" for name in needed if name not in present]
    if missing:
        has = ", ".join(present) or "no column"
        raise FileError(f"{path}: the column {', '.join(missing)} is missing; the file has {has}")
    for name in table.columns.keys() & present.keys():
        if present[name].startswith(_NESTED) or present[name].endswith("]"):
            raise FileError(f"{path}: the column {name} holds {present[name]}; plain values are needed")


def _source(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, dict[str, str]]:
    """The file as a table function, and its columns with their types."""
    kind = path.suffix.lower()
    if kind not in WRITERS:
        raise FileError(f"{path}: a file of this kind can't be scored; CSV (.csv) or Parquet (.parquet) can")
    _check_in(path)
    if kind == ".csv":
        headers = _headers(path)
        columns = ", ".join(f"{literal(name or f'_{n}')}: 'varchar'" for n, name in enumerate(headers))
        options = "header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"'"
        return f"read_csv({literal(str(path))}, columns = {{{columns}}}, {options})", dict.fromkeys(
            headers, "varchar"
        )
    source = f"read_parquet({literal(str(path))})"
    with _reading(path):
        described = connection.execute(f"describe from {source}").fetchall()
    return source, {str(row[0]): str(row[1]).lower().replace(",", ", ") for row in described}


def _check_in(path: Path) -> None:
    if path.is_dir():
        raise FileError(f"{path}: this is a folder; a file is needed")
    if not path.is_file():
        raise FileError(f"{path}: there is no such file")
    try:
        with path.open("rb") as file:
            begun = file.read(1)
    except OSError as error:
        raise FileError(f"{path}: can't be read: {error.strerror}") from None
    if not begun:
        raise FileError(f"{path}: the file is empty; at least a row of headers is needed")


def _headers(path: Path) -> list[str]:
    """The headers of a CSV file, in its first line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            headers = [header.strip() for header in next(csv.reader(file), [])]
    except (UnicodeDecodeError, csv.Error):
        raise FileError(f"{path}: line 1 is not text in UTF-8; {_ENCODING}") from None
    twice = [header for header in headers if header and headers.count(header) > 1]
    if twice:
        raise FileError(f"{path}: the column {twice[0]} stands twice in the headers; once is right")
    return headers


_ENCODING = "save it as UTF-8, or take it into a store with `xinheng ingest`, which reads GB18030 too"


def _load(
    connection: duckdb.DuckDBPyConnection, path: Path, source: str, columns: Iterable[str], name: str
) -> None:
    """The columns as they are, with row numbers as a person counts them (a CSV's header is row 1)."""
    first = 1 if path.suffix.lower() == ".csv" else 0
    values = ", ".join([*map(quoted, columns), f"row_number() over () + {first} as _row"])
    with _reading(path):
        connection.execute("set preserve_insertion_order = true")  # the rows are numbered as they stand
        connection.execute(f"create or replace temp table {name} as select {values} from {source}")
        connection.execute("set preserve_insertion_order = false")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.SerializationException) as error:
        raise FileError(f"{path}: {_reading_fault(str(error))}") from None
    except duckdb.IOException as error:
        if path.name not in str(error):
            raise
        raise FileError(f"{path}: can't be read: {_reason(error)}") from None


def _reading_fault(message: str) -> str:
    """What DuckDB says of a file, in a sentence."""
    line = re.search(r"CSV Error on Line: (\d+)", message)
    if line is None:
        said = message.splitlines()[0].removeprefix("Invalid Input Error: ")
        return f"this is no Parquet file, or a damaged one ({said})"
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if columns:
        found = f"line {line[1]} has {columns[2]} values, and there are {columns[1]} headers"
        return f"{found}; a text with a comma in it needs quotes"
    if "unterminated quote" in message:
        return f"line {line[1]} begins a quoted text that nothing ends"
    if "utf-8" in message:
        return f"line {line[1]} is not text in UTF-8; {_ENCODING}"
    return f"line {line[1]} can't be read"


# Values


def _is_exact(column: Column, found: str) -> bool:
    """Whether the file's column already is of the column's type; texts are trimmed all the same."""
    return column.type.kind is not Kind.TEXT and found == sql_type(column.type)


def _selected(column: Column, present: Mapping[str, str], exact: set[str]) -> str:
    if column.name not in present:
        return f"cast(null as {sql_type(column.type)}) as {quoted(column.name)}"
    return quoted(column.name) if column.name in exact else f"{_value(column)} as {quoted(column.name)}"


def _raw(column: Column) -> str:
    return f"nullif(trim(cast({quoted(column.name)} as varchar)), '')"


def _value(column: Column) -> str:
    if column.type.kind is Kind.TEXT:
        return _raw(column)
    return f"try_cast({_raw(column)} as {sql_type(column.type)})"


def _faults(column: Column, path: Path, name: str, needed: bool, exact: bool) -> str:
    """The rows whose value of a column can't be held exactly, or is not one of its codes."""
    raw = _raw(column)
    faults = [f"when {raw} is null then 'no value'"] if needed else []
    if not exact:
        faults += [
            f"when {raw} is not null and {fault} then '{_wanted(column)}'" for fault in _inexact(column)
        ]
    if column.values:
        codes = ", ".join(literal(code) for code in column.values)
        faults.append(f"when {raw} not in ({codes}) then 'not a code of this column'")
    if not faults:
        return "from rejected where false"
    return (
        f"select {literal(str(path))}, _row, {literal(column.name)}, {raw}, reason from"
        f" (select *, case {' '.join(faults)} end as reason from raw_{name}) where reason is not null"
    )


def _inexact(column: Column) -> list[str]:
    """When a written value is not the value that the column would hold."""
    match column.type.kind:
        case Kind.NUMBER:
            held = f"cast({_value(column)} as {_EXACT})"
            return [
                f"{held} is distinct from try_cast({_raw(column)} as {_EXACT})",
                f"{_value(column)} is null",
            ]
        case Kind.DATE:
            return [f"not regexp_full_match({_raw(column)}, '{_DATE}')", f"{_value(column)} is null"]
        case Kind.BOOLEAN:
            return [f"{_value(column)} is null"]
        case _:
            return []


def _duplicates(key: Column, path: Path, name: str) -> str:
    """All but the first of the rows with one key."""
    repeated = f"row_number() over (partition by {_value(key)} order by _row)"
    return (
        f"select {literal(str(path))}, _row, {literal(key.name)}, {_raw(key)},"
        f" 'the key stands in an earlier row' from raw_{name}"
        f" where {_value(key)} is not null qualify {repeated} > 1"
    )


def _wanted(column: Column) -> str:
    return {
        "integer": "not a whole number of at most 18 digits",
        "decimal": "not a number of at most 14 digits and 4 decimals",
        "date": "not a date such as 2026-01-31",
        "boolean": "neither true nor false",
    }.get(column.declared, "not a text")


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


def _write(connection: duckdb.DuckDBPyConnection, out: Path) -> tuple[Path, ...]:
    """Writes every file under another name, then gives all of them theirs."""
    paths = _outputs(out)
    queries = {
        paths["scores"]: (_in_points("scores", "score"), "subject_id"),
        paths["hits"]: (_in_points("hits", "points_before", "points"), "subject_id, rule, record_id"),
        paths["dimensions"]: (
            _in_points("dimension_scores", "points_before", "points"),
            "subject_id, dimension",
        ),
    }
    if _count(connection, "rejected"):
        queries[paths["rejected"]] = ("from rejected", "file, row_no, column_name")
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


def _in_points(table: str, *columns: str) -> str:
    replaced = ", ".join(f"cast({name} as decimal(18, 0)) * 0.01 as {name}" for name in columns)
    return f"select * replace ({replaced}) from {table}"


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path, partial: Path) -> None:
    try:
        connection.execute(f"copy ({query}) to {literal(str(partial))} {WRITERS[path.suffix.lower()]}")
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
