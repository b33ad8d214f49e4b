"""A running server whose store is taken away says so, and goes on when it is there again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from api.app import create_app
from api.settings import Settings
from scoring.store import open_store


@pytest.fixture
def server(request: pytest.FixtureRequest, district_url: str) -> str:
    """The maintenance database of the server that has the district; empty where that is a file."""
    return "" if district_url.startswith("sqlite") else str(request.getfixturevalue("postgresql_server"))


def test_a_store_that_is_away_is_503_until_it_is_back(app: Flask, district_url: str, server: str) -> None:
    client = app.test_client()
    assert client.get("/readyz").status_code == 200
    with _file_away(district_url) if not server else _database_away(district_url, server):
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json["type"]) == (503, "/problems/store-unavailable")
        assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_a_file_that_is_damaged_is_503(sqlite_district_url: str) -> None:
    store = open_store(sqlite_district_url)
    client = create_app(Settings(log_level="error"), store).test_client()
    store.close()  # the next question opens the file anew
    Path(sa.make_url(sqlite_district_url).database or "").write_bytes(b"not a database" * 1000)
    assert client.get("/readyz").status_code == 503


@contextmanager
def _file_away(url: str) -> Iterator[None]:
    path = Path(sa.make_url(url).database or "")
    kept = path.rename(path.with_name("away.db"))
    yield
    kept.rename(path)


@contextmanager
def _database_away(url: str, server: str) -> Iterator[None]:
    """As when the server is stopped: connections are cut, and no new ones taken."""
    name = str(sa.make_url(url).database)
    close = psycopg.sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(close(psycopg.sql.Identifier(name), False))
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        admin.execute(close(psycopg.sql.Identifier(name), True))
