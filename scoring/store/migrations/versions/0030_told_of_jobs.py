"""What a job in the background has come to, for who waits for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Make the column: jobs of before have told nothing."""
    op.add_column("run_jobs", sa.Column("told", sa.Text(), nullable=True))
