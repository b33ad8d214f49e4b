"""Runs that are asked for and done in the background, each in a process of its own.

A process of its own keeps the memory and the work of a batch away from those who look grades up, and a server
that stops its workers leaves nothing half done: a run is published whole or not at all.

One job at a time holds the lease, which the database gives once. Its process says every :data:`BEAT` that it
is alive; of one that was not heard of for :data:`LEASE` the lease is taken away, whatever became of it or its
host. A run is published in the transaction that gives the lease back, by the job that has it or not at all.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.titles import Title, TitledError, UnknownError
from scoring.runs.batch import Confirm, Progress, run
from scoring.runs.proposals import check_publication, propose, publish_proposal
from scoring.runs.proposed import refuse_held, show_proposal
from scoring.store import Store, StoreError, open_store
from scoring.store.access import RunJob
from scoring.store.base import Clock, database_time
from scoring.store.connection import URL_VARIABLE
from scoring.store.rulebook import known_pack, require_agreement

LEASE = dt.timedelta(minutes=2)
BEAT = dt.timedelta(seconds=10)
_STEPS = {"snapshot": "grading", "grade": "publishing"}
_HELD = 1


class JobConflictError(TitledError):
    """Another job is not done yet."""

    def __init__(self, job_id: int | None) -> None:
        self.job_id = job_id
        zh, en = ("", "another job") if job_id is None else (str(job_id), f"job {job_id}")
        super().__init__(
            Title(
                f"评价任务{zh}尚未完成,请在其完成后再开始",
                f"{en} is not done yet; a run may start when it is",
            )
        )


class JobLostError(Exception):
    """A job does not hold the lease: it must not go on."""


class JobNotFoundError(UnknownError):
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
    propose_days: int | None
    proposal_id: int | None


def request_run(
    store: Store,
    pack_id: str,
    as_of: dt.date,
    requested_by: str,
    clock: Clock = database_time,
    propose_days: int | None = None,
) -> Job:
    """Note that a run is wanted, and start it.

    :param propose_days: for how many days it is proposed first; None for one that is published.
    :raises UnknownPackError: where no such pack is in force on that date, or nobody can say which version is.
    :raises HeldError: where a proposal of the pack is open.
    :raises JobConflictError: where another one is still at work; one at a time.
    """
    known_pack(store, pack_id, as_of)
    with store.reading() as session:
        require_agreement(session, pack_id)
        refuse_held(session, pack_id)
    job = take_lease(store, pack_id, as_of, requested_by, clock, propose_days=propose_days)
    _start(store, job.id)
    return job


def request_publication(store: Store, proposal_id: int, requested_by: str) -> Job:
    """Note that a proposal is to be published, and start that.

    :raises UnknownProposalError, ProposalRefusedError: where there is none, or it may not be published now.
    :raises JobConflictError: where another one is still at work; one at a time.
    """
    check_publication(store, proposal_id)
    found = show_proposal(store, proposal_id)
    job = take_lease(store, found.pack_id, found.as_of, requested_by, proposal_id=proposal_id)
    _start(store, job.id)
    return job


def take_lease(
    store: Store,
    pack_id: str,
    as_of: dt.date,
    requested_by: str,
    clock: Clock = database_time,
    **what: int | None,
) -> Job:
    """A job that has the lease, to be started within :data:`LEASE`.

    :param what: ``propose_days`` to propose, ``proposal_id`` to publish what was proposed.
    :raises JobConflictError: where another one has it.
    """
    try:
        with store.writing() as session:
            now = clock(session)
            holder = _holder(session)
            if holder is not None and not _end_lost(session, holder, now):
                raise JobConflictError(holder.id)
            row = RunJob(
                pack_id=pack_id,
                as_of=as_of,
                state="queued",
                requested_by=requested_by,
                requested_at=now,
                changed_at=now,
                lease=_HELD,
                beat_at=now,
                **what,
            )
            session.add(row)
            session.flush()
            return _job(row)
    except sa.exc.IntegrityError:  # another one took it at the same time
        with store.reading() as session:
            holder = _holder(session)
        raise JobConflictError(None if holder is None else holder.id) from None


def get_job(store: Store, job_id: int, clock: Clock = database_time) -> Job:
    """A job as it stands; one that was not heard of for too long has failed.

    :raises JobNotFoundError: where there is none.
    """
    end_lost_job(store, clock)
    with store.reading() as session:
        row = session.get(RunJob, job_id)
    if row is None:
        raise JobNotFoundError(Title(f"没有评价任务{job_id}", f"there is no job {job_id}"))
    return _job(row)


def list_jobs(
    store: Store, before: int | None = None, limit: int | None = None, clock: Clock = database_time
) -> list[Job]:
    """Jobs, the newest first.

    :param before: only jobs with a smaller number: the last of the page before.
    """
    end_lost_job(store, clock)
    query = sa.select(RunJob).order_by(RunJob.id.desc()).limit(limit)
    if before is not None:
        query = query.where(RunJob.id < before)
    with store.reading() as session:
        return [_job(row) for row in session.scalars(query)]


def end_lost_job(store: Store, clock: Clock = database_time) -> None:
    """Take the lease away from a job that was not heard of for :data:`LEASE`."""
    with store.reading() as session:
        holder = _holder(session)
        if holder is None or not _is_lost(holder, clock(session)):
            return
    with store.writing() as session:
        if (holder := _holder(session)) is not None:
            _end_lost(session, holder, clock(session))


def work(store: Store, job_id: int, beat: dt.timedelta = BEAT, clock: Clock = database_time) -> None:
    """Do a job in this process, and note how it goes.

    :raises JobNotFoundError: where there is none.
    :raises JobLostError: where it does not have the lease; nothing is published then.
    """
    with store.reading() as session:
        row = session.get(RunJob, job_id)
    if row is None:
        raise JobNotFoundError(Title(f"没有评价任务{job_id}", f"there is no job {job_id}"))

    def note(**values: Any) -> None:
        with store.writing() as session:
            _change(session, job_id, clock, **values)

    def progress(step: str, rows: int) -> None:
        """The steps of publishing come in the transaction that holds the store: nothing can be noted then."""
        if step in _STEPS:
            note(state=_STEPS[step], **({"rows": rows} if step == "snapshot" else {}))

    def published(session: Session, run_id: int) -> None:
        _change(session, job_id, clock, state="published", run_id=run_id, lease=None)

    def proposed(session: Session, proposal_id: int) -> None:
        _change(session, job_id, clock, state="proposed", proposal_id=proposal_id, lease=None)

    note(state="snapshot", host=socket.gethostname(), pid=os.getpid())
    try:
        with _beating(store, job_id, beat, clock):
            _do(store, row, progress, published, proposed)
    except JobLostError:
        raise
    except Exception as error:
        note(state="failed", problem=str(error), lease=None)
        raise


def _do(store: Store, row: RunJob, progress: Progress, published: Confirm, proposed: Confirm) -> None:
    """What the job is for."""
    by = row.requested_by
    if row.proposal_id is not None:
        publish_proposal(store, row.proposal_id, by, progress=progress, confirm=published)
        return
    pack = known_pack(store, row.pack_id, row.as_of)
    if row.propose_days is not None:
        propose(store, pack, row.as_of, row.propose_days, by, progress=progress, confirm=proposed)
        return
    run(store, pack, row.as_of, progress=progress, confirm=published, decided_by=by)


def main() -> None:
    """``python -m scoring.runs.jobs NUMBER``: do a job of the store that the environment names."""
    store = open_store()
    try:
        work(store, int(sys.argv[1]))
    finally:
        store.close()


def _start(store: Store, job_id: int) -> None:
    url = store.engine.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "scoring.runs.jobs", str(job_id)],
        env=os.environ | {URL_VARIABLE: url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    threading.Thread(target=_wait_for, args=(store, job_id, process), daemon=True).start()


def _wait_for(store: Store, job_id: int, process: subprocess.Popen[bytes]) -> None:
    """See a job's process end; one that ended with its lease has failed, and nobody needs to wait for it.

    Where the store can't be told now, the lease runs out.
    """
    process.wait()
    with suppress(StoreError), store.writing() as session:
        _fail(session, job_id, database_time(session), "its process ended before the run was published")


@contextmanager
def _beating(store: Store, job_id: int, every: dt.timedelta, clock: Clock) -> Iterator[None]:
    """Say meanwhile that the job is alive. A beat that the store can't take is made up for by the next."""
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.wait(every.total_seconds()):
            try:
                with store.writing() as session:
                    _change(session, job_id, clock)
            except StoreError:
                continue
            except JobLostError:
                return  # the next step notices it, or the publishing does

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _holder(session: Session) -> RunJob | None:
    return session.scalar(sa.select(RunJob).where(RunJob.lease == _HELD))


