"""Runs that are asked for and done in the background: see :mod:`scoring.runs.leases`.

A run is published whole or not at all: in the transaction that gives the lease back, by the job that has it.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from scoring.runs import leases
from scoring.runs.batch import Confirm, Progress, run
from scoring.runs.leases import BEAT, RUNS, Job, Refused
from scoring.runs.proposals import check_publication, propose, publish_proposal
from scoring.runs.proposed import refuse_held, show_proposal
from scoring.store import Store
from scoring.store.base import Clock, database_time
from scoring.store.rulebook import known_pack, require_agreement

_STEPS = {"snapshot": "grading", "grade": "publishing"}


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
    leases.start(store, RUNS, job.id)
    return job


def request_publication(store: Store, proposal_id: int, requested_by: str) -> Job:
    """Note that a proposal is to be published, and start that.

    :raises UnknownProposalError, ProposalRefusedError: where there is none, or it may not be published now.
    :raises JobConflictError: where another one is still at work; one at a time.
    """
    check_publication(store, proposal_id)
    found = show_proposal(store, proposal_id)
    job = take_lease(store, found.pack_id, found.as_of, requested_by, proposal_id=proposal_id)
    leases.start(store, RUNS, job.id)
    return job


def take_lease(
    store: Store,
    pack_id: str,
    as_of: dt.date,
    requested_by: str,
    clock: Clock = database_time,
    **what: int | None,
) -> Job:
    """A run that has the lease, to be started within :data:`~scoring.runs.leases.LEASE`.

    :param what: ``propose_days`` to propose, ``proposal_id`` to publish what was proposed.
    :raises JobConflictError: where another one has it.
    """
    return leases.take_lease(store, RUNS, requested_by, clock, pack_id=pack_id, as_of=as_of, **what)


def get_job(store: Store, job_id: int, clock: Clock = database_time) -> Job:
    """A run as it stands; one that was not heard of for too long has failed.

    :raises JobNotFoundError: where there is none.
    """
    return leases.get_job(store, RUNS, job_id, clock)


def list_jobs(
    store: Store, before: int | None = None, limit: int | None = None, clock: Clock = database_time
) -> list[Job]:
    """Runs that were asked for, the newest first.

    :param before: only jobs with a smaller number: the last of the page before.
    """
    return leases.list_jobs(store, RUNS, before, limit, clock)


def work(
    store: Store,
    job_id: int,
    beat: dt.timedelta = BEAT,
    clock: Clock = database_time,
    refused: Refused = lambda session, job, why: None,
) -> None:
    """Do a job in this process, and note how it goes.

    :param refused: as for :func:`scoring.runs.leases.at_work`.
    :raises JobNotFoundError: where there is none.
    :raises JobLostError: where it does not have the lease; nothing is published then.
    :raises AskerEndedError: where who asked for it may no longer act; nothing is published then.
    """

    def published(session: Session, run_id: int) -> None:
        leases.change(session, job_id, clock, state="published", run_id=run_id, lease=None)

    def proposed(session: Session, proposal_id: int) -> None:
        leases.change(session, job_id, clock, state="proposed", proposal_id=proposal_id, lease=None)

    with leases.at_work(store, RUNS, job_id, "snapshot", beat, clock, refused) as (job, note):

        def progress(step: str, rows: int) -> None:
            """Publishing holds the store in its transaction: nothing can be noted in its steps."""
            if step in _STEPS:
                told: dict[str, Any] = {"rows": rows} if step == "snapshot" else {}
                note(state=_STEPS[step], **told)

        _do(store, job, progress, published, proposed)


def _do(store: Store, job: Job, progress: Progress, published: Confirm, proposed: Confirm) -> None:
    """What the job is for."""
    by = job.requested_by
    if job.proposal_id is not None:
        publish_proposal(store, job.proposal_id, by, progress=progress, confirm=published)
        return
    pack = known_pack(store, job.pack_id, job.as_of)
    if job.propose_days is not None:
        propose(store, pack, job.as_of, job.propose_days, by, progress=progress, confirm=proposed)
        return
    run(store, pack, job.as_of, progress=progress, confirm=published, decided_by=by)


if __name__ == "__main__":
    from scoring.access.asked import log_refusal
    from scoring.cli.computed import then_compute
    from scoring.cli.errors import plainly

    with plainly("scoring.runs.jobs NUMBER"):
        leases.main(then_compute(partial(work, refused=log_refusal)))
