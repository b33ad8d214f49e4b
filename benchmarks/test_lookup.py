"""Tier look-ups with key check, rate limit, log and audit, against a bare Flask endpoint on the same server.

Server, workers, threads, connections and requests are the same; both rates are of complete answers over real
connections, with the load generator on the same machine. The audit log is written to disk before each answer
goes out, so that the look-up's rate also depends on how fast the disk's ``fsync`` is.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.codes import credit_code
from rules.calendar import today
from rules.loader import find_pack
from scoring.audit import verify
from scoring.keys import Role, create_key
from scoring.records import encode
from scoring.runs import run
from scoring.store import create_store, open_store
from scoring.store.versions import FileInfo, ingest_rows

HERE = Path(__file__).parent
SUBJECTS, WORKERS, THREADS, CONNECTIONS, SECONDS, ROUNDS = 2_000, 2, 64, 128, 4.0, 3


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, list[str]]:
    """A graded population; the store's URL, a regulator's token and the subjects."""
    import pyarrow as pa

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


def test_look_up(district: tuple[str, str, list[str]], record_property: pytest.FixtureRequest) -> None:
    url, token, codes = district
    environment = {
        "XINHENG_DATABASE_URL": url,
        "XINHENG_RATE_LIMIT": "100000000/hour",
        "XINHENG_SECRET": "x" * 32,
    }
    requests = b"".join(_request(code, token) for code in random.Random(1).sample(codes, len(codes)))
    bare, ours = [], []
    for _ in range(ROUNDS):
        with _served("benchmarks.bare:create_app", {}) as port:
            bare.append(_warm_rate(port, requests))
        with _served("api.app:create_app", environment) as port:
            ours.append(_warm_rate(port, requests))
    ratio = sorted(ours)[ROUNDS // 2] / sorted(bare)[ROUNDS // 2]
    print(
        f"\nlook-ups {sorted(ours)[ROUNDS // 2]:,.0f}/s, bare {sorted(bare)[ROUNDS // 2]:,.0f}/s: {ratio:.2f}"
    )
    checked = verify(open_store(url))
    assert checked.faults == ()
    assert checked.entries >= sum(ours) * SECONDS * 0.95


def _request(code: str, token: str) -> bytes:
    path = f"/v1/subjects/{code}/grade"
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def _warm_rate(port: int, requests: bytes) -> float:
    """Good answers a second, when all workers are up: two rates in a row that are nearly the same."""
    last = _rate(port, requests, 1.0)
    for _ in range(15):
        before, last = last, _rate(port, requests, 1.0)
        if abs(last - before) < 0.2 * before:
            break
    return _rate(port, requests, SECONDS)


def _rate(port: int, requests: bytes, seconds: float) -> float:
    command = [sys.executable, str(HERE / "load.py"), str(port), str(CONNECTIONS), str(seconds)]
    answer = subprocess.run(command, input=requests, capture_output=True, check=True, timeout=60)
    rate, bad = answer.stdout.split()
    assert int(bad) == 0
    return float(rate)


@contextmanager
def _served(application: str, environment: dict[str, str]) -> Iterator[int]:
    """An application on the server that ``xinheng serve`` uses, set up alike."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--interface", "wsgi", "--factory", "--no-ws", "--port", str(port), "--log-level", "error"]
    threads = ["--workers", str(WORKERS), "--blocking-threads", str(THREADS), "--workers-kill-timeout", "5"]
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", *options, *threads, application],
        cwd=HERE.parent,
        env=os.environ | environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not start")
