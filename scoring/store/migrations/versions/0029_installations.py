"""Versions of packs that are installed into the store by two persons."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import BigId, Moment

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "installations",
        sa.Column("id", BigId, nullable=False),
        sa.Column("pack_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("pack_hash", sa.String(), nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", Moment(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.Column("withdrawal", sa.Text(), nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=True),
        sa.Column("withdrawn_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["pack_hash"], ["packs.hash"], name="fk_installations_pack_hash"),
        sa.PrimaryKeyConstraint("id", name="pk_installations"),
    )
    stands = sa.text("state IN ('proposed', 'approved')")
    op.create_index(
        "uq_installations_standing",
        "installations",
        ["pack_hash"],
        unique=True,
        sqlite_where=stands,
        postgresql_where=stands,
    )
