"""The store's schema: what is declared is what the migrations make."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from scoring.store import Store
from scoring.store.schema import METADATA, upgrade


def test_the_migrations_make_exactly_the_declared_tables(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
        assert {"runs", "hits"} <= set(METADATA.tables)


def test_upgrading_twice_changes_nothing(store: Store) -> None:
    upgrade(store.engine)
    upgrade(store.engine)
