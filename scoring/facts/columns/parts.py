"""How versions lie in files: typed columns, subjects as numbers, closed-list columns as signatures.

A part has two files. Its subjects: a row a version, by key, with the number of the key in this part; a key of
which only records are known has one row that was never known. Its records: a row a version, by the number of
the subject and then by the record's own key. The columns of the copy itself have names with a space, as no
column of a vocabulary has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from rules.language.expressions import Kind, literal
from rules.model import Table, Vocabulary
from rules.plan import closed_columns
from scoring.facts.columns.place import File, Part, Place, Sum, described
from scoring.judging.coded import open_columns
from scoring.judging.sql import quoted, sql_type
from scoring.store.scratch import own_directory, temporary_directory

NUMBER = '"subject number"'
KEY = '"subject key"'
FROM = '"known from"'
UNTIL = '"known until"'
HIGH = '"hash high"'
LOW = '"hash low"'
MISFIT = '"does not fit"'
_SPREAD = '"key spread"'
_BUCKET = "_bucket"
_BUCKETS = 2**16
_VERSION = (FROM, UNTIL, HIGH, LOW, MISFIT)
_FORMAT = "(format parquet, compression zstd)"


def known_at(moment: int) -> str:
    """The condition that a version was what was known at a moment."""
    return f"{FROM} <= {moment} and ({UNTIL} is null or {UNTIL} > {moment})"


def sums(columns: str, of: str, condition: str = "true") -> str:
    """A query for the :class:`Sum` of rows, and whatever else."""
    return f"select count(*), bit_xor({LOW}), bit_xor({HIGH}){columns} from {of} where {condition}"


def as_sum(count: int, low: int | None, high: int | None) -> Sum:
    """The first three columns of :func:`sums`."""
    return Sum(count, (low or 0) << 64 | (high or 0))


class Parts:
    """Writes the files of a copy, in a DuckDB connection of its own.

    The temporary tables ``subjects`` and ``records`` hold versions as they came from the store, typed, and
    ``signatures`` those of the copy.

    :ivar _lies: where the versions that were taken lie, as SQL: in those tables, or by bucket.
    """

    def __init__(self, duck: duckdb.DuckDBPyConnection, vocabulary: Vocabulary, place: Place) -> None:
        self.duck, self._vocabulary, self._place = duck, vocabulary, place
        self._subject = _listed(map(quoted, vocabulary.subject.columns))
        self._checked: dict[File, str] = {}
        self._lies = {name: name for name in ("subjects", "records")}
        self._open = _listed(map(quoted, open_columns(vocabulary)))
        self._record_key = quoted(vocabulary.records.key if vocabulary.records else "")
        self._closed = [quoted(name) for name in closed_columns(vocabulary)]

    def take(self, table: Table, versions: pa.RecordBatchReader) -> None:
        """Keep versions of subjects, or of records, with typed columns.

        A version does not fit where a value is not of its column's type, or the subject that it says is
        another than the one that it is kept under.

        :param versions: ``subject_id``, ``data``, ``content_hash``, ``known_from``, ``known_until``.
        """
        name = _table_name(self._vocabulary, table)
        link = table.key if name == "subjects" else self._vocabulary.record_subject
        value = {column: f"value[{number}]" for number, column in enumerate(table.columns, start=1)}
        typed = {
            name: f"try_cast({value[name]} as {sql_type(column.type)})"
            for name, column in table.columns.items()
        }
        odd = [f"{value[link]} is distinct from subject_id"]
        odd += [
            f"{value[name]} is not null and {typed[name]} is null"
            for name, column in table.columns.items()
            if column.type.kind is not Kind.TEXT
        ]
        paths = _listed(f"'/{column}'" for column in table.columns)
        self.duck.register("arrived", versions)
        self.duck.execute(
            f"create temp table {name} as select subject_id as {KEY}, {_spread('subject_id')} as {_SPREAD},"
            f" {_listed(f'{text} as {quoted(column)}' for column, text in typed.items())},"
            f" epoch_us(known_from::timestamp) as {FROM}, epoch_us(known_until::timestamp) as {UNTIL},"
            f" md5_number_upper(content_hash) as {HIGH}, md5_number_lower(content_hash) as {LOW},"
            f" {' or '.join(odd)} as {MISFIT}"
            f" from (select *, json_extract_string(data, [{paths}]) as value from arrived)"
        )
        self.duck.unregister("arrived")

    def sum_of(self, table: Table, moment: int) -> Sum:
        """The sum of what was known at a moment, of the versions that were taken."""
        query = sums("", self._lies[_table_name(self._vocabulary, table)], known_at(moment))
        return as_sum(*self.duck.execute(query).fetchall()[0])

    def sign(self, known: File | None) -> File:
        """Give new combinations of closed-list columns the next numbers; the file of all signatures.

        :param known: the file of those that have a number.
        """
        closed = _listed(self._closed)
        columns = _listed(["_sig", *self._closed])
        of_known = "select 0::integer as _sig, * from records limit 0" if known is None else self._read(known)
        self.duck.execute(f"create temp table signatures as select {columns} from ({of_known})")
        new = "select 0 where not exists (from signatures)"
        if closed:
            new = (
                f"select row_number() over (order by {closed}) + (select coalesce(max(_sig), -1)"
                f" from signatures), * from (select distinct {closed} from records"
                f" except select {closed} from signatures)"
            )
        [(added,)] = self.duck.execute(f"insert into signatures {new}").fetchall()
        return known if known and not added else self._write("select * from signatures order by _sig")[0]

    def write(self, subjects: str, records: str | None) -> Part:
        """A new part.

        :param subjects: a query for versions of subjects: their key, columns, and those of versions.
        :param records: likewise of records, with their signature instead of its columns; None where the
            vocabulary has none.
        """
        keys = f"select {KEY} from ({subjects})" + (
            f" union select {KEY} from ({records})" if records else ""
        )
        self.duck.execute(
            f"create or replace temp table keys as select (row_number() over (order by {KEY}) - 1)::integer"
            f" as {NUMBER}, {KEY} from (select distinct {KEY} from ({keys}))"
        )
        [(numbers,)] = self.duck.execute("select count(*) from keys").fetchall()
        version = _listed(_VERSION)
        of_subjects, _ = self._write(
            f"select {NUMBER}, {KEY}, {self._subject}, {version} from keys left join ({subjects})"
            f" using ({KEY}) order by {NUMBER}, {FROM}"
        )
        if records is None:
            return Part(of_subjects, None, numbers, 0)
        of_records, rows = self._write(
            f"select {NUMBER}, _sig, {self._open}, {version} from keys join ({records}) using ({KEY})"
            f" order by {NUMBER}, {self._record_key}, {FROM}"
        )
        return Part(of_subjects, of_records, numbers, rows)

    def taken(self, condition: str = "true") -> tuple[str, str | None]:
        """Queries for the versions that were taken, as :meth:`write` asks for them."""
        version = _listed(_VERSION)
        subjects = f"select {KEY}, {self._subject}, {version} from {self._lies['subjects']} where {condition}"
        if self._vocabulary.records is None:
            return subjects, None
        same = "".join(f" and r.{name} is not distinct from g.{name}" for name in self._closed)
        return subjects, (
            f"select {KEY}, _sig, {self._open}, {version} from {self._lies['records']} r"
            f" join signatures g on true{same}"
            f" where {condition}"
        )

    def kept(self, part: Part, condition: str) -> tuple[str, str | None]:
        """Queries for the versions in a part, of the subjects whose key meets a condition."""
        version = _listed(_VERSION)
        subjects = self._read(part.subjects)
        of_subjects = (
            f"select {KEY}, {self._subject}, {version} {subjects} where {FROM} is not null and {condition}"
        )
        if part.records is None:
            return of_subjects, None
        keys = f"select distinct {NUMBER}, {KEY} {subjects} where {condition}"
        return of_subjects, (
            f"select {KEY}, _sig, {self._open}, {version} {self._read(part.records)}"
            f" join ({keys}) using ({NUMBER})"
        )

    @contextmanager
    def apart(self, number: int) -> Iterator[list[str]]:
        """Have what was taken lie apart by bucket; gives the condition of each, for :meth:`taken`.

        To look for a bucket among all versions, as often as there are buckets, is quadratic.

        :param number: of buckets, a power of two.
        """
        if number == 1:
            yield ["true"]
            return
        with own_directory(temporary_directory()) as folder:
            for name in self._taken_tables():
                self._lies[name] = self._laid(name, number, Path(folder, name))
            yield [f"{_BUCKET} = {one}" for one in range(number)]

    def _laid(self, name: str, number: int, folder: Path) -> str:
        """Files of what was taken, a folder a bucket, instead of the table; of an empty one itself."""
        query = f"select *, ({_SPREAD} % {number})::integer as {_BUCKET} from {name}"
        if not len(self.duck.table(name)):
            return f"({query})"
        self.duck.execute(
            f"copy ({query}) to {literal(str(folder))} (format parquet, partition_by ({_BUCKET}))"
        )
        self.duck.execute(f"drop table {name}")
        files = literal(f"{folder}/*/*.parquet")
        return f"read_parquet({files}, hive_partitioning = true, hive_types = {{'{_BUCKET}': integer}})"

    def _taken_tables(self) -> list[str]:
        return ["subjects", *(["records"] if self._vocabulary.records else [])]

    def taken_rows(self) -> int:
        """How many versions were taken, of subjects or of records, whichever are more."""
        return max(len(self.duck.table(name)) for name in self._taken_tables())

    def list_keys(self, part: Part, name: str) -> None:
        """Make a temporary table of the keys of a part's subjects."""
        keys = f"select distinct {KEY} {self._read(part.subjects)}"
        self.duck.execute(f"create or replace temp table {name} as {keys}")

    def _read(self, file: File) -> str:
        """A file that is as it was written: what is made of it is trusted."""
        if file not in self._checked:
            self._checked[file] = self._place.checked(file)
        return f"from read_parquet({literal(self._checked[file])})"

    def _write(self, query: str) -> tuple[File, int]:
        path = self._place.new_file()
        [(rows,)] = self.duck.execute(f"copy ({query}) to {literal(str(path))} {_FORMAT}").fetchall()
        return described(path), rows


def in_bucket(number: int, of: int) -> str:
    """The condition that a subject is in one of so many buckets.

    :param of: a power of two.
    """
    return f"{_spread(KEY)} % {of} = {number}"


def _spread(key: str) -> str:
    """A number that is the same everywhere and always; DuckDB's own hash may change."""
    return f"(md5_number_upper({key}) % {_BUCKETS})::usmallint"


def together(*queries: tuple[str, str | None]) -> tuple[str, str | None]:
    """The versions of several pairs of queries."""
    subjects, records = zip(*queries, strict=True)
    return " union all ".join(subjects), None if records[0] is None else " union all ".join(records)


def _table_name(vocabulary: Vocabulary, table: Table) -> str:
    return "subjects" if table is vocabulary.subject else "records"


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts)
