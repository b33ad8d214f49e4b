"""An index of tickets by the enterprise that has them."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Make it."""
    op.create_index("ix_problems_counterpart_id", "problems", ["counterpart", "id"])
