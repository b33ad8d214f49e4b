"""What whoever applies for a repair promises."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the commitment of an application, and its day, to marks."""
    op.add_column("record_marks", sa.Column("commitment", sa.Text(), nullable=True))
    op.add_column("record_marks", sa.Column("committed_on", sa.Date(), nullable=True))
