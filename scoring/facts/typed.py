"""Documents of versions as typed columns of a DuckDB."""

from __future__ import annotations

import duckdb

from rules.model import Table
from scoring.judging.sql import sql_type


def typed_columns(table: Table, document: str = "data") -> list[duckdb.Expression]:
    """DuckDB expressions that make the vocabulary's columns of a column of documents.

    They fail, rather than give null, where a value is not of its column's type.

    :param document: the name of the column of documents.
    """
    paths = duckdb.ConstantExpression([f"/{_pointer(name)}" for name in table.columns])
    values = duckdb.FunctionExpression("json_extract_string", duckdb.ColumnExpression(document), paths)
    return [
        duckdb.FunctionExpression("list_extract", values, duckdb.ConstantExpression(number))
        .cast(sql_type(column.type))
        .alias(name)
        for number, (name, column) in enumerate(table.columns.items(), start=1)
    ]


def _pointer(name: str) -> str:
    """RFC 6901."""
    return name.replace("~", "~0").replace("/", "~1")
