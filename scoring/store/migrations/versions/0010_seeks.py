"""Indexes for what a request looks for, where so far it read a whole table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.facts.ingest.folding import fold

revision = "0010"
down_revision = "0009"

_CURRENT = sa.text("known_until IS NULL")
_STANDS = "withdrawn_at IS NULL AND acknowledged_at IS NULL"


def upgrade() -> None:
    """Make the indexes: of records with their past, of an authority's records, and of the API's listings."""
    op.create_index(
        "ix_record_versions_vocabulary_record_id_known_from",
        "record_versions",
        ["vocabulary", "record_id", "known_from"],
    )
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    authority = "(data::json ->> 'authority')" if is_postgresql else "json_extract(data, '$.\"authority\"')"
    op.create_index(
        "ix_record_versions_authority",
        "record_versions",
        ["vocabulary", sa.text(authority), "record_id"],
        sqlite_where=_CURRENT,
        postgresql_where=_CURRENT,
    )
    op.create_index("ix_audit_entries_action_seq", "audit_entries", ["action", "seq"])
    op.create_index("ix_problems_stage_id", "problems", ["stage", "id"])
    op.create_index("ix_alerts_pack_id_id", "alerts", ["pack_id", "id"])
    op.create_index("ix_alerts_pack_id_subject_id", "alerts", ["pack_id", "subject_id"])
    _alerts("ix_alerts_open", _STANDS)
    _alerts("ix_alerts_withdrawn", "withdrawn_at IS NOT NULL")
    op.create_index("ix_api_keys_role_organisation", "api_keys", ["role", "organisation"])
    _fold_organisations()


def _alerts(name: str, state: str) -> None:
    op.create_index(name, "alerts", ["id"], sqlite_where=sa.text(state), postgresql_where=sa.text(state))


def _fold_organisations() -> None:
    """A key's organisation is looked up in the one spelling in which new keys have it."""
    connection = op.get_bind()
    keys = sa.table("api_keys", sa.column("prefix", sa.String), sa.column("organisation", sa.String))
    for prefix, name in connection.execute(sa.select(keys).where(keys.c.organisation.is_not(None))).all():
        if fold(name) != name:
            connection.execute(keys.update().where(keys.c.prefix == prefix).values(organisation=fold(name)))
