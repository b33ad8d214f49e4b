"""Indexes by which the subject of a row without a usable code is found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_CURRENT = sa.text("known_until IS NULL")


def upgrade() -> None:
    """Make an index of current subjects by registration number, and one by name."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for column in ("registration_number", "name"):
        value = f"(data::json ->> '{column}')" if is_postgresql else f"json_extract(data, '$.\"{column}\"')"
        op.create_index(
            f"ix_subject_versions_{column}",
            "subject_versions",
            ["vocabulary", sa.text(value), "subject_id"],
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        )
