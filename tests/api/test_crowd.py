"""More than the server can take: look-ups go before pages, pages before exports; others come again."""

from __future__ import annotations

import http.client
import io
import json
import queue
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from small_district import FINED
from test_server import _ask as ask
from test_server import _served as served
from waiting import PATIENCE, until

from api.around import crowd
from api.around.crowd import Crowd
from api.http.problems import Problem
from scoring.access.keys import Role, create_key
from scoring.cli.serve import THREADS_A_PLACE
from scoring.store import Store, open_store

PLACES = 8
SMALL = ("--workers", "1", "--threads", str(PLACES))
GRADE = f"/v1/subjects/{FINED}/grade"
EXPORT = "/v1/runs/1/export"


@pytest.fixture
def district_url(sqlite_district_url: str) -> str:
    """SQLite alone: what is held is held by its one writer."""
    return sqlite_district_url


@pytest.fixture
def store(sqlite_district_url: str) -> Iterator[Store]:
    opened = open_store(sqlite_district_url)
    yield opened
    opened.close()


def _sent(port: int, head: str, rest: bytes = b"") -> socket.socket:
    """A connection on which a request, or the beginning of one, was sent, and of which nothing is read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    connection.sendall(f"{head}\r\nHost: xinheng\r\n".encode() + rest)
    return connection


def _posted(port: int, token: str, body: bytes) -> tuple[int, str | None]:
    """The status of a request with a body, and when to come again."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/records", body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers["Retry-After"]


