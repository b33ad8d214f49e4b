"""Sign-ins end in the store, a run holds a lease, and the end of a key is no date in the future."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from alembic import op

from scoring.store.base import Moment

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table of sign-ins, the lease of run jobs, and let keys that go on for a while expire."""
    _page_sessions()
    _leases()
    _ends_of_keys()


def _page_sessions() -> None:
    op.create_table(
        "page_sessions",
        sa.Column("id_hash", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("begun_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id_hash", name="pk_page_sessions"),
        sa.ForeignKeyConstraint(["key"], ["api_keys.prefix"], name="fk_page_sessions_key"),
    )
    op.create_index("ix_page_sessions_key", "page_sessions", ["key"])
    op.create_index("ix_page_sessions_begun_at", "page_sessions", ["begun_at"])


def _leases() -> None:
    """No job is under way when the tables change: the server starts afterwards."""
    jobs = sa.table("run_jobs", sa.column("state"), sa.column("problem"))
    op.execute(
        sa.update(jobs)
        .where(jobs.c.state.not_in(["published", "failed"]))
        .values(state="failed", problem="the service was brought up to date before the run was published")
    )
    with op.batch_alter_table("run_jobs") as table:
        table.add_column(sa.Column("lease", sa.Integer(), nullable=True))
        table.add_column(sa.Column("beat_at", Moment(), nullable=True))
        table.create_unique_constraint("uq_run_jobs_lease", ["lease"])


def _ends_of_keys() -> None:
    """A replaced key whose overlap is not over was to be revoked in the future: now it expires then."""
    keys = sa.table("api_keys", sa.column("expires_at", Moment()), sa.column("revoked_at", Moment()))
    later = keys.c.revoked_at > dt.datetime.now(dt.UTC)
    earlier_end = sa.case((keys.c.expires_at < keys.c.revoked_at, keys.c.expires_at), else_=keys.c.revoked_at)
    op.execute(sa.update(keys).where(later).values(expires_at=earlier_end, revoked_at=None))
