"""What is odd about a row that was taken stands beside what kept rows out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Everything that is there kept its row out."""
    op.add_column("quarantine", sa.Column("level", sa.String(), nullable=False, server_default="error"))
