"""Runs that are asked for and done in the background, each in a process of its own.

A process of its own keeps the memory and the work of a batch away from those who look grades up, and a server
that stops its workers leaves nothing half done: a run is published whole or not at all.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.loader import find_pack
from scoring.runs import run
from scoring.store import Store, open_store
from scoring.store.access import RunJob
from scoring.store.connection import URL_VARIABLE

ENDED = ("published", "failed")
_START_WITHIN = dt.timedelta(minutes=1)
_STEPS = {"snapshot": "grading", "grade": "publishing"}


class JobConflictError(Exception):
    """Another job is not done yet."""

    def __init__(self, job_id: int) -> None:
        self.job_id = job_id
        super().__init__(f"job {job_id} is not done yet; a run may start when it is")


class JobNotFoundError(LookupError):
    """There is no job of that number."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run that was asked for: see :class:`scoring.store.access.RunJob`."""

    id: int
    pack_id: str
    as_of: dt.date
    state: str
    rows: int | None
    run_id: int | None
    problem: str | None
    requested_by: str
    requested_at: dt.datetime
    changed_at: dt.datetime


def request_run(store: Store, pack_id: str, as_of: dt.date, requested_by: str) -> Job:
    """Note that a run is wanted, and start it.

    :raises UnknownPackError: where no such pack is in force on that date.
    :raises JobConflictError: where another one is still at work; one at a time.
    """
    find_pack(pack_id, as_of)
    now = dt.datetime.now(dt.UTC)
    with store.writing() as session:
        _refuse_second(session)
        row = RunJob(
            pack_id=pack_id,
            as_of=as_of,
            state="queued",
            requested_by=requested_by,
            requested_at=now,
            changed_at=now,
        )
        session.add(row)
        session.flush()
        job = _job(row)
    _start(store, job.id)
    return job


def get_job(store: Store, job_id: int) -> Job:
    """A job as it stands; one whose process is gone has failed.

    :raises JobNotFoundError: where there is none.
    """
    with store.reading() as session:
        row = session.get(RunJob, job_id)
    if row is None:
        raise JobNotFoundError(f"there is no job {job_id}")
    if not _is_lost(row):
        return _job(row)
    _change(store, job_id, state="failed", problem="its process ended before the run was published")
    return get_job(store, job_id)


def list_jobs(store: Store, before: int | None = None, limit: int = 100) -> list[Job]:
    """Jobs, the newest first.

    :param before: only jobs with a smaller number: the last of the page before.
    """
    query = sa.select(RunJob).order_by(RunJob.id.desc()).limit(limit)
    if before is not None:
        query = query.where(RunJob.id < before)
    with store.reading() as session:
        return [_job(row) for row in session.scalars(query)]


def work(store: Store, job_id: int) -> None:
    """Do a job in this process, and note how it goes."""
    job = get_job(store, job_id)

    def progress(step: str, rows: int) -> None:
        """The steps of publishing come in the transaction that holds the store: nothing can be noted then."""
        if step in _STEPS:
            counted = {"rows": rows} if step == "snapshot" else {}
            _change(store, job_id, state=_STEPS[step], **counted)

    _change(store, job_id, state="snapshot", host=socket.gethostname(), pid=os.getpid())
    try:
        done = run(store, find_pack(job.pack_id, job.as_of), job.as_of, progress=progress)
    except Exception as error:
        _change(store, job_id, state="failed", problem=str(error))
        raise
    _change(store, job_id, state="published", run_id=done.id)


def main() -> None:
    """``python -m scoring.jobs NUMBER``: do a job of the store that the environment names."""
    store = open_store()
    try:
        work(store, int(sys.argv[1]))
    finally:
        store.close()


def _start(store: Store, job_id: int) -> None:
    url = store.engine.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "scoring.jobs", str(job_id)],
        env=os.environ | {URL_VARIABLE: url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    _change(store, job_id, host=socket.gethostname(), pid=process.pid)
    threading.Thread(target=process.wait, daemon=True).start()  # so that no ended process is left over


def _refuse_second(session: Session) -> None:
    for row in session.scalars(sa.select(RunJob).where(RunJob.state.not_in(ENDED))):
        if not _is_lost(row):
            raise JobConflictError(row.id)


def _is_lost(row: RunJob) -> bool:
    """Whether a job's process never started, or ran on this host and is gone."""
    if row.state in ENDED:
        return False
    if row.pid is None:
        return row.changed_at < dt.datetime.now(dt.UTC) - _START_WITHIN
    if row.host != socket.gethostname():
        return False
    try:
        os.kill(row.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _change(store: Store, job_id: int, **values: Any) -> None:
    change = sa.update(RunJob).where(RunJob.id == job_id)
    with store.writing() as session:
        session.execute(change.values(changed_at=dt.datetime.now(dt.UTC), **values))


def _job(row: RunJob) -> Job:
    return Job(**{name: getattr(row, name) for name in Job.__slots__})


if __name__ == "__main__":
    from scoring.cli.errors import plainly

    with plainly("scoring.jobs NUMBER"):
        main()
