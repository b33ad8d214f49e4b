"""Inspection plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import BigId, Moment

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "inspection_plans",
        sa.Column("id", BigId, nullable=False),
        sa.Column("pack_id", sa.String(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_inspection_plans_run_id_runs"),
        sa.PrimaryKeyConstraint("id", name="pk_inspection_plans"),
    )
    op.create_index("ix_inspection_plans_pack_id_month", "inspection_plans", ["pack_id", "month"])
    op.create_table(
        "planned_visits",
        sa.Column("plan_id", BigId, nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.Column("complaint", sa.Boolean(), nullable=False),
        sa.Column("requests", sa.Text(), nullable=False),
        sa.Column("authorities", sa.Text(), nullable=False),
        sa.Column("inspectors", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["inspection_plans.id"], name="fk_planned_visits_plan_id_inspection_plans"
        ),
        sa.PrimaryKeyConstraint("plan_id", "subject_id", name="pk_planned_visits"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "refused_visits",
        sa.Column("plan_id", BigId, nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=True),
        sa.Column("authority", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["inspection_plans.id"], name="fk_refused_visits_plan_id_inspection_plans"
        ),
        sa.PrimaryKeyConstraint("plan_id", "no", name="pk_refused_visits"),
        sqlite_with_rowid=False,
    )
