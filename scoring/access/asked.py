"""What the audit log says of work that a key asked for and that was not done."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.model import Title
from scoring.access.audit import Event, append
from scoring.runs.leases import Job
from scoring.store.access import ApiKey


def log_refusal(session: Session, job: Job, why: Title) -> None:
    """Log that a job goes no further because the key that asked for it has ended, in the transaction that
    notes so.
    """
    role = session.scalars(sa.select(ApiKey.role).filter_by(prefix=job.requested_by)).one()
    said = {"job": job.id, "pack": job.pack_id, "as_of": job.as_of.isoformat(), "reason": why.en}
    append(session, [Event(job.requested_by, role, "jobs.refuse", details=said)])
