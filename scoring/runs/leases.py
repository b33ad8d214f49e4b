"""Work that is asked for and done in the background, each piece in a process of its own.

A process of its own keeps the memory and the work away from those who look grades up, and a server that stops
its workers leaves nothing half done.

Of each kind one job at a time holds the lease, which the database gives once. Its process says every
:data:`BEAT` that it is alive; of one that was not heard of for :data:`LEASE` the lease is taken away,
whatever became of it or its host.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.fault import PackError
from rules.titles import Title, TitledError, UnknownError
from scoring.store import Store, StoreError, accompany_changes, open_store
from scoring.store.access import EVERY_PACK, RunJob
from scoring.store.base import Clock, database_time
from scoring.store.connection import URL_VARIABLE
from scoring.store.standing import ACTIVE, standing

LEASE = dt.timedelta(minutes=2)
BEAT = dt.timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is done in the background, one job at a time.

    :param lease: which lease its jobs hold.
    :param module: what does them, by ``python -m``.
    :param title: what a job is called.
    :param is_by_every_pack: whether its jobs are of no pack in particular.
    """

    lease: int
    module: str
    title: Title
    is_by_every_pack: bool = False

    @property
    def is_ours(self) -> sa.ColumnElement[bool]:
        """Of which jobs it is the kind."""
        by_every = RunJob.pack_id == EVERY_PACK
        return by_every if self.is_by_every_pack else sa.not_(by_every)

    @property
    def has_lease(self) -> sa.ColumnElement[bool]:
        """Which job of the kind is under way."""
        return RunJob.lease == self.lease


RUNS = Kind(1, "scoring.runs.jobs", Title("评价任务", "a run"))
SCANS = Kind(2, "scoring.live.scan_jobs", Title("预警复核任务", "a scan for alerts"), is_by_every_pack=True)


class JobConflictError(TitledError):
    """Another job of the kind is not done yet."""

    def __init__(self, kind: Kind, job_id: int | None) -> None:
        self.job_id = job_id
        zh, en = ("", "another job") if job_id is None else (str(job_id), f"job {job_id}")
        super().__init__(
            Title(
                f"{kind.title.zh}{zh}尚未完成,请在其完成后再开始",
                f"{en} is not done yet; {kind.title.en} may start when it is",
            )
        )


class JobLostError(Exception):
    """A job does not hold the lease: it must not go on."""


class AskerEndedError(TitledError):
    """The key by which a job was asked for has ended, and none that took its place works."""


