"""Tier look-ups with key check, rate limit, log and audit, against a bare Flask endpoint.

Server, workers, threads, connections and requests are the same, and both are asked in turn over real
connections, by a load generator on the same machine. The audit log is written to disk before each answer goes
out, so that the look-ups' rate also depends on how fast the disk's ``fsync`` is.
"""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.ledger import Beside, Ledger
from benchmarks.load import load
from benchmarks.servers import served
from fixtures.codes import credit_code
from rules.calendar import today
from rules.library.loader import find_pack
from scoring.access.audit import verify
from scoring.access.keys import Role, create_key
from scoring.facts.entries import FileInfo
from scoring.facts.versions import ingest_rows
from scoring.runs.batch import run
from scoring.store import create_store, open_store
from scoring.store.documents import encode

SUBJECTS, CONNECTIONS, LOOK_UPS = 2_000, 128, 10_000


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, list[str]]:
    """A graded population; the store's URL, a regulator's token and the subjects."""
    url = f"sqlite:///{tmp_path_factory.mktemp('lookup') / 'xinheng.db'}"
    rng = random.Random(20260731)
    codes = sorted({credit_code(rng, "91") for _ in range(SUBJECTS)})
    columns = {
        "key": codes,
        "subject_id": codes,
        "data": [encode({"subject_id": code, "state": "operating"}) for code in codes],
        "row_no": list(range(len(codes))),
    }
    store = create_store(url)
    ingest_rows(store, "enterprise", "subject", pa.table(columns), FileInfo("benchmark", "benchmark"))
    run(store, find_pack("enterprise-credit", today()), today())
    token = create_key(store, Role.REGULATOR, "benchmark").token
    store.close()
    return url, token, codes


def test_look_up(benchmark: BenchmarkFixture, ledger: Ledger, district: tuple[str, str, list[str]]) -> None:
    url, token, codes = district
    environment = {
        "XINHENG_DATABASE_URL": url,
        "XINHENG_RATE_LIMIT": "100000000/hour",
        "XINHENG_SECRET": "x" * 32,
    }
    requests = [_request(code, token) for code in codes]
    with (
        served("benchmarks.bare:create_app", {}) as bare,
        served("api.app:create_app", environment) as ours,
    ):

        def ask(port: int) -> None:
            assert load(port, requests, LOOK_UPS, CONNECTIONS) == LOOK_UPS

        other = Beside("look-up / bare Flask endpoint", lambda: ask(bare), LOOK_UPS, "<= 2.86")
        ask(ours)  # every worker comes to know the grades
        ledger.measure(benchmark, lambda: ask(ours), LOOK_UPS, [other], elsewhere=True)
    checked = verify(open_store(url))
    assert checked.faults == ()
    assert checked.entries >= 7 * LOOK_UPS


def _request(code: str, token: str) -> bytes:
    path = f"/v1/subjects/{code}/grade"
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
