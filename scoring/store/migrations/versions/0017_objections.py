"""An index by which objections are listed."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make an index of marks by their kind."""
    op.create_index("ix_record_marks_vocabulary_kind_id", "record_marks", ["vocabulary", "kind", "id"])
