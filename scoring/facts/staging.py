"""The rows of a file before they are kept: spooled as they are read, then in tables of one transaction."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scoring.facts.merging import in_one_spelling
from scoring.store import bulk
from scoring.store.base import table_of
from scoring.store.batches import BATCH_ROWS
from scoring.store.documents import content_hash, split
from scoring.store.models import IngestedFile, RecordVersion, SubjectVersion
from scoring.store.scratch import temporary_directory

TableName = Literal["subject", "record"]

ROWS = pa.schema(
    [
        (name, pa.string())
        for name in (
            *("key", "subject_id", "data", "content_hash", "alike", "cleared", "proposed", "sheet", "lacks"),
        )
    ]
    + [(name, pa.int64()) for name in ("row_no", "order_no")]
)


@dataclass(frozen=True, slots=True)
class Staged:
    """A row that is about to be kept.

    :param data: the document that will be kept.
    :param current: the document of its key's current version; None where there is none.
    :param sheet: of the workbook, in which ``row_no`` counts.
    """

    row_no: int
    key: str
    data: str
    current: str | None
    sheet: str | None = None


Arrivals: TypeAlias = pa.Table | pa.RecordBatchReader | Callable[[Session], pa.Table]
"""The rows of a file; or a function that makes them by what is known in the transaction that keeps them."""


@contextmanager
def spooled(rows: Arrivals) -> Iterator[pa.RecordBatchReader | None]:
    """The rows with their hashes, from a temporary file, so that the store is free while a file is read.

    None where they are made later.
    """
    if callable(rows):
        yield None
        return
    with tempfile.TemporaryFile(dir=temporary_directory()) as spool:
        with pa.ipc.new_stream(spool, ROWS) as sink:
            for batch in hashed(rows):
                sink.write_batch(batch)
        spool.seek(0)
        yield pa.ipc.open_stream(spool)


def stage(connection: sa.Connection, rows: Iterable[pa.RecordBatch]) -> tuple[sa.Table, sa.Table, int]:
    """Put rows with their hashes into a table of those that arrive; a table for those that change what is
    known stands beside it, empty.

    :return: both tables, which :func:`clear_stage` drops, and how many rows arrived.
    """
    arriving, changing = _staging_table("arriving", "key", "order_no"), _staging_table("changing")
    for table in (arriving, changing):
        connection.execute(sa.schema.CreateTable(table))
    staged = bulk.append(connection, arriving, rows)
    for index in arriving.indexes:
        connection.execute(sa.schema.CreateIndex(index))
    return arriving, changing, staged


def clear_stage(connection: sa.Connection, *tables: sa.Table) -> None:
    """Drop the tables of :func:`stage`, so that the transaction may take another file."""
    for table in tables:
        table.drop(connection, checkfirst=False)


def hashed(rows: pa.Table | pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The rows with their hashes."""
    before = 0
    for batch in rows.to_batches(BATCH_ROWS) if isinstance(rows, pa.Table) else rows:
        yield _hashed_batch(batch, before)
        before += batch.num_rows


def _hashed_batch(batch: pa.RecordBatch, before: int) -> pa.RecordBatch:
    """The rows with their hashes and, as rows of several sheets have the same numbers, their order."""
    said = [split(document) for document in batch.column("data").to_pylist()]
    columns = {
        "data": [document for document, *_ in said],
        "content_hash": [content_hash(document) for document, *_ in said],
        "alike": [_alike_hash(document) for document, *_ in said],
        "cleared": [json.dumps(cleared) if cleared else None for _, cleared, _ in said],
        "proposed": [json.dumps(proposed) if proposed else None for *_, proposed in said],
    }
    order = pa.array(range(before, before + batch.num_rows), pa.int64())
    given = {name: batch.column(name) for name in batch.schema.names}
    given |= {name: pa.array(values, pa.string()) for name, values in columns.items()}
    nothing = pa.nulls(batch.num_rows, pa.string())
    arrays = [{**given, "order_no": order}.get(name, nothing) for name in ROWS.names]
    return pa.RecordBatch.from_arrays(arrays, ROWS.names).cast(ROWS)


def _alike_hash(document: str) -> str | None:
    """The hash of a row that says what another one says in another spelling; None where it is its own."""
    alike = in_one_spelling(document)
    return content_hash(alike) if alike != document else None


@cache
def _staging_table(name: str, *indexed: str) -> sa.Table:
    """A table of the file's rows, in this transaction alone; one for all files, as are statements on it."""
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("alike", sa.Text),
        sa.Column("cleared", sa.Text),
        sa.Column("proposed", sa.Text),
        sa.Column("sheet", sa.Text),
        sa.Column("lacks", sa.Text),
        sa.Column("row_no", sa.Integer, nullable=False),
        sa.Column("order_no", sa.Integer, nullable=False),
        *([sa.Index(f"{name}_{indexed[0]}", *indexed)] if indexed else []),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )


@dataclass(frozen=True, slots=True)
class Target:
    """Where a file's rows go: the versions of one vocabulary, and the file they come from."""

    version: type[SubjectVersion] | type[RecordVersion]
    vocabulary_id: str
    file: IngestedFile

    @property
    def key(self) -> sa.Column[str]:
        """The column of the key."""
        return table_of(self.version).c["record_id" if self.version is RecordVersion else "subject_id"]

    @property
    def is_current(self) -> sa.ColumnElement[bool]:
        """The condition that a version is the vocabulary's current one."""
        return sa.and_(self.version.vocabulary == self.vocabulary_id, self.version.known_until.is_(None))

    def knows(self, rows: sa.Table) -> sa.ColumnElement[bool]:
        """The condition that a version is what is known of a staged row's key.

        The key is an expression, so that SQLite goes from rows that arrive to what is known, not back.
        """
        return sa.and_(self.key == rows.c.key + "", self.is_current)
