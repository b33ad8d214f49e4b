"""A request that comes again with its key, at once, after a crash or much later, is not done again."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from client import Client, Sign
from flask import Flask
from small_district import FINED
from test_server import _served as served
from waiting import PATIENCE

from api.app import create_app
from api.around import journal
from api.around.claim import Claim
from api.around.idempotency import CLAIMED, HEADER, KEPT
from api.settings import Settings
from scoring.access.keys import Role, create_key
from scoring.store import Store, open_store
from scoring.store.access import KeptAnswer
from scoring.tickets import desk
from scoring.tickets.desk import list_tickets

TICKET = {"title": "消防通道被占用", "source": "hotline"}
RECORD = {"record_id": "C-1", "subject_id": FINED, "kind": "complaint", "occurred_on": "2026-07-01"}
KEY = {HEADER: "k-1"}


def _ago(store: Store, age: dt.timedelta) -> None:
    """Let all that is kept be older."""
    with store.writing() as session:
        for row in session.scalars(sa.select(KeptAnswer)):
            row.kept_at -= age


def _said(client: Client, action: str) -> list[dict[str, Any]]:
    """What the audit log says of an action's outcomes, the first first."""
    items = client.get(f"/v1/audit?action={action}&limit=100").json["items"]
    return [item for item in reversed(items) if item["details"].get("phase") != "asked"]


