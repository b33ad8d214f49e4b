"""The API on its real server: several workers, real connections, stopped and killed."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from small_district import FINED, SUBJECTS
from waiting import PATIENCE, until
from warm import Warm

from scoring.access.audit import verify
from scoring.access.keys import Role, create_key
from scoring.store import Store

START = "from scoring.cli import main; main(prog_name='xinheng')"


@contextmanager
def _served(url: str, *options: str) -> Iterator[tuple[int, Warm]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as told:
        process = Warm(
            START,
            *("serve", "--port", str(port), "--workers", "2", *options),
            env=os.environ | {"XINHENG_DATABASE_URL": url, "XINHENG_LOG_LEVEL": "error"},
            stdout=told,
            stderr=told,
        )
        try:
            if not _is_ready(port, process):
                told.seek(0)
                raise RuntimeError(told.read().decode())
            yield port, process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait()
            process.close()


def _is_ready(port: int, process: Warm) -> bool:
    def has_ended_or_answers() -> bool:
        with contextlib.suppress(OSError):
            return process.poll() is not None or _ask(port, "/readyz")[0] == 200
        return False

    until(has_ended_or_answers, "the start of the server")
    return process.poll() is None


def _ask(port: int, path: str, token: str = "") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_workers_share_keys_log_and_metrics_and_stop_when_told(store: Store, district_url: str) -> None:
    token = create_key(store, Role.REGULATOR, "x").token
    with _served(district_url) as (port, process):
        asked = [threading.Thread(target=_ask_all, args=(port, token)) for _ in range(4)]
        for thread in asked:
            thread.start()
        for thread in asked:
            thread.join()
        metrics = _ask(port, "/metrics", token)[1].decode()
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    counted = 'xinheng_requests_total{endpoint="subjects.get_grade",method="GET",status="200"} 48.0'
    assert counted in metrics
    found = verify(store)
    assert (found.entries, found.faults) == (48, ())


def _ask_all(port: int, token: str) -> None:
    for subject in SUBJECTS:
        status, body = _ask(port, f"/v1/subjects/{subject}/grade", token)
        assert (status, json.loads(body)["subject_id"]) == (200, subject)


def test_what_was_answered_is_in_the_log_even_if_the_server_is_killed(
    store: Store, district_url: str
) -> None:
    token = create_key(store, Role.REGULATOR, "x").token
    answered: list[int] = []

    def ask_on(port: int) -> None:
        try:
            while True:
                answered.append(_ask(port, f"/v1/subjects/{FINED}/grade", token)[0])
        except (OSError, http.client.HTTPException):
            return

    with _served(district_url) as (port, process):
        threads = [threading.Thread(target=ask_on, args=(port,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        until(lambda: len(answered) >= 200, "the 200th answer")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for thread in threads:
            thread.join()
    found = verify(store)
    assert set(answered) == {200}
    assert found.faults == ()
    assert found.entries >= len(answered)


def test_a_wrong_setting_is_told_before_the_server_starts(sqlite_district_url: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", START, "serve", "--database", sqlite_district_url],
        env=os.environ | {"XINHENG_RATE_LIMIT": "often"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode == 1
    assert "XINHENG_RATE_LIMIT can't be 'often'" in result.stderr


@pytest.fixture
def generated(tmp_path: Path, app: object, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A client made from the API's document, named after its title."""
    document = tmp_path / "openapi.json"
    document.write_text(app.test_client().get("/openapi.json").text, encoding="utf-8")
    command = ["generate", "--path", str(document), "--meta", "none"]
    subprocess.run(
        [sys.executable, "-c", "from openapi_python_client.cli import app; app()", *command],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    monkeypatch.syspath_prepend(tmp_path)
    spec = importlib.util.find_spec("xinheng_client")
    assert spec is not None
    return importlib.import_module("xinheng_client")


def test_a_generated_client_goes_the_whole_round(
    store: Store, sqlite_template: Path, district_url: str, generated: ModuleType, document: dict[str, Any]
) -> None:
    """Record in, grade out, by code that nobody wrote."""
    paths = [operation for path in document["paths"].values() for operation in path.values()]
    asked = {operation["operationId"] for operation in paths if isinstance(operation, dict)}
    made = {path.stem for path in Path(str(generated.__file__)).parent.glob("api/*/*.py")}
    assert made - {"__init__"} == asked
    records = importlib.import_module("xinheng_client.api.records")
    importlib.import_module("xinheng_client.api.records.post_records")
    importlib.import_module("xinheng_client.api.records.get_record")
    grades = importlib.import_module("xinheng_client.api.subjects.get_grade")
    models = importlib.import_module("xinheng_client.models")
    row = {"record_id": "C-1", "subject_id": FINED, "kind": "complaint", "occurred_on": "2026-07-01"}
    row |= {"level": "settled", "status": "effective"}
    with _served(district_url) as (port, _):
        client = generated.AuthenticatedClient(
            base_url=f"http://127.0.0.1:{port}", token=create_key(store, Role.REGULATOR, "x").token
        )
        body = models.RecordsRequest.from_dict({"vocabulary": "enterprise", "records": [row]})
        done = records.post_records.sync(client=client, body=body, idempotency_key="round-1")
        found = records.get_record.sync("C-1", client=client)
        grade = grades.sync(FINED, client=client)
        missing = grades.sync_detailed("91110000600037341L", client=client)
    assert isinstance(done, models.Submission), done
    assert (done.new, done.rejected) == (1, 0)
    assert found.versions[0].data["kind"] == "complaint"
    assert (grade.subject_id, grade.tier) == (FINED, "B")
    assert (missing.status_code, missing.parsed.type_) == (404, "/problems/not-found")


def test_a_server_whose_main_process_is_killed_leaves_nothing_that_listens(
    store: Store, district_url: str
) -> None:
    token = create_key(store, Role.REGULATOR, "x").token
    with _served(district_url) as (port, process):
        _start_durable_rules(port, token)
        left = _descendants(process.pid)
        counts = _own_directory(process.pid)
        assert len(left) >= 3, "two workers and the process of durable_rules"
        process.kill()
        process.wait()
        until(lambda: not any(_is_running(pid) for pid in left), "the end of the server's processes")
    until(lambda: not _listens(port), "the end of the last listener")
    assert counts.exists()
    with _served(district_url) as (port, _):
        assert not counts.exists(), "what the killed one had put aside is cleared"


def _start_durable_rules(port: int, token: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    body = json.dumps({"title": "用电增容受阻", "source": "hotline"})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/tickets", body, headers)
    assert connection.getresponse().status == 201
    connection.close()


def _descendants(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    return [*children, *(found for child in children for found in _descendants(child))]


def _own_directory(pid: int) -> Path:
    """The directory whose lock a process holds."""
    [lock] = [fd.readlink() for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.readlink().name == "owner.lock"]
    return lock.parent


def _listens(port: int) -> bool:
    """Whether a connection is taken; one may be reset while the kernel still clears a killed process away."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