class JobNotFoundError(UnknownError):
    """There is no job of that number."""


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for: see :class:`scoring.store.access.RunJob`."""

    id: int
    pack_id: str
    as_of: dt.date
    state: str
    rows: int | None
    run_id: int | None
    problem: str | None
    told: str | None
    requested_by: str
    requested_at: dt.datetime
    changed_at: dt.datetime
    propose_days: int | None
    proposal_id: int | None


Refused = Callable[[Session, Job, Title], None]


def take_lease(store: Store, kind: Kind, requested_by: str, clock: Clock = database_time, **what: Any) -> Job:
    """A job that has the lease, to be started within :data:`LEASE`.

    :param what: the other columns of the job.
    :raises JobConflictError: where another one of the kind has it.
    """
    try:
        with store.writing() as session:
            now = clock(session)
            holder = _holder(session, kind)
            if holder is not None and not _end_lost(session, holder, now):
                raise JobConflictError(kind, holder.id)
            row = RunJob(
                state="queued",
                requested_by=requested_by,
                requested_at=now,
                changed_at=now,
                lease=kind.lease,
                beat_at=now,
                **what,
            )
            session.add(row)
            session.flush()
            return as_job(row)
    except sa.exc.IntegrityError:  # another one took it at the same time
        with store.reading() as session:
            holder = _holder(session, kind)
        raise JobConflictError(kind, None if holder is None else holder.id) from None


def get_job(store: Store, kind: Kind, job_id: int, clock: Clock = database_time) -> Job:
    """A job as it stands; one that was not heard of for too long has failed.

    :raises JobNotFoundError: where there is none.
    """
    end_lost_job(store, kind, clock)
    return as_job(_found(store, kind, job_id))


def list_jobs(
    store: Store,
    kind: Kind,
    before: int | None = None,
    limit: int | None = None,
    clock: Clock = database_time,
) -> list[Job]:
    """Jobs of a kind, the newest first.

    :param before: only jobs with a smaller number: the last of the page before.
    """
    end_lost_job(store, kind, clock)
    query = sa.select(RunJob).where(kind.is_ours).order_by(RunJob.id.desc()).limit(limit)
    if before is not None:
        query = query.where(RunJob.id < before)
    with store.reading() as session:
        return [as_job(row) for row in session.scalars(query)]


def end_lost_job(store: Store, kind: Kind, clock: Clock = database_time) -> None:
    """Take the lease away from a job that was not heard of for :data:`LEASE`."""
    with store.reading() as session:
        holder = _holder(session, kind)
        if holder is None or not _is_lost(holder, clock(session)):
            return
    with store.writing() as session:
        if (holder := _holder(session, kind)) is not None:
            _end_lost(session, holder, clock(session))


@contextmanager
def at_work(
    store: Store,
    kind: Kind,
    job_id: int,
    state: str,
    beat: dt.timedelta = BEAT,
    clock: Clock = database_time,
    refused: Refused = lambda session, job, why: None,
) -> Iterator[tuple[Job, Callable[..., None]]]:
    """Hold a job's lease meanwhile, and note why it failed where it does. Gives the job, and what notes of it
    how it goes.

    Whatever it changes is kept only while who asked for it may still act, by the key or one that took its
    place: that is looked at in the transaction of each change.

    :param state: how it begins.
    :param refused: told, in the transaction that notes it, of a job that failed for that reason.
    :raises JobNotFoundError: where there is none.
    :raises JobLostError: where it does not have the lease, here or as something is noted.
    :raises AskerEndedError: where who asked for it may no longer act.
    """

    def note(**values: Any) -> None:
        with store.writing() as session:
            change(session, job_id, clock, **values)

    job = as_job(_found(store, kind, job_id))
    accompany_changes(partial(_require_asker, job))
    try:
        note(state=state, host=socket.gethostname(), pid=os.getpid())
        with _beating(store, job_id, beat, clock):
            yield job, note
    except JobLostError:
        raise
    except Exception as error:
        accompany_changes()
        why = problem_of(error)
        with store.writing() as session:
            change(session, job_id, clock, state="failed", problem=why.both, lease=None)
            if isinstance(error, AskerEndedError):
                refused(session, job, why)
        raise
    finally:
        accompany_changes()


def _require_asker(job: Job, session: Session) -> None:
    state = standing(session, job.requested_by)
    if state != ACTIVE:
        key, (zh, en) = job.requested_by, _ENDED_BY[state]
        raise AskerEndedError(
            Title(
                f"请求此任务的密钥{key}在任务完成前{zh},任务不再进行",
                f"the key {key} that asked for it {en} before it was done: it goes no further",
            )
        )


_ENDED_BY = {"revoked": ("已停用", "was revoked"), "expired": ("已过期", "expired")}


def _not_started(error: OSError) -> Title:
    return Title(
        f"任务的进程无法启动:{error.strerror};请稍后再试,仍不行的请联系管理员",
        f"its process can't be started: {error.strerror}; try again later, or tell the operator",
    )


_ENDED = Title("任务完成前,其进程已终止", "its process ended before it was done")


def problem_of(error: Exception) -> Title:
    """Why a job failed. What is not meant to be is the operator's to look into, who reads the log.

    A database names the statement and its values, which may be of anybody.
    """
    if isinstance(error, TitledError):
        return error.title
    if isinstance(error, PackError):
        return Title("\n".join(fault.title.zh for fault in error.faults), str(error))
    kind = type(error).__name__
    said = "the database refused a change" if isinstance(error, sa.exc.SQLAlchemyError) else str(error)
    return Title(f"系统出错,请联系管理员({kind})", f"{said} ({kind})")


def main(work: Callable[[Store, int], None]) -> None:
    """``python -m MODULE NUMBER``: do a job of the store that the environment names."""
    store = open_store()
    try:
        work(store, int(sys.argv[1]))
    finally:
        store.close()


def start(store: Store, kind: Kind, job_id: int) -> None:
    """Have a job done by a process of its own; where there can be none now, the job has failed."""
    url = store.engine.url.render_as_string(hide_password=False)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", kind.module, str(job_id)],
            env=os.environ | {URL_VARIABLE: url},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    except OSError as error:
        with store.writing() as session:
            _fail(session, job_id, database_time(session), _not_started(error).both)
        return
    threading.Thread(target=_wait_for, args=(store, job_id, process), daemon=True).start()


def _wait_for(store: Store, job_id: int, process: subprocess.Popen[bytes]) -> None:
    """See a job's process end; one that ended with its lease has failed, and nobody needs to wait for it.

    Where the store can't be told now, the lease runs out.
    """
    process.wait()
    with suppress(StoreError), store.writing() as session:
        _fail(session, job_id, database_time(session), _ENDED.both)


@contextmanager
def _beating(store: Store, job_id: int, every: dt.timedelta, clock: Clock) -> Iterator[None]:
    """Say meanwhile that the job is alive. A beat that the store can't take is made up for by the next."""
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.wait(every.total_seconds()):
            try:
                with store.writing() as session:
                    change(session, job_id, clock)
            except StoreError:
                continue
            except JobLostError:
                return  # the next step notices it

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _found(store: Store, kind: Kind, job_id: int) -> RunJob:
    with store.reading() as session:
        row = session.scalar(sa.select(RunJob).where(RunJob.id == job_id, kind.is_ours))
    if row is None:
        raise JobNotFoundError(Title(f"没有{kind.title.zh}{job_id}", f"there is no job {job_id}"))
    return row


