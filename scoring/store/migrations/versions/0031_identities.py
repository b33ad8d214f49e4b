"""The persons who sign in at a provider of OpenID Connect."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import Moment

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("admitted_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["key"], ["api_keys.prefix"], name="fk_identities_key"),
        sa.PrimaryKeyConstraint("issuer", "person", name="pk_identities"),
        sa.UniqueConstraint("key", name="uq_identities_key"),
    )
