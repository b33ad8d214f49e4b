"""A column inside a document, as a query and an index name it."""

from __future__ import annotations

from collections.abc import Collection
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


def said_in(column: Any, words: Collection[str]) -> sa.ColumnElement[bool]:
    """The condition that a column has one of some words of the program's own, which stand in the statement as
    they stand in the index that holds no others.
    """
    named = [sa.bindparam(None, word, sa.String, literal_execute=True, unique=True) for word in sorted(words)]
    return column == named[0] if len(named) == 1 else column.in_(named)  # type: ignore[no-any-return]


@compiles(ValueIn, "sqlite")
def _in_sqlite(element: ValueIn, compiler: Any, **options: Any) -> str:
    document, column = element.clauses
    return f"json_extract({compiler.process(document, **options)}, '$.\"{column}\"')"


@compiles(ValueIn, "postgresql")
def _in_postgresql(element: ValueIn, compiler: Any, **options: Any) -> str:
    document, column = element.clauses
    return f"({compiler.process(document, **options)}::json ->> '{column}')"
