"""Candidates that are graded beside the pack in force."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import BigId, Moment

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "pack_trials",
        sa.Column("id", BigId, nullable=False),
        sa.Column("pack_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("pack_hash", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("after_run", sa.BigInteger(), nullable=False),
        sa.Column("started_by", sa.String(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["pack_hash"], ["packs.hash"], name="fk_pack_trials_pack_hash"),
        sa.PrimaryKeyConstraint("id", name="pk_pack_trials"),
    )
    goes_on = sa.text("ended_by IS NULL")
    op.create_index(
        "uq_pack_trials_open",
        "pack_trials",
        ["pack_hash"],
        unique=True,
        sqlite_where=goes_on,
        postgresql_where=goes_on,
    )
    op.create_table(
        "trial_nights",
        sa.Column("trial_id", BigId, nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.Column("differ", sa.Integer(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["trial_id"], ["pack_trials.id"], name="fk_trial_nights_trial_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_trial_nights_run_id"),
        sa.PrimaryKeyConstraint("trial_id", "run_id", name="pk_trial_nights"),
    )
    op.create_table(
        "trial_moves",
        sa.Column("trial_id", BigId, nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("tier_before", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["trial_id"], ["pack_trials.id"], name="fk_trial_moves_trial_id"),
        sa.PrimaryKeyConstraint("trial_id", "subject_id", "since", name="pk_trial_moves"),
    )
