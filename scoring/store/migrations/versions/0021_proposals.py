"""Runs that are proposed, who would fall by them, their answers, and jobs that propose or publish one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import BigId, Moment

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make the tables, and the columns of run jobs."""
    _proposals()
    op.create_table(
        "proposed_falls",
        sa.Column("proposal_id", BigId, nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("tier_before", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("score_before", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("told_at", Moment(), nullable=True),
        sa.Column("told_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposals.id"], name="fk_proposed_falls_proposal_id"),
        sa.PrimaryKeyConstraint("proposal_id", "subject_id", name="pk_proposed_falls"),
    )
    op.create_index("ix_proposed_falls_subject_id", "proposed_falls", ["subject_id"])
    op.create_table(
        "proposal_answers",
        sa.Column("id", BigId, nullable=False),
        sa.Column("proposal_id", BigId, nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposals.id"], name="fk_proposal_answers_proposal_id"),
        sa.PrimaryKeyConstraint("id", name="pk_proposal_answers"),
    )
    op.create_index(
        "ix_proposal_answers_proposal_id_subject_id", "proposal_answers", ["proposal_id", "subject_id"]
    )
    op.add_column("run_jobs", sa.Column("propose_days", sa.Integer(), nullable=True))
    op.add_column("run_jobs", sa.Column("proposal_id", BigId, nullable=True))


def _proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", BigId, nullable=False),
        sa.Column("pack_id", sa.String(), nullable=False),
        sa.Column("pack_hash", sa.String(), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("vocabulary", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("known_at", Moment(), nullable=False),
        sa.Column("snapshot_hash", sa.String(), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.Column("base", BigId, nullable=True),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", Moment(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("run_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(["pack_hash"], ["packs.hash"], name="fk_proposals_pack_hash"),
        sa.ForeignKeyConstraint(["base"], ["runs.id"], name="fk_proposals_base"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_proposals_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_proposals"),
    )
    is_open = sa.text("state = 'open'")
    op.create_index(
        "uq_proposals_open",
        "proposals",
        ["pack_id"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
