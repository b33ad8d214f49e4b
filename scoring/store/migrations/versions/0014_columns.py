"""What the columnar copy of the facts needs: whose copy it is, and which versions ended since it was made."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_ENDED = sa.text("known_until IS NOT NULL")


def upgrade() -> None:
    """Give the store an identity, and the versions that ended an index."""
    identity = op.create_table(
        "store_identity",
        sa.Column("id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_store_identity"),
    )
    op.bulk_insert(identity, [{"id": uuid.uuid4().hex}])
    for table in ("subject_versions", "record_versions"):
        op.create_index(
            f"ix_{table}_ended", table, ["known_until"], sqlite_where=_ENDED, postgresql_where=_ENDED
        )
