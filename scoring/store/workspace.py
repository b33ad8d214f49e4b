"""The DuckDB in which a run works: bounded memory, spilling to a directory of its own."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from rules.titles import Title
from scoring.store.errors import StoreError
from scoring.store.scratch import DIRECTORY_VARIABLE, own_directory, temporary_directory

MEMORY_VARIABLE = "XINHENG_MEMORY_LIMIT"
THREADS_VARIABLE = "XINHENG_THREADS"
DEFAULT_MEMORY = "2GB"


@contextmanager
def workspace(
    memory_limit: str | None = None, directory: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty DuckDB that leaves nothing behind.

    :param memory_limit: such as ``512MB``; by default the environment's ``XINHENG_MEMORY_LIMIT``, else 2 GB.
        What does not fit goes to a directory under ``XINHENG_TEMP_DIRECTORY`` (default: the system's).
        It works on as many processors as ``XINHENG_THREADS`` says, by default on all.
    :param directory: goes before that one.
    :raises StoreError: where a setting can't be read or the directory is missing, full or too small.

    >>> with workspace("512MB") as duck:
    ...     duck.execute("select 6 * 7").fetchall()
    [(42,)]
    """
    limit = memory_limit or os.environ.get(MEMORY_VARIABLE) or DEFAULT_MEMORY
    parent = str(directory) if directory is not None else temporary_directory()
    try:
        with own_directory(parent) as own:
            connection = _connect(limit, own, os.environ.get(THREADS_VARIABLE) or None)
            try:
                yield connection
            finally:
                connection.close()
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        raise StoreError(_no_room(limit, parent, directory is None, error)) from error


def _connect(limit: str, directory: str, threads: str | None) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": limit,
        "temp_directory": directory,
        "preserve_insertion_order": False,
    }
    if threads is not None:
        if not re.fullmatch("[1-9][0-9]{0,2}", threads):
            raise StoreError(_unreadable(THREADS_VARIABLE, threads, "4"))
        settings["threads"] = int(threads)
    try:
        duck = duckdb.connect(":memory:", config=settings)
    except (duckdb.ParserException, duckdb.InvalidInputException) as error:
        raise StoreError(_unreadable(MEMORY_VARIABLE, limit, "512MB, 2GB")) from error
    duck.execute("SET enable_progress_bar = false")  # in a program without a file DuckDB draws on the output
    return duck


def _unreadable(variable: str, value: str, right: str) -> Title:
    return Title(
        f"{variable}的值无法读取:{value}。正确写法:{right}",
        f"{variable} can't be read: {value}. Right: {right}",
    )


def _no_room(limit: str, parent: str | None, is_set: bool, error: Exception) -> Title:
    """:param is_set: a setting says where it spills; otherwise that is part of what the run writes."""
    reason, disk = str(error).splitlines()[0], parent or tempfile.gettempdir()
    more = f"{MEMORY_VARIABLE}(--memory)"
    zh = f"将{DIRECTORY_VARIABLE}设在更大的磁盘上" if is_set else "另选更大磁盘上的目录"
    en = f"set {DIRECTORY_VARIABLE} to a larger disk" if is_set else "have that folder on a larger disk"
    return Title(
        f"评价所需空间超过{limit}内存和{disk}所在磁盘:{reason}。请调大{more},或{zh}",
        f"the run needs more room than {limit} of memory and the disk of {disk}: {reason}."
        f" Raise {more} or {en}",
    )
