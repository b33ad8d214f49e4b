"""Files by their text, and by what takes them back: whether rows were sent before is asked of each file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Two indexes; of undoings there are few."""
    op.create_index("ix_ingested_files_sha256", "ingested_files", ["sha256"])
    where = sa.text("undoes IS NOT NULL")
    op.create_index(
        "ix_ingested_files_undoes", "ingested_files", ["undoes"], sqlite_where=where, postgresql_where=where
    )
