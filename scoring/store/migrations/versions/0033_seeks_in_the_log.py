"""Indexes for what entries of the audit log are looked up by: a lender's checks, an office's files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

_CHECKS = sa.text("action = 'lender.check'")
_FILES = sa.text("action IN ('files.take', 'files.undo')")


def upgrade() -> None:
    """Make the indexes, over the entries that say so alone."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for name, where in (("lender", _CHECKS), ("office", _FILES), ("file", _FILES)):
        value = f"(details::json ->> '{name}')" if is_postgresql else f"json_extract(details, '$.\"{name}\"')"
        op.create_index(
            f"ix_audit_entries_{name}",
            "audit_entries",
            [sa.text(value), "seq"],
            sqlite_where=where,
            postgresql_where=where,
        )
