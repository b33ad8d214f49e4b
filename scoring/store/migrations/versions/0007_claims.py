"""Idempotency keys are claimed before anything is done under them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import Moment

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Let a kept answer be without its answer yet, and say which attempt it is waited for from."""
    with op.batch_alter_table("kept_answers") as table:
        table.alter_column("status", existing_type=sa.Integer(), nullable=True)
        table.alter_column("body", existing_type=sa.Text(), nullable=True)
        table.add_column(sa.Column("claim", sa.String(), nullable=True))
        table.add_column(sa.Column("changed_at", Moment(), nullable=True))
        table.add_column(sa.Column("logged", sa.Text(), nullable=True))
