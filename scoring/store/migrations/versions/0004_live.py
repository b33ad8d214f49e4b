"""Live grades, alerts, and how far they have seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import BigId, Moment

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    _live_grades()
    _alerts()
    op.create_table(
        "live_scans",
        sa.Column("pack_id", sa.String(), nullable=False),
        sa.Column("pack_hash", sa.String(), nullable=False),
        sa.Column("known_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("pack_id", name="pk_live_scans"),
    )


def _live_grades() -> None:
    op.create_table(
        "live_grades",
        sa.Column("pack_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("pack_hash", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("known_at", Moment(), nullable=False),
        sa.Column("graded_at", Moment(), nullable=False),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("band", sa.String(), nullable=False),
        sa.Column("veto", sa.String(), nullable=True),
        sa.Column("inputs_known", sa.Integer(), nullable=False),
        sa.Column("inputs_total", sa.Integer(), nullable=False),
        sa.Column("dimensions", sa.Text(), nullable=False),
        sa.Column("hits", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pack_id", "subject_id", name="pk_live_grades"),
        sqlite_with_rowid=False,
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", BigId, nullable=False),
        sa.Column("pack_id", sa.String(), nullable=False),
        sa.Column("pack_hash", sa.String(), nullable=False),
        sa.Column("alert", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("records", sa.Text(), nullable=False),
        sa.Column("raised_at", Moment(), nullable=False),
        sa.Column("acknowledged_at", Moment(), nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sa.UniqueConstraint(
            "pack_id", "alert", "subject_id", "record_id", name="uq_alerts_pack_id_alert_subject_id_record_id"
        ),
    )
    op.create_index("ix_alerts_subject_id_id", "alerts", ["subject_id", "id"])
