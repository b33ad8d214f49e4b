"""One run at a time: who has the lease may publish, and who is not heard of any more has it no longer."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa
from client import Client
from small_district import PACK

from scoring.runs import jobs, leases
from scoring.runs.jobs import get_job, list_jobs, take_lease, work
from scoring.runs.leases import LEASE, JobConflictError, JobLostError
from scoring.runs.published import list_runs
from scoring.store import Store, open_store
from scoring.store.access import RunJob
from scoring.store.base import Clock

DAY = dt.date(2026, 8, 31)
NOON = dt.datetime(2026, 9, 1, 4, tzinfo=dt.UTC)
MOMENT = dt.timedelta(microseconds=1)


def _at(moment: dt.datetime) -> Clock:
    return lambda session: moment


def test_one_run_at_a_time(store: Store, regulator: Client) -> None:
    first = take_lease(store, PACK, DAY, "tests")
    answer = regulator.post("/v1/runs", json={})
    assert (answer.status_code, f"job {first.id} " in answer.json["detail"]) == (409, True)


def test_of_two_requests_at_once_one_gets_the_run(store: Store, district_url: str) -> None:
    stores = [open_store(district_url) for _ in range(4)]
    at_once = threading.Barrier(len(stores))
    got: list[int] = []
    told: list[int | None] = []

    def ask(own: Store) -> None:
        at_once.wait()
        try:
            got.append(take_lease(own, PACK, DAY, "tests").id)
        except JobConflictError as error:
            told.append(error.job_id)

    for _ in range(5):
        threads = [threading.Thread(target=ask, args=(own,)) for own in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert told == got * (len(stores) - 1), "all others hear whose it is"
        assert len(got) == 1
        with store.writing() as session:
            session.execute(sa.update(RunJob).values(lease=None, state="failed"))
        got.clear(), told.clear()
    for own in stores:
        own.close()


def test_a_job_lost_with_its_host_holds_nobody_up_once_its_lease_is_over(store: Store) -> None:
    lost = take_lease(store, PACK, DAY, "tests", _at(NOON))
    with pytest.raises(JobConflictError):
        take_lease(store, PACK, DAY, "tests", _at(NOON + LEASE - MOMENT))
    assert get_job(store, lost.id, _at(NOON + LEASE - MOMENT)).state == "queued"
    following = take_lease(store, PACK, DAY, "tests", _at(NOON + LEASE))
    job = get_job(store, lost.id, _at(NOON + LEASE))
    assert (job.state, "not heard of since 2026-09-01 04:00" in str(job.problem)) == ("failed", True)
    assert get_job(store, following.id, _at(NOON + LEASE)).state == "queued"


def test_whoever_looks_at_a_lost_job_sees_that_it_failed(store: Store) -> None:
    lost = take_lease(store, PACK, DAY, "tests", _at(NOON))
    assert [job.state for job in list_jobs(store, clock=_at(NOON))] == ["queued"]
    assert [job.state for job in list_jobs(store, clock=_at(NOON + LEASE))] == ["failed"]
    assert get_job(store, lost.id, _at(NOON)).state == "failed"


def test_a_clock_that_was_set_back_keeps_no_lease_alive(store: Store) -> None:
    take_lease(store, PACK, DAY, "tests", _at(NOON))
    with pytest.raises(JobConflictError):
        take_lease(store, PACK, DAY, "tests", _at(NOON - LEASE + MOMENT))
    assert take_lease(store, PACK, DAY, "tests", _at(NOON - dt.timedelta(days=1))).state == "queued"


def test_a_job_that_goes_on_keeps_its_lease(store: Store) -> None:
    job = take_lease(store, PACK, DAY, "tests", _at(NOON))
    later = NOON + LEASE - MOMENT
    seen: list[dt.datetime | None] = []

    def clock(session: sa.orm.Session) -> dt.datetime:
        seen.append(session.scalar(sa.select(RunJob.beat_at).where(RunJob.id == job.id)))
        return later

    work(store, job.id, clock=clock)
    assert seen[0] == NOON
    assert set(seen[1:]) == {later}
    done = get_job(store, job.id, _at(later))
    assert (done.state, done.rows, done.problem, done.changed_at) == ("published", 30, None, later)
    assert list_runs(store)[0].id == done.run_id
    assert take_lease(store, PACK, DAY, "tests", _at(later)).id != job.id


def test_a_job_says_that_it_is_alive_while_it_works(store: Store) -> None:
    job = take_lease(store, PACK, DAY, "tests", _at(NOON))
    came = threading.Event()

    def clock(_: sa.orm.Session) -> dt.datetime:
        if threading.current_thread() is not threading.main_thread():
            came.set()
        return NOON + MOMENT

    with leases._beating(store, job.id, dt.timedelta(milliseconds=1), clock):
        assert came.wait(60)
    assert get_job(store, job.id, _at(NOON + LEASE)).state == "queued", "by its last beat"
    assert get_job(store, job.id, _at(NOON)).changed_at == NOON, "a beat is no change"


def test_a_job_that_lost_its_lease_publishes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = take_lease(store, PACK, DAY, "tests", _at(NOON))
    runs_before = [run.id for run in list_runs(store)]
    taken: list[int] = []

    def lose(state: str) -> None:
        if state == "publishing" and not taken:
            taken.append(take_lease(store, PACK, DAY, "other", _at(NOON + LEASE)).id)

    change = leases.change

    def change_and_lose(session: sa.orm.Session, job_id: int, clock: Clock, **values: object) -> None:
        change(session, job_id, clock, **values)
        sa.event.listen(session, "after_commit", lambda _: lose(str(values.get("state"))))

    monkeypatch.setattr(leases, "change", change_and_lose)
    with pytest.raises(JobLostError):
        work(store, slow.id, clock=_at(NOON))
    assert [run.id for run in list_runs(store)] == runs_before
    assert get_job(store, slow.id, _at(NOON + LEASE)).state == "failed"
    assert get_job(store, taken[0], _at(NOON + LEASE)).state == "queued"


def test_a_job_is_done_once_however_often_it_is_started(store: Store) -> None:
    job = take_lease(store, PACK, DAY, "tests")
    work(store, job.id)
    with pytest.raises(JobLostError):
        work(store, job.id)
    assert len(list_runs(store)) == 3


def test_a_job_whose_process_can_not_start_has_failed_at_once_and_the_next_may_start(
    store: Store, regulator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    answer = regulator.post("/v1/runs", json={})
    found = get_job(store, answer.json["id"])
    assert (answer.status_code, found.state) == (202, "failed")
    assert "can't be started: No such file" in str(found.problem)
    assert take_lease(store, PACK, DAY, "tests").state == "queued"


def test_a_job_that_the_database_refused_shows_no_statement(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor whom the statement was about; the process's own log has it."""
    job = take_lease(store, PACK, DAY, "tests")

    def refused(*given: object, **more: object) -> None:
        moments = {"requested_at": NOON, "changed_at": NOON, "beat_at": NOON}
        with store.writing() as session:
            session.add(
                RunJob(pack_id="某某", as_of=DAY, state="queued", requested_by="x", lease=1, **moments)
            )

    monkeypatch.setattr(jobs, "run", refused)
    with pytest.raises(sa.exc.IntegrityError):
        work(store, job.id)
    problem = str(get_job(store, job.id).problem)
    assert ("IntegrityError" in problem, "INSERT" in problem, "lease" in problem) == (True, False, False)


def test_a_killed_worker_has_failed_and_the_next_may_start(store: Store, district_url: str) -> None:
    job = take_lease(store, PACK, DAY, "tests")
    process = subprocess.Popen(
        [sys.executable, "-c", _STOPPED, str(job.id)],
        env=os.environ | {"XINHENG_DATABASE_URL": district_url},
        stdout=subprocess.PIPE,
    )
    watch = threading.Thread(target=leases._wait_for, args=(store, job.id, process))
    watch.start()
    assert process.stdout is not None
    assert process.stdout.readline() == b"grading\n"
    with pytest.raises(JobConflictError):
        take_lease(store, PACK, DAY, "tests")
    process.send_signal(signal.SIGKILL)
    watch.join()
    process.stdout.close()
    found = get_job(store, job.id)
    assert (found.state, found.run_id) == ("failed", None)
    assert "ended before" in str(found.problem)
    assert take_lease(store, PACK, DAY, "tests").state == "queued"
    assert len(list_runs(store)) == 2


_STOPPED = """
import signal
from scoring.runs import batch as runs, jobs, leases
def stop(*arguments, **options):
    print("grading", flush=True)
    signal.pause()
runs.news_between = stop
leases.main(jobs.work)
"""