def _is_lost(row: RunJob, now: dt.datetime) -> bool:
    """By a clock that may have been set back: a beat from the future is none."""
    return row.beat_at is None or abs(now - row.beat_at) >= LEASE


def _end_lost(session: Session, row: RunJob, now: dt.datetime) -> bool:
    """Take the lease from a job that is lost; whether it is."""
    if not _is_lost(row, now):
        return False
    reason = (
        f"it was not heard of since {row.beat_at}: its process or its host ended before the run was published"
    )
    _fail(session, row.id, now, reason, RunJob.beat_at == row.beat_at)
    return True


def _fail(
    session: Session, job_id: int, now: dt.datetime, reason: str, *still: sa.ColumnElement[bool]
) -> None:
    session.execute(
        sa.update(RunJob)
        .where(RunJob.id == job_id, RunJob.lease == _HELD, *still)
        .values(state="failed", problem=reason, lease=None, changed_at=now)
    )


def _change(session: Session, job_id: int, clock: Clock, **values: Any) -> None:
    """Change a job that has the lease; every change is a beat."""
    now = clock(session)
    done = session.execute(
        sa.update(RunJob)
        .where(RunJob.id == job_id, RunJob.lease == _HELD)
        .values(beat_at=now, **({"changed_at": now} if values else {}), **values)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise JobLostError(f"job {job_id} has lost its lease: its run is not published")


def _job(row: RunJob) -> Job:
    return Job(**{name: getattr(row, name) for name in Job.__slots__})


if __name__ == "__main__":
    from scoring.cli.errors import plainly

    with plainly("scoring.runs.jobs NUMBER"):
        main()