def _holder(session: Session, kind: Kind) -> RunJob | None:
    return session.scalar(sa.select(RunJob).where(kind.has_lease))


def _is_lost(row: RunJob, now: dt.datetime) -> bool:
    """By a clock that may have been set back: a beat from the future is none."""
    return row.beat_at is None or abs(now - row.beat_at) >= LEASE


def _end_lost(session: Session, row: RunJob, now: dt.datetime) -> bool:
    """Take the lease from a job that is lost; whether it is."""
    if not _is_lost(row, now):
        return False
    reason = Title(
        f"自{row.beat_at}起没有消息:任务完成前,其进程或主机已终止",
        f"it was not heard of since {row.beat_at}: its process or its host ended before it was done",
    )
    _fail(session, row.id, now, reason.both, RunJob.beat_at == row.beat_at)
    return True


def _fail(
    session: Session, job_id: int, now: dt.datetime, reason: str, *still: sa.ColumnElement[bool]
) -> None:
    session.execute(
        sa.update(RunJob)
        .where(RunJob.id == job_id, RunJob.lease.is_not(None), *still)
        .values(state="failed", problem=reason, lease=None, changed_at=now)
    )


def change(session: Session, job_id: int, clock: Clock, **values: Any) -> None:
    """Change a job that has the lease; every change is a beat."""
    now = clock(session)
    done = session.execute(
        sa.update(RunJob)
        .where(RunJob.id == job_id, RunJob.lease.is_not(None))
        .values(beat_at=now, **({"changed_at": now} if values else {}), **values)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise JobLostError(f"job {job_id} has lost its lease: it goes no further")


def as_job(row: RunJob) -> Job:
    """A job as others see it."""
    return Job(**{name: getattr(row, name) for name in Job.__slots__})
