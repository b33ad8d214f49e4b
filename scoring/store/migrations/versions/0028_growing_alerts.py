"""Alerts that grow, are assigned, and are found by town, rule and day; scans that go on where they ended."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from scoring.store.base import BigId, Moment

revision = "0028"
down_revision = "0027"

_ALERTS = sa.table(
    "alerts",
    sa.column("id", BigId),
    sa.column("record_id", sa.String),
    sa.column("raised_at", Moment),
    sa.column("matches", sa.Text),
    sa.column("version", sa.Integer),
)


_PARTS = {"ix_alerts_open": "withdrawn_at IS NULL AND acknowledged_at IS NULL"}
_PARTS |= {"ix_alerts_withdrawn": "withdrawn_at IS NOT NULL"}


def upgrade() -> None:
    """Make the columns. The next scan looks at everybody, and joins what overlaps."""
    for column in (
        sa.Column("last_on", sa.Date(), nullable=True),
        sa.Column("matches", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("town", sa.String(), nullable=True),
        sa.Column("follows", BigId, nullable=True),
        sa.Column("joined", BigId, nullable=True),
        sa.Column("assigned_to", sa.String(), nullable=True),
        sa.Column("assigned_by", sa.String(), nullable=True),
        sa.Column("assigned_at", Moment(), nullable=True),
    ):
        op.add_column("alerts", column)
    _keep_matches()
    for name in _PARTS:  # where the table is made anew, they would lose their conditions
        op.drop_index(name, "alerts")
    with op.batch_alter_table("alerts") as table:
        table.drop_constraint("uq_alerts_pack_id_alert_subject_id_record_id", type_="unique")
        table.drop_column("record_id")
        table.alter_column("matches", nullable=False)
        table.alter_column("version", nullable=False)
    for name, condition in _PARTS.items():
        where = sa.text(condition)
        op.create_index(name, "alerts", ["id"], sqlite_where=where, postgresql_where=where)
    for name in ("alert", "town", "last_on", "assigned_to"):
        op.create_index(f"ix_alerts_{name}_id", "alerts", [name, "id"])
    op.create_table(
        "live_scans_begun",
        sa.Column("pack_id", sa.String(), nullable=False),
        sa.Column("pack_hash", sa.String(), nullable=False),
        sa.Column("known_at", Moment(), nullable=False),
        sa.Column("since", Moment(), nullable=True),
        sa.Column("done", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pack_id", name="pk_live_scans_begun"),
    )
    op.execute("DELETE FROM live_scans")
    op.execute("UPDATE alerts SET note = NULL WHERE acknowledged_by = 'history'")  # of two languages at once


def _keep_matches() -> None:
    """So far an alert was one match, found when it was raised."""
    connection, alerts = op.get_bind(), _ALERTS.c
    found = connection.execute(sa.select(alerts.id, alerts.record_id, alerts.raised_at)).all()
    rows = [{"row": row.id, "found": json.dumps({row.record_id: row.raised_at.isoformat()})} for row in found]
    if rows:
        update = sa.update(_ALERTS).where(alerts.id == sa.bindparam("row"))
        connection.execute(update.values(matches=sa.bindparam("found"), version=1), rows)
