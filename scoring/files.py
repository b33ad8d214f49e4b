"""Scoring from file to file: CSV or Parquet in and out, no database.

Values are read in SQL, a column at a time. A row with a value that its column can't hold exactly is set aside
with the reason; the rest is graded.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb

from rules.expressions import Kind
from rules.identity import identity
from rules.loader import in_force
from rules.model import Column, Pack, Table, Vocabulary
from rules.problems import UnknownPackError
from scoring.engine import grade
from scoring.sql import quoted, sql_type
from scoring.store.workspace import workspace

READERS = {".csv": "read_csv({path}, all_varchar = true, header = true)", ".parquet": "read_parquet({path})"}
WRITERS = {".csv": "(format csv, header)", ".parquet": "(format parquet)"}
_EXACT = "decimal(38, 18)"


class FileError(Exception):
    """A file that can't be scored from, or to; the message says which, why, and what would be right."""


@dataclass(frozen=True, slots=True)
class FileRun:
    """What a run from file to file did.

    :param tiers: tier → how many subjects have it.
    :param rejected: how many values were set aside, with their rows.
    :param written: the files written.
    """

    pack: Pack
    pack_hash: str
    as_of: dt.date
    subjects: int
    records: int
    hits: int
    tiers: dict[str, int]
    rejected: int
    written: tuple[Path, ...]


def score_files(
    pack: Pack,
    as_of: dt.date,
    subjects: Path,
    records: Path | None,
    out: Path,
    memory_limit: str = "2GB",
) -> FileRun:
    """Grades the subjects of a file and writes scores, hits and dimension scores.

    :param out: the file of scores, ``.csv`` or ``.parquet``; hits and dimension scores go beside it, as
        ``NAME.hits.csv`` and ``NAME.dimensions.csv``, and what was set aside as ``NAME.rejected.csv``. Points in the
        files are decimal points, not hundredths.
    :param memory_limit: what DuckDB may use before it spills (:func:`scoring.store.workspace.workspace`).
    :raises UnknownPackError: where the pack is not in force on the day.
    :raises FileError: on a file that can't be read or written.
    :raises StoreError: where memory and disk do not suffice.
    """
    if not in_force(pack, as_of):
        until = pack.in_force_until or "further notice"
        raise UnknownPackError(
            f"{pack.id} {pack.version} is not in force on {as_of}: it is from {pack.in_force_from} until {until}"
        )
    _check_out(out)
    with workspace(memory_limit) as connection:
        open_files(connection, pack.vocabulary, subjects, records)
        grade(connection, pack, as_of, records="records" if pack.vocabulary.records else None)
        return _summary(connection, pack, as_of, _write(connection, out))


def open_files(
    connection: duckdb.DuckDBPyConnection, vocabulary: Vocabulary, subjects: Path, records: Path | None
) -> None:
    """Creates the tables ``subjects``, ``records`` and ``rejected`` (file, row, column, value, reason).

    :param records: None for a population without records, or one that has none yet.
    :raises FileError: on a file that is missing, unreadable or without a column that is needed.
    """
    connection.execute(
        "create or replace temp table rejected"
        " (file varchar, row_no bigint, column_name varchar, value varchar, reason varchar)"
    )
    _read(connection, vocabulary.subject, subjects, "subjects", [vocabulary.subject.key])
    if vocabulary.records is None:
        if records is not None:
            raise FileError(f"{records}: the vocabulary {vocabulary.id} has no records; leave out --records")
        return
    if records is None:
        columns = ", ".join(f"{quoted(n)} {sql_type(c.type)}" for n, c in vocabulary.records.columns.items())
        connection.execute(f"create or replace temp table records ({columns})")
        return
    needed = [vocabulary.records.key, vocabulary.record_subject, vocabulary.record_date]
    _read(connection, vocabulary.records, records, "records", needed)


def _read(
    connection: duckdb.DuckDBPyConnection, table: Table, path: Path, name: str, needed: list[str]
) -> None:
    present = _open(connection, path, f"raw_{name}")
    missing = [column for column in needed if column not in present]
    if missing:
        raise FileError(
            f"{path}: the column {', '.join(missing)} is missing; the file has {', '.join(present) or 'no column'}"
        )
    columns = [column for column in table.columns.values() if column.name in present]
    exact = {column.name for column in columns if present[column.name] == sql_type(column.type)}
    checks = [_faults(column, path, name, column.name in needed, column.name in exact) for column in columns]
    checks.append(_duplicates(table.key, path, name))
    for check in checks:
        connection.execute(f"insert into rejected {check}")
    values = ", ".join(
        quoted(column.name)
        if column.name in exact
        else f"{_value(column)} as {quoted(column.name)}"
        if column.name in present
        else _unknown(column)
        for column in table.columns.values()
    )
    bad = f"select row_no from rejected where file = {_text(path.name)}"
    connection.execute(
        f"create or replace temp table {name} as select {values} from raw_{name} where row_no not in ({bad})"
    )
    connection.execute(f"drop table raw_{name}")


