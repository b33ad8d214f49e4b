"""The sheet of a workbook in which a quarantined row stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column; rows from before are of files of one sheet."""
    op.add_column("quarantine", sa.Column("sheet", sa.String(), nullable=True))
