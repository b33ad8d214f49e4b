"""The DuckDB in which a run works: bounded memory, spilling to a directory of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from scoring.store.errors import StoreError

MEMORY_VARIABLE = "XINHENG_MEMORY_LIMIT"
DIRECTORY_VARIABLE = "XINHENG_TEMP_DIRECTORY"
DEFAULT_MEMORY = "2GB"


@contextmanager
def workspace(memory_limit: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty DuckDB that leaves nothing behind.

    :param memory_limit: such as ``512MB``; by default the environment's ``XINHENG_MEMORY_LIMIT``, else 2 GB.
        What does not fit goes to a directory under ``XINHENG_TEMP_DIRECTORY`` (default: the system's).
    :raises StoreError: where the limit can't be read or the directory is missing, full or too small.
    """
    limit = memory_limit or os.environ.get(MEMORY_VARIABLE) or DEFAULT_MEMORY
    parent = temporary_directory()
    try:
        with tempfile.TemporaryDirectory(prefix="xinheng-", dir=parent) as directory:
            connection = _connect(limit, directory)
            try:
                yield connection
            finally:
                connection.close()
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        raise StoreError(_no_room(limit, parent, error)) from error


def temporary_directory() -> str | None:
    """Where large temporary files go; None for the system's directory.

    :raises StoreError: where the directory does not exist.
    """
    directory = os.environ.get(DIRECTORY_VARIABLE) or None
    if directory is not None and not Path(directory).is_dir():
        raise StoreError(f"the directory of {DIRECTORY_VARIABLE} does not exist: {directory}")
    return directory


def _connect(limit: str, directory: str) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": limit,
        "temp_directory": directory,
        "preserve_insertion_order": False,
    }
    try:
        return duckdb.connect(":memory:", config=settings)
    except (duckdb.ParserException, duckdb.InvalidInputException) as error:
        raise StoreError(f"{MEMORY_VARIABLE} can't be read: {limit}. Right: 512MB, 2GB") from error


def _no_room(limit: str, parent: str | None, error: Exception) -> str:
    reason = str(error).splitlines()[0]
    return (
        f"the run needs more room than {limit} of memory and the disk of {parent or tempfile.gettempdir()}: "
        f"{reason}. Raise {MEMORY_VARIABLE} or set {DIRECTORY_VARIABLE} to a larger disk"
    )
