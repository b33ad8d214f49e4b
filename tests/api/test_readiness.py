"""A running server whose store is taken away says so, and goes on when it is there again."""

from __future__ import annotations

import json
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from client import Client
from flask import Flask
from small_district import FINED
from waiting import PATIENCE

from api.app import create_app
from api.settings import Settings
from scoring.store import Store, StoreError, open_store


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


FILLED = """
import json, os, resource, sys
from pathlib import Path
from api.app import create_app
from api.settings import Settings
from scoring.access.keys import Role, create_key
from scoring.store import open_store

url, path = sys.argv[1], Path(sys.argv[2])
store = open_store(url)
token = create_key(store, Role.REGULATOR, "x").token
client = create_app(Settings(log_level="critical"), store).test_client()
assert client.get("/readyz").status_code == 200
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size,) * 2)  # the log can grow no more
ready = client.get("/readyz")
done = client.post(
    "/v1/tickets", json={"title": "x", "source": "hotline"}, headers={"Authorization": "Bearer " + token}
)
health = client.get("/healthz")
print(json.dumps([ready.status_code, health.status_code, done.status_code, done.json["detail"]]))
"""


def test_a_disk_that_is_full_is_503_and_says_no_more_than_is_known(sqlite_district_url: str) -> None:
    log = Path(f"{sa.make_url(sqlite_district_url).database}-wal")
    arguments = [sys.executable, "-B", "-c", FILLED, sqlite_district_url, str(log)]
    answered = subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE)
    ready, health, done, detail = json.loads(answered.stdout or answered.stderr)
    assert (ready, health, done) == (503, 200, 503)
    assert "Whether this was done is not known" in detail
    assert "nothing was changed" not in answered.stdout + answered.stderr


def test_a_server_is_ready_while_somebody_else_writes(app: Flask, store: Store) -> None:
    with store.writing() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = version_num"))
        assert app.test_client().get("/readyz").status_code == 200


def test_a_postgresql_that_takes_no_changes_is_503(postgresql_district_url: str) -> None:
    store = open_store(postgresql_district_url)
    client = create_app(Settings(log_level="error"), store).test_client()
    name = sa.make_url(postgresql_district_url).database
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    store.engine.dispose()
    assert client.get("/readyz").status_code == 503
    with (
        pytest.raises(StoreError, match="can only be read, and this needs to write"),
        store.writing() as session,
    ):
        session.execute(sa.text("UPDATE alembic_version SET version_num = version_num"))
    store.close()


def test_metrics_count_requests_by_how_long_they_took(regulator: Client) -> None:
    """Between these bounds: what watches over the service asks for them by name."""
    regulator.get(f"/v1/subjects/{FINED}/grade")
    told = regulator.get("/metrics").text
    bucket = r'xinheng_request_seconds_bucket\{endpoint="subjects\.get_grade",le="([^"]+)"\}'
    milliseconds = ["0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5"]
    assert re.findall(bucket, told) == [*milliseconds, "1.0", "2.5", "5.0", "10.0", "30.0", "+Inf"]


LOGS = """
import sys
import structlog
from api.around.observe import set_up_logging
set_up_logging("info")
structlog.get_logger().info("first")
sys.stdin.readline()
structlog.get_logger().info("last")
"""


def test_a_line_is_in_the_log_while_the_service_runs_and_keeps_it_from_no_end() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LOGS], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        assert select.select([process.stderr], [], [], PATIENCE)[0], "it is written while nothing else comes"
        first = process.stderr.readline()
        _, last = process.communicate("\n", PATIENCE)
    finally:
        process.kill()
    assert [json.loads(line)["event"] for line in (first, last)] == ["first", "last"]
    assert process.returncode == 0


ASKS = """
import sys
from api.app import create_app
from api.settings import Settings
from scoring.store import open_store
app = create_app(Settings(log_level="info"), open_store(sys.argv[1]))
app.test_client().get("/v1/subjects/500102199001011236/grade")
"""


def test_the_log_has_no_number_of_a_natural_person_whom_somebody_asks_for(sqlite_district_url: str) -> None:
    asked = [sys.executable, "-c", ASKS, sqlite_district_url]
    logged = subprocess.run(asked, stderr=subprocess.PIPE, text=True, check=True).stderr
    assert '"event":"request"' in logged
    assert "/v1/subjects/［自然人" in logged
    assert "500102199001011236" not in logged
