"""Visits that have a code."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import BigId, Moment

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "visits",
        sa.Column("id", BigId, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("code", "pack_id", "vocabulary")),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("plan_id", BigId, nullable=True),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("tier", sa.String(), nullable=True),
        sa.Column("over_cap", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("authorities", "inspectors")),
        *(sa.Column(name, sa.Date(), nullable=False) for name in ("begins_on", "ends_on", "report_until")),
        sa.Column("issued_by", sa.String(), nullable=False),
        sa.Column("issued_at", Moment(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("went", sa.Text(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("findings", "measures")),
        sa.Column("entered_by", sa.String(), nullable=True),
        sa.Column("entered_at", Moment(), nullable=True),
        sa.Column("record_id", sa.String(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("cancelled_by", sa.String(), nullable=True),
        sa.Column("cancelled_at", Moment(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("rating_words", sa.Text(), nullable=True),
        sa.Column("rated_by", sa.String(), nullable=True),
        sa.Column("rated_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["inspection_plans.id"], name="fk_visits_plan_id_inspection_plans"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_visits"),
        sa.UniqueConstraint("code", name="uq_visits_code"),
    )
    for columns in (("subject_id", "begins_on"), ("begins_on", "id"), ("plan_id",)):
        op.create_index(f"ix_visits_{'_'.join(columns)}", "visits", list(columns))