def test_a_body_that_does_not_come_keeps_nobody_waiting(store: Store, district_url: str) -> None:
    token = create_key(store, Role.REGULATOR, "慢").token
    begun = f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{{"
    with served(district_url, *SMALL) as (port, _), ExitStack() as slow:
        head = "POST /v1/records HTTP/1.1"
        sent = [slow.enter_context(_sent(port, head, begun.encode())) for _ in range(3 * PLACES)]
        until(
            lambda: len(select.select(sent, [], [], 0)[0]) == 2 * PLACES, "an answer for all but some bodies"
        )
        assert _posted(port, token, b"{}") == (503, "2")
        for path in (GRADE, "/v1/runs", "/sign-in", "/healthz"):
            assert {ask(port, path, token)[0] for _ in range(PLACES)} == {200}, path
        slow.close()
        until(lambda: _posted(port, token, b"{}")[0] == 422, "a body's turn")


def test_an_answer_that_is_not_read_keeps_nobody_waiting(store: Store, district_url: str) -> None:
    token = create_key(store, Role.REGULATOR, "慢").token
    with served(district_url, *SMALL) as (port, _), ExitStack() as slow:
        heads = [
            f"GET {path} HTTP/1.1"
            for path in ("/openapi.json", "/assets/echarts-6.1.0.common.min.js")
            for _ in range(3 * PLACES)
        ]
        sent = [slow.enter_context(_sent(port, head, b"\r\n")) for head in heads]
        until(lambda: len(select.select(sent, [], [], 0)[0]) == len(sent), "the beginning of each answer")
        for path in (GRADE, "/sign-in", "/healthz"):
            assert {ask(port, path, token)[0] for _ in range(PLACES)} == {200}, path


def test_look_ups_beyond_the_places_wait_a_moment_and_are_told_to_come_again(
    store: Store, district_url: str
) -> None:
    token = create_key(store, Role.REGULATOR, "忙").token
    answers: queue.Queue[tuple[int, bytes]] = queue.Queue()
    with served(district_url, *SMALL) as (port, _), closing(_writer(district_url)) as writer:
        asked = [
            threading.Thread(target=lambda: answers.put(ask(port, GRADE, token))) for _ in range(3 * PLACES)
        ]
        for thread in asked:
            thread.start()
        refused = [answers.get(timeout=PATIENCE) for _ in range(2 * PLACES)]
        assert ask(port, "/healthz")[0] == 200
        writer.rollback()
        for thread in asked:
            thread.join()
        told = Counter(answers.get()[0] for _ in range(PLACES))
    assert {status for status, _ in refused} == {503}
    assert {json.loads(body)["type"] for _, body in refused} == {"/problems/busy"}
    assert told == {200: PLACES}


def _writer(url: str) -> sqlite3.Connection:
    """Who writes, and lets nobody else write: an answer waits for its entry in the audit log."""
    writer = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    return writer


@pytest.mark.parametrize("body", ["Content-Length: 1000000000\r\n", "Content-Length: 16777217\r\n"])
def test_a_body_over_the_limit_is_refused_before_it_comes(store: Store, district_url: str, body: str) -> None:
    token = create_key(store, Role.REGULATOR, "大").token
    head = f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n{body}\r\n"
    with (
        served(district_url, *SMALL) as (port, _),
        _sent(port, "POST /v1/records HTTP/1.1", head.encode()) as connection,
    ):
        connection.settimeout(PATIENCE)
        assert connection.recv(12) == b"HTTP/1.1 413"


Inside = Callable[[str], str]


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    """Sends a request into a crowd that nobody leaves, and says whether it came in."""
    monkeypatch.setattr(crowd, "WAIT_SECONDS", 0)
    came, may_leave = queue.Queue[str](), threading.Event()

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if "xinheng.full" in environ:
            came.put("full")
        else:
            came.put("in")
            may_leave.wait()
        return [b""]

    crowded = Crowd(application, PLACES, 100)
    asked: list[threading.Thread] = []

    def send(path: str) -> str:
        environ = {"PATH_INFO": path, "wsgi.input": None}
        asked.append(threading.Thread(target=crowded, args=(environ, None)))
        asked[-1].start()
        return came.get(timeout=PATIENCE)

    yield send
    may_leave.set()
    for thread in asked:
        thread.join()


def test_exports_leave_places_to_pages_and_pages_to_look_ups(inside: Inside) -> None:
    assert [inside(EXPORT) for _ in range(2)] == ["in", "full"]
    for path in ("/simulation", "/v1/rule-drafts/examinations", "/v1/rule-drafts/0123abcd"):
        assert inside(path) == "full"
    assert [inside("/overview") for _ in range(PLACES)] == ["in"] * 3 + ["full"] * 5
    assert [inside(GRADE) for _ in range(PLACES)] == ["in"] * 4 + ["full"] * 4
    assert [inside(path) for path in ("/healthz", "/readyz", "/metrics")] == ["in"] * 3


def test_look_ups_may_have_every_place(inside: Inside) -> None:
    assert [inside(GRADE) for _ in range(PLACES + 1)] == ["in"] * PLACES + ["full"]
    assert inside("/overview") == "full"


def test_large_bodies_are_worked_on_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes several times its size: as many as there are places would take the machine's memory."""
    monkeypatch.setattr(crowd, "WAIT_SECONDS", 0)
    came, may_leave = queue.Queue[str](), threading.Event()

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        try:
            environ["wsgi.input"].read(1)
            came.put("in")
            may_leave.wait()
        except Problem:
            came.put("busy")
        return [b""]

    crowded, asked = Crowd(application, 32, 2**20), list[threading.Thread]()

    def send(path: str, size: int) -> str:
        environ = {"PATH_INFO": path, "wsgi.input": io.BytesIO(bytes(size))}
        asked.append(threading.Thread(target=crowded, args=(environ, None), daemon=True))
        asked[-1].start()
        return came.get(timeout=PATIENCE)

    assert [send("/v1/records", 2**20) for _ in range(3)] == ["in", "in", "busy"]
    assert [send("/repairs/new", 2**20), send("/v1/records", 2**10)] == ["busy", "in"]
    assert [send(EXPORT, 2**20) for _ in range(3)] == ["in", "in", "busy"]
    may_leave.set()
    for thread in asked:
        thread.join()
    assert send("/v1/records", 2**20) == "in"
    asked[-1].join()


STREAMS = f"""
from api.around.crowd import Crowd

def application(environ, start_response):
    full = "xinheng.full" in environ
    start_response("503 Busy" if full else "200 OK", [("Content-Type", "text/plain")])
    return [b""] if full or environ["PATH_INFO"] != {EXPORT!r} else (b"x" * 65_536 for _ in range(1000))

app = Crowd(application, {PLACES}, 100)
"""


@contextmanager
def _streaming(folder: Path) -> Iterator[int]:
    """The server that ``xinheng serve`` uses, with an export of more than any buffer holds."""
    (folder / "streams.py").write_text(STREAMS, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--interface", "wsgi", "--no-ws", "--port", str(port), "--log-level", "error"]
    threads = ["--blocking-threads", str(PLACES * THREADS_A_PLACE), "--working-dir", str(folder)]
    process = subprocess.Popen([sys.executable, "-m", "granian", *options, *threads, "streams:app"])
    try:
        until(lambda: _is_there(port), "the start of the server")
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def _is_there(port: int) -> bool:
    try:
        return ask(port, "/healthz")[0] == 200
    except OSError:
        return False


def test_an_export_that_is_not_read_keeps_its_place_until_its_reader_goes(tmp_path: Path) -> None:
    with _streaming(tmp_path) as port:
        with _sent(port, f"GET {EXPORT} HTTP/1.1", b"\r\n") as slow:
            assert slow.recv(1)
            assert {ask(port, EXPORT)[0] for _ in range(3)} == {503}
            assert {ask(port, path)[0] for path in (GRADE, "/overview") for _ in range(PLACES)} == {200}
        until(lambda: ask(port, EXPORT)[0] == 200, "the export's turn")
