"""Who began something, or asked for it, by a key that ends before it is done: it is not done."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from client import Client
from small_district import PACK

from api.app import create_app
from api.http.export import MEDIA_TYPES
from api.http.problems import Problem
from api.pages import exports
from api.resources import runs, tickets
from api.settings import Settings
from scoring.access.asked import log_refusal
from scoring.access.audit import entries
from scoring.access.keys import KeyNotFoundError, Role, create_key, revoke_key, rotate_key
from scoring.runs import jobs, leases, results
from scoring.runs.jobs import get_job, take_lease
from scoring.runs.leases import AskerEndedError
from scoring.runs.published import list_runs
from scoring.store import Store
from scoring.store.access import ApiKey
from scoring.store.base import Clock
from scoring.tickets import desk

DAY = dt.date(2026, 8, 31)
TICKET = {"title": "道路破损", "source": "hotline"}
PAST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
work = partial(jobs.work, refused=log_refusal)


def _key(store: Store) -> str:
    return create_key(store, Role.OPERATOR, "值班").key.prefix


def _end(store: Store, prefix: str, how: str) -> None:
    if how == "revoked":
        revoke_key(store, prefix)
        return
    with store.writing() as session:
        session.execute(sa.update(ApiKey).filter_by(prefix=prefix).values(expires_at=PAST))


def _refusals(store: Store) -> list[tuple[str, str, object]]:
    found = entries(store, action="jobs.refuse")
    return [(entry.actor, entry.role, entry.details["job"]) for entry in found]


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_job_whose_key_has_ended_does_not_begin_and_says_why(store: Store, how: str) -> None:
    prefix, before = _key(store), list_runs(store)
    job = take_lease(store, PACK, DAY, prefix)
    _end(store, prefix, how)
    with pytest.raises(AskerEndedError):
        work(store, job.id)
    found = get_job(store, job.id)
    assert (found.state, found.rows, how in str(found.problem)) == ("failed", None, True)
    assert list_runs(store) == before
    assert _refusals(store) == [(prefix, "operator", job.id)]
    assert take_lease(store, PACK, DAY, "tests").state == "queued"


@pytest.mark.parametrize("days", [None, 5], ids=["publish", "propose"])
def test_a_job_whose_key_ends_while_it_is_published_publishes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, days: int | None
) -> None:
    prefix, before = _key(store), list_runs(store)
    job = take_lease(store, PACK, DAY, prefix, propose_days=days)
    change = leases.change

    def change_and_end(session: sa.orm.Session, job_id: int, clock: Clock, **values: object) -> None:
        change(session, job_id, clock, **values)
        if values.get("state") == "publishing":
            sa.event.listen(session, "after_commit", lambda _: _end(store, prefix, "revoked"), once=True)

    monkeypatch.setattr(leases, "change", change_and_end)
    with pytest.raises(AskerEndedError):
        work(store, job.id)
    found = get_job(store, job.id)
    assert (found.state, found.run_id, found.proposal_id) == ("failed", None, None)
    assert list_runs(store) == before
    assert _refusals(store) == [(prefix, "operator", job.id)]


@pytest.mark.parametrize("hours", [0, 2])
def test_a_job_goes_on_by_the_key_that_took_the_place_of_the_one_that_asked(store: Store, hours: int) -> None:
    first = _key(store)
    job = take_lease(store, PACK, DAY, first)
    second = rotate_key(store, first, dt.timedelta(hours=hours)).key.prefix
    third = rotate_key(store, second).key.prefix
    _end(store, first, "expired")
    work(store, job.id)
    assert get_job(store, job.id).state == "published"
    following = take_lease(store, PACK, DAY, first)
    revoke_key(store, third)
    with pytest.raises(AskerEndedError):
        work(store, following.id)


def test_the_process_of_a_job_logs_that_it_was_refused(store: Store, district_url: str) -> None:
    prefix = _key(store)
    job = take_lease(store, PACK, DAY, prefix)
    revoke_key(store, prefix)
    done = subprocess.run(
        [sys.executable, "-m", leases.RUNS.module, str(job.id)],
        env=os.environ | {"XINHENG_DATABASE_URL": district_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert get_job(store, job.id).state == "failed"
    assert _refusals(store) == [(prefix, "operator", job.id)]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}], ids=["", "idempotent"])
def test_no_change_is_kept_of_a_key_that_ended_elsewhere(store: Store, headers: dict[str, str]) -> None:
    app = create_app(Settings(log_level="error", cache_seconds=3600), store)
    made = create_key(store, Role.REGULATOR, "李专员")
    client = Client(app.test_client(), made.token)
    assert client.get("/v1/tickets").status_code == 200, "this process knows the key, and for long"
    revoke_key(store, made.key.prefix)
    refused = client.post("/v1/tickets", json=TICKET, headers=headers)
    assert (refused.status_code, refused.json["detail"]) == (401, "this key is revoked")
    assert desk.list_tickets(store) == []


def test_a_change_whose_key_ends_while_it_is_made_is_not_kept(
    store: Store, regulator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ticket = desk.open_ticket

    def ends_first(*given: object) -> object:
        revoke_key(store, regulator.prefix)
        return open_ticket(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(tickets.desk, "open_ticket", ends_first)
    assert regulator.post("/v1/tickets", json=TICKET).status_code == 401
    assert desk.list_tickets(store) == []
    asked, failed = reversed(entries(store, action="tickets.post_ticket"))
    assert (asked.details["phase"], failed.details["phase"], failed.details["status"]) == (
        "asked",
        "failed",
        401,
    )


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_an_export_goes_no_further_once_its_key_has_ended(
    store: Store, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    app, made = create_app(Settings(log_level="error"), store), create_key(store, Role.REGULATOR, "李专员")
    batch = next(runs.stream_results(store, results.find_run(store, 1), "scores"))
    read = list[int]()

    def batches(*_: object) -> Iterator[pa.RecordBatch]:
        for number in range(4):
            if number == 2:
                revoke_key(store, made.key.prefix)
            read.append(number)
            yield batch

    monkeypatch.setattr(runs, "stream_results", batches)
    client = Client(app.test_client(), made.token)
    with pytest.raises(Problem, match="this key is revoked"):
        _ = client.get(f"/v1/runs/1/export?format={form}").data
    assert read == [0, 1, 2]


def test_a_workbook_is_not_handed_out_once_its_key_has_ended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, made = create_app(Settings(log_level="error"), store), create_key(store, Role.REGULATOR, "李专员")
    list_subjects = exports.list_subjects

    def ends_first(*given: Any, **more: Any) -> Any:
        revoke_key(store, made.key.prefix)
        return list_subjects(*given, **more)

    client = app.test_client()
    client.get("/sign-in")
    with client.session_transaction() as session:
        form = {"form_token": session["form_token"], "key": made.token, "next": ""}
    assert client.post("/sign-in", data=form).status_code == 303
    monkeypatch.setattr(exports, "list_subjects", ends_first)
    answer = client.get("/subjects/export")
    assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/sign-in")


def test_a_key_is_not_replaced_beside_one_further_down_its_line_that_works(store: Store) -> None:
    hour = dt.timedelta(hours=1)
    first = create_key(store, Role.REGULATOR, "李专员").key.prefix
    second = rotate_key(store, first, hour).key.prefix
    third = rotate_key(store, second, hour).key.prefix
    revoke_key(store, second)
    with pytest.raises(KeyNotFoundError, match=f"replaced by {third} already"):
        rotate_key(store, first)
    revoke_key(store, third)
    assert rotate_key(store, first).key.expires_at is None, "as the line ends, not as an overlap"


def test_who_ends_or_replaces_the_own_key_does_so(store: Store, regulator: Client) -> None:
    turned = regulator.post(f"/v1/keys/{regulator.prefix}/rotation", json={})
    assert turned.status_code == 201
    client = Client(regulator._client, turned.json["token"])
    assert client.delete(f"/v1/keys/{client.prefix}").json["state"] == "revoked"
    assert client.get("/v1/tickets").status_code == 401