def _open(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> dict[str, str]:
    """Reads the file as it is, with row numbers as a person counts them (a CSV's header is row 1)."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise FileError(f"{path}: a file of this kind can't be scored; CSV (.csv) or Parquet (.parquet) can")
    if not path.is_file():
        raise FileError(f"{path}: there is no such file")
    if path.stat().st_size == 0:
        raise FileError(f"{path}: the file is empty; at least a row of headers is needed")
    first = 2 if path.suffix.lower() == ".csv" else 1
    source = reader.format(path=_text(str(path)))
    try:
        connection.execute(
            f"create or replace temp table {name} as"
            f" select *, row_number() over () + {first - 1} as row_no from {source}"
        )
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException) as error:
        raise FileError(f"{path}: {_first_line(error)}; UTF-8 is needed: `xinheng ingest` also reads GB18030") from None
    described = connection.execute(f"describe {name}").fetchall()
    return {str(row[0]): str(row[1]).lower().replace(",", ", ") for row in described if row[0] != "row_no"}


def _faults(column: Column, path: Path, name: str, needed: bool, exact: bool) -> str:
    """The rows whose value of a column can't be held exactly, or is not one of its codes.

    :param exact: whether the file's column already is of the column's type.
    """
    raw = f"nullif(trim(cast({quoted(column.name)} as varchar)), '')"
    faults = [f"when {raw} is null then 'no value'"] if needed else []
    if not exact:
        faults.append(f"when {raw} is not null and {_value(column)} is null then '{_wanted(column)}'")
    if column.type.kind is Kind.NUMBER and not exact:
        wide = f"try_cast({raw} as {_EXACT})"
        faults.append(f"when {wide} is distinct from cast({_value(column)} as {_EXACT}) then '{_wanted(column)}'")
    if column.values:
        codes = ", ".join(_text(code) for code in column.values)
        faults.append(f"when {raw} not in ({codes}) then 'not a code of this column'")
    if not faults:
        return "from rejected where false"
    return (
        f"select {_text(path.name)}, row_no, {_text(column.name)}, {raw}, reason from"
        f" (select *, case {' '.join(faults)} end as reason from raw_{name}) where reason is not null"
    )


def _duplicates(key: str, path: Path, name: str) -> str:
    """All but the first of the rows with one key."""
    repeated = f"row_number() over (partition by {quoted(key)} order by row_no)"
    return (
        f"select {_text(path.name)}, row_no, {_text(key)}, cast({quoted(key)} as varchar),"
        f" 'the key stands in an earlier row' from raw_{name} where {quoted(key)} is not null qualify {repeated} > 1"
    )


def _value(column: Column) -> str:
    if column.type.kind is Kind.TEXT:
        return f"nullif(cast({quoted(column.name)} as varchar), '')"
    return f"try_cast(nullif(trim(cast({quoted(column.name)} as varchar)), '') as {sql_type(column.type)})"


def _unknown(column: Column) -> str:
    return f"cast(null as {sql_type(column.type)}) as {quoted(column.name)}"


def _wanted(column: Column) -> str:
    return {
        "integer": "not a whole number of at most 18 digits",
        "decimal": "not a number of at most 14 digits and 4 decimals",
        "date": "not a date such as 2026-01-31",
        "boolean": "neither true nor false",
    }.get(column.declared, "not a text")


def _check_out(out: Path) -> None:
    if out.suffix.lower() not in WRITERS:
        raise FileError(f"{out}: results are written as .csv or .parquet")
    if not out.parent.is_dir():
        raise FileError(f"{out}: there is no folder {out.parent}")


def _write(connection: duckdb.DuckDBPyConnection, out: Path) -> tuple[Path, ...]:
    points = "cast({0} as decimal(18, 0)) * 0.01 as {0}"
    files = {
        out: "select * replace (" + points.format("score") + ") from scores order by subject_id",
        out.with_suffix(f".hits{out.suffix}"): "select * replace ("
        + ", ".join(points.format(c) for c in ("points_before", "points"))
        + ") from hits order by subject_id, rule, record_id",
        out.with_suffix(f".dimensions{out.suffix}"): "select * replace ("
        + ", ".join(points.format(c) for c in ("points_before", "points"))
        + ") from dimension_scores order by subject_id, dimension",
    }
    rejected = out.with_suffix(".rejected.csv")
    rejected.unlink(missing_ok=True)
    if _count(connection, "rejected"):
        files[rejected] = "from rejected order by file, row_no, column_name"
    for path, query in files.items():
        _copy(connection, query, path)
    return tuple(files)


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Writes a file whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        connection.execute(f"copy ({query}) to {_text(str(partial))} {WRITERS[path.suffix.lower()]}")
        partial.replace(path)
    except (duckdb.IOException, OSError) as error:
        raise FileError(f"{path}: can't be written: {_first_line(error)}") from None
    finally:
        partial.unlink(missing_ok=True)


def _summary(
    connection: duckdb.DuckDBPyConnection, pack: Pack, as_of: dt.date, written: tuple[Path, ...]
) -> FileRun:
    found = dict(connection.execute("select tier, count(*) from scores group by tier").fetchall())
    return FileRun(
        pack=pack,
        pack_hash=identity(pack),
        as_of=as_of,
        subjects=_count(connection, "subjects"),
        records=_count(connection, "records") if pack.vocabulary.records else 0,
        hits=_count(connection, "hits"),
        tiers={tier: found.get(tier, 0) for tier in pack.tiers},
        rejected=_count(connection, "rejected"),
        written=written,
    )


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
