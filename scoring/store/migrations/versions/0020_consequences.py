"""The ledger of consequences: which office applied which measure to whom, because of what, until when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import BigId, Moment

revision = "0020"
down_revision = "0019"

_STANDING = sa.text("lifted_at IS NULL")


def upgrade() -> None:
    """Make the table of consequences and its indexes."""
    op.create_table(
        "consequences",
        sa.Column("id", BigId, nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("vocabulary", "subject_id", "office", "clause")
        ),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=True),
        sa.Column("run_id", BigId, nullable=True),
        sa.Column("tier", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.Column("entered_at", Moment(), nullable=False),
        sa.Column("lifted_on", sa.Date(), nullable=True),
        sa.Column("lifted_at", Moment(), nullable=True),
        sa.Column("lifted_by", sa.String(), nullable=True),
        sa.Column("lifted_because", sa.Text(), nullable=True),
        sa.Column("mark_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["mark_id"], ["record_marks.id"], name="fk_consequences_mark_id_record_marks"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_consequences_run_id_runs"),
        sa.PrimaryKeyConstraint("id", name="pk_consequences"),
    )
    for columns in (["vocabulary", "subject_id", "id"], ["vocabulary", "office", "id"]):
        op.create_index(f"ix_consequences_{'_'.join(columns)}", "consequences", columns)
    op.create_index(
        "ix_consequences_standing",
        "consequences",
        ["vocabulary", "record_id"],
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    )
