"""Many rows at once, in the transaction of the caller, as Arrow batches of bounded size.

PostgreSQL takes them by COPY, SQLite by prepared statements.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa

from scoring.store.batches import BATCH_ROWS, parts

Written = Callable[[int], None]


def stream(
    connection: sa.Connection, query: sa.Select[*tuple[Any, ...]], schema: pa.Schema
) -> pa.RecordBatchReader:
    """The rows of a query, a batch at a time; the connection is busy until the last is read.

    :param schema: names and types of the query's columns, in their order.
    """
    return pa.RecordBatchReader.from_batches(schema, _batches(connection, query, schema))


def append(
    connection: sa.Connection,
    table: sa.Table,
    batches: Iterable[pa.RecordBatch],
    written: Written = lambda rows: None,
) -> int:
    """Insert batches whose columns are named as the table's; the number of rows inserted.

    :param written: told the number of rows after each batch.
    """
    insert = _copy if connection.dialect.name == "postgresql" else _insert
    total = 0
    for batch in batches:
        insert(connection, table, batch)
        total += batch.num_rows
        written(total)
    return total


def take_stock(connection: sa.Connection, table: sa.Table, rows: int) -> None:
    """Have PostgreSQL look at a table again, in the transaction that has changed many of its rows.

    It would do so by itself, but a while later. Until then it takes it that next to nothing is of the latest
    file, and looks for each of its rows through all of them.

    :param rows: how many were changed or added.
    """
    if rows >= _MANY and connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"ANALYZE {table.name}"))


_MANY = 2_000
"""Rows (own choice): to look at fewer again and again costs less than to look at a large table."""


def _batches(
    connection: sa.Connection, query: sa.Select[*tuple[Any, ...]], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    result = connection.execute(query, execution_options={"yield_per": BATCH_ROWS})
    for rows in result.partitions():
        columns = zip(*rows, strict=True)
        yield pa.RecordBatch.from_arrays(
            [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)],
            schema=schema,
        )


def _insert(connection: sa.Connection, table: sa.Table, batch: pa.RecordBatch) -> None:
    """Several rows a statement take two thirds of the time of one row a statement."""
    statement = table.insert().compile(dialect=connection.dialect, column_keys=batch.schema.names)
    names = statement.positiontup or ()
    rows = list(zip(*(_sqlite_values(batch.column(name)) for name in names), strict=True))
    together = len(rows) - len(rows) % _ROWS_A_STATEMENT
    for some, size in ((rows[:together], _ROWS_A_STATEMENT), (rows[together:], 1)):
        if some:
            more = f", ({', '.join('?' * len(names))})" * (size - 1)
            values = [tuple(chain.from_iterable(taken)) for taken in parts(some, size)]
            connection.exec_driver_sql(f"{statement}{more}", values)


_ROWS_A_STATEMENT = 16


def _sqlite_values(column: pa.Array) -> list[Any]:
    """Dates as the ISO texts that SQLAlchemy reads back as dates."""
    if pa.types.is_date(column.type):
        column = column.cast(pa.string())
    values: list[Any] = column.to_pylist()
    return values


def _copy(connection: sa.Connection, table: sa.Table, batch: pa.RecordBatch) -> None:
    """Every text is quoted, so that an empty one is not taken for null.

    What the driver raises is raised as SQLAlchemy's, as it is of every other statement.
    """
    text = io.BytesIO()
    pyarrow.csv.write_csv(batch, text, pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed"))
    quote = connection.dialect.identifier_preparer.quote_identifier
    columns = ", ".join(map(quote, batch.schema.names))
    statement = f"COPY {quote(table.name)} ({columns}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')"
    driver: Any = connection.connection.driver_connection
    base = connection.dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(text.getvalue())
    except base as error:
        raised = sa.exc.DBAPIError.instance(
            statement, None, error, base, hide_parameters=True, dialect=connection.dialect
        )
        raise raised from error
