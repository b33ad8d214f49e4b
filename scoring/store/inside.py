"""A column inside a document, as a query and an index name it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class ValueIn(FunctionElement[str]):
    """The text of a column in documents (``scoring.store.documents``).

    The column's name stands in the statement as it stands in the index over it, not as a bound value: only
    so does a database see that the index will do.

    :param document: the column that holds the documents.
    :param column: a name of the program's own, never one from outside.
    """

    type = sa.String()
    inherit_cache = True

    def __init__(self, document: Any, column: str) -> None:
        if not column.isidentifier():
            raise ValueError(f"{column} is not a name of a column")
        super().__init__(document, sa.literal_column(column))


@compiles(ValueIn, "sqlite")
def _in_sqlite(element: ValueIn, compiler: Any, **options: Any) -> str:
    document, column = element.clauses
    return f"json_extract({compiler.process(document, **options)}, '$.\"{column}\"')"


@compiles(ValueIn, "postgresql")
def _in_postgresql(element: ValueIn, compiler: Any, **options: Any) -> str:
    document, column = element.clauses
    return f"({compiler.process(document, **options)}::json ->> '{column}')"
