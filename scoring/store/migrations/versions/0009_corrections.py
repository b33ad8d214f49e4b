"""A step of a problem that takes back another one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Say of a step which one it corrects."""
    op.add_column("problem_steps", sa.Column("corrects", sa.Integer(), nullable=True))
