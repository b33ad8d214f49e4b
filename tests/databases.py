"""Databases for single tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from waiting import until_all_is_judged

Fill = Callable[[str], None]
"""Fills the empty store of a URL, and leaves no connection to it open."""

MadeOnce = Callable[[str, Callable[[Path], object]], Path]
"""Gives the directory of a name, filled by what fills it: once for all processes of the tests."""


@cache
def admin(server: str) -> psycopg.Connection:
    """The one connection by which this process makes and drops databases; each would cost as much again."""
    return psycopg.connect(server, autocommit=True)


@contextmanager
def database_of_its_own(server: str, template: str = "template1") -> Iterator[str]:
    """The URL of a new PostgreSQL database, a copy of the template; it goes with the block."""
    name = "test_" + os.urandom(6).hex()
    admin(server).execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")  # no log of it
    yield server.replace("/postgres?", f"/{name}?")
    until_all_is_judged()  # or it would complain, in another test, that its store is gone
    admin(server).execute(f"DROP DATABASE {name} WITH (FORCE)")