@contextlib.contextmanager
def _dying(where: Any, name: str) -> Iterator[None]:
    """Have a function end this process as kill -9 does."""
    before = getattr(where, name)
    setattr(where, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    try:
        yield
    finally:
        setattr(where, name, before)


def _killed(url: str, token: str, where: Any, name: str) -> None:
    """Send a request to a process that is killed when it comes to a function."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException), _dying(where, name):
            app = create_app(Settings(log_level="error", cache_seconds=0), open_store(url))
            Client(app.test_client(), token).post("/v1/tickets", json=TICKET, headers=KEY)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def _at_once(number: int, do: Callable[[int], None]) -> None:
    barrier = threading.Barrier(number)

    def run(index: int) -> None:
        barrier.wait()
        do(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _post(port: int, token: str, key: str, body: dict[str, Any]) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", HEADER: key}
        connection.request("POST", "/v1/tickets", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_six_at_once_with_one_key_open_one_ticket(store: Store, district_url: str) -> None:
    token = create_key(store, Role.REGULATOR, "x").token
    answers: list[tuple[int, Any]] = []
    with served(district_url) as (port, _):
        _at_once(6, lambda _: answers.append(_post(port, token, "k-1", TICKET)))
        last = _post(port, token, "k-1", TICKET)
    assert len(list_tickets(store)) == 1
    assert {status for status, _ in answers} <= {201, 409}
    assert all(body == last[1] for status, body in answers if status == 201)
    assert all("is under way" in body["detail"] for status, body in answers if status == 409)
    assert last[0] == 201


def test_after_the_server_was_killed_nothing_is_done_twice(store: Store, district_url: str) -> None:
    token = create_key(store, Role.REGULATOR, "x").token
    names = [f"k-{number}" for number in range(400)]
    sent: list[str] = []
    first: dict[str, tuple[int, Any]] = {}
    enough = threading.Event()

    def ask(port: int, own: list[str]) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            for name in own:
                sent.append(name)
                first[name] = _post(port, token, name, TICKET | {"title": name})
                if len(first) >= 24:
                    enough.set()

    with served(district_url) as (port, process):
        threads = [threading.Thread(target=ask, args=(port, names[n::8])) for n in range(8)]
        for thread in threads:
            thread.start()
        assert enough.wait(PATIENCE)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for thread in threads:
            thread.join()
    _ago(store, CLAIMED)
    with served(district_url) as (port, _):
        again = {name: _post(port, token, name, TICKET | {"title": name}) for name in sent}
    titles = [ticket.title for ticket in list_tickets(store, limit=1000)]
    assert {name: again[name] for name in first} == first
    assert sorted(titles) == sorted(sent)
    assert {status for status, _ in again.values()} <= {201, 409}
    lost = [body["detail"] for status, body in again.values() if status == 409]
    assert all("its answer was lost" in detail for detail in lost)


def test_a_worker_that_is_killed_before_it_did_anything_lets_the_request_be_tried_again(
    store: Store, district_url: str, regulator: Client
) -> None:
    _killed(district_url, regulator.token, desk, "open_ticket")
    waiting = regulator.post("/v1/tickets", json=TICKET, headers=KEY)
    assert (waiting.status_code, waiting.headers["Retry-After"]) == (409, "2")
    assert list_tickets(store) == []
    _ago(store, CLAIMED)
    assert regulator.post("/v1/tickets", json=TICKET, headers=KEY).status_code == 201
    assert len(list_tickets(store)) == 1


def test_a_worker_that_is_killed_after_it_did_something_leaves_word_of_that(
    store: Store, district_url: str, regulator: Client
) -> None:
    _killed(district_url, regulator.token, Claim, "answer")
    assert len(list_tickets(store)) == 1
    assert "is under way" in regulator.post("/v1/tickets", json=TICKET, headers=KEY).json["detail"]
    _ago(store, CLAIMED)
    for _ in range(2):
        answer = regulator.post("/v1/tickets", json=TICKET, headers=KEY)
        assert answer.status_code == 409
        assert "its answer was lost. It is not done again: look up what was done" in answer.json["detail"]
    assert len(list_tickets(store)) == 1


def test_an_attempt_that_lost_its_claim_changes_nothing(
    store: Store, app: Flask, regulator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ticket = desk.open_ticket
    others: list[int] = []

    def take_over() -> None:
        _ago(store, CLAIMED)
        other = Client(app.test_client(), regulator.token)
        others.append(other.post("/v1/tickets", json=TICKET, headers=KEY).status_code)

    def slow(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(desk, "open_ticket", open_ticket)
        _at_once(1, lambda _: take_over())
        return open_ticket(*arguments, **options)

    monkeypatch.setattr(desk, "open_ticket", slow)
    answer = regulator.post("/v1/tickets", json=TICKET, headers=KEY)
    assert others == [201]
    assert (answer.status_code, "took over" in answer.json["detail"]) == (409, True)
    assert len(list_tickets(store)) == 1


def test_a_request_that_failed_without_doing_anything_may_be_tried_again(
    store: Store, regulator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(desk, "open_ticket", broken)
        assert regulator.post("/v1/tickets", json=TICKET, headers=KEY).status_code == 500
    refused = regulator.post("/v1/tickets", json={"title": "x"}, headers=KEY)
    assert refused.status_code == 422
    assert regulator.post("/v1/tickets", json=TICKET, headers=KEY).status_code == 201
    assert len(list_tickets(store)) == 1


def test_a_request_that_failed_after_it_did_something_is_not_done_again(
    store: Store, regulator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ticket = desk.open_ticket

    def broken(*arguments: Any, **options: Any) -> None:
        open_ticket(*arguments, **options)
        raise RuntimeError("broken")

    monkeypatch.setattr(desk, "open_ticket", broken)
    assert regulator.post("/v1/tickets", json=TICKET, headers=KEY).status_code == 500
    assert regulator.post("/v1/tickets", json=TICKET, headers=KEY).status_code == 409
    assert len(list_tickets(store)) == 1


def test_a_change_without_a_key_is_no_business_of_the_request_before_it(regulator: Client) -> None:
    regulator.post("/v1/tickets", json=TICKET, headers=KEY)
    assert regulator.post("/v1/tickets", json=TICKET).status_code == 201


@pytest.mark.parametrize(
    ("path", "body", "is_made"),
    [("/v1/tickets", TICKET, True), ("/v1/records", {"records": [RECORD]}, False)],
)
def test_an_answer_that_is_sent_again_is_the_same_with_its_place(
    regulator: Client, path: str, body: dict[str, Any], is_made: bool
) -> None:
    first, again = (regulator.post(path, json=body, headers=KEY) for _ in range(2))
    assert (first.status_code, first.text, first.content_type) == (
        again.status_code,
        again.text,
        again.content_type,
    )
    assert first.headers.get("Location") == again.headers.get("Location")
    assert ("Location" in again.headers) is is_made


def test_the_address_is_part_of_the_request(regulator: Client) -> None:
    body = {"reason": "x", "evidence": [{"title": "x", "reference": "1"}], "effective_on": "2026-07-01"}
    assert regulator.post("/v1/records/P-1/objections", json=body, headers=KEY).status_code == 201
    for path in ("/v1/records/P-1/appeals", "/v1/records/P-2/objections", "/v1/records/P-1/objections?x=1"):
        answer = regulator.post(path, json=body, headers=KEY)
        assert (answer.status_code, "used for another request" in answer.json["detail"]) == (409, True), path


def test_a_request_under_way_is_not_taken_for_another_one(store: Store, regulator: Client) -> None:
    regulator.post("/v1/tickets", json=TICKET, headers=KEY)
    with store.writing() as session:
        session.execute(sa.update(KeptAnswer).values(status=None, body=None, changed_at=None))
    _ago(store, CLAIMED)
    other = regulator.post("/v1/tickets", json=TICKET | {"title": "y"}, headers=KEY)
    assert (other.status_code, "used for another request" in other.json["detail"]) == (409, True)


def test_a_replaced_key_goes_on_with_its_idempotency_keys(
    store: Store, app: Flask, regulator: Client, sign_in: Sign
) -> None:
    first = regulator.post("/v1/tickets", json=TICKET, headers=KEY)
    client = regulator
    for _ in range(2):
        made = client.post(f"/v1/keys/{client.prefix}/rotation", json={"overlap_hours": 1}).json
        client = Client(app.test_client(), made["token"])
        assert client.post("/v1/tickets", json=TICKET, headers=KEY).json == first.json
    assert len(list_tickets(store)) == 1
    assert sign_in(Role.REGULATOR).post("/v1/tickets", json=TICKET, headers=KEY).status_code == 201


def test_an_answer_is_forgotten_after_its_time_and_not_before(store: Store, regulator: Client) -> None:
    first = regulator.post("/v1/tickets", json=TICKET, headers=KEY).json
    _ago(store, KEPT - dt.timedelta(minutes=1))
    assert regulator.post("/v1/tickets", json=TICKET, headers=KEY).json == first
    _ago(store, dt.timedelta(minutes=1))
    assert regulator.post("/v1/tickets", json=TICKET, headers=KEY).json["id"] != first["id"]


def test_a_clock_that_was_set_back_forgets_nothing_and_keeps_no_claim(
    store: Store, regulator: Client
) -> None:
    first = regulator.post("/v1/tickets", json=TICKET, headers=KEY).json
    _ago(store, -dt.timedelta(days=30))
    assert regulator.post("/v1/tickets", json=TICKET, headers=KEY).json == first
    with store.writing() as session:
        session.execute(sa.update(KeptAnswer).values(status=None, body=None, changed_at=None))
    assert regulator.post("/v1/tickets", json=TICKET, headers=KEY).status_code == 201


def test_every_time_that_an_answer_is_sent_again_is_in_the_audit_log(
    regulator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ticket = desk.open_ticket

    def told(*arguments: Any, **options: Any) -> Any:
        journal.subject(FINED)
        journal.detail(source="hotline")
        journal.note("one.of.many", FINED, tier="B")
        return open_ticket(*arguments, **options)

    monkeypatch.setattr(desk, "open_ticket", told)
    for _ in range(3):
        assert regulator.post("/v1/tickets", json=TICKET, headers=KEY).status_code == 201
    asked = _said(regulator, "tickets.post_ticket")
    assert [(entry["subject_id"], entry["details"]["source"]) for entry in asked] == [(FINED, "hotline")] * 3
    parts = _said(regulator, "one.of.many")
    assert [(entry["subject_id"], entry["details"]["tier"]) for entry in parts] == [(FINED, "B")] * 3
    for entries in (asked, parts):
        assert [entry["details"].get("repeated") for entry in entries] == [None, True, True]
