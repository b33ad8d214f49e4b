"""Changes in the order of their commits, who is told of them, and each telling."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the three tables. What was before the upgrade is not told."""
    op.create_table(
        "changes",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("run_id", _BIG, nullable=True),
        sa.Column("base", _BIG, nullable=True),
        *_texts("pack_id", "pack_hash", "vocabulary", "subject_id", "record_id", "authority"),
        sa.Column("day", sa.Date(), nullable=True),
        *_texts("outcome", "alert"),
        sa.Column("alert_id", _BIG, nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_changes_run_id_runs"),
        sa.PrimaryKeyConstraint("id", name="pk_changes"),
    )
    op.create_index("ix_changes_vocabulary_record_id", "changes", ["vocabulary", "record_id"])
    op.create_index("ix_changes_subject_id_id", "changes", ["subject_id", "id"])
    op.create_table(
        "subscriptions",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        *_texts("organisation"),
        sa.Column("kinds", sa.String(), nullable=False),
        *_texts("pack_id", "address", "secret"),
        sa.Column("begins", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        *_texts("sending"),
        sa.Column("tries", sa.Integer(), nullable=False),
        *_moments("next_at", "stopped_at"),
        sa.Column("stopped_why", sa.Text(), nullable=True),
        *_texts("claim"),
        *_moments("claimed_until"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        *_moments("ended_at"),
        *_texts("ended_by"),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("subscription_id", _BIG, nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("until", sa.String(), nullable=False),
        sa.Column("after_id", _BIG, nullable=False),
        sa.Column("until_id", _BIG, nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("begun_at", _MOMENT, nullable=False),
        *_moments("acknowledged_at"),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name="fk_deliveries_subscription_id_subscriptions"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_subscription_id_until_id", "deliveries", ["subscription_id", "until_id"])


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=True) for name in names]


def _moments(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, _MOMENT, nullable=True) for name in names]
