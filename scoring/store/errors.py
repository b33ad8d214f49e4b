"""What went wrong with the store, said so that the reader can act on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa

_BUGS = (
    sa.exc.IntegrityError,
    sa.exc.ProgrammingError,
    psycopg.IntegrityError,
    psycopg.ProgrammingError,
)


class StoreError(Exception):
    """The store can't be used, or can't do what was asked; the message says why and what would help."""


@contextmanager
def store_errors(where: str) -> Iterator[None]:
    """Turn failures of the database (not there, full, locked, damaged) into :class:`StoreError`.

    Violated constraints and wrong statements pass through: they are faults of the caller.

    :param where: the store's address without secrets, for the message.
    """
    try:
        yield
    except _BUGS:
        raise
    except sa.exc.DatabaseError as error:
        raise StoreError(explain(error.orig or error, where)) from error
    except psycopg.Error as error:
        raise StoreError(explain(error, where)) from error


def explain(error: BaseException, where: str) -> str:
    """A database's failure in one sentence, without the statement and its values: they hold personal data."""
    if _is_full(error):
        return f"the disk of the store {where} is full: nothing was changed. Free some space and run again"
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return f"the store {where} was kept locked by another process: nothing was changed. Run again"
    reason = " ".join(str(error).split()) or type(error).__name__
    return f"the store {where} failed: {reason}"


def _is_full(error: BaseException) -> bool:
    if isinstance(error, psycopg.errors.DiskFull):
        return True
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorname", "") == "SQLITE_FULL"
