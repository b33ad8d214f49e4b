"""Credit reports as they were issued, and classes of records that wait for a person's word."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import Moment

revision = "0024"
down_revision = "0023"

_OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "credit_reports",
        sa.Column("number", sa.String(), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("code", "vocabulary", "subject_id", "name")
        ),
        sa.Column("issued_at", Moment(), nullable=False),
        sa.Column("issued_by", sa.String(), nullable=False),
        sa.Column("known_at", Moment(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_credit_reports"),
    )
    op.create_index("ix_credit_reports_subject_id_issued_at", "credit_reports", ["subject_id", "issued_at"])
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "record_proposals",
        sa.Column("id", big, nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("vocabulary", "record_id", "subject_id", "column", "proposed", "meanwhile")
        ),
        sa.Column("because_zh", sa.Text(), nullable=False),
        sa.Column("because_en", sa.Text(), nullable=False),
        sa.Column("raised_at", Moment(), nullable=False),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.Column("settled", sa.String(), nullable=True),
        sa.Column("mark_id", big, nullable=True),
        sa.ForeignKeyConstraint(
            ["mark_id"], ["record_marks.id"], name="fk_record_proposals_mark_id_record_marks"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_record_proposals"),
    )
    for name, columns, unique in (
        ("ix_record_proposals_vocabulary_record_id_column", ["vocabulary", "record_id", "column"], True),
        ("ix_record_proposals_open", ["vocabulary", "id"], False),
    ):
        op.create_index(
            name, "record_proposals", columns, unique=unique, sqlite_where=_OPEN, postgresql_where=_OPEN
        )
