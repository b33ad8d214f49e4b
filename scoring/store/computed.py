"""What published runs and known moments have given once, kept on disk for every process that serves.

A published run never changes, and neither does what was known at a moment; what is computed from these alone
is found again by them, by the store and by the code that computes it. Copies are those of
:mod:`rules.library.kept`: this user's own, sealed, and made anew where one is gone or damaged.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import sqlalchemy as sa

from rules.library.kept import code_in, copy_of, has_copy, keep, kept
from scoring.store.connection import Store
from scoring.store.models import StoreIdentity

LARGEST = 2**24
"""Bytes of a table that is kept; reading a larger one back is no gain."""

_ROOM = "computed"
_ENGINES = ("duckdb", "pyarrow")
Made = TypeVar("Made")


def computed(store: Store, source: tuple[str, ...], kind: type[Made], make: Callable[[], Made]) -> Made:
    """What ``make`` computes of published runs and known moments, from its copy where there is one.

    :param source: all that it depends on, beside the store and this code: what it is, of which run or moment.
    :param kind: its class; it holds plain data and data classes of the product.

    >>> from fixtures.small import small_store
    >>> computed(small_store(), ("an example", "run 1"), tuple, lambda: (1, 2))
    (1, 2)
    """
    return kept((*_store(store), *source), kind, make, _ROOM)


def computed_table(store: Store, source: tuple[str, ...], make: Callable[[], pa.Table]) -> pa.Table:
    """The same of a table; one that is too large is computed each time."""
    whole = (*_store(store), *source)
    text = copy_of(whole, str, _ROOM)
    if text is not None:
        return table_in(text)
    made = make()
    if made.nbytes <= LARGEST:
        keep(whole, text_of(made), _ROOM)
    return made


def is_computed(store: Store, source: tuple[str, ...]) -> bool:
    """Whether there is a copy: who asks next computes nothing."""
    return has_copy((*_store(store), *source), _ROOM)


def computed_of_text(source: tuple[str, ...], kind: type[Made], make: Callable[[], Made]) -> Made:
    """What ``make`` computes of a text of rules alone, by this code."""
    return kept((_code(), *source), kind, make, _ROOM)


def table_in(text: str) -> pa.Table:
    """The table in a text of :func:`text_of`."""
    return pa.ipc.open_stream(base64.b64decode(text)).read_all()


def text_of(table: pa.Table) -> str:
    """A table as a text, to be kept."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return base64.b64encode(sink.getvalue()).decode()


def _store(store: Store) -> tuple[str, ...]:
    with store.reading() as session:
        identity = session.scalars(sa.select(StoreIdentity.id)).one()
    return store.address, identity, _code()


@lru_cache(maxsize=1)
def _code() -> str:
    """What computes, and the versions of the engines."""
    return code_in(Path(__file__).parents[1], _ENGINES, "**/*.py")
